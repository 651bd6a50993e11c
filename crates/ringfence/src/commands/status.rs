//! `ringfence status`

use std::io::IsTerminal;
use std::time::Duration;

use ringfence_domain::Zone;
use ringfence_domain::summary::Summary;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::{screen, summary::summarize};

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
pub(super) async fn status(common: &Common, args: &StatusArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    if let Some(name) = &args.campaign {
        home.campaign(name).await?;
    }
    let code = if args.watch { watch(common, args, &home).await } else { once(common, args, &home).await };
    home.store.close().await;
    code
}

async fn summaries(args: &StatusArgs, home: &Home) -> Result<Vec<(Summary, Zone)>, Failure> {
    let names = match &args.campaign {
        Some(name) => vec![name.clone()],
        None => home.store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect(),
    };
    let brake = home::brake(&home.config).pulled();
    let mut summaries = Vec::new();
    for name in names.into_iter().filter(|name| home::is_listed(name)) {
        let now = home.now();
        if let Some(numbers) = home.store.numbers(name, now).await? {
            let zone = numbers.campaign.rules.own_zone(numbers.lane.settings.timezone);
            summaries.push((summarize(&numbers, brake.clone(), now), zone));
        }
    }
    Ok(summaries)
}

/// Without the zones that people read them in.
fn bare(summaries: &[(Summary, Zone)]) -> Vec<&Summary> {
    summaries.iter().map(|(summary, _)| summary).collect()
}

async fn once(common: &Common, args: &StatusArgs, home: &Home) -> Result<u8, Failure> {
    let summaries = summaries(args, home).await?;
    match (common.json, args.all) {
        (true, true) => screen::print_json(&bare(&summaries))?,
        (true, false) => screen::print_json(&bare(&summaries).first())?,
        (false, _) if summaries.is_empty() => screen::print("no campaigns yet\n")?,
        (false, _) => screen::print(&screen::summaries(&summaries))?,
    }
    Ok(DONE)
}

async fn watch(common: &Common, args: &StatusArgs, home: &Home) -> Result<u8, Failure> {
    let terminal = std::io::stdout().is_terminal();
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    loop {
        let summaries = summaries(args, home).await?;
        let text = match (common.json, args.all) {
            (true, true) => format!("{}\n", serde_json::json!(bare(&summaries))),
            (true, false) => format!("{}\n", serde_json::json!(bare(&summaries).first())),
            // From the top left corner on, so that the numbers change in place.
            (false, _) if terminal => format!("\x1b[H\x1b[2J{}", screen::summaries(&summaries)),
            (false, _) => screen::summaries(&summaries),
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
