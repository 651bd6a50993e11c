//! `ringfence run`

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::summary::Summary;
use ringfence_domain::{Clock, ImportState, Span};
use ringfence_engine::{LaneEngine, brakes, receipts};
use ringfence_intake::Config;
use ringfence_operations::{InputFile, importing, imports, rejects::RejectsFile, workspace};
use ringfence_store::{Begin, CampaignRow, Database, KnownAs, ProcessLock};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Common;
use crate::failure::{DONE, Failure, HELD, REVIEW};
use crate::home::{self, eprint_line};
use crate::leaving;
use crate::screen::{self};

use super::run_leader::{Ended, RunLeader, follow, unfollow};

/// `run`
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// When to leave
    #[arg(long, value_enum, default_value_t = Until::Today)]
    pub until: Until,
    /// Leave after this time at the latest: 30m, 6h
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<Span>,
    /// The contact file, instead of the campaign's own; - for standard input
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// Write the rows that were not taken in here, with their line and reason
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Begin a fresh run over everyone, unless this key, such as today's date, began one before
    #[arg(long, value_name = "KEY")]
    pub fresh: Option<String>,
    /// Check everything and read every row, but change nothing and dial nobody
    #[arg(long)]
    pub dry_run: bool,
}

/// When `run` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Until {
    /// When nobody may be dialled any more before midnight
    Today,
    /// When nobody may be dialled now
    Idle,
    /// When every contact is finished
    Done,
}

/// Applies, imports, dials, and prints the summary.
pub(super) async fn run(common: &Common, args: &RunArgs) -> Result<u8, Failure> {
    let (config, campaign) = workspace::read_campaign(&common.place(), &args.campaign)?;
    let lane = workspace::lane(&config, &campaign)?;
    let provider = home::provider(lane)?;
    let settings = lane.setup.settings.clone();
    let zone = campaign.own_zone(settings.timezone);
    let file = match &args.contacts {
        Some(path) => Some(InputFile::given(path)?),
        None => InputFile::of_campaign(&campaign, settings.timezone, workspace::wall_clock(), &common.place().notices)?,
    };
    if args.dry_run {
        return super::dry_run::dry_run(common, &campaign, &provider, file.as_ref());
    }
    if let Some(file) = &file {
        // A file of the wrong shape is refused before anything changes.
        importing::look(file, &campaign).await?;
    }
    let rejected = args.rejects.as_ref().map(|path| RejectsFile::prepare(path, file.as_ref())).transpose()?;
    let store = workspace::open(&common.place(), &config).await?;
    let clock = store.clock().await?;
    home::eprint_lines(receipts::take_back(&store, &*clock).await);
    let (lane_row, mut campaign_row) = apply(&store, &*clock, &config, campaign).await?;
    if let Some(key) = &args.fresh {
        let (run, begun) = store.begin_run(campaign_row.id, key.clone(), clock.read().now).await?;
        if begun {
            eprint_line(&format!("run {} of {} begins under the key {key}", run.number, campaign_row.rules.name));
        }
        campaign_row = store.campaign_by_id(campaign_row.id).await?;
    }
    let lifeline = ProcessLock::begin(&store, clock.read().now);
    let leader = follow(&store, &*clock, campaign_row.run, lifeline.name()).await?;
    let follower = RunLeader {
        store: &store,
        clock: &clock,
        campaign: &campaign_row,
        name: lifeline.name(),
        brake: brakes::all(&config.path, &store),
        quiet_since: Cell::default(),
    };
    let mut held = false;
    if let Some(file) = &file {
        let importing = importing::import(&store, &clock, &campaign_row, &provider, file, false);
        let renewing = async {
            loop {
                tokio::time::sleep(Duration::from_secs(3)).await;
                if leader.is_none() {
                    drop(follow(&store, &*clock, campaign_row.run, lifeline.name()).await);
                }
            }
        };
        let importing::Imported { row: import, taken_as_empty } = tokio::select! {
            import = importing => import?,
            () = renewing => return Err(Failure::work("the import was left")),
            // Nothing of it is dialled; the next run of the same file finishes it.
            code = signalled() => {
                unfollow(&store, campaign_row.run, lifeline.name()).await;
                store.close().await;
                return Ok(code?);
            }
        };
        let refused = import.counts.rejected;
        if refused > 0 {
            eprint_line(&format!(
                "{refused} of {} rows were rejected{}",
                import.counts.rows,
                match &args.rejects {
                    Some(path) => format!("; see {}", path.display()),
                    None => format!("; `ringfence rejects {}` lists them", campaign_row.rules.name),
                }
            ));
        }
        if let Some(line) = importing::empty_line(&taken_as_empty) {
            eprint_line(&line);
        }
        if let Some(line) = importing::nobody_line(&import) {
            eprint_line(&line);
        }
        if let Some(rejected) = rejected {
            rejected.write(&store, &import).await?;
        }
        held = import.state == ImportState::Held;
        if held {
            eprint_line(&imports::held_line(&campaign_row.rules.name, &import));
        }
    }
    if leader.is_some() || held {
        let mut summary = follower.look().await?.1;
        summary.already_running = leader.is_some();
        if leader.is_none() {
            unfollow(&store, campaign_row.run, lifeline.name()).await;
        }
        if let Some(other) = &leader {
            eprint_line(&left_to(other, &campaign_row.rules.name, zone));
        }
        let quarantined = store.quarantine().await?.is_some();
        store.close().await;
        report(common, &summary, zone)?;
        return Ok(if held || quarantined { HELD } else { DONE });
    }
    let owner = lifeline.name().to_owned();
    let engine = LaneEngine::new(store.clone(), clock.clone(), owner, lane_row, settings, provider)
        .braked_by(follower.brake.clone())
        .reported_to(workspace::reports_of(lane, &config, &store));
    let dialled = follower.dial(engine, args.until, args.max_time).await;
    // Whoever is started again after a failure lives for the run at once.
    unfollow(&store, campaign_row.run, lifeline.name()).await;
    let (summary, ended) = dialled?;
    let quarantined = store.quarantine().await?.is_some();
    store.close().await;
    report(common, &summary, zone)?;
    Ok(if quarantined && !matches!(ended, Ended::Signal(_)) { HELD } else { exit_code(&summary, ended) })
}

