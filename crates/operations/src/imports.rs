//! The imports of campaigns: a contact file is taken in, looked at, undone.

use std::collections::BTreeMap;
use std::path::Path;

use ringfence_domain::{CampaignState, ImportId, ImportState, StopReason, Zone};
use ringfence_store::{CampaignRow, ImportRow, Reject, StopOrder, StopScope, StoreError};
use serde::Serialize;

use crate::campaigns::say_missing_lists;
use crate::error::Error;
use crate::importing::{self, DryRun, Imported, TakenAsEmpty};
use crate::input_file::{InputFile, in_background, until_left};
use crate::rejects::{self, RejectsFile};
use crate::workspace::{Workspace, is_listed};

/// One import.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Import {
    /// Its id.
    #[serde(rename = "import")]
    pub id: ImportId,
    /// Rows of the file.
    pub rows: i64,
    /// Rows of new people.
    pub accepted: i64,
    /// Rows of known people with other data.
    pub updated: i64,
    /// Rows of known people with the same data.
    pub unchanged: i64,
    /// Rows whose number stood elsewhere.
    pub duplicate: i64,
    /// Rows of nobody who can be called.
    pub rejected: i64,
    /// Known people who were not in the file, and were stopped.
    pub missing: i64,
    /// Rows that were not taken in, by the kind of reason.
    pub reasons: BTreeMap<String, i64>,
    /// Its state.
    pub state: ImportState,
    /// The safety rail that holds it.
    pub held_for: Option<String>,
    /// Where its file came from.
    pub source: String,
    /// Its row.
    #[serde(skip)]
    pub row: ImportRow,
}

/// What came of a file that was taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TakenIn {
    /// The import.
    #[serde(flatten)]
    pub import: Import,
    /// Cells that were taken as empty, by the word in them.
    pub taken_as_empty: TakenAsEmpty,
}

/// An import of a list that shows those of several campaigns.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListedImport {
    /// The import.
    #[serde(flatten)]
    pub import: Import,
    /// Its campaign.
    pub campaign: String,
    /// Whose clocks people read its moments on.
    #[serde(skip)]
    pub zone: Zone,
}

/// An import that was undone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UndoneImport {
    /// Its id.
    pub import: ImportId,
    /// Its state.
    pub state: &'static str,
    /// Contacts that were stopped before anybody called them.
    pub stopped: u32,
    /// Rows whose new data stays with people who were known before.
    pub updated_kept: i64,
    /// New people that it had brought.
    #[serde(skip)]
    pub accepted: i64,
}

/// A row that was not taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RejectedRow {
    /// Its number, counted from 1 without the header.
    pub row: i64,
    /// Its line.
    pub line: i64,
    /// The kind of reason.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// Its values.
    pub record: Vec<String>,
}

impl From<Reject> for RejectedRow {
    fn from(reject: Reject) -> Self {
        let Reject { row_number, line, code, reason, record, .. } = reject;
        Self { row: row_number, line, code, reason, record }
    }
}

/// What to import, and how.
#[derive(Debug)]
pub struct ImportRequest<'r> {
    /// The contact file; `-` is standard input.
    pub file: &'r Path,
    /// Where to write the rejected rows.
    pub rejects: Option<&'r Path>,
    /// Whether the file is only a part: then nobody is missing from it.
    pub partial: bool,
}

pub(crate) async fn described(workspace: &Workspace, row: ImportRow) -> Result<Import, Error> {
    let reasons: BTreeMap<String, i64> = workspace.store.reject_reasons(row.id).await?;
    let counts = row.counts;
    Ok(Import {
        id: row.id,
        rows: counts.rows,
        accepted: counts.accepted,
        updated: counts.updated,
        unchanged: counts.unchanged,
        duplicate: counts.duplicate,
        rejected: counts.rejected,
        missing: row.missing,
        reasons,
        state: row.state,
        held_for: row.held_for.clone(),
        source: row.source.clone(),
        row,
    })
}

/// Takes a contact file into the current run of a campaign. An import that a safety rail holds
/// comes back as held.
pub async fn import(workspace: &mut Workspace, campaign: &str, request: &ImportRequest<'_>) -> Result<TakenIn, Error> {
    let row = workspace.campaign(campaign).await?;
    if row.state == CampaignState::Cancelled {
        return Err(StoreError::Cancelled { campaign: campaign.to_owned() }.into());
    }
    let (_, provider) = workspace.lane_of(&row.rules)?;
    let file = InputFile::given(request.file)?;
    let rejected = request.rejects.map(|path| RejectsFile::prepare(path, Some(&file))).transpose()?;
    let imported =
        importing::import(&workspace.store, &workspace.clock, &row, &provider, &file, request.partial).await?;
    let Imported { row, taken_as_empty } = imported;
    if let Some(rejected) = rejected {
        rejected.write(&workspace.store, &row).await?;
    }
    Ok(TakenIn { import: described(workspace, row).await?, taken_as_empty })
}

