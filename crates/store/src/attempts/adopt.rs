//! Calls that a vendor knows and the database has forgotten: they become attempts of the contacts
//! that they were made to.
//!
//! They are entered oldest first, and one of a number at a time, as calls are made: the reconciler
//! asks how each ended, what follows is decided, and the next one can be entered. Where the database
//! has an attempt of that number whose answer was lost, and several calls may be it, the oldest is
//! taken for it: the others were made after what the database knows.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::{
    AttemptId, AttemptState, ContactId, ContactState, DialClass, LaneId, Moment, NumberKey, PhoneNumber, RunId, Span,
};
use serde::Serialize;

use super::live::bound_calls;
use super::settle::{Settlement, settle};
use crate::StoreError;
use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::lanes::daily_calls::{count_calls, day_of};
use crate::lanes::rows::{LaneRow, Lock, lock};
use crate::session::{self, Arg, Session, Sql, args, sql};

/// A call on a vendor's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorCall {
    /// The vendor's name for it.
    pub call_id: String,
    /// Who was called.
    pub number: PhoneNumber,
    /// The key of the number.
    pub number_key: NumberKey,
    /// When, as the vendor says.
    pub at: Option<Moment>,
    /// The agent that called, as the vendor says.
    pub agent: Option<String>,
    /// Whether `call_id` is what placing the call returned.
    pub named: bool,
}

/// Calls that are to be entered.
#[derive(Debug, Clone)]
pub struct AdoptOrder {
    /// The lane whose vendor was asked.
    pub lane: LaneId,
    /// The calls, oldest first.
    pub calls: Vec<VendorCall>,
    /// The moment from which on they were asked for.
    pub since: Moment,
    /// Without news by then, slot and number are free again.
    pub overdue_at: Moment,
    /// The time.
    pub now: Moment,
}

/// What became of the calls of an order; their sum is its length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The database has them.
    pub known: i64,
    /// They were entered.
    pub adopted: i64,
    /// Their number has a call that is not settled yet; they can be entered after it.
    pub waiting: i64,
    /// No contact that waits for a call fits.
    pub strange: i64,
}

/// A contact with one of the numbers.
struct Candidate {
    contact: ContactId,
    run: RunId,
    state: ContactState,
    class: DialClass,
    agent: Option<String>,
    /// A call to the contact or to the number is out, or may be.
    busy: bool,
}

#[derive(Serialize)]
struct AttemptRow<'a> {
    contact_id: ContactId,
    run_id: RunId,
    number_key: NumberKey,
    number: &'a str,
    class: &'static str,
    reference: String,
    call_id: &'a str,
    at: i64,
}

/// Enters what can be entered now. May be repeated.
pub(crate) async fn adopt(session: &mut Session, order: &AdoptOrder) -> Result<Adopted, StoreError> {
    let lane = lock(session, order.lane, Lock::Share).await?;
    let ids: Vec<String> = order.calls.iter().map(|call| call.call_id.clone()).collect();
    let known = bound_calls(session, order.lane, &ids).await?;
    let mut candidates = candidates(session, order).await?;
    let sent = sent_since(session, order).await?;
    let mut done = Adopted::default();
    let mut rows = Vec::new();
    let mut waiting: BTreeMap<NumberKey, Vec<&VendorCall>> = BTreeMap::new();
    for call in &order.calls {
        let entered = sent.get(&call.number_key).is_some_and(|sent| call.is_one_of(sent));
        if known.contains(&call.call_id) || entered {
            done.known += 1;
            continue;
        }
        let mut of_number: Vec<&mut Candidate> =
            candidates.get_mut(&call.number_key).into_iter().flatten().filter(|one| one.fits(call)).collect();
        let busy = of_number.iter().any(|one| one.busy);
        match of_number.iter().position(|one| one.state == ContactState::Waiting) {
            Some(place) if !busy => {
                let one = &mut *of_number[place];
                one.busy = true;
                rows.push(AttemptRow {
                    contact_id: one.contact,
                    run_id: one.run,
                    number_key: call.number_key,
                    number: call.number.e164(),
                    class: one.class.as_str(),
                    reference: uuid::Uuid::new_v4().simple().to_string(),
                    call_id: &call.call_id,
                    at: call.at.unwrap_or(order.now).millis(),
                });
            }
            _ if busy => waiting.entry(call.number_key).or_default().push(call),
            _ => done.strange += 1,
        }
    }
    let asked = rows.len() as i64;
    done.adopted = enter(session, order, &lane, &mut rows).await?;
    // Somebody else got hold of the number in between.
    done.waiting = asked - done.adopted + waiting.values().map(|calls| calls.len() as i64).sum::<i64>();
    let found = found(session, order, &waiting).await?;
    if !found.is_empty() {
        let settled = i64::from(settle(session, order.now, &found).await?.settled);
        done.adopted += settled;
        done.waiting -= settled;
    }
    Ok(done)
}

