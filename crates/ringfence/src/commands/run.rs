//! `ringfence run`

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::summary::Summary;
use ringfence_domain::{AttemptState, Brake, Clock, ImportState, Moment, RunId, Span};
use ringfence_engine::{DatabaseLoss, LaneEngine, brakes, outage, receipts};
use ringfence_intake::Config;
use ringfence_operations::{InputFile, importing, imports, rejects::RejectsFile, workspace};
use ringfence_store::{Begin, CampaignRow, Database, KnownAs, ProcessLock, RunFigures, StoppedBy};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::failure::{DONE, Failure, HELD, REVIEW};
use crate::home::{self, eprint_line};
use crate::leaving;
use crate::screen::{self, Progress};
use crate::summary::{summarize, tomorrow};

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

/// How often the run is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// A `run` that has not renewed for so long does not live any more.
const FOLLOWER_LEASE: Span = Span::from_secs(9);
/// A call whose vendor may hold it for longer than this is not waited for.
const HELD_BY_VENDOR: Span = Span::from_hours(3);

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

/// Becomes the process that lives for the run; else the name of the one that does.
async fn follow(store: &Arc<Database>, clock: &dyn Clock, run: RunId, name: &str) -> Result<Option<String>, Failure> {
    let current = store.run(run).await?.leader;
    let dead = current.filter(|follower| follower != name && ProcessLock::is_dead(store, follower));
    let now = clock.read().now;
    Ok(store.follow_run(run, name.to_owned(), dead, now, now + FOLLOWER_LEASE).await?)
}

/// Lets others live for the run at once. Where that cannot be said, they wait for the lease to run out.
async fn unfollow(store: &Arc<Database>, run: RunId, name: &str) {
    match tokio::time::timeout(Duration::from_secs(2), store.unfollow_run(run, name.to_owned())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the run could not be given back: {error}"),
        Err(_) => tracing::warn!("the run could not be given back: the database does not answer"),
    }
}

/// Why dialling ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// What was waited for holds.
    AsAsked,
    /// The time was up.
    TimeUp,
    /// By this signal.
    Signal(u8),
}

/// Follows a run to its end.
pub(super) struct RunLeader<'f> {
    pub(super) store: &'f Arc<Database>,
    pub(super) clock: &'f Arc<dyn Clock>,
    pub(super) campaign: &'f CampaignRow,
    pub(super) name: &'f str,
    pub(super) brake: Arc<dyn Brake>,
    /// In quarantine: since when none of the campaign's calls is out.
    pub(super) quiet_since: Cell<Option<Moment>>,
}

