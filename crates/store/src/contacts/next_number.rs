//! Several numbers of one person, tried in turn.

use std::collections::BTreeMap;

use ringfence_domain::{ContactId, DialClass, Moment, NumberKey, PhoneNumber, StopReason};
use serde::Serialize;

use super::snapshot::ContactSnapshot;
use super::transitions::{Move, To};
use crate::StoreError;
use crate::session::{self, Arg, Session, Sql, args, sql};

struct OwnNumber {
    key: NumberKey,
    number: String,
    invalid: bool,
}

/// After a call that did not reach its person the next of the person's numbers has its turn. A
/// number that does not exist has none any more; only when all are gone is the person given up.
/// `called`: the number that each contact was called on.
pub(crate) async fn turn(
    session: &mut Session,
    snapshots: &BTreeMap<ContactId, ContactSnapshot>,
    called: &BTreeMap<ContactId, NumberKey>,
    moves: &mut [Move],
    now: Moment,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct TurnRow {
        contact_id: ContactId,
        number_key: NumberKey,
        number: String,
    }
    #[derive(Serialize)]
    struct DeadRow {
        contact_id: ContactId,
        number_key: NumberKey,
    }
    const TURN: Sql = sql!(
        "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
         number = u.number, number_key = u.number_key FROM"
        rows (contact_id bigint, number_key bigint, number text)
        "WHERE c.id = u.contact_id"
    );
    const DEAD: Sql = sql!(
        "UPDATE contact_numbers AS n SET invalid = TRUE FROM"
        rows (contact_id bigint, number_key bigint)
        "WHERE n.contact_id = u.contact_id AND n.number_key = u.number_key"
    );
    let gone = |step: &Move| step.to == To::Stopped(StopReason::InvalidNumber);
    let again = |step: &Move| matches!(step.to, To::Waiting(_, DialClass::Retry));
    let concerned: Vec<ContactId> = moves
        .iter()
        .filter(|step| gone(step) || again(step))
        .map(|step| step.contact)
        .filter(|contact| snapshots.get(contact).is_some_and(|snapshot| snapshot.has_multiple_numbers))
        .collect();
    let numbers = if concerned.is_empty() { BTreeMap::new() } else { own_numbers(session, &concerned).await? };
    let (mut turns, mut dead) = (Vec::new(), Vec::new());
    for step in moves.iter_mut() {
        let (Some(snapshot), Some(called)) = (snapshots.get(&step.contact), called.get(&step.contact)) else {
            continue;
        };
        if gone(step) && snapshot.number != *called {
            // A newer file has brought another number meanwhile.
            step.to = To::Waiting(now, snapshot.class);
            continue;
        }
        let Some(own) = numbers.get(&step.contact).filter(|_| gone(step) || again(step)) else { continue };
        if gone(step) {
            dead.push(DeadRow { contact_id: step.contact, number_key: *called });
        }
        let place = own.iter().position(|number| number.key == *called).unwrap_or_default();
        let later = own[place + 1..].iter().chain(&own[..place]);
        let Some(next) = later.into_iter().find(|number| !number.invalid) else { continue };
        turns.push(TurnRow { contact_id: step.contact, number_key: next.key, number: next.number.clone() });
        if gone(step) {
            step.to = To::Waiting(now, snapshot.class);
        }
    }
    if !dead.is_empty() {
        session.run(&DEAD, args![session::rows(&dead)]).await?;
    }
    if !turns.is_empty() {
        session.run(&TURN, args![session::rows(&turns)]).await?;
    }
    Ok(())
}

async fn own_numbers(
    session: &mut Session,
    contacts: &[ContactId],
) -> Result<BTreeMap<ContactId, Vec<OwnNumber>>, StoreError> {
    #[derive(Serialize)]
    struct IdRow {
        contact_id: ContactId,
    }
    const READ: Sql = sql!(
        "SELECT n.contact_id AS id, n.number_key, n.number, n.invalid FROM"
        rows (contact_id bigint)
        "CROSS JOIN contact_numbers n WHERE n.contact_id = u.contact_id ORDER BY n.contact_id, n.position"
    );
    let ids: Vec<IdRow> = contacts.iter().map(|contact_id| IdRow { contact_id: *contact_id }).collect();
    let mut numbers: BTreeMap<ContactId, Vec<OwnNumber>> = BTreeMap::new();
    for row in session.rows(&READ, args![session::rows(&ids)]).await? {
        let number = OwnNumber {
            key: NumberKey(row.get("number_key")?),
            number: row.get("number")?,
            invalid: row.get("invalid")?,
        };
        numbers.entry(ContactId(row.get("id")?)).or_default().push(number);
    }
    Ok(numbers)
}

/// Every number of these contacts, once.
pub(crate) async fn of_contacts(session: &mut Session, contacts: &[ContactId]) -> Result<Vec<PhoneNumber>, StoreError> {
    const ALL: Sql = sql!(
        "SELECT id, number FROM contacts WHERE id"
        ids "UNION SELECT contact_id AS id, number FROM contact_numbers WHERE contact_id"
        ids "ORDER BY 2"
    );
    let rows = session.rows(&ALL, args![Arg::ids(contacts.iter().map(|id| id.0))]).await?;
    let mut numbers = rows.iter().map(|row| row.number("contact_numbers")).collect::<Result<Vec<_>, _>>()?;
    numbers.dedup();
    Ok(numbers)
}