/// What is said when another process already runs the campaign.
fn left_to(process: &str, campaign: &str, zone: ringfence_domain::Zone) -> String {
    let process = match KnownAs::of(process) {
        Some(KnownAs { host, process, since }) => {
            format!("process {process} on {host}, which began at {}", screen::moment(since, zone))
        }
        None => format!("the process {process}"),
    };
    format!(
        "{campaign} is already run by {process}. This command leaves the calls to it; \
         `ringfence status {campaign} --watch` shows how it goes on"
    )
}

/// Waits for a signal that asks to leave; its exit code.
pub(super) async fn signalled() -> Result<u8, std::io::Error> {
    leaving::in_time()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::select! {
        _ = terminate.recv() => 143,
        _ = interrupt.recv() => 130,
    })
}

fn report(common: &Common, summary: &Summary, zone: ringfence_domain::Zone) -> Result<(), Failure> {
    let text = if common.json { screen::json(summary)? } else { screen::summary(summary, zone) };
    screen::print_last(&text)
}

/// Makes lane and campaign known.
pub(super) async fn apply(
    store: &Arc<Database>,
    clock: &dyn Clock,
    config: &Config,
    campaign: ringfence_domain::Campaign,
) -> Result<(ringfence_domain::LaneId, CampaignRow), Failure> {
    let lane = workspace::lane(config, &campaign)?;
    let now = clock.read().now;
    let row = store.register_lane(lane.setup.settings.clone(), now).await?;
    let (_, campaign) = store.apply(campaign, row.id, Begin::Running, now).await?;
    Ok((row.id, campaign))
}

fn exit_code(summary: &Summary, ended: Ended) -> u8 {
    match ended {
        Ended::Signal(code) => code,
        _ if summary.held_by.is_some() && summary.contacts.waiting > 0 => HELD,
        // Slots may be held by calls of another campaign.
        _ if summary.contacts.review > 0 || summary.slots_are_stuck => REVIEW,
        Ended::AsAsked | Ended::TimeUp => DONE,
    }
}
