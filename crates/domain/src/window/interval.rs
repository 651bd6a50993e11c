//! Half-open intervals of time and their intersection.

use crate::Moment;

/// The time from `start` up to, and without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// First moment inside.
    pub start: Moment,
    /// First moment after it.
    pub end: Moment,
}

/// Returns the time that is inside both lists; each is sorted and free of overlaps, and so is the
/// result.
pub(super) fn intersect(left: &[Interval], right: &[Interval]) -> Vec<Interval> {
    let (mut l, mut r) = (0, 0);
    let mut both = Vec::with_capacity(left.len().min(right.len()));
    while l < left.len() && r < right.len() {
        let start = left[l].start.max(right[r].start);
        let end = left[l].end.min(right[r].end);
        if start < end {
            both.push(Interval { start, end });
        }
        if left[l].end <= right[r].end {
            l += 1;
        } else {
            r += 1;
        }
    }
    both
}

/// Sorts intervals and joins those that touch.
pub(super) fn merge(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable_by_key(|interval| interval.start);
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match merged.last_mut() {
            Some(last) if last.end >= next.start => last.end = last.end.max(next.end),
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECONDS: i64 = 60;

    fn intervals() -> impl Strategy<Value = Vec<Interval>> {
        let one = (0..SECONDS, 1..10_i64).prop_map(|(start, length)| Interval {
            start: Moment::from_secs(start),
            end: Moment::from_secs(start + length),
        });
        prop::collection::vec(one, 0..8)
    }

    /// Which seconds are inside.
    fn seconds(intervals: &[Interval]) -> Vec<bool> {
        let inside = |at: Moment| intervals.iter().any(|interval| (interval.start..interval.end).contains(&at));
        (0..SECONDS + 10).map(|second| inside(Moment::from_secs(second))).collect()
    }

    fn is_plain(intervals: &[Interval]) -> bool {
        intervals.iter().all(|interval| interval.start < interval.end)
            && intervals.windows(2).all(|pair| pair[0].end < pair[1].start)
    }

    proptest! {
        #[test]
        fn what_is_merged_and_intersected_has_the_same_seconds(left in intervals(), right in intervals()) {
            let (one, other) = (merge(left.clone()), merge(right.clone()));
            prop_assert!(is_plain(&one) && is_plain(&other));
            prop_assert_eq!(seconds(&one), seconds(&left));
            let both = intersect(&one, &other);
            prop_assert!(both.iter().all(|interval| interval.start < interval.end), "{:?}", both);
            prop_assert!(both.windows(2).all(|pair| pair[0].end <= pair[1].start), "{:?}", both);
            let expected: Vec<bool> = seconds(&left).iter().zip(seconds(&right)).map(|(one, other)| *one && other).collect();
            prop_assert_eq!(seconds(&both), expected);
        }
    }
}
