//! `ringfence events`

use std::time::Duration;

use ringfence_domain::Zone;
use ringfence_domain::event::Event;
use ringfence_operations::events;
use ringfence_store::EventFilter;
use tokio::signal::unix::{SignalKind, signal};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// How often `--follow` looks for more.
const LOOK: Duration = Duration::from_secs(1);

/// `events`
#[derive(Debug, clap::Args)]
pub struct EventsArgs {
    /// Only events from then on: a moment, or how long ago it was, as in 2h
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// Only events of this campaign
    #[arg(long)]
    pub campaign: Option<String>,
    /// Only events of this lane and of its campaigns
    #[arg(long)]
    pub lane: Option<String>,
    /// Print new events as they come, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

/// Prints one line an event, oldest first; with --json one document a line.
pub async fn events(common: &Common, args: &EventsArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let printed = print(common, args, &home).await;
    home.store.close().await;
    printed
}

async fn print(common: &Common, args: &EventsArgs, home: &Home) -> Result<u8, Failure> {
    let since = args.since.as_deref().map(|text| events::since(text, home.now())).transpose()?;
    let (campaign, lane) = (args.campaign.clone(), args.lane.clone());
    let mut filter = EventFilter { since, campaign, lane, ..EventFilter::default() };
    let zone = events::clock(home).await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        filter.after = events::for_each(home, filter.clone(), |event| {
            if common.json {
                let text = serde_json::to_string(event).map_err(|error| Failure::work(error.to_string()))?;
                return screen::print(&format!("{}\n", screen::escaped(&text)));
            }
            screen::print(&line(event, zone))
        })
        .await?;
        if !args.follow {
            return Ok(DONE);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = interrupt.recv() => return Ok(130),
        }
    }
}

fn line(event: &Event, zone: Zone) -> String {
    let at = event.at.local(zone).strftime("%d %b %Y %H:%M:%S %Z");
    format!("{at}  {event}  [{}]\n", event.who)
}
