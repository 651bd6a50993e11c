//! Iqra AI's wire format, in front of a simulated business.
//!
//! Both dialects of placing a call: the form fields of the vendor's page, and the `config` that
//! its source reads. Refusals are HTTP 200, as in the source. Of the queue, which only the source
//! has, every other row is in words and the others in the source's numbers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ringfence_domain::{Moment, Outcome};
use serde_json::{Map, Value, json};

use crate::behaviour::{Fault, IqraDialect};
use crate::broken::{broken, throttled};
use crate::simulator::{Asked, PlacedCall, Simulator};

/// Returns the routes of one business.
pub(crate) fn router(simulator: Arc<Simulator>) -> Router {
    let routes = Router::new()
        .route("/business/{business}/call/initiate", post(place))
        .route("/business/{business}/queues/outbound", post(list))
        .route("/business/{business}/queues/outbound/{queue}", post(one))
        .with_state(simulator);
    Router::new().nest("/api/v1", routes)
}

/// As the page shows it.
fn refusal(code: &str, message: &str) -> Response {
    axum::Json(json!({ "Success": false, "Code": code, "Message": message, "Data": null })).into_response()
}

fn unauthorized(headers: &HeaderMap) -> Option<Response> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    (!token.is_some_and(|value| value.starts_with("Token ") && value.len() > 6)).then(|| {
        let code = "InitiateCall:ValidateUserAPIAndBusinessWithPermissions:ValidateUserAPIWithPermissions:VALIDATE_API_KEY:KEY_NOT_FOUND";
        refusal(code, "Api key not found")
    })
}

async fn place(
    State(simulator): State<Arc<Simulator>>,
    Path(_): Path<String>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let Some(fields) = fields(form).await else { return StatusCode::BAD_REQUEST.into_response() };
    let understood = simulator.behaviour().iqra;
    let config = fields.get("config").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let asked = match (config, understood) {
        (Some(config), IqraDialect::Both | IqraDialect::Config) => from_config(&config),
        (_, IqraDialect::Config) => Err((
            "InitiateCall:QueueCallInitiationRequestAsync:FORM_DATA_CONFIG_NOT_FOUND",
            "Config not found in form data.",
        )),
        (_, IqraDialect::Both | IqraDialect::Docs) => from_fields(&fields),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err((code, message)) => return refusal(code, message),
    };
    let verdict = simulator.place(asked);
    match (verdict.fault, verdict.call) {
        (Some(fault), _) => answer_fault(fault).await,
        (None, Some(call)) if call.number.is_multiple_of(2) => {
            axum::Json(json!({ "Success": true, "Data": [call.call_id] })).into_response()
        }
        (None, Some(call)) => {
            let body = json!({ "success": true, "code": "", "message": "", "data": [call.call_id] });
            axum::Json(body).into_response()
        }
        (None, None) => refusal("InitiateCall:INVALID_NUMBER", "Invalid recipient phone number format"),
    }
}

async fn fields(mut form: Multipart) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        fields.insert(name, Value::String(field.text().await.ok()?));
    }
    Some(fields)
}

type Rejection = (&'static str, &'static str);

fn from_fields(fields: &Map<String, Value>) -> Result<Asked, Rejection> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let callee = text("RecipientNumber").filter(|number| number.starts_with('+'));
    let callee = callee.ok_or(("InitiateCall:INVALID_NUMBER", "Invalid recipient phone number format"))?;
    let caller =
        text("NumberId").ok_or(("InitiateCall:INVALID_NUMBER_ID", "Calling number ID not found or not configured"))?;
    let agent = text("AgentId").ok_or(("InitiateCall:INVALID_AGENT", "Agent ID not found or disabled"))?;
    let all = |map: &str| {
        let inner = |name: &str| Some(name.strip_prefix(map)?.strip_prefix('[')?.strip_suffix(']')?.to_owned());
        fields.iter().filter_map(|(name, value)| Some((inner(name)?, value.clone()))).collect()
    };
    Ok(Asked {
        vendor: "iqra",
        callee: callee.to_owned(),
        caller: caller.to_owned(),
        agent: agent.to_owned(),
        inputs: all("DynamicVariables"),
        metadata: all("Metadata"),
        ..Asked::default()
    })
}

fn from_config(config: &Value) -> Result<Asked, Rejection> {
    let campaign = config["campaignId"].as_str().filter(|id| !id.is_empty());
    let campaign = campaign.ok_or((
        "InitiateCall:QueueCallInitiationRequestAsync:CONFIG_CAMPAIGN_ID_NOT_FOUND",
        "Campaign id not found.",
    ))?;
    let callee = config["number"]["toNumber"].as_str().filter(|number| number.starts_with('+'));
    let callee = callee.ok_or((
        "InitiateCall:QueueCallInitiationRequestAsync:CONFIG_NUMBER_TO_NUMBER_INVALID",
        "To number is invalid.",
    ))?;
    let schedule = &config["schedule"];
    let at = |name: &str| schedule[name].as_str().and_then(|at| at.parse::<Moment>().ok());
    let (Some(_), Some(until)) = (at("dateTimeUTC"), at("maxDateTimeUTC")) else {
        return Err((
            "InitiateCall:QueueCallInitiationRequestAsync:CONFIG_SCHEDULE_NOT_FOUND",
            "Schedule not found in config data.",
        ));
    };
    let map = |name: &str| config[name].as_object().cloned().unwrap_or_default();
    Ok(Asked {
        vendor: "iqra",
        callee: callee.to_owned(),
        agent: campaign.to_owned(),
        inputs: map("dynamicVariables"),
        metadata: map("metadata"),
        ring_by: Some(until),
        ..Asked::default()
    })
}

