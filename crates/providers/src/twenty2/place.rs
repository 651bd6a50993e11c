//! The request that places a call, and what its answer means.

use bytes::Bytes;
use http::Response;
use ringfence_domain::Placement;
use serde_json::{Map, Value, json};

use super::{Twenty2, wire};
use crate::answer::{self, CallId, Rejection};
use crate::call::CallRequest;
use crate::fault::{Cause, Fault, fault};

impl Twenty2 {
    /// Makes the body of `POST /agent/trigger-outbound-call`.
    pub(super) fn call_body(&self, call: &CallRequest) -> Result<Value, Placement> {
        let mut inputs: serde_json::Map<String, Value> =
            call.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if let Some(name) = call.vendor.get("reference") {
            inputs.insert(name.clone(), json!(call.reference));
        }
        let mut body = serde_json::Map::new();
        body.insert(self.agent_field.clone(), json!(call.agent));
        let callee = self.as_dialled(&call.to).map_err(|cause| Placement::NumberFault { cause })?;
        body.insert("callee_phone".to_owned(), json!(callee));
        if let Some(from) = &call.from {
            // Stored rules may be of a time when this was not checked.
            let caller = self.as_caller(from);
            let caller =
                caller.map_err(|cause| Placement::CampaignFault { cause: format!("caller_ids: `{from}`: {cause}") })?;
            body.insert("caller_phone".to_owned(), json!(caller));
        }
        if !inputs.is_empty() {
            body.insert("input_parameters".to_owned(), Value::Object(inputs));
        }
        Ok(Value::Object(body))
    }
}

/// The codes of both error pages, and one that accounts without money are known to give.
pub(super) const FAULTS: &[Fault] = &[
    fault("UNAUTHORIZED", &[401], Cause::Lane),
    fault("FORBIDDEN", &[403], Cause::Lane),
    fault("INSUFFICIENT_BALANCE", &[402, 400], Cause::Lane),
    fault("INVALID_AGENT", &[400], Cause::Campaign),
    fault("INVALID_ASSISTANT", &[400], Cause::Campaign),
    fault("INVALID_NUMBER", &[400], Cause::Contact),
    fault("RATE_LIMIT_EXCEEDED", &[429], Cause::Pace),
    fault("INTERNAL_ERROR", &[500], Cause::Unknown),
];

/// Reads the answer to the request that places a call.
pub(super) fn classify(answer: &Response<Bytes>, agent_field: &str) -> Placement {
    let body = answer::json(answer).unwrap_or_default();
    let call_id = CallId::at(&body, &["/call_id", "/data/call_id"]);
    answer::judge(answer, wire::refusal(answer), call_id, refused(&body, answer, agent_field))
}

/// Returns the refusal of an answer in either documented shape: `success: false` with an `error`
/// of code and status, or with `statusCode` and `message`.
fn refused(body: &Value, answer: &Response<Bytes>, agent_field: &str) -> Option<Rejection> {
    if body.get("success") != Some(&Value::Bool(false)) {
        return None;
    }
    let words = wire::refusal(answer);
    let status = answer.status().as_u16();
    let inner = ["/error/status", "/statusCode"].iter().find_map(|path| body.pointer(path)?.as_u64());
    // The pages show the status in the body; with HTTP's own it must agree, unless that is 2xx for
    // everything.
    let under = |documented: &[u16]| {
        let says = |status: u64| documented.iter().any(|one| u64::from(*one) == status);
        says(inner.unwrap_or(status.into())) && (answer.status().is_success() || says(status.into()))
    };
    if let Some(code) = answer::text(body, &["/error/code", "/code"]) {
        let known = FAULTS.iter().find(|fault| fault.says == code && under(fault.statuses))?;
        return Some((known.cause, words));
    }
    let message = body.get("message").is_some_and(Value::is_string);
    let fields = body.get("validationErrors").and_then(Value::as_object).filter(|fields| !fields.is_empty());
    match fields {
        Some(fields) if under(&[422]) => Some(invalid(fields, words, agent_field)),
        None if message && under(&[401, 403]) => Some((Cause::Lane, words)),
        None if message && under(&[429]) => Some((Cause::Pace, words)),
        _ => None,
    }
}

/// Returns the refusal that a validation error is. The pages document it field by field: the
/// number called, or something of the campaign.
fn invalid(fields: &Map<String, Value>, words: String, agent_field: &str) -> Rejection {
    let other = if agent_field == "agent_id" { "assistant_id" } else { "agent_id" };
    if fields.contains_key(other) {
        return (Cause::Lane, format!("{words}; set agent_field = \"{other}\" in the lane's section"));
    }
    let cause = if fields.keys().all(|name| name == "callee_phone") {
        Cause::Contact
    } else if fields.contains_key("input_parameters") {
        // Inputs may fit for one contact and not for another.
        Cause::Request
    } else {
        Cause::Campaign
    };
    (cause, words)
}
