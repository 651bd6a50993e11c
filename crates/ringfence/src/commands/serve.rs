//! `ringfence serve`

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{Brake, CampaignState, Clock};
use ringfence_store::{Database, Lifeline, StoppedBy};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::Common;
use crate::engine::LaneEngine;
use crate::failure::Failure;
use crate::home::{self, eprint_line};
use crate::outage;
use crate::scheduling::Timekeeper;
use crate::zones;

/// `serve`
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ServeArgs {
    /// Where to take what providers report, instead of [http] listen; without either nothing listens
    #[arg(long, value_name = "ADDR", env = "RINGFENCE_HTTP_LISTEN")]
    pub listen: Option<std::net::SocketAddr>,
}

/// Requests under way are answered, and lanes given back, within this time; a connection that says nothing is not waited for longer.
const LAST_WORD: Duration = Duration::from_secs(20);
/// How often the file of the database is looked for.
const LOOK: Duration = Duration::from_millis(250);

/// Dials every lane of the configuration and begins campaigns on schedule, until it is told to stop.
pub(super) async fn serve(common: &Common, args: ServeArgs) -> Result<u8, Failure> {
    let Some(path) = home::find_config(common, None)? else {
        return Err(Failure::input(
            "no ringfence.toml was found",
            "`ringfence init` writes one; or name it with --config",
        ));
    };
    let config = home::read_config(common, None)?;
    if config.lanes.is_empty() {
        let message = format!("{} has no [provider.…] section", path.display());
        return Err(Failure::input(message, "add one; deploy/ringfence.toml shows how"));
    }
    let listener = match args.listen.or(config.http.listen) {
        Some(address) => Some(ringfence_server::listen(address).await.map_err(|error| {
            Failure::input(format!("{address} cannot be listened on: {error}"), "name another address with --listen")
        })?),
        None => None,
    };
    crate::leaving::in_time()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let store = home::open(common, &config).await?;
    let clock = store.clock().await?;
    outage::take_back(&store, &*clock).await;
    let lifeline = Lifeline::begin(&store, clock.read().now);
    let brake = home::brakes(&config, &store);
    let stop = CancellationToken::new();
    let engines = TaskTracker::new();
    let mut providers = std::collections::BTreeMap::new();
    // Whatever is wrong with the database is told before anybody is dialled.
    announce(&config, &store, &clock).await?;
    for (name, lane) in &config.lanes {
        let provider = home::provider(lane)?;
        let settings = lane.setup.settings.clone();
        let row = store.register_lane(settings.clone(), clock.read().now).await?;
        let owner = lifeline.name().to_owned();
        let engine = LaneEngine::new(store.clone(), clock.clone(), owner, row.id, settings, provider.clone());
        let engine = engine.braked_by(brake.clone()).reported_to(home::reports_of(lane, &config, &store));
        engines.spawn(engine.run(stop.clone()));
        providers.insert(name.clone(), provider);
    }
    let timekeeper = Timekeeper::new(store.clone(), clock.clone(), lifeline.name().to_owned(), providers);
    engines.spawn(timekeeper.run(stop.clone()));
    if let Some(listener) = listener {
        eprint_line(&format!("listening on http://{}", listener.local_addr()?));
        let server = ringfence_server::Server { store: store.clone(), clock: clock.clone() };
        let serving = ringfence_server::serve(server, listener, stop.clone());
        engines.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "HTTP is not served any more: {error}");
            }
        });
    } else if config.http.public_url.is_some() {
        tracing::warn!("[http] public_url is set and nothing listens: add listen, or use --listen");
    }
    engines.close();
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(143),
        _ = interrupt.recv() => Ok(130),
        gone = vanished(&store) => Err(gone),
        failure = outage::lasts(&store) => Err(failure),
    };
    eprint_line("finishing what is being sent…");
    stop.cancel();
    if tokio::time::timeout(LAST_WORD, engines.wait()).await.is_err() {
        tracing::warn!("something does not end, and is left");
    }
    outage::leave(&store);
    store.close().await;
    ended
}

/// Returns when the file of the database is not the one any more that was opened. Nobody is dialled from then on.
async fn vanished(store: &Database) -> Failure {
    loop {
        if let Some(gone) = store.file().and_then(|file| file.pulled()) {
            return home::gone(&gone);
        }
        tokio::time::sleep(LOOK).await;
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
        for caution in crate::cautions::of(&campaign.rules, None, clock.read().now) {
            tracing::warn!("{}: {caution}", campaign.rules.name);
        }
    }
    for schedule in store.schedules().await? {
        let Some(campaign) = campaigns.iter().find(|campaign| campaign.id == schedule.campaign) else { continue };
        if let Some(next) = schedule.next_at {
            let wait = next.since(clock.read().now);
            let when = next.local(schedule.zone).strftime("%a %d %b %H:%M %Z");
            let due = if wait == ringfence_domain::Span::ZERO { "now".to_owned() } else { format!("at {when}") };
            eprint_line(&format!("{} begins by itself {due}", campaign.rules.name));
        }
    }
    Ok(())
}