async fn answer_fault(fault: Fault) -> Response {
    match fault {
        Fault::ErrorAfter | Fault::ErrorBefore => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::NoId => axum::Json(json!({ "Success": true, "Data": [null] })).into_response(),
        Fault::Throttled => throttled(StatusCode::TOO_MANY_REQUESTS.into_response()),
        Fault::Unauthorized => {
            let body = json!({ "detail": "Invalid token." });
            (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
        }
        Fault::UnknownAgent => refusal("InitiateCall:INVALID_AGENT", "Agent ID not found or disabled"),
        Fault::NoBalance => {
            refusal("InitiateCall:INSUFFICIENT_BALANCE", "Not enough credits or minutes to make the call")
        }
        Fault::InvalidNumber => refusal("InitiateCall:INVALID_NUMBER", "Invalid recipient phone number format"),
        other => broken(other).await,
    }
}

async fn one(
    State(simulator): State<Arc<Simulator>>,
    Path((_, queue)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    match simulator.call(&queue).filter(|(call, _)| call.asked.vendor == "iqra") {
        Some((call, over)) => answer(&row(&call, over, simulator.now())),
        None => refusal("GetOutboundCallQueue:NOT_FOUND", "Queue not found"),
    }
}

fn answer(data: &Value) -> Response {
    axum::Json(json!({ "success": true, "code": "", "message": "", "data": data })).into_response()
}

async fn list(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, body: String) -> Response {
    tokio::time::sleep(simulator.latency().duration()).await;
    if let Some(refused) = unauthorized(&headers) {
        return refused;
    }
    let order: Value = serde_json::from_str(&body).unwrap_or_default();
    let limit = order["limit"].as_u64().unwrap_or(20).clamp(1, 100) as usize;
    let skip = order["nextCursor"].as_str().and_then(|cursor| cursor.parse::<usize>().ok()).unwrap_or(0);
    let filter = &order["filter"];
    let since = filter["startCreatedDate"].as_str().and_then(|at| at.parse::<Moment>().ok());
    let numbers = filter["recipientNumbers"].as_array();
    let wanted = |call: &PlacedCall| {
        since.is_none_or(|since| call.placed_at >= since)
            && numbers.is_none_or(|numbers| numbers.iter().any(|number| *number == json!(call.asked.callee)))
    };
    let now = simulator.now();
    let all: Vec<(PlacedCall, bool)> = simulator.newest("iqra").into_iter().filter(|(call, _)| wanted(call)).collect();
    let items: Vec<Value> = all.iter().skip(skip).take(limit).map(|(call, over)| row(call, *over, now)).collect();
    let more = skip + items.len() < all.len();
    answer(&json!({
        "items": items,
        "nextCursor": more.then(|| (skip + limit).to_string()),
        "previousCursor": null,
        "hasNextPage": more,
        "hasPreviousPage": skip > 0,
        "pageSize": limit,
        "totalCount": all.len(),
    }))
}

fn row(call: &PlacedCall, over: bool, now: Moment) -> Value {
    let words = call.number.is_multiple_of(2);
    let reached = over && call.outcome != Outcome::NotDialled && call.outcome != Outcome::Failed;
    let status = match (over, call.outcome) {
        (false, _) if now < call.rings_at => ("Queued", 0),
        (false, _) => ("Processing", 3),
        (true, Outcome::Failed) => ("Failed", 5),
        (true, Outcome::NotDialled) => ("Expired", 7),
        (true, _) => ("Completed", 4),
    };
    let end = match call.outcome {
        _ if !reached => None,
        Outcome::Answered => Some(("UserEndedCall", 5)),
        Outcome::Voicemail => Some(("VoicemailDetected", 10)),
        Outcome::Busy | Outcome::Rejected => Some(("UserDeclinedOrBusy", 3)),
        _ => Some(("UserNoAnswer", 4)),
    };
    let shown = |(word, number): (&str, i64)| if words { json!(word) } else { json!(number) };
    json!({
        "queueId": call.call_id,
        "status": shown(status),
        "enqueuedAt": call.placed_at.to_string(),
        "processingStartedAt": (now >= call.rings_at).then(|| call.rings_at.to_string()),
        "completedAt": over.then(|| call.ends_at.to_string()),
        "dynamicVariables": call.asked.inputs,
        "metadata": call.asked.metadata,
        "campaignId": call.asked.agent,
        "numberId": call.asked.caller,
        "recipientNumber": call.asked.callee,
        "sessionId": reached.then(|| format!("session_{}", call.number)),
        "sessionStatus": Value::Null,
        "sessionEndType": end.map(shown),
    })
}
