//! The brake: what keeps calls from going out faster, while nothing forbids them.

use super::Slots;
use crate::lane::{LaneLimits, LimitKind, Limited};
use crate::{Rate, Share};

/// Everything that may slow a campaign, or a lane, down.
#[derive(Debug, Clone, Copy)]
pub struct Brakes<'b> {
    /// The slots of the lane, and of the campaign.
    pub slots: &'b Slots,
    /// The lane's limits.
    pub limits: &'b LaneLimits,
    /// The limit that its calls wait for, as the lane's owner last said.
    pub limited: Option<Limited>,
    /// The campaign's own limit of new calls.
    pub own: Option<Rate>,
    /// A campaign of a higher priority that has somebody to call, with its priority.
    pub ahead: Option<(&'b str, i64)>,
    /// The share of the lane for campaigns of lower priorities.
    pub lower_priorities: Share,
}

impl Brakes<'_> {
    /// Names the brake that binds, in one sentence; none when calls go out as soon as they are due.
    pub fn says(&self) -> Option<String> {
        if let Some((name, priority)) = self.ahead {
            let share = self.lower_priorities;
            let least = match share.hundredths() {
                0 => "the others wait until it has nobody to call".to_owned(),
                _ => format!("campaigns of lower priorities get {share} of the lane meanwhile"),
            };
            return Some(format!("{name} (priority {priority}) comes first; {least}"));
        }
        if let Some((_, limit)) = self.slots.of_campaign.filter(|(held, limit)| held.free(*limit) == 0) {
            return Some(format!("all {limit} slots of the campaign are in use: a call begins when another one ends"));
        }
        let (held, limit) = self.slots.of_lane;
        if held.free(limit) == 0 {
            let by_whom = if held.unsure > 0 { held.by_whom() } else { String::new() };
            return Some(format!(
                "all {limit} slots of the lane are in use{by_whom}: a call begins when another one ends"
            ));
        }
        Some(match self.limited?.by {
            LimitKind::Calls => format!("the lane makes {} new calls and no more", self.limits.calls),
            LimitKind::Requests => {
                format!("the lane sends {} requests, questions about calls included", self.limits.requests)
            }
            LimitKind::Campaign => match self.own {
                Some(own) => format!("the campaign makes {own} new calls and no more"),
                None => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;
    use crate::verdict::InHand;

    const LIMIT: u32 = 3;

    fn held(taken: u32, unsure: u32) -> InHand {
        InHand { live: taken, taken, unsure, ..InHand::default() }
    }

    /// What is said when lane and campaign have so many slots in hand, and calls wait for this limit.
    fn says(of_lane: InHand, of_campaign: Option<InHand>, by: Option<LimitKind>, own: Option<Rate>) -> String {
        let slots = Slots { of_lane: (of_lane, LIMIT), of_campaign: of_campaign.map(|held| (held, LIMIT)) };
        let limits =
            LaneLimits { calls: Rate::per_second(5), requests: Rate::per_second(9), concurrent: LIMIT, per_day: None };
        let limited = by.map(|by| Limited { by, since: Moment::from_secs(0) });
        let share = "20%".parse().expect("a share");
        let brakes = Brakes { slots: &slots, limits: &limits, limited, own, ahead: None, lower_priorities: share };
        brakes.says().unwrap_or_default()
    }

    #[test]
    fn the_brake_that_binds_is_named() {
        let free = || held(2, 1);
        assert_eq!(says(free(), None, None, None), "");
        assert_eq!(says(free(), Some(free()), None, None), "");
        assert_eq!(
            says(held(3, 1), Some(held(3, 0)), None, None),
            "all 3 slots of the campaign are in use: a call begins when another one ends"
        );
        assert_eq!(
            says(held(3, 0), Some(free()), None, None),
            "all 3 slots of the lane are in use: a call begins when another one ends"
        );
        assert!(says(held(3, 1), None, None, None).contains(&held(3, 1).by_whom()));
        assert!(!held(3, 1).by_whom().is_empty());
        let limited = |by, own| says(free(), None, Some(by), own);
        assert_eq!(limited(LimitKind::Calls, None), "the lane makes 5/s new calls and no more");
        assert_eq!(limited(LimitKind::Requests, None), "the lane sends 9/s requests, questions about calls included");
        let own = Some(Rate::per_second(2));
        assert_eq!(limited(LimitKind::Campaign, own), "the campaign makes 2/s new calls and no more");
        assert_eq!(limited(LimitKind::Campaign, None), "");
    }

    #[test]
    fn a_campaign_that_comes_first_is_named_with_what_it_leaves() {
        let slots = Slots { of_lane: (held(0, 0), LIMIT), of_campaign: None };
        let limits =
            LaneLimits { calls: Rate::per_second(5), requests: Rate::per_second(9), concurrent: LIMIT, per_day: None };
        let says = |share: &str| {
            let lower_priorities = share.parse().expect("a share");
            let ahead = Some(("urgent", 1));
            Brakes { slots: &slots, limits: &limits, limited: None, own: None, ahead, lower_priorities }.says()
        };
        let some = "urgent (priority 1) comes first; campaigns of lower priorities get 20% of the lane meanwhile";
        assert_eq!(says("20%").as_deref(), Some(some));
        let none = "urgent (priority 1) comes first; the others wait until it has nobody to call";
        assert_eq!(says("0%").as_deref(), Some(none));
    }
}
