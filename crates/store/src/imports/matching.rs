//! Who the rows of a contact file may already be.

use std::collections::{BTreeSet, HashMap, HashSet};

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{ContactId, ContactState, ImportId, NumberKey, PhoneNumber, RunId, StopReason, ZoneSet};
use serde::Serialize;

use super::chunk::{ImportChunk, NewContact};
use crate::StoreError;
use crate::contacts::snapshot::lock_contacts;
use crate::session::{self, Arg, Row, Session, Sql, args, sql};

/// Somebody whom a row may be.
pub(crate) struct ExistingContact {
    pub(crate) id: ContactId,
    pub(crate) import: ImportId,
    pub(crate) row_number: i64,
    pub(crate) line: i64,
    pub(crate) state: ContactState,
    pub(crate) undone: bool,
    pub(crate) number: NumberKey,
    pub(crate) has_multiple_numbers: bool,
    pub(crate) external_id: Option<String>,
    pub(crate) zones: ZoneSet,
    /// The row of this same file that it was found by before, if any.
    pub(crate) matched: Option<(i64, i64)>,
}

impl ExistingContact {
    /// Whether there may still be a call that new data is for. A call that is out keeps what it was
    /// sent with; a contact stopped because an import was undone was never called, and this one
    /// brings them again.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, ContactState::Waiting | ContactState::Active | ContactState::Review) || self.undone
    }

    pub(crate) fn differs(
        &self,
        contact: &NewContact,
        numbers: &[(PhoneNumber, NumberKey)],
        same_fields: bool,
    ) -> bool {
        // With several numbers any of them may be the next; a row that brings them again brings
        // nothing new.
        let same_number = numbers.iter().any(|(_, key)| *key == self.number);
        let as_many = self.has_multiple_numbers == (numbers.len() > 1);
        let same_id = contact.external_id.is_none() || contact.external_id == self.external_id;
        self.undone || !(same_number && as_many && same_id && same_fields && self.zones == contact.zones)
    }
}

/// Everyone whom the rows of a chunk may already be.
#[derive(Default)]
pub(crate) struct ExistingContacts {
    people: Vec<ExistingContact>,
    by_number: HashMap<NumberKey, usize>,
    by_external_id: HashMap<String, usize>,
}

impl ExistingContacts {
    pub(crate) fn by_number(&self, key: NumberKey) -> Option<&ExistingContact> {
        self.by_number.get(&key).map(|place| &self.people[*place])
    }

    pub(crate) fn by_external_id(&self, id: Option<&String>) -> Option<&ExistingContact> {
        self.by_external_id.get(id?).map(|place| &self.people[*place])
    }

    /// Who a row of an import is about. Rows of one file that share a number are people of their
    /// own, as far as they have others.
    pub(crate) fn person_of(&self, import: ImportId, contact: &NewContact) -> Option<&ExistingContact> {
        let by_numbers = || contact.numbers.iter().filter_map(|(_, key)| self.by_number(*key));
        let of_row = |person: &&ExistingContact| person.import == import && person.row_number == contact.row_number;
        // A file that is read again finds its later rows, too.
        let is_later = |person: &ExistingContact| person.import == import && person.row_number > contact.row_number;
        let named = self.by_external_id(contact.external_id.as_ref()).filter(|person| !is_later(person));
        named.or_else(|| by_numbers().find(of_row)).or_else(|| {
            by_numbers().find(|person| person.import != import).filter(|person| {
                // With ids, a number alone does not make two rows one person.
                contact.external_id.is_none()
                    || person.external_id.is_none()
                    || person.external_id == contact.external_id
            })
        })
    }
}

