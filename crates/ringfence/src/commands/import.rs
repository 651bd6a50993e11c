//! `ringfence import`, `ringfence imports` and `ringfence rejects`

use std::io::Write;
use std::path::{Path, PathBuf};

use comfy_table::Cell;
use ringfence_domain::{ImportId, ImportState, StopReason};
use ringfence_store::{ImportRow, StopOrder, Whom};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::home::{Home, eprint_line};
use crate::importing::{self, InputFile};
use crate::rejects::{Kind, RejectsFile};
use crate::{rejects, screen};

/// `import`
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The campaign
    #[arg(required_unless_present = "undo")]
    pub campaign: Option<String>,
    /// The contact file; - for standard input
    #[arg(required_unless_present = "undo")]
    pub file: Option<PathBuf>,
    /// Write the rejected rows here, with their line and reason, to be mended and imported again
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// The file is only a part: with contacts.missing = "stop", who is not in it is not missing
    #[arg(long)]
    pub partial: bool,
    /// Stop the contacts of this import that were not dialled yet
    #[arg(long, value_name = "ID", conflicts_with_all = ["campaign", "file", "rejects"])]
    pub undo: Option<i64>,
}

/// `imports`
#[derive(Debug, clap::Args)]
pub struct ImportsArgs {
    /// The campaign [default: all]
    pub campaign: Option<String>,
}

/// `rejects`
#[derive(Debug, clap::Args)]
pub struct RejectsArgs {
    /// The campaign
    pub campaign: String,
    /// Of this import [default: the last one]
    #[arg(long, value_name = "ID")]
    pub import: Option<i64>,
    /// The rows whose number stood elsewhere, instead of those that cannot be called
    #[arg(long)]
    pub duplicates: bool,
}

/// Streams contacts into a campaign.
pub(super) async fn import(common: &Common, args: &ImportArgs) -> Result<u8, Failure> {
    let mut home = Home::enter(common).await?;
    let (Some(name), Some(path)) = (&args.campaign, &args.file) else {
        return undo(common, &home, ImportId(args.undo.unwrap_or_default())).await;
    };
    let campaign = home.campaign(name).await?;
    if campaign.state == ringfence_domain::CampaignState::Cancelled {
        return Err(ringfence_store::StoreError::Cancelled { campaign: name.clone() }.into());
    }
    let (_, provider) = home.lane_of(&campaign.rules)?;
    let file = InputFile::given(path)?;
    let rejected = args.rejects.as_ref().map(|path| RejectsFile::prepare(path, Some(&file))).transpose()?;
    let imported = importing::import(&home.store, &home.clock, &campaign, &provider, &file, args.partial).await?;
    let importing::Imported { row, taken_as_empty } = imported;
    if let Some(rejected) = rejected {
        rejected.write(&home.store, &row).await?;
    }
    let mut value = described(&home, &row).await?;
    value["taken_as_empty"] = json!(taken_as_empty);
    home.store.close().await;
    if common.json {
        screen::print_json(&value)?;
    } else {
        screen::print(&format!("import {}: {}\n", row.id, importing::counts_line(&row)))?;
        for (code, n) in value["reasons"].as_object().into_iter().flatten() {
            screen::print(&format!("  {n} {}\n", code.replace('_', " ")))?;
        }
        if let Some(line) = importing::empty_line(&taken_as_empty) {
            screen::print(&format!("  {line}\n"))?;
        }
    }
    if let Some(line) = importing::nobody_line(&row) {
        eprint_line(&line);
    }
    match row.state {
        ImportState::Held => {
            eprint_line(&held_line(name, &row));
            Ok(HELD)
        }
        ImportState::Undone => Err(Failure::held(format!("import {} was undone meanwhile", row.id), "import it again")),
        _ => Ok(DONE),
    }
}

/// Why an import is held, and how to let it go.
pub(super) fn held_line(campaign: &str, row: &ImportRow) -> String {
    format!(
        "held: import {}: {}; nothing of it is dialled\nhint: `ringfence resume {campaign} --accept` releases it, `ringfence import --undo {}` drops it",
        row.id,
        row.held_for.as_deref().unwrap_or_default(),
        row.id
    )
}

