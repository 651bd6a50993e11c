//! The list of transitions and questions: everything that anyone does to the rows.

use std::collections::BTreeSet;

use async_trait::async_trait;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{AttemptId, Campaign, CampaignId, ContactId, ImportId, LaneId, Moment, NumberKey, RunId};

use crate::claim::{Burst, ClaimOrder, Claimed};
use crate::imports::{ImportChunk, ImportOrder, ImportRow, ImportStart, Reject, RowVerdict};
use crate::lanes::{LaneRow, Owner, TakeOver};
use crate::open::{EligibleBucket, LaneLoad, Opened, Plan};
use crate::questions::{AttemptRow, ContactRow, ExportFilter};
use crate::record::{LaneEffect, Recorded, Sent};
use crate::settle::{LiveCall, Settled, Settlement};
use crate::sweep::{SweepOrder, Swept};
use crate::{
    Applied, CampaignRow, Database, Numbers, RunRow, StoreError, campaigns, claim, imports, lanes, open, questions,
    record, settle, summary, sweep,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Each method that changes something is one transaction.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    // Lanes

    /// Makes a lane known under its name. The settings of one that exists stay as they are.
    async fn register_lane(&self, settings: LaneSettings, now: Moment) -> Result<LaneRow>;
    /// Takes a lane that nobody owns, whose lease ran out, or whose owner is `dead`.
    async fn take_lane(
        &self,
        lane: LaneId,
        settings: LaneSettings,
        owner: Owner,
        dead: Option<String>,
        now: Moment,
    ) -> Result<TakeOver>;
    /// Extends the lease; false when the lane is no longer ours.
    async fn renew_lane(&self, lane: LaneId, epoch: i64, until: Moment) -> Result<bool>;
    /// Gives the lane back, if it is still ours.
    async fn release_lane(&self, lane: LaneId, epoch: i64, now: Moment) -> Result<()>;
    /// Stops new calls; no claim that had not seen it commits after this returns.
    async fn pause_lane(&self, lane: LaneId, reason: String, now: Moment) -> Result<()>;
    /// Lets the lane dial again and forgets its troubles.
    async fn resume_lane(&self, lane: LaneId, now: Moment) -> Result<()>;
    /// Applies to the lane what something other than a call has shown about it.
    async fn affect_lane(&self, lane: LaneId, effect: LaneEffect, now: Moment) -> Result<()>;
    /// All lanes by name.
    async fn lanes(&self) -> Result<Vec<LaneRow>>;

    // Campaigns and runs

    /// Stores the rules under the campaign's name, from the next claim on.
    async fn apply(&self, rules: Campaign, lane: LaneId, now: Moment) -> Result<(Applied, CampaignRow)>;
    /// Stops new calls of the campaign; no claim that had not seen it commits after this returns.
    async fn pause_campaign(&self, campaign: CampaignId, reason: String, now: Moment) -> Result<()>;
    /// Lets the campaign dial again.
    async fn resume_campaign(&self, campaign: CampaignId, now: Moment) -> Result<()>;
    /// The campaign of this name.
    async fn campaign(&self, name: String) -> Result<Option<CampaignRow>>;
    /// The campaign of this id.
    async fn campaign_by_id(&self, campaign: CampaignId) -> Result<CampaignRow>;
    /// All campaigns by name.
    async fn campaigns(&self) -> Result<Vec<CampaignRow>>;
    /// One run.
    async fn run(&self, run: RunId) -> Result<RunRow>;
    /// Makes this process the one that lives for the run; else tells which one does.
    async fn follow_run(
        &self,
        run: RunId,
        follower: String,
        dead: Option<String>,
        now: Moment,
        until: Moment,
    ) -> Result<Option<String>>;
    /// Stops living for the run.
    async fn unfollow_run(&self, run: RunId, follower: String) -> Result<()>;

    // Contact files

    /// Begins an import, or finds the complete one of the same digest.
    async fn begin_import(&self, order: ImportOrder) -> Result<ImportStart>;
    /// Takes in some rows; may be repeated. The verdicts are in the order of the contacts.
    async fn import_chunk(&self, chunk: ImportChunk) -> Result<Vec<RowVerdict>>;
    /// The whole file is in: the run may be dialled.
    async fn complete_import(&self, run: RunId, import: ImportRow, now: Moment) -> Result<()>;
    /// Rejected rows of an import, in the order of the file.
    async fn rejects(&self, import: ImportId, limit: u32) -> Result<Vec<Reject>>;

    // Planning

    /// The buckets of a lane that may hold someone to dial, best first.
    async fn eligible_buckets(&self, lane: LaneId, now: Moment, limit: u32) -> Result<Vec<EligibleBucket>>;
    /// When the next bucket of the lane becomes eligible.
    async fn next_eligible(&self, lane: LaneId) -> Result<Option<Moment>>;
    /// What the lane has in hand.
    async fn lane_load(&self, lane: LaneId, now: Moment) -> Result<LaneLoad>;
    /// Opens the attempts of a plan.
    async fn open(&self, plan: Plan) -> Result<Opened>;

    // Dialling

    /// Open attempts of a lane under this epoch after `after`, grouped by campaign revision, at most `size` together.
    async fn bursts(&self, lane: LaneId, epoch: i64, after: AttemptId, limit: u32, size: usize) -> Result<Vec<Burst>>;
    /// Claims what may be dialled at this very moment: the point of no return.
    async fn claim(&self, order: ClaimOrder) -> Result<Claimed>;
    /// Records what became of requests.
    async fn record(&self, sent: Vec<Sent>, now: Moment) -> Result<Recorded>;

    // Outcomes

    /// The calls of a lane that are out or may be, oldest first.
    async fn live_calls(&self, lane: LaneId) -> Result<Vec<LiveCall>>;
    /// Call ids among these that attempts of the lane already have.
    async fn bound_calls(&self, lane: LaneId, call_ids: Vec<String>) -> Result<BTreeSet<String>>;
    /// Settles attempts and decides what follows for their contacts.
    async fn settle(&self, settlements: Vec<(AttemptId, Settlement)>, now: Moment) -> Result<Settled>;
    /// Lapses and doubts what dead or hung owners left.
    async fn sweep(&self, order: SweepOrder) -> Result<Swept>;

    // Questions

    /// The numbers of a campaign's current run.
    async fn numbers(&self, campaign: String, now: Moment) -> Result<Option<Numbers>>;
    /// Kept counts that differ from counting afresh: name, kept, fresh.
    async fn recount(&self, run: RunId) -> Result<Vec<(String, i64, i64)>>;
    /// The next contacts of a run after `after`, by id.
    async fn contacts(&self, run: RunId, filter: ExportFilter, after: ContactId, limit: u32)
    -> Result<Vec<ContactRow>>;
    /// The contact of a run with this number.
    async fn contact_by_number(&self, run: RunId, number: NumberKey) -> Result<Option<ContactRow>>;
    /// All attempts at a number, over all campaigns, oldest first.
    async fn attempts_at(&self, number: NumberKey) -> Result<Vec<AttemptRow>>;
}

