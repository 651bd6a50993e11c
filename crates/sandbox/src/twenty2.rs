//! Twenty2's wire format, in front of a simulated account.
//!
//! Shapes from the vendor's pages "Initiate a Call" and "Quick Start", "List calls" and "Get call
//! details". Like the real one it wants Basic authorization and the workspace header, but takes
//! any credentials.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ringfence_domain::{Moment, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::behaviour::Fault;
use crate::broken::{broken, throttled};
use crate::simulator::{Asked, PlacedCall, Simulator};

/// Returns the routes of one account, below `/api` as at the vendor, and without it.
pub(crate) fn router(simulator: Arc<Simulator>) -> Router {
    let routes = Router::new()
        .route("/agent/trigger-outbound-call", post(place))
        .route("/call/detail", get(detail))
        .route("/call/logs", get(list))
        .with_state(simulator);
    Router::new().nest("/api", routes.clone()).merge(routes)
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let error = json!({ "code": code, "message": message, "status": status.as_u16() });
    (status, axum::Json(json!({ "success": false, "error": error }))).into_response()
}

fn invalid(field: &str, error: &str) -> Response {
    let body = json!({
        "success": false, "statusCode": 422, "message": "Validation errors", "validationErrors": { field: [error] }
    });
    (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(body)).into_response()
}

/// Returns the error that the vendor gives to requests without credentials or workspace.
fn unauthorized(headers: &HeaderMap) -> Option<Response> {
    let has = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    let basic = has("authorization").is_some_and(|value| value.starts_with("Basic "));
    (!basic || has("x-workspace-id").is_none())
        .then(|| refusal(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Invalid or missing credentials."))
}

async fn place(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, body: String) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let Ok(Value::Object(body)) = serde_json::from_str(&body) else {
        return invalid("body", "Must be a JSON object");
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(agent) = text("agent_id").or_else(|| text("assistant_id")) else {
        return invalid("agent_id", "Required");
    };
    let Some(callee) = text("callee_phone") else { return invalid("callee_phone", "Required") };
    let Some(caller) = text("caller_phone") else { return invalid("caller_phone", "Required") };
    let inputs = match body.get("input_parameters") {
        Some(Value::Object(inputs)) => inputs.clone(),
        _ => Map::new(),
    };
    let asked = Asked {
        vendor: "twenty2",
        callee: callee.to_owned(),
        caller: caller.to_owned(),
        agent: agent.to_owned(),
        inputs,
        ..Asked::default()
    };
    let verdict = simulator.place(asked);
    match (verdict.fault, verdict.call) {
        (Some(fault), _) => answer_fault(fault).await,
        (None, Some(call)) => accepted(&call),
        (None, None) => refusal(StatusCode::BAD_REQUEST, "INVALID_NUMBER", "The number cannot be called."),
    }
}

/// Returns the vendor's pages show two forms of success; calls take turns.
fn accepted(call: &PlacedCall) -> Response {
    let message = "Call queued successfully.";
    if call.number.is_multiple_of(2) {
        let body = json!({ "success": true, "call_id": call.call_id, "status": "initiated", "message": message });
        return axum::Json(body).into_response();
    }
    let data = json!({ "call_id": call.call_id, "message": message });
    (StatusCode::CREATED, axum::Json(json!({ "success": true, "statusCode": 201, "data": data }))).into_response()
}

async fn answer_fault(fault: Fault) -> Response {
    match fault {
        Fault::ErrorAfter | Fault::ErrorBefore => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Something went wrong.")
        }
        Fault::NoId => axum::Json(json!({ "success": true, "message": "Call queued successfully." })).into_response(),
        Fault::Throttled => {
            throttled(refusal(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", "Too many requests."))
        }
        Fault::Unauthorized => refusal(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Invalid or missing credentials."),
        Fault::UnknownAgent => refusal(
            StatusCode::BAD_REQUEST,
            "INVALID_AGENT",
            "The agent_id provided does not exist or is not published.",
        ),
        Fault::NoBalance => refusal(StatusCode::PAYMENT_REQUIRED, "INSUFFICIENT_BALANCE", "Wallet balance is too low."),
        Fault::InvalidNumber => invalid("callee_phone", "Invalid phone number"),
        other => broken(other).await,
    }
}

#[derive(Deserialize)]
struct DetailQuery {
    call_id: String,
}

async fn detail(
    State(simulator): State<Arc<Simulator>>,
    headers: HeaderMap,
    Query(query): Query<DetailQuery>,
) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let Some((call, over)) = simulator.call(&query.call_id).filter(|(call, _)| call.asked.vendor == "twenty2") else {
        return refusal(StatusCode::NOT_FOUND, "CALL_NOT_FOUND", "No such call.");
    };
    let mut body = json!({ "success": true, "call": line(&call, over), "input_parameters": call.asked.inputs });
    if over && call.outcome == Outcome::Answered {
        body["output_parameters"] = simulator.outputs_of(&call.asked.callee).into();
        let expires_at = Moment::to_string(&(call.ends_at + ringfence_domain::Span::from_days(7)));
        for (name, folder) in [("recording", "recordings"), ("transcript", "transcripts")] {
            let url = format!("https://storage.example.com/{folder}/{}", call.call_id);
            body[name] = json!({ "url": url, "expires_at": expires_at });
        }
    }
    axum::Json(body).into_response()
}

async fn list(State(simulator): State<Arc<Simulator>>, headers: HeaderMap) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let calls: Vec<Value> = simulator.newest("twenty2").iter().map(|(call, over)| line(call, *over)).collect();
    axum::Json(json!({ "success": true, "calls": calls })).into_response()
}

fn line(call: &PlacedCall, over: bool) -> Value {
    let status = match (over, call.outcome) {
        (false, _) => "in-progress",
        (true, Outcome::Answered) => "completed",
        (true, Outcome::NoAnswer) => "no-answer",
        (true, outcome) => outcome.as_str(),
    };
    let seconds = if over { call.talk.millis() / 1000 } else { 0 };
    // 10 rupees a minute.
    let cost = format!("{:.2} INR", seconds as f64 / 6.0);
    json!({
        "call_id": call.call_id,
        "agent_id": call.asked.agent,
        "status": status,
        "direction": "outbound",
        "callee_phone": call.asked.callee,
        "caller_phone": call.asked.caller,
        "duration_seconds": seconds,
        "cost": if over { json!(cost) } else { Value::Null },
        "started_at": call.rings_at.to_string(),
        "ended_at": over.then(|| call.ends_at.to_string()),
    })
}
