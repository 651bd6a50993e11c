//! How many calls a lane made in a time.

use std::collections::BTreeMap;

use jiff::civil::Date;
use ringfence_domain::{LaneId, Moment, Span};

use super::tape::VendorTape;
use super::{Broken, Law, Verified};

/// Requests leave in time and arrive a little unevenly: a window is taken to be shorter by this.
const ON_THE_WAY: Span = Span::from_millis(200);

/// The limit of a day.
pub(super) fn of_days(law: &Law<'_>, days: &BTreeMap<(LaneId, Date), u32>, found: &mut Verified) {
    for ((lane, day), calls) in days {
        let Some(settings) = law.lanes.get(lane).map(|lane| &lane.settings) else { continue };
        if let Some(most) = settings.limits.per_day.filter(|most| calls > most) {
            found.add(Broken::OverLimit, u64::from(calls - most), || {
                format!("lane {}: {calls} calls on {day}, and {most} a day are allowed", settings.name)
            });
        }
    }
}

/// The limit of new calls in every sliding window, by the moments at which they arrived.
pub(super) fn of_tape(law: &Law<'_>, tape: &VendorTape, found: &mut Verified) {
    for (lane, arrivals) in tape.arrivals() {
        let Some(settings) = law.lanes.get(&lane).map(|lane| &lane.settings) else { continue };
        let rate = settings.limits.calls;
        let window = Span::from_millis(rate.per().millis() - ON_THE_WAY.millis());
        for at in above(&arrivals, rate.count() as usize, window) {
            found.add(Broken::OverLimit, 1, || {
                format!("lane {}: the call that arrived at {at} was one more than {rate} allows", settings.name)
            });
        }
    }
}

/// The moments that have `most` others before them within the window.
fn above(moments: &[Moment], most: usize, window: Span) -> impl Iterator<Item = Moment> {
    let pairs = moments.iter().zip(moments.iter().skip(most));
    pairs.filter(move |(first, last)| last.since(**first) < window).map(|(_, last)| *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_too_many_is_found_in_any_window() {
        let at = |millis: &[i64]| millis.iter().map(|n| Moment::from_millis(*n)).collect::<Vec<_>>();
        let second = Span::from_secs(1);
        assert_eq!(above(&at(&[0, 500, 1_000, 1_500]), 2, second).count(), 0);
        assert_eq!(above(&at(&[0, 500, 999, 1_500]), 2, second).collect::<Vec<_>>(), at(&[999]));
        assert_eq!(above(&at(&[0, 0, 0]), 2, second).count(), 1);
        assert_eq!(above(&at(&[0]), 2, second).count(), 0);
    }
}
