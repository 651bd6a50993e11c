//! `ringfence stop` and `ringfence start`

use ringfence_domain::AttemptState;
use ringfence_store::{LiveCall, StoppedBy};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::home::{self, Home};
use crate::{screen, zones};

/// `stop`
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    /// Why, for everyone who asks later
    #[arg(long, default_value = "stopped by hand", value_name = "TEXT")]
    pub reason: String,
}

/// Stops new calls of everything on this database, and says which calls are still out.
pub(super) async fn stop(common: &Common, args: &StopArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    home.store.stop_all(args.reason.clone(), home.now()).await?;
    let (mut out, mut cancelled) = (Vec::new(), 0);
    for lane in home.store.lanes().await? {
        let name = lane.settings.name.clone();
        let provider = home.config.lanes.get(&name).and_then(|lane| home::provider(lane).ok());
        for call in home.store.live_calls(lane.id).await? {
            let ended = match (&provider, &call.call_id) {
                (Some(provider), Some(id)) => provider.cancel(id).await.unwrap_or(false),
                _ => false,
            };
            cancelled += usize::from(ended);
            out.push((name.clone(), lane.settings.timezone, call));
        }
    }
    home.store.close().await;
    if common.json {
        let calls: Vec<_> = out.iter().map(|(lane, _, call)| as_json(lane, call)).collect();
        screen::print_json(
            &json!({ "stopped": true, "reason": args.reason, "calls_out": calls, "cancelled": cancelled }),
        )?;
        return Ok(DONE);
    }
    let mut text = format!("stopped: {}. No new call begins until `ringfence start`.\n", args.reason);
    if !out.is_empty() {
        let mut table = screen::table(&["lane", "number", "since", "call"]);
        for (lane, zone, call) in &out {
            table.add_row([
                lane.clone(),
                call.number.to_string(),
                screen::moment(call.sending_at, *zone),
                call.call_id.clone().unwrap_or_else(|| call.state.to_string()),
            ]);
        }
        let rest = out.len() - cancelled;
        text.push_str(&format!("{} calls are still out, {cancelled} were cancelled", out.len()));
        let why = "; their vendor has no way to end a call, and they end by themselves";
        text.push_str(&format!("{}:\n{table}\n", if rest > 0 { why } else { "" }));
    }
    screen::print(&text)?;
    Ok(DONE)
}

fn as_json(lane: &str, call: &LiveCall) -> serde_json::Value {
    let unknown = call.state == AttemptState::Unknown;
    json!({
        "lane": lane, "attempt": call.attempt, "phone": call.number.e164(), "since": call.sending_at,
        "call_id": call.call_id, "unknown": unknown,
    })
}

/// Lets everything on this database dial again.
pub(super) async fn start(common: &Common) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    home.store.start_all(home.now()).await?;
    let still = home.store.stop().await?;
    home.store.close().await;
    if let Some(still) = still {
        let (what, hint) = match still.by {
            StoppedBy::Quarantine => ("a quarantine still holds this database", "`ringfence quarantine` says more"),
            StoppedBy::ZoneData => ("nobody is dialled by this process", zones::MEND),
            StoppedBy::Person => ("somebody stopped this database again", "`ringfence start` lifts that, too"),
        };
        return Err(Failure::held(format!("the stop is lifted, and {what}: {}", still.reason), hint));
    }
    let file = home::brake(&home.config).pulled();
    if common.json {
        screen::print_json(&json!({ "stopped": file.is_some(), "reason": file }))?;
    } else if file.is_none() {
        screen::print("started: what is due and allowed is dialled again\n")?;
    }
    match file {
        Some(_) if common.json => Ok(HELD),
        Some(file) => Err(Failure::held(
            format!("the database's stop is lifted, and {file} still stops everything"),
            "remove that file",
        )),
        None => Ok(DONE),
    }
}
