//! Rows of a contact file, taken in by chunks that may be repeated.
//!
//! A chunk is one transaction. An import that was killed is begun again under its digest, reads the
//! file from the start, and finds its own rows by file and row number: they count as before and
//! nothing is made twice.

use std::collections::{HashMap, HashSet};

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{BucketId, ContactState, DialClass, ImportId, NumberKey};
use serde::Serialize;

use super::chunk::{ImportChunk, NewContact, RowVerdict};
use super::matching::{known_contacts, rows_with_nothing_new};
use super::rejects::write_rejects;
use super::rows::lock_loading;
use super::sorted::{MatchRow, NewRow, Sorted};
use crate::buckets::{BucketKey, buckets_for};
use crate::counters::{Counter, Deltas};
use crate::database::turns::Urgency;
use crate::session::{self, Session, Sql, args, sql};
use crate::{Database, DatabaseKind, StoreError};

#[derive(Serialize)]
struct ContactRow<'a> {
    row_number: i64,
    line: i64,
    number: &'a str,
    number_key: NumberKey,
    bucket_id: BucketId,
    external_id: Option<&'a str>,
    has_multiple_numbers: i64,
    fields: &'a Fields,
}

#[derive(Serialize)]
struct NumberRow<'a> {
    owner_key: NumberKey,
    number_key: NumberKey,
    position: usize,
    number: &'a str,
}

/// Takes in rows, as many in one transaction as do not hold up others. The verdicts are in the
/// order of the contacts.
pub(crate) async fn take_in(database: &Database, chunk: ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    const WORK: &str = "import_chunk";
    // On Postgres a chunk of any size holds up nobody.
    if database.kind() == DatabaseKind::Postgres {
        return database.write(WORK, Urgency::Bulk, move |session| Box::pin(take_part(session, chunk))).await;
    }
    let ImportChunk { import, run, contacts, rejects, columns, now } = chunk;
    let (mut contacts, mut rejects) = (contacts.into_iter().peekable(), rejects.into_iter().peekable());
    let mut verdicts = Vec::with_capacity(contacts.len());
    let mut first = true;
    while first || contacts.peek().is_some() || rejects.peek().is_some() {
        first = false;
        let rows = database.portion(WORK);
        let (mut some, mut refused) = (Vec::new(), Vec::new());
        // In the order of the file: of two rows about one person the first counts.
        while some.len() + refused.len() < rows {
            match (contacts.peek(), rejects.peek()) {
                (Some(contact), Some(reject)) if reject.row_number < contact.row_number => {
                    refused.extend(rejects.next());
                }
                (Some(_), _) => some.extend(contacts.next()),
                (None, Some(_)) => refused.extend(rejects.next()),
                (None, None) => break,
            }
        }
        let did = some.len() + refused.len();
        let part = ImportChunk { import, run, contacts: some, rejects: refused, columns: columns.clone(), now };
        let write =
            database.timed(WORK, Urgency::Bulk, move |session| Box::pin(async move { take_part(session, part).await }));
        let (part, held) = write.await?;
        database.portions().took(WORK, rows, did, held);
        verdicts.extend(part);
    }
    Ok(verdicts)
}

async fn take_part(session: &mut Session, chunk: ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    take_rows(session, &chunk).await
}

/// Takes in some rows, in one transaction.
async fn take_rows(session: &mut Session, chunk: &ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    // Two imports of one run take turns: what one makes, the other must find.
    const TURN: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM imports WHERE run_id = $1 ORDER BY id FOR UPDATE"
    );
    const PROGRESS: Sql = sql!("UPDATE imports SET rows = $2 WHERE id = $1 AND rows < $2");
    session.rows(&TURN, args![chunk.run]).await?;
    lock_loading(session, chunk.import).await?;
    // How far it is, for who watches; all counts are written when it is over.
    let contacts = chunk.contacts.iter().map(|contact| contact.row_number);
    let last = contacts.chain(chunk.rejects.iter().map(|reject| reject.row_number)).max().unwrap_or_default();
    session.run(&PROGRESS, args![chunk.import, last]).await?;
    let known = known_contacts(session, chunk).await?;
    let same = rows_with_nothing_new(session, chunk, &known).await?;
    let wanted: HashSet<BucketKey> = chunk.contacts.iter().map(|contact| bucket_of(chunk, contact)).collect();
    let buckets = buckets_for(session, wanted.into_iter()).await?;
    let mut sorted = Sorted::of_rejects(chunk, &known, &same);
    let verdicts: Vec<RowVerdict> = chunk.contacts.iter().map(|contact| sorted.sort(contact)).collect();
    let Sorted { new, matches, mentions, duplicates, .. } = sorted;
    let mut deltas = Deltas::default();
    for row in &new {
        deltas.joined(buckets[&bucket_of(chunk, row.contact)], chunk.now);
    }
    deltas.count(chunk.run, Counter::Contact(ContactState::Waiting), new.len() as i64);
    insert(session, chunk, &new, &buckets).await?;
    write_matches(session, chunk.import, &mentions.into_values().collect::<Vec<_>>()).await?;
    write_matches(session, chunk.import, &matches).await?;
    write_rejects(session, chunk.import, &chunk.rejects).await?;
    write_rejects(session, chunk.import, &duplicates).await?;
    deltas.write(session).await?;
    Ok(verdicts)
}

