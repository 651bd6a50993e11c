//! The claim: open attempts become `sending`, the point of no return.

use std::collections::{BTreeMap, HashMap};

use ringfence_domain::safety::Safety;
use ringfence_domain::verdict::{ClaimDenied, Stopped, Verdict, decide};
use ringfence_domain::{
    AttemptId, AttemptState, CampaignId, CampaignState, ClockReading, ContactId, DialClass, LaneId, Moment, NumberKey,
    NumberLimits, Outcome, PastCall, RunId, Span, StopReason, ZoneSet,
};
use serde::Serialize;

use crate::campaigns::recent_failures;
use crate::campaigns::recent_failures::Failing;
use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::lanes::daily_calls::{calls_on, count_calls, day_of};
use crate::lanes::rows::{LaneRow, Lock, lock};
use crate::quarantine::server;
use crate::session::{self, Arg, Session, Sql, args, claim_fence, sql};
use crate::stop_all::stopped;
use crate::{StoreError, stop_all, verdicts, zone_data};

/// Attempts to be claimed together.
#[derive(Debug, Clone)]
pub struct ClaimOrder {
    /// The lane.
    pub lane: LaneId,
    /// Their campaign.
    pub campaign: CampaignId,
    /// What limits calls to their numbers, by the revision that they were planned by.
    pub limits: NumberLimits,
    /// Counted calls that a contact may have, by the same revision.
    pub max_attempts: u32,
    /// What the campaign's own rails say, by the same revision.
    pub safety: Safety,
    /// Where a callee is taken to be whose own zones are unknown.
    pub default_zones: ZoneSet,
    /// The attempts, each with the number that it is called from.
    pub calls: Vec<(AttemptId, Option<String>)>,
    /// Attempts for which no request can be written, and why: their contacts go to review.
    pub unfit: Vec<(AttemptId, String)>,
    /// What a stop switch beside the rows says, if it is active.
    pub stop_switch: Option<String>,
    /// The time.
    pub reading: ClockReading,
}

/// What came of a claim.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// These are ours to send, once.
    pub sending: Vec<AttemptId>,
    /// These are not.
    pub refused: Vec<Refused>,
    /// The campaign must be paused, because too many of its last calls failed.
    pub failing: Vec<Failing>,
    /// These were claimed and must not be sent; the caller records so.
    pub withheld: Option<Withheld>,
    /// What the Postgres server said of itself when they were claimed; none on SQLite.
    pub(crate) server: Option<server::Server>,
}

/// Attempts that are claimed and must not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The attempts.
    pub attempts: Vec<AttemptId>,
    /// Why.
    pub why: String,
}

/// An attempt that must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The attempt.
    pub attempt: AttemptId,
    /// Why.
    pub why: ClaimDenied,
}

/// From the planning of an attempt until its call is known to be over: a vendor may hold it
/// overnight, and fall silent.
const LONGEST_CALL: Span = Span::from_days(2);

/// How often the time of a run's last dial is noted.
const DIALLED_EVERY: Span = Span::from_secs(1);

#[derive(Serialize)]
struct LapsedRow<'a> {
    attempt_id: AttemptId,
    cause: Option<&'a str>,
}

#[derive(Serialize)]
struct SendingRow<'a> {
    attempt_id: AttemptId,
    caller_id: Option<&'a str>,
}

struct Asked {
    contact: ContactId,
    run: RunId,
    state: AttemptState,
    number: NumberKey,
    dial_after: Moment,
    dial_before: Moment,
    epoch: i64,
    revision: i64,
    class: DialClass,
    zones: ZoneSet,
    calls: u32,
    on_dnc: bool,
    leaving: bool,
}

