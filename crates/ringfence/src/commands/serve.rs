//! `ringfence serve`

use std::io::IsTerminal;
use std::sync::Arc;

use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::{CampaignState, Clock};
use ringfence_engine::{DatabaseLoss, LaneEngine, Shutdown, presence, receipts, stop_switches};
use ringfence_operations::{
    Notices, Workspace, cautions, logins, scheduling::cron_scheduler, standby, watch, workspace, zones,
};
use ringfence_server::{Door, Server};
use ringfence_store::{Database, DatabaseKind, ProcessLock};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::common::Common;
use crate::failure::Failure;
use crate::home;
use crate::stderr::eprint_line;

/// `serve`
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Where to serve HTTP, instead of http.listen; without either nothing listens
    #[arg(long, value_name = "ADDR", env = "RINGFENCE_HTTP_LISTEN")]
    pub listen: Option<std::net::SocketAddr>,
    /// A proxy in front of it does TLS: listen beyond this machine without a certificate
    #[arg(long)]
    pub behind_tls_proxy: bool,
    /// What this process does, with commas between: engine dials lanes, web serves HTTP; without it
    /// both
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["engine", "web"], hide_possible_values = true, hide_default_value = true)]
    pub roles: Vec<Role>,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Dials lanes, and begins campaigns on schedule.
    Engine,
    /// Serves HTTP.
    Web,
}

/// Dials every lane of the configuration, begins campaigns on schedule and serves HTTP, until it is
/// told to stop.
pub async fn serve(common: &Common, args: ServeArgs) -> Result<u8, Failure> {
    let Some(path) = workspace::find_config(&common.place(), None)? else {
        return Err(Failure::input(
            "no ringfence.toml was found",
            "`ringfence init` writes one; or name it with --config",
        ));
    };
    let mut config = home::read_config(common, None)?;
    let (dials, serves) = (args.roles.contains(&Role::Engine), args.roles.contains(&Role::Web));
    if dials && config.lanes.is_empty() {
        let message = format!("{} has no [provider.…] section", path.display());
        return Err(Failure::input(message, "add one; deploy/ringfence.toml shows how"));
    }
    config.http.behind_tls_proxy |= args.behind_tls_proxy;
    let door = open_door(&config, &args, serves)?;
    config.http.listen = door.as_ref().and_then(Door::address).or(config.http.listen);
    crate::leaving::in_time()?;
    let mut signals = Signals::hear()?;
    let store = workspace::open(&common.place(), &config).await?;
    let clock = store.clock().await?;
    crate::stderr::eprint_lines(receipts::take_back(&store, &*clock).await);
    let lifeline = ProcessLock::begin(&store, clock.read().now);
    let store = Arc::new(lifeline.works_on(&store, "serve"));
    let shutdown = Shutdown::default();
    let process = Process { common, config: Arc::new(config), store: &store, clock: &clock, lifeline: &lifeline };
    let reopen = if dials { process.dial(&shutdown).await? } else { Vec::new() };
    match door {
        Some(door) => {
            process.answer(door, &shutdown);
            process.invite().await;
        }
        None if process.config.http.public_url.is_some() => {
            tracing::warn!("[http] public_url is set and nothing listens: add listen, or use --listen");
        }
        None => {}
    }
    process.tell(&shutdown);
    let ended = tokio::select! {
        code = signals.end(&reopen) => Ok(code),
        loss = DatabaseLoss::comes(&store) => Err(loss.into()),
    };
    eprint_line("finishing what is being sent…");
    shutdown.end().await;
    crate::stderr::eprint_lines(receipts::leave(&store));
    store.close().await;
    ended
}

/// Lets this process have as many connections as the system allows it: the usual limit is for
/// programs that have few.
fn allow_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the number of connections stays limited: {error}");
    }
}

/// Listens before anything else is done: an address that cannot be used is told at once.
fn open_door(config: &ringfence_intake::Config, args: &ServeArgs, serves: bool) -> Result<Option<Door>, Failure> {
    allow_connections();
    match args.listen.or(config.http.listen) {
        Some(address) if serves => ringfence_server::listen(address, &config.http)
            .map(Some)
            .map_err(|error| Failure::input(error.to_string(), error.hint())),
        None if args.roles == [Role::Web] => {
            let hint = "name it with --listen 127.0.0.1:8080, or as [http] listen";
            Err(Failure::input("there is no address to serve HTTP at", hint))
        }
        _ => Ok(None),
    }
}

/// What a process works with.
struct Process<'p> {
    common: &'p Common,
    config: Arc<ringfence_intake::Config>,
    store: &'p Arc<Database>,
    clock: &'p Arc<dyn Clock>,
    lifeline: &'p ProcessLock,
}

