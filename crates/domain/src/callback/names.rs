//! Days of the week and months by their English names: whole, or the first three letters.

use jiff::civil::Weekday;

use crate::english::{MONTHS, WEEKDAYS};

fn is(name: &str, word: &str) -> bool {
    word == name || word == &name[..3]
}

/// Returns the day that a lower-case word names.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    (1..).zip(WEEKDAYS).find(|(_, name)| is(name, word)).and_then(|(day, _)| Weekday::from_monday_one_offset(day).ok())
}

/// Returns the month that a lower-case word names, from 1.
pub(super) fn month(word: &str) -> Option<u32> {
    (1..).zip(MONTHS).find(|(_, name)| is(name, word)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_and_their_first_letters_are_known() {
        assert_eq!(
            (weekday("wed"), weekday("wednesday"), weekday("wedn")),
            (Some(Weekday::Wednesday), weekday("wed"), None)
        );
        assert_eq!((month("sep"), month("september"), month("sept"), month("se")), (Some(9), Some(9), None, None));
        assert_eq!((month("dec"), month("may"), weekday("")), (Some(12), Some(5), None));
    }
}
