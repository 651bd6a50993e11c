//! The claim: open attempts become `sending`, the point of no return.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use ringfence_domain::safety::Safety;
use ringfence_domain::verdict::{ClaimDenied, Verdict, decide};
use ringfence_domain::{
    AttemptId, AttemptState, CampaignId, CampaignState, ContactId, DialClass, LaneId, Moment, NumberKey, NumberLimits,
    Outcome, PastCall, Reading, RunId, Span, StopReason, ZoneSet,
};
use serde::Serialize;

use crate::campaigns::recent_failures;
use crate::campaigns::recent_failures::Failing;
use crate::contacts::snapshot::standings;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::lanes::daily_calls::{calls_on, count_calls, day_of};
use crate::lanes::rows::{LaneRow, Lock, lock};
use crate::quarantine::server;
use crate::session::{Arg, Session, Sql, args, claim_fence, rows_json, sql};
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
    /// What the campaign's own rails say, by the same revision.
    pub safety: Safety,
    /// Where a callee is taken to be whose own zones are unknown.
    pub default_zones: ZoneSet,
    /// The attempts, each with the number that it is called from.
    pub calls: Vec<(AttemptId, Option<String>)>,
    /// Attempts for which no request can be written, and why: their contacts go to review.
    pub unfit: Vec<(AttemptId, String)>,
    /// The time.
    pub reading: Reading,
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
    /// These were claimed and must not be sent; whoever asked records so.
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
    on_dnc: bool,
    leaving: bool,
}

