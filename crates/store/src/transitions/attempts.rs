//! Attempts: planned, claimed, recorded and settled.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::verdict::InHand;
use ringfence_domain::{AttemptId, CallDetails, CampaignId, ContactId, LaneId, Moment, RunId, Span};

use super::transitions;
use crate::attempts::bursts::Burst;
use crate::attempts::called::{ClaimedAttempt, Place};
use crate::attempts::claim::{ClaimOrder, Claimed};
use crate::attempts::eligible::{EligibleBucket, LaneLoad, LaneStanding};
use crate::attempts::live::{CallAge, LiveCall};
use crate::attempts::plan::{Opened, Plan};
use crate::attempts::record::Recorded;
use crate::attempts::review::{ReviewAnswer, ReviewRow};
use crate::attempts::settle::{Settled, Settlement};
use crate::attempts::sweep::{SweepOrder, Swept};
use crate::receipts::sent::Sent;
use crate::{Database, LaneRow, StoreError, attempts, contacts, lanes};

transitions! {
    // Planning

    /// The buckets of a lane that may hold someone to dial, best first.
    read eligible_buckets(lane: LaneId, now: Moment, limit: u32) -> Vec<EligibleBucket> =
        |session| attempts::eligible::eligible(session, lane, now, limit);
    /// When the next bucket of the lane becomes eligible.
    read next_eligible(lane: LaneId) -> Option<Moment> = |session| attempts::eligible::next_eligible(session, lane);
    /// How the lane stands, but for what it has in hand.
    snapshot lane_standing(lane: LaneId, now: Moment) -> LaneStanding =
        |session| attempts::eligible::standing(session, lane, now);
    /// What the lane has in hand.
    tallied lane_load(lane: LaneId, now: Moment) -> LaneLoad =
        |session, tallies| attempts::eligible::load(session, &tallies, lane, false, now);
    /// The same for people: its live attempts may have been counted up to a second ago.
    tallied lane_load_shown(lane: LaneId, now: Moment) -> LaneLoad =
        |session, tallies| attempts::eligible::load(session, &tallies, lane, true, now);
    /// Its live attempts by run, counted now.
    tallied counted_in_hand(lane: LaneRow, now: Moment) -> BTreeMap<RunId, InHand> =
        |session, tallies| async { tallies.count(session, &lane, now).await };
    /// How long a call of the lane usually takes; none while too few are known.
    read usual_call(lane: LaneId) -> Option<Span> = |session| lanes::slots::usual_call(session, lane);
    /// Keeps that with the lane.
    write keep_usual_call(lane: LaneId, usual: Span) -> () = |session| lanes::slots::keep_usual_call(session, lane, usual);
    /// Attempts hold their slots until these moments, by what the vendor said of their calls.
    write hold_slots(until: Vec<(AttemptId, Moment)>) -> () = |session| lanes::slots::hold(session, &until);
    /// Opens the attempts of a plan.
    write open_attempts(plan: Plan) -> Opened = |session| attempts::plan::open(session, &plan);

    /// Sets right what waits on a lane by a clock that was later than `now`; how many contacts are
    /// due earlier. May be repeated.
    in_parts set_right(lane: LaneId, now: Moment) -> u32 = |database| contacts::set_back::set_right(database, lane, now);

    // Dialling

    /// Open attempts of a lane under this epoch after `after`, grouped by campaign revision, at
    /// most `size` together.
    read bursts(lane: LaneId, epoch: i64, after: AttemptId, limit: u32, size: usize) -> Vec<Burst> =
        |session| attempts::bursts::bursts(session, lane, epoch, after, limit, size);
    /// Claims what may be dialled at this very moment: the point of no return.
    dial claim(order: ClaimOrder) -> Claimed = |session| attempts::claim::claim(session, &order);
    /// Records what became of requests.
    then record(sent: Vec<Sent>, now: Moment) -> Recorded = |session| attempts::record::record(session, now, &sent);
    /// What these attempts are called.
    read references(attempts: Vec<AttemptId>) -> BTreeMap<AttemptId, String> =
        |session| attempts::references::references(session, &attempts);

    // Outcomes

    /// How many calls of all lanes are out, or may be.
    read calls_out() -> i64 = |session| attempts::live::out(session);
    /// The calls of a lane that are out or may be, oldest first.
    read live_calls(lane: LaneId) -> Vec<LiveCall> = |session| attempts::live::live(session, lane);
    /// Those of these attempts whose calls are out or may be, oldest first.
    read live_calls_of(lane: LaneId, attempts: Vec<AttemptId>) -> Vec<LiveCall> =
        |session| attempts::live::live_of(session, lane, &attempts);
    /// How old the calls of a lane are that are out, or may be.
    read call_ages(lane: LaneId) -> Vec<CallAge> = |session| attempts::live::ages(session, lane);
    /// Call ids among these that attempts of the lane already have.
    read bound_calls(lane: LaneId, call_ids: Vec<String>) -> BTreeSet<String> =
        |session| attempts::live::bound_calls(session, lane, &call_ids);
    /// Settles attempts and decides what follows for their contacts.
    then settle(settlements: Vec<(AttemptId, Settlement)>, now: Moment) -> Settled =
        |session| attempts::settle::settle(session, now, &settlements);
    /// Lapses and doubts what dead or hung owners left.
    in_parts sweep(order: SweepOrder) -> Swept = |database| attempts::sweep::sweep(database, order);
    /// The next claimed attempts of all runs after a place, those of one number side by side.
    read claimed_attempts(after: Place, limit: u32) -> Vec<ClaimedAttempt> =
        |session| attempts::called::page(session, after, limit);
    /// The next contacts in review after `after`, over all campaigns or in one.
    read reviews(campaign: Option<CampaignId>, after: ContactId, limit: u32) -> Vec<ReviewRow> =
        |session| attempts::review::list(session, campaign, after, limit);
    /// Settles a contact in review by a person's word; false when it is not in review any more.
    write decide_review(contact: ContactId, verdict: ReviewAnswer, now: Moment) -> bool =
        |session| attempts::review::decide(session, contact, verdict, now);
    /// Stores where a call's recording and transcript are now.
    write relink(attempt: AttemptId, details: CallDetails) -> () = |session| attempts::relink::relink(session, attempt, &details);
}

impl Database {
    /// What a lane has in hand, by run: as it was counted last, with what this process changed since,
    /// or counted now. For the process that dials the lane.
    pub async fn in_hand(&self, lane: &LaneRow, now: Moment) -> Result<BTreeMap<RunId, InHand>, StoreError> {
        match self.tallies.kept(lane.id) {
            Some(kept) => Ok(kept),
            None => self.counted_in_hand(lane.clone(), now).await,
        }
    }
}
