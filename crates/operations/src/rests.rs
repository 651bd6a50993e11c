//! Why a lane that is open dials nobody for a while, and until when: what is said wherever somebody asks why nothing is dialled.

use ringfence_domain::{Moment, Rate, Zone};
use ringfence_store::LaneRow;

/// A lane that rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// When it dials again.
    pub until: Moment,
    /// Why it does not now.
    pub says: String,
    /// The provider, or its trouble, asks for it.
    is_asked_for: bool,
}

impl Rest {
    /// Why and until when, where neither is said beside it.
    pub fn sentence(&self, clock: Zone) -> String {
        if self.is_asked_for {
            format!("the lane rests until {}: {}", second(self.until, clock), self.says.trim_end_matches('.'))
        } else {
            self.says.clone()
        }
    }
}

/// The longer of the lane's rests, if it rests now. `own`: the campaign's own limit of calls. `clock`: whose clocks people read.
pub fn of(lane: &LaneRow, own: Option<Rate>, clock: Zone, now: Moment) -> Option<Rest> {
    let says = lane.backoff_reason.clone().unwrap_or_else(|| "the lane rests".to_owned());
    let asked = Rest { until: lane.backoff_until, says, is_asked_for: true };
    [Some(asked), unsaid(lane, own, clock, now)]
        .into_iter()
        .flatten()
        .filter(|rest| rest.until > now)
        .max_by_key(|rest| rest.until)
}

/// The wait for what the last owner may have used of the limits.
fn unsaid(lane: &LaneRow, own: Option<Rate>, clock: Zone, now: Moment) -> Option<Rest> {
    // A later moment than the present is from a clock that was set back since.
    if lane.owner.is_none() || lane.unsaid_until > now {
        return None;
    }
    let limits = &lane.settings.limits;
    let longest = [Some(limits.calls), Some(limits.requests), own].into_iter().flatten().map(Rate::per).max()?;
    let until = lane.unsaid_until + longest;
    let says = format!(
        "the lane's last process ended without saying what it had used of these limits; dialling begins at {}",
        second(until, clock)
    );
    Some(Rest { until, says, is_asked_for: false })
}

/// The second by which it is surely over, on this clock.
fn second(at: Moment, clock: Zone) -> String {
    (at + ringfence_domain::Span::from_millis(999)).local(clock).strftime("%H:%M:%S").to_string()
}
