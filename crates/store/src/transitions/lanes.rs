//! Lanes.

use ringfence_domain::lane::{LaneSettings, LimitUsage};
use ringfence_domain::{LaneEffect, LaneId, Moment};

use super::transitions;
use crate::lanes;
use crate::lanes::ownership::{Acquired, Owner};
use crate::lanes::rows::LaneRow;

transitions! {
    /// Makes a lane known under its name. The settings of one that exists stay as they are.
    write register_lane(settings: LaneSettings, now: Moment) -> LaneRow = |session| lanes::rows::register(session, &settings, now);
    /// Takes a lane that nobody owns, whose lease ran out, or whose owner is `dead`.
    write take_lane(lane: LaneId, settings: LaneSettings, owner: Owner, dead: Option<String>, now: Moment) -> Acquired =
        |session| lanes::ownership::acquire(session, lane, &settings, &owner, dead.as_deref(), now);
    /// Extends the lease; false when the lane is no longer ours.
    write renew_lane(lane: LaneId, epoch: i64, until: Moment) -> bool = |session| lanes::ownership::renew(session, lane, epoch, until);
    /// Gives the lane back, if it is still ours, with what was used of its limits.
    write release_lane(lane: LaneId, epoch: i64, spent: Option<LimitUsage>, now: Moment) -> () =
        |session| lanes::ownership::release(session, lane, epoch, spent.as_ref(), now);
    /// Stops new calls; no claim that had not seen it commits after this returns.
    stop_switch pause_lane(lane: LaneId, reason: String, now: Moment) -> () = |session| lanes::hold::pause(session, lane, &reason, now);
    /// Lets the lane dial again and forgets its failures.
    write resume_lane(lane: LaneId, now: Moment) -> () = |session| lanes::hold::hold(session, lane, None, now);
    /// Applies to the lane what something other than a call has shown about it.
    write affect_lane(lane: LaneId, effect: LaneEffect, now: Moment) -> () = |session| lanes::health::affect(session, now, lane, &[&effect]);
    /// All lanes by name.
    read lanes() -> Vec<LaneRow> = |session| lanes::rows::list(session);
}
