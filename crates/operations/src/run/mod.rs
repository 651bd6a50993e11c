//! A campaign that is applied, imported and dialled until nothing more can happen.

mod leader;

use std::cell::Cell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::summary::Summary;
use ringfence_domain::{Campaign, Clock, ImportState, LaneId, Span, StopSwitch, Zone};
use ringfence_engine::{LaneEngine, receipts, stop_switches};
use ringfence_intake::{Config, ConfigLane};
use ringfence_providers::Provider;
use ringfence_store::{Begin, CampaignRow, Database, ProcessLock};

use self::leader::{RunLeader, follow, unfollow};
use crate::error::Error;
use crate::importing::Looked;
use crate::input_file::InputFile;
use crate::notices::Notices;
use crate::rejects::RejectsFile;
use crate::workspace::{self, Needs, Place};
use crate::{importing, imports};

/// When a run leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When nobody may be dialled any more before midnight.
    Today,
    /// When nobody may be dialled now.
    Idle,
    /// When every contact is finished.
    Done,
}

/// Why dialling ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// What was waited for holds.
    AsAsked,
    /// The time was up.
    TimeUp,
    /// By a signal, with this exit code.
    Signal(u8),
    /// Another process already runs the campaign.
    LeftToAnother,
    /// A safety rail holds the import.
    Held,
}

/// What is to be run.
#[derive(Debug, Clone)]
pub struct RunOrder {
    /// The campaign file.
    pub campaign: PathBuf,
    /// The contact file in place of the campaign's own; `-` is standard input.
    pub contacts: Option<PathBuf>,
    /// Where rejected rows go.
    pub rejects: Option<PathBuf>,
    /// The key of a fresh run over everyone.
    pub fresh: Option<String>,
    /// When to leave.
    pub until: Until,
    /// When to leave at the latest.
    pub max_time: Option<Span>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// The summary; none when a signal came before anybody was dialled.
    pub summary: Option<Summary>,
    /// The zone whose clocks the campaign's people read.
    pub zone: Zone,
    /// Why it ended.
    pub ended: Ended,
    /// The database is in quarantine.
    pub is_quarantined: bool,
    /// The process that already runs the campaign.
    pub leader: Option<String>,
    /// Counts that differ from the rows: name, kept, counted afresh. Asked of a demo only.
    pub differences: Vec<(String, i64, i64)>,
}

/// Sees how a run goes on.
pub trait Watch: Send {
    /// The run stands so.
    fn show(&mut self, summary: &Summary);
    /// It is over.
    fn end(&mut self);
}

/// A signal that asks the process to leave: its exit code, once it comes.
pub type Leave<'l> = Pin<&'l mut (dyn Future<Output = std::io::Result<u8>> + Send)>;

/// What a run needs of its files.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// The campaign's rules.
    pub campaign: Campaign,
    /// The provider of its lane.
    pub provider: Arc<dyn Provider>,
    /// Its contact file, if it has one.
    pub file: Option<InputFile>,
}

impl Prepared {
    /// Reads configuration and campaign file, and finds the contact file.
    pub fn load(place: &Place, campaign: &Path, contacts: Option<&Path>, needs: Needs) -> Result<Self, Error> {
        let (config, campaign) = workspace::read_campaign(place, campaign, needs)?;
        let lane = workspace::lane(&config, &campaign)?;
        let provider = workspace::provider(lane)?;
        let timezone = lane.setup.settings.timezone;
        let file = match contacts {
            Some(path) => Some(InputFile::given(path)?),
            None => InputFile::of_campaign(&campaign, timezone, workspace::wall_clock(), &place.notices)?,
        };
        Ok(Self { config, campaign, provider, file })
    }
}

