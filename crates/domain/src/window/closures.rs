//! Days that are closed whatever the hours say.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::holidays::Holidays;

/// Closed days: those that somebody named, and public holidays. They are closed on the clocks that
/// the hours are read on, from midnight to midnight, also to hours that began the evening before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Closures {
    /// Named days.
    #[serde(default)]
    pub days: BTreeSet<Date>,
    /// Public holidays.
    #[serde(default)]
    pub holidays: Vec<Holidays>,
}

impl Closures {
    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty() && self.holidays.is_empty()
    }

    /// Tells whether a day is closed.
    pub fn close(&self, day: Date) -> bool {
        !self.is_empty() && (self.days.contains(&day) || self.holidays.iter().any(|holidays| holidays.close(day)))
    }

    /// Returns why a day is closed; none when it is not.
    pub fn reason(&self, day: Date) -> Option<String> {
        if self.days.contains(&day) {
            return Some(format!("{day} is among the closed days"));
        }
        self.holidays.iter().find_map(|holidays| {
            let name = &holidays.name;
            match holidays.days.get(&day) {
                Some(holiday) => Some(format!("{day} is {holiday} ({name})")),
                None if holidays.is_known(day) => None,
                None => Some(format!(
                    "the holidays of {name} are known for {}-{} only, and {} is none of these years",
                    holidays.first,
                    holidays.last,
                    day.year()
                )),
            }
        })
    }

    /// Returns the first of the holidays whose data ends, and its last year.
    pub fn first_to_end(&self) -> Option<(&str, i32)> {
        self.holidays.iter().map(|holidays| (holidays.name.as_str(), holidays.last)).min_by_key(|(_, last)| *last)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn holidays(name: &str, last: i32) -> Holidays {
        let days = [(date(2026, 12, 25), "Christmas Day".to_owned())].into();
        Holidays { name: name.to_owned(), source: "a test".to_owned(), first: 2026, last, days }
    }

    #[test]
    fn named_days_holidays_and_years_that_nobody_knows_are_closed_for_a_reason() {
        let (founders, christmas, plain) = (date(2026, 11, 23), date(2026, 12, 25), date(2026, 11, 24));
        let named = Closures { days: [founders].into(), holidays: Vec::new() };
        let public = Closures { days: BTreeSet::new(), holidays: vec![holidays("XX", 2027), holidays("YY", 2028)] };
        let both = Closures { days: named.days.clone(), holidays: public.holidays.clone() };
        let founders_day = Some("2026-11-23 is among the closed days".to_owned());
        let christmas_day = Some("2026-12-25 is Christmas Day (XX)".to_owned());
        let unknown = "the holidays of XX are known for 2026-2027 only, and 2028 is none of these years".to_owned();
        let said = [
            (Closures::default(), founders, None),
            (named.clone(), founders, founders_day.clone()),
            (named.clone(), christmas, None),
            (public.clone(), founders, None),
            (public.clone(), christmas, christmas_day.clone()),
            (public.clone(), plain, None),
            (public.clone(), date(2028, 1, 3), Some(unknown)),
            (both.clone(), founders, founders_day),
            (both.clone(), christmas, christmas_day),
            (both.clone(), plain, None),
        ];
        for (closures, day, why) in said {
            assert_eq!(closures.close(day), why.is_some(), "{day}");
            assert_eq!(closures.reason(day), why, "{day}");
        }
        assert_eq!([named, public, both].map(|closures| closures.is_empty()), [false; 3]);
        assert!(Closures::default().is_empty());
    }

    #[test]
    fn the_holidays_that_end_first_are_named() {
        let closures = Closures { days: BTreeSet::new(), holidays: vec![holidays("XX", 2030), holidays("YY", 2028)] };
        assert_eq!(closures.first_to_end(), Some(("YY", 2028)));
        assert_eq!(Closures::default().first_to_end(), None);
    }
}
