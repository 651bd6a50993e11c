//! The vendor's bodies, in every form that its pages show.

use bytes::Bytes;
use http::Response;
use ringfence_domain::{CallDetails, Moment};
use serde_json::Value;

use crate::answer::{self, CallId};
use crate::money::parse_charge;

/// Returns a refusal in words: the vendor's code and message, and its words on single fields.
pub(super) fn refusal(answer: &Response<Bytes>) -> String {
    let Some(body) = answer::json(answer) else { return answer::words(answer, &[]) };
    let code = answer::text(&body, &["/error/code", "/code"]);
    let message = answer::text(&body, &["/error/message", "/message", "/error"]);
    let fields = body.get("validationErrors").and_then(Value::as_object).map(|fields| {
        fields.iter().map(|(name, errors)| format!("{name}: {}", words(errors))).collect::<Vec<_>>().join("; ")
    });
    answer::words(answer, &[code, message, fields.as_deref()])
}

fn words(errors: &Value) -> String {
    match errors {
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the call of a detail answer: under `call`, or under `data.call`.
pub(super) fn call_of(body: &Value) -> Option<&Value> {
    ["/call", "/data/call", "/data"].iter().find_map(|path| body.pointer(path)).filter(|call| call.is_object())
}

/// Returns a member of the call, or its sibling: one page shows `output_parameters`, `recording`
/// and `transcript` inside `call`, another beside it.
pub(super) fn member<'v>(body: &'v Value, name: &str) -> Option<&'v Value> {
    call_of(body)
        .and_then(|call| call.get(name))
        .or_else(|| body.get(name))
        .or_else(|| body.get("data")?.get(name))
        .filter(|value| !value.is_null())
}

/// Reads the details of a call.
pub(super) fn details(body: &Value) -> CallDetails {
    let link = |name: &str| {
        let value = member(body, name)?;
        let url = answer::address(value.as_str().or_else(|| value.get("url")?.as_str())?)?;
        let expires = value.get("expires_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
        Some((url, expires))
    };
    let outputs = member(body, "output_parameters").and_then(Value::as_object).map(answer::outputs).unwrap_or_default();
    let cost = member(body, "cost").and_then(|cost| match cost {
        Value::String(text) => parse_charge(text, "INR"),
        number => parse_charge(&number.to_string(), "INR"),
    });
    CallDetails {
        vendor_status: member(body, "status").and_then(answer::word),
        talk_seconds: member(body, "duration_seconds").and_then(answer::seconds),
        cost,
        outputs,
        recording: link("recording").or_else(|| link("recording_url")),
        transcript: link("transcript").or_else(|| link("transcript_url")),
    }
}

/// One call of the list.
#[derive(Debug)]
pub(super) struct LoggedCall {
    pub(super) call_id: String,
    pub(super) status: String,
    pub(super) agent: Option<String>,
    pub(super) callee: String,
    pub(super) caller: Option<String>,
    pub(super) started_at: Option<Moment>,
}

/// A list answer.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    pub(super) calls: Vec<LoggedCall>,
    /// Rows that name no call or no callee: the number called as far as it can be read, and what is
    /// wrong.
    pub(super) unread: Vec<(Option<String>, String)>,
}

/// Reads the calls of a list answer, row by row; none when it is not one.
pub(super) fn logged(body: &Value) -> Option<CallLog> {
    let rows = ["/calls", "/data/calls", "/data"].iter().find_map(|path| body.pointer(path)?.as_array())?;
    let mut log = CallLog::default();
    for (place, row) in rows.iter().enumerate() {
        let text = |name: &str| row.get(name).and_then(answer::word);
        match (CallId::of(row.get("call_id").unwrap_or(&Value::Null)), text("callee_phone")) {
            (CallId::Readable(call_id), Some(callee)) => log.calls.push(LoggedCall {
                call_id,
                status: text("status").unwrap_or_default(),
                agent: text("agent_id").or_else(|| text("assistant_id")),
                callee,
                caller: text("caller_phone"),
                started_at: text("started_at").and_then(|at| at.parse().ok()),
            }),
            (CallId::Readable(_), None) => log.unread.push((None, format!("row {}: no callee_phone", place + 1))),
            (_, callee) => log.unread.push((callee, format!("row {}: no call_id", place + 1))),
        }
    }
    Some(log)
}
