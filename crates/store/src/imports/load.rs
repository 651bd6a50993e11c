//! Rows of a contact file, taken in by chunks that may be repeated.
//!
//! A chunk is one transaction. An import that was killed is begun again under its digest, reads the
//! file from the start, and finds its own rows by file and row number: they count as before and
//! nothing is made twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{BucketId, ContactId, ContactState, DialClass, ImportId, NumberKey, PhoneNumber};
use serde::Serialize;
use serde_json::value::RawValue;

use super::chunk::{Change, ImportChunk, NewContact, RowVerdict};
use super::matching::{ExistingContacts, acquaintances, rows_with_nothing_new};
use super::rejects::{Reject, write_rejects};
use super::rows::lock_loading;
use crate::buckets::{BucketKey, buckets_for};
use crate::counters::{Counter, Deltas};
use crate::database::turns::Urgency;
use crate::session::{Session, Sql, args, rows_json, sql};
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

#[derive(Serialize)]
struct MatchRow {
    contact_id: ContactId,
    row_number: i64,
    line: i64,
    change: Option<Box<RawValue>>,
    change_bytes: usize,
}

/// Takes in rows, as many in one transaction as do not hold up others. The verdicts are in the
/// order of the contacts.
pub(crate) async fn take_in(database: &Database, chunk: ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    const WORK: &str = "import_chunk";
    // On Postgres a chunk of any size holds up nobody.
    if database.kind() == DatabaseKind::Postgres {
        return database.write(Urgency::Bulk, move |session| Box::pin(take_part(session, chunk))).await;
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
            database.timed(Urgency::Bulk, move |session| Box::pin(async move { take_part(session, part).await }));
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
    session.rows(&TURN, args![chunk.run]).await?;
    lock_loading(session, chunk.import).await?;
    let known = acquaintances(session, chunk).await?;
    let same = rows_with_nothing_new(session, chunk, &known).await?;
    let wanted: HashSet<BucketKey> = chunk.contacts.iter().map(|contact| bucket_of(chunk, contact)).collect();
    let buckets = buckets_for(session, wanted.into_iter()).await?;

    let mut deltas = Deltas::default();
    // Lines of this chunk by number and by contact: first wins.
    let mut numbers_here: HashMap<NumberKey, i64> = HashMap::new();
    let mut people_here: HashMap<ContactId, i64> = HashMap::new();
    let mut ids_here: HashMap<&str, i64> = HashMap::new();
    let (mut inserts, mut extra, mut matches, mut verdicts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut duplicates, mut mentions) = (Vec::new(), BTreeMap::new());
    for reject in &chunk.rejects {
        let keys = reject.numbers.iter().copied();
        let mention = mention(&known, chunk.import, reject.external_id.as_ref(), keys, reject.line);
        mentions.extend(mention.map(|row| (row.contact_id, row)));
    }
    for contact in &chunk.contacts {
        let person = known.person_of(contact);
        // Numbers that are somebody else's are left to them.
        let free = |key: NumberKey| {
            let owner = known.by_number(key);
            let others = owner.is_some_and(|owner| person.is_none_or(|person| person.id != owner.id));
            !others && !numbers_here.contains_key(&key)
        };
        let numbers: Vec<_> = contact.numbers.iter().filter(|(_, key)| free(*key)).cloned().collect();
        let id_line = contact.external_id.as_deref().and_then(|id| ids_here.get(id)).copied();
        let verdict = match person {
            Some(person) if person.import == chunk.import && person.row_number == contact.row_number => {
                RowVerdict::Accepted
            }
            Some(person) if person.import == chunk.import => {
                RowVerdict::Duplicate { line: person.line, same_file: true }
            }
            Some(person) => match (person.matched, people_here.get(&person.id)) {
                (Some((row, line)), _) if row != contact.row_number => RowVerdict::Duplicate { line, same_file: true },
                (None, Some(line)) => RowVerdict::Duplicate { line: *line, same_file: true },
                _ if numbers.is_empty() => taken(&known, contact, &numbers_here, chunk.import),
                _ => {
                    people_here.insert(person.id, contact.line);
                    let changed =
                        person.is_open() && person.differs(contact, &numbers, same.contains(&contact.row_number));
                    let change = changed.then(|| {
                        let numbers = numbers.iter().map(|(number, key)| (number.e164().to_owned(), *key)).collect();
                        let (zones, fields) = (contact.zones.clone(), contact.fields.clone());
                        let change = Change { numbers, zones, external_id: contact.external_id.clone(), fields };
                        serde_json::value::to_raw_value(&change).expect("values are always JSON")
                    });
                    let verdict = match (person.undone, changed) {
                        (true, _) => RowVerdict::Accepted,
                        (_, true) => RowVerdict::Updated,
                        (_, false) => RowVerdict::Unchanged,
                    };
                    let (row_number, line) = (contact.row_number, contact.line);
                    let change_bytes = change.as_ref().map_or(0, |change| change.get().len());
                    matches.push(MatchRow { contact_id: person.id, row_number, line, change, change_bytes });
                    numbers_here.extend(numbers.iter().map(|(_, key)| (*key, contact.line)));
                    verdict
                }
            },
            None if id_line.is_some() => RowVerdict::Duplicate { line: id_line.unwrap_or_default(), same_file: true },
            None => {
                match numbers.split_first() {
                    None => taken(&known, contact, &numbers_here, chunk.import),
                    Some(((number, key), others)) => {
                        let bucket_id = buckets[&bucket_of(chunk, contact)];
                        numbers_here.extend(numbers.iter().map(|(_, key)| (*key, contact.line)));
                        if let Some(id) = &contact.external_id {
                            ids_here.insert(id, contact.line);
                        }
                        deltas.joined(bucket_id, chunk.now);
                        if !others.is_empty() {
                            extra.extend(numbers.iter().enumerate().map(|(place, (number, number_key))| {
                                (*key, *number_key, place, number.e164().to_owned())
                            }));
                        }
                        inserts.push((contact, number.clone(), *key, bucket_id, !others.is_empty()));
                        RowVerdict::Accepted
                    }
                }
            }
        };
        if let RowVerdict::Duplicate { line, same_file } = &verdict {
            let of = if *same_file { format!("line {line}") } else { "an earlier import".to_owned() };
            let keys = contact.numbers.iter().map(|(_, key)| *key);
            let mention = mention(&known, chunk.import, contact.external_id.as_ref(), keys, contact.line);
            mentions.extend(mention.map(|row| (row.contact_id, row)));
            duplicates.push(Reject {
                row_number: contact.row_number,
                line: contact.line,
                code: "duplicate".to_owned(),
                reason: format!("duplicate of {of}"),
                record: chunk
                    .columns
                    .iter()
                    .map(|column| contact.fields.get(column).cloned().unwrap_or_default())
                    .collect(),
                external_id: None,
                numbers: Vec::new(),
            });
        }
        verdicts.push(verdict);
    }
    insert(session, chunk, &inserts, &extra).await?;
    deltas.count(chunk.run, Counter::Contact(ContactState::Waiting), inserts.len() as i64);
    write_matches(session, chunk.import, &mentions.into_values().collect::<Vec<_>>()).await?;
    write_matches(session, chunk.import, &matches).await?;
    write_rejects(session, chunk.import, &chunk.rejects).await?;
    write_rejects(session, chunk.import, &duplicates).await?;
    deltas.write(session).await?;
    Ok(verdicts)
}

/// All numbers of the row are somebody else's: whose, as far as that is a line of this file.
fn taken(
    known: &ExistingContacts,
    contact: &NewContact,
    here: &HashMap<NumberKey, i64>,
    import: ImportId,
) -> RowVerdict {
    if let Some(line) = contact.numbers.iter().find_map(|(_, key)| here.get(key)) {
        return RowVerdict::Duplicate { line: *line, same_file: true };
    }
    let owner = contact.numbers.iter().find_map(|(_, key)| known.by_number(*key));
    let matched = owner.and_then(|owner| owner.matched).map(|(_, line)| line);
    let own = owner.filter(|owner| owner.import == import).map(|owner| owner.line);
    let same_file = matched.or(own);
    let line = same_file.or(owner.map(|owner| owner.line)).unwrap_or_default();
    RowVerdict::Duplicate { line, same_file: same_file.is_some() }
}

/// A row that is not taken in shows all the same that its person is not missing from the file.
fn mention(
    known: &ExistingContacts,
    import: ImportId,
    external_id: Option<&String>,
    mut numbers: impl Iterator<Item = NumberKey>,
    line: i64,
) -> Option<MatchRow> {
    let person = match external_id {
        Some(_) => known.by_external_id(external_id),
        None => numbers.find_map(|key| known.by_number(key)),
    };
    let person = person.filter(|person| person.import != import)?;
    Some(MatchRow { contact_id: person.id, row_number: 0, line, change: None, change_bytes: 0 })
}

fn bucket_of(chunk: &ImportChunk, contact: &NewContact) -> BucketKey {
    BucketKey { run: chunk.run, zones: contact.zones.clone(), class: DialClass::First, import: chunk.import }
}

type Insert<'c> = (&'c NewContact, PhoneNumber, NumberKey, BucketId, bool);

