//! `ringfence stop` and `ringfence start`

use ringfence_operations::ErrorKind;
use ringfence_operations::stop::{self, StoppedAll};

use crate::common::Common;
use crate::failure::{DONE, Failure, HELD};
use crate::home::Home;
use crate::screen;

/// `stop`
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    /// Why, for everyone who asks later
    #[arg(long, default_value = "stopped by hand", value_name = "TEXT")]
    pub reason: String,
}

/// Stops new calls of everything on this database, and says which calls are still out.
pub async fn stop(common: &Common, args: &StopArgs) -> Result<u8, Failure> {
    let stopping = async {
        let home = Home::enter(common).await?;
        let stopped = stop::stop(&home, &args.reason).await;
        Ok::<_, Failure>((home, stopped?))
    };
    let (home, stopped) = stopping.await.map_err(without_database)?;
    home.store.close().await;
    if common.json {
        screen::print_json(&stopped)?;
    } else {
        screen::print(&text(&stopped))?;
    }
    Ok(DONE)
}

/// A stop that cannot be written has another way.
fn without_database(error: Failure) -> Failure {
    if error.kind != ErrorKind::Work {
        return error;
    }
    let other = "nothing was stopped; `touch STOP` beside ringfence.toml stops all that dial by that file, without the database";
    let hint = error.hint.as_ref().map_or_else(|| other.to_owned(), |hint| format!("{other}; {hint}"));
    error.with_hint(hint)
}

fn text(stopped: &StoppedAll) -> String {
    let mut text = format!("stopped: {}. No new call begins until `ringfence start`.\n", stopped.reason);
    let (out, cancelled) = (&stopped.calls_out, stopped.cancelled);
    if !out.is_empty() {
        let mut table = screen::table(&["lane", "number", "since", "call"]);
        for call in out {
            table.add_row([
                call.lane.clone(),
                call.number.to_string(),
                call.since.shown(call.zone),
                call.call_id.clone().unwrap_or_else(|| call.state.to_string()),
            ]);
        }
        let rest = out.len() - cancelled;
        text.push_str(&format!("{} calls are still out, {cancelled} were cancelled", out.len()));
        let why = "; their vendor has no way to end a call, and they end by themselves";
        text.push_str(&format!("{}:\n{table}\n", if rest > 0 { why } else { "" }));
    }
    text
}

/// Lets everything on this database dial again.
pub async fn start(common: &Common) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let started = stop::start(&home).await;
    home.store.close().await;
    let started = started?;
    if common.json {
        screen::print_json(&started)?;
        return Ok(if started.stopped { HELD } else { DONE });
    }
    if let Some(file) = started.reason {
        let message = format!("the database's stop is lifted, and {file} still stops everything");
        return Err(Failure::held(message, "remove that file"));
    }
    screen::print("started: what is due and allowed is dialled again while ringfence run or serve runs\n")?;
    Ok(DONE)
}
