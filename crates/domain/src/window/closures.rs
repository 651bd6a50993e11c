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
