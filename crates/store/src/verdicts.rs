//! Verdicts out of rows: the claim decides by them, and everybody who explains a claim shows them.

use ringfence_domain::verdict::{Stopped, Verdict};
use ringfence_domain::{ClockReading, Rate};

use crate::database::KnownAs;
use crate::lanes::rows::LaneRow;

/// What holds everyone on a lane, whatever the campaign.
pub(crate) fn of_lane(stopped: Option<Stopped>, lane: &LaneRow, reading: ClockReading) -> [Verdict; 4] {
    [
        Verdict::Clock,
        Verdict::Stop { stopped },
        Verdict::Lane { name: lane.settings.name.clone(), state: lane.state, reason: lane.reason.clone() },
        Verdict::of_rest(lane.backoff_until, lane.backoff_reason.as_deref(), reading),
    ]
}

/// Whether the lane may make another call today.
pub(crate) fn lane_day(lane: &LaneRow, left: Option<u32>, reading: ClockReading) -> Verdict {
    Verdict::LaneDay { left, tomorrow: reading.now.next_day(lane.settings.timezone) }
}

/// The wait for what the lane's last owner may have used of the limits. `own`: the campaign's own
/// limit of calls.
pub(crate) fn unknown_use(lane: &LaneRow, own: Option<Rate>, reading: ClockReading) -> Verdict {
    let limits = &lane.settings.limits;
    let longest = [Some(limits.calls), Some(limits.requests), own].into_iter().flatten().map(Rate::per).max();
    // A later moment than the present is from a clock that was set back since.
    let is_owed = lane.owner.is_some() && lane.unsaid_until <= reading.now;
    let until = longest.map(|longest| lane.unsaid_until + longest);
    Verdict::UnknownUse { until: until.filter(|until| is_owed && *until > reading.now) }
}

/// Whether a process dials the lane.
pub(crate) fn process(lane: &LaneRow, reading: ClockReading) -> Verdict {
    let last = lane.last_owner.as_deref().and_then(KnownAs::of).map(|last| (last.host, lane.lease_until));
    let dials = lane.owner.is_some() && lane.lease_until > reading.now;
    Verdict::Process { lane: lane.settings.name.clone(), dials, last }
}
