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
