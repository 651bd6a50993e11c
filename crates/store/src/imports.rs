//! Contact files, taken in by chunks that may be repeated.
//!
//! A chunk is one transaction. An import that was killed is begun again under its digest, reads the file from the
//! start, and finds its own rows by file and row number: they count as accepted again and nothing is made twice.

use std::collections::{HashMap, HashSet};

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{
    BucketId, ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, PhoneNumber, RunId, ZoneSet,
};
use serde::Serialize;

use crate::StoreError;
use crate::counts::{BucketKey, Deltas, buckets_for};
use crate::session::{Row, Session, Sql, args, rows_json, sql};

/// A file to be taken in.
#[derive(Debug, Clone)]
pub struct ImportOrder {
    /// The run that gets its contacts.
    pub run: RunId,
    /// Where it came from, for people.
    pub source: String,
    /// What its content and the way it is read hash to.
    pub digest: String,
    /// When.
    pub now: Moment,
}

/// How an import stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Its id.
    pub id: ImportId,
    /// Where the file came from.
    pub source: String,
    /// Whether the whole file is in.
    pub complete: bool,
    /// Rows read.
    pub rows: i64,
    /// Rows that became contacts.
    pub accepted: i64,
    /// Known rows with new data.
    pub updated: i64,
    /// Known rows as they were.
    pub unchanged: i64,
    /// Rows whose number stood earlier in the file.
    pub duplicate: i64,
    /// Rows that cannot be called.
    pub rejected: i64,
}

/// What came of beginning an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportStart {
    /// Send the chunks, all of them, from the first.
    Begin(ImportId),
    /// The very same file is already in.
    Known(ImportRow),
}

/// A row that can be called.
#[derive(Debug, Clone)]
pub struct NewContact {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// The number.
    pub number: PhoneNumber,
    /// What the number is looked up by.
    pub number_key: NumberKey,
    /// Where the person may be.
    pub zones: ZoneSet,
    /// The row.
    pub fields: Fields,
}

/// A row that cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// Its line in the file, counted from 1.
    pub line: i64,
    /// Why.
    pub reason: String,
}

/// Some rows of a file, in their order.
#[derive(Debug, Clone)]
pub struct ImportChunk {
    /// The import.
    pub import: ImportId,
    /// Its run.
    pub run: RunId,
    /// Rows to be called.
    pub contacts: Vec<NewContact>,
    /// Rows that cannot be.
    pub rejects: Vec<Reject>,
    /// When.
    pub now: Moment,
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowVerdict {
    /// It is a contact now, or was made one by this same row before.
    Accepted,
    /// A known contact with new data, for its next call.
    Updated,
    /// A known contact; nothing changed.
    Unchanged,
    /// The number stood in this row of the same file.
    Duplicate {
        /// Which row.
        first: i64,
    },
}

/// Begins an import, or finds the one with the same digest.
pub(crate) async fn begin(session: &mut Session, order: &ImportOrder) -> Result<ImportStart, StoreError> {
    const FIND: Sql = sql!(
        "SELECT id, source, state, rows, accepted, updated, unchanged, duplicate, rejected FROM imports \
         WHERE run_id = $1 AND digest = $2"
    );
    const INSERT: Sql = sql!(
        "INSERT INTO imports (run_id, source, digest, state, started_at) VALUES ($1, $2, $3, 'loading', $4) \
         ON CONFLICT DO NOTHING"
    );
    session.run(&INSERT, args![order.run, order.source.as_str(), order.digest.as_str(), order.now]).await?;
    let row = import(&session.one(&FIND, args![order.run, order.digest.as_str()]).await?)?;
    Ok(if row.complete { ImportStart::Known(row) } else { ImportStart::Begin(row.id) })
}

#[derive(Serialize)]
struct ContactRow<'a> {
    row_number: i64,
    number: &'a str,
    number_key: NumberKey,
    bucket_id: BucketId,
    fields: &'a Fields,
}

#[derive(Serialize)]
struct KeyRow {
    number_key: NumberKey,
}

#[derive(Serialize)]
struct UpdateRow<'a> {
    contact_id: ContactId,
    bucket_id: BucketId,
    fields: &'a Fields,
}

struct Known {
    id: ContactId,
    import: ImportId,
    row_number: i64,
    state: ContactState,
    fields: String,
    due_at: Moment,
    bucket: BucketId,
    zones: ZoneSet,
    class: DialClass,
}

