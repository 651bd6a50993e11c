//! What is known without any campaign: presets, and when a window is open.

use ringfence_domain::Moment;
use ringfence_operations::hours::{self, HoursChange, HoursRequest};
use ringfence_operations::presets::{self, PresetRules};
use ringfence_operations::{Error, Place};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Answer, Call, Sent, wrong};
use crate::problem::{Problem, ProblemKind};

/// Lists the presets: rules of laws and codes, with their sources.
#[utoipa::path(get, path = "/presets", tag = "knowledge", security(("token" = ["viewer"])),
    responses((status = 200, description = "The presets.", body = Vec<PresetRules>)))]
pub(crate) async fn list_presets(call: Call) -> Answer {
    call.answer(&presets::list()?)
}

/// A window, and the time that is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowRequest {
    /// The hours, in the syntax of OpenStreetMap: `Mo-Sa 09:00-21:00`.
    hours: String,
    /// The zone, by its IANA name: `Asia/Kolkata`.
    timezone: String,
    /// Public holidays that close it: two letters of a country, or names of your own.
    #[serde(default)]
    #[schema(max_items = 20)]
    holidays: Vec<String>,
    /// The moment; now without.
    #[serde(default)]
    at: Option<Moment>,
    /// The last moment whose changes are wanted; at most 366 days later.
    #[serde(default)]
    until: Option<Moment>,
}

/// Whether a window is open, and when that changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WindowAnswer {
    /// Whether it is open.
    open: bool,
    /// When that changes, if ever.
    next_change: Option<Moment>,
    /// Every change until the last moment.
    changes: Vec<HoursChange>,
}

/// Says whether a window is open, and when that changes.
#[utoipa::path(post, path = "/hours", tag = "knowledge", security(("token" = ["viewer"])), request_body = WindowRequest,
    responses((status = 200, description = "The window.", body = WindowAnswer)))]
pub(crate) async fn check_hours(call: Call, Sent(sent): Sent<WindowRequest>) -> Answer {
    let now = sent.at.unwrap_or_else(|| call.workspace.now());
    if sent.until.is_some_and(|until| until.since(now) > ringfence_domain::Span::from_days(366)) {
        return Err(wrong("/until", "it is more than 366 days later"));
    }
    let config = call.workspace.config.path.clone();
    let config = config.is_file().then_some(config);
    let place = Place { config, notices: call.workspace.notices.clone(), ..Place::default() };
    let work = move || -> Result<WindowAnswer, Error> {
        let WindowRequest { hours, timezone, holidays, until, .. } = &sent;
        let request = HoursRequest { expression: hours, timezone, holidays, at: Some(now), until: *until };
        let answer = hours::hours(&place, &request)?;
        Ok(WindowAnswer { open: answer.now.open, next_change: answer.now.next_change, changes: answer.changes })
    };
    let answer = tokio::task::spawn_blocking(work).await;
    let answer = answer.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))??;
    call.answer(&answer)
}
