//! `ringfence lanes`

use ringfence_operations::credentials;
use ringfence_operations::lanes::{self, Lane};
use serde_json::json;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::screen::{self, Table};

/// `lanes`
#[derive(Debug, clap::Args)]
pub struct LanesArgs {
    /// Try the credentials of every lane, without calling anyone
    #[arg(long)]
    pub check: bool,
    /// Print the address that each lane's provider may report calls to. Everybody who knows it can
    /// make this installation ask the provider
    #[arg(long, conflicts_with = "check")]
    pub callbacks: bool,
    /// What to do with one lane
    #[command(subcommand)]
    pub action: Option<LaneAction>,
}

/// What to do with a lane.
#[derive(Debug, clap::Subcommand)]
pub enum LaneAction {
    /// Stop new calls on a lane
    Pause {
        /// The lane
        lane: String,
        /// Why, for everyone who asks later
        #[arg(long, default_value = "paused by hand")]
        reason: String,
    },
    /// Let a lane dial again
    Resume {
        /// The lane
        lane: String,
    },
}

/// Lists, pauses and resumes lanes, and tries their credentials.
pub async fn lanes(common: &Common, args: &LanesArgs) -> Result<u8, Failure> {
    if args.check {
        return check(common).await;
    }
    let home = match args.action {
        None => Home::look(common).await?,
        Some(_) => Home::enter(common).await?,
    };
    if args.callbacks {
        return callbacks(common, &home).await;
    }
    match &args.action {
        Some(LaneAction::Pause { lane, reason }) => lanes::pause(&home, lane, reason).await?,
        Some(LaneAction::Resume { lane }) => lanes::resume(&home, lane).await?,
        None => {}
    }
    let lanes = lanes::list(&home).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&lanes)?;
    } else if lanes.is_empty() {
        screen::print("no lanes yet; the first `ringfence run` makes those of its campaign\n")?;
    } else {
        screen::print(&tables(&lanes))?;
    }
    Ok(DONE)
}

/// Each lane in a table of its own: what, and how it stands.
fn tables(lanes: &[Lane]) -> String {
    lanes.iter().map(|lane| format!("{}\n", table(lane))).collect()
}

fn table(lane: &Lane) -> Table {
    let (limits, slots) = (&lane.limits, &lane.slots);
    let mut table = screen::table(&[]);
    let mut add = |what: &str, says: String| {
        if !says.is_empty() {
            table.add_row(vec![what.to_owned(), says]);
        }
    };
    let state = if lane.backoff_until.is_some() && lane.reason.is_none() { "slowed" } else { lane.state.as_str() };
    add(&format!("{} ({})", lane.name, lane.kind), state.to_owned());
    add("because", lane.because.clone().unwrap_or_default());
    add("limited by", lane.limited_by.clone().unwrap_or_default());
    let last = lane.last_owner.as_ref().zip(lane.last_dialled_until);
    add(
        "dialled by",
        match (&lane.owner, last) {
            (Some(owner), _) => owner.clone(),
            (None, Some((last, until))) => format!("nobody; {last} did until {}", until.shown(lane.zone)),
            (None, None) => "nobody yet".to_owned(),
        },
    );
    add("calls", format!("{}, {} requests", limits.calls, limits.requests));
    if let Some(used) = &lane.used {
        add("used now", format!("{} calls, {} requests", used.calls, used.requests));
    }
    add(
        "slots",
        match slots.unknown {
            0 => format!("{} of {} taken", slots.taken, slots.of),
            unsure => format!("{} of {} taken, {unsure} by calls of unknown fate", slots.taken, slots.of),
        },
    );
    if let (Some(left), Some(per_day)) = (lane.left_today, limits.per_day) {
        add("today", format!("{} of {per_day}", per_day - left));
    }
    table
}

/// Asks every vendor for something that calls nobody.
async fn check(common: &Common) -> Result<u8, Failure> {
    let config = home::read_config(common, None)?;
    let mut rows = Vec::new();
    for (name, lane) in &config.lanes {
        let tried = credentials::of_lane(name, lane).await?;
        if !common.json {
            screen::print(&format!("{name}: {}\n", tried.says()))?;
        }
        rows.push(tried);
    }
    if common.json {
        screen::print_json(&rows)?;
    }
    Ok(if rows.iter().all(|tried| tried.ok) { DONE } else { 2 })
}

/// Where each lane's provider may report calls to, to be written where it asks for a webhook's
/// address.
async fn callbacks(common: &Common, home: &Home) -> Result<u8, Failure> {
    let Some(address) = home::report_address(&home.config, &home.store) else {
        return Err(Failure::input(
            format!("{} has no [http] public_url", home.config.path.display()),
            "write where providers can reach `ringfence serve`: public_url = \"https://dialer.example.com\"",
        ));
    };
    let lanes = home.store.lanes().await?;
    let rows: Vec<_> = lanes
        .iter()
        .map(|lane| json!({ "name": lane.settings.name, "address": address.of_lane(&lane.settings.name) }))
        .collect();
    home.store.close().await;
    if common.json {
        screen::print_json(&rows)?;
    } else {
        for lane in &lanes {
            let name = &lane.settings.name;
            screen::print(&format!("{name}: {}\n", address.of_lane(name)))?;
        }
    }
    Ok(DONE)
}
