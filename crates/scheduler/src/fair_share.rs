//! The sharing of free slots: by priority, fairly between the runs of one priority, by class within
//! a run.
//!
//! The campaigns of the highest priority go first, and a share of the lane goes to those below
//! them all the same: a large campaign would else keep the others waiting for days.

use std::collections::{BTreeMap, HashMap};

use ringfence_domain::{BucketId, DialClass, RunId, Share};

/// A bucket that may be dialled now.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) bucket: BucketId,
    pub(crate) run: RunId,
    pub(crate) priority: i64,
    pub(crate) class: DialClass,
    /// How many contacts of it may be opened.
    pub(crate) waiting: u32,
}

/// The turns of those who share a lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns {
    /// The share of the lower priorities, in hundredths.
    share: u32,
    /// Hundredths of slots that are theirs and that they have not had.
    owed: u32,
    /// Rotates which run of the highest priority is first when slots cannot be shared evenly,
    highest: usize,
    /// and which run of the lower ones.
    lower: usize,
}

impl Turns {
    pub(crate) fn new(share: Share) -> Self {
        Self { share: u32::from(share.hundredths()), owed: 0, highest: 0, lower: 0 }
    }

    /// Splits free slots between the highest priority, which `wants` so many, and the lower ones,
    /// which want `below`: returns those of the highest, those that are the share of the lower
    /// ones, and those that the highest leaves to them.
    fn split(&mut self, free: u32, wants: u32, below: u32) -> (u32, u32, u32) {
        let (mut first, mut shared, mut left) = (0, 0, 0);
        for _ in 0..free {
            let (is_theirs, lower) = (self.owed + self.share >= 100, shared + left);
            if lower < below && is_theirs {
                shared += 1;
                self.owed = self.owed + self.share - 100;
            } else if lower < below && first == wants {
                // What nobody above them wants is no part of their share.
                left += 1;
            } else if first < wants {
                first += 1;
                // Who does not wait saves nothing up.
                self.owed = if lower < below { self.owed + self.share } else { 0 };
            } else {
                break;
            }
        }
        (first, shared, left)
    }
}

/// Returns how many attempts each bucket may open. `free` is the number of free slots, `capacity`
/// what each run may still have at once.
pub(crate) fn fair_share(
    candidates: &[Candidate],
    free: u32,
    capacity: &HashMap<RunId, u32>,
    turns: &mut Turns,
) -> BTreeMap<BucketId, u32> {
    let mut levels: BTreeMap<i64, BTreeMap<RunId, Vec<&Candidate>>> = BTreeMap::new();
    for candidate in candidates {
        levels.entry(candidate.priority).or_default().entry(candidate.run).or_default().push(candidate);
    }
    // What each run wants and has not got.
    let mut wants: Vec<Vec<(RunId, u32)>> = levels
        .values()
        .map(|runs| runs.iter().map(|(run, buckets)| (*run, wanted(*run, buckets, capacity))).collect())
        .collect();
    let mut given = HashMap::new();
    if let Some((highest, below)) = wants.split_first_mut() {
        let sum = |runs: &[(RunId, u32)]| runs.iter().map(|(_, want)| *want).fold(0, u32::saturating_add);
        let wanted_below = below.iter().map(|runs| sum(runs)).fold(0, u32::saturating_add);
        let (first, shared, mut left) = turns.split(free, sum(highest), wanted_below);
        let has_some_below = shared + left > 0;
        share_evenly(highest, first, turns.highest, &mut given);
        // What the highest leaves goes to the next priority first; their share goes to all below.
        for level in &mut *below {
            left = share_evenly(level, left, turns.lower, &mut given);
        }
        let mut all: Vec<_> = below.concat();
        all.sort_unstable_by_key(|(run, _)| *run);
        share_evenly(&mut all, shared, turns.lower, &mut given);
        turns.highest = turns.highest.wrapping_add(usize::from(first > 0));
        turns.lower = turns.lower.wrapping_add(usize::from(has_some_below));
    }
    levels.into_values().flatten().flat_map(|(run, buckets)| by_class(given.get(&run).copied(), buckets)).collect()
}

/// Returns how many attempts a run may open.
fn wanted(run: RunId, buckets: &[&Candidate], capacity: &HashMap<RunId, u32>) -> u32 {
    let waiting = buckets.iter().map(|bucket| bucket.waiting).fold(0, u32::saturating_add);
    waiting.min(capacity.get(&run).copied().unwrap_or(u32::MAX))
}

/// Shares free slots between runs, by what they want; returns those that nobody wants.
fn share_evenly(wants: &mut [(RunId, u32)], mut free: u32, turn: usize, given: &mut HashMap<RunId, u32>) -> u32 {
    let first = turn.checked_rem(wants.len()).unwrap_or_default();
    wants.rotate_left(first);
    while free > 0 && wants.iter().any(|(_, want)| *want > 0) {
        let hungry = wants.iter().filter(|(_, want)| *want > 0).count() as u32;
        let each = (free / hungry).max(1);
        for (run, want) in &mut *wants {
            let take = each.min(*want).min(free);
            *want -= take;
            free -= take;
            *given.entry(*run).or_default() += take;
        }
    }
    free
}

