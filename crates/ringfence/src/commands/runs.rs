//! `ringfence runs`

use ringfence_domain::Zone;
use ringfence_operations::runs::{self, ListedRun};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `runs`
#[derive(Debug, clap::Args)]
pub struct RunsArgs {
    /// The campaign
    pub campaign: String,
}

/// One line a run, the first one first.
pub async fn runs(common: &Common, args: &RunsArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let listed = runs::list(&home, &args.campaign).await;
    home.store.close().await;
    let (listed, zone) = listed?;
    if common.json {
        screen::print_json(&listed)?;
    } else {
        screen::print(&table(&listed, zone))?;
    }
    Ok(DONE)
}

fn table(listed: &[ListedRun], zone: Zone) -> String {
    let mut table = screen::table(&["run", "began", "contacts", "finished", "reached", "calls", "state"]);
    for run in listed {
        let key = run.key.as_ref().map(|key| format!(" ({key})")).unwrap_or_default();
        let state = match (run.current, run.closed_for) {
            (_, Some(reason)) => reason.to_string(),
            (true, None) => "current".to_owned(),
            (false, None) => "over".to_owned(),
        };
        let erased = if run.erased_at.is_some() { ", erased" } else { "" };
        table.add_row(vec![
            format!("{}{key}", run.number),
            run.started_at.shown(zone),
            run.contacts.total.to_string(),
            (run.contacts.done + run.contacts.stopped).to_string(),
            run.reached.to_string(),
            run.calls.to_string(),
            format!("{state}{erased}"),
        ]);
    }
    format!("{table}\n")
}