impl RunLeader<'_> {
    async fn look(&self) -> Result<(RunFigures, Summary), Failure> {
        let now = self.clock.read().now;
        let numbers = self.store.numbers(self.campaign.rules.name.clone(), now).await?;
        let numbers = numbers.ok_or_else(|| Failure::work("the campaign vanished from the database"))?;
        let summary = summarize(&numbers, self.brake.pulled(), now);
        Ok((numbers, summary))
    }

    /// Dials until what is asked for holds, time is up, or a signal comes.
    pub(super) async fn dial(
        &self,
        engine: LaneEngine,
        until: Until,
        max_time: Option<Span>,
    ) -> Result<(Summary, Ended), Failure> {
        let stop = CancellationToken::new();
        leaving::in_time()?;
        let running = tokio::spawn(engine.run(stop.clone()));
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let deadline = max_time.map(|time| self.clock.boot() + time.duration());
        let (_, first) = self.look().await?;
        let mut progress = Progress::begin(first.contacts.total);
        let mut renew_at = self.clock.boot();
        let unusable = outage::lasts(self.store);
        tokio::pin!(unusable);
        let ended = loop {
            // A database that does not answer for a moment is waited for: the engine dials nobody meanwhile.
            match self.look().await {
                Ok((numbers, summary)) => {
                    progress.show(&summary);
                    if self.holds(&numbers, &summary, until).await.unwrap_or(false) {
                        break Ok(Ended::AsAsked);
                    }
                }
                Err(failure) => tracing::warn!(?failure, "the run cannot be looked at now"),
            }
            if let Some(loss) = DatabaseLoss::of_file(self.store) {
                break Err(Failure::from(loss));
            }
            if deadline.is_some_and(|deadline| self.clock.boot() >= deadline) {
                break Ok(Ended::TimeUp);
            }
            if self.clock.boot() >= renew_at {
                renew_at = self.clock.boot() + Duration::from_secs(3);
                drop(follow(self.store, &**self.clock, self.campaign.run, self.name).await);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = terminate.recv() => break Ok(Ended::Signal(143)),
                _ = interrupt.recv() => break Ok(Ended::Signal(130)),
                outage = &mut unusable => {
                    progress.end();
                    stop.cancel();
                    drop(running.await);
                    home::eprint_lines(receipts::leave(self.store));
                    return Err(outage.into());
                }
            }
        };
        progress.end();
        if matches!(ended, Ok(Ended::Signal(_))) {
            eprint_line("finishing what is being sent…");
        }
        stop.cancel();
        let running = running.await;
        home::eprint_lines(receipts::leave(self.store));
        running.map_err(|error| Failure::work(format!("the engine ended badly: {error}")))?;
        let ended = ended?;
        let (_, summary) = self.look().await?;
        Ok((summary, ended))
    }

    /// In quarantine: whether the vendor was asked what the database has forgotten, and everything that it knew is settled.
    async fn has_asked(&self, numbers: &RunFigures, active: i64, now: Moment) -> Result<bool, Failure> {
        let quiet_since = (active == 0).then(|| self.quiet_since.get().unwrap_or(now));
        self.quiet_since.set(quiet_since);
        let Some(quarantine) = self.store.quarantine().await? else { return Ok(false) };
        let inquiries = self.store.inquiries(quarantine.id).await?;
        let asked = inquiries.into_iter().find(|inquiry| inquiry.lane == numbers.lane.settings.name);
        let asked = match (asked, quiet_since) {
            (Some(asked), Some(quiet_since)) => asked.waiting == 0 || asked.asked_at >= quiet_since,
            _ => false,
        };
        // What the answer has entered since the numbers were read is not settled yet.
        Ok(asked && self.look().await?.1.contacts.active == 0)
    }

    /// Whether there is nothing left to wait for.
    async fn holds(&self, numbers: &RunFigures, summary: &Summary, until: Until) -> Result<bool, Failure> {
        let contacts = &summary.contacts;
        if contacts.waiting + contacts.active == 0 {
            return Ok(true);
        }
        let now = summary.as_of;
        // Whoever waits for a canary is let go, or held, as soon as its calls are over.
        if summary.waiting_for.held > 0 && summary.held_by.is_none() && contacts.active == 0 {
            let canaries = self.store.canaries(numbers.lane.id, now).await?;
            if canaries.iter().any(|canary| canary.campaign == self.campaign.id && canary.pending == 0) {
                return Ok(false);
            }
        }
        if numbers.stop.as_ref().is_some_and(|stop| stop.by == StoppedBy::Quarantine) {
            return self.has_asked(numbers, contacts.active, now).await;
        }
        // A pause is lifted by people only; what is out is still waited for.
        if summary.held_by.is_some() && contacts.active == 0 {
            return Ok(true);
        }
        let horizon = match until {
            // Without any moment to come, as when a contact's zones share no open hour, waiting is for ever.
            Until::Done => return Ok(contacts.active == 0 && summary.next_dial_at.is_none()),
            // Clocks that are set right now and then may see a contact due a little later than it was a moment ago.
            Until::Idle => now + Span::from_secs(1),
            Until::Today => {
                let zone = numbers.campaign.rules.own_zone(numbers.lane.settings.timezone);
                Moment::from_millis(tomorrow(now, zone).millis() - 1)
            }
        };
        // Calls of unknown fate are not waited for: their slots come free, and then the next run goes on.
        if contacts.active == 0 && summary.slots_are_stuck {
            return Ok(true);
        }
        // A lane's rest is waited for as its pace is.
        let horizon = summary.rests_until.map_or(horizon, |until| horizon.max(until));
        let soon = summary.next_dial_at.is_some_and(|at| at <= horizon);
        if soon && summary.held_by.is_none() {
            return Ok(false);
        }
        if contacts.active == 0 {
            return Ok(true);
        }
        let calls = self.store.live_calls(numbers.lane.id).await?;
        let own = calls.iter().filter(|call| call.campaign == self.campaign.id);
        let held = own
            .filter(|call| call.state == AttemptState::Placed)
            .filter(|call| call.overdue_at.is_some_and(|overdue| overdue.since(call.sending_at) > HELD_BY_VENDOR))
            .count() as i64;
        Ok(contacts.active <= held)
    }
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
