//! What would become of a contact file: every row is read, and nothing stored.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ringfence_domain::safety::ImportFacts;
use ringfence_domain::{Campaign, Moment, PhoneNumber};
use ringfence_intake::{ContactFile, contacts};
use ringfence_providers::Provider;

use super::TakenAsEmpty;
use crate::error::Error;
use crate::input_file::InputFile;

/// What a dry run found out about a file.
#[derive(Debug, Default, serde::Serialize, utoipa::ToSchema)]
pub struct DryRun {
    /// Rows read.
    pub rows: i64,
    /// Rows of people who can be called.
    pub accepted: i64,
    /// Rows whose numbers all stood in an earlier one.
    pub duplicate: i64,
    /// Rows that cannot.
    pub rejected: i64,
    /// Why, and how many for each reason.
    pub reasons: BTreeMap<String, i64>,
    /// The first of them.
    pub first_rejects: Vec<String>,
    /// Where those are who can be called, and how many in each place.
    #[serde(skip)]
    pub zones: BTreeMap<String, i64>,
    /// Cells that are taken as empty, by the word in them.
    pub taken_as_empty: TakenAsEmpty,
    /// The safety rail that would hold it.
    pub held_for: Option<String>,
}

/// Reads every row, for as long as it `is_wanted`, and stores nothing.
pub fn dry_run(
    file: &InputFile,
    campaign: &Campaign,
    provider: &Arc<dyn Provider>,
    now: Moment,
    is_wanted: impl Fn() -> bool + Send + 'static,
) -> Result<DryRun, Error> {
    let can_call = |number: &ringfence_domain::PhoneNumber| provider.can_call(number);
    let mut table = ContactFile::open(file.path(), campaign, Box::new(can_call))?.read_while(is_wanted);
    let (mut found, mut swallowed) = (DryRun::default(), None);
    // As much as a row needs to be known again, so that a million of them fit.
    let known = |number: &PhoneNumber| {
        let mut hasher = DefaultHasher::new();
        number.e164().hash(&mut hasher);
        hasher.finish()
    };
    let mut seen = HashSet::new();
    while let Some(row) = table.next_row()? {
        swallowed = swallowed.or_else(|| table.swallowed());
        found.rows += 1;
        match row {
            Ok(row) => {
                let is_new = row.numbers.iter().map(known).filter(|number| seen.insert(*number)).count() > 0;
                found.accepted += i64::from(is_new);
                found.duplicate += i64::from(!is_new);
                *found.zones.entry(row.zones.to_string()).or_default() += i64::from(is_new);
            }
            Err(reject) => {
                found.rejected += 1;
                *found.reasons.entry(reject.code.to_string()).or_default() += 1;
                if found.first_rejects.len() < 10 {
                    found
                        .first_rejects
                        .push(format!("row {} (line {}): {}", reject.row_number, reject.line, reject.reason));
                }
            }
        }
    }
    found.taken_as_empty = table.taken_as_empty();
    let DryRun { rows, accepted, rejected, .. } = found;
    let people = if contacts::is_rejects(table.columns()) { i64::MAX } else { accepted };
    let facts = ImportFacts { rows, accepted, people, rejected, age: file.age(now) };
    found.held_for = swallowed.map(|problem| problem.sentence()).or_else(|| campaign.safety.judge(&facts));
    Ok(found)
}
