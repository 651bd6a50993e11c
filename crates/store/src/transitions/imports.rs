//! Contact files.

use std::collections::BTreeMap;

use ringfence_domain::{ContactId, ImportId, LaneId, Moment, RunId};

use super::transitions;
use crate::imports::begin::{ImportOrder, ImportStart};
use crate::imports::canary::Canary;
use crate::imports::chunk::{ImportChunk, RowVerdict};
use crate::imports::rejects::Reject;
use crate::imports::release::CompleteOrder;
use crate::imports::rows::{ImportCounts, ImportRow};
use crate::{imports, stop_contacts};

transitions! {
    /// Begins an import, or finds the one that the same file began before.
    write begin_import(order: ImportOrder) -> ImportStart = |session| imports::begin::begin(session, &order);
    /// Takes in some rows; may be repeated. The verdicts are in the order of the contacts.
    in_parts import_chunk(chunk: ImportChunk) -> Vec<RowVerdict> = |database| imports::load::take_in(database, chunk);
    /// How many who wait an import does not have, and how many wait, both among those whom earlier
    /// files brought.
    read missing_contacts(import: ImportId) -> (i64, i64) = |session| stop_contacts::missing(session, import);
    /// The whole file was read, and a safety rail holds it.
    in_parts hold_import(import: ImportId, counts: ImportCounts, reason: String, now: Moment) -> () =
        |database| imports::hold::hold(database, import, counts, reason, now);
    /// Gives some known contacts, from the first after `after` on, what the file has of them; the
    /// last of them, while there may be more.
    in_parts apply_changes(import: ImportId, after: ContactId, now: Moment) -> Option<ContactId> =
        |database| imports::changes::apply_changes(database, import, after, now);
    /// All of the file is in: everyone may be dialled, or the canary first.
    in_parts complete_import(order: CompleteOrder) -> () = |database| imports::release::complete(database, order);
    /// Sends so many more of an import ahead, in place of canaries that cannot be dialled now.
    write replace_canaries(import: ImportId, now: Moment) -> () = |session| imports::canary::replace(session, import, now);
    /// Everyone of the import may be dialled.
    write release_import(run: RunId, import: ImportId, now: Moment) -> () =
        |session| imports::release::release(session, run, import, now);
    /// Nothing more of the import is dialled; its contacts are to be stopped.
    stop_switch undo_import(import: ImportId, now: Moment) -> () = |session| imports::hold::undo(session, import, now);
    /// Forgets some of what was only kept until the import was complete; false when nothing is
    /// left.
    bulk forget_matches(import: ImportId) -> bool = |session, rows| imports::release::forget_matches(session, import, rows);
    /// Canaries of a lane's campaigns and how they are doing.
    read canaries(lane: LaneId, now: Moment) -> Vec<Canary> = |session| imports::canary::list(session, lane, now);
    /// One import.
    read import(import: ImportId) -> Option<ImportRow> = |session| imports::rows::by_id(session, import);
    /// The imports whose content has one of these digests, of whichever run.
    read imports_of_digests(digests: Vec<String>) -> Vec<ImportRow> = |session| imports::rows::of_digests(session, digests);
    /// The imports of a run, oldest first.
    read imports(run: RunId) -> Vec<ImportRow> = |session| imports::rows::of_run(session, run);
    /// The next rows after `after` that an import did not take in, in the order of the file.
    read rejects(import: ImportId, after: i64, limit: u32) -> Vec<Reject> =
        |session| imports::rejects::rejects(session, import, after, limit);
    /// How many rows an import did not take in, by the kind of reason.
    read reject_reasons(import: ImportId) -> BTreeMap<String, i64> = |session| imports::rejects::reasons(session, import);
}