impl Process<'_> {
    /// Begins to dial every lane. Returns what opens each of them anew.
    async fn dial(&self, shutdown: &Shutdown) -> Result<Vec<Arc<Notify>>, Failure> {
        let (store, clock, config) = (self.store, self.clock, &*self.config);
        let stop_switch = stop_switches::all(&config.path, store);
        presence::introduce(store, &**clock, self.lifeline.name(), "serve").await?;
        let (mut providers, mut reopen) = (std::collections::BTreeMap::new(), Vec::new());
        // Whatever is wrong with the database is told before anybody is dialled.
        announce(config, store, clock).await?;
        // SQLite is one machine's: a second process there stands by.
        let is_shared = store.kind() == DatabaseKind::Postgres;
        let mut takes = Vec::new();
        for (name, lane) in &config.lanes {
            let provider = home::provider(lane)?;
            let settings = lane.setup.settings.clone();
            let row = store.register_lane(settings.clone(), clock.read().now).await?;
            takes.push((row.id, settings.clone()));
            let owner = self.lifeline.name().to_owned();
            let engine = LaneEngine::new(store.clone(), clock.clone(), owner, row.id, settings, provider.clone());
            let engine = engine.opened_by(workspace::opener(lane));
            let engine = if is_shared { engine.shared() } else { engine };
            reopen.push(engine.reopen());
            let engine =
                engine.with_stop_switch(stop_switch.clone()).reported_to(workspace::reports_of(lane, config, store));
            shutdown.spawn(standby::tell(name.clone(), engine.ownership(), eprint_line));
            shutdown.spawn(engine.run(shutdown.signal()));
            providers.insert(name.clone(), provider);
        }
        let name = self.lifeline.name().to_owned();
        let (own, present, signal) = (store.clone(), clock.clone(), shutdown.signal());
        if is_shared {
            let share = presence::Share { takes, stop_switch };
            shutdown.spawn(presence::stay_sharing(own, present, name.clone(), signal, share));
        } else {
            shutdown.spawn(presence::stay(own, present, name.clone(), signal));
        }
        let notices = self.common.place().notices;
        let scheduler = cron_scheduler(store.clone(), clock.clone(), name, providers, notices);
        shutdown.spawn(scheduler.run(shutdown.signal()));
        Ok(reopen)
    }

    /// Prints an address that logs a browser in, until somebody was logged in once.
    async fn invite(&self) {
        let workspace = Workspace::of(self.config.clone(), self.store.clone(), self.clock.clone(), Notices::default());
        match logins::first(&workspace, &workspace::person()).await {
            Ok(Some(invited)) => eprint_line(&format!("the dashboard: {} logs one browser in, once", invited.address)),
            Ok(None) => {}
            Err(error) => tracing::warn!("no address can be given that logs a browser in: {error}"),
        }
    }

    /// Begins to tell the receivers of webhooks what happens.
    fn tell(&self, shutdown: &Shutdown) {
        let (store, clock, name) = (self.store.clone(), self.clock.clone(), self.lifeline.name().to_owned());
        let watched = watch::watch(store.clone(), clock.clone(), name.clone(), shutdown.signal());
        shutdown.spawn(watched);
        let webhooks = self.config.webhooks.clone();
        if !webhooks.is_empty() {
            shutdown.spawn(ringfence_operations::webhooks::send_all(store, clock, webhooks, name, shutdown.signal()));
        }
    }

    /// Begins to answer over HTTP.
    fn answer(&self, door: Door, shutdown: &Shutdown) {
        eprint_line(&format!("listening on {}", door.url()));
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let server = Server::new(self.config.clone(), store, clock, shutdown.signal());
        let server = server.of_process(self.lifeline.name());
        shutdown.spawn(async move {
            if let Err(error) = door.serve(server).await {
                tracing::error!(%error, "HTTP is not served any more: {error}");
            }
        });
    }
}

/// The signals to this process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn hear() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, hangup: signal(SignalKind::hangup())? })
    }

    /// Waits for a signal to leave, and returns its exit code. SIGHUP opens every lane again, with
    /// the secrets of that time; from a terminal it says that the window was closed, and ends.
    async fn end(&mut self, reopen: &[Arc<Notify>]) -> u8 {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return 143,
                _ = self.interrupt.recv() => return 130,
                _ = self.hangup.recv() => {
                    if std::io::stderr().is_terminal() {
                        return 129;
                    }
                    eprint_line("reading secrets again…");
                    for lane in reopen {
                        lane.notify_one();
                    }
                }
            }
        }
    }
}

async fn announce(config: &ringfence_intake::Config, store: &Database, clock: &Arc<dyn Clock>) -> Result<(), Failure> {
    let lanes: Vec<&str> = config.lanes.keys().map(String::as_str).collect();
    eprint_line(&format!("serving {} on {}", lanes.join(", "), store.location()));
    match store.stop().await? {
        Some(stop) if stop.by == StoppedBy::Quarantine => {
            tracing::error!("nobody is dialled: {}; `ringfence quarantine` says more", stop.reason);
        }
        Some(stop) if stop.by == StoppedBy::ZoneData => {
            tracing::error!("nobody is dialled: {}; {}", stop.reason, zones::MEND);
        }
        _ => {}
    }
    for campaign in store.campaigns().await? {
        let missing =
            campaign.state != CampaignState::Cancelled && !config.lanes.contains_key(&campaign.rules.provider);
        if missing && home::is_listed(&campaign.rules.name) {
            let (name, lane) = (&campaign.rules.name, &campaign.rules.provider);
            tracing::warn!("{name} dials through lane {lane}, which {} does not have", config.path.display());
        }
    }
    for (name, error) in store.unreadable_campaigns().await? {
        tracing::error!("{name}: nobody of it is dialled: {error}; `ringfence apply` of its file mends it");
    }
    let campaigns = store.campaigns().await?;
    for campaign in campaigns.iter().filter(|campaign| campaign.state != CampaignState::Cancelled) {
        for caution in cautions::about(&campaign.rules, None, clock.read().now) {
            tracing::warn!("{}: {caution}", campaign.rules.name);
        }
    }
    for schedule in store.schedules().await? {
        let Some(campaign) = campaigns.iter().find(|campaign| campaign.id == schedule.campaign) else { continue };
        if let Some(next) = schedule.next_at {
            let wait = next.since(clock.read().now);
            let when = next.shown(schedule.zone);
            let due = if wait == ringfence_domain::Span::ZERO { "now".to_owned() } else { format!("at {when}") };
            eprint_line(&format!("{} begins by itself {due}", campaign.rules.name));
        }
    }
    Ok(())
}