/// Attempts whose answer was lost, each with the oldest of several calls that may be it. One call
/// alone is found by the search for lost calls, which knows more of it than a list says.
async fn found(
    session: &mut Session,
    order: &AdoptOrder,
    waiting: &BTreeMap<NumberKey, Vec<&VendorCall>>,
) -> Result<Vec<(AttemptId, Settlement)>, StoreError> {
    const LOST: Sql = sql!(
        "SELECT a.id, a.number_key, a.sending_at FROM attempts a WHERE a.number_key" ids
        "AND a.lane_id = $2 AND a.live AND a.state = 'unknown'"
    );
    let several: Vec<i64> = waiting.iter().filter(|(_, calls)| calls.len() > 1).map(|(key, _)| key.0).collect();
    let mut found = Vec::new();
    if several.is_empty() {
        return Ok(found);
    }
    for row in session.rows(&LOST, args![Arg::ids(several), order.lane]).await? {
        let sent_at = row.moment("sending_at")?;
        let calls = waiting.get(&NumberKey(row.get("number_key")?)).into_iter().flatten();
        let mut later = calls.filter(|call| call.at.is_none_or(|at| at >= sent_at - NEAR));
        if let (Some(oldest), Some(_)) = (later.next(), later.next()) {
            let settlement = Settlement::Found { call_id: oldest.call_id.clone(), overdue_at: order.overdue_at };
            found.push((AttemptId(row.get("id")?), settlement));
        }
    }
    Ok(found)
}

/// A vendor's clock and its queue put a call no further from our own time than this.
const NEAR: Span = Span::from_minutes(5);

impl VendorCall {
    /// Whether a row without the call's own name is one of the calls that the database has.
    fn is_one_of(&self, sent: &[Moment]) -> bool {
        let near = |ours: &Moment| self.at.is_none_or(|at| at >= *ours - NEAR && at <= *ours + NEAR);
        !self.named && sent.iter().any(near)
    }
}

impl Candidate {
    fn fits(&self, call: &VendorCall) -> bool {
        match (&self.agent, &call.agent) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }
}

fn keys(order: &AdoptOrder) -> Arg {
    let keys: BTreeSet<NumberKey> = order.calls.iter().map(|call| call.number_key).collect();
    Arg::ids(keys.into_iter().map(|key| key.0))
}

/// When the database called these numbers through the lane since then.
async fn sent_since(session: &mut Session, order: &AdoptOrder) -> Result<BTreeMap<NumberKey, Vec<Moment>>, StoreError> {
    const SENT: Sql = sql!(
        "SELECT a.number_key, a.sending_at FROM attempts a WHERE a.number_key" ids
        "AND a.lane_id = $2 AND a.sending_at >= $3 AND a.call_id IS NOT NULL"
    );
    let mut sent: BTreeMap<NumberKey, Vec<Moment>> = BTreeMap::new();
    for row in session.rows(&SENT, args![keys(order), order.lane, order.since - NEAR]).await? {
        sent.entry(NumberKey(row.get("number_key")?)).or_default().push(row.moment("sending_at")?);
    }
    Ok(sent)
}

/// Contacts of current runs on the lane, by each of their numbers, in the order of their ids.
async fn candidates(
    session: &mut Session,
    order: &AdoptOrder,
) -> Result<BTreeMap<NumberKey, Vec<Candidate>>, StoreError> {
    const BY_NUMBER: Sql = sql!(
        "SELECT c.id, o.number_key, c.run_id, c.state, b.class, m.rules->>'agent' AS agent, \
         EXISTS (SELECT 1 FROM attempts a WHERE a.live AND (a.contact_id = c.id OR a.number_key = o.number_key)) AS busy \
         FROM number_owners o CROSS JOIN campaigns m CROSS JOIN contacts c CROSS JOIN buckets b WHERE o.number_key" ids
        "AND m.run_id = o.run_id + 0 AND m.lane_id = $2 AND m.state <> 'cancelled' AND c.id = o.contact_id AND b.id = c.bucket_id"
    );
    let mut found: BTreeMap<NumberKey, Vec<Candidate>> = BTreeMap::new();
    for row in session.rows(&BY_NUMBER, args![keys(order), order.lane]).await? {
        found.entry(NumberKey(row.get("number_key")?)).or_default().push(Candidate {
            contact: ContactId(row.get("id")?),
            run: RunId(row.get("run_id")?),
            state: row.word("contacts", "state")?,
            class: row.word("buckets", "class")?,
            agent: row.get("agent")?,
            busy: row.get("busy")?,
        });
    }
    for candidates in found.values_mut() {
        candidates.sort_by_key(|candidate| candidate.contact);
    }
    Ok(found)
}

