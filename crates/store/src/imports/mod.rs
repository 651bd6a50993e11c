//! Imports: one contact file each, from its first row until all of its contacts may be dialled.
//!
//! loading → held (a safety rail; a person accepts or undoes) → released. Contacts of an import
//! that is not released stand in staged buckets, which nobody plans from; new data of known
//! contacts waits beside them. Releasing is a few small transactions that may be repeated: change
//! what is known, stop who is missing, then let everyone, or the canary, go. Whose the numbers of
//! new contacts are is entered after them, before anything else comes of the import.

pub(crate) mod begin;
pub(crate) mod canary;
pub(crate) mod changes;
pub(crate) mod chunk;
pub(crate) mod hold;
pub(crate) mod load;
pub(crate) mod matching;
pub(crate) mod owners;
pub(crate) mod recent;
pub(crate) mod rejects;
pub(crate) mod release;
pub(crate) mod rows;
mod sorted;
