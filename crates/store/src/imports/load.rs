//! Rows of a contact file, taken in by chunks that may be repeated.
//!
//! A chunk is one transaction. An import that was killed is begun again under its digest, reads the
//! file from the start, and finds its own rows by file and row number: they count as before and
//! nothing is made twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{BucketId, ContactId, ContactState, DialClass, ImportId, NumberKey};
use serde::Serialize;

use super::chunk::{ImportChunk, NewContact, RowVerdict};
use super::matching::{known_contacts, rows_with_nothing_new};
use super::owners::{Unowned, enter, enter_few, take_turn, unowned};
use super::recent::RecentNumbers;
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
    contact_id: ContactId,
    position: usize,
    number_key: NumberKey,
    number: &'a str,
}

/// What came of some rows.
enum Part {
    Taken(Vec<RowVerdict>),
    /// Many contacts of the run have numbers that are not entered: nothing was done.
    EnterFirst,
}

/// Takes in rows, as many in one transaction as do not hold up others. The verdicts are in the
/// order of the contacts.
pub(crate) async fn take_in(database: &Database, chunk: ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    let ImportChunk { import, run, contacts, rejects, columns, now } = chunk;
    let (mut contacts, mut rejects) = (contacts.into_iter().peekable(), rejects.into_iter().peekable());
    let mut verdicts = Vec::with_capacity(contacts.len());
    let mut recent = database.recent_imports().take(import);
    let mut first = true;
    while first || contacts.peek().is_some() || rejects.peek().is_some() {
        first = false;
        let rows = match database.kind() {
            DatabaseKind::Sqlite => database.portion(WORK),
            // There a chunk of any size holds up nobody.
            DatabaseKind::Postgres => contacts.len() + rejects.len(),
        };
        let (mut some, mut refused) = (Vec::new(), Vec::new());
        // In the order of the file: of two rows about one person the first counts.
        for _ in 0..rows {
            match (contacts.peek(), rejects.peek()) {
                (Some(contact), Some(reject)) if reject.row_number < contact.row_number => {
                    refused.extend(rejects.next());
                }
                (Some(_), _) => some.extend(contacts.next()),
                (None, Some(_)) => refused.extend(rejects.next()),
                (None, None) => break,
            }
        }
        let part = ImportChunk { import, run, contacts: some, rejects: refused, columns: columns.clone(), now };
        let (part, known) = take_part(database, &Arc::new(part), recent, rows).await?;
        recent = known;
        verdicts.extend(part);
    }
    database.recent_imports().keep(import, recent);
    Ok(verdicts)
}

const WORK: &str = "import_chunk";

/// Takes in some rows. A transaction that met another one head-on comes again: rows may be repeated.
async fn take_part(
    database: &Database,
    part: &Arc<ImportChunk>,
    mut recent: RecentNumbers,
    rows: usize,
) -> Result<(Vec<RowVerdict>, RecentNumbers), StoreError> {
    let mut left = 3;
    loop {
        match take_part_once(database, part.clone(), recent, rows).await {
            Err(StoreError::Refused(_) | StoreError::Unavailable(_)) if left > 0 => {
                left -= 1;
                recent = RecentNumbers::since(ContactId(0));
            }
            done => return done,
        }
    }
}

/// Takes in some rows, in one transaction. Numbers that are to be entered first are, in their own.
async fn take_part_once(
    database: &Database,
    part: Arc<ImportChunk>,
    mut recent: RecentNumbers,
    rows: usize,
) -> Result<(Vec<RowVerdict>, RecentNumbers), StoreError> {
    loop {
        if recent.is_full() {
            enter(database, part.run).await?;
        }
        let chunk = part.clone();
        let write = database.timed(WORK, Urgency::Bulk, move |session| {
            Box::pin(async move {
                let taken = take_rows(session, &chunk, &mut recent).await?;
                Ok((taken, recent))
            })
        });
        let ((taken, known), held) = write.await?;
        recent = known;
        match taken {
            Part::Taken(verdicts) => {
                database.portions().took(WORK, rows, part.contacts.len() + part.rejects.len(), held);
                return Ok((verdicts, recent));
            }
            Part::EnterFirst => enter(database, part.run).await?,
        }
    }
}

