//! The limits on calls to one phone number, over all campaigns and lanes.

use crate::call::PastCall;
use crate::cap::Cap;
use crate::cool_off::CoolOff;
use crate::{Moment, Outcome, Span, ZoneSet};

/// Caps, cool-offs and the hour to avoid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberLimits {
    /// How many calls in a time.
    pub caps: Vec<Cap>,
    /// How long it is left alone after a call.
    pub cool_off: CoolOff,
    /// A number that did not pick up is not tried in the same hour of the day.
    pub avoid_same_hour: bool,
}

/// The reason that a number is not called, and from when on the rule allows a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitHold {
    /// From when on.
    pub until: Moment,
    /// The key of the campaign file that says so.
    pub rule: &'static str,
    /// What it says, in its own words.
    pub says: String,
}

/// An hour in which nobody picked up is avoided for this long, and no longer: a number whose
/// window is that one hour a day would else never be called again.
const AVOIDED_FOR: Span = Span::from_days(7);

impl NumberLimits {
    /// Returns both limits as one: every cap, the longer cool-offs.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for cap in &other.caps {
            if !self.caps.contains(cap) {
                self.caps.push(*cap);
            }
        }
        let avoid_same_hour = self.avoid_same_hour || other.avoid_same_hour;
        Self { cool_off: self.cool_off.and(other.cool_off), avoid_same_hour, ..self }
    }

    /// Returns how far back calls must be known.
    pub fn memory(&self) -> Span {
        let caps = self.caps.iter().map(|cap| cap.memory()).max().unwrap_or(Span::ZERO);
        let hour = if self.avoid_same_hour { AVOIDED_FOR } else { Span::ZERO };
        caps.max(self.cool_off.memory()).max(hour)
    }

    /// Tells whether the number, whose owner may be in `zones`, may be called at `now`; if not,
    /// returns the rule that holds it longest.
    pub fn allows(&self, earlier: &[PastCall], now: Moment, zones: &ZoneSet) -> Result<(), LimitHold> {
        let sent: Vec<Moment> = earlier.iter().map(|call| call.sent_at).collect();
        let caps = self.caps.iter().filter_map(|cap| {
            let until = cap.allows(&sent, now, zones).err()?;
            Some(LimitHold { until, rule: "per_number", says: format!("{cap}, over all campaigns") })
        });
        let cool_off = self.cool_off.allows(earlier, now).err().map(|(until, rule)| {
            let span = if rule == "after_refusal" { self.cool_off.after_refusal } else { self.cool_off.after_answered };
            LimitHold { until, rule: "cool_off", says: format!("{rule} = {}", span.unwrap_or(Span::ZERO)) }
        });
        let hour = self.avoid_same_hour.then(|| same_hour(earlier, now, zones)).flatten();
        caps.chain(cool_off).chain(hour).max_by_key(|hold| hold.until).map_or(Ok(()), Err)
    }
}

