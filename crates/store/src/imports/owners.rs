//! Whose each number of a run is, and the numbers of new contacts, which are entered after them.

use ringfence_domain::{ContactId, ImportId, NumberKey, RunId};
use serde::Serialize;

use super::rows::by_id;
use crate::database::turns::Urgency;
use crate::erasure::refuse_erased;
use crate::session::{self, Arg, Session, Sql, args, sql};
use crate::{Database, StoreError};

/// The most contacts whose numbers are entered in the transaction that finds them missing.
const FEW: i64 = 5_000;

/// Contacts whose numbers are read at once, and numbers that one statement enters.
const PAGE: i64 = 4_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct OwnerRow {
    pub(crate) number_key: NumberKey,
    pub(crate) contact_id: ContactId,
}

/// An import with contacts whose numbers are not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unowned {
    pub(super) import: ImportId,
    /// They come after this contact.
    pub(super) after: ContactId,
    /// How many they are.
    pub(super) contacts: i64,
}

/// Imports of a run take turns: what one makes, the other must find.
pub(super) async fn take_turn(session: &mut Session, run: RunId) -> Result<(), StoreError> {
    const TURN: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM imports WHERE run_id = $1 ORDER BY id FOR UPDATE"
    );
    session.rows(&TURN, args![run]).await.map(drop)
}

/// The imports of a run with contacts whose numbers are not entered.
pub(super) async fn unowned(session: &mut Session, run: RunId) -> Result<Vec<Unowned>, StoreError> {
    const UNOWNED: Sql =
        sql!("SELECT id, owned_to, unowned FROM imports WHERE run_id = $1 AND unowned > 0 ORDER BY id");
    let rows = session.rows(&UNOWNED, args![run]).await?;
    rows.iter()
        .map(|row| {
            let (import, after) = (ImportId(row.get("id")?), ContactId(row.get("owned_to")?));
            Ok(Unowned { import, after, contacts: row.get("unowned")? })
        })
        .collect()
}

/// Enters the numbers of a few contacts of a run. False when they are many: then they are to be
/// entered with [`enter`]. The transaction has locked the imports of the run, or the one that
/// asks.
pub(super) async fn enter_few(session: &mut Session, run: RunId) -> Result<bool, StoreError> {
    let unowned = unowned(session, run).await?;
    if unowned.iter().map(|one| one.contacts).sum::<i64>() > FEW {
        return Ok(false);
    }
    for one in unowned {
        let (mut numbers, mut last) = (Vec::new(), one.after);
        while let Some(next) = numbers_after(session, one.import, last, &mut numbers).await? {
            last = next;
        }
        numbers.sort_unstable();
        own(session, run, &numbers).await?;
        owned(session, one, last).await?;
    }
    Ok(true)
}

/// Enters the numbers of all contacts of a run that have none yet, in the order of the index and
/// in as many transactions as it takes.
pub(super) async fn enter(database: &Database, run: RunId) -> Result<(), StoreError> {
    const WORK: &str = "enter_numbers";
    loop {
        let unowned = database.read(move |session| Box::pin(unowned(session, run))).await?;
        let Some(one) = unowned.first().copied() else { return Ok(()) };
        let (mut numbers, mut last) = (Vec::with_capacity(one.contacts as usize), one.after);
        loop {
            let from = last;
            // By the connection that wrote them: each keeps the pages that it read, in its own memory.
            let read = database.timed(WORK, Urgency::Bulk, move |session| {
                Box::pin(async move {
                    let mut some = Vec::new();
                    let last = numbers_after(session, one.import, from, &mut some).await?;
                    Ok((some, last))
                })
            });
            let ((some, next), _) = read.await?;
            let Some(next) = next else { break };
            numbers.extend(some);
            last = next;
        }
        numbers.sort_unstable();
        let mut left = numbers.as_slice();
        loop {
            let rows = database.portion(WORK);
            let (some, later) = left.split_at(rows.min(left.len()));
            let (some, is_last, did) = (some.to_vec(), later.is_empty(), some.len());
            let write = database.timed(WORK, Urgency::Bulk, move |session| {
                Box::pin(async move {
                    take_turn(session, run).await?;
                    refuse_erased(session, run).await?;
                    own(session, run, &some).await?;
                    if is_last { owned(session, one, last).await } else { Ok(()) }
                })
            });
            let ((), held) = write.await?;
            database.portions().took(WORK, rows, did, held);
            left = later;
            if is_last {
                break;
            }
        }
    }
}