/// Claims what may be dialled. Everything that could forbid it is locked, read and asked here.
pub(crate) async fn claim(session: &mut Session, order: &ClaimOrder) -> Result<Claimed, StoreError> {
    const CAMPAIGN: Sql = sql!(
        sqlite "SELECT c.state, c.revision, r.id, r.outcome_window FROM campaigns c JOIN runs r ON r.id = c.run_id WHERE c.id = $1",
        postgres "SELECT c.state, c.revision, r.id, r.outcome_window FROM campaigns c JOIN runs r ON r.id = c.run_id WHERE c.id = $1 \
                  FOR SHARE OF c"
    );
    const SENDING: Sql = sql!(
        sqlite "UPDATE attempts AS a SET state = 'sending', sending_at = $2, caller_id = u.caller_id \
                FROM (SELECT value->>'attempt_id' AS attempt_id, value->>'caller_id' AS caller_id FROM json_each($1)) AS u \
                WHERE a.id = u.attempt_id AND a.state = 'open'",
        postgres "UPDATE attempts AS a SET state = 'sending', sending_at = $2, caller_id = u.caller_id \
                  FROM jsonb_to_recordset($1::jsonb) AS u(attempt_id bigint, caller_id text) \
                  WHERE a.id = u.attempt_id AND a.state = 'open'"
    );
    const LAPSED: Sql = sql!(
        "UPDATE attempts AS a SET state = 'lapsed', live = FALSE, cause = u.cause FROM"
        rows (attempt_id bigint, cause text)
        "WHERE a.id = u.attempt_id AND a.state = 'open'"
    );
    const DIALLED: Sql = sql!("UPDATE runs SET last_dial_at = $2 WHERE id = $1");

    claim_fence::pass(session).await?;
    let brakes = stop_all::read(session).await?;
    let lane = lock(session, order.lane, Lock::Share).await?;
    let campaign = session.one(&CAMPAIGN, args![order.campaign]).await?;
    let campaign_state: CampaignState = campaign.word("campaigns", "state")?;
    let revision: i64 = campaign.get("revision")?;
    let failing: Vec<Failing> = order
        .safety
        .judge_recent(&recent_failures::recent(&campaign)?)
        .map(|reason| Failing { campaign: order.campaign, reason, now: order.reading.now })
        .into_iter()
        .filter(|_| campaign_state == CampaignState::Running)
        .collect();
    let asked = asked(session, order).await?;
    let earlier = earlier_calls(session, order, &asked).await?;
    let now = order.reading.now;
    let day = day_of(&lane.settings, now);
    let mut left_today = match lane.settings.limits.per_day {
        Some(per_day) => {
            // Adding nothing locks the day's row, so that two claims never both see the last call
            // of the day.
            count_calls(session, order.lane, &day, 0).await?;
            Some(per_day.saturating_sub(calls_on(session, order.lane, &day).await?))
        }
        None => None,
    };

    let shared = shared(&brakes, &lane, campaign_state, &failing, order.reading);
    let mut result = Claimed { failing: failing.clone(), ..Claimed::default() };
    let (mut sending, mut lapsed, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    let mut deltas = Deltas::default();
    for (id, caller_id) in &order.calls {
        let Some(attempt) = asked.get(id) else { continue };
        let verdicts = attempt.verdicts(order, &lane, revision, &shared, &earlier, left_today);
        let why = match decide(verdicts, order.reading) {
            Ok(()) => {
                left_today = left_today.map(|left| left.saturating_sub(1));
                deltas.attempt(attempt.run, Some(AttemptState::Open), AttemptState::Sending);
                sending.push(SendingRow { attempt_id: *id, caller_id: caller_id.as_deref() });
                result.sending.push(*id);
                continue;
            }
            Err(why) => why,
        };
        result.refused.push(Refused { attempt: *id, why });
        let to = match why {
            ClaimDenied::NotOpen => continue,
            ClaimDenied::PlanAgain | ClaimDenied::Held => To::WaitingAgain,
            ClaimDenied::Dnc => To::Stopped(StopReason::Dnc),
            ClaimDenied::Capped(free) => To::Waiting(
                free.max(now),
                if attempt.class == DialClass::Callback { DialClass::Callback } else { DialClass::Capped },
            ),
        };
        deltas.attempt(attempt.run, Some(AttemptState::Open), AttemptState::Lapsed);
        lapsed.push(LapsedRow { attempt_id: *id, cause: why.says() });
        moves.push(Move { contact: attempt.contact, to, ended: None });
    }
    for (id, cause) in &order.unfit {
        let Some(attempt) = asked.get(id).filter(|attempt| attempt.state == AttemptState::Open) else { continue };
        deltas.attempt(attempt.run, Some(AttemptState::Open), AttemptState::Lapsed);
        lapsed.push(LapsedRow { attempt_id: *id, cause: Some(cause) });
        moves.push(Move { contact: attempt.contact, to: To::Review, ended: None });
    }
    if !sending.is_empty() {
        sending.sort_unstable_by_key(|row| row.attempt_id);
        let claimed = session.run(&SENDING, args![rows_json(&sending), now]).await?;
        if claimed != sending.len() as u64 {
            return Err(StoreError::Refused(sqlx::Error::RowNotFound));
        }
        if left_today.is_some() {
            count_calls(session, order.lane, &day, sending.len() as i64).await?;
        }
    }
    if !lapsed.is_empty() {
        session.run(&LAPSED, args![rows_json(&lapsed)]).await?;
        let standings = standings(session, moves.iter().map(|step| step.contact)).await?;
        advance(session, now, &standings, &moves, &mut deltas).await?;
    }
    if let (Some(attempt), false) = (asked.values().next(), sending.is_empty()) {
        session.run(&DIALLED, args![attempt.run, now]).await?;
    }
    deltas.write(session).await?;
    if !result.sending.is_empty() {
        if brakes.newer_zones {
            zone_data::enter(session, now).await?;
        }
        result.server = server::server(session).await?;
    }
    Ok(result)
}

/// The verdicts that are the same for every attempt of the claim.
fn shared(
    brakes: &stop_all::Standing,
    lane: &LaneRow,
    campaign: CampaignState,
    failing: &[Failing],
    reading: Reading,
) -> Vec<Verdict> {
    let of_lane = verdicts::of_lane(stopped(None, brakes.stop.as_ref()), lane, reading);
    let of_campaign = [
        Verdict::Campaign { state: campaign, paused_by: None, reason: None },
        Verdict::Safety { failing: failing.first().map(|failing| failing.reason.clone()) },
    ];
    of_lane.into_iter().chain(of_campaign).collect()
}

impl Asked {
    /// Every verdict on one attempt; the first that denies counts.
    fn verdicts<'v>(
        &self,
        order: &ClaimOrder,
        lane: &LaneRow,
        revision: i64,
        shared: &'v [Verdict],
        earlier: &HashMap<NumberKey, Vec<PastCall>>,
        left_today: Option<u32>,
    ) -> Vec<Cow<'v, Verdict>> {
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
            verdicts::lane_day(lane, left_today, order.reading),
            Verdict::of_number_limits(&order.limits, earlier, order.reading, zones, words),
        ];
        let own = |verdict| Cow::Owned(verdict);
        let shared = shared.iter().map(Cow::Borrowed);
        of_attempt.into_iter().map(own).chain(shared).chain(of_number.into_iter().map(own)).collect()
    }
}

async fn asked(session: &mut Session, order: &ClaimOrder) -> Result<BTreeMap<AttemptId, Asked>, StoreError> {
    const ASK: Sql = sql!(
        "SELECT a.id, a.contact_id, a.run_id, a.state, a.number_key, a.dial_after, a.dial_before, a.epoch, a.revision, \
         a.class, b.zones, k.pending_stop_reason IS NOT NULL AS leaving, \
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
