//! The request that places a call, and what its answer means.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::{Twenty2, wire};
use crate::call::{CallRequest, Placing};

impl Twenty2 {
    /// The body of `POST /agent/trigger-outbound-call`.
    pub(super) fn call_body(&self, call: &CallRequest) -> Result<Value, String> {
        let mut inputs: serde_json::Map<String, Value> =
            call.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if let Some(name) = call.vendor.get("reference") {
            inputs.insert(name.clone(), json!(call.reference));
        }
        let mut body = serde_json::Map::new();
        body.insert(self.agent_field.clone(), json!(call.agent));
        body.insert("callee_phone".to_owned(), json!(self.as_dialled(&call.to)?));
        if let Some(from) = &call.from {
            body.insert("caller_phone".to_owned(), json!(from));
        }
        if !inputs.is_empty() {
            body.insert("input_parameters".to_owned(), Value::Object(inputs));
        }
        Ok(Value::Object(body))
    }
}

/// A call id that no index could hold is none. In bytes.
const MAX_CALL_ID: usize = 200;

/// What an answer to that request means. Only a refusal that the pages document, or that HTTP itself defines, counts
/// as one; anything else may have been placed.
pub(super) fn classify(answer: &Response<Bytes>, agent_field: &str) -> Placing {
    let status = answer.status().as_u16();
    let body = wire::json(answer);
    let documented = body.as_ref().is_some_and(is_refusal);
    match status {
        200..=299 => match body {
            Some(body) if documented => refused(&body, answer, agent_field),
            Some(body) => match wire::text(&body, &["/call_id", "/data/call_id"]) {
                Some(call_id) if call_id.len() > MAX_CALL_ID => {
                    Placing::Unknown { cause: format!("HTTP {status} with a call id of {} bytes", call_id.len()) }
                }
                Some(call_id) => Placing::Accepted { call_id: call_id.to_owned() },
                None => Placing::Unknown { cause: format!("HTTP {status} without a call id") },
            },
            None => Placing::Unknown { cause: format!("HTTP {status} that is not JSON") },
        },
        429 => Placing::Throttled { cause: wire::refusal(answer), retry_after: wire::retry_after(answer) },
        401..=403 => Placing::LaneFault { cause: wire::refusal(answer) },
        300..=399 | 404 | 405 if !documented => {
            Placing::LaneFault { cause: format!("HTTP {status}: base_url does not lead to the vendor's API") }
        }
        408 | 409 | 425 | 499 => Placing::Unknown { cause: wire::refusal(answer) },
        400..=498 => match body {
            Some(body) if documented => refused(&body, answer, agent_field),
            _ => Placing::Unknown { cause: format!("HTTP {status} with a body that no page documents") },
        },
        _ => Placing::Unknown { cause: wire::refusal(answer) },
    }
}

/// Either documented error shape: `success: false` with an `error` or with `message` and a status.
fn is_refusal(body: &Value) -> bool {
    body.get("success") == Some(&Value::Bool(false))
        && (body.get("error").is_some() || body.get("message").is_some() || body.get("validationErrors").is_some())
}

fn refused(body: &Value, answer: &Response<Bytes>, agent_field: &str) -> Placing {
    let cause = wire::refusal(answer);
    let code = wire::text(body, &["/error/code", "/code"]).unwrap_or_default();
    let inner = ["/error/status", "/statusCode"].iter().find_map(|path| body.pointer(path)?.as_u64());
    let fields: Vec<&str> = body
        .get("validationErrors")
        .and_then(Value::as_object)
        .map(|fields| fields.keys().map(String::as_str).collect())
        .unwrap_or_default();
    if code == "RATE_LIMIT_EXCEEDED" || inner == Some(429) {
        return Placing::Throttled { cause, retry_after: wire::retry_after(answer) };
    }
    if code == "INTERNAL_ERROR" || inner.is_some_and(|status| status >= 500) {
        return Placing::Unknown { cause };
    }
    if code == "INVALID_NUMBER" || (!fields.is_empty() && fields.iter().all(|name| *name == "callee_phone")) {
        return Placing::NumberFault { cause };
    }
    let other = if agent_field == "agent_id" { "assistant_id" } else { "agent_id" };
    if fields.contains(&other) {
        return Placing::LaneFault { cause: format!("{cause}; set agent_field = \"{other}\" in the lane's section") };
    }
    Placing::LaneFault { cause }
}