fn bucket_of(chunk: &ImportChunk, contact: &NewContact) -> BucketKey {
    BucketKey { run: chunk.run, zones: contact.zones.clone(), class: DialClass::First, import: chunk.import }
}

async fn insert(
    session: &mut Session,
    chunk: &ImportChunk,
    new: &[NewRow<'_>],
    buckets: &HashMap<BucketKey, BucketId>,
) -> Result<(), StoreError> {
    const INSERT: Sql = sql!(
        "INSERT INTO contacts (run_id, import_id, state, due_at, bucket_id, row_number, line, number, number_key, \
         external_id, has_multiple_numbers, fields, change_number) SELECT $2, $3, 'waiting', $4, u.bucket_id, \
         u.row_number, u.line, u.number, u.number_key, u.external_id, u.has_multiple_numbers = 1, u.fields, \
         (SELECT n FROM change_number) FROM"
        rows (bucket_id bigint, row_number bigint, line bigint, number text, number_key bigint, external_id text,
              has_multiple_numbers bigint, fields jsonb)
        ""
    );
    const NUMBERS: Sql = sql!(
        "INSERT INTO contact_numbers (run_id, number_key, contact_id, position, number) \
         SELECT c.run_id, u.number_key, c.id, u.position, u.number FROM"
        rows (owner_key bigint, number_key bigint, position bigint, number text)
        "CROSS JOIN contacts c WHERE c.run_id = $2 AND c.number_key = u.owner_key"
    );
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<ContactRow<'_>> = new
        .iter()
        .map(|NewRow { contact, numbers }| ContactRow {
            row_number: contact.row_number,
            line: contact.line,
            number: numbers[0].0.e164(),
            number_key: numbers[0].1,
            bucket_id: buckets[&bucket_of(chunk, contact)],
            external_id: contact.external_id.as_deref(),
            has_multiple_numbers: i64::from(numbers.len() > 1),
            fields: &contact.fields,
        })
        .collect();
    session.run(&INSERT, args![session::rows(&rows), chunk.run, chunk.import, chunk.now]).await?;
    let several = new.iter().filter(|row| row.numbers.len() > 1);
    let rows: Vec<NumberRow<'_>> = several
        .flat_map(|row| {
            row.numbers.iter().enumerate().map(|(position, (number, number_key))| NumberRow {
                owner_key: row.numbers[0].1,
                number_key: *number_key,
                position,
                number: number.e164(),
            })
        })
        .collect();
    if !rows.is_empty() {
        session.run(&NUMBERS, args![session::rows(&rows), chunk.run]).await?;
    }
    Ok(())
}

async fn write_matches(session: &mut Session, import: ImportId, matches: &[MatchRow]) -> Result<(), StoreError> {
    const MATCH: Sql = sql!(
        "INSERT INTO import_matches (import_id, contact_id, row_number, line, change, change_bytes) \
         SELECT $2, u.contact_id, u.row_number, u.line, u.change, u.change_bytes FROM"
        rows (contact_id bigint, row_number bigint, line bigint, change jsonb, change_bytes bigint)
        "WHERE true ON CONFLICT (import_id, contact_id) DO UPDATE SET row_number = excluded.row_number, line = excluded.line, \
         change = excluded.change, change_bytes = excluded.change_bytes WHERE import_matches.row_number = 0 AND excluded.row_number > 0"
    );
    if !matches.is_empty() {
        session.run(&MATCH, args![session::rows(matches), import]).await?;
    }
    Ok(())
}
