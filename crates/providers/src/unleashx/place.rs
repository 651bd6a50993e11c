//! The request that places a call, and what its answer means.

use bytes::Bytes;
use http::Response;
use ringfence_domain::Placement;
use serde_json::{Map, Value, json};

use crate::answer::{self, CallId, Rejection};
use crate::call::CallRequest;
use crate::fault::{Cause, Fault, fault};

/// The name that our reference has in `metadata`.
pub(super) const REFERENCE: &str = "ringfence_attempt";

/// Makes the body of `POST /agents/call`. `metadata` is the only place for values for the agent.
pub(super) fn body(call: &CallRequest) -> Result<Value, String> {
    let agent: i64 = call.agent.parse().map_err(|_| {
        format!(
            "`{}` is not an UnleashX agent: agents are whole numbers there; mend `agent` in the campaign",
            call.agent
        )
    })?;
    let mut metadata: Map<String, Value> =
        call.variables.iter().chain(&call.metadata).map(|(name, value)| (name.clone(), json!(value))).collect();
    metadata.insert(REFERENCE.to_owned(), json!(call.reference));
    Ok(json!({ "agent_id": agent, "phone_number": call.to.e164(), "metadata": metadata }))
}

/// The messages of the page with their statuses, each as a whole.
pub(super) const FAULTS: &[Fault] = &[
    fault("Invalid Auth Key or Session Expired", &[401], Cause::Lane),
    // Every request of ours has a number: something between us and the vendor loses bodies.
    fault("Phone Number is required", &[400], Cause::Lane),
    fault("Agent ID is required", &[400], Cause::Campaign),
    fault("Agent not found or not active", &[404], Cause::Campaign),
];

/// Reads the answer to the request that places a call.
pub(super) fn classify(reply: &Response<Bytes>) -> Placement {
    let body = answer::json(reply).unwrap_or_default();
    let call_id = CallId::at(&body, &["/data/execution_id", "/execution_id"]);
    answer::judge(reply, refusal(reply), call_id, refused(&body, reply))
}

/// Returns the refusal of an answer in the documented shape, `error: true` with a `message`. The
/// page does not say that errors have another status than 200.
fn refused(body: &Value, reply: &Response<Bytes>) -> Option<Rejection> {
    let is = |name: &str, flag: bool| answer::member(body, name) == Some(&Value::Bool(flag));
    if !is("error", true) && !is("success", false) {
        return None;
    }
    let message = answer::text(body, &["/message"])?.trim().trim_end_matches('.').to_lowercase();
    let status = reply.status().as_u16();
    let known = FAULTS.iter().find(|fault| fault.says.to_lowercase() == message);
    let cause = match known {
        Some(fault) if status == 200 || fault.statuses.contains(&status) => fault.cause,
        // The page writes "Validation error message" for everything that is not valid.
        None if status == 422 => of_validation(&message)?,
        _ => return None,
    };
    Some((cause, refusal(reply)))
}

/// Returns whose fault it is when a message speaks of something that is not valid.
fn of_validation(message: &str) -> Option<Cause> {
    const INVALID: [&str; 7] = ["valid", "required", "must", "missing", "format", "assigned", "not active"];
    let says = |word: &str| message.contains(word);
    if !INVALID.iter().any(|word| says(word)) {
        return None;
    }
    // Before the phone: the number to call from is the agent's.
    Some(if says("agent") {
        Cause::Campaign
    } else if says("phone") {
        Cause::Contact
    } else {
        Cause::Request
    })
}

/// Returns the words of an answer for a person.
pub(super) fn refusal(reply: &Response<Bytes>) -> String {
    let body = answer::json(reply);
    answer::words(reply, &[body.as_ref().and_then(|body| answer::text(body, &["/message", "/error"]))])
}
