use super::*;

#[test]
fn slips_are_refused_where_they_stand() {
    for (text, at, hint) in [
        ("10:00-09:00", "10:00-09:00", "10:00-33:00"),
        ("Mo-Fr 22:00-02:00", "22:00-02:00", "22:00-26:00"),
        ("Mo-Fx 09:00-21:00", "Fx", "Mo, Tu"),
        ("Mo-Fr 9:00-21:00", "9:00", "did you mean Mo-Fr 09:00-21:00?"),
        ("09:00-21:60", "21:60", "09:00"),
        ("Mo-Fr", "Mo-Fr", "Mo-Fr 09:00"),
        ("09:00", "09:00", "09:00-21:00"),
        ("09:00-12:00,11:00-14:00", "11:00-14:00", "once"),
        ("", "", "24/7"),
        ("Dez 24 off", "Dez", "Dec"),
        ("Dec 32 off", "32", "1 to 31"),
        ("Feb 30 off", "30", "1 to 29"),
        ("Dec 24-Jan off", "Dec 24-Jan", "both ends alike"),
        ("2027-2026 Dec 24 off", "2027-2026", "2026-2027"),
        ("PH off", "PH", "holidays"),
        ("Mo-Fr 09:00-12:00 14:00-18:00", "12:00 14:00-18:00", "Mo-Fr 09:00-12:00,14:00-18:00"),
        ("9-21", "9-21", "did you mean 09:00-21:00?"),
        ("Mo-Sa 09:00-21:00 IST", "IST", "did you mean Mo-Sa 09:00-21:00? The zone belongs in timezone"),
        ("09:00-18:00; 2026-12-25 off", "2026-12-25 off", "did you mean 2026 Dec 25 off?"),
        ("9am - 9 pm", "pm", "did you mean 09:00-21:00?"),
        ("monday to friday 9:30-18", "monday", "did you mean Mo-Fr 09:30-18:00?"),
        ("weekdays 0900-1800", "weekdays", "did you mean Mo-Fr 09:00-18:00?"),
        ("December 25 off", "December 25 off", "did you mean Dec 25 off?"),
        ("9pm-9am", "9pm", "09:00"),
        ("Mo-Fr 09:00-18:00, Sa 10:00-12:00", "Sa", "did you mean Mo-Fr 09:00-18:00; Sa 10:00-12:00?"),
        ("Mo-Fr 09:00-17:00 Sa 10:00-12:00", "Sa", "did you mean Mo-Fr 09:00-17:00; Sa 10:00-12:00?"),
        (";", ";", "24/7"),
        ("Mo-Fr 09:00-12:00; Mo-Fr 14:00-18:00", "Mo-Fr 09:00-12:00", "with a comma"),
        ("Su off; 09:00-21:00", "Su off", "exceptions last"),
        ("mo-fr 09:00-21:00", "mo", "did you mean Mo-Fr 09:00-21:00?"),
        ("Mo-Fr 09:00–21:00", "09:00–21:00", "09:00-21:00"),
        ("24:00-26:00", "24:00", "before 24:00"),
        ("Dec 25 off; Mo-Fr 09:00-18:00", "Dec 25 off", "exceptions last"),
        ("Dec 24-26 off; Mo-Fr 09:00-18:00; Sa 10:00-14:00", "Dec 24-26 off", "exceptions last"),
        ("Sa-Su 10:00-14:00; Mo-Sa 09:00-21:00", "Sa-Su 10:00-14:00", "exceptions last"),
        ("09:00-21:00; Dec 24 off; Dec 10:00-12:00", "Dec 24 off", "exceptions last"),
        ("2026 Dec 24 off; Dec 10:00-12:00", "2026 Dec 24 off", "exceptions last"),
        ("Dec 24-2 off", "Dec 24-2", "month of its end"),
        ("Dec,24 off", "24", "Dec 24,26"),
        ("00:00-25:00", "00:00-25:00", "24/7"),
        ("+9:00-21:00", "+9:00", "write it as 09:00"),
        ("23:00-48:00", "48:00", "write it as 09:00"),
        ("december monday 9-18", "december", "did you mean Dec Mo 09:00-18:00?"),
        ("Mo-Fr 9am-6pm, Sa 10am-12pm", "9am", "did you mean Mo-Fr 09:00-18:00; Sa 10:00-12:00?"),
        ("mon,tue 9-18", "mon", "did you mean Mo,Tu 09:00-18:00?"),
        ("9-12,14-18", "9-12,14-18", "did you mean 09:00-12:00,14:00-18:00?"),
        ("weekend 10-14", "weekend", "did you mean Sa-Su 10:00-14:00?"),
        ("Dec 24,Decx 5 off", "Decx", "write a month as"),
        ("20266 Dec 24 off", "20266", "write 2026"),
        ("1899 Dec 24 off", "1899", "write 2026"),
        ("2201 Dec 24 off", "2201", "write 2026"),
    ] {
        let error = text.parse::<Timetable>().expect_err(text);
        assert_eq!(&text[error.at.clone()], at, "{text}: {error}");
        assert!(error.hint.contains(hint), "{text}: {}", error.hint);
    }
}

#[test]
fn what_nobody_can_have_meant_is_not_suggested() {
    for text in ["9:5-21:00", "9am-13pm", "9:60-21:00", "Mo 9-48", "21-9"] {
        let error = text.parse::<Timetable>().expect_err(text);
        assert!(!error.hint.contains("did you mean"), "{text}: {}", error.hint);
    }
}

#[test]
fn what_an_earlier_version_stored_is_read_all_the_same() {
    for text in ["Mo-Fr 09:00-12:00; Mo-Fr 14:00-18:00", "Su off; 09:00-21:00"] {
        assert!(text.parse::<Timetable>().is_err(), "{text}");
        let stored: Timetable = serde_json::from_value(text.into()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(stored.to_string(), text);
    }
}

#[test]
fn what_is_read_is_written_alike() {
    for text in [
        "24/7",
        "09:00-21:00",
        "Mo-Sa 09:00-13:00,14:00-21:00; Su off",
        "Fr-Mo 22:00-26:00",
        "Jun-Aug Mo-Fr 10:00-18:00",
        "24/7; Dec 24-26 off; 2027 Jan 01 off",
        "09:00-21:00; Oct-Mar Sa 10:00-14:00; 2026-2027 Dec 24-Jan 02,Aug 15 off",
        "Mo closed",
        "01:00-25:00",
        "09:00-12:00,12:00-14:00",
        "12:00-14:00,09:00-12:00",
        "09:00-21:00; Dec 24-24,31 off",
        "09:00-21:00; Dec 01,24 off",
        "09:00-21:00; Dec 24-31,Jan 02 off",
        "Mo-Fr 09:00-17:00; Fr-Sa 10:00-14:00",
        "Sa-Su off; Mo-Fr 09:00-17:00; Sa 10:00-12:00",
        "Mo-Fr 09:00-17:00; Jun-Aug 10:00-14:00; Dec 24-26,31 off",
        "Su off; Dec Su 10:00-14:00",
    ] {
        let table: Timetable = text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(table.to_string(), text);
        assert_eq!(serde_json::to_value(table).expect("it is stored"), text);
    }
}