macro_rules! write {
    ($database:expr, |$session:ident| $step:expr) => {
        $database.write(move |$session| Box::pin(async move { $step.await })).await
    };
}

macro_rules! read {
    ($database:expr, |$session:ident| $question:expr) => {
        $database.read(move |$session| Box::pin(async move { $question.await })).await
    };
}

#[async_trait]
impl Store for Database {
    async fn register_lane(&self, settings: LaneSettings, now: Moment) -> Result<LaneRow> {
        write!(self, |session| lanes::register(session, &settings, now))
    }

    async fn take_lane(
        &self,
        lane: LaneId,
        settings: LaneSettings,
        owner: Owner,
        dead: Option<String>,
        now: Moment,
    ) -> Result<TakeOver> {
        write!(self, |session| lanes::take(session, lane, &settings, &owner, dead.as_deref(), now))
    }

    async fn renew_lane(&self, lane: LaneId, epoch: i64, until: Moment) -> Result<bool> {
        write!(self, |session| lanes::renew(session, lane, epoch, until))
    }

    async fn release_lane(&self, lane: LaneId, epoch: i64, now: Moment) -> Result<()> {
        write!(self, |session| lanes::release(session, lane, epoch, now))
    }

    async fn pause_lane(&self, lane: LaneId, reason: String, now: Moment) -> Result<()> {
        write!(self, |session| lanes::hold(session, lane, Some(&reason), now))
    }

    async fn resume_lane(&self, lane: LaneId, now: Moment) -> Result<()> {
        write!(self, |session| lanes::hold(session, lane, None, now))
    }

