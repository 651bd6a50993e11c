//! The fields of a cron line, so that a mistake is told in their words.

/// A field: its name, its least and its largest number, and the names that it takes instead.
struct Field {
    name: &'static str,
    from: u32,
    to: u32,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 5] = [
    Field { name: "a minute", from: 0, to: 59, names: &[] },
    Field { name: "an hour", from: 0, to: 23, names: &[] },
    Field { name: "a day of the month", from: 1, to: 31, names: &[] },
    Field { name: "a month", from: 1, to: 12, names: MONTHS },
    Field { name: "a day of the week", from: 0, to: 7, names: WEEKDAYS },
];

/// Tells what is wrong with the fields of a line, if that can be told word by word.
pub(crate) fn fault(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let fields = if fields.len() == 1 { "1 field".to_owned() } else { format!("{} fields", fields.len()) };
        return Some(format!("it has {fields} in place of five"));
    }
    fields.iter().zip(&FIELDS).find_map(|(text, field)| field.fault(text))
}

impl Field {
    fn fault(&self, text: &str) -> Option<String> {
        // What follows a slash is a step and no moment.
        text.split(',').filter_map(|part| part.split('/').next()).flat_map(|part| part.split(['-', '#'])).find_map(
            |word| {
                // `L`, `5L` and `15W` are the last or the nearest such day.
                let bare = word.trim_end_matches(['L', 'W', 'l', 'w']);
                let is_fine = match bare.parse::<u32>() {
                    Ok(number) => (self.from..=self.to).contains(&number),
                    // `L` alone is the last day; nothing at all, as before the comma of `,9`, is no day.
                    Err(_) if bare.is_empty() => !word.is_empty(),
                    Err(_) => {
                        matches!(bare, "*" | "?") || self.names.iter().any(|name| name.eq_ignore_ascii_case(word))
                    }
                };
                (!is_fine).then(|| self.refuses(word))
            },
        )
    }

    fn refuses(&self, word: &str) -> String {
        match word {
            "" => format!("{} is missing beside a comma, a dash or a slash: {}", self.name, self.takes()),
            _ => format!("`{word}` is not {}: {}", self.name, self.takes()),
        }
    }

    fn takes(&self) -> String {
        let numbers = format!("{} to {}", self.from, self.to);
        if self.names.is_empty() { numbers } else { format!("{}, or {numbers}", self.names.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_is_named_with_what_its_field_takes() {
        for (line, says) in [
            ("0 9 * * MON-FRY", "`FRY` is not a day of the week: SUN, MON"),
            ("0 25 * * *", "`25` is not an hour: 0 to 23"),
            ("60 9 * * *", "`60` is not a minute: 0 to 59"),
            ("0 9 0 * *", "`0` is not a day of the month: 1 to 31"),
            ("0 9 * 13 *", "`13` is not a month: JAN"),
            (", 9 * * MON-FRI", "a minute is missing beside a comma, a dash or a slash: 0 to 59"),
            ("0 9- * * *", "an hour is missing"),
            ("9 o'clock", "it has 2 fields in place of five"),
        ] {
            let told = fault(line).unwrap_or_else(|| panic!("{line}"));
            assert!(told.contains(says), "{line}: {told}");
        }
        for line in ["0 9 * * MON-FRI", "*/15 9-17 L * ?", "0 9 15W JAN,jul 5L", "0 9 * * 7", "0 9 * * MON#2"] {
            assert_eq!(fault(line), None, "{line}");
        }
    }
}
