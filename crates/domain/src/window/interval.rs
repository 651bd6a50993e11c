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
