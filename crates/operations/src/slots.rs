//! Slots that only calls of unknown fate hold: what is said of them wherever somebody asks why nothing is dialled.

use ringfence_domain::{Moment, Span, Zone};
use ringfence_store::{InHand, RunFigures};

/// No slot is free, and nothing but calls of unknown fate holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// What holds them, and until when.
    pub says: String,
    /// When the first of them is free, whatever is heard until then.
    pub first_free: Option<Moment>,
}

/// Whether the lane's slots, or the campaign's own, are held by calls of unknown fate only.
pub fn stuck(numbers: &RunFigures) -> Option<Stuck> {
    let lane = &numbers.lane.settings;
    let clock = numbers.campaign.rules.own_zone(lane.timezone);
    let own = numbers.campaign.rules.limits.concurrent;
    let of_campaign = || of(&numbers.of_run, own?, " of the campaign", clock);
    of(&numbers.of_lane, lane.limits.concurrent, "", clock).or_else(of_campaign)
}

/// What holds `limit` slots, when that is calls of unknown fate only.
fn of(held: &InHand, limit: u32, whose: &str, clock: Zone) -> Option<Stuck> {
    if !held.is_stuck(limit) {
        return None;
    }
    let says = match (held.taken, limit) {
        (0, _) => format!("{} calls are of unknown fate, and no more are added to them", held.live),
        (_, 1) => format!("the only slot{whose} is taken by a call of unknown fate"),
        _ => format!("all {limit} slots{whose} are taken by calls of unknown fate"),
    };
    let first = if limit == 1 { "it" } else { "the first" };
    let free = held.first_free.map(|at| format!(", {first} is free at {}", minute(at, clock))).unwrap_or_default();
    Some(Stuck { says: format!("{says}{free}"), first_free: held.first_free })
}

/// The minute by which it is surely over, on this clock.
fn minute(at: Moment, clock: Zone) -> String {
    (at + Span::from_millis(59_999)).local(clock).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_holds_the_slots_and_until_when() {
        let at = "2026-11-20T08:31:10Z".parse().expect("a moment");
        let clock = "Asia/Kolkata".parse().expect("a zone");
        let lost = |n| InHand { live: n, taken: n, unsure: n, first_free: Some(at), ..InHand::default() };
        let says = |held: InHand, limit| of(&held, limit, "", clock).map(|stuck| stuck.says);
        let all = "all 3 slots are taken by calls of unknown fate, the first is free at 14:02";
        assert_eq!(says(lost(3), 3).as_deref(), Some(all));
        let only = "the only slot is taken by a call of unknown fate, it is free at 14:02";
        assert_eq!(says(lost(1), 1).as_deref(), Some(only));
        assert_eq!(says(lost(2), 3), None, "one is free");
        assert_eq!(says(InHand { unsure: 2, ..lost(3) }, 3), None, "a call that is out ends");
    }
}