/// Returns the hold of a number that did not pick up lately in this hour of the day. A busy number
/// has none: somebody is there.
fn same_hour(earlier: &[PastCall], now: Moment, zones: &ZoneSet) -> Option<LimitHold> {
    let last = earlier.iter().max_by_key(|call| call.sent_at)?;
    let silent = matches!(last.outcome, Some(Outcome::NoAnswer | Outcome::Voicemail));
    if !silent || now >= last.sent_at + AVOIDED_FOR {
        return None;
    }
    let until = zones
        .zones()
        .iter()
        .filter_map(|zone| {
            let (then, here) = (last.sent_at.clock(*zone), now.clock(*zone));
            if then.hour() != here.hour() {
                return None;
            }
            let into = i64::from(here.minute()) * 60 + i64::from(here.second());
            Some(Moment::from_secs(now.secs()) + Span::from_secs(3600 - into))
        })
        .max()?;
    let says = "nobody picked up in this hour of the day".to_owned();
    Some(LimitHold { until, rule: "avoid_same_hour", says })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    #[test]
    fn the_hour_in_which_nobody_picked_up_is_avoided_for_a_week() {
        let limits = NumberLimits { avoid_same_hour: true, ..NumberLimits::default() };
        let zones: ZoneSet = "Asia/Kolkata".parse().expect("zones");
        let sent_at = moment("2026-11-20T04:50:00Z"); // 10:20 IST
        let call = |outcome| [PastCall { sent_at, ended_at: Some(sent_at), outcome: Some(outcome), refused: false }];
        let ask = |outcome, at: &str| limits.allows(&call(outcome), moment(at), &zones).map_err(|hold| hold.until);
        assert_eq!(ask(Outcome::NoAnswer, "2026-11-21T04:31:15Z"), Err(moment("2026-11-21T05:30:00Z")), "10:01 IST");
        assert_eq!(ask(Outcome::NoAnswer, "2026-11-21T04:29:59Z"), Ok(()), "09:59 IST");
        assert_eq!(ask(Outcome::NoAnswer, "2026-11-21T05:30:00Z"), Ok(()), "11:00 IST");
        assert_eq!(ask(Outcome::Busy, "2026-11-21T04:31:15Z"), Ok(()), "somebody is there");
        assert_eq!(ask(Outcome::NoAnswer, "2026-11-27T04:50:00Z"), Ok(()), "a week later");
    }

    #[test]
    fn together_every_cap_and_the_longer_cool_offs_hold() {
        let limits = |cap: &str, answered: i64, avoid_same_hour| NumberLimits {
            caps: vec![cap.parse().expect("a cap")],
            cool_off: CoolOff { after_answered: Some(Span::from_days(answered)), after_refusal: None },
            avoid_same_hour,
        };
        let both = limits("3/day", 1, true).and(&limits("7/7d", 7, false)).and(&limits("3/day", 2, false));
        assert_eq!(both.caps, ["3/day", "7/7d"].map(|cap| cap.parse().expect("a cap")));
        assert!(limits("3/day", 1, false).and(&limits("3/day", 1, true)).avoid_same_hour);
        assert_eq!((both.cool_off.after_answered, both.avoid_same_hour), (Some(Span::from_days(7)), true));
    }

    #[test]
    fn a_cool_off_says_which_one_it_is_and_how_long() {
        let cool_off = CoolOff { after_answered: Some(Span::from_days(3)), after_refusal: Some(Span::from_days(60)) };
        let limits = NumberLimits { cool_off, ..NumberLimits::default() };
        let sent_at = moment("2026-11-20T10:00:00Z");
        let says = |outcome, refused| {
            let call = PastCall { sent_at, ended_at: Some(sent_at), outcome: Some(outcome), refused };
            let zones: ZoneSet = "UTC".parse().expect("zones");
            limits.allows(&[call], moment("2026-11-20T12:00:00Z"), &zones).expect_err("held").says
        };
        assert_eq!(says(Outcome::Answered, false), "after_answered = 3d");
        assert_eq!(says(Outcome::Rejected, true), "after_refusal = 60d");
    }

    #[test]
    fn of_all_rules_the_one_that_holds_longest_is_named() {
        let limits = NumberLimits {
            caps: vec!["1/day".parse().expect("a cap"), "1/7d".parse().expect("a cap")],
            cool_off: CoolOff { after_answered: Some(Span::from_days(3)), after_refusal: None },
            avoid_same_hour: false,
        };
        let zones: ZoneSet = "UTC".parse().expect("zones");
        let sent_at = moment("2026-11-20T10:00:00Z");
        let call = PastCall { sent_at, ended_at: Some(sent_at), outcome: Some(Outcome::Answered), refused: false };
        let hold = limits.allows(&[call], moment("2026-11-20T12:00:00Z"), &zones).expect_err("held");
        assert_eq!((hold.until, hold.rule), (moment("2026-11-27T10:00:00Z"), "per_number"));
        assert!(hold.says.contains("1/7d"), "{}", hold.says);
        assert_eq!(limits.memory(), Span::from_days(7));
    }
}