/// Applies, imports and dials.
pub async fn run(place: &Place, order: &RunOrder, watch: &mut dyn Watch, mut leave: Leave<'_>) -> Result<Ran, Error> {
    let prepared = Prepared::load(place, &order.campaign, order.contacts.as_deref(), Needs::Secrets)?;
    let Prepared { config, campaign, file, .. } = prepared;
    // A file of the wrong shape is refused before anything changes.
    let looked = match &file {
        Some(file) => Some(importing::look(file, &campaign).await?),
        None => None,
    };
    let rejected = order.rejects.as_ref().map(|path| RejectsFile::prepare(path, file.as_ref())).transpose()?;
    let store = workspace::open(place, &config).await?;
    let clock = store.clock().await?;
    receipts::take_back(&store, &*clock).await.iter().for_each(|line| place.notices.tell(line));
    let name = campaign.name.clone();
    let (_, mut row) = apply(&store, &*clock, &config, campaign).await?;
    if let Some(key) = &order.fresh {
        let (run, is_new) = store.begin_run(row.id, key.clone(), clock.read().now).await?;
        if is_new {
            place.notices.tell(&format!("run {} of {name} begins under the key {key}", run.number));
        }
        row = store.campaign_by_id(row.id).await?;
    }
    let lane = workspace::lane(&config, &row.rules)?;
    let provider = workspace::provider(lane)?;
    let lock = ProcessLock::begin(&store, clock.read().now);
    let run = Run {
        stop_switch: stop_switches::all(&config.path, &store),
        own: Arc::new(lock.works_on(&store, "run")),
        lock,
        notices: &place.notices,
        zone: row.rules.own_zone(lane.setup.settings.timezone),
        store: &store,
        clock: &clock,
        campaign: &row,
    };
    let ran = run.carry_out(
        &config,
        lane,
        provider,
        file.as_ref().zip(looked).map(|looked| (looked, rejected)),
        order,
        watch,
        &mut leave,
    );
    let ran = ran.await;
    store.close().await;
    ran
}

/// Applies a campaign that is dialled until everyone is finished, on a database of its own, and
/// counts its rows afresh at the end.
pub async fn demo(
    store: &Arc<Database>,
    config: &Config,
    campaign: Campaign,
    contacts: PathBuf,
    notices: &Notices,
    watch: &mut dyn Watch,
    mut leave: Leave<'_>,
) -> Result<Ran, Error> {
    let clock = store.clock().await?;
    let (_, row) = apply(store, &*clock, config, campaign).await?;
    let lane = workspace::lane(config, &row.rules)?;
    let provider = workspace::provider(lane)?;
    let zone = row.rules.own_zone(lane.setup.settings.timezone);
    let lock = ProcessLock::begin(store, clock.read().now);
    let stop_switch = Arc::new(ringfence_domain::stop_switch::NoStopSwitch);
    let own = Arc::new(lock.works_on(store, "run"));
    let run = Run { store, own, clock: &clock, campaign: &row, lock, stop_switch, notices, zone };
    importing::import(store, &clock, &row, &provider, &InputFile::Named(contacts), false).await?;
    let mut ran = run.dial(config, lane, provider, (Until::Done, None), watch, &mut leave).await?;
    ran.differences = store.recount(row.run).await?;
    Ok(ran)
}

/// Makes lane and campaign known.
async fn apply(
    store: &Arc<Database>,
    clock: &dyn Clock,
    config: &Config,
    campaign: Campaign,
) -> Result<(LaneId, CampaignRow), Error> {
    let lane = workspace::lane(config, &campaign)?;
    let now = clock.read().now;
    let row = store.register_lane(lane.setup.settings.clone(), now).await?;
    let (_, campaign) = store.apply(campaign, row.id, Begin::Running, now).await?;
    Ok((row.id, campaign))
}

/// A process that runs a campaign.
struct Run<'r> {
    store: &'r Arc<Database>,
    /// The same, for what the process does itself.
    own: Arc<Database>,
    clock: &'r Arc<dyn Clock>,
    campaign: &'r CampaignRow,
    lock: ProcessLock,
    stop_switch: Arc<dyn StopSwitch>,
    notices: &'r Notices,
    /// The zone whose clocks the campaign's people read.
    zone: Zone,
}

