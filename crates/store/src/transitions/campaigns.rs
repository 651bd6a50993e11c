//! Campaigns, runs and schedules.

use ringfence_domain::event::EventKind;
use ringfence_domain::{Campaign, CampaignId, ImportId, LaneId, Moment, PausedBy, RunId, StopReason};

use super::transitions;
use crate::campaigns::apply::{Begin, Expected};
use crate::campaigns::hold::Resumed;
use crate::campaigns::rows::Locked;
use crate::campaigns::runs::RunRow;
use crate::campaigns::schedules::ScheduleRow;
use crate::run_hours::{self, RunHour};
use crate::stop_contacts::{StopOrder, StoppedSome};
use crate::{Applied, CampaignRow, ErasableRun, StoreError, campaigns, erasure, imports, stop_contacts};

transitions! {
    // Campaigns and runs

    /// Stores the rules under the campaign's name, from the next claim on.
    in_parts apply(rules: Campaign, lane: LaneId, begin: Begin, now: Moment) -> (Applied, CampaignRow) =
        |database| campaigns::uncap::apply(database, rules, lane, (begin, Expected::Anything), now);
    /// The same, only if the campaign is new, or has the expected revision.
    in_parts apply_if(rules: Campaign, lane: LaneId, begin: Begin, expected: Expected, now: Moment) -> (Applied, CampaignRow) =
        |database| campaigns::uncap::apply(database, rules, lane, (begin, expected), now);
    /// Finishes what an `apply` of other limits began on a lane and a process that ended left. True
    /// when somebody is due for it.
    in_parts uncap(lane: LaneId, now: Moment) -> bool = |database| campaigns::uncap::finish(database, lane, now);
    /// Stops new calls of the campaign; no claim that had not seen it commits after this returns.
    stop_switch pause_campaign(campaign: CampaignId, by: PausedBy, reason: String, now: Moment) -> () =
        |session| campaigns::hold::pause(session, campaign, by, &reason, now);
    /// Accepts one import that a safety rail holds; false when it is not held, or was overtaken.
    write accept_import(campaign: CampaignId, import: ImportId, now: Moment) -> bool =
        |session| campaigns::hold::accept_import(session, campaign, import, now);
    /// Lets the campaign dial again; what a safety rail holds only with `accept`.
    write resume_campaign(campaign: CampaignId, accept: bool, now: Moment) -> Resumed =
        |session| campaigns::hold::resume(session, campaign, accept, now);
    /// Ends the campaign for good, and returns its run, whose waiting contacts are to be stopped.
    stop_switch cancel_campaign(campaign: CampaignId, reason: String, now: Moment) -> RunId =
        |session| campaigns::hold::cancel(session, campaign, &reason, now);
    /// The campaign of this name.
    read campaign(name: String) -> Option<CampaignRow> = |session| campaigns::rows::find(session, &name, Locked::No);
    /// The campaign of this id.
    read campaign_by_id(campaign: CampaignId) -> CampaignRow = |session| campaigns::rows::by_id(session, campaign, Locked::No);
    /// All campaigns by name.
    read campaigns() -> Vec<CampaignRow> = |session| campaigns::rows::list(session);
    /// Campaigns whose rules cannot be read, by name, and why. Nobody of them is dialled.
    read unreadable_campaigns() -> Vec<(String, StoreError)> = |session| campaigns::rows::unreadable(session);
    /// The campaigns of a lane, also those whose rules cannot be read.
    read campaigns_of(lane: LaneId) -> Vec<CampaignId> = |session| campaigns::rows::of_lane(session, lane);
    /// One run.
    read run(run: RunId) -> RunRow = |session| campaigns::runs::by_id(session, run);
    /// All runs of a campaign, the first one first.
    read runs(campaign: CampaignId) -> Vec<RunRow> = |session| campaigns::runs::of_campaign(session, campaign);
    /// The names of the outputs that calls of a run have, in their order.
    read output_names(run: RunId) -> Vec<String> = |session| crate::run_figures::output_names(session, run);
    /// The names of the campaigns of these runs, and the numbers of the runs.
    read run_names(runs: Vec<RunId>) -> std::collections::BTreeMap<RunId, (String, i64)> = |session| campaigns::runs::names(session, &runs);
    /// The last hours of a run in which calls were sent, `limit` at most, the oldest first.
    read run_hours(run: RunId, limit: i64) -> Vec<RunHour> = |session| run_hours::last(session, run, limit);
    /// The counts of a run, by their names.
    read run_counts(run: RunId) -> std::collections::BTreeMap<String, i64> = |session| campaigns::runs::counts(session, run);
    /// Begins a fresh run under a key that began none before; whether it did.
    write begin_run(campaign: CampaignId, key: String, now: Moment) -> (RunRow, bool) =
        |session| campaigns::runs::begin(session, campaign, &key, now);
    /// From now on nobody in the run goes back to waiting.
    write close_run(run: RunId, reason: StopReason) -> () = |session| campaigns::runs::close(session, run, reason);
    /// Closes a campaign's run because its last day is over, unless its rules have changed since
    /// `revision`.
    write end_run(campaign: CampaignId, revision: i64, now: Moment) -> () = |session| campaigns::runs::end(session, campaign, revision, now);
    /// Runs that are over, and in which nobody was called since this moment.
    read erasable_runs(before: Moment) -> Vec<ErasableRun> = |session| erasure::erasable(session, before);
    /// Marks a run as erased, if it still can be; whether its rows are to be erased.
    write mark_erased(run: RunId, before: Moment, now: Moment) -> bool = |session| erasure::mark(session, run, before, now);
    /// Erases some rows of a marked run; whether there may be more.
    bulk erase_some(run: RunId) -> bool = |session, rows| erasure::erase_some(session, run, rows);
    /// Undone imports of a lane's campaigns whose contacts wait all the same.
    read undone_with_waiting(lane: LaneId) -> Vec<(RunId, ImportId)> = |session| imports::rows::undone_with_waiting(session, lane);
    /// Closed runs of a lane in which somebody waits all the same.
    read closed_runs_with_waiting(lane: LaneId) -> Vec<(RunId, StopReason)> = |session| campaigns::runs::closed_with_waiting(session, lane);
    /// Notes that a run is finished, or stands still, or that it is so no more; tells it once.
    write note_run(run: RunId, kind: EventKind, holds: bool, cause: Option<String>, now: Moment) -> () =
        |session| campaigns::runs::note(session, run, (kind, holds), cause.as_deref(), now);
    /// Stops some of a run's waiting contacts.
    bulk stop_contacts(order: StopOrder) -> StoppedSome = |session, rows| stop_contacts::stop(session, &order, rows);
    /// Makes this process the one that lives for the run; else tells which one does.
    write follow_run(run: RunId, leader: String, dead: Option<String>, now: Moment, until: Moment) -> Option<String> =
        |session| campaigns::run_leader::follow(session, run, &leader, dead.as_deref(), now, until);
    /// Stops living for the run.
    write unfollow_run(run: RunId, leader: String) -> () = |session| campaigns::run_leader::unfollow(session, run, &leader);

    // Schedules

    /// Every schedule, the next moment first.
    read schedules() -> Vec<ScheduleRow> = |session| campaigns::schedules::list(session);
    /// Makes this process the one that works at a campaign's moment `due`.
    write take_moment(campaign: CampaignId, due: Moment, worker: String, dead: Option<String>, now: Moment, until: Moment) -> bool =
        |session| campaigns::schedules::acquire(session, campaign, due, &worker, dead.as_deref(), now, until);
    /// The moment `due` is over.
    write finish_moment(campaign: CampaignId, due: Moment, next: Option<Moment>, result: (EventKind, String), now: Moment) -> () =
        |session| campaigns::schedules::finish(session, campaign, due, next, (result.0, &result.1), now);
}
