//! Rows of a contact file on their way into the database, as many at once as memory allows.

use ringfence_store::{NewContact, Reject};

use super::TakenAsEmpty;

/// Rows stored in one transaction, at most.
const CHUNK: usize = 10_000;
/// Bytes that these rows may take in memory. Several chunks are on their way at once, each in a few
/// forms.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes that a row takes in memory beyond its values, about.
const ROW_BYTES: usize = 800;
/// Bytes that a value takes beyond its text and the name of its column, about.
const VALUE_BYTES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) contacts: Vec<NewContact>,
    pub(super) rejects: Vec<Reject>,
    bytes: usize,
    /// Bytes of the longest of them: the next may be as long.
    longest: usize,
    /// In the last portion: what was taken as empty in the whole file.
    pub(super) taken_as_empty: TakenAsEmpty,
}

impl Rows {
    pub(super) fn add_contact(&mut self, contact: NewContact) {
        self.add(contact.fields.iter().map(|(name, value)| name.len() + value.len()), contact.fields.len());
        self.contacts.push(contact);
    }

    pub(super) fn add_reject(&mut self, reject: Reject) {
        self.add(reject.record.iter().map(String::len), reject.record.len());
        self.rejects.push(reject);
    }

    fn add(&mut self, values: impl Iterator<Item = usize>, count: usize) {
        let bytes = ROW_BYTES + values.sum::<usize>() + count * VALUE_BYTES;
        self.bytes += bytes;
        self.longest = self.longest.max(bytes);
    }

    pub(super) fn is_full(&self) -> bool {
        self.contacts.len() + self.rejects.len() >= CHUNK || self.bytes + self.longest > CHUNK_BYTES
    }
}
