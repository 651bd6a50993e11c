//! Caps: how many calls one phone number may get, over all campaigns.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quantity::QuantityError;
use crate::{Moment, Span, ZoneSet};

/// `"3/day"` counts the callee's own calendar day; `"3/24h"` and `"7/7d"` count any stretch of
/// that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cap {
    count: u32,
    period: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    CalendarDay,
    Rolling(Span),
}

impl Cap {
    /// Makes a cap of `count` calls in a calendar day of the callee; `count` must not be zero.
    pub const fn per_day(count: u32) -> Self {
        assert!(count > 0, "a cap of zero");
        Self { count, period: Period::CalendarDay }
    }

    /// Returns how far back calls must be known to judge this cap. A calendar day lasts up to 25
    /// hours, and zones differ.
    pub fn memory(self) -> Span {
        match self.period {
            Period::CalendarDay => Span::from_hours(51),
            Period::Rolling(span) => span,
        }
    }

    /// Tells whether one more call at `now` is within the cap, given the moments of the earlier
    /// ones; if not, returns from when it is. In several zones the strictest day counts.
    pub fn allows(self, earlier: &[Moment], now: Moment, zones: &ZoneSet) -> Result<(), Moment> {
        match self.period {
            Period::Rolling(span) => self.within(earlier, now - span, |oldest| oldest + span),
            Period::CalendarDay => zones.zones().iter().try_fold((), |(), zone| {
                let today = now.date(*zone);
                let tomorrow = today.tomorrow().map_or(Moment::NEVER, |date| zone.midnight(date));
                self.within(earlier, zone.midnight(today) - Span::from_millis(1), |_| tomorrow)
            }),
        }
    }

    /// Counts the calls after `since`; when they are too many, `free` tells when the one that must
    /// drop out does.
    fn within(self, earlier: &[Moment], since: Moment, free: impl Fn(Moment) -> Moment) -> Result<(), Moment> {
        let mut counted: Vec<Moment> = earlier.iter().copied().filter(|at| *at > since).collect();
        counted.sort_unstable_by(|a, b| b.cmp(a));
        match counted.get(self.count as usize - 1) {
            Some(blocking) => Err(free(*blocking)),
            None => Ok(()),
        }
    }
}

impl FromStr for Cap {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HINT: &str = "write a number, a slash and a period: 3/day, 3/24h, 7/7d";
        let fault = |message: String| QuantityError { message, hint: HINT };
        let (count, period) =
            text.split_once('/').ok_or_else(|| fault(format!("`{text}` is not a cap: the slash is missing")))?;
        let count: u32 = count.trim().parse().map_err(|_| fault(format!("`{count}` is not a number")))?;
        if count == 0 {
            return Err(fault("a cap of zero would never dial".to_owned()));
        }
        let period = match period.trim() {
            "day" => Period::CalendarDay,
            span => match span.parse::<Span>() {
                Ok(span) if span >= Span::from_minutes(1) => Period::Rolling(span),
                _ => return Err(fault(format!("`{span}` is not a period"))),
            },
        };
        Ok(Self { count, period })
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period {
            Period::CalendarDay => write!(f, "{}/day", self.count),
            // A day of 24 hours, which `3/day` is not.
            Period::Rolling(span) if span == Span::from_days(1) => write!(f, "{}/24h", self.count),
            Period::Rolling(span) => write!(f, "{}/{span}", self.count),
        }
    }
}

impl TryFrom<String> for Cap {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cap> for String {
    fn from(cap: Cap) -> Self {
        cap.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kolkata() -> ZoneSet {
        ZoneSet::one("Asia/Kolkata".parse().expect("a zone"))
    }

    #[test]
    fn a_calendar_day_is_the_callees() {
        let cap: Cap = "1/day".parse().expect("a cap");
        let called: Moment = "2026-11-20T15:00:00Z".parse().expect("a moment"); // 20:30 IST
        let midnight: Moment = "2026-11-20T18:30:00Z".parse().expect("a moment");
        assert_eq!(cap.allows(&[called], called + Span::from_hours(2), &kolkata()), Err(midnight));
        assert_eq!(cap.allows(&[called], midnight, &kolkata()), Ok(()));
    }

    #[test]
    fn a_cap_is_written_as_it_is_read() {
        for text in ["3/day", "3/24h", "7/7d", "1/1m", "2/36h"] {
            assert_eq!(text.parse::<Cap>().map(String::from), Ok(text.to_owned()));
        }
        assert!("3/59s".parse::<Cap>().is_err(), "shorter than a minute");
    }

    proptest! {
        /// Whatever the history, calls made only when allowed never exceed the cap in any sliding
        /// window, and the moment that a refusal names is the first at which the next call is
        /// allowed.
        #[test]
        fn rolling_caps_hold_in_every_window(
            count in 1_u32..5, hours in 1_i64..72, gaps in prop::collection::vec(1_i64..30_000, 1..60),
        ) {
            let cap: Cap = format!("{count}/{hours}h").parse().expect("a cap");
            let span = Span::from_hours(hours);
            let (mut made, mut now) = (Vec::new(), Moment::from_secs(1_700_000_000));
            for gap in gaps {
                now = now + Span::from_secs(gap);
                match cap.allows(&made, now, &kolkata()) {
                    Ok(()) => made.push(now),
                    Err(free) => {
                        prop_assert!(free > now);
                        prop_assert_eq!(cap.allows(&made, free, &kolkata()), Ok(()));
                        prop_assert!(cap.allows(&made, free - Span::from_millis(1), &kolkata()).is_err());
                    }
                }
            }
            for (first, start) in made.iter().enumerate() {
                let inside = made[first..].iter().filter(|at| at.since(*start) < span).count();
                prop_assert!(inside <= count as usize);
            }
        }
    }
}
