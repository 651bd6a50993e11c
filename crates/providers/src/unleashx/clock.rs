//! The clock of the list's times, which name no zone. The operator names it; else rows show it
//! that can be of one call only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jiff::civil::DateTime;
use ringfence_domain::zone::ClockTimes;
use ringfence_domain::{Moment, Span, Zone, date};

/// How long before our time of the claim a row may be made. A row is made when the request
/// arrives; the rest is the difference of the clocks.
const BEFORE: Span = Span::from_minutes(1);
/// How long after our time of the claim a row may be made.
const AFTER: Span = Span::from_minutes(2);
/// The most by which clocks of the world differ from UTC.
const ANY_ZONE: Span = Span::from_hours(14);
/// Clocks of the world differ from each other by multiples of this. In seconds.
const STEP: i64 = 900;
/// The number of calls whose rows must agree before they are believed.
const VOTES: usize = 3;

/// What is known of the list's clock.
#[derive(Debug)]
pub(super) struct ListClock {
    zone: Option<Zone>,
    /// Offsets from UTC, in seconds, that rows have shown, each with the calls of these rows: at
    /// most [`VOTES`] of them.
    shown: Mutex<BTreeMap<i64, BTreeSet<String>>>,
}

impl ListClock {
    /// Begins with the operator's zone, if there is one.
    pub(super) fn new(zone: Option<Zone>) -> Self {
        Self { zone, shown: Mutex::default() }
    }

    /// Notes the time, on the list's clock, of a row that certainly is this call. `sent_at` is
    /// the call's own moment.
    pub(super) fn learn(&self, reference: &str, local: DateTime, sent_at: Moment) {
        let apart = date::as_utc(local) - sent_at.secs();
        let offset = (apart + STEP / 2).div_euclid(STEP) * STEP;
        if self.zone.is_some()
            || (apart - offset).abs() > AFTER.millis() / 1000
            || offset.abs() > ANY_ZONE.millis() / 1000
        {
            return;
        }
        let mut shown = self.shown.lock().expect("never held over a panic");
        let votes = shown.entry(offset).or_default();
        let new = votes.len() < VOTES && votes.insert(reference.to_owned());
        if new && votes.len() == VOTES && shown.len() == 1 {
            tracing::info!(
                "the times of UnleashX's list are {:+} min from UTC; created_at_timezone in the lane's section says so at once",
                offset / 60
            );
        }
    }

    /// Returns the offset that rows have shown. None while not enough of them have agreed, or when
    /// they disagree.
    fn learned(&self) -> Option<i64> {
        let shown = self.shown.lock().expect("never held over a panic");
        let (offset, votes) = shown.first_key_value()?;
        (shown.len() == 1 && votes.len() >= VOTES).then_some(*offset)
    }

    /// Tells whether the list's time of day is known.
    pub(super) fn is_known(&self) -> bool {
        self.zone.is_some() || self.learned().is_some()
    }

    /// Returns the moment of a time of the list; none while its zone is not known.
    pub(super) fn moment(&self, local: DateTime) -> Option<Moment> {
        match self.zone {
            Some(zone) => match zone.reading(local) {
                ClockTimes::Once(at) | ClockTimes::Twice(at, _) => Some(at),
                ClockTimes::Never { .. } => None,
            },
            None => self.learned().map(|offset| Moment::from_secs(date::as_utc(local) - offset)),
        }
    }

    /// Tells whether a row of this time may have been made by a request of this moment. While the
    /// zone is not known every reading is possible.
    pub(super) fn may_be_of(&self, local: DateTime, sent_at: Moment) -> bool {
        let (earliest, latest) = (sent_at - BEFORE, sent_at + AFTER);
        let as_utc = Moment::from_secs(date::as_utc(local));
        if let Some(zone) = self.zone {
            // An hour that clocks go through twice may be either.
            return match zone.reading(local) {
                ClockTimes::Once(at) => (earliest..=latest).contains(&at),
                ClockTimes::Twice(first, second) => second >= earliest && first <= latest,
                ClockTimes::Never { .. } => false,
            };
        }
        match self.learned() {
            Some(offset) => (earliest..=latest).contains(&Moment::from_secs(as_utc.secs() - offset)),
            None => as_utc >= earliest - ANY_ZONE && as_utc <= latest + ANY_ZONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> DateTime {
        DateTime::strptime("%Y-%m-%d %H:%M:%S", text).expect("a time")
    }

    #[test]
    fn the_zone_is_learned_from_rows_that_agree_and_forgotten_when_they_do_not() {
        let clock = ListClock::new(None);
        let sent = |minutes: i64| Moment::from_secs(1_795_156_200 + minutes * 60);
        let row = |minutes: i64, zone: i64| (sent(minutes) + Span::from_secs(zone * 60 + 2)).clock(Zone::utc());
        for n in 0..3 {
            assert!(!clock.is_known());
            assert!(clock.may_be_of(row(n, 330), sent(n)) && clock.may_be_of(row(n, 0), sent(n)), "either is possible");
            clock.learn(&format!("call-{n}"), row(n, 330), sent(n));
            clock.learn(&format!("call-{n}"), row(n, 330), sent(n));
        }
        assert!(clock.is_known());
        assert!(clock.may_be_of(row(60, 330), sent(60)));
        assert!(!clock.may_be_of(row(60, 0), sent(60)), "another call, five hours and a half ago");
        clock.learn("another", row(61, 0), sent(61));
        assert!(!clock.is_known(), "now they disagree");
    }

    #[test]
    fn a_time_that_no_zone_explains_teaches_nothing() {
        let clock = ListClock::new(None);
        for n in 0..5 {
            clock.learn(
                &format!("call-{n}"),
                local("2026-11-20 06:37:00"),
                "2026-11-20T06:30:00Z".parse().expect("a moment"),
            );
        }
        assert!(!clock.is_known());
    }

    #[test]
    fn an_hour_that_is_repeated_may_be_either() {
        let clock = ListClock::new(Some("America/New_York".parse().expect("a zone")));
        for at in ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"] {
            assert!(clock.may_be_of(local("2026-11-01 01:30:02"), at.parse().expect("a moment")), "{at}");
        }
        let gap = "2026-03-08T07:30:00Z".parse().expect("a moment");
        assert!(!clock.may_be_of(local("2026-03-08 02:30:02"), gap), "that hour did not exist");
    }
}
