//! The request that places a call, and what its answer means.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::{Twenty2, wire};
use crate::answer;
use crate::call::{CallRequest, Placing};
use crate::fault::{Cause, Fault, fault};

impl Twenty2 {
    /// The body of `POST /agent/trigger-outbound-call`.
    pub(super) fn call_body(&self, call: &CallRequest) -> Result<Value, Placing> {
        let mut inputs: serde_json::Map<String, Value> =
            call.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if let Some(name) = call.vendor.get("reference") {
            inputs.insert(name.clone(), json!(call.reference));
        }
        let mut body = serde_json::Map::new();
        body.insert(self.agent_field.clone(), json!(call.agent));
        let callee = self.as_dialled(&call.to).map_err(|cause| Placing::NumberFault { cause })?;
        body.insert("callee_phone".to_owned(), json!(callee));
        if let Some(from) = &call.from {
            // Stored rules may be of a time when this was not checked.
            let caller = self.as_caller(from);
            let caller =
                caller.map_err(|cause| Placing::CampaignFault { cause: format!("caller_ids: `{from}`: {cause}") })?;
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
    fault("UNAUTHORIZED", Cause::Lane),
    fault("FORBIDDEN", Cause::Lane),
    fault("INSUFFICIENT_BALANCE", Cause::Lane),
    fault("INVALID_AGENT", Cause::Campaign),
    fault("INVALID_ASSISTANT", Cause::Campaign),
    fault("INVALID_NUMBER", Cause::Contact),
    fault("RATE_LIMIT_EXCEEDED", Cause::Pace),
    fault("INTERNAL_ERROR", Cause::Unknown),
];

/// What an answer to that request means.
pub(super) fn classify(answer: &Response<Bytes>, agent_field: &str) -> Placing {
    let body = answer::json(answer);
    let documented = body.as_ref().and_then(|body| {
        if is_refusal(body) {
            Some(refused(body, answer, agent_field))
        } else {
            answer::text(body, &["/call_id", "/data/call_id"])
                .filter(|_| answer.status().is_success())
                .map(answer::accepted)
        }
    });
    answer::judge(answer, wire::refusal(answer), documented)
}

/// Either documented error shape: `success: false` with an `error` or with `message` and a status.
fn is_refusal(body: &Value) -> bool {
    body.get("success") == Some(&Value::Bool(false))
        && (body.get("error").is_some() || body.get("message").is_some() || body.get("validationErrors").is_some())
}

fn refused(body: &Value, answer: &Response<Bytes>, agent_field: &str) -> Placing {
    let words = wire::refusal(answer);
    let code = answer::text(body, &["/error/code", "/code"]).unwrap_or_default();
    if let Some(known) = FAULTS.iter().find(|fault| fault.says == code) {
        return known.cause.placing(words);
    }
    let inner = ["/error/status", "/statusCode"].iter().find_map(|path| body.pointer(path)?.as_u64());
    match inner {
        Some(429) => return Cause::Pace.placing(words),
        Some(500..) => return Cause::Unknown.placing(words),
        _ => {}
    }
    let fields: Vec<&str> = body
        .get("validationErrors")
        .and_then(Value::as_object)
        .map(|fields| fields.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let other = if agent_field == "agent_id" { "assistant_id" } else { "agent_id" };
    if fields.contains(&other) {
        let words = format!("{words}; set agent_field = \"{other}\" in the lane's section");
        return Cause::Lane.placing(words);
    }
    // The pages document these errors field by field: the number called, or something of the campaign.
    match fields.as_slice() {
        [] => Cause::Lane,
        fields if fields.iter().all(|name| *name == "callee_phone") => Cause::Contact,
        // Inputs may fit for one contact and not for another.
        fields if fields.contains(&"input_parameters") => Cause::Request,
        _ => Cause::Campaign,
    }
    .placing(words)
}
