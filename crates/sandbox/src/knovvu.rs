//! Knovvu's wire format, in front of a simulated project.
//!
//! Shapes from the page "Outbound Call Trigger API". It documents no error, and no shape of the
//! message to `ResultDestination`: here that message is one call result, once the call is over.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ringfence_domain::Outcome;
use serde_json::{Map, Value, json};

use crate::behaviour::Fault;
use crate::broken::{broken, throttled};
use crate::simulator::{Asked, PlacedCall, Simulator};

/// Returns the routes of one project.
pub(crate) fn router(simulator: Arc<Simulator>) -> Router {
    let routes = Router::new().route("/call", post(place)).route("/callresult", post(results)).with_state(simulator);
    Router::new().nest("/v2", routes)
}

/// What must be there, by the page.
const REQUIRED: [&str; 6] = ["Project", "Tenant", "ConversationId", "AccessToken", "ScenarioPath", "OrchestratorUrl"];

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "Message": message }))).into_response()
}

async fn place(State(simulator): State<Arc<Simulator>>, body: String) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    if let Some(missing) = REQUIRED.iter().find(|name| text(name).is_none()) {
        return refusal(StatusCode::BAD_REQUEST, &format!("{missing} is required"));
    }
    let mut inputs: Map<String, Value> = body["ScenarioInputParameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair["Name"].as_str()?.to_owned(), pair["Value"].clone())))
        .collect();
    let own = |inputs: &mut Map<String, Value>, name: &str| {
        inputs.remove(name).and_then(|value| value.as_str().map(str::to_owned)).filter(|text| !text.is_empty())
    };
    let (Some(caller), Some(callee)) = (own(&mut inputs, "_DisplayNumber"), own(&mut inputs, "_Destination")) else {
        return refusal(StatusCode::BAD_REQUEST, "_DisplayNumber and _Destination are required");
    };
    let asked = Asked {
        vendor: "knovvu",
        callee,
        caller,
        agent: text("ScenarioPath").unwrap_or_default().to_owned(),
        inputs,
        metadata: Map::from_iter([("ConversationId".to_owned(), body["ConversationId"].clone())]),
        ..Asked::default()
    };
    let verdict = simulator.place(asked);
    if let (Some(call), Some(address)) = (&verdict.call, text("ResultDestination")) {
        simulator.report(call, address, &result(call));
    }
    match (verdict.fault, verdict.call) {
        (Some(fault), _) => answer_fault(fault).await,
        (None, Some(call)) => axum::Json(json!({ "UniqueId": call.call_id })).into_response(),
        (None, None) => refusal(StatusCode::BAD_REQUEST, "the call was not placed"),
    }
}

async fn answer_fault(fault: Fault) -> Response {
    match fault {
        Fault::ErrorAfter | Fault::ErrorBefore => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::NoId => axum::Json(json!({ "UniqueId": "" })).into_response(),
        Fault::Throttled => throttled(StatusCode::TOO_MANY_REQUESTS.into_response()),
        Fault::Unauthorized | Fault::NoBalance => StatusCode::UNAUTHORIZED.into_response(),
        Fault::UnknownAgent | Fault::InvalidNumber => StatusCode::BAD_REQUEST.into_response(),
        other => broken(other).await,
    }
}

async fn results(State(simulator): State<Arc<Simulator>>, body: String) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    let order: Value = serde_json::from_str(&body).unwrap_or_default();
    let Some(ids) = order["UniqueIds"].as_array() else {
        return refusal(StatusCode::BAD_REQUEST, "UniqueIds is required");
    };
    // Newest first: nobody promises the order of the question.
    let known = ids.iter().rev().filter_map(|id| simulator.call(id.as_str()?));
    let over = known.filter(|(call, over)| *over && call.asked.vendor == "knovvu");
    let results: Vec<Value> = over.map(|(call, _)| result(&call)).collect();
    axum::Json(json!({ "CallResults": results })).into_response()
}

fn result(call: &PlacedCall) -> Value {
    let state = match call.outcome {
        Outcome::Answered | Outcome::Voicemail => "Answered",
        Outcome::Busy => "Busy",
        Outcome::NoAnswer => "No Answer",
        Outcome::Rejected => "Rejected",
        Outcome::Unreachable => "Temporarily Unavailable",
        Outcome::InvalidNumber => "Invalid Number",
        _ => "Error",
    };
    json!({ "UniqueId": call.call_id, "CallRequestId": "", "CallState": state })
}
