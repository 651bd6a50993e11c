//! What a file has of contacts that were known: new data, another chance, a place in its import.

use std::collections::{BTreeMap, HashSet};

use ringfence_domain::{BucketId, ContactId, ContactState, ImportId, Moment, NumberKey, RunId, StopReason};
use serde::Serialize;

use super::chunk::Change;
use super::matching::owners;
use super::owners::{OwnerRow, disown, enter_few, enter_of, own};
use super::rows::{has_newer, lock_loading};
use crate::buckets::{BucketKey, buckets_for};
use crate::contacts::snapshot::{ContactSnapshot, snapshots};
use crate::counters::{Counter, Deltas, Place};
use crate::database::turns::Urgency;
use crate::session::{self, Arg, Session, Sql, args, sql};
use crate::{Database, StoreError};

/// For each row that is changed so many may be looked at: those that nothing is new of cost little,
/// and not nothing.
const LOOKED_AT: i64 = 10;

/// Bytes of new data that are written at once, unless one row has more: they stand in memory
/// several times meanwhile.
const MOST_BYTES: i64 = 1 << 20;

#[derive(Serialize)]
struct ChangeRow<'a> {
    contact_id: ContactId,
    bucket_id: BucketId,
    number: &'a str,
    number_key: NumberKey,
    has_multiple_numbers: i64,
    external_id: Option<&'a str>,
    fields: &'a ringfence_domain::template::Row,
}

#[derive(Serialize)]
struct MoveRow {
    contact_id: ContactId,
    bucket_id: BucketId,
    import_id: ImportId,
    due_at: i64,
    row_number: i64,
    line: i64,
}

#[derive(Serialize)]
struct IdRow {
    contact_id: ContactId,
}

/// Gives some known contacts, from the first after `after` on, what the file has of them. That is
/// new data; for who was to leave because of an older file or an undone import, another chance; for
/// who waits in an import that is not released, a place in this one. Returns the last of them,
/// while there may be more.
pub(crate) async fn apply_changes(
    database: &Database,
    import: ImportId,
    after: ContactId,
    now: Moment,
) -> Result<Option<ContactId>, StoreError> {
    loop {
        let some = database.write_some("apply_changes", Urgency::Bulk, move |session, limit| {
            Box::pin(async move { apply_some(session, import, after, now, limit).await })
        });
        match some.await? {
            Applied::UpTo(last) => return Ok(last),
            Applied::EnterFirst => enter_of(database, import).await?,
        }
    }
}

/// What was done.
enum Applied {
    UpTo(Option<ContactId>),
    /// Nothing: many contacts of the run have numbers that are not entered, and a new number may be
    /// theirs.
    EnterFirst,
}

/// Applies `limit` of them at most, and returns how many there were.
async fn apply_some(
    session: &mut Session,
    import: ImportId,
    after: ContactId,
    now: Moment,
    limit: i64,
) -> Result<(Applied, usize), StoreError> {
    let row = lock_loading(session, import).await?;
    if has_newer(session, &row).await? {
        return Ok((Applied::UpTo(None), 0));
    }
    let Some(Next { last, wanted }) = next(session, import, after, limit).await? else {
        return Ok((Applied::UpTo(None), 0));
    };
    let did = wanted.len();
    if did > 0 {
        if !enter_few(session, row.run).await? {
            return Ok((Applied::EnterFirst, 0));
        }
        let changes = Changes::load(session, row.run, import, &wanted).await?;
        changes.write(session, row.run, now).await?;
    }
    Ok((Applied::UpTo(Some(last)), did))
}

/// What a file has of some known contacts that may still be called.
struct Changes {
    import: ImportId,
    contacts: BTreeMap<ContactId, ContactSnapshot>,
    /// The new data of each; none where only its place changes.
    changes: BTreeMap<ContactId, Option<Change>>,
    /// Their rows: number, line.
    rows: BTreeMap<ContactId, (i64, i64)>,
    /// Buckets of other imports of the run that are not released.
    staged: HashSet<BucketId>,
}

impl Changes {
    async fn load(session: &mut Session, run: RunId, import: ImportId, wanted: &[IdRow]) -> Result<Self, StoreError> {
        let (mut rows, mut changes) = (BTreeMap::new(), BTreeMap::new());
        for row in session.rows(&MATCHED, args![session::rows(wanted), import]).await? {
            let contact = ContactId(row.get("id")?);
            changes.insert(contact, row.json_or_none::<Change>("import_matches", "change")?);
            rows.insert(contact, (row.get::<i64>("row_number")?, row.get::<i64>("line")?));
        }
        let contacts = snapshots(session, changes.keys().copied()).await?;
        let staged = staged_elsewhere(session, run, import).await?;
        // Whose the new numbers are by now.
        let new: Vec<NumberKey> =
            changes.values().flatten().flat_map(|change| change.numbers.iter().map(|(_, key)| *key)).collect();
        let mut owners: BTreeMap<NumberKey, ContactId> = owners(session, run, new).await?.into_iter().collect();
        changes.retain(|contact, change| {
            let Some(snapshot) = contacts.get(contact) else { return false };
            let open = matches!(snapshot.state, ContactState::Waiting | ContactState::Active | ContactState::Review);
            if let Some(new) = change {
                new.numbers.retain(|(_, key)| owners.get(key).is_none_or(|owner| owner == contact));
                // Two rows far apart may bring one number for two people: it is the first one's.
                owners.extend(new.numbers.iter().map(|(_, key)| (*key, *contact)));
                if new.numbers.is_empty() {
                    *change = None;
                }
            }
            open || is_undone(snapshot)
        });
        Ok(Self { import, contacts, changes, rows, staged })
    }

