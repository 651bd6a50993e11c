//! `ringfence quarantine`

use ringfence_operations::quarantine::{self, Lift};
use ringfence_operations::workspace;
use ringfence_store::{LaneInquiry, QuarantineRow};

use crate::common::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::home::Home;
use crate::screen;

/// `quarantine`
#[derive(Debug, clap::Args)]
pub struct QuarantineArgs {
    /// What to do [default: show]
    #[command(subcommand)]
    pub action: Option<QuarantineAction>,
}

/// What to do with the quarantine.
#[derive(Debug, clap::Subcommand)]
pub enum QuarantineAction {
    /// Show what was noticed, and what the providers were asked
    Show,
    /// Ask the providers once more, then let this database dial again
    Lift(LiftArgs),
}

/// `quarantine lift`
#[derive(Debug, Clone, clap::Args)]
pub struct LiftArgs {
    /// Why it may dial again, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Lift it though a provider lists calls to people who are not in this database: they are not
    /// ours
    #[arg(long)]
    pub strangers: bool,
    /// Ask no provider, though people who were called meanwhile may be called again
    #[arg(long)]
    pub unasked: bool,
}

/// Shows the quarantine, or lifts it.
pub async fn quarantine(common: &Common, args: &QuarantineArgs) -> Result<u8, Failure> {
    let mut home = Home::enter(common).await?;
    let done = match &args.action {
        None | Some(QuarantineAction::Show) => show(common, &home).await,
        Some(QuarantineAction::Lift(args)) => lift(common, &mut home, args).await,
    };
    home.store.close().await;
    done
}

async fn show(common: &Common, home: &Home) -> Result<u8, Failure> {
    let known = quarantine::show(home).await?;
    if common.json {
        screen::print_json(&known)?;
    } else {
        match &known.quarantine {
            Some(current) => screen::print(&describe(current, &known.lanes))?,
            None => screen::print("no quarantine: this database may dial\n")?,
        }
    }
    Ok(if known.quarantine.is_some() { HELD } else { DONE })
}

fn describe(quarantine: &QuarantineRow, asked: &[LaneInquiry]) -> String {
    let zone = ringfence_domain::Zone::utc();
    let mut table = screen::table(&[]);
    table.add_row(["noticed".to_owned(), quarantine.noticed_at.shown(zone)]);
    table.add_row(["what".to_owned(), quarantine.cause.clone()]);
    let since = quarantine.since.map_or_else(|| "unknown".to_owned(), |at| at.shown(zone));
    table.add_row(["calls may be missing since".to_owned(), since]);
    for inquiry in asked {
        table.add_row([format!("lane {}", inquiry.lane), told(inquiry)]);
    }
    let mut text = format!("nobody is dialled from this database\n{table}\n");
    if asked.is_empty() {
        text.push_str("no provider was asked yet: `ringfence run`, `serve` and `quarantine lift` ask them\n");
    }
    text.push_str("`ringfence quarantine lift --reason TEXT` lets it dial again\n");
    text
}

/// What a vendor was asked, in words.
fn told(inquiry: &LaneInquiry) -> String {
    let listed = inquiry.listed.map(|listed| {
        format!(
            "{listed} calls listed: {} known here, {} entered, {} wait for an earlier call of their number, {} fit nobody who waits for a call",
            inquiry.known, inquiry.adopted, inquiry.waiting, inquiry.strange
        )
    });
    [listed, inquiry.trouble.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

async fn lift(common: &Common, home: &mut Home, args: &LiftArgs) -> Result<u8, Failure> {
    let LiftArgs { reason, strangers, unasked } = args.clone();
    let lifted = quarantine::lift(home, &Lift { reason, operator: workspace::person(), strangers, unasked }).await?;
    if common.json {
        screen::print_json(&lifted)?;
        return Ok(DONE);
    }
    for inquiry in lifted.lanes.iter().filter(|_| !unasked) {
        screen::print(&format!("lane {}: {}\n", inquiry.lane, told(inquiry)))?;
    }
    screen::print("lifted: what is due and allowed is dialled again while ringfence run or serve runs\n")?;
    Ok(DONE)
}
