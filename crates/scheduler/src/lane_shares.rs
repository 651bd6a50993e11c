//! Processes share lanes: which lane moves from which process to which other one.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::LaneId;

/// A lane that changes hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandOver<'p> {
    /// The lane.
    pub(crate) lane: LaneId,
    /// Its owner.
    pub(crate) from: &'p str,
    /// The process that has fewer lanes and takes this one, too.
    pub(crate) to: &'p str,
}

/// Returns the lanes that change hands, so that no process has two more than another one that takes
/// them. `takes`: the lanes that each living process can dial; `owners`: who has which lane. Lanes of
/// others stay where they are. All processes that see the same come to the same result.
pub(crate) fn hand_overs<'p>(
    takes: &'p BTreeMap<String, BTreeSet<LaneId>>,
    owners: &BTreeMap<LaneId, String>,
) -> Vec<HandOver<'p>> {
    let mut has: BTreeMap<&'p str, BTreeSet<LaneId>> =
        takes.keys().map(|name| (name.as_str(), BTreeSet::new())).collect();
    for (lane, owner) in owners {
        if let Some(lanes) = has.get_mut(owner.as_str()) {
            lanes.insert(*lane);
        }
    }
    let mut moves = Vec::new();
    while let Some(next) = next(takes, &has) {
        has.entry(next.from).or_default().remove(&next.lane);
        has.entry(next.to).or_default().insert(next.lane);
        moves.push(next);
    }
    moves
}

/// Finds the next move: a lane goes from a process that has many to one that takes it and has few.
fn next<'p>(
    takes: &'p BTreeMap<String, BTreeSet<LaneId>>,
    has: &BTreeMap<&'p str, BTreeSet<LaneId>>,
) -> Option<HandOver<'p>> {
    let count = |name: &str| has.get(name).map_or(0, BTreeSet::len);
    let mut few: Vec<&str> = has.keys().copied().collect();
    few.sort_by_key(|name| count(name));
    few.iter().enumerate().find_map(|(place, to)| {
        let taken = &takes[*to];
        few[place..].iter().rev().take_while(|from| count(from) >= count(to) + 2).find_map(|from| {
            let lane = has[from].intersection(taken).last()?;
            Some(HandOver { lane: *lane, from, to })
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Takes = BTreeMap<String, BTreeSet<LaneId>>;
    type Owners = BTreeMap<LaneId, String>;

    fn lanes(ids: impl IntoIterator<Item = i64>) -> BTreeSet<LaneId> {
        ids.into_iter().map(LaneId).collect()
    }

    fn after(moves: &[HandOver<'_>], owners: &Owners) -> Owners {
        let mut owners = owners.clone();
        for step in moves {
            assert_eq!(owners.insert(step.lane, step.to.to_owned()).as_deref(), Some(step.from));
        }
        owners
    }

    fn count(owners: &Owners, name: &str) -> usize {
        owners.values().filter(|owner| *owner == name).count()
    }

    #[test]
    fn a_process_that_comes_gets_its_share_and_no_lane_moves_without_need() {
        let takes: Takes = ["a", "b"].map(|name| (name.to_owned(), lanes(1..=4))).into();
        let owners: Owners = (1..=4).map(|id| (LaneId(id), "a".to_owned())).collect();
        let moves = hand_overs(&takes, &owners);
        let expected = [4, 3].map(|id| HandOver { lane: LaneId(id), from: "a", to: "b" });
        assert_eq!(moves, expected);
        assert_eq!(hand_overs(&takes, &after(&moves, &owners)), []);
        let three: Owners = owners.into_iter().take(1).collect();
        assert_eq!(hand_overs(&takes, &three), [], "one lane stays where it is");
    }

    proptest! {
        #[test]
        fn lanes_are_spread_as_evenly_as_those_who_take_them_allow(
            takes in prop::collection::btree_map("[a-e]", prop::collection::btree_set(1..12_i64, 0..12), 1..5),
            owners in prop::collection::btree_map(1..12_i64, "[a-g]", 0..12),
        ) {
            let takes: Takes = takes.into_iter().map(|(name, ids)| (name, lanes(ids))).collect();
            let owners: Owners = owners.into_iter().map(|(id, owner)| (LaneId(id), owner)).collect();
            let moves = hand_overs(&takes, &owners);
            for step in &moves {
                prop_assert!(takes[step.to].contains(&step.lane));
            }
            let shared = after(&moves, &owners);
            for (lane, owner) in &shared {
                let (before, has) = (&owners[lane], count(&shared, owner));
                if takes.contains_key(before) {
                    for (name, _) in takes.iter().filter(|(_, ids)| ids.contains(lane)) {
                        prop_assert!(has < count(&shared, name) + 2, "{name} could take {lane:?} of {owner}");
                    }
                } else {
                    prop_assert_eq!(before, owner, "lanes of others stay");
                }
            }
        }
    }
}