/// Claims what may be dialled. Everything that could forbid it is locked, read and asked here.
pub(crate) async fn claim(session: &mut Session, order: &ClaimOrder) -> Result<Claimed, StoreError> {
    claim_fence::pass(session).await?;
    let stop_switches = stop_all::load(session).await?;
    let lane = lock(session, order.lane, Lock::Share).await?;
    let campaign = campaign(session, order).await?;
    let asked = asked(session, order).await?;
    let earlier = earlier_calls(session, order, &asked).await?;
    let day = day_of(&lane.settings, order.reading.now);
    let mut left_today = left_on(session, &lane, &day).await?;
    let stopped = stopped(order.stop_switch.clone(), stop_switches.stop.as_ref());
    let shared = shared(stopped, &lane, &campaign, order.reading);
    let (failing, last_dial_at) = (campaign.failing, campaign.last_dial_at);
    let mut claiming = Claiming { failing, last_dial_at, ..Claiming::default() };
    for (id, caller_id) in &order.calls {
        let Some(attempt) = asked.get(id) else { continue };
        match attempt.decide(order, &lane, campaign.revision, &shared, &earlier, left_today) {
            Ok(()) => {
                left_today = left_today.map(|left| left.saturating_sub(1));
                claiming.dial(*id, caller_id.as_deref(), attempt);
            }
            Err(why) => claiming.deny(*id, why, attempt, order.reading.now),
        }
    }
    for (id, cause) in &order.unfit {
        if let Some(attempt) = asked.get(id).filter(|attempt| attempt.state == AttemptState::Open) {
            claiming.lapse(*id, attempt, Some(cause), To::Review);
        }
    }
    let mut result = claiming.write(session, order, left_today.is_some().then_some(day.as_str())).await?;
    if !result.sending.is_empty() {
        if stop_switches.newer_zones {
            zone_data::enter(session, order.reading.now).await?;
        }
        result.server = server::server(session).await?;
    }
    Ok(result)
}

/// The campaign of a claim, as it stands.
struct Campaign {
    state: CampaignState,
    revision: i64,
    /// Why it must be paused, if too many of its last calls failed.
    failing: Vec<Failing>,
    /// When somebody of its run was dialled last, to the second.
    last_dial_at: Option<Moment>,
}

/// Loads the campaign, and keeps others from changing it until the transaction ends.
async fn campaign(session: &mut Session, order: &ClaimOrder) -> Result<Campaign, StoreError> {
    const CAMPAIGN: Sql = sql!(
        sqlite "SELECT c.state, c.revision, r.id, r.outcome_window, r.last_dial_at FROM campaigns c JOIN runs r ON r.id = c.run_id WHERE c.id = $1",
        postgres "SELECT c.state, c.revision, r.id, r.outcome_window, r.last_dial_at FROM campaigns c JOIN runs r ON r.id = c.run_id WHERE c.id = $1 \
                  FOR SHARE OF c"
    );
    let row = session.one(&CAMPAIGN, args![order.campaign]).await?;
    let state: CampaignState = row.word("campaigns", "state")?;
    let reason = order.safety.judge_recent(&recent_failures::recent(&row)?).filter(|_| state == CampaignState::Running);
    let failing = reason.map(|reason| Failing { campaign: order.campaign, reason, now: order.reading.now });
    Ok(Campaign {
        state,
        revision: row.get("revision")?,
        failing: failing.into_iter().collect(),
        last_dial_at: row.moment_or_none("last_dial_at")?,
    })
}

/// Calls that the lane may still make on a day, if they are limited.
async fn left_on(session: &mut Session, lane: &LaneRow, day: &str) -> Result<Option<u32>, StoreError> {
    let Some(per_day) = lane.settings.limits.per_day else { return Ok(None) };
    // Adding nothing locks the day's row, so that two claims never both see the last call of the
    // day.
    count_calls(session, lane.id, day, 0).await?;
    Ok(Some(per_day.saturating_sub(calls_on(session, lane.id, day).await?)))
}

/// What is to be written of a claim.
#[derive(Default)]
struct Claiming<'o> {
    sending: Vec<SendingRow<'o>>,
    lapsed: Vec<LapsedRow<'o>>,
    moves: Vec<Move>,
    refused: Vec<Refused>,
    failing: Vec<Failing>,
    /// The run that dials.
    run: Option<RunId>,
    /// When it dialled last, to the second.
    last_dial_at: Option<Moment>,
    deltas: Deltas,
}

impl<'o> Claiming<'o> {
    fn dial(&mut self, id: AttemptId, caller_id: Option<&'o str>, attempt: &Asked) {
        self.run = Some(attempt.run);
        self.deltas.attempt(attempt.run, Some(AttemptState::Open), AttemptState::Sending);
        self.sending.push(SendingRow { attempt_id: id, caller_id });
    }

