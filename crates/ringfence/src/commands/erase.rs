//! `ringfence erase`

use ringfence_domain::{Span, Zone};
use ringfence_operations::erasure::{self, Due, ErasedRun};
use ringfence_operations::error::Error;
use serde::Serialize;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen::{self, plural};

/// `erase`
#[derive(Debug, clap::Args)]
pub struct EraseArgs {
    /// Erase runs whose last call is longer ago: 180d [default: retention.people of ringfence.toml]
    #[arg(long, value_name = "TIME")]
    pub older_than: Option<Span>,
    /// Show what would be erased, and erase nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// What was erased, or would be.
#[derive(Debug, Serialize)]
struct Told {
    erased: bool,
    runs: Vec<ErasedRun>,
}

/// Erases the people of runs that are over.
pub async fn erase(common: &Common, args: &EraseArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let done = erase_at(common, &home, args).await;
    home.store.close().await;
    done
}

async fn erase_at(common: &Common, home: &Home, args: &EraseArgs) -> Result<u8, Failure> {
    let keep = args.older_than.or(home.config.keep_people).ok_or_else(|| {
        Error::input(
            "nobody said how long people are kept",
            "say it: --older-than 180d, or [retention] people = \"180d\" in ringfence.toml",
        )
    })?;
    let due = erasure::due(&home.store, &*home.clock, keep).await?;
    say_remembered(home, due, keep);
    let runs = erasure::list(&home.store, due).await?;
    if runs.is_empty() {
        return tell(common, false, runs, "nobody is to be erased: no run that is over is old enough\n");
    }
    if !common.json {
        screen::print(&table(&runs))?;
    }
    if args.dry_run {
        return tell(common, false, runs, "nothing was erased: --dry-run\n");
    }
    let people: i64 = runs.iter().map(|run| run.contacts).sum();
    let question = format!("erase {} and their calls for good?", plural(people, "contact"));
    if !args.yes && !screen::confirm(&question)? {
        return Err(Error::input("nothing was erased", "say --yes, or answer y on a terminal"));
    }
    let erased = erasure::erase(&home.store, &*home.clock, due).await?;
    let people: i64 = erased.iter().map(|run| run.contacts).sum();
    let said = format!("erased: {} of {}\n", plural(people, "contact"), plural(erased.len() as i64, "run"));
    tell(common, true, erased, &said)
}

fn tell(common: &Common, erased: bool, runs: Vec<ErasedRun>, said: &str) -> Result<u8, Failure> {
    if common.json {
        screen::print_json(&Told { erased, runs })?;
    } else {
        screen::print(said)?;
    }
    Ok(DONE)
}

/// Rules may remember calls for longer than people are to be kept.
fn say_remembered(home: &Home, due: Due, keep: Span) {
    if let Some(remembered) = due.remembered {
        home.notices.tell(&format!(
            "limits of campaigns remember calls for longer than {keep}: they are kept for {remembered}"
        ));
    }
}

fn table(runs: &[ErasedRun]) -> String {
    let mut table = screen::table(&["campaign", "run", "contacts", "last call"]);
    for run in runs {
        table.add_row(vec![
            run.campaign.clone(),
            run.run.to_string(),
            run.contacts.to_string(),
            run.last_at.shown(Zone::utc()),
        ]);
    }
    format!("{table}\n")
}
