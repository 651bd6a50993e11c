//! The sharing of free slots: strictly by priority, fairly between the runs of one priority, by
//! class within a run.

use std::collections::{BTreeMap, HashMap};

use ringfence_domain::{BucketId, DialClass, RunId};

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

/// Returns how many attempts each bucket may open. `free` is the number of free slots, `capacity`
/// what each run may still have at once; `turn` rotates which run is first when the slots cannot be
/// shared evenly.
pub(crate) fn fair_share(
    candidates: &[Candidate],
    mut free: u32,
    capacity: &HashMap<RunId, u32>,
    turn: usize,
) -> BTreeMap<BucketId, u32> {
    let mut shares = BTreeMap::new();
    let mut levels: BTreeMap<i64, BTreeMap<RunId, Vec<&Candidate>>> = BTreeMap::new();
    for candidate in candidates {
        levels.entry(candidate.priority).or_default().entry(candidate.run).or_default().push(candidate);
    }
    for runs in levels.into_values() {
        let mut wants: Vec<(RunId, u32)> = runs
            .iter()
            .map(|(run, buckets)| {
                let waiting: u32 = buckets.iter().map(|bucket| bucket.waiting).fold(0, u32::saturating_add);
                (*run, waiting.min(capacity.get(run).copied().unwrap_or(u32::MAX)))
            })
            .collect();
        let first = turn.checked_rem(wants.len()).unwrap_or_default();
        wants.rotate_left(first);
        let mut given: HashMap<RunId, u32> = HashMap::new();
        while free > 0 && wants.iter().any(|(_, want)| *want > 0) {
            let hungry = wants.iter().filter(|(_, want)| *want > 0).count() as u32;
            let each = (free / hungry).max(1);
            for (run, want) in &mut wants {
                let take = each.min(*want).min(free);
                *want -= take;
                free -= take;
                *given.entry(*run).or_default() += take;
            }
        }
        for (run, mut buckets) in runs {
            let mut left = given.get(&run).copied().unwrap_or_default();
            buckets.sort_by_key(|bucket| bucket.class.rank());
            for bucket in buckets {
                let take = left.min(bucket.waiting);
                left -= take;
                if take > 0 {
                    shares.insert(bucket.bucket, take);
                }
            }
        }
        if free == 0 {
            break;
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

    fn shares(candidates: &[Candidate], free: u32, turn: usize) -> Vec<(i64, u32)> {
        fair_share(candidates, free, &HashMap::new(), turn).into_iter().map(|(bucket, n)| (bucket.0, n)).collect()
    }

    #[test]
    fn a_higher_priority_takes_all_it_wants() {
        let candidates = [candidate(1, 1, 5, DialClass::First, 100), candidate(2, 2, 1, DialClass::First, 7)];
        assert_eq!(shares(&candidates, 10, 0), [(1, 3), (2, 7)]);
        assert_eq!(shares(&candidates, 5, 0), [(2, 5)]);
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
        let shares = fair_share(&candidates, 10, &capacity, 0);
        assert_eq!((shares[&BucketId(1)], shares[&BucketId(2)]), (3, 7));
    }
}