/// Reads and locks everyone whom the rows of a chunk may be: by number, by another number of the
/// person, by id. They are found first, locked then, and read at last, so that nobody is missed
/// whom somebody else was just moving.
pub(crate) async fn known_contacts(session: &mut Session, chunk: &ImportChunk) -> Result<ExistingContacts, StoreError> {
    const BY_EXTERNAL_ID: Sql = sql!("SELECT id FROM contacts WHERE run_id + 0 = $2 AND external_id" ids "");
    const READ: Sql = sql!(
        "SELECT c.id, c.number_key, c.import_id, c.row_number, c.line, c.state, c.stop_reason, c.has_multiple_numbers, c.external_id, \
         b.zones, m.row_number AS matched_row, m.line AS matched_line \
         FROM contacts c JOIN buckets b ON b.id = c.bucket_id \
         LEFT JOIN import_matches m ON m.import_id = $2 AND m.contact_id = c.id WHERE c.id" ids ""
    );
    let numbers = chunk.contacts.iter().flat_map(|contact| contact.numbers.iter().map(|(_, key)| *key));
    let rejected = chunk.rejects.iter().flat_map(|reject| reject.numbers.iter().copied());
    let named = chunk.contacts.iter().filter_map(|contact| contact.external_id.as_deref());
    let named = named.chain(chunk.rejects.iter().filter_map(|reject| reject.external_id.as_deref()));
    let names: Vec<&str> = named.collect();
    let by_number = owners(session, chunk.run, numbers.chain(rejected).collect()).await?;
    let mut found: BTreeSet<ContactId> = by_number.iter().map(|(_, contact)| *contact).collect();
    if !names.is_empty() {
        for row in session.rows(&BY_EXTERNAL_ID, args![Arg::texts(names), chunk.run]).await? {
            found.insert(ContactId(row.get("id")?));
        }
    }
    let mut known = ExistingContacts::default();
    if found.is_empty() {
        return Ok(known);
    }
    let ids: Vec<ContactId> = found.into_iter().collect();
    lock_contacts(session, &ids).await?;
    let mut places = HashMap::new();
    for row in session.rows(&READ, args![Arg::ids(ids.iter().map(|id| id.0)), chunk.import]).await? {
        let person = known_contact(&row)?;
        let place = known.people.len();
        places.insert(person.id, place);
        known.by_number.insert(person.number, place);
        if let Some(id) = &person.external_id {
            known.by_external_id.insert(id.clone(), place);
        }
        known.people.push(person);
    }
    for (key, contact) in by_number {
        if let Some(place) = places.get(&contact) {
            known.by_number.entry(key).or_insert(*place);
        }
    }
    Ok(known)
}

/// The rows of a chunk that say of a known contact what is stored of it, by their number in the
/// file. The database compares: what is stored may be far longer than the chunk.
pub(crate) async fn rows_with_nothing_new(
    session: &mut Session,
    chunk: &ImportChunk,
    known: &ExistingContacts,
) -> Result<HashSet<i64>, StoreError> {
    #[derive(Serialize)]
    struct FieldsRow<'a> {
        contact_id: ContactId,
        row_number: i64,
        fields: &'a Fields,
    }
    const SAME: Sql = sql!(
        "SELECT u.row_number FROM" rows (contact_id bigint, row_number bigint, fields jsonb)
        "CROSS JOIN contacts c WHERE c.id = u.contact_id AND c.fields = u.fields"
    );
    let rows: Vec<FieldsRow<'_>> = chunk
        .contacts
        .iter()
        .filter_map(|contact| {
            let contact_id = known.person_of(chunk.import, contact)?.id;
            Some(FieldsRow { contact_id, row_number: contact.row_number, fields: &contact.fields })
        })
        .collect();
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    session.rows(&SAME, args![session::rows(&rows)]).await?.iter().map(|row| row.get("row_number")).collect()
}

/// Whose these numbers are in a run, whether it is their turn or not.
pub(crate) async fn owners(
    session: &mut Session,
    run: RunId,
    numbers: Vec<NumberKey>,
) -> Result<Vec<(NumberKey, ContactId)>, StoreError> {
    // By the number, and not by anything that is known of the run.
    const BY_NUMBER: Sql = sql!(
        "SELECT contact_id AS id, number_key FROM number_owners WHERE run_id + 0 = $2 AND number_key" ids ""
    );
    let rows = session.rows(&BY_NUMBER, args![Arg::ids(numbers.iter().map(|key| key.0)), run]).await?;
    rows.iter().map(|row| Ok((NumberKey(row.get("number_key")?), ContactId(row.get("id")?)))).collect()
}

fn known_contact(row: &Row) -> Result<ExistingContact, StoreError> {
    let matched_row: Option<i64> = row.get("matched_row")?;
    let matched_line: Option<i64> = row.get("matched_line")?;
    Ok(ExistingContact {
        id: ContactId(row.get("id")?),
        import: ImportId(row.get("import_id")?),
        row_number: row.get("row_number")?,
        line: row.get("line")?,
        state: row.word("contacts", "state")?,
        undone: row.get::<Option<String>>("stop_reason")?.as_deref() == Some(StopReason::Undone.as_str()),
        number: NumberKey(row.get("number_key")?),
        has_multiple_numbers: row.get("has_multiple_numbers")?,
        external_id: row.get("external_id")?,
        zones: row.word("buckets", "zones")?,
        matched: matched_row.filter(|row| *row > 0).zip(matched_line),
    })
}
