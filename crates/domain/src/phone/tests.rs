//! How numbers are read, which are one, and which are refused.

use super::*;

fn india() -> Option<Country> {
    Some("IN".parse().expect("a country"))
}

#[test]
fn people_write_numbers_in_many_ways() {
    for text in [
        "9876543210",
        "'9876543210",
        "919876543210.0",
        "\u{a0}98765\u{a0}43210",
        "098765 43210",
        "+91 98765-43210",
        "0091 98765 43210",
        "(+91) 9876543210",
    ] {
        let number = PhoneNumber::parse(text, india()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(number.e164(), "+919876543210", "{text}");
    }
}

#[test]
fn what_cannot_be_called_is_refused_with_its_reason() {
    assert_eq!(PhoneNumber::parse("", india()), Err(PhoneError::Empty));
    assert_eq!(PhoneNumber::parse("9876543210", None), Err(PhoneError::NoCountry));
    assert_eq!(PhoneNumber::parse("call me", india()), Err(PhoneError::Letters));
    assert_eq!(PhoneNumber::parse("12345", india()), Err(PhoneError::Invalid));
    assert_eq!(PhoneNumber::parse("+44 7700 900123", None), Err(PhoneError::Invalid));
    // Germany's plan has them, E.164 ends at 15 digits.
    assert_eq!(PhoneNumber::parse("+49 8272 56379423782", None), Err(PhoneError::Invalid));
    assert!(PhoneNumber::parse("+49 8272 563794237", None).is_ok());
    for text in ["9.19877E+11", "9,19877E+11", "9.19877e11", "9E+11"] {
        assert_eq!(PhoneNumber::parse(text, india()), Err(PhoneError::Shortened(text.to_owned())));
    }
}

#[test]
fn marks_that_nobody_sees_and_digits_of_other_scripts_are_read() {
    for text in [
        "\u{202a}+91 98765 43210\u{202c}",
        "\u{feff}+919876543210",
        "\u{200e}+91\u{200b}98765\u{ad}43210\u{2060}",
        "＋９１ ９８７６５ ４３２１０",
        "+९१ ९८७६५ ४३२१०",
        "+٩١٩٨٧٦٥٤٣٢١٠",
        "tel:+91-98765-43210",
        "=\"+919876543210\"",
        "(+91) 98765–43210",
    ] {
        let number = PhoneNumber::parse(text, None).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(number.e164(), "+919876543210", "{text}");
    }
    let london = PhoneNumber::parse("+44 (0)20 7946 0018", None).expect("a number");
    assert_eq!(london.e164(), "+442079460018");
}

#[test]
fn a_number_below_zero_is_refused_whatever_its_sign_looks_like() {
    let signs =
        "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{fe63}\u{ff0d}\u{fe58}\u{2796}\u{207b}\u{2d7}~";
    for sign in signs.chars() {
        for text in [
            format!("{sign}9876543119"),
            format!("'{sign} 9876543119"),
            format!("\u{200e}{sign}9876543119"),
            format!("9876543119{sign}"),
            format!("({sign}9876543119)"),
            format!("+{sign}919876543119"),
        ] {
            assert_eq!(PhoneNumber::parse(&text, india()), Err(PhoneError::Negative), "{text}");
        }
        assert!(PhoneNumber::parse(&format!("98765{sign}43119"), india()).is_ok(), "{sign} between digits");
    }
    assert_eq!(PhoneNumber::parse("(9876543119)", india()), Err(PhoneError::Negative), "as accountants write it");
    assert_eq!(PhoneNumber::parse("-1.0E+10", india()).map_err(|error| error.code()), Err("negative"));
}

#[test]
fn letters_are_no_digits_and_extensions_are_named() {
    for text in ["98200-ABCDE", "1800-FLOWERS", "9876543210 (mobile)", "O9876543210", "98765x43210y", "9876543210x"] {
        assert_eq!(PhoneNumber::parse(text, india()), Err(PhoneError::Letters), "{text}");
    }
    for (text, extension) in [
        ("9876543241 x5", "5"),
        ("9876543242 ext. 12", "12"),
        ("9876543242 Extension: 12", "12"),
        ("9876543242#12", "12"),
        ("9876543242,12", "12"),
        ("9876543242,,12#", "12"),
        ("tel:+91-9876543242;ext=12", "12"),
        ("9876543242；12", "12"),
        ("9876543242ｘ12", "12"),
        ("9876543242 poste 7", "7"),
    ] {
        assert_eq!(PhoneNumber::parse(text, india()), Err(PhoneError::Extension(extension.to_owned())), "{text}");
    }
    for text in [
        "9876543210/9876543211",
        "9876543210, 9876543211",
        "98765+43210",
        "*21#9876543210",
        "9876543210.5",
        "①876543210",
    ] {
        assert!(PhoneNumber::parse(text, india()).is_err(), "{text}");
    }
    let us = Some("US".parse().expect("a country"));
    assert_eq!(PhoneNumber::parse("212555234.5", us), Err(PhoneError::Unreadable), "an amount");
}

#[test]
fn old_and_new_forms_of_mexico_and_argentina_are_one_number() {
    let parse = |text: &str| PhoneNumber::parse(text, None).unwrap_or_else(|error| panic!("{text}: {error}"));
    let hasher = NumberHasher::new([1; 16]);
    for (one, other) in [("+52 1 55 1234 5678", "+52 55 1234 5678"), ("+54 9 11 2345 6789", "+54 11 2345 6789")] {
        let (one, other) = (parse(one), parse(other));
        assert_eq!(one, other);
        assert_eq!(hasher.key(&one), hasher.key(&other));
        let stored = PhoneNumber::from_e164(one.e164()).expect("E.164");
        assert_eq!(hasher.key(&stored), hasher.key(&one));
    }
    let mexico = Some("MX".parse().expect("a country"));
    for text in ["1 55 1234 5678", "044 55 1234 5678", "55 1234 5678", "00 52 1 55 1234 5678"] {
        assert_eq!(PhoneNumber::parse(text, mexico).expect(text).e164(), "+525512345678");
    }
    assert_eq!(parse("+52 1 55 1234 5678").e164(), "+525512345678", "networks refuse the 1");
    assert_eq!(PhoneNumber::from_e164("+5215512345678").expect("E.164").e164(), "+525512345678");
    assert_eq!(parse("+54 9 11 2345 6789").e164(), "+5491123456789", "a mobile is called with its 9");
}

#[test]
fn numbers_that_cost_more_or_reach_no_person_are_told_by_their_kind() {
    for (text, kind) in [
        ("+1 900 234 5678", Some(NumberKind::Premium)),
        ("+44 909 879 0123", Some(NumberKind::Premium)),
        ("+979 123 456 789", Some(NumberKind::Premium)),
        ("+44 845 678 9012", Some(NumberKind::Premium)),
        ("+808 1234 5678", Some(NumberKind::SharedCost)),
        ("+881 612 345 678", Some(NumberKind::Satellite)),
        ("+870 773 111 632", Some(NumberKind::Satellite)),
        ("+882 16 5555 1234", Some(NumberKind::Satellite)),
        ("+44 70 1234 5678", Some(NumberKind::Personal)),
        ("+1 500 234 5678", Some(NumberKind::Personal)),
        ("+44 333 234 5678", Some(NumberKind::CompanyWide)),
        ("+44 7640 123456", Some(NumberKind::Pager)),
        ("+1 800 234 5678", None),
        ("+91 1800 123 4567", None),
        ("+800 1234 5678", None),
        ("+44 56 1234 5678", None),
        ("+91 98765 43210", None),
        ("+1 212 555 2600", None),
    ] {
        let planned = PlannedNumber::parse(text, None).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(planned.kind, kind, "{text}");
    }
    let country = |text: &str| PlannedNumber::parse(text, None).expect(text).country.map(String::from);
    assert_eq!(country("+1 212 555 2600").as_deref(), Some("US"));
    assert_eq!(country("+1 416 555 2600").as_deref(), Some("CA"));
    assert_eq!(country("+881 612 345 678"), None);
}

#[test]
fn a_number_does_not_print_whole() {
    let number = PhoneNumber::parse("9876543210", india()).expect("a number");
    assert_eq!(format!("{number} {number:?}"), "+91******3210 +91******3210");
    assert_eq!(number.national().as_deref(), Some("9876543210"));
    assert_eq!(number.country_code(), Some(91));
}

#[test]
fn numbers_in_other_texts_are_masked() {
    let masked = mask_numbers("HTTP 400: +919876543210 and 9876543210 are wrong");
    assert_eq!(masked, "HTTP 400: +********3210 and ******3210 are wrong");
}

#[test]
fn keys_depend_on_the_installation() {
    let number = PhoneNumber::from_e164("+919876543210").expect("a number");
    assert_eq!(NumberHasher::new([1; 16]).key(&number), NumberHasher::new([1; 16]).key(&number));
    assert_ne!(NumberHasher::new([1; 16]).key(&number), NumberHasher::new([2; 16]).key(&number));
}
