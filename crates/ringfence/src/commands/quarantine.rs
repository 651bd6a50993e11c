//! `ringfence quarantine`

use ringfence_operations::workspace;
use ringfence_providers::{Finds, Pacer};
use ringfence_reconciler::inquire;
use ringfence_store::{LaneInquiry, QuarantineRow};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::home::{self, Home};
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
#[derive(Debug, clap::Args)]
pub struct LiftArgs {
    /// Why it may dial again, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Lift it though a provider lists calls to people who are not in this database: they are not ours
    #[arg(long)]
    pub strangers: bool,
    /// Ask no provider, though people who were called meanwhile may be called again
    #[arg(long)]
    pub unasked: bool,
}

/// Shows the quarantine, or lifts it.
pub(super) async fn quarantine(common: &Common, args: &QuarantineArgs) -> Result<u8, Failure> {
    let mut home = Home::enter(common).await?;
    let done = match &args.action {
        None | Some(QuarantineAction::Show) => show(common, &home).await,
        Some(QuarantineAction::Lift(args)) => lift(common, &mut home, args).await,
    };
    home.store.close().await;
    done
}

async fn show(common: &Common, home: &Home) -> Result<u8, Failure> {
    let current = home.store.quarantine().await?;
    let asked = match &current {
        Some(quarantine) => home.store.inquiries(quarantine.id).await?,
        None => Vec::new(),
    };
    let code = if current.is_some() { HELD } else { DONE };
    if common.json {
        let earlier = home.store.quarantines().await?;
        let earlier: Vec<_> = earlier.iter().filter(|row| row.lifted.is_some()).collect();
        screen::print_json(&json!({ "quarantine": current, "lanes": asked, "lifted": earlier }))?;
        return Ok(code);
    }
    match &current {
        Some(quarantine) => screen::print(&describe(quarantine, &asked))?,
        None => screen::print("no quarantine: this database may dial\n")?,
    }
    Ok(code)
}

fn describe(quarantine: &QuarantineRow, asked: &[LaneInquiry]) -> String {
    let zone = ringfence_domain::Zone::utc();
    let mut table = screen::table(&[]);
    table.add_row(["noticed".to_owned(), screen::moment(quarantine.noticed_at, zone)]);
    table.add_row(["what".to_owned(), quarantine.cause.clone()]);
    let since = quarantine.since.map_or_else(|| "unknown".to_owned(), |at| screen::moment(at, zone));
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
    let Some(quarantine) = home.store.quarantine().await? else {
        return Err(Failure::input(
            "there is no quarantine to lift",
            "`ringfence status` says what holds this database",
        ));
    };
    if args.reason.trim().is_empty() {
        return Err(Failure::input(
            "the reason is empty",
            "say why this database may dial again: --reason \"restored on purpose\"",
        ));
    }
    if !args.unasked {
        ask(home, &quarantine, args.strangers).await?;
    }
    let folder = workspace::folder_of(&home.config);
    home.store.lift_quarantine(folder.as_deref(), operator(), args.reason.clone()).await?;
    let asked = home.store.inquiries(quarantine.id).await?;
    if common.json {
        screen::print_json(&json!({ "lifted": true, "reason": args.reason, "lanes": asked }))?;
        return Ok(DONE);
    }
    for inquiry in asked.iter().filter(|_| !args.unasked) {
        screen::print(&format!("lane {}: {}\n", inquiry.lane, told(inquiry)))?;
    }
    screen::print("lifted: what is due and allowed is dialled again\n")?;
    Ok(DONE)
}

/// Asks the provider of every lane. One that could not say, or knows a call that cannot be entered yet, keeps the quarantine.
async fn ask(home: &mut Home, quarantine: &QuarantineRow, strangers: bool) -> Result<(), Failure> {
    let unasked =
        "`quarantine lift --unasked` lifts it all the same; people who were called meanwhile may be called again";
    let (store, now) = (home.store.clone(), home.now());
    let config = home.whole_config()?;
    for row in store.lanes().await? {
        let name = &row.settings.name;
        let Some(lane) = config.lanes.get(name) else {
            return Err(Failure::input(format!("{} has no [provider.{name}] to ask", config.path.display()), unasked));
        };
        let provider = home::provider(lane)?;
        let budget = Pacer::new(&row.settings.limits, None);
        let told = inquire(&store, quarantine, &row, &*provider, &*budget, now).await?;
        if let (None, Some(trouble)) = (told.listed, &told.trouble)
            && lane.vendor.can.finds != Finds::Never
        {
            return Err(Failure::work(format!("lane {name} could not be asked: {trouble}")).with_hint(unasked));
        }
        if told.waiting > 0 {
            return Err(Failure::held(
                format!("lane {name} knows {} calls that can be entered once an earlier one is settled", told.waiting),
                "`ringfence run` of the campaign, or `ringfence serve`, asks how that ended; then lift it",
            ));
        }
        if told.strange > 0 && !strangers {
            return Err(Failure::held(
                format!("lane {name} lists {} calls that fit nobody who waits for one", told.strange),
                "import their list first, with `ringfence run`, which dials nobody meanwhile; or lift with --strangers when they are not yours",
            ));
        }
    }
    Ok(())
}

/// User and machine, for the record.
fn operator() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let user = user.unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw()));
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{machine}")
}