/// Takes in some rows, in one transaction.
async fn take_rows(session: &mut Session, chunk: &ImportChunk, recent: &mut RecentNumbers) -> Result<Part, StoreError> {
    const PROGRESS: Sql = sql!("UPDATE imports SET rows = $2 WHERE id = $1 AND rows < $2");
    const UNOWNED: Sql = sql!("UPDATE imports SET unowned = unowned + $2 WHERE id = $1");
    take_turn(session, chunk.run).await?;
    lock_loading(session, chunk.import).await?;
    if !know_all(session, chunk, recent).await? {
        return Ok(Part::EnterFirst);
    }
    // How far it is, for who watches; all counts are written when it is over.
    let contacts = chunk.contacts.iter().map(|contact| contact.row_number);
    let last = contacts.chain(chunk.rejects.iter().map(|reject| reject.row_number)).max().unwrap_or_default();
    session.run(&PROGRESS, args![chunk.import, last]).await?;
    let known = known_contacts(session, chunk).await?;
    let same = rows_with_nothing_new(session, chunk, &known).await?;
    let wanted: HashSet<BucketKey> = chunk.contacts.iter().map(|contact| bucket_of(chunk, contact)).collect();
    let buckets = buckets_for(session, wanted.into_iter()).await?;
    let mut sorted = Sorted::of_rejects(chunk, &known, &same, recent);
    let verdicts: Vec<RowVerdict> = chunk.contacts.iter().map(|contact| sorted.sort(contact)).collect();
    let Sorted { new, matches, mentions, duplicates, .. } = sorted;
    let mut deltas = Deltas::default();
    for row in &new {
        // Their ids are given later.
        deltas.joined(buckets[&bucket_of(chunk, row.contact)], (chunk.now, ContactId(0)));
    }
    deltas.count(chunk.run, Counter::Contact(ContactState::Waiting), new.len() as i64);
    insert(session, chunk, &new, &buckets).await?;
    if !new.is_empty() {
        recent.contacts += new.len() as i64;
        session.run(&UNOWNED, args![chunk.import, new.len() as i64]).await?;
    }
    write_matches(session, chunk.import, &mentions.into_values().collect::<Vec<_>>()).await?;
    write_matches(session, chunk.import, &matches).await?;
    write_rejects(session, chunk.import, &chunk.rejects).await?;
    write_rejects(session, chunk.import, &duplicates).await?;
    deltas.write(session).await?;
    Ok(Part::Taken(verdicts))
}

/// Makes sure that every contact of the run is found by its number: in the database, or among the
/// recent ones of this import. False when many are neither.
async fn know_all(session: &mut Session, chunk: &ImportChunk, recent: &mut RecentNumbers) -> Result<bool, StoreError> {
    const OWNED_TO: Sql = sql!("SELECT owned_to FROM imports WHERE id = $1");
    let ours = Unowned { import: chunk.import, after: recent.after, contacts: recent.contacts };
    if recent.contacts > 0 && unowned(session, chunk.run).await? == [ours] {
        return Ok(true);
    }
    if !enter_few(session, chunk.run).await? {
        return Ok(false);
    }
    *recent = RecentNumbers::since(ContactId(session.one(&OWNED_TO, args![chunk.import]).await?.get("owned_to")?));
    Ok(true)
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
    const NUMBERS: Sql = sql!(
        "INSERT INTO contact_numbers (contact_id, position, number_key, number) \
         SELECT u.contact_id, u.position, u.number_key, u.number FROM"
        rows (contact_id bigint, position bigint, number_key bigint, number text)
        ""
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
    let arguments = args![session::rows(&rows), chunk.run, chunk.import, chunk.now];
    let several: HashMap<i64, &NewRow<'_>> =
        new.iter().filter(|row| row.numbers.len() > 1).map(|row| (row.contact.row_number, row)).collect();
    if several.is_empty() {
        session.run(&INSERT, arguments).await?;
        return Ok(());
    }
    let mut numbers: Vec<NumberRow<'_>> = Vec::new();
    for row in session.rows(&INSERT_TOLD, arguments).await? {
        let contact_id = ContactId(row.get("id")?);
        let Some(row) = several.get(&row.get("row_number")?) else { continue };
        numbers.extend(row.numbers.iter().enumerate().map(|(position, (number, number_key))| NumberRow {
            contact_id,
            position,
            number_key: *number_key,
            number: number.e164(),
        }));
    }
    session.run(&NUMBERS, args![session::rows(&numbers)]).await.map(drop)
}

macro_rules! insert_contacts {
    ($returning:literal) => {
        sql!(
            "INSERT INTO contacts (run_id, import_id, state, due_at, bucket_id, row_number, line, number, number_key, \
             external_id, has_multiple_numbers, fields, change_number) SELECT $2, $3, 'waiting', $4, u.bucket_id, \
             u.row_number, u.line, u.number, u.number_key, u.external_id, u.has_multiple_numbers = 1, u.fields, \
             (SELECT n FROM change_number) FROM"
            rows (bucket_id bigint, row_number bigint, line bigint, number text, number_key bigint, external_id text,
                  has_multiple_numbers bigint, fields jsonb)
            $returning
        )
    };
}

const INSERT: Sql = insert_contacts!("");
/// The same, and says which row became which contact.
const INSERT_TOLD: Sql = insert_contacts!("WHERE true RETURNING id, row_number");

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
