//! `ringfence import`, `ringfence imports` and `ringfence rejects`

use std::io::Write;
use std::path::{Path, PathBuf};

use ringfence_domain::{ImportId, ImportState};
use ringfence_operations::imports::{self, ImportRequest, held_line};
use ringfence_operations::rejects::Kind;
use ringfence_operations::{importing, rejects};

use crate::common::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::home::Home;
use crate::screen;
use crate::stderr::eprint_line;

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
pub async fn import(common: &Common, args: &ImportArgs) -> Result<u8, Failure> {
    let mut home = Home::enter(common).await?;
    let (Some(name), Some(file)) = (&args.campaign, &args.file) else {
        return undo(common, &home, ImportId(args.undo.unwrap_or_default())).await;
    };
    let request = ImportRequest { file, rejects: args.rejects.as_deref(), partial: args.partial };
    let taken_in = imports::import(&mut home, name, &request).await?;
    home.store.close().await;
    let row = &taken_in.import.row;
    if common.json {
        screen::print_json(&taken_in)?;
    } else {
        screen::print(&format!("import {}: {}\n", row.id, importing::counts_line(row)))?;
        for (code, n) in &taken_in.import.reasons {
            screen::print(&format!("  {n} {}\n", code.replace('_', " ")))?;
        }
        if let Some(line) = importing::empty_line(&taken_in.taken_as_empty) {
            screen::print(&format!("  {line}\n"))?;
        }
    }
    if let Some(line) = importing::nobody_line(row) {
        eprint_line(&line);
    }
    match row.state {
        ImportState::Held => {
            eprint_line(&held_line(name, row));
            Ok(HELD)
        }
        ImportState::Undone => Err(Failure::held(format!("import {} was undone meanwhile", row.id), "import it again")),
        _ => Ok(DONE),
    }
}

async fn undo(common: &Common, home: &Home, id: ImportId) -> Result<u8, Failure> {
    let undone = imports::undo(home, id).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&undone)?;
        return Ok(DONE);
    }
    let kept = match undone.updated_kept {
        0 => String::new(),
        n => format!("; {n} updated rows keep their new data"),
    };
    screen::print(&format!(
        "import {id} is undone: {} of {} contacts were stopped undialled{kept}\n",
        undone.stopped, undone.accepted
    ))?;
    Ok(DONE)
}

/// Every import of a campaign's current run, or of all campaigns.
pub async fn imports(common: &Common, args: &ImportsArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let list = imports::list(&home, args.campaign.as_deref()).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&list)?;
        return Ok(DONE);
    }
    if list.is_empty() {
        screen::print("no imports yet\n")?;
        return Ok(DONE);
    }
    let mut table = screen::table(&["import", "campaign", "state", "rows", "file", "began"]);
    for listed in &list {
        let row = &listed.import.row;
        let held = row.held_for.as_ref().filter(|_| row.state == ImportState::Held);
        let file = Path::new(&row.source).file_name();
        table.add_row(vec![
            screen::cell(row.id),
            screen::cell(&listed.campaign),
            screen::cell(held.map_or(row.state.to_string(), |why| format!("{}: {why}", row.state))),
            screen::cell(importing::counts_line(row)),
            screen::cell(file.map_or(row.source.clone(), |name| name.to_string_lossy().into_owned())),
            screen::cell(row.started_at.shown(listed.zone)),
        ]);
    }
    screen::print(&format!("{table}\n"))?;
    Ok(DONE)
}

/// The rows of an import that were not taken in.
pub async fn rejects(common: &Common, args: &RejectsArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let row = imports::of_campaign(&home, &args.campaign, args.import.map(ImportId)).await?;
    if common.json {
        screen::print_json(&imports::rejected_rows(&home, &row).await?)?;
    } else {
        let mut out = screen::data();
        let kind = if args.duplicates { Kind::Duplicate } else { Kind::Rejected };
        rejects::to(&home.store, &row, kind, &mut out).await?;
        out.flush()?;
    }
    home.store.close().await;
    Ok(DONE)
}