/// Shares the slots of a run between its buckets, by class.
fn by_class(slots: Option<u32>, mut buckets: Vec<&Candidate>) -> Vec<(BucketId, u32)> {
    let mut left = slots.unwrap_or_default();
    buckets.sort_by_key(|bucket| bucket.class.rank());
    let mut shares = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let take = left.min(bucket.waiting);
        left -= take;
        if take > 0 {
            shares.push((bucket.bucket, take));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(bucket: i64, run: i64, priority: i64, class: DialClass, waiting: u32) -> Candidate {
        Candidate { bucket: BucketId(bucket), run: RunId(run), priority, class, waiting }
    }

    /// With no share for the lower priorities.
    fn strict() -> Turns {
        Turns::new(Share::new(0))
    }

    fn shares(candidates: &[Candidate], free: u32, turn: usize) -> Vec<(i64, u32)> {
        shares_with(candidates, free, &mut Turns { highest: turn, ..strict() })
    }

    fn shares_with(candidates: &[Candidate], free: u32, turns: &mut Turns) -> Vec<(i64, u32)> {
        let shares = fair_share(candidates, free, &HashMap::new(), turns);
        shares.into_iter().map(|(bucket, n)| (bucket.0, n)).collect()
    }

    #[test]
    fn without_a_share_for_the_others_a_higher_priority_takes_all_it_wants() {
        let candidates = [candidate(1, 1, 5, DialClass::First, 100), candidate(2, 2, 1, DialClass::First, 7)];
        assert_eq!(shares(&candidates, 10, 0), [(1, 3), (2, 7)]);
        assert_eq!(shares(&candidates, 5, 0), [(2, 5)]);
    }

    #[test]
    fn a_tenth_goes_to_the_priorities_below_however_few_slots_come_free_at_once() {
        let candidates = [
            candidate(1, 1, 1, DialClass::First, 1_000_000),
            candidate(2, 2, 5, DialClass::First, 1_000_000),
            candidate(3, 3, 9, DialClass::First, 1_000_000),
        ];
        for at_once in [1, 3, 10, 70] {
            let mut turns = Turns::new(Share::new(10));
            let mut given: BTreeMap<i64, u32> = BTreeMap::new();
            for _ in 0..2_100 / at_once {
                for (bucket, n) in shares_with(&candidates, at_once, &mut turns) {
                    *given.entry(bucket).or_default() += n;
                }
            }
            let all: u32 = given.values().sum();
            assert_eq!(all, 2_100 / at_once * at_once, "{at_once}: every slot is used");
            let below = given[&2] + given[&3];
            assert!(below.abs_diff(all / 10) <= 1, "{at_once}: {given:?}");
            assert!(given[&2].abs_diff(given[&3]) <= at_once, "{at_once}: {given:?}");
        }
    }

    #[test]
    fn who_did_not_wait_has_saved_nothing_up() {
        let mut turns = Turns::new(Share::new(10));
        let high = candidate(1, 1, 1, DialClass::First, 1_000_000);
        for _ in 0..50 {
            assert_eq!(shares_with(std::slice::from_ref(&high), 10, &mut turns), [(1, 10)]);
        }
        let both = [high, candidate(2, 2, 5, DialClass::First, 1_000_000)];
        assert_eq!(shares_with(&both, 10, &mut turns), [(1, 9), (2, 1)]);
    }

    #[test]
    fn what_the_highest_priority_does_not_want_goes_to_the_others() {
        let mut turns = Turns::new(Share::new(10));
        let both = [candidate(1, 1, 1, DialClass::First, 4), candidate(2, 2, 5, DialClass::First, 100)];
        assert_eq!(shares_with(&both, 20, &mut turns), [(1, 4), (2, 16)]);
    }

    #[test]
    fn what_the_highest_leaves_goes_down_in_the_order_of_priorities() {
        let all = [
            candidate(1, 1, 1, DialClass::First, 2),
            candidate(2, 2, 2, DialClass::First, 1_000),
            candidate(3, 3, 9, DialClass::First, 1_000),
        ];
        for _ in 0..5 {
            assert_eq!(shares(&all, 10, 0), [(1, 2), (2, 8)]);
        }
        let mut turns = Turns::new(Share::new(10));
        let mut given = [0; 3];
        for _ in 0..100 {
            for (run, n) in shares_with(&all, 10, &mut turns) {
                given[run as usize - 1] += n;
            }
        }
        // The share is a tenth of what the highest has, and both below have of it.
        assert_eq!((given[0], given.iter().sum::<u32>()), (200, 1_000));
        assert!((5..=25).contains(&given[2]), "{given:?}");
    }

    #[test]
    fn runs_of_one_priority_share_and_leave_what_they_do_not_need() {
        let candidates = [
            candidate(1, 1, 5, DialClass::First, 100),
            candidate(2, 2, 5, DialClass::First, 2),
            candidate(3, 3, 5, DialClass::First, 100),
        ];
        assert_eq!(shares(&candidates, 12, 0), [(1, 5), (2, 2), (3, 5)]);
    }

    #[test]
    fn the_odd_slot_goes_around() {
        let candidates = [candidate(1, 1, 5, DialClass::First, 9), candidate(2, 2, 5, DialClass::First, 9)];
        assert_eq!(shares(&candidates, 1, 0), [(1, 1)]);
        assert_eq!(shares(&candidates, 1, 1), [(2, 1)]);
    }

    #[test]
    fn callbacks_then_retries_then_first_attempts() {
        let candidates = [
            candidate(1, 1, 5, DialClass::First, 5),
            candidate(2, 1, 5, DialClass::Retry, 2),
            candidate(3, 1, 5, DialClass::Callback, 1),
        ];
        assert_eq!(shares(&candidates, 4, 0), [(1, 1), (2, 2), (3, 1)]);
        assert_eq!(shares(&candidates, 2, 0), [(2, 1), (3, 1)]);
    }

    #[test]
    fn a_run_never_gets_more_than_its_own_room() {
        let candidates = [candidate(1, 1, 5, DialClass::First, 50), candidate(2, 2, 6, DialClass::First, 50)];
        let capacity = HashMap::from([(RunId(1), 3)]);
        let shares = fair_share(&candidates, 10, &capacity, &mut strict());
        assert_eq!((shares[&BucketId(1)], shares[&BucketId(2)]), (3, 7));
    }
}