    async fn affect_lane(&self, lane: LaneId, effect: LaneEffect, now: Moment) -> Result<()> {
        write!(self, |session| record::affect(session, now, lane, &[&effect]))
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>> {
        read!(self, |session| lanes::list(session))
    }

    async fn apply(&self, rules: Campaign, lane: LaneId, now: Moment) -> Result<(Applied, CampaignRow)> {
        write!(self, |session| campaigns::apply(session, &rules, lane, now))
    }

    async fn pause_campaign(&self, campaign: CampaignId, reason: String, now: Moment) -> Result<()> {
        write!(self, |session| campaigns::hold(session, campaign, Some(&reason), now))
    }

    async fn resume_campaign(&self, campaign: CampaignId, now: Moment) -> Result<()> {
        write!(self, |session| campaigns::hold(session, campaign, None, now))
    }

    async fn campaign(&self, name: String) -> Result<Option<CampaignRow>> {
        read!(self, |session| campaigns::find(session, &name, campaigns::Locked::No))
    }

    async fn campaign_by_id(&self, campaign: CampaignId) -> Result<CampaignRow> {
        read!(self, |session| campaigns::by_id(session, campaign))
    }

    async fn campaigns(&self) -> Result<Vec<CampaignRow>> {
        read!(self, |session| campaigns::list(session))
    }

    async fn run(&self, run: RunId) -> Result<RunRow> {
        read!(self, |session| campaigns::run(session, run))
    }

    async fn follow_run(
        &self,
        run: RunId,
        follower: String,
        dead: Option<String>,
        now: Moment,
        until: Moment,
    ) -> Result<Option<String>> {
        write!(self, |session| campaigns::follow(session, run, &follower, dead.as_deref(), now, until))
    }

    async fn unfollow_run(&self, run: RunId, follower: String) -> Result<()> {
        write!(self, |session| campaigns::unfollow(session, run, &follower))
    }

    async fn begin_import(&self, order: ImportOrder) -> Result<ImportStart> {
        write!(self, |session| imports::begin(session, &order))
    }

    async fn import_chunk(&self, chunk: ImportChunk) -> Result<Vec<RowVerdict>> {
        write!(self, |session| imports::chunk(session, &chunk))
    }

    async fn complete_import(&self, run: RunId, import: ImportRow, now: Moment) -> Result<()> {
        write!(self, |session| imports::complete(session, run, &import, now))
    }

    async fn rejects(&self, import: ImportId, limit: u32) -> Result<Vec<Reject>> {
        read!(self, |session| imports::rejects(session, import, limit))
    }

    async fn eligible_buckets(&self, lane: LaneId, now: Moment, limit: u32) -> Result<Vec<EligibleBucket>> {
        read!(self, |session| open::eligible(session, lane, now, limit))
    }

    async fn next_eligible(&self, lane: LaneId) -> Result<Option<Moment>> {
        read!(self, |session| open::next_eligible(session, lane))
    }

    async fn lane_load(&self, lane: LaneId, now: Moment) -> Result<LaneLoad> {
        read!(self, |session| open::load(session, lane, now))
    }

    async fn open(&self, plan: Plan) -> Result<Opened> {
        write!(self, |session| open::open(session, &plan))
    }

    async fn bursts(&self, lane: LaneId, epoch: i64, after: AttemptId, limit: u32, size: usize) -> Result<Vec<Burst>> {
        read!(self, |session| claim::bursts(session, lane, epoch, after, limit, size))
    }

    async fn claim(&self, order: ClaimOrder) -> Result<Claimed> {
        write!(self, |session| claim::claim(session, &order))
    }

    async fn record(&self, sent: Vec<Sent>, now: Moment) -> Result<Recorded> {
        write!(self, |session| record::record(session, now, &sent))
    }

    async fn live_calls(&self, lane: LaneId) -> Result<Vec<LiveCall>> {
        read!(self, |session| settle::live(session, lane))
    }

    async fn bound_calls(&self, lane: LaneId, call_ids: Vec<String>) -> Result<BTreeSet<String>> {
        read!(self, |session| settle::bound_calls(session, lane, &call_ids))
    }

    async fn settle(&self, settlements: Vec<(AttemptId, Settlement)>, now: Moment) -> Result<Settled> {
        write!(self, |session| settle::settle(session, now, &settlements))
    }

    async fn sweep(&self, order: SweepOrder) -> Result<Swept> {
        write!(self, |session| sweep::sweep(session, &order))
    }

    async fn numbers(&self, campaign: String, now: Moment) -> Result<Option<Numbers>> {
        read!(self, |session| summary::numbers(session, &campaign, now))
    }

    async fn recount(&self, run: RunId) -> Result<Vec<(String, i64, i64)>> {
        read!(self, |session| summary::recount(session, run))
    }

    async fn contacts(
        &self,
        run: RunId,
        filter: ExportFilter,
        after: ContactId,
        limit: u32,
    ) -> Result<Vec<ContactRow>> {
        read!(self, |session| questions::page(session, run, filter, after, limit))
    }

    async fn contact_by_number(&self, run: RunId, number: NumberKey) -> Result<Option<ContactRow>> {
        read!(self, |session| questions::by_number(session, run, number))
    }

    async fn attempts_at(&self, number: NumberKey) -> Result<Vec<AttemptRow>> {
        read!(self, |session| questions::attempts_at(session, number))
    }
}
