//! Lanes.

use std::collections::BTreeMap;

use ringfence_domain::lane::{LaneSettings, LimitLevels, LimitUsage};
use ringfence_domain::{LaneEffect, LaneId, Moment};

use super::transitions;
use crate::lanes::ownership::{Acquired, Owner};
use crate::lanes::recent_calls::RecentCalls;
use crate::lanes::rows::LaneRow;
use crate::measures::LaneMeasures;
use crate::processes::{ProcessRow, Takes};
use crate::queues::{self, WaitingIn};
use crate::{lanes, measures, processes};

transitions! {
    /// Makes a lane known under its name. The settings of one that exists stay as they are.
    write register_lane(settings: LaneSettings, now: Moment) -> LaneRow = |session| lanes::rows::register(session, &settings, now);
    /// Takes a lane that nobody owns, whose lease ran out, or whose owner is `dead`.
    write take_lane(lane: LaneId, settings: LaneSettings, owner: Owner, dead: Option<String>, now: Moment) -> Acquired =
        |session| lanes::ownership::acquire(session, lane, &settings, &owner, dead.as_deref(), now);
    /// Extends the lease, and notes how much of the limits is used; false when the lane is no longer ours.
    write renew_lane(lane: LaneId, epoch: i64, until: Moment, levels: LimitLevels) -> bool =
        |session| lanes::ownership::renew(session, lane, epoch, until, &levels);
    /// Gives the lane back, if it is still ours, with what was used of its limits.
    write release_lane(lane: LaneId, epoch: i64, spent: Option<LimitUsage>, now: Moment) -> () =
        |session| lanes::ownership::release(session, lane, epoch, spent.as_ref(), now);
    /// Stops new calls; no claim that had not seen it commits after this returns.
    stop_switch pause_lane(lane: LaneId, reason: String, now: Moment) -> () = |session| lanes::hold::pause(session, lane, &reason, now);
    /// Lets the lane dial again and forgets its failures.
    write resume_lane(lane: LaneId, now: Moment) -> () = |session| lanes::hold::hold(session, lane, None, now);
    /// Applies to the lane what something other than a call has shown about it.
    write affect_lane(lane: LaneId, effect: LaneEffect, now: Moment) -> () = |session| lanes::health::affect(session, now, lane, &[&effect]);
    /// Enters a process that begins to dial, or to stand by.
    write begin_process(name: String, command: String, now: Moment) -> () = |session| processes::begin(session, &name, &command, now);
    /// Enters which lanes a process dials and shares with others.
    write share_lanes(name: String, takes: Takes) -> () = |session| processes::take(session, &name, &takes);
    /// The processes that share lanes and gave a sign of life after `since` and before `until`, with the lanes that each takes.
    read sharing(since: Moment, until: Moment) -> BTreeMap<String, Takes> = |session| processes::sharing(session, since, until);
    /// Enters a sign of life of a process.
    write sign_of_life(name: String, now: Moment) -> () = |session| processes::sign(session, &name, now);
    /// Enters that a process left in good order.
    write end_process(name: String, now: Moment) -> () = |session| processes::end(session, &name, now);
    /// All processes that are remembered, the newest sign of life first.
    read processes() -> Vec<ProcessRow> = |session| processes::list(session);
    /// The rows of every lane in numbers, by the lane's name.
    snapshot lane_measures() -> BTreeMap<String, LaneMeasures> = |session| measures::lanes(session);
    /// The last calls of each lane that dialled lately.
    read recent_calls() -> BTreeMap<LaneId, RecentCalls> = |session| lanes::recent_calls::list(session);
    /// Who waits in the current runs of all campaigns, by zone and class; without held imports.
    read waiting_by_zone(now: Moment) -> Vec<WaitingIn> = |session| queues::waiting(session, now);
    /// All lanes by name.
    read lanes() -> Vec<LaneRow> = |session| lanes::rows::list(session);
}