    /// Whether a contact joins this import.
    fn joins(&self, snapshot: &ContactSnapshot) -> bool {
        is_undone(snapshot) || (snapshot.state == ContactState::Waiting && self.staged.contains(&snapshot.bucket))
    }

    fn bucket_of(&self, snapshot: &ContactSnapshot, change: Option<&Change>) -> BucketKey {
        BucketKey {
            run: snapshot.run,
            zones: change.map_or(&snapshot.zones, |change| &change.zones).clone(),
            class: snapshot.class,
            import: if self.joins(snapshot) { self.import } else { snapshot.import },
        }
    }

    async fn write(self, session: &mut Session, run: RunId, now: Moment) -> Result<(), StoreError> {
        let changes = self.changes.iter();
        let wanted: Vec<BucketKey> =
            changes.map(|(contact, change)| self.bucket_of(&self.contacts[contact], change.as_ref())).collect();
        let buckets = buckets_for(session, wanted.into_iter()).await?;
        let mut deltas = Deltas::default();
        let (mut rows, mut moves) = (Vec::new(), Vec::new());
        for (contact, change) in &self.changes {
            let snapshot = &self.contacts[contact];
            let bucket_id = buckets[&self.bucket_of(snapshot, change.as_ref())];
            let due_at = if is_undone(snapshot) { now } else { snapshot.due_at };
            count(&mut deltas, snapshot, bucket_id, (due_at, *contact));
            if self.joins(snapshot) {
                let (row_number, line) = self.rows.get(contact).copied().unwrap_or_default();
                let (contact_id, import_id, due_at) = (*contact, self.import, due_at.millis());
                moves.push(MoveRow { contact_id, bucket_id, import_id, due_at, row_number, line });
            }
            rows.extend(change.as_ref().map(|change| ChangeRow::of(*contact, bucket_id, snapshot, change)));
        }
        let ids: Vec<IdRow> = self.changes.keys().map(|contact_id| IdRow { contact_id: *contact_id }).collect();
        session.run(&STAY, args![session::rows(&ids)]).await?;
        if !moves.is_empty() {
            session.run(&MOVE, args![session::rows(&moves)]).await?;
        }
        if !rows.is_empty() {
            let changed: Vec<i64> = rows.iter().map(|row| row.contact_id.0).collect();
            disown(session, &changed).await?;
            session.run(&WRITE, args![session::rows(&rows)]).await?;
            replace_numbers(session, run, &self.changes).await?;
        }
        deltas.write(session).await
    }
}

impl<'c> ChangeRow<'c> {
    fn of(contact_id: ContactId, bucket_id: BucketId, snapshot: &ContactSnapshot, change: &'c Change) -> Self {
        // The number whose turn it is keeps its turn if the person still has it.
        let current = change.numbers.iter().find(|(_, key)| *key == snapshot.number).unwrap_or(&change.numbers[0]);
        Self {
            contact_id,
            bucket_id,
            number: &current.0,
            number_key: current.1,
            has_multiple_numbers: i64::from(change.numbers.len() > 1),
            external_id: change.external_id.as_deref(),
            fields: &change.fields,
        }
    }
}

/// Counts a contact that waits again, or in another bucket.
fn count(deltas: &mut Deltas, snapshot: &ContactSnapshot, bucket: BucketId, place: Place) {
    if is_undone(snapshot) {
        deltas.contact(snapshot.run, Some(snapshot.state), ContactState::Waiting);
        deltas.count(snapshot.run, Counter::Stopped(StopReason::Undone), -1);
        deltas.joined(bucket, place);
    } else if snapshot.state == ContactState::Waiting && bucket != snapshot.bucket {
        deltas.left(snapshot.bucket);
        deltas.joined(bucket, place);
    }
}

const WRITE: Sql = sql!(
    "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
     fields = u.fields, bucket_id = u.bucket_id, number = u.number, number_key = u.number_key, \
     has_multiple_numbers = u.has_multiple_numbers = 1, external_id = coalesce(u.external_id, c.external_id) FROM"
    rows (contact_id bigint, bucket_id bigint, number text, number_key bigint, has_multiple_numbers bigint,
          external_id text, fields jsonb)
    "WHERE c.id = u.contact_id"
);

// A contact stopped with an undone import waits again, and one that waited in another import waits
// in this one.
const MOVE: Sql = sql!(
    "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
     state = CASE WHEN c.state = 'stopped' THEN 'waiting' ELSE c.state END, stop_reason = NULL, \
     finished_at = NULL, pending_stop_reason = NULL, bucket_id = u.bucket_id, import_id = u.import_id, due_at = u.due_at, \
     row_number = u.row_number, line = u.line FROM"
    rows (contact_id bigint, bucket_id bigint, import_id bigint, due_at bigint, row_number bigint, line bigint)
    "WHERE c.id = u.contact_id"
);