impl Run<'_> {
    fn leader(&self) -> RunLeader<'_> {
        RunLeader {
            store: self.store,
            own: &self.own,
            clock: self.clock,
            campaign: self.campaign,
            name: self.lock.name(),
            stop_switch: self.stop_switch.clone(),
            notices: self.notices,
            quiet_since: Cell::default(),
        }
    }

    async fn follow(&self) -> Result<Option<String>, Error> {
        follow(self.store, &**self.clock, self.campaign.run, self.lock.name()).await
    }

    #[expect(clippy::too_many_arguments, reason = "each is one thing that a run needs")]
    async fn carry_out(
        &self,
        config: &Config,
        lane: &ConfigLane,
        provider: Arc<dyn Provider>,
        file: Option<((&InputFile, Looked), Option<RejectsFile>)>,
        order: &RunOrder,
        watch: &mut dyn Watch,
        leave: &mut Leave<'_>,
    ) -> Result<Ran, Error> {
        let leader = self.follow().await?;
        let mut is_held = false;
        if let Some((file, rejected)) = file {
            match self.import(&provider, file, rejected, order, leader.is_none(), leave).await? {
                Imported::In { held } => is_held = held,
                // Nothing of it is dialled; the next run of the same file finishes it.
                Imported::Left(code) => {
                    unfollow(self.store, self.campaign.run, self.lock.name()).await;
                    return self.ran(None, Ended::Signal(code)).await;
                }
            }
        }
        if leader.is_some() || is_held {
            let mut summary = self.leader().look().await?.1;
            summary.already_running = leader.is_some();
            if leader.is_none() {
                unfollow(self.store, self.campaign.run, self.lock.name()).await;
            }
            let ended = if is_held { Ended::Held } else { Ended::LeftToAnother };
            return Ok(Ran { leader, ..self.ran(Some(summary), ended).await? });
        }
        self.dial(config, lane, provider, (order.until, order.max_time), watch, leave).await
    }

    async fn dial(
        &self,
        config: &Config,
        lane: &ConfigLane,
        provider: Arc<dyn Provider>,
        (until, max_time): (Until, Option<Span>),
        watch: &mut dyn Watch,
        leave: &mut Leave<'_>,
    ) -> Result<Ran, Error> {
        let settings = lane.setup.settings.clone();
        let owner = self.lock.name().to_owned();
        let engine =
            LaneEngine::new(self.own.clone(), self.clock.clone(), owner, self.campaign.lane, settings, provider)
                .opened_by(workspace::opener(lane))
                .with_stop_switch(self.stop_switch.clone())
                .reported_to(workspace::reports_of(lane, config, self.store));
        let dialled = self.leader().dial(engine, until, max_time, watch, leave.as_mut()).await;
        // A process that is started again after a failure leads the run at once.
        unfollow(self.store, self.campaign.run, self.lock.name()).await;
        let (summary, ended) = dialled?;
        self.ran(Some(summary), ended).await
    }

    async fn ran(&self, summary: Option<Summary>, ended: Ended) -> Result<Ran, Error> {
        // A process that was told to leave asks for nothing more.
        let is_quarantined = !matches!(ended, Ended::Signal(_)) && self.store.quarantine().await?.is_some();
        Ok(Ran { summary, zone: self.zone, ended, is_quarantined, leader: None, differences: Vec::new() })
    }

    /// Takes the contact file in, and tells what became of it. `leads`: this process renews its
    /// claim to the run meanwhile.
    async fn import(
        &self,
        provider: &Arc<dyn Provider>,
        looked: (&InputFile, Looked),
        rejected: Option<RejectsFile>,
        order: &RunOrder,
        leads: bool,
        leave: &mut Leave<'_>,
    ) -> Result<Imported, Error> {
        let renewing = async {
            loop {
                tokio::time::sleep(Duration::from_secs(3)).await;
                if leads {
                    drop(self.follow().await);
                }
            }
        };
        let importing = importing::import_looked(self.store, self.clock, self.campaign, provider, looked, false);
        let importing::Imported { row, taken_as_empty } = tokio::select! {
            import = importing => import?,
            () = renewing => return Err(Error::work("the import was left")),
            code = leave.as_mut() => return Ok(Imported::Left(code?)),
        };
        let name = &self.campaign.rules.name;
        if row.counts.rejected > 0 {
            let where_to = match &order.rejects {
                Some(path) => format!("see {}", path.display()),
                None => format!("`ringfence rejects {name}` lists them"),
            };
            let (refused, rows) = (row.counts.rejected, row.counts.rows);
            self.notices.tell(&format!("{refused} of {rows} rows were rejected; {where_to}"));
        }
        let lines = [importing::empty_line(&taken_as_empty), importing::nobody_line(&row)];
        lines.into_iter().flatten().for_each(|line| self.notices.tell(&line));
        if let Some(rejected) = rejected {
            rejected.write(self.store, &row).await?;
        }
        let held = row.state == ImportState::Held;
        if held {
            self.notices.tell(&imports::held_line(name, &row));
        }
        Ok(Imported::In { held })
    }
}

/// What became of the contact file.
enum Imported {
    /// It is in; a safety rail may hold it.
    In {
        /// One does.
        held: bool,
    },
    /// A signal came first, with this exit code.
    Left(u8),
}
