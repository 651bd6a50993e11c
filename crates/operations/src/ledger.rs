//! What happened to a call, moment by moment, in words: the plan, the request, the vendor's answer
//! and reports, the end.

use std::collections::BTreeMap;

use ringfence_domain::{AttemptId, AttemptState, ContactId, DialClass, Moment, Zone};
use ringfence_store::{AttemptRow, ReportOfCall};

use crate::attempts::ListedAttempt;
use crate::error::Error;
use crate::workspace::Workspace;

/// One thing that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// What.
    pub says: String,
    /// The vendor's report as it came.
    pub report: Option<String>,
}

/// Returns the calls at a contact's numbers, oldest first, each with what happened to it. Moments
/// within a sentence are read on the clocks of `zone`.
pub async fn of_contact(
    workspace: &Workspace,
    contact: ContactId,
    zone: Zone,
) -> Result<Vec<(ListedAttempt, Vec<Entry>)>, Error> {
    let rows = workspace.store.attempts_of(contact).await?;
    let mut entries = of_rows(workspace, &rows, zone).await?;
    let with = |row: AttemptRow| {
        let entries = entries.remove(&row.id).unwrap_or_default();
        (ListedAttempt::from(row), entries)
    };
    Ok(rows.into_iter().map(with).collect())
}

/// Returns what happened to each of these attempts, in order.
pub async fn of_attempts(
    workspace: &Workspace,
    attempts: Vec<AttemptId>,
    zone: Zone,
) -> Result<BTreeMap<AttemptId, Vec<Entry>>, Error> {
    let rows = workspace.store.attempts_by_ids(attempts).await?;
    of_rows(workspace, &rows, zone).await
}

async fn of_rows(
    workspace: &Workspace,
    rows: &[AttemptRow],
    zone: Zone,
) -> Result<BTreeMap<AttemptId, Vec<Entry>>, Error> {
    let reports = workspace.store.reports_of(rows.iter().map(|row| row.id).collect()).await?;
    let entries = |row: &AttemptRow| {
        let own: Vec<&ReportOfCall> = reports.iter().filter(|report| report.attempt == row.id).collect();
        (row.id, of_call(row, &own, zone))
    };
    Ok(rows.iter().map(entries).collect())
}

/// Everything that is known of one call, in its order.
fn of_call(row: &AttemptRow, reports: &[&ReportOfCall], zone: Zone) -> Vec<Entry> {
    let mut entries = vec![Entry { at: row.opened_at, says: plan(row, zone), report: None }];
    let mut add = |at: Option<Moment>, says: String| {
        entries.extend(at.map(|at| Entry { at, says, report: None }));
    };
    add(row.sending_at, request(row));
    add(row.sending_at.filter(|_| row.placed_at.is_none()), answer(row));
    if let Some(call) = &row.call_id {
        let of_list = row.cause.is_some();
        let source = if of_list { "the vendor's list has it" } else { "the vendor took it" };
        add(row.placed_at, format!("{source}: call {call}"));
    }
    add(row.ended_at, end(row));
    let waits = matches!(row.state, AttemptState::Unknown | AttemptState::Placed);
    add(row.overdue_at.filter(|_| waits), "without news until then, its number is free again".to_owned());
    let of_vendor = |report: &&ReportOfCall| Entry {
        at: report.received_at,
        says: "the vendor reported; a report proves nothing, so the vendor is asked".to_owned(),
        report: Some(report.body.clone()),
    };
    entries.extend(reports.iter().map(of_vendor));
    entries.retain(|entry| !entry.says.is_empty());
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn plan(row: &AttemptRow, zone: Zone) -> String {
    let why = match row.class {
        DialClass::First => "as a first call",
        DialClass::Retry => "as another try",
        DialClass::Callback => "because a call was asked for",
        DialClass::Capped => "because a cap on the number had passed",
    };
    let (from, until) = (row.dial_after.shown_second(zone), row.dial_before.shown_second(zone));
    format!("planned {why}, by revision {} of the rules; to be sent from {from} and before {until}", row.revision)
}

/// The request, if it left.
fn request(row: &AttemptRow) -> String {
    let from = row.caller_id.as_ref().map(|id| format!(" from {id}")).unwrap_or_default();
    match row.state {
        AttemptState::NotSent => String::new(),
        _ => format!("the request left{from}, as {}", row.reference),
    }
}

/// What came of the request when it did not name a call.
fn answer(row: &AttemptRow) -> String {
    let cause = row.cause.as_deref().unwrap_or("the vendor gave no reason");
    match row.state {
        AttemptState::NotSent => format!("the request did not leave: {cause}"),
        AttemptState::Refused => format!("the vendor refused it: {cause}"),
        AttemptState::Unknown => format!("nobody knows whether the vendor took it: {cause}"),
        AttemptState::Ended => format!("nobody knew whether the vendor took it: {cause}"),
        AttemptState::NotPlaced => format!("it was never placed, as was found out later: {cause}"),
        _ => String::new(),
    }
}

fn end(row: &AttemptRow) -> String {
    let outcome = row.outcome.map(|outcome| outcome.as_str().replace('_', " ")).unwrap_or_default();
    let vendor = row.vendor_status.as_ref().map(|word| format!(" (the vendor says {word})")).unwrap_or_default();
    format!("over: {outcome}{vendor}")
}
