//! Whether what was promised held: every call of a database, and the tape of a vendor beside it,
//! gone through again.
//!
//! It asks the same pure rules as the claim did, by other ways: from rows that are settled, in the
//! order of the numbers, and from what the vendor wrote down before it answered.

mod numbers;
mod rates;
mod tape;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ringfence_domain::event::EventKind;
use ringfence_domain::{AttemptState, CampaignId, LaneId, Moment, RunId, Span};
use ringfence_store::{CampaignRow, ClaimedPlace, LaneRow, Rules, Subject};
use serde::Serialize;

use self::numbers::Calls;
use self::tape::VendorTape;
use crate::error::Error;
use crate::workspace::Workspace;

/// Claimed attempts that are read at once.
const PAGE: u32 = 5_000;
/// Findings of each kind that are told one by one.
const TOLD: usize = 50;

/// What can be wrong with a call, or with a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Broken {
    /// Somebody was called who must not be called again, or during another call, or by a request
    /// that no attempt accounts for.
    Duplicated,
    /// A contact or a call is not there any more, or nobody would ever come to it.
    Lost,
    /// A call at a moment at which the contact's window was closed.
    OutOfWindow,
    /// A call above a limit of its lane, its campaign or its number.
    OverLimit,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// What is wrong.
    pub kind: Broken,
    /// Where, in words.
    pub what: String,
}

/// What a verification found.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Verified {
    /// Contacts in all runs.
    pub contacts: i64,
    /// Calls that were made, or may have been.
    pub calls: u64,
    /// Calls on the tape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taped: Option<u64>,
    /// Calls with nothing wrong.
    pub ok: u64,
    /// How often each thing is wrong.
    pub duplicated: u64,
    /// As above.
    pub lost: u64,
    /// As above.
    pub out_of_window: u64,
    /// As above.
    pub over_limit: u64,
    /// Calls whose fate nobody knows yet.
    pub unknown: u64,
    /// Contacts that wait for a person's word.
    pub review: i64,
    /// Calls from before the present rules of their campaign: their window and their limits cannot
    /// be judged by these.
    pub before_rules: u64,
    /// The first findings of each kind.
    pub findings: Vec<Finding>,
}

impl Verified {
    /// Tells whether everything that was promised held.
    pub fn holds(&self) -> bool {
        self.duplicated + self.lost + self.out_of_window + self.over_limit == 0
    }

    fn add(&mut self, kind: Broken, times: u64, what: impl FnOnce() -> String) {
        let count = match kind {
            Broken::Duplicated => &mut self.duplicated,
            Broken::Lost => &mut self.lost,
            Broken::OutOfWindow => &mut self.out_of_window,
            Broken::OverLimit => &mut self.over_limit,
        };
        *count += times;
        if self.findings.iter().filter(|finding| finding.kind == kind).count() < TOLD {
            self.findings.push(Finding { kind, what: what() });
        }
    }
}

/// The present rules of a campaign.
struct OfCampaign {
    row: CampaignRow,
    rules: Rules,
    /// The same, without the guard: the phone may still ring then.
    ringing: Rules,
    /// Since when they hold.
    since: Option<Moment>,
}

/// The rules by which calls are judged.
struct Law<'w> {
    workspace: &'w Workspace,
    lanes: HashMap<LaneId, LaneRow>,
    campaigns: HashMap<CampaignId, OfCampaign>,
    of_run: HashMap<RunId, CampaignId>,
}

impl Law<'_> {
    async fn of_run(&mut self, run: RunId) -> Result<&OfCampaign, Error> {
        let store = &self.workspace.store;
        let id = match self.of_run.get(&run) {
            Some(id) => *id,
            None => *self.of_run.entry(run).or_insert(store.run(run).await?.campaign),
        };
        let new = match self.campaigns.entry(id) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(new) => new,
        };
        let row = store.campaign_by_id(id).await?;
        let applied = store.last_event(EventKind::CampaignApplied, Subject::Campaign(id)).await?;
        let rules = Rules::new(row.revision, row.rules.clone());
        let mut unguarded = row.rules.clone();
        unguarded.calling.guard = Span::ZERO;
        let ringing = Rules::new(row.revision, unguarded);
        Ok(new.insert(OfCampaign { row, rules, ringing, since: applied.map(|event| event.at) }))
    }
}

/// Goes through every run, or those of one campaign, and through a tape if there is one.
pub async fn verify(workspace: &Workspace, tape: Option<&Path>) -> Result<Verified, Error> {
    let store = &workspace.store;
    let mut tape = tape.map(VendorTape::read).transpose()?;
    let mut found = Verified { taped: tape.as_ref().map(VendorTape::calls), ..Verified::default() };
    let lanes = store.lanes().await?.into_iter().map(|lane| (lane.id, lane)).collect();
    let mut law = Law { workspace, lanes, campaigns: HashMap::new(), of_run: HashMap::new() };
    let mut days: BTreeMap<(LaneId, jiff::civil::Date), u32> = BTreeMap::new();

    // A number's calls may stand on two pages.
    let (mut place, mut of_number) = (ClaimedPlace::START, Vec::new());
    loop {
        let page = store.claimed_attempts(place, PAGE).await?;
        let Some(last) = page.last() else { break };
        place = last.place();
        for attempt in page {
            if of_number.last().is_some_and(|before| !attempt.has_number_of(before)) {
                Calls(std::mem::take(&mut of_number)).judge(&mut law, tape.as_mut(), &mut found).await?;
            }
            if numbers::is_call(&attempt) {
                found.calls += 1;
                found.unknown += u64::from(attempt.state == AttemptState::Unknown);
                if let Some(lane) = law.lanes.get(&attempt.lane) {
                    *days.entry((lane.id, attempt.sending_at.date(lane.settings.timezone))).or_default() += 1;
                }
            }
            of_number.push(attempt);
        }
    }
    Calls(of_number).judge(&mut law, tape.as_mut(), &mut found).await?;
    rates::of_days(&law, &days, &mut found);
    if let Some(tape) = &tape {
        tape.left_over(&mut found);
        rates::of_tape(&law, tape, &mut found);
    }
    of_contacts(workspace, &mut found).await?;
    found.ok = found.calls.saturating_sub(found.duplicated + found.out_of_window + found.over_limit);
    Ok(found)
}

/// Every contact is somewhere, and every count is true.
async fn of_contacts(workspace: &Workspace, found: &mut Verified) -> Result<(), Error> {
    let store = &workspace.store;
    for campaign in store.campaigns().await? {
        let name = &campaign.rules.name;
        for run in store.runs(campaign.id).await? {
            let at = format!("campaign {name}, run {}", run.number);
            for (count, kept, counted) in store.recount(run.id).await? {
                let what = || format!("{at}: {count} is kept as {kept}, and {counted} are there");
                found.add(Broken::Lost, kept.abs_diff(counted), what);
            }
            let forgotten = store.forgotten(run.id).await?;
            let kinds = [
                (forgotten.active_without_attempt, "contacts are being called without any attempt"),
                (forgotten.done_without_attempt, "contacts are done without any attempt"),
                (forgotten.missing, "contacts of complete files are not there"),
                (forgotten.without_number, "contacts would not be found by their number"),
            ];
            for (n, what) in kinds.into_iter().filter(|(n, _)| *n > 0) {
                found.add(Broken::Lost, n.unsigned_abs(), || format!("{at}: {n} {what}"));
            }
            let counts = store.run_counts(run.id).await?;
            let contacts = crate::summary::Counts(&counts).contacts();
            found.contacts += contacts.total;
            found.review += contacts.review;
        }
    }
    Ok(())
}
