//! The request that places a call, and what its answer means.

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

use crate::answer;
use crate::call::{CallRequest, Placing};
use crate::fault::{Cause, Fault, fault};

/// The name that our reference has in `metadata`.
pub(super) const REFERENCE: &str = "ringfence_attempt";

/// The body of `POST /agents/call`. The agent has no other place for what it gets to know than `metadata`.
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

/// The messages of the page, and what validation errors speak of. The first that occurs decides.
pub(super) const FAULTS: &[Fault] = &[
    fault("Invalid Auth Key", Cause::Lane),
    fault("Session Expired", Cause::Lane),
    fault("balance", Cause::Lane),
    fault("credit", Cause::Lane),
    // Every request of ours has a number: something between us and the vendor loses bodies.
    fault("Phone Number is required", Cause::Lane),
    fault("Agent ID is required", Cause::Campaign),
    fault("Agent not found", Cause::Campaign),
    fault("not active", Cause::Campaign),
    // Before the phone: the number to call from is the agent's.
    fault("agent", Cause::Campaign),
    fault("phone", Cause::Contact),
    fault("Validation error", Cause::Request),
    fault("metadata", Cause::Request),
];

/// What an answer to that request means.
pub(super) fn classify(reply: &Response<Bytes>) -> Placing {
    let documented = answer::json(reply).and_then(|body| {
        let refused = answer::member(&body, "error") == Some(&Value::Bool(true))
            || answer::member(&body, "success") == Some(&Value::Bool(false));
        if !refused {
            let execution = answer::text(&body, &["/data/execution_id"]).filter(|_| reply.status().is_success());
            return execution.map(answer::accepted);
        }
        let message = answer::text(&body, &["/message"])?;
        let known = FAULTS.iter().find(|fault| message.to_lowercase().contains(&fault.says.to_lowercase()));
        let cause = match (known, reply.status().as_u16()) {
            (_, 401 | 403) => Cause::Lane,
            (Some(fault), _) => fault.cause,
            (None, 404) => Cause::Campaign,
            // What went wrong under 200 may have gone wrong after the call was placed.
            (None, 200..=299) => Cause::Unknown,
            (None, _) => Cause::Request,
        };
        Some(cause.placing(refusal(reply)))
    });
    answer::judge(reply, refusal(reply), documented)
}

/// What an answer says, for a person.
pub(super) fn refusal(reply: &Response<Bytes>) -> String {
    let body = answer::json(reply);
    answer::words(reply, &[body.as_ref().and_then(|body| answer::text(body, &["/message", "/error"]))])
}
