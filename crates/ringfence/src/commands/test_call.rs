//! `ringfence test-call`

use std::path::PathBuf;

use ringfence_domain::{AttemptState, ContactState, Span};
use ringfence_operations::test_call::{Called, Ended, Prepared, TestCall};

use super::run::signalled;
use crate::common::Common;
use crate::failure::{DONE, Failure, REVIEW};
use crate::screen;

/// `test-call`
#[derive(Debug, clap::Args)]
pub struct TestCallArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// The number to call, with + and country code unless the campaign names a country
    pub phone: String,
    /// Take the values of this row of the contact file, counted from 1 without the header
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub row: i64,
    /// Call although the campaign's window is closed; asks first
    #[arg(long)]
    pub ignore_window: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Stop waiting for its outcome after this time: 90s, 10m
    #[arg(long, default_value = "10m", value_name = "TIME")]
    pub max_time: Span,
}

/// One real call to one number: through window, do-not-call list and caps, outside the campaign's
/// counts.
pub async fn test_call(common: &Common, args: &TestCallArgs) -> Result<u8, Failure> {
    let order = TestCall {
        campaign: args.campaign.clone(),
        phone: args.phone.clone(),
        row: args.row,
        ignore_window: args.ignore_window,
        max_time: args.max_time,
    };
    let prepared = Prepared::load(&common.place(), &order)?;
    let question = format!("{} is called now, outside the campaign's window. Call?", prepared.number);
    if args.ignore_window && !args.yes && !screen::confirm(&question)? {
        return Err(Failure::held("nobody was called", "answer y, or use --yes"));
    }
    let leave = signalled()?;
    tokio::pin!(leave);
    let called = match Box::pin(prepared.call(&common.place(), leave)).await? {
        Ended::Signal(code) => return Ok(code),
        Ended::Called(called) => called,
    };
    if common.json {
        screen::print_json(&called)?;
    } else {
        screen::print(&text(&called))?;
    }
    match (called.outcome, called.state) {
        (Some(_), ContactState::Done | ContactState::Stopped | ContactState::Waiting) => Ok(DONE),
        (_, ContactState::Review | ContactState::Active) => Ok(REVIEW),
        _ => Err(Failure::work(called.cause.unwrap_or_else(|| "the call was not placed".to_owned()))),
    }
}

fn text(called: &Called) -> String {
    let mut table = screen::table(&[]);
    let mut line = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            table.add_row([name.to_owned(), text]);
        }
    };
    line("called", Some(called.phone.clone()));
    let outcome = called.outcome.map(|outcome| outcome.to_string());
    let stands = match called.attempt_state {
        AttemptState::Refused | AttemptState::NotSent => "nobody was called".to_owned(),
        state => format!("not known yet ({state})"),
    };
    line("outcome", Some(outcome.unwrap_or(stands)));
    line("why", called.cause.clone());
    line("talked", called.talk_seconds.map(|seconds| format!("{seconds} s")));
    let currency = called.currency.as_deref().unwrap_or_default();
    line("cost", called.cost.as_ref().map(|cost| format!("{cost} {currency}")));
    line("call id", called.call_id.clone());
    for (name, value) in &called.outputs {
        line(&format!("out.{name}"), Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    line("recording", called.recording_url.clone());
    line("transcript", called.transcript_url.clone());
    format!("{table}\n")
}