/// Takes in some rows. The verdicts are in the order of the contacts.
pub(crate) async fn chunk(session: &mut Session, chunk: &ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    const KNOWN: Sql = sql!(
        sqlite "SELECT c.id, c.number_key, c.import_id, c.row_number, c.state, c.fields, c.due_at, c.bucket_id, b.zones, b.class \
                FROM contacts c JOIN buckets b ON b.id = c.bucket_id \
                WHERE c.run_id = $2 AND c.number_key IN (SELECT value->>'number_key' FROM json_each($1))",
        postgres "SELECT c.id, c.number_key, c.import_id, c.row_number, c.state, c.fields::text AS fields, c.due_at, c.bucket_id, \
                  b.zones, b.class FROM contacts c JOIN buckets b ON b.id = c.bucket_id WHERE c.run_id = $2 \
                  AND c.number_key = ANY (ARRAY(SELECT u.number_key FROM jsonb_to_recordset($1::jsonb) AS u(number_key bigint))) \
                  ORDER BY c.id FOR UPDATE OF c"
    );
    const INSERT: Sql = sql!(
        sqlite "INSERT INTO contacts (run_id, import_id, state, due_at, bucket_id, row_number, number, number_key, fields) \
                SELECT $2, $3, 'waiting', $4, value->>'bucket_id', value->>'row_number', value->>'number', \
                value->>'number_key', value->>'fields' FROM json_each($1)",
        postgres "INSERT INTO contacts (run_id, import_id, state, due_at, bucket_id, row_number, number, number_key, fields) \
                  SELECT $2, $3, 'waiting', $4, u.bucket_id, u.row_number, u.number, u.number_key, u.fields \
                  FROM jsonb_to_recordset($1::jsonb) AS u(bucket_id bigint, row_number bigint, number text, \
                  number_key bigint, fields jsonb)"
    );
    const UPDATE: Sql = sql!(
        sqlite "UPDATE contacts AS c SET fields = u.fields, bucket_id = u.bucket_id FROM (SELECT value->>'contact_id' AS contact_id, \
                value->>'bucket_id' AS bucket_id, value->>'fields' AS fields FROM json_each($1)) AS u WHERE c.id = u.contact_id",
        postgres "UPDATE contacts AS c SET fields = u.fields, bucket_id = u.bucket_id FROM \
                  jsonb_to_recordset($1::jsonb) AS u(contact_id bigint, bucket_id bigint, fields jsonb) WHERE c.id = u.contact_id"
    );
    const REJECT: Sql = sql!(
        "INSERT INTO rejects (import_id, row_number, line, reason) SELECT $2, u.row_number, u.line, u.reason FROM"
        rows (row_number bigint, line bigint, reason text)
        "WHERE true ON CONFLICT DO NOTHING"
    );
    // Two imports of one run take turns: what one makes, the other must find.
    const TURN: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM imports WHERE run_id = $1 ORDER BY id FOR UPDATE"
    );
    session.rows(&TURN, args![chunk.run]).await?;
    let keys: Vec<KeyRow> = chunk.contacts.iter().map(|c| KeyRow { number_key: c.number_key }).collect();
    let mut known: HashMap<NumberKey, Known> = HashMap::new();
    for row in session.rows(&KNOWN, args![rows_json(&keys), chunk.run]).await? {
        known.insert(NumberKey(row.get("number_key")?), known_contact(&row)?);
    }
    let moved = chunk.contacts.iter().filter_map(|contact| known.get(&contact.number_key)?.moved(chunk.run, contact));
    let wanted: HashSet<BucketKey> =
        chunk.contacts.iter().map(|contact| first_bucket(chunk.run, contact)).chain(moved).collect();
    let buckets = buckets_for(session, wanted.into_iter()).await?;

    let mut deltas = Deltas::default();
    let mut in_chunk: HashMap<NumberKey, i64> = HashMap::new();
    let (mut inserts, mut updates, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
    for contact in &chunk.contacts {
        let verdict = match (known.get(&contact.number_key), in_chunk.get(&contact.number_key)) {
            (None, None) => {
                let bucket = buckets[&first_bucket(chunk.run, contact)];
                in_chunk.insert(contact.number_key, contact.row_number);
                deltas.joined(bucket, chunk.now);
                inserts.push(ContactRow {
                    row_number: contact.row_number,
                    number: contact.number.e164(),
                    number_key: contact.number_key,
                    bucket_id: bucket,
                    fields: &contact.fields,
                });
                RowVerdict::Accepted
            }
            (Some(old), _) if old.import == chunk.import && old.row_number == contact.row_number => {
                RowVerdict::Accepted
            }
            (Some(old), _) if old.import == chunk.import => RowVerdict::Duplicate { first: old.row_number },
            (Some(old), None) if old.is_open() && old.differs(contact) => {
                in_chunk.insert(contact.number_key, contact.row_number);
                let bucket_id = old.moved(chunk.run, contact).map_or(old.bucket, |key| buckets[&key]);
                updates.push(UpdateRow { contact_id: old.id, bucket_id, fields: &contact.fields });
                if old.state == ContactState::Waiting && bucket_id != old.bucket {
                    deltas.left(old.bucket);
                    deltas.joined(bucket_id, old.due_at);
                }
                RowVerdict::Updated
            }
            (_, Some(first)) => RowVerdict::Duplicate { first: *first },
            (Some(_), None) => RowVerdict::Unchanged,
        };
        verdicts.push(verdict);
    }
    if !inserts.is_empty() {
        let count = inserts.len() as i64;
        session.run(&INSERT, args![rows_json(&inserts), chunk.run, chunk.import, chunk.now]).await?;
        deltas.count(chunk.run, "contact:waiting", count);
    }
    if !updates.is_empty() {
        session.run(&UPDATE, args![rows_json(&updates)]).await?;
    }
    if !chunk.rejects.is_empty() {
        session.run(&REJECT, args![rows_json(&chunk.rejects), chunk.import]).await?;
    }
    deltas.write(session).await?;
    Ok(verdicts)
}

