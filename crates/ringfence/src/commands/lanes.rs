//! `ringfence lanes`

use comfy_table::Cell;
use ringfence_providers::Checked;
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::{rests, screen};

/// `lanes`
#[derive(Debug, clap::Args)]
pub struct LanesArgs {
    /// Try the credentials of every lane, without calling anyone
    #[arg(long)]
    pub check: bool,
    /// Print the address that each lane's provider may report calls to. Whoever knows it can make this installation ask the provider
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
pub(super) async fn lanes(common: &Common, args: &LanesArgs) -> Result<u8, Failure> {
    if args.check {
        return check(common).await;
    }
    let home = Home::enter(common).await?;
    if args.callbacks {
        return callbacks(common, &home).await;
    }
    let (store, now) = (&home.store, home.now());
    let lanes = store.lanes().await?;
    if let Some(action) = &args.action {
        let (LaneAction::Pause { lane: name, .. } | LaneAction::Resume { lane: name }) = action;
        let Some(lane) = lanes.iter().find(|lane| lane.settings.name == *name) else {
            let names: Vec<&str> = lanes.iter().map(|lane| lane.settings.name.as_str()).collect();
            return Err(Failure::input(format!("there is no lane `{name}`"), format!("known: {}", names.join(", "))));
        };
        match action {
            LaneAction::Pause { reason, .. } => store.pause_lane(lane.id, reason.clone(), now).await?,
            LaneAction::Resume { .. } => store.resume_lane(lane.id, now).await?,
        }
    }
    let lanes = store.lanes().await?;
    let mut rows = Vec::new();
    let mut table = screen::table(&["lane", "kind", "state", "calls", "at once", "today", "reason"]);
    for lane in &lanes {
        let load = store.lane_load(lane.id, now).await?;
        let held = load.all();
        let limits = &lane.settings.limits;
        let rest = rests::of(lane, None, lane.settings.timezone, now);
        let rests_until = rest.as_ref().map(|rest| rest.until);
        let state = if rest.is_some() && lane.reason.is_none() { "slowed" } else { lane.state.as_str() };
        let rests = || rest.as_ref().map(|rest| rest.sentence(lane.settings.timezone));
        let reason = lane.reason.clone().or_else(rests);
        let today = match (load.left_today, limits.per_day) {
            (Some(left), Some(per_day)) => format!("{} of {per_day}", per_day - left),
            _ => "unlimited".to_owned(),
        };
        table.add_row(vec![
            Cell::new(&lane.settings.name),
            Cell::new(&lane.settings.kind),
            Cell::new(state),
            Cell::new(format!("{}, {} requests", limits.calls, limits.requests)),
            Cell::new(match held.unsure {
                0 => format!("{} of {}", held.taken, limits.concurrent),
                unsure => format!("{} of {}, {unsure} of unknown fate", held.taken, limits.concurrent),
            }),
            Cell::new(today),
            Cell::new(reason.clone().unwrap_or_default()),
        ]);
        rows.push(json!({
            "name": lane.settings.name,
            "kind": lane.settings.kind,
            "state": lane.state,
            "reason": lane.reason,
            "backoff_until": rests_until,
            "backoff_reason": rest.map(|rest| rest.says),
            "live": held.live,
            "slots": {
                "of": limits.concurrent, "taken": held.taken, "unknown": held.unsure, "first_free_at": held.first_free,
            },
            "usual_call": lane.usual_call.map(|usual| usual.to_string()),
            "left_today": load.left_today,
            "limits": limits,
            "owner": lane.owner,
        }));
    }
    store.close().await;
    if common.json {
        screen::print_json(&rows)?;
    } else if lanes.is_empty() {
        screen::print("no lanes yet; the first `ringfence run` makes those of its campaign\n")?;
    } else {
        screen::print(&format!("{table}\n"))?;
    }
    Ok(DONE)
}

/// Asks every vendor for something that calls nobody.
async fn check(common: &Common) -> Result<u8, Failure> {
    let config = home::read_config(common, None)?;
    let mut rows = Vec::new();
    for (name, lane) in &config.lanes {
        let answer = home::provider(lane)?.check().await;
        rows.push(json!({
            "name": name, "ok": answer.is_ok(), "credentials_tried": answer != Ok(Checked::Address),
            "error": answer.as_ref().err().map(ToString::to_string),
        }));
        if !common.json {
            let line = match answer {
                Ok(Checked::Credentials) => format!("{name}: the credentials work\n"),
                Ok(Checked::Address) => {
                    format!("{name}: somebody answers there; only a call shows whether the credentials are right\n")
                }
                Err(error) => format!("{name}: {error}\n"),
            };
            screen::print(&line)?;
        }
    }
    if common.json {
        screen::print_json(&rows)?;
    }
    Ok(if rows.iter().all(|row| row["ok"] == true) { DONE } else { 2 })
}

/// Where each lane's provider may report calls to, to be written where it asks for a webhook's address.
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
