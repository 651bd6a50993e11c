//! Rows of a chunk, sorted: new people, known people, duplicates.

use std::collections::{BTreeMap, HashMap, HashSet};

use ringfence_domain::{ContactId, ImportId, NumberKey, PhoneNumber};
use serde::Serialize;
use serde_json::value::RawValue;

use super::chunk::{Change, ImportChunk, NewContact, RowVerdict};
use super::matching::{ExistingContact, ExistingContacts};
use super::recent::RecentNumbers;
use super::rejects::Reject;

#[derive(Serialize)]
pub(super) struct MatchRow {
    contact_id: ContactId,
    row_number: i64,
    line: i64,
    change: Option<Box<RawValue>>,
    change_bytes: usize,
}

/// A person whom nobody knew.
pub(super) struct NewRow<'c> {
    pub(super) contact: &'c NewContact,
    /// Their numbers that are nobody else's. Never empty.
    pub(super) numbers: Vec<(PhoneNumber, NumberKey)>,
}

/// What is to be written of the rows of a chunk. Of two rows about one person the first counts.
pub(super) struct Sorted<'c, 'r> {
    chunk: &'c ImportChunk,
    known: &'c ExistingContacts,
    /// Rows that say of a known contact what is stored of it.
    same: &'c HashSet<i64>,
    /// Lines of numbers that the file brought and that are not entered yet.
    recent: &'r mut RecentNumbers,
    /// Lines of this chunk by number of known people, by contact and by id.
    numbers_here: HashMap<NumberKey, i64>,
    people_here: HashMap<ContactId, i64>,
    ids_here: HashMap<&'c str, i64>,
    pub(super) new: Vec<NewRow<'c>>,
    pub(super) matches: Vec<MatchRow>,
    /// Known people whose row is not taken in, and who are in the file all the same.
    pub(super) mentions: BTreeMap<ContactId, MatchRow>,
    pub(super) duplicates: Vec<Reject>,
}

impl<'c, 'r> Sorted<'c, 'r> {
    /// Begins with the rows that cannot be called.
    pub(super) fn of_rejects(
        chunk: &'c ImportChunk,
        known: &'c ExistingContacts,
        same: &'c HashSet<i64>,
        recent: &'r mut RecentNumbers,
    ) -> Self {
        let rejects = chunk.rejects.iter().filter_map(|reject| {
            mention(known, chunk.import, reject.external_id.as_ref(), reject.numbers.iter().copied(), reject.line)
        });
        Self {
            chunk,
            known,
            same,
            recent,
            numbers_here: HashMap::new(),
            people_here: HashMap::new(),
            ids_here: HashMap::new(),
            new: Vec::new(),
            matches: Vec::new(),
            mentions: rejects.map(|row| (row.contact_id, row)).collect(),
            duplicates: Vec::new(),
        }
    }

    /// Takes the next row.
    pub(super) fn sort(&mut self, contact: &'c NewContact) -> RowVerdict {
        let person = self.known.person_of(self.chunk.import, contact);
        let numbers = self.free_numbers(contact, person);
        let verdict = match person {
            Some(person) if person.import == self.chunk.import && person.row_number == contact.row_number => {
                RowVerdict::Accepted
            }
            Some(person) if person.import == self.chunk.import => {
                RowVerdict::Duplicate { line: person.line, same_file: true }
            }
            Some(person) => match (person.matched, self.people_here.get(&person.id)) {
                (Some((row, line)), _) if row != contact.row_number => RowVerdict::Duplicate { line, same_file: true },
                (None, Some(line)) => RowVerdict::Duplicate { line: *line, same_file: true },
                _ if numbers.is_empty() => self.taken(contact),
                _ => self.known_person(contact, person, &numbers),
            },
            None if self.is_repeated(contact) => RowVerdict::Accepted,
            None => match contact.external_id.as_deref().and_then(|id| self.ids_here.get(id)) {
                Some(line) => RowVerdict::Duplicate { line: *line, same_file: true },
                None if numbers.is_empty() => self.taken(contact),
                None => self.new_person(contact, numbers),
            },
        };
        if let RowVerdict::Duplicate { line, same_file } = verdict {
            self.keep_duplicate(contact, line, same_file);
        }
        verdict
    }