const STAY: Sql = sql!(
    "UPDATE contacts AS c SET pending_stop_reason = NULL FROM" rows (contact_id bigint)
    "WHERE c.id = u.contact_id AND c.pending_stop_reason IS NOT NULL"
);

/// What an import has of some of its known contacts. Source for the order of the join: SQLite keeps
/// that of CROSS JOIN.
pub(crate) const MATCHED: Sql = sql!(
    "SELECT m.contact_id AS id, m.row_number, m.line, m.change FROM"
    rows (contact_id bigint)
    "CROSS JOIN import_matches m WHERE m.import_id = $2 AND m.contact_id = u.contact_id"
);

/// The next known contacts of an import, and whether anything is to be done with them.
pub(crate) const NEXT: Sql = sql!(
    "SELECT m.contact_id AS id, m.change_bytes, m.row_number > 0 AND (m.change IS NOT NULL OR c.pending_stop_reason IS NOT NULL \
     OR (b.staged AND b.import_id <> $1)) AS wanted FROM import_matches m CROSS JOIN contacts c CROSS JOIN buckets b \
     WHERE m.import_id = $1 AND m.contact_id > $2 AND c.id = m.contact_id AND b.id = c.bucket_id \
     ORDER BY m.contact_id LIMIT $3"
);

struct Next {
    last: ContactId,
    wanted: Vec<IdRow>,
}

/// The next contacts that something is to be done with, `limit` at most, and the last that was
/// looked at.
async fn next(
    session: &mut Session,
    import: ImportId,
    after: ContactId,
    limit: i64,
) -> Result<Option<Next>, StoreError> {
    let rows = session.rows(&NEXT, args![import, after, limit * LOOKED_AT]).await?;
    let mut next: Option<Next> = None;
    let mut bytes = 0;
    for row in rows {
        let contact_id = ContactId(row.get("id")?);
        bytes += row.get::<i64>("change_bytes")?;
        if bytes > MOST_BYTES && next.as_ref().is_some_and(|next| !next.wanted.is_empty()) {
            break;
        }
        let next = next.get_or_insert_with(|| Next { last: contact_id, wanted: Vec::new() });
        next.last = contact_id;
        if row.get::<bool>("wanted")? {
            next.wanted.push(IdRow { contact_id });
            if next.wanted.len() as i64 == limit {
                break;
            }
        }
    }
    Ok(next)
}

/// Buckets of other imports of the run that are not released.
async fn staged_elsewhere(
    session: &mut Session,
    run: RunId,
    import: ImportId,
) -> Result<HashSet<BucketId>, StoreError> {
    const STAGED: Sql = sql!("SELECT id FROM buckets WHERE run_id = $1 AND import_id <> $2 AND staged");
    session.rows(&STAGED, args![run, import]).await?.iter().map(|row| row.get("id").map(BucketId)).collect()
}

/// Whether nobody called the contact, and nobody would, because the import that brought it was
/// undone.
fn is_undone(snapshot: &ContactSnapshot) -> bool {
    snapshot.stop_reason == Some(StopReason::Undone)
}

async fn replace_numbers(
    session: &mut Session,
    run: RunId,
    changes: &BTreeMap<ContactId, Option<Change>>,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct NumberRow<'a> {
        contact_id: ContactId,
        position: usize,
        number_key: NumberKey,
        number: &'a str,
    }
    const CLEAR: Sql = sql!("DELETE FROM contact_numbers WHERE contact_id" ids "");
    const WRITE: Sql = sql!(
        "INSERT INTO contact_numbers (contact_id, position, number_key, number) \
         SELECT u.contact_id, u.position, u.number_key, u.number FROM"
        rows (contact_id bigint, position bigint, number_key bigint, number text)
        ""
    );
    let changes: BTreeMap<&ContactId, &Change> =
        changes.iter().filter_map(|(contact, change)| Some((contact, change.as_ref()?))).collect();
    session.run(&CLEAR, args![Arg::ids(changes.keys().map(|contact| contact.0))]).await?;
    let rows: Vec<NumberRow<'_>> = changes
        .iter()
        .filter(|(_, change)| change.numbers.len() > 1)
        .flat_map(|(contact_id, change)| {
            change.numbers.iter().enumerate().map(|(position, (number, number_key))| NumberRow {
                contact_id: **contact_id,
                position,
                number_key: *number_key,
                number,
            })
        })
        .collect();
    if !rows.is_empty() {
        session.run(&WRITE, args![session::rows(&rows)]).await?;
    }
    let owner = |(contact_id, change): (&&ContactId, &&Change)| {
        let contact_id = **contact_id;
        change.numbers.iter().map(move |(_, key)| OwnerRow { number_key: *key, contact_id }).collect::<Vec<_>>()
    };
    let mut owners: Vec<OwnerRow> = changes.iter().flat_map(owner).collect();
    owners.sort_unstable();
    own(session, run, &owners).await
}
