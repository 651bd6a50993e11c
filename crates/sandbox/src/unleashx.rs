//! UnleashX's wire format, in front of a simulated account.
//!
//! Shapes from the vendor's pages "Make a call" and "Call summary". The pages do not say how rows
//! of the list are linked to calls: here every other row carries the call's id as `TRACK_ID`, and
//! times are UTC without saying so. `input_data` searches the metadata.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ringfence_domain::{Moment, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::behaviour::Fault;
use crate::broken::{broken, throttled};
use crate::simulator::{Asked, PlacedCall, Simulator};

/// Returns the routes of one account.
pub(crate) fn router(simulator: Arc<Simulator>) -> Router {
    let routes = Router::new()
        .route("/agents/call", post(place))
        .route("/agents/executions/list", get(list))
        .with_state(simulator);
    Router::new().nest("/api/v1/global", routes)
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "error": true, "message": message }))).into_response()
}

fn unauthorized(headers: &HeaderMap) -> Option<Response> {
    let has = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
    let known = has("token") || has("api_access_token");
    (!known).then(|| refusal(StatusCode::UNAUTHORIZED, "Invalid Auth Key or Session Expired"))
}

async fn place(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, body: String) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let Some(number) = body["phone_number"].as_str().filter(|number| !number.is_empty()) else {
        return refusal(StatusCode::BAD_REQUEST, "Phone Number is required");
    };
    let Some(agent) = body["agent_id"].as_i64() else {
        return refusal(StatusCode::BAD_REQUEST, "Agent ID is required");
    };
    let metadata = body["metadata"].as_object().cloned().unwrap_or_default();
    let asked = Asked {
        vendor: "unleashx",
        callee: number.to_owned(),
        agent: agent.to_string(),
        inputs: metadata.clone(),
        metadata,
        ..Asked::default()
    };
    let verdict = simulator.place(asked);
    match (verdict.fault, verdict.call) {
        (Some(fault), _) => answer_fault(fault).await,
        (None, Some(call)) => {
            let data = json!({
                "execution_id": call.call_id, "agent_id": agent, "phone_number": number, "call_status": "initiated"
            });
            let body = json!({ "success": true, "message": "Call initiated successfully", "data": data });
            axum::Json(body).into_response()
        }
        (None, None) => refusal(StatusCode::UNPROCESSABLE_ENTITY, "Invalid phone number"),
    }
}

async fn answer_fault(fault: Fault) -> Response {
    match fault {
        Fault::ErrorAfter | Fault::ErrorBefore => refusal(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
        Fault::NoId => axum::Json(json!({ "success": true, "message": "Call initiated successfully" })).into_response(),
        Fault::Throttled => throttled(refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests")),
        Fault::Unauthorized => refusal(StatusCode::UNAUTHORIZED, "Invalid Auth Key or Session Expired"),
        Fault::UnknownAgent => refusal(StatusCode::NOT_FOUND, "Agent not found or not active"),
        Fault::NoBalance => refusal(StatusCode::PAYMENT_REQUIRED, "Insufficient balance"),
        Fault::InvalidNumber => refusal(StatusCode::UNPROCESSABLE_ENTITY, "Invalid phone number"),
        other => broken(other).await,
    }
}

#[derive(Deserialize)]
struct ListQuery {
    fromdate: Option<String>,
    calling_number: Option<String>,
    input_data: Option<String>,
    #[serde(default = "first")]
    page: usize,
    #[serde(default = "ten")]
    limit: usize,
}

fn first() -> usize {
    1
}

fn ten() -> usize {
    10
}

async fn list(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, Query(query): Query<ListQuery>) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let wanted = |call: &PlacedCall| {
        let contains = |text: &Option<String>, within: &str| text.as_ref().is_none_or(|text| within.contains(text));
        contains(&query.calling_number, &call.asked.callee)
            && contains(&query.input_data, &Value::Object(call.asked.metadata.clone()).to_string())
            && query.fromdate.as_ref().is_none_or(|from| day(call.placed_at) >= *from)
    };
    let rows: Vec<Value> = simulator
        .newest("unleashx")
        .iter()
        .filter(|(call, _)| wanted(call))
        .skip(query.page.saturating_sub(1) * query.limit)
        .take(query.limit)
        .map(|(call, over)| row(call, *over))
        .collect();
    axum::Json(json!({ "datalist": rows })).into_response()
}

fn day(at: Moment) -> String {
    at.local(ringfence_domain::Zone::utc()).strftime("%Y-%m-%d").to_string()
}

fn row(call: &PlacedCall, over: bool) -> Value {
    let status = match (over, call.outcome) {
        (false, _) => "initiated",
        (true, Outcome::Answered) => "completed",
        (true, Outcome::NoAnswer) => "no-answer",
        (true, outcome) => outcome.as_str(),
    };
    let answered = over && call.outcome == Outcome::Answered;
    let seconds = if over { call.talk.millis() / 1000 } else { 0 };
    let recording = answered.then(|| format!("https://storage.example.com/recordings/{}", call.call_id));
    let mut row = json!({
        "ID": call.number,
        "AGENT_ID": call.asked.agent,
        "agent_name": "Sandbox agent",
        "CALLING_NUMBER": call.asked.callee,
        "PROVIDER_NUMBER": "",
        "STATUS": if over { "completed" } else { "initiated" },
        "CALL_STATUS": status,
        "TOTAL_DURATION": seconds,
        "total_duration": format!("{seconds}s"),
        "CREATED_AT": call.placed_at.local(ringfence_domain::Zone::utc()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "FILE_PATH": recording,
        "DISPOSITION": if answered { json!("Interested") } else { Value::Null },
    });
    if call.number.is_multiple_of(2) {
        row["TRACK_ID"] = json!(call.call_id);
    }
    row
}
