//! `ringfence run --dry-run`

use ringfence_operations::run::Prepared;
use ringfence_operations::workspace::Needs;
use ringfence_operations::{importing, workspace};

use super::run::RunArgs;
use crate::common::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::screen;

/// Reads every row and says who could be called; changes nothing.
pub(super) fn dry_run(common: &Common, args: &RunArgs) -> Result<u8, Failure> {
    let prepared = Prepared::load(&common.place(), &args.campaign, args.contacts.as_deref(), Needs::NoSecrets)?;
    let Prepared { campaign, provider, file, .. } = &prepared;
    let found = match file {
        Some(file) => importing::dry_run(file, campaign, provider, workspace::wall_clock(), || true)?,
        None => importing::DryRun::default(),
    };
    if common.json {
        screen::print_json(&found)?;
    } else {
        let duplicate = if found.duplicate > 0 { format!(", {} duplicate", found.duplicate) } else { String::new() };
        screen::print(&format!(
            "{} would be dialled through lane {}: {} rows, {} can be called{duplicate}, {} cannot\n",
            campaign.name, campaign.provider, found.rows, found.accepted, found.rejected
        ))?;
        if file.is_some() && found.rows == 0 {
            screen::print("  the file has a header and no people\n")?;
        }
        for line in &found.first_rejects {
            screen::print(&format!("  {line}\n"))?;
        }
        let more = found.rejected - found.first_rejects.len() as i64;
        if more > 0 {
            screen::print(&format!("  and {more} more; `ringfence import` and `rejects` show all of them\n"))?;
        }
        if let Some(line) = importing::empty_line(&found.taken_as_empty) {
            screen::print(&format!("  {line}\n"))?;
        }
        if let Some(why) = &found.held_for {
            screen::print(&format!("it would be held: {why}\n"))?;
        }
    }
    Ok(if found.held_for.is_some() { HELD } else { DONE })
}