    /// Whether this very row was taken in before.
    fn is_repeated(&self, contact: &NewContact) -> bool {
        contact.numbers.iter().any(|(_, key)| self.recent.line(*key) == Some(contact.line))
    }

    /// Numbers of a row that are not somebody else's.
    fn free_numbers(&self, contact: &NewContact, person: Option<&ExistingContact>) -> Vec<(PhoneNumber, NumberKey)> {
        let is_free = |key: NumberKey| {
            let owner = self.known.by_number(key);
            let is_others = owner.is_some_and(|owner| person.is_none_or(|person| person.id != owner.id));
            !is_others && !self.numbers_here.contains_key(&key) && self.recent.line(key).is_none()
        };
        contact.numbers.iter().filter(|(_, key)| is_free(*key)).cloned().collect()
    }

    fn known_person(
        &mut self,
        contact: &NewContact,
        person: &ExistingContact,
        numbers: &[(PhoneNumber, NumberKey)],
    ) -> RowVerdict {
        self.people_here.insert(person.id, contact.line);
        self.numbers_here.extend(numbers.iter().map(|(_, key)| (*key, contact.line)));
        let is_same = self.same.contains(&contact.row_number);
        let is_changed = person.is_open() && person.differs(contact, numbers, is_same);
        let change = is_changed.then(|| {
            let numbers = numbers.iter().map(|(number, key)| (number.e164().to_owned(), *key)).collect();
            let (zones, fields) = (contact.zones.clone(), contact.fields.clone());
            let change = Change { numbers, zones, external_id: contact.external_id.clone(), fields };
            serde_json::value::to_raw_value(&change).expect("values are always JSON")
        });
        let change_bytes = change.as_ref().map_or(0, |change| change.get().len());
        let (row_number, line) = (contact.row_number, contact.line);
        self.matches.push(MatchRow { contact_id: person.id, row_number, line, change, change_bytes });
        match (person.undone, is_changed) {
            (true, _) => RowVerdict::Accepted,
            (_, true) => RowVerdict::Updated,
            (_, false) => RowVerdict::Unchanged,
        }
    }

    fn new_person(&mut self, contact: &'c NewContact, numbers: Vec<(PhoneNumber, NumberKey)>) -> RowVerdict {
        self.recent.extend(numbers.iter().map(|(_, key)| (*key, contact.line)));
        if let Some(id) = &contact.external_id {
            self.ids_here.insert(id, contact.line);
        }
        self.new.push(NewRow { contact, numbers });
        RowVerdict::Accepted
    }

    /// All numbers of the row are somebody else's: whose, as far as that is a line of this file.
    fn taken(&self, contact: &NewContact) -> RowVerdict {
        let stored = |owner: &ExistingContact| match owner.matched {
            Some((_, line)) => Some(line),
            None => (owner.import == self.chunk.import).then_some(owner.line),
        };
        let line_here = |key| {
            let read = self.numbers_here.get(&key).copied().or_else(|| self.recent.line(key));
            read.or_else(|| self.known.by_number(key).and_then(stored))
        };
        let mut numbers = contact.numbers.iter().map(|(_, key)| *key);
        if let Some(line) = numbers.clone().find_map(line_here) {
            return RowVerdict::Duplicate { line, same_file: true };
        }
        let owner = numbers.find_map(|key| self.known.by_number(key));
        RowVerdict::Duplicate { line: owner.map_or(0, |owner| owner.line), same_file: false }
    }

    fn keep_duplicate(&mut self, contact: &NewContact, line: i64, same_file: bool) {
        let chunk = self.chunk;
        let of = if same_file { format!("line {line}") } else { "an earlier import".to_owned() };
        let keys = contact.numbers.iter().map(|(_, key)| *key);
        let mention = mention(self.known, chunk.import, contact.external_id.as_ref(), keys, contact.line);
        self.mentions.extend(mention.map(|row| (row.contact_id, row)));
        let value = |column| contact.fields.get(column).cloned().unwrap_or_default();
        self.duplicates.push(Reject {
            row_number: contact.row_number,
            line: contact.line,
            code: "duplicate".to_owned(),
            reason: format!("duplicate of {of}"),
            record: chunk.columns.iter().map(value).collect(),
            external_id: None,
            numbers: Vec::new(),
        });
    }
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
