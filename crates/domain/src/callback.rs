//! The moment at which a callee asked to be called back, in the words that an agent wrote down:
//! `Tomorrow 11am`.
//!
//! The grammar is small and strict. Words that are not certain are not guessed: "at 5" is five in
//! the morning or in the evening, and 04/05 is April or May. Then the campaign's default delay is
//! used, and shown; but a callee who spoke of a later day is not called on the same one
//! (`later_day`).

mod later_day;
mod names;
mod reading;
mod time_of_day;
mod tokens;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::{Moment, Span, ZoneSet};

pub use reading::parse;

/// The `[callback]` of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The output that holds the time.
    pub from: String,
    /// The outputs that make it count; without them, every text that is understood as a time
    /// counts.
    pub when: Option<Condition>,
    /// The delay when the time is missing or not understood, unless the words name a later day.
    pub otherwise: Span,
}

/// A callback that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The callee's words.
    pub words: String,
    /// The earliest moment of the call.
    pub at: Moment,
    /// Whether the words were understood.
    pub understood: bool,
}

impl Callback {
    /// Returns the callback that the outputs of a call ask for. The call was over at `ended`, with
    /// a callee who may be in `zones`. In several zones the latest reading counts: nobody is called
    /// earlier than they asked for.
    pub fn asked(
        &self,
        outputs: &std::collections::BTreeMap<String, serde_json::Value>,
        ended: Moment,
        zones: &ZoneSet,
    ) -> Option<Asked> {
        let words = outputs.get(&self.from).map(crate::heard::text).unwrap_or_default().trim().to_owned();
        if self.when.as_ref().is_some_and(|when| !when.holds(outputs)) {
            return None;
        }
        let readings: Option<Vec<Moment>> = zones.zones().iter().map(|zone| parse(&words, ended, *zone)).collect();
        let at = readings.and_then(|readings| readings.into_iter().max());
        let earliest = zones.zones().iter().filter_map(|zone| later_day::earliest(&words, ended, *zone)).max();
        let otherwise = (ended + self.otherwise).max(earliest.unwrap_or(ended));
        // Agents fill what nobody asked for with "none" and "N/A": only a condition makes words
        // that are not understood a wish.
        if self.when.is_none() && at.is_none() {
            return None;
        }
        Some(Asked { words, at: at.unwrap_or(otherwise), understood: at.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Zone;

    #[test]
    fn in_several_zones_nobody_is_called_before_they_asked_to_be() {
        let rule = |when| Callback { from: "time".to_owned(), when, otherwise: Span::from_hours(2) };
        let wants = Condition([("wants".to_owned(), vec!["yes".to_owned()])].into());
        let now: Moment = "2026-11-20T09:30:00Z".parse().expect("a moment");
        let zones: ZoneSet = "Australia/Perth|Australia/Sydney".parse().expect("zones");
        let read = |when: Option<&Condition>, words: &str| {
            let outputs = [("time".to_owned(), words.into()), ("wants".to_owned(), "yes".into())].into();
            rule(when.cloned()).asked(&outputs, now, &zones).map(|asked| (asked.at.to_string(), asked.understood))
        };
        let asked = |words: &str| read(None, words);
        assert_eq!(asked("tomorrow 11am"), Some(("2026-11-21T03:00:00Z".to_owned(), true)), "11:00 in Perth");
        assert_eq!(read(Some(&wants), "some time"), Some(("2026-11-20T11:30:00Z".to_owned(), false)));
        assert_eq!(read(Some(&wants), ""), Some(("2026-11-20T11:30:00Z".to_owned(), false)));
        assert_eq!(asked(" "), None);
        assert_eq!(asked("N/A"), None, "nobody asked");
    }

    /// Returns the moment of a wish in these words, said at `now` by somebody in `zone`.
    fn asked(words: &str, now: Moment, zone: Zone) -> Option<Asked> {
        let yes = Condition([("wants".to_owned(), vec!["yes".to_owned()])].into());
        let rule = Callback { from: "time".to_owned(), when: Some(yes), otherwise: Span::from_minutes(10) };
        let outputs = [("time".to_owned(), words.into()), ("wants".to_owned(), "yes".into())].into();
        rule.asked(&outputs, now, &ZoneSet::one(zone))
    }

    #[test]
    fn whoever_names_a_later_day_is_not_called_on_the_same_one() {
        let days = [
            "tomorrow",
            "Tommorow",
            "tomm",
            "tmrw",
            "day after tomorrow",
            "Monday",
            "on tuesday",
            "Weds",
            "next week",
            "next month",
            "the coming weekend",
            "in two days",
            "after 3 days",
            "in a couple of days",
            "in a few days",
            "some other day",
            "another day",
            "next day",
            "26/11/2027",
            "27/1",
            "26.11.2027",
            "2027-11-26",
            "the 31st",
            "31st of December",
            "Dec 31",
            "New Year, 1 January",
            "kal",
            "parso",
            "agle hafte",
            "mañana",
            "demain",
            "कल",
            "明天",
            "after Diwali",
            "after the holidays",
            "not today",
            "Monday week",
            "tomorrow or Monday",
            "today or tomorrow",
            "end of the month",
            "no, tomorrow",
            "not tomorrow",
            "2moro",
            "at the weekend",
            "in the new year",
            "next time",
            "a week from now",
            "in 100 days",
        ];
        let times = [
            "",
            " 11 am IST",
            " morning at 10:30 AM.",
            " between 10 and 11 am",
            " at 5",
            " 17:30 hrs",
            " 11am?",
            " around 10ish",
            " 11 am EST",
            " - he said 11 o'clock",
            " 11:00 GMT+5:30",
            " evening, after work",
        ];
        for zone in ["Asia/Kolkata", "America/New_York", "Pacific/Auckland"] {
            let zone: Zone = zone.parse().expect("a zone");
            let start: Moment = "2026-11-20T00:00:00Z".parse().expect("a moment");
            for now in (0..8).map(|step| start + Span::from_hours(3 * step)) {
                let today = now.date(zone);
                for words in days.iter().flat_map(|day| times.iter().map(move |time| format!("{day}{time}"))) {
                    let at = asked(&words, now, zone).expect("they asked").at.local(zone);
                    assert!(at.date() > today, "{words}, said at {}: called at {at}", now.local(zone));
                }
            }
        }
    }

    #[test]
    fn the_day_that_is_named_is_waited_for_even_when_its_time_is_not_understood() {
        let zone: Zone = "Asia/Kolkata".parse().expect("a zone");
        // Friday, 15:00.
        let now: Moment = "2026-11-20T09:30:00Z".parse().expect("a moment");
        for (words, means) in [
            ("tomorrow at 5", "Sat 21 Nov 09:00"),
            ("day after tomorrow at 5", "Sun 22 Nov 09:00"),
            ("not tomorrow", "Sun 22 Nov 09:00"),
            ("Tuesday at 5ish", "Tue 24 Nov 09:00"),
            ("next week maybe", "Mon 23 Nov 09:00"),
            ("next month", "Tue 01 Dec 09:00"),
            ("in two weeks or so", "Fri 04 Dec 09:00"),
            ("on the 25th at 5", "Wed 25 Nov 09:00"),
            ("26/11 at 5", "Thu 26 Nov 09:00"),
            ("10/12/2026", "Thu 10 Dec 09:00"),
            ("in the morning, maybe", "Sat 21 Nov 09:00"),
            ("tomorrow or Monday", "Sat 21 Nov 09:00"),
        ] {
            let asked = asked(words, now, zone).expect("they asked");
            assert_eq!(asked.at.local(zone).strftime("%a %d %b %H:%M").to_string(), means, "{words}");
            assert!(!asked.understood, "{words}");
        }
    }

    #[test]
    fn words_that_name_no_other_day_lead_to_the_delay() {
        let zone: Zone = "Asia/Kolkata".parse().expect("a zone");
        let now: Moment = "2026-11-20T09:30:00Z".parse().expect("a moment");
        for words in [
            "",
            "later",
            "soon",
            "in a while",
            "busy now",
            "after lunch",
            "after work",
            "after 5",
            "by 5pm",
            "at 11",
            "later today",
            "when I am free",
            "this evening, around 6ish",
            "in the next few hours",
            "in the next 2 hours",
            "20/11/2026 at 6ish",
            "mid day",
            "no idea",
            "10-11",
            "10.30 or so",
            "may be later",
        ] {
            let asked = asked(words, now, zone).expect("they asked");
            assert_eq!(asked.at, now + Span::from_minutes(10), "{words}");
        }
    }
}
