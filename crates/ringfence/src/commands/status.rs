//! `ringfence status`

use std::io::IsTerminal;
use std::time::Duration;

use ringfence_domain::Zone;
use ringfence_domain::summary::Summary;
use ringfence_operations::attention::{self, Health, Level};
use ringfence_operations::{campaigns, status};

use super::campaigns::table;
use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::{attention_lines, screen, summary_table};

/// `status`
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The campaign; without one, all in a line each, or the only one
    pub campaign: Option<String>,
    /// The summaries of all campaigns
    #[arg(long, conflicts_with = "campaign")]
    pub all: bool,
    /// Look again every second, until everything is finished; with --json one document a line
    #[arg(long)]
    pub watch: bool,
    /// One line, and the exit code of a monitoring probe: 0 fine, 1 warning, 2 critical
    #[arg(long, conflicts_with_all = ["all", "watch"])]
    pub check: bool,
}

/// What needs a person, and the summary of one campaign, or of all.
pub async fn status(common: &Common, args: &StatusArgs) -> Result<u8, Failure> {
    if args.check {
        return check(common, args).await;
    }
    let home = Home::look(common).await?;
    let code = show(common, args, &home).await;
    home.store.close().await;
    code
}

async fn show(common: &Common, args: &StatusArgs, home: &Home) -> Result<u8, Failure> {
    let campaign = match (&args.campaign, args.all) {
        (Some(name), _) => {
            home.campaign(name).await?;
            Some(name.clone())
        }
        (None, true) => None,
        (None, false) => match status::names(home).await?.as_slice() {
            [only] => Some(only.clone()),
            [] => None,
            several if common.json || args.watch => {
                let message = "several campaigns are here, and none is named".to_owned();
                return Err(Failure::input(message, format!("name one of {}, or use --all", several.join(", "))));
            }
            _ => return overview(home).await,
        },
    };
    if args.watch {
        watch(common, args, campaign.as_deref(), home).await
    } else {
        once(common, args, campaign, home).await
    }
}

/// One line, as a monitoring probe wants it.
async fn check(common: &Common, args: &StatusArgs) -> Result<u8, Failure> {
    let looked = async {
        let home = Home::look(common).await?;
        if let Some(name) = &args.campaign {
            home.campaign(name).await?;
        }
        let health = attention::look(&home, args.campaign.as_deref()).await;
        home.store.close().await;
        health
    };
    match looked.await {
        Ok(health) => {
            if common.json {
                screen::print_json(&health)?;
            } else {
                screen::print(&attention_lines::one_line(&health))?;
            }
            Ok(match health.level {
                Level::Ok => 0,
                Level::Warning => 1,
                Level::Critical => 2,
            })
        }
        // Whoever cannot ask does not know, and a probe must not call that a warning.
        Err(error) => {
            if common.json {
                screen::print_json(&Health::unknown(error))?;
            } else {
                screen::print(&format!("CRITICAL: {error}\n"))?;
            }
            Ok(2)
        }
    }
}

/// Without the zones that people read them in.
fn bare(summaries: &[(Summary, Zone)]) -> Vec<&Summary> {
    summaries.iter().map(|(summary, _)| summary).collect()
}

/// All campaigns in a line each.
async fn overview(home: &Home) -> Result<u8, Failure> {
    let health = attention::look(home, None).await?;
    screen::print(&attention_lines::lines(&health, home.now()))?;
    screen::print(&table(&campaigns::list(home).await?))?;
    Ok(DONE)
}

async fn once(common: &Common, args: &StatusArgs, campaign: Option<String>, home: &Home) -> Result<u8, Failure> {
    let summaries = status::summaries(home, campaign.as_deref()).await?;
    if common.json {
        if args.all {
            screen::print_json(&bare(&summaries))?;
        } else {
            screen::print_json(&bare(&summaries).first())?;
        }
        return Ok(DONE);
    }
    let health = attention::look(home, campaign.as_deref()).await?;
    screen::print(&attention_lines::lines(&health, home.now()))?;
    if summaries.is_empty() {
        screen::print("no campaigns yet; `ringfence run campaign.toml` brings one\n")?;
        return Ok(DONE);
    }
    screen::print(&summary_table::summaries(&summaries))?;
    Ok(DONE)
}

async fn watch(common: &Common, args: &StatusArgs, campaign: Option<&str>, home: &Home) -> Result<u8, Failure> {
    let terminal = std::io::stdout().is_terminal();
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    loop {
        let summaries = status::summaries(home, campaign).await?;
        let text = if common.json {
            if args.all {
                screen::escaped(&format!("{}\n", serde_json::json!(bare(&summaries))))
            } else {
                screen::escaped(&format!("{}\n", serde_json::json!(bare(&summaries).first())))
            }
        } else {
            let health = attention::look(home, campaign).await?;
            let found = attention_lines::lines(&health, home.now());
            if terminal {
                screen::clear()?;
            }
            format!("{found}{}", summary_table::summaries(&summaries))
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