async fn insert(
    session: &mut Session,
    chunk: &ImportChunk,
    inserts: &[Insert<'_>],
    extra: &[(NumberKey, NumberKey, usize, String)],
) -> Result<(), StoreError> {
    const INSERT: Sql = sql!(
        sqlite "INSERT INTO contacts (run_id, import_id, state, due_at, bucket_id, row_number, line, number, number_key, \
                external_id, has_multiple_numbers, fields) SELECT $2, $3, 'waiting', $4, value->>'bucket_id', value->>'row_number', \
                value->>'line', value->>'number', value->>'number_key', value->>'external_id', value->>'has_multiple_numbers', \
                value->>'fields' FROM json_each($1)",
        postgres "INSERT INTO contacts (run_id, import_id, state, due_at, bucket_id, row_number, line, number, number_key, \
                  external_id, has_multiple_numbers, fields) SELECT $2, $3, 'waiting', $4, u.bucket_id, u.row_number, u.line, u.number, \
                  u.number_key, u.external_id, u.has_multiple_numbers = 1, u.fields \
                  FROM jsonb_to_recordset($1::jsonb) AS u(bucket_id bigint, row_number bigint, line bigint, number text, \
                  number_key bigint, external_id text, has_multiple_numbers bigint, fields jsonb)"
    );
    const NUMBERS: Sql = sql!(
        "INSERT INTO contact_numbers (run_id, number_key, contact_id, position, number) \
         SELECT c.run_id, u.number_key, c.id, u.position, u.number FROM"
        rows (owner_key bigint, number_key bigint, position bigint, number text)
        "CROSS JOIN contacts c WHERE c.run_id = $2 AND c.number_key = u.owner_key"
    );
    if inserts.is_empty() {
        return Ok(());
    }
    let rows: Vec<ContactRow<'_>> = inserts
        .iter()
        .map(|(contact, number, number_key, bucket_id, has_multiple_numbers)| ContactRow {
            row_number: contact.row_number,
            line: contact.line,
            number: number.e164(),
            number_key: *number_key,
            bucket_id: *bucket_id,
            external_id: contact.external_id.as_deref(),
            has_multiple_numbers: i64::from(*has_multiple_numbers),
            fields: &contact.fields,
        })
        .collect();
    session.run(&INSERT, args![rows_json(&rows), chunk.run, chunk.import, chunk.now]).await?;
    if !extra.is_empty() {
        let rows: Vec<NumberRow<'_>> = extra
            .iter()
            .map(|(owner_key, number_key, place, number)| NumberRow {
                owner_key: *owner_key,
                number_key: *number_key,
                position: *place,
                number,
            })
            .collect();
        session.run(&NUMBERS, args![rows_json(&rows), chunk.run]).await?;
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
        session.run(&MATCH, args![rows_json(matches), import]).await?;
    }
    Ok(())
}
