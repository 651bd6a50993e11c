//! What people ask about a run, its contacts and their attempts.

use ringfence_domain::{AttemptId, ContactId, Moment, NumberKey, PhoneNumber, RunId};

use super::transitions;
use crate::by_hand;
use crate::contacts::attempt_rows::AttemptRow;
use crate::contacts::rows::{ContactFilter, ContactRow, ContactText};
use crate::lanes::tallies::Tallies;
use crate::{
    ChangeQuery, Changed, Forgotten, RunConditions, RunFigures, changes, contacts, forgotten, run_conditions,
    run_figures,
};

transitions! {
    /// The numbers of a campaign's current run.
    snapshot numbers(campaign: String, now: Moment) -> Option<RunFigures> =
        |session| run_figures::numbers(session, &Tallies::of_the_moment(), &campaign, now);
    /// The same for people: its live attempts may have been counted up to a second ago.
    tallied numbers_shown(campaign: String, now: Moment) -> Option<RunFigures> =
        |session, tallies| run_figures::numbers(session, &tallies, &campaign, now);
    /// The same of all campaigns, by name; those whose rules cannot be read are left out.
    tallied all_numbers_shown(now: Moment) -> Vec<RunFigures> =
        |session, tallies| run_figures::all_numbers(session, &tallies, now);
    /// Kept counts that differ from counting afresh: name, kept, fresh.
    snapshot recount(run: RunId) -> Vec<(String, i64, i64)> = |session| run_figures::recount(session, run);
    /// Counts the contacts of a run that the program would never come to again. All counts are zero.
    snapshot forgotten(run: RunId) -> Forgotten = |session| forgotten::forgotten(session, run);
    /// The next contacts of a run after `after`, by id.
    snapshot contacts(run: RunId, filter: ContactFilter, after: ContactId, limit: u32) -> Vec<ContactRow> =
        |session| contacts::rows::page(session, run, filter, after, limit);
    /// The texts of the next contacts of a run that the filter lets through, by id.
    snapshot contact_texts(run: RunId, filter: ContactFilter, after: ContactId, limit: u32) -> Vec<ContactText> =
        |session| contacts::rows::texts(session, run, filter, after, limit);
    /// The contacts of these ids, in whichever runs, as far as there are any.
    read contacts_by_ids(contacts: Vec<ContactId>) -> Vec<ContactRow> = |session| contacts::rows::by_ids(session, &contacts);
    /// Every number of these contacts, once.
    read numbers_of(contacts: Vec<ContactId>) -> Vec<PhoneNumber> = |session| contacts::next_number::of_contacts(session, &contacts);
    /// The attempts of these ids, as far as there are any.
    read attempts_by_ids(attempts: Vec<AttemptId>) -> Vec<AttemptRow> =
        |session| async { Ok(contacts::attempt_rows::by_ids(session, attempts.iter().map(|id| id.0)).await?.into_values().collect()) };
    /// The contacts of a campaign that changed, run by run in the order of their changes.
    snapshot changed_contacts(query: ChangeQuery, filter: ContactFilter) -> Changed<ContactRow> =
        |session| changes::contacts(session, query, filter);
    /// The attempts of a campaign that changed, run by run in the order of their changes.
    snapshot changed_attempts(query: ChangeQuery) -> Changed<AttemptRow> = |session| changes::attempts(session, query);
    /// The contact of this id, in whichever run.
    read contact(contact: ContactId) -> Option<ContactRow> = |session| contacts::rows::by_id(session, contact);
    /// The attempt of this id.
    read attempt(attempt: AttemptId) -> Option<AttemptRow> = |session| contacts::attempt_rows::by_id(session, attempt);
    /// The contact of a run with this number, whichever of its numbers it is.
    read contact_by_number(run: RunId, number: NumberKey) -> Option<ContactRow> =
        |session| contacts::rows::by_number(session, run, number);
    /// Everyone with this number in the current run of a campaign, with the run's conditions.
    tallied contacts_of_number(number: NumberKey, now: Moment) -> Vec<(RunConditions, ContactRow)> =
        |session, tallies| run_conditions::contacts_of_number(session, &tallies, number, now);
    /// All attempts at a number, over all campaigns, oldest first.
    read attempts_at(number: NumberKey) -> Vec<AttemptRow> = |session| contacts::attempt_rows::attempts_at(session, number);
    /// Stops contacts because a person says so, and returns how many were.
    stop_switch stop_by_hand(contacts: Vec<ContactId>, reason: String, now: Moment) -> u32 =
        |session| by_hand::stop(session, &contacts, &reason, now);
    /// Has a contact called before everybody who was not called yet; false when it cannot be.
    write call_next(contact: ContactId, now: Moment) -> bool = |session| by_hand::call_next(session, contact, now);
    /// The contacts in the current runs of all campaigns that the operator's own system calls so.
    read contacts_named(external_id: String, limit: i64) -> Vec<ContactRow> =
        |session| contacts::rows::named(session, &external_id, limit);
    /// The attempts at a contact's numbers as they are now, oldest first.
    read attempts_of(contact: ContactId) -> Vec<AttemptRow> = |session| contacts::attempt_rows::attempts_of(session, contact);
    /// Contacts with this number who are not dialled before a call of an earlier run of their
    /// campaign is settled.
    read waiting_for_review(number: NumberKey) -> Vec<ContactId> =
        |session| contacts::rows::waiting_for_review(session, number);
    /// The next attempts of a run after `after`, by id.
    read attempts(run: RunId, filter: ContactFilter, after: AttemptId, limit: u32) -> Vec<AttemptRow> =
        |session| contacts::attempt_rows::attempts(session, run, filter, after, limit);
}
