//! `ringfence status`

use std::io::IsTerminal;
use std::time::Duration;

use ringfence_domain::Zone;
use ringfence_domain::summary::Summary;
use ringfence_operations::status;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::{screen, summary_table};

/// `status`
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The campaign
    #[arg(required_unless_present = "all")]
    pub campaign: Option<String>,
    /// All campaigns
    #[arg(long, conflicts_with = "campaign")]
    pub all: bool,
    /// Look again every second, until everything is finished; with --json one document a line
    #[arg(long)]
    pub watch: bool,
}

/// The summary of one campaign, or of all.
pub async fn status(common: &Common, args: &StatusArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    if let Some(name) = &args.campaign {
        home.campaign(name).await?;
    }
    let code = if args.watch { watch(common, args, &home).await } else { once(common, args, &home).await };
    home.store.close().await;
    code
}

/// Without the zones that people read them in.
fn bare(summaries: &[(Summary, Zone)]) -> Vec<&Summary> {
    summaries.iter().map(|(summary, _)| summary).collect()
}

async fn once(common: &Common, args: &StatusArgs, home: &Home) -> Result<u8, Failure> {
    let summaries = status::summaries(home, args.campaign.as_deref()).await?;
    match (common.json, args.all) {
        (true, true) => screen::print_json(&bare(&summaries))?,
        (true, false) => screen::print_json(&bare(&summaries).first())?,
        (false, _) if summaries.is_empty() => screen::print("no campaigns yet\n")?,
        (false, _) => screen::print(&summary_table::summaries(&summaries))?,
    }
    Ok(DONE)
}

async fn watch(common: &Common, args: &StatusArgs, home: &Home) -> Result<u8, Failure> {
    let terminal = std::io::stdout().is_terminal();
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    loop {
        let summaries = status::summaries(home, args.campaign.as_deref()).await?;
        let text = match (common.json, args.all) {
            (true, true) => format!("{}\n", serde_json::json!(bare(&summaries))),
            (true, false) => format!("{}\n", serde_json::json!(bare(&summaries).first())),
            // From the top left corner on, so that the numbers change in place.
            (false, _) if terminal => format!("\x1b[H\x1b[2J{}", summary_table::summaries(&summaries)),
            (false, _) => summary_table::summaries(&summaries),
        };
        screen::print(&text)?;
        if summaries.iter().all(|(summary, _)| matches!(summary.state, "done" | "cancelled")) {
            return Ok(DONE);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = interrupt.recv() => return Ok(130),
        }
    }
}