async fn described(home: &Home, row: &ImportRow) -> Result<Value, Failure> {
    let reasons = home.store.reject_reasons(row.id).await?;
    let counts = row.counts;
    Ok(json!({
        "import": row.id, "rows": counts.rows, "accepted": counts.accepted, "updated": counts.updated,
        "unchanged": counts.unchanged, "duplicate": counts.duplicate, "rejected": counts.rejected,
        "missing": row.missing, "reasons": reasons, "state": row.state, "held_for": row.held_for, "source": row.source,
    }))
}

async fn undo(common: &Common, home: &Home, id: ImportId) -> Result<u8, Failure> {
    let Some(row) = home.store.import(id).await? else {
        return Err(Failure::input(format!("there is no import {id}"), "`ringfence imports` lists them"));
    };
    home.store.undo_import(id, home.now()).await?;
    let order = StopOrder::new(row.run, Whom::Import(id), StopReason::Undone, home.now());
    let stopped = order.carry_out(&*home.store).await?;
    while home.store.forget_matches(id).await? {}
    home.store.close().await;
    let (accepted, updated) = (row.counts.accepted, if row.completed_at.is_some() { row.counts.updated } else { 0 });
    if common.json {
        screen::print_json(&json!({ "import": id, "state": "undone", "stopped": stopped, "updated_kept": updated }))?;
    } else {
        let kept = if updated > 0 { format!("; {updated} updated rows keep their new data") } else { String::new() };
        screen::print(&format!(
            "import {id} is undone: {stopped} of {accepted} contacts were stopped undialled{kept}\n"
        ))?;
    }
    Ok(DONE)
}

/// Every import of a campaign's current run, or of all campaigns.
pub(super) async fn imports(common: &Common, args: &ImportsArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaigns = match &args.campaign {
        Some(name) => vec![home.campaign(name).await?],
        None => home.store.campaigns().await?,
    };
    let mut list = Vec::new();
    let mut table = screen::table(&["import", "campaign", "state", "rows", "file", "began"]);
    for campaign in campaigns.iter().filter(|campaign| crate::home::is_listed(&campaign.rules.name)) {
        for row in home.store.imports(campaign.run).await? {
            let mut value = described(&home, &row).await?;
            value["campaign"] = json!(campaign.rules.name);
            list.push(value);
            let held = row.held_for.clone().filter(|_| row.state == ImportState::Held);
            table.add_row(vec![
                Cell::new(row.id),
                Cell::new(&campaign.rules.name),
                Cell::new(held.map_or(row.state.to_string(), |why| format!("{}: {why}", row.state))),
                Cell::new(importing::counts_line(&row)),
                Cell::new(
                    Path::new(&row.source)
                        .file_name()
                        .map_or(row.source.clone(), |name| name.to_string_lossy().into_owned()),
                ),
                Cell::new(screen::moment(row.started_at, campaign.rules.own_zone(ringfence_domain::Zone::utc()))),
            ]);
        }
    }
    home.store.close().await;
    if common.json {
        screen::print_json(&list)?;
    } else if list.is_empty() {
        screen::print("no imports yet\n")?;
    } else {
        screen::print(&format!("{table}\n"))?;
    }
    Ok(DONE)
}

/// The rows of an import that were not taken in.
pub(super) async fn rejects(common: &Common, args: &RejectsArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = home.campaign(&args.campaign).await?;
    let imports = home.store.imports(campaign.run).await?;
    let row = match args.import {
        Some(id) => imports.into_iter().find(|row| row.id == ImportId(id)).ok_or_else(|| {
            Failure::input(
                format!("the current run of {} has no import {id}", args.campaign),
                format!("`ringfence imports {}` lists them", args.campaign),
            )
        })?,
        None => imports.into_iter().next_back().ok_or_else(|| {
            Failure::input(
                format!("{} has no import yet", args.campaign),
                format!("`ringfence import {} contacts.csv` brings one", args.campaign),
            )
        })?,
    };
    if common.json {
        let mut list = Vec::new();
        rejects::each(&home.store, &row, |reject| {
            list.push(json!({
                "row": reject.row_number, "line": reject.line, "code": reject.code, "reason": reject.reason,
                "record": reject.record,
            }));
            Ok(())
        })
        .await?;
        screen::print_json(&list)?;
    } else {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let kind = if args.duplicates { Kind::Duplicate } else { Kind::Rejected };
        rejects::to(&home.store, &row, kind, &mut out).await?;
        out.flush()?;
    }
    home.store.close().await;
    Ok(DONE)
}