/// The same for the run of an import.
pub(super) async fn enter_of(database: &Database, import: ImportId) -> Result<(), StoreError> {
    let row = database.read(move |session| Box::pin(by_id(session, import))).await?;
    match row {
        Some(row) => enter(database, row.run).await,
        None => Ok(()),
    }
}

/// The numbers of an import's next contacts. Returns the last contact, none when there are no more.
async fn numbers_after(
    session: &mut Session,
    import: ImportId,
    after: ContactId,
    numbers: &mut Vec<OwnerRow>,
) -> Result<Option<ContactId>, StoreError> {
    const SEVERAL: Sql =
        sql!("SELECT n.contact_id AS id, n.number_key FROM contact_numbers n WHERE n.contact_id" ids "");
    let (mut last, mut several) = (None, Vec::new());
    for row in session.rows(&NUMBERS_AFTER, args![import, after, PAGE]).await? {
        let contact_id = ContactId(row.get("id")?);
        last = Some(contact_id);
        if row.get("has_multiple_numbers")? {
            several.push(contact_id.0);
        }
        numbers.push(OwnerRow { number_key: NumberKey(row.get("number_key")?), contact_id });
    }
    if !several.is_empty() {
        for row in session.rows(&SEVERAL, args![Arg::ids(several)]).await? {
            let contact_id = ContactId(row.get("id")?);
            numbers.push(OwnerRow { number_key: NumberKey(row.get("number_key")?), contact_id });
        }
    }
    Ok(last)
}

/// Their number stands in contacts, and all of them elsewhere if they have several.
pub(crate) const NUMBERS_AFTER: Sql = sql!(
    "SELECT id, number_key, has_multiple_numbers FROM contacts WHERE import_id + 0 = $1 AND id > $2 ORDER BY id LIMIT $3"
);

/// Enters whose these numbers are. A number that somebody else of the run has is an error.
pub(super) async fn own(session: &mut Session, run: RunId, numbers: &[OwnerRow]) -> Result<(), StoreError> {
    const OWN: Sql = sql!(
        "INSERT INTO number_owners (number_key, run_id, contact_id) SELECT u.number_key, $2, u.contact_id FROM"
        rows (number_key bigint, contact_id bigint)
        "WHERE NOT EXISTS (SELECT 1 FROM number_owners o \
         WHERE o.number_key = u.number_key AND o.run_id = $2 AND o.contact_id = u.contact_id)"
    );
    // A contact that has several numbers comes with the one whose turn it is a second time.
    let mut numbers = numbers.to_vec();
    numbers.dedup();
    for some in numbers.chunks(PAGE as usize) {
        session.run(&OWN, args![session::rows(some), run]).await?;
    }
    Ok(())
}

/// Forgets that these contacts have numbers.
pub(crate) async fn disown(session: &mut Session, contacts: &[i64]) -> Result<(), StoreError> {
    const NEXT_NUMBER: Sql = sql!(
        "DELETE FROM number_owners WHERE (number_key, run_id) IN (SELECT c.number_key, c.run_id FROM contacts c WHERE c.id"
        ids ")"
    );
    const ALL_NUMBERS: Sql = sql!(
        "DELETE FROM number_owners WHERE (number_key, run_id) IN (SELECT n.number_key, c.run_id FROM contact_numbers n \
         JOIN contacts c ON c.id = n.contact_id WHERE n.contact_id" ids ")"
    );
    session.run(&NEXT_NUMBER, args![Arg::Ints(contacts.to_vec())]).await?;
    session.run(&ALL_NUMBERS, args![Arg::Ints(contacts.to_vec())]).await.map(drop)
}

/// All numbers of an import are entered up to this contact, unless more came meanwhile.
async fn owned(session: &mut Session, before: Unowned, last: ContactId) -> Result<(), StoreError> {
    const OWNED: Sql =
        sql!("UPDATE imports SET owned_to = $4, unowned = 0 WHERE id = $1 AND owned_to = $2 AND unowned = $3");
    session.run(&OWNED, args![before.import, before.after, before.contacts, last]).await.map(drop)
}
