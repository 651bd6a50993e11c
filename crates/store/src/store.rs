//! The list of transitions and questions: everything that anyone does to the rows.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use ringfence_domain::lane::{LaneSettings, Spent};
use ringfence_domain::{
    AttemptId, CallDetails, Campaign, CampaignId, ContactId, ImportId, LaneId, Moment, NumberKey, PausedBy,
    PhoneNumber, RunId, Span, StopReason,
};
use tracing::Instrument;

use crate::adopt::{AdoptOrder, Adopted};
use crate::brakes::Stop;
use crate::campaigns::{Begin, Locked, Resumed};
use crate::canaries::Canary;
use crate::claim::{Burst, ClaimOrder, Claimed};
use crate::dnc::{DncList, DncListId, DncRow};
use crate::import_chunk::{ImportChunk, RowVerdict};
use crate::import_release::CompleteOrder;
use crate::imports::{ImportCounts, ImportOrder, ImportRow, ImportStart, Reject};
use crate::lanes::{LaneRow, Owner, TakeOver};
use crate::live_calls::LiveCall;
use crate::open::{EligibleBucket, LaneLoad, Opened, Plan};
use crate::quarantine::{LaneInquiry, QuarantineRow};
use crate::questions::{AttemptRow, ContactFilter, ContactRow};
use crate::record::{LaneEffect, Recorded, Sent};
use crate::reports::{NewReport, Reported, UnreadReport};
use crate::review::{ReviewRow, Verdict};
use crate::runs::{Failing, RunRow};
use crate::schedules::ScheduleRow;
use crate::settle::{Settled, Settlement};
use crate::stopping::{StopOrder, StoppedSome};
use crate::sweep::{SweepOrder, Swept};
use crate::turns::Urgency;
use crate::{
    Applied, CampaignRow, Database, Numbers, StoreError, adopt, brakes, campaigns, canaries, claim, dnc, import_chunk,
    import_release, imports, lanes, live_calls, open, quarantine, questions, record, reports, review, runs, schedules,
    set_back, settle, slots, stopping, summary, sweep,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Each line is a method of [`Store`], whose events stand in the span `db.` and its name, and how [`Database`] carries it out: `write` in one transaction, `brake` in one that comes
/// before all others, `bulk` in one of as many rows as its second argument says, `in_parts` in as many as it takes, `read`
/// outside any, `snapshot` as of one moment, `then` in one transaction and what must follow it, `dial` the same for calls that are
/// to be made, `sparing` what is kept here.
macro_rules! transitions {
    ($($(#[$doc:meta])* $kind:ident $name:ident($($arg:ident: $type:ty),*) -> $result:ty = |$($bound:ident),+| $step:expr;)+) => {
        /// Each method that changes something is one transaction.
        #[async_trait]
        pub trait Store: Send + Sync + std::fmt::Debug {
            $($(#[$doc])* async fn $name(&self, $($arg: $type),*) -> Result<$result>;)+
        }

        #[async_trait]
        impl Store for Database {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result> {
                let span = tracing::debug_span!(concat!("db.", stringify!($name)));
                async move { transitions!(@ $kind self, $name, |$($bound),+| $step) }.instrument(span).await
            })+
        }
    };
    (@ write $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database.write(Urgency::Normal, move |$session| Box::pin(async move { $step.await })).await
    };
    (@ brake $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database.write(Urgency::Brake, move |$session| Box::pin(async move { $step.await })).await
    };
    (@ bulk $database:ident, $name:ident, |$session:ident, $rows:ident| $step:expr) => {
        $database.write_some(stringify!($name), move |$session, $rows| Box::pin(async move { $step.await })).await
    };
    (@ in_parts $database:ident, $name:ident, |$itself:ident| $step:expr) => {{
        let $itself = $database;
        $step.await
    }};
    (@ sparing $database:ident, $name:ident, |$session:ident, $kept:ident| $step:expr) => {{
        let $kept = $database.receipts().attempts();
        $database.write(Urgency::Normal, move |$session| Box::pin(async move { $step.await })).await
    }};
    (@ read $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database.read(move |$session| Box::pin(async move { $step.await })).await
    };
    (@ snapshot $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database.snapshot(move |$session| Box::pin(async move { $step.await })).await
    };
    (@ then $database:ident, $name:ident, |$session:ident| $step:expr) => {{
        let done = $database.write(Urgency::Normal, move |$session| Box::pin(async move { $step.await })).await?;
        $database.pause_failing(done.failing()).await?;
        Ok(done)
    }};
    (@ dial $database:ident, $name:ident, |$session:ident| $step:expr) => {{
        let done = $database.write(Urgency::Normal, move |$session| Box::pin(async move { $step.await })).await?;
        $database.dialled(&done).await?;
        $database.pause_failing(done.failing()).await?;
        Ok(done)
    }};
}

transitions! {
    // Everything

    /// Stops new calls on this database; no claim that had not seen it commits after this returns.
    brake stop_all(reason: String, now: Moment) -> () = |session| brakes::set(session, Some(&reason), now);
    /// Lets this database dial again.
    write start_all(now: Moment) -> () = |session| brakes::set(session, None, now);
    /// The stop, if everything is stopped.
    read stop() -> Option<Stop> = |session| brakes::read(session);

    /// The quarantine that holds, if any.
    read quarantine() -> Option<QuarantineRow> = |session| quarantine::current(session);
    /// All quarantines, oldest first.
    read quarantines() -> Vec<QuarantineRow> = |session| quarantine::history(session);
    /// What the vendors were asked in a quarantine, by lane.
    read inquiries(quarantine: i64) -> Vec<LaneInquiry> = |session| quarantine::inquiries(session, quarantine);
    /// Keeps what a vendor was asked in a quarantine.
    write keep_inquiry(quarantine: i64, inquiry: LaneInquiry) -> () =
        |session| quarantine::keep_inquiry(session, quarantine, &inquiry);
    /// Enters calls that the vendor knows and the database has forgotten.
    write adopt(order: AdoptOrder) -> Adopted = |session| adopt::adopt(session, &order);

    // Lanes

    /// Makes a lane known under its name. The settings of one that exists stay as they are.
    write register_lane(settings: LaneSettings, now: Moment) -> LaneRow = |session| lanes::register(session, &settings, now);
    /// Takes a lane that nobody owns, whose lease ran out, or whose owner is `dead`.
    write take_lane(lane: LaneId, settings: LaneSettings, owner: Owner, dead: Option<String>, now: Moment) -> TakeOver =
        |session| lanes::take(session, lane, &settings, &owner, dead.as_deref(), now);
    /// Extends the lease; false when the lane is no longer ours.
    write renew_lane(lane: LaneId, epoch: i64, until: Moment) -> bool = |session| lanes::renew(session, lane, epoch, until);
    /// Gives the lane back, if it is still ours, with what was used of its limits.
    write release_lane(lane: LaneId, epoch: i64, spent: Option<Spent>, now: Moment) -> () =
        |session| lanes::release(session, lane, epoch, spent.as_ref(), now);
    /// Stops new calls; no claim that had not seen it commits after this returns.
    brake pause_lane(lane: LaneId, reason: String, now: Moment) -> () = |session| lanes::pause(session, lane, &reason, now);
    /// Lets the lane dial again and forgets its troubles.
    write resume_lane(lane: LaneId, now: Moment) -> () = |session| lanes::hold(session, lane, None, now);
    /// Applies to the lane what something other than a call has shown about it.
    write affect_lane(lane: LaneId, effect: LaneEffect, now: Moment) -> () = |session| record::affect(session, now, lane, &[&effect]);
    /// All lanes by name.
    read lanes() -> Vec<LaneRow> = |session| lanes::list(session);

    // Campaigns and runs

    /// Stores the rules under the campaign's name, from the next claim on.
    write apply(rules: Campaign, lane: LaneId, begin: Begin, now: Moment) -> (Applied, CampaignRow) =
        |session| campaigns::apply(session, &rules, lane, begin, now);
    /// Stops new calls of the campaign; no claim that had not seen it commits after this returns.
    brake pause_campaign(campaign: CampaignId, by: PausedBy, reason: String, now: Moment) -> () =
        |session| campaigns::pause(session, campaign, by, &reason, now);
    /// Lets the campaign dial again; what a safety rail holds only with `accept`.
    write resume_campaign(campaign: CampaignId, accept: bool, now: Moment) -> Resumed =
        |session| campaigns::resume(session, campaign, accept, now);
    /// Ends the campaign for good, and returns its run, whose waiting contacts are to be stopped.
    brake cancel_campaign(campaign: CampaignId, reason: String, now: Moment) -> RunId =
        |session| campaigns::cancel(session, campaign, &reason, now);
    /// The campaign of this name.
    read campaign(name: String) -> Option<CampaignRow> = |session| campaigns::find(session, &name, Locked::No);
    /// The campaign of this id.
    read campaign_by_id(campaign: CampaignId) -> CampaignRow = |session| campaigns::by_id(session, campaign, Locked::No);
    /// All campaigns by name.
    read campaigns() -> Vec<CampaignRow> = |session| campaigns::list(session);
    /// Campaigns whose rules cannot be read, by name, and why. Nobody of them is dialled.
    read unreadable_campaigns() -> Vec<(String, StoreError)> = |session| campaigns::unreadable(session);
    /// The campaigns of a lane, also those whose rules cannot be read.
    read campaigns_of(lane: LaneId) -> Vec<CampaignId> = |session| campaigns::of_lane(session, lane);
    /// One run.
    read run(run: RunId) -> RunRow = |session| runs::by_id(session, run);
    /// Begins a fresh run under a key that began none before; whether it did.
    write begin_run(campaign: CampaignId, key: String, now: Moment) -> (RunRow, bool) =
        |session| runs::begin(session, campaign, &key, now);
    /// From now on nobody in the run goes back to waiting.
    write close_run(run: RunId, reason: StopReason) -> () = |session| runs::close(session, run, reason);
    /// Closes a campaign's run because its last day is over, unless its rules have changed since `revision`.
    write end_run(campaign: CampaignId, revision: i64) -> () = |session| runs::end(session, campaign, revision);
    /// Undone imports of a lane's campaigns whose contacts wait all the same.
    read undone_with_waiting(lane: LaneId) -> Vec<(RunId, ImportId)> = |session| imports::undone_with_waiting(session, lane);
    /// Closed runs of a lane in which somebody waits all the same.
    read closed_runs_with_waiting(lane: LaneId) -> Vec<(RunId, StopReason)> = |session| runs::closed_with_waiting(session, lane);
    /// Stops some of a run's waiting contacts.
    bulk stop_contacts(order: StopOrder) -> StoppedSome = |session, rows| stopping::stop(session, &order, rows);
    /// Makes this process the one that lives for the run; else tells which one does.
    write follow_run(run: RunId, follower: String, dead: Option<String>, now: Moment, until: Moment) -> Option<String> =
        |session| runs::follow(session, run, &follower, dead.as_deref(), now, until);
    /// Stops living for the run.
    write unfollow_run(run: RunId, follower: String) -> () = |session| runs::unfollow(session, run, &follower);

    // Schedules

    /// Every schedule, the next moment first.
    read schedules() -> Vec<ScheduleRow> = |session| schedules::list(session);
    /// Makes this process the one that works at a campaign's moment `due`.
    write take_moment(campaign: CampaignId, due: Moment, worker: String, dead: Option<String>, now: Moment, until: Moment) -> bool =
        |session| schedules::take(session, campaign, due, &worker, dead.as_deref(), now, until);
    /// The moment `due` is over.
    write finish_moment(campaign: CampaignId, due: Moment, next: Option<Moment>, result: String) -> () =
        |session| schedules::finish(session, campaign, due, next, &result);

    // Contact files

    /// Begins an import, or finds the one that the same file began before.
    write begin_import(order: ImportOrder) -> ImportStart = |session| imports::begin(session, &order);
    /// Takes in some rows; may be repeated. The verdicts are in the order of the contacts.
    in_parts import_chunk(chunk: ImportChunk) -> Vec<RowVerdict> = |database| import_chunk::take_in(database, chunk);
    /// How many who wait an import does not have, and how many wait, both among those whom earlier files brought.
    read missing_contacts(import: ImportId) -> (i64, i64) = |session| stopping::missing(session, import);
    /// The whole file was read, and a safety rail holds it.
    write hold_import(import: ImportId, counts: ImportCounts, reason: String) -> () =
        |session| imports::hold(session, import, &counts, &reason);
    /// Gives some known contacts, from the first after `after` on, what the file has of them; the last of them, while there may
    /// be more.
    bulk apply_changes(import: ImportId, after: ContactId, now: Moment) -> Option<ContactId> =
        |session, rows| import_release::apply_changes(session, import, after, now, rows);
    /// All of the file is in: everyone may be dialled, or the canary first.
    write complete_import(order: CompleteOrder) -> () = |session| import_release::complete(session, &order);
    /// Sends so many more of an import ahead, in place of canaries that cannot be dialled now.
    write replace_canaries(import: ImportId, now: Moment) -> () = |session| canaries::replace(session, import, now);
    /// Everyone of the import may be dialled.
    write release_import(run: RunId, import: ImportId, now: Moment) -> () =
        |session| import_release::release(session, run, import, now);
    /// Nothing more of the import is dialled; its contacts are to be stopped.
    brake undo_import(import: ImportId, now: Moment) -> () = |session| imports::undo(session, import, now);
    /// Forgets some of what was only kept until the import was complete; false when nothing is left.
    bulk forget_matches(import: ImportId) -> bool = |session, rows| import_release::forget_matches(session, import, rows);
    /// Canaries of a lane's campaigns and how they are doing.
    read canaries(lane: LaneId, now: Moment) -> Vec<Canary> = |session| canaries::list(session, lane, now);
    /// One import.
    read import(import: ImportId) -> Option<ImportRow> = |session| imports::by_id(session, import);
    /// The imports of a run, oldest first.
    read imports(run: RunId) -> Vec<ImportRow> = |session| imports::of_run(session, run);
    /// The next rows after `after` that an import did not take in, in the order of the file.
    read rejects(import: ImportId, after: i64, limit: u32) -> Vec<Reject> =
        |session| imports::rejects(session, import, after, limit);
    /// How many rows an import did not take in, by the kind of reason.
    read reject_reasons(import: ImportId) -> BTreeMap<String, i64> = |session| imports::reasons(session, import);

    // Planning

    /// The buckets of a lane that may hold someone to dial, best first.
    read eligible_buckets(lane: LaneId, now: Moment, limit: u32) -> Vec<EligibleBucket> =
        |session| open::eligible(session, lane, now, limit);
    /// When the next bucket of the lane becomes eligible.
    read next_eligible(lane: LaneId) -> Option<Moment> = |session| open::next_eligible(session, lane);
    /// What the lane has in hand.
    snapshot lane_load(lane: LaneId, now: Moment) -> LaneLoad = |session| open::load(session, lane, now);
    /// How long a call of the lane usually takes; none while too few are known.
    read usual_call(lane: LaneId) -> Option<Span> = |session| slots::usual_call(session, lane);
    /// Keeps that with the lane.
    write keep_usual_call(lane: LaneId, usual: Span) -> () = |session| slots::keep_usual_call(session, lane, usual);
    /// Attempts hold their slots until these moments, by what the vendor said of their calls.
    write hold_slots(until: Vec<(AttemptId, Moment)>) -> () = |session| slots::hold(session, &until);
    /// Opens the attempts of a plan.
    write open(plan: Plan) -> Opened = |session| open::open(session, &plan);

    /// Sets right what waits on a lane by a clock that was later than `now`; how many contacts are due earlier. May be repeated.
    in_parts set_right(lane: LaneId, now: Moment) -> u32 = |database| set_back::set_right(database, lane, now);

    // Dialling

    /// Open attempts of a lane under this epoch after `after`, grouped by campaign revision, at most `size` together.
    read bursts(lane: LaneId, epoch: i64, after: AttemptId, limit: u32, size: usize) -> Vec<Burst> =
        |session| claim::bursts(session, lane, epoch, after, limit, size);
    /// Claims what may be dialled at this very moment: the point of no return.
    dial claim(order: ClaimOrder) -> Claimed = |session| claim::claim(session, &order);
    /// Records what became of requests.
    then record(sent: Vec<Sent>, now: Moment) -> Recorded = |session| record::record(session, now, &sent);
    /// What these attempts are called.
    read references(attempts: Vec<AttemptId>) -> BTreeMap<AttemptId, String> =
        |session| questions::references(session, &attempts);

    // Outcomes

    /// The calls of a lane that are out or may be, oldest first.
    read live_calls(lane: LaneId) -> Vec<LiveCall> = |session| live_calls::live(session, lane);
    /// Call ids among these that attempts of the lane already have.
    read bound_calls(lane: LaneId, call_ids: Vec<String>) -> BTreeSet<String> =
        |session| live_calls::bound_calls(session, lane, &call_ids);
    /// Settles attempts and decides what follows for their contacts.
    then settle(settlements: Vec<(AttemptId, Settlement)>, now: Moment) -> Settled =
        |session| settle::settle(session, now, &settlements);
    /// Lapses and doubts what dead or hung owners left.
    sparing sweep(order: SweepOrder) -> Swept = |session, kept| sweep::sweep(session, &order, &kept);
    /// The next contacts in review after `after`, over all campaigns or in one.
    read reviews(campaign: Option<CampaignId>, after: ContactId, limit: u32) -> Vec<ReviewRow> =
        |session| review::list(session, campaign, after, limit);
    /// Settles a contact in review by a person's word; false when it is not in review any more.
    write decide_review(contact: ContactId, verdict: Verdict, now: Moment) -> bool =
        |session| review::decide(session, contact, verdict, now);
    /// Stores where a call's recording and transcript are now.
    write relink(attempt: AttemptId, details: CallDetails) -> () = |session| questions::relink(session, attempt, &details);

    // Reports

    /// Keeps what a vendor reported; false when the same report is kept already.
    write keep_report(report: NewReport, now: Moment) -> bool = |session| reports::keep(session, &report, now);
    /// The oldest reports of a lane that nobody has read.
    read unread_reports(lane: LaneId, limit: u32) -> Vec<UnreadReport> = |session| reports::unread(session, lane, limit);
    /// These were read, and speak of these calls.
    write read_reports(read: Vec<(i64, Option<String>)>, now: Moment) -> () = |session| reports::read(session, &read, now);
    /// Reports about calls of a lane that are out, or may be.
    read reported(lane: LaneId) -> Vec<Reported> = |session| reports::reported(session, lane);
    /// The calls of these reports are asked about.
    write use_reports(used: Vec<i64>, now: Moment) -> () = |session| reports::used(session, &used, now);
    /// Forgets some reports that came in before a moment; how many.
    write forget_reports(before: Moment) -> u64 = |session| reports::forget(session, before);

    // The do-not-call list

    /// Begins a list of numbers of one source.
    brake begin_dnc(list: DncList) -> DncListId = |session| dnc::begin(session, &list);
    /// Adds numbers to a list, from the very next claim on; how many are new.
    in_parts add_dnc(list: DncListId, numbers: Vec<(NumberKey, PhoneNumber)>) -> u64 =
        |database| dnc::add(database, list, numbers);
    /// Takes a number off the list of everyone, or of one campaign; false when it was not on it.
    write remove_dnc(number: NumberKey, campaign: Option<CampaignId>) -> bool =
        |session| dnc::remove(session, number, campaign);
    /// The entries of a number: of everyone first, then of single campaigns.
    read dnc_entries(number: NumberKey) -> Vec<DncRow> = |session| dnc::find(session, number);
    /// How many who wait in a run are on the list, of everyone or of its campaign.
    read waiting_on_dnc(run: RunId) -> i64 = |session| dnc::waiting(session, run);
    /// The next entries of everyone, or of one campaign, after this key, in the order of the keys.
    read dnc_page(campaign: Option<CampaignId>, after: i64, limit: u32) -> Vec<DncRow> =
        |session| dnc::page(session, campaign, after, limit);

    // Questions

    /// The numbers of a campaign's current run.
    snapshot numbers(campaign: String, now: Moment) -> Option<Numbers> = |session| summary::numbers(session, &campaign, now);
    /// Kept counts that differ from counting afresh: name, kept, fresh.
    read recount(run: RunId) -> Vec<(String, i64, i64)> = |session| summary::recount(session, run);
    /// The next contacts of a run after `after`, by id.
    read contacts(run: RunId, filter: ContactFilter, after: ContactId, limit: u32) -> Vec<ContactRow> =
        |session| questions::page(session, run, filter, after, limit);
    /// The contact of a run with this number, whichever of its numbers it is.
    read contact_by_number(run: RunId, number: NumberKey) -> Option<ContactRow> =
        |session| questions::by_number(session, run, number);
    /// All attempts at a number, over all campaigns, oldest first.
    read attempts_at(number: NumberKey) -> Vec<AttemptRow> = |session| questions::attempts_at(session, number);
    /// Contacts with this number who are not dialled before a call of an earlier run of their campaign is settled.
    read waiting_for_review(number: NumberKey) -> Vec<ContactId> =
        |session| questions::waiting_for_review(session, number);
    /// The next attempts of a run after `after`, by id.
    read attempts(run: RunId, after: AttemptId, limit: u32) -> Vec<AttemptRow> =
        |session| questions::attempts(session, run, after, limit);
}

/// What may show that a campaign's calls fail too often.
trait MayFail {
    fn failing(&self) -> &[Failing];
}

impl MayFail for Claimed {
    fn failing(&self) -> &[Failing] {
        &self.failing
    }
}

impl MayFail for Recorded {
    fn failing(&self) -> &[Failing] {
        &self.failing
    }
}

impl MayFail for Settled {
    fn failing(&self) -> &[Failing] {
        &self.failing
    }
}

impl Database {
    /// Pauses campaigns whose last calls failed. Their claims are refused from the moment that this was known, so a crash in
    /// between dials nobody: the next refused claim comes here again.
    async fn pause_failing(&self, failing: &[Failing]) -> Result<()> {
        for Failing { campaign, reason, now } in failing.iter().cloned() {
            tracing::error!("a campaign is paused: {reason}");
            self.pause_campaign(campaign, PausedBy::Safety, reason, now).await?;
        }
        Ok(())
    }
}