    fn deny(&mut self, id: AttemptId, why: ClaimDenied, attempt: &Asked, now: Moment) {
        self.refused.push(Refused { attempt: id, why });
        let to = match why {
            ClaimDenied::NotOpen => return,
            ClaimDenied::PlanAgain | ClaimDenied::Held => To::WaitingAgain,
            ClaimDenied::Dnc => To::Stopped(StopReason::Dnc),
            // A callee who asked for a call and has had all of them was reached.
            ClaimDenied::AttemptsUsed if attempt.class == DialClass::Callback => To::Done,
            ClaimDenied::AttemptsUsed => To::Stopped(StopReason::AttemptsUsed),
            ClaimDenied::Capped(free) if attempt.class == DialClass::Callback => {
                To::Waiting(free.max(now), DialClass::Callback)
            }
            ClaimDenied::Capped(free) => To::Waiting(free.max(now), DialClass::Capped),
        };
        self.lapse(id, attempt, why.says(), to);
    }

    fn lapse(&mut self, id: AttemptId, attempt: &Asked, cause: Option<&'o str>, to: To) {
        self.deltas.attempt(attempt.run, Some(AttemptState::Open), AttemptState::Lapsed);
        self.lapsed.push(LapsedRow { attempt_id: id, cause });
        self.moves.push(Move { contact: attempt.contact, to, ended: None });
    }

    /// `day`: the day of the lane's calendar, when its calls of a day are limited.
    async fn write(
        mut self,
        session: &mut Session,
        order: &ClaimOrder,
        day: Option<&str>,
    ) -> Result<Claimed, StoreError> {
        const SENDING: Sql = sql!(
            "UPDATE attempts AS a SET live_change = (SELECT n FROM change_number), \
             state = 'sending', sending_at = $2, caller_id = u.caller_id FROM"
            rows (attempt_id bigint, caller_id text)
            "WHERE a.id = u.attempt_id AND a.state = 'open'"
        );
        const LAPSED: Sql = sql!(
            "UPDATE attempts AS a SET change_number = (SELECT n FROM change_number), \
             state = 'lapsed', live = FALSE, cause = u.cause FROM"
            rows (attempt_id bigint, cause text)
            "WHERE a.id = u.attempt_id AND a.state = 'open'"
        );
        // Claims of one run would wait for each other, and for outcomes, at its row: it may be a second
        // behind.
        const DIALLED: Sql =
            sql!("UPDATE runs SET last_dial_at = $2 WHERE id = $1 AND (last_dial_at IS NULL OR last_dial_at < $2)");
        let now = order.reading.now;
        let sending: Vec<AttemptId> = self.sending.iter().map(|row| row.attempt_id).collect();
        if !sending.is_empty() {
            self.sending.sort_unstable_by_key(|row| row.attempt_id);
            let claimed = session.run(&SENDING, args![session::rows(&self.sending), now]).await?;
            if claimed != sending.len() as u64 {
                return Err(StoreError::Refused(sqlx::Error::RowNotFound));
            }
            if let Some(day) = day {
                count_calls(session, order.lane, day, sending.len() as i64).await?;
            }
        }
        if !self.lapsed.is_empty() {
            session.run(&LAPSED, args![session::rows(&self.lapsed)]).await?;
            let contacts = snapshots(session, self.moves.iter().map(|step| step.contact)).await?;
            advance(session, now, &contacts, &self.moves, &mut self.deltas).await?;
        }
        let is_noted = self.last_dial_at.is_some_and(|at| now < at + DIALLED_EVERY);
        if let Some(run) = self.run.filter(|_| !is_noted) {
            session.run(&DIALLED, args![run, now]).await?;
        }
        self.deltas.write(session).await?;
        Ok(Claimed { sending, refused: self.refused, failing: self.failing, ..Claimed::default() })
    }
}

/// The verdicts that are the same for every attempt of the claim.
fn shared(stopped: Option<Stopped>, lane: &LaneRow, campaign: &Campaign, reading: ClockReading) -> Vec<Verdict> {
    let of_lane = verdicts::of_lane(stopped, lane, reading);
    let of_campaign = [
        Verdict::Campaign { state: campaign.state, paused_by: None, reason: None },
        Verdict::Safety { failing: campaign.failing.first().map(|failing| failing.reason.clone()) },
    ];
    of_lane.into_iter().chain(of_campaign).collect()
}