/// The whole file is in: its contacts may be dialled.
pub(crate) async fn complete(
    session: &mut Session,
    run: RunId,
    row: &ImportRow,
    now: Moment,
) -> Result<(), StoreError> {
    const COMPLETE: Sql = sql!(
        "UPDATE imports SET state = 'complete', rows = $2, accepted = $3, updated = $4, unchanged = $5, duplicate = $6, \
         rejected = $7, completed_at = $8 WHERE id = $1"
    );
    const READY: Sql = sql!("UPDATE runs SET ready = TRUE WHERE id = $1");
    session
        .run(
            &COMPLETE,
            args![row.id, row.rows, row.accepted, row.updated, row.unchanged, row.duplicate, row.rejected, now],
        )
        .await?;
    session.run(&READY, args![run]).await?;
    Ok(())
}

/// The newest import of a run.
pub(crate) async fn last(session: &mut Session, run: RunId) -> Result<Option<ImportRow>, StoreError> {
    const LAST: Sql = sql!(
        "SELECT id, source, state, rows, accepted, updated, unchanged, duplicate, rejected FROM imports \
         WHERE run_id = $1 ORDER BY id DESC LIMIT 1"
    );
    session.row(&LAST, args![run]).await?.as_ref().map(import).transpose()
}

/// Rejected rows of an import, in the order of the file.
pub(crate) async fn rejects(session: &mut Session, id: ImportId, limit: u32) -> Result<Vec<Reject>, StoreError> {
    const LIST: Sql =
        sql!("SELECT row_number, line, reason FROM rejects WHERE import_id = $1 ORDER BY row_number LIMIT $2");
    let rows = session.rows(&LIST, args![id, i64::from(limit)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Reject { row_number: row.get("row_number")?, line: row.get("line")?, reason: row.get("reason")? })
        })
        .collect()
}

fn first_bucket(run: RunId, contact: &NewContact) -> BucketKey {
    BucketKey { run, zones: contact.zones.clone(), class: DialClass::First }
}

impl Known {
    /// Whether there may still be a call that new data is for. A call that is out keeps what it was sent with.
    fn is_open(&self) -> bool {
        matches!(self.state, ContactState::Waiting | ContactState::Active | ContactState::Review)
    }

    fn differs(&self, contact: &NewContact) -> bool {
        self.zones != contact.zones || !self.has(&contact.fields)
    }

    /// The bucket that it belongs in when its zones have changed.
    fn moved(&self, run: RunId, contact: &NewContact) -> Option<BucketKey> {
        (self.is_open() && self.zones != contact.zones).then(|| BucketKey {
            run,
            zones: contact.zones.clone(),
            class: self.class,
        })
    }

    /// Compared as values: Postgres keeps JSON in an order of its own.
    fn has(&self, fields: &Fields) -> bool {
        serde_json::from_str::<Fields>(&self.fields).is_ok_and(|old| old == *fields)
    }
}

fn known_contact(row: &Row) -> Result<Known, StoreError> {
    Ok(Known {
        id: ContactId(row.get("id")?),
        import: ImportId(row.get("import_id")?),
        row_number: row.get("row_number")?,
        state: row.word("contacts", "state")?,
        fields: row.get("fields")?,
        due_at: row.moment("due_at")?,
        bucket: BucketId(row.get("bucket_id")?),
        zones: row.word("buckets", "zones")?,
        class: row.word("buckets", "class")?,
    })
}

fn import(row: &Row) -> Result<ImportRow, StoreError> {
    let state: String = row.get("state")?;
    Ok(ImportRow {
        id: ImportId(row.get("id")?),
        source: row.get("source")?,
        complete: state == "complete",
        rows: row.get("rows")?,
        accepted: row.get("accepted")?,
        updated: row.get("updated")?,
        unchanged: row.get("unchanged")?,
        duplicate: row.get("duplicate")?,
        rejected: row.get("rejected")?,
    })
}