/// Every attempt goes the way of all: open, sending, placed.
async fn enter(
    session: &mut Session,
    order: &AdoptOrder,
    lane: &LaneRow,
    rows: &mut Vec<AttemptRow<'_>>,
) -> Result<i64, StoreError> {
    const INSERT: Sql = sql!(
        "INSERT INTO attempts (lane_id, epoch, opened_at, state, live, contact_id, run_id, number_key, number, class, \
         reference, dial_after, dial_before, revision, change_number) SELECT $2, $3, u.at, 'open', TRUE, \
         u.contact_id, u.run_id, u.number_key, u.number, u.class, u.reference, u.at, u.at, 0, \
         (SELECT n FROM change_number) FROM"
        rows (contact_id bigint, run_id bigint, number_key bigint, number text, class text, reference text, call_id text, at bigint)
        "WHERE true ORDER BY u.number_key ON CONFLICT DO NOTHING RETURNING contact_id"
    );
    const SENDING: Sql = sql!(
        "UPDATE attempts AS a SET change_number = (SELECT n FROM change_number), \
         state = 'sending', sending_at = u.at FROM"
        rows (reference text, at bigint)
        "WHERE a.reference = u.reference AND a.lane_id = $2 AND a.live"
    );
    const PLACED: Sql = sql!(
        "UPDATE attempts AS a SET change_number = (SELECT n FROM change_number), \
         state = 'placed', placed_at = u.at, call_id = u.call_id, overdue_at = $3, \
         cause = 'found on the list of the vendor' FROM"
        rows (reference text, call_id text, at bigint)
        "WHERE a.reference = u.reference AND a.lane_id = $2 AND a.live"
    );
    const CALLS: Sql = sql!(
        "INSERT INTO calls (lane_id, call_id, attempt_id) SELECT a.lane_id, a.call_id, a.id FROM"
        rows (reference text)
        "CROSS JOIN attempts a WHERE a.reference = u.reference AND a.lane_id = $2 AND a.live"
    );
    const DIALLED: Sql =
        sql!("UPDATE runs SET last_dial_at = CASE WHEN last_dial_at > $2 THEN last_dial_at ELSE $2 END WHERE id = $1");
    if rows.is_empty() {
        return Ok(0);
    }
    let inserted = session.rows(&INSERT, args![session::rows(rows), order.lane, lane.epoch]).await?;
    let inserted: BTreeSet<ContactId> =
        inserted.iter().map(|row| row.get("contact_id").map(ContactId)).collect::<Result<_, _>>()?;
    rows.retain(|row| inserted.contains(&row.contact_id));
    let sent = session::rows(rows);
    session.run(&SENDING, args![sent.clone(), order.lane]).await?;
    session.run(&PLACED, args![sent.clone(), order.lane, order.overdue_at]).await?;
    session.run(&CALLS, args![sent, order.lane]).await?;
    let mut deltas = Deltas::default();
    let mut days: BTreeMap<String, i64> = BTreeMap::new();
    let mut dialled: BTreeMap<RunId, i64> = BTreeMap::new();
    for row in rows.iter() {
        deltas.attempt(row.run_id, None, AttemptState::Placed);
        *days.entry(day_of(&lane.settings, Moment::from_millis(row.at))).or_default() += 1;
        let last = dialled.entry(row.run_id).or_default();
        *last = row.at.max(*last);
    }
    let snapshots = snapshots(session, inserted.iter().copied()).await?;
    let moves: Vec<Move> =
        inserted.iter().map(|contact| Move { contact: *contact, to: To::Active, ended: None }).collect();
    advance(session, order.now, &snapshots, &moves, &mut deltas).await?;
    for (run, at) in dialled {
        session.run(&DIALLED, args![run, at]).await?;
    }
    if lane.settings.limits.per_day.is_some() {
        for (day, calls) in days {
            count_calls(session, order.lane, &day, calls).await?;
        }
    }
    deltas.write(session).await?;
    Ok(inserted.len() as i64)
}