impl Asked {
    /// Asks every verdict on one attempt; the first that denies counts.
    fn decide(
        &self,
        order: &ClaimOrder,
        lane: &LaneRow,
        revision: i64,
        shared: &[Verdict],
        earlier: &HashMap<NumberKey, Vec<PastCall>>,
        left_today: Option<u32>,
    ) -> Result<(), ClaimDenied> {
        let zones = if self.zones.is_empty() { &order.default_zones } else { &self.zones };
        let earlier = earlier.get(&self.number).map_or(&[][..], Vec::as_slice);
        let words = || ("per_number", String::new());
        let of_attempt = [
            Verdict::Attempt { state: self.state },
            Verdict::DoNotCall { entry: self.on_dnc.then(String::new) },
            Verdict::Leaving { leaves: self.leaving },
            Verdict::Planned { after: self.dial_after, before: self.dial_before },
            Verdict::Ownership { of_attempt: self.epoch, present: lane.epoch },
            Verdict::Revision { of_attempt: self.revision, present: revision },
        ];
        let of_number = [
            Verdict::Attempts { calls: self.calls, most: order.max_attempts },
            verdicts::lane_day(lane, left_today, order.reading),
            Verdict::of_number_limits(&order.limits, earlier, order.reading, zones, words),
        ];
        decide(of_attempt.iter().chain(shared).chain(&of_number), order.reading)
    }
}

async fn asked(session: &mut Session, order: &ClaimOrder) -> Result<BTreeMap<AttemptId, Asked>, StoreError> {
    const ASK: Sql = sql!(
        "SELECT a.id, a.contact_id, a.run_id, a.state, a.number_key, a.dial_after, a.dial_before, a.epoch, a.revision, \
         a.class, b.zones, k.calls, k.pending_stop_reason IS NOT NULL AS leaving, \
         EXISTS (SELECT 1 FROM dnc d WHERE d.number_key = a.number_key AND d.campaign_id IN (0, b.campaign_id)) AS on_dnc \
         FROM attempts a JOIN contacts k ON k.id = a.contact_id JOIN buckets b ON b.id = k.bucket_id WHERE a.id" ids
        "AND a.lane_id = $2" postgres "ORDER BY a.id FOR UPDATE OF a"
    );
    let ids = order.calls.iter().map(|(id, _)| id).chain(order.unfit.iter().map(|(id, _)| id));
    let rows = session.rows(&ASK, args![Arg::ids(ids.map(|id| id.0)), order.lane]).await?;
    rows.iter()
        .map(|row| {
            let asked = Asked {
                contact: ContactId(row.get("contact_id")?),
                run: RunId(row.get("run_id")?),
                state: row.word("attempts", "state")?,
                number: NumberKey(row.get("number_key")?),
                dial_after: row.moment("dial_after")?,
                dial_before: row.moment("dial_before")?,
                epoch: row.get("epoch")?,
                revision: row.get("revision")?,
                class: row.word("attempts", "class")?,
                zones: row.word("buckets", "zones")?,
                calls: u32::try_from(row.get::<i64>("calls")?).unwrap_or(u32::MAX),
                on_dnc: row.get("on_dnc")?,
                leaving: row.get("leaving")?,
            };
            Ok((AttemptId(row.get("id")?), asked))
        })
        .collect()
}

/// The counted calls to the numbers, as far back as the rules remember. The attempts asked about
/// are open and committed: the live index keeps every other claim of these numbers out until they
/// are settled, so what is read here stands.
async fn earlier_calls(
    session: &mut Session,
    order: &ClaimOrder,
    asked: &BTreeMap<AttemptId, Asked>,
) -> Result<HashMap<NumberKey, Vec<PastCall>>, StoreError> {
    const EARLIER: Sql = sql!(
        "SELECT p.id, p.number_key, p.sending_at, p.ended_at, p.outcome, p.refusal FROM attempts p WHERE p.number_key" ids
        "AND p.opened_at > $2 AND (p.state IN ('sending', 'placed', 'unknown') \
         OR (p.state = 'ended' AND p.outcome <> 'not_dialled'))"
    );
    let memory = order.limits.memory();
    if memory == Span::ZERO {
        return Ok(HashMap::new());
    }
    let numbers = Arg::ids(asked.values().map(|asked| asked.number.0));
    let since = order.reading.now - memory - LONGEST_CALL;
    let mut earlier: HashMap<NumberKey, Vec<PastCall>> = HashMap::new();
    for row in session.rows(&EARLIER, args![numbers, since]).await? {
        let outcome: Option<String> = row.get("outcome")?;
        let call = PastCall {
            sent_at: row.moment("sending_at")?,
            ended_at: row.moment_or_none("ended_at")?,
            outcome: outcome.map(|_| row.word::<Outcome>("attempts", "outcome")).transpose()?,
            refused: row.get("refusal")?,
        };
        earlier.entry(NumberKey(row.get("number_key")?)).or_default().push(call);
    }
    Ok(earlier)
}
