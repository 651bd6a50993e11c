//! What a person decides of single contacts: stopped, or called next.

use ringfence_domain::event::EventKind;
use ringfence_domain::{ContactId, ContactState, DialClass, Moment, RunId, StopReason};

use crate::StoreError;
use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::events::{Subject, tell};
use crate::session::{Arg, Session, Sql, args, claim_fence, sql};

/// Stops contacts, and returns how many were. Who has a call out goes on with it, and is stopped
/// instead of waiting again; a call that is only planned is not made. Who is finished stays so.
pub(crate) async fn stop(
    session: &mut Session,
    contacts: &[ContactId],
    reason: &str,
    now: Moment,
) -> Result<u32, StoreError> {
    const LEAVE: Sql = sql!("UPDATE contacts SET pending_stop_reason = $2 WHERE id" ids "");
    claim_fence::close(session).await?;
    let known = snapshots(session, contacts.iter().copied()).await?;
    let (mut moves, mut leaving) = (Vec::new(), Vec::new());
    for (contact, snapshot) in &known {
        match snapshot.state {
            ContactState::Waiting => {
                moves.push(Move { contact: *contact, to: To::Stopped(StopReason::ByHand), ended: None });
            }
            ContactState::Active | ContactState::Review => leaving.push(contact.0),
            ContactState::Done | ContactState::Stopped => {}
        }
    }
    let stopped = (moves.len() + leaving.len()) as u32;
    if !leaving.is_empty() {
        session.run(&LEAVE, args![Arg::ids(leaving), StopReason::ByHand.as_str()]).await?;
    }
    let mut deltas = Deltas::default();
    advance(session, now, &known, &moves, &mut deltas).await?;
    deltas.write(session).await?;
    if let Some(run) = known.values().next().map(|snapshot| snapshot.run).filter(|_| stopped > 0) {
        tell(EventKind::ContactsStopped, Subject::Run(run), Some(&format!("{stopped}: {reason}")), now);
    }
    Ok(stopped)
}

/// Has a contact called before everybody who was not called yet, as soon as every rule allows it.
/// False when it does not wait, or its import is held.
pub(crate) async fn call_next(session: &mut Session, contact: ContactId, now: Moment) -> Result<bool, StoreError> {
    const STAGED: Sql = sql!("SELECT b.staged FROM contacts c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1");
    let known = snapshots(session, std::iter::once(contact)).await?;
    let Some(snapshot) = known.get(&contact) else { return Ok(false) };
    let is_staged: bool = session.one(&STAGED, args![contact]).await?.get("staged")?;
    if snapshot.state != ContactState::Waiting || is_staged {
        return Ok(false);
    }
    // What the callee asked for keeps its name.
    let class = if snapshot.class == DialClass::Callback { DialClass::Callback } else { DialClass::Retry };
    let (run, step): (RunId, Move) = (snapshot.run, Move { contact, to: To::Waiting(now, class), ended: None });
    let mut deltas = Deltas::default();
    advance(session, now, &known, &[step], &mut deltas).await?;
    deltas.write(session).await?;
    tell(EventKind::ContactPreferred, Subject::Run(run), Some(&format!("contact {contact}")), now);
    Ok(true)
}