/// Takes the kept file of an upload in. `begun` is told the id of the import as soon as it has one.
pub(crate) async fn of_upload(
    workspace: &mut Workspace,
    campaign: &str,
    file: &InputFile,
    partial: bool,
    begun: &(dyn Fn(ImportId) + Sync),
) -> Result<TakenIn, Error> {
    let row = workspace.campaign(campaign).await?;
    if row.state == CampaignState::Cancelled {
        return Err(StoreError::Cancelled { campaign: campaign.to_owned() }.into());
    }
    let (_, provider) = workspace.lane_of(&row.rules)?;
    let (store, clock) = (workspace.store.clone(), workspace.clock.clone());
    let looked = match importing::look(file, &row.rules).await {
        Ok(looked) => looked,
        Err(error) => return Err(importing::failed(&store, &clock, &row, file, error).await),
    };
    let imported = importing::import_told(&store, &clock, &row, &provider, (file, looked), partial, begun).await?;
    let Imported { row, taken_as_empty } = imported;
    Ok(TakenIn { import: described(workspace, row).await?, taken_as_empty })
}

/// Says what would become of the file of an upload. Stores nothing.
pub async fn dry_run_of_upload(
    workspace: &mut Workspace,
    campaign: &str,
    path: &Path,
    source: &str,
) -> Result<DryRun, Error> {
    let row = workspace.campaign(campaign).await?;
    let (_, provider) = workspace.lane_of(&row.rules)?;
    let (now, file) = (workspace.now(), InputFile::Uploaded { path: path.to_owned(), source: source.to_owned() });
    in_background(move |left| {
        importing::dry_run(&file, &row.rules, &provider, now, until_left(left)).map_err(|error| file.named(error))
    })
    .await?
}

/// Stops the contacts of an import that were not dialled yet. People who were known before keep
/// their new data.
pub async fn undo(workspace: &Workspace, id: ImportId) -> Result<UndoneImport, Error> {
    let store = &workspace.store;
    let Some(row) = store.import(id).await? else {
        return Err(Error::missing(format!("there is no import {id}"), "`ringfence imports` lists them"));
    };
    store.undo_import(id, workspace.now()).await?;
    let order = StopOrder::new(row.run, StopScope::Import(id), StopReason::Undone, workspace.now());
    let stopped = order.carry_out(store).await?;
    while store.forget_matches(id).await? {}
    let updated_kept = if row.completed_at.is_some() { row.counts.updated } else { 0 };
    Ok(UndoneImport { import: id, state: "undone", stopped, updated_kept, accepted: row.counts.accepted })
}

/// Returns every import of the current run of a campaign, or of all campaigns.
pub async fn list(workspace: &Workspace, campaign: Option<&str>) -> Result<Vec<ListedImport>, Error> {
    let campaigns = match campaign {
        Some(name) => vec![workspace.campaign(name).await?],
        None => workspace.store.campaigns().await?,
    };
    let mut list = Vec::new();
    for CampaignRow { rules, run, .. } in campaigns.into_iter().filter(|row| is_listed(&row.rules.name)) {
        let zone = rules.own_zone(Zone::utc());
        for row in workspace.store.imports(run).await? {
            let import = described(workspace, row).await?;
            list.push(ListedImport { import, campaign: rules.name.clone(), zone });
        }
    }
    say_missing_lists(workspace, campaign).await?;
    Ok(list)
}

/// Returns one import, of whichever campaign and run.
pub async fn one(workspace: &Workspace, id: ImportId) -> Result<Import, Error> {
    let row = workspace.store.import(id).await?;
    let row = row.ok_or_else(|| Error::missing(format!("there is no import {id}"), "list those of a campaign"))?;
    described(workspace, row).await
}

/// Returns the next rows of an import that were not taken in, after this row of its file.
pub async fn rejects_page(
    workspace: &Workspace,
    id: ImportId,
    after: i64,
    limit: u32,
) -> Result<Vec<RejectedRow>, Error> {
    one(workspace, id).await?;
    let rows = workspace.store.rejects(id, after, limit).await?;
    Ok(rows.into_iter().map(RejectedRow::from).collect())
}

/// Returns an import of the current run of a campaign: this one, or the last.
pub async fn of_campaign(workspace: &Workspace, campaign: &str, id: Option<ImportId>) -> Result<ImportRow, Error> {
    let run = workspace.campaign(campaign).await?.run;
    let mut imports = workspace.store.imports(run).await?.into_iter();
    match id {
        Some(id) => imports.find(|row| row.id == id).ok_or_else(|| {
            Error::missing(
                format!("the current run of {campaign} has no import {id}"),
                format!("`ringfence imports {campaign}` lists them"),
            )
        }),
        None => imports.next_back().ok_or_else(|| {
            Error::missing(
                format!("{campaign} has no import yet"),
                format!("`ringfence import {campaign} contacts.csv` brings one"),
            )
        }),
    }
}

/// Returns every row of an import that was not taken in.
pub async fn rejected_rows(workspace: &Workspace, import: &ImportRow) -> Result<Vec<RejectedRow>, Error> {
    let mut rows = Vec::new();
    rejects::for_each(&workspace.store, import, |reject| {
        rows.push(RejectedRow::from(reject.clone()));
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// Returns the sentences that say why an import is held and how to let it go.
pub fn held_line(campaign: &str, row: &ImportRow) -> String {
    format!(
        "held: import {}: {}; nothing of it is dialled\nhint: `ringfence resume {campaign} --accept` releases it, `ringfence import --undo {}` drops it",
        row.id,
        row.held_for.as_deref().unwrap_or_default(),
        row.id
    )
}
