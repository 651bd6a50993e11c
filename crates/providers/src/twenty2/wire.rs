//! The vendor's bodies, in every form that its pages show.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::DateTime;
use http::Response;
use ringfence_domain::phone::mask_numbers;
use ringfence_domain::{CallDetails, Moment, Outcome, Span};
use serde_json::Value;

use crate::money::parse_charge;

/// The body as JSON, if it is.
pub(super) fn json(answer: &Response<Bytes>) -> Option<Value> {
    serde_json::from_slice(answer.body()).ok().map(storable)
}

/// Texts of a vendor go into databases: no zero bytes, which Postgres refuses, and no novels.
fn storable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.chars().filter(|c| *c != '\0').take(MAX_TEXT).collect()),
        Value::Array(list) => Value::Array(list.into_iter().map(storable).collect()),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| (name.replace('\0', ""), storable(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}

/// Characters kept of one text.
const MAX_TEXT: usize = 4_000;

/// A text at one of these paths, first found.
pub(super) fn text<'v>(body: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| body.pointer(path)?.as_str()).filter(|text| !text.trim().is_empty())
}

/// A refusal in words: the vendor's code and message, and what it says of single fields.
pub(super) fn refusal(answer: &Response<Bytes>) -> String {
    let status = answer.status().as_u16();
    let Some(body) = json(answer) else { return format!("HTTP {status}") };
    let code = text(&body, &["/error/code", "/code"]);
    let message = text(&body, &["/error/message", "/message", "/error"]);
    let fields = body.get("validationErrors").and_then(Value::as_object).map(|fields| {
        fields.iter().map(|(name, errors)| format!("{name}: {}", words(errors))).collect::<Vec<_>>().join("; ")
    });
    let parts: Vec<String> =
        [code.map(str::to_owned), message.map(str::to_owned), fields].into_iter().flatten().collect();
    if parts.is_empty() {
        return format!("HTTP {status}");
    }
    mask_numbers(&format!("HTTP {status}: {}", parts.join(": ")))
}

fn words(errors: &Value) -> String {
    match errors {
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `Retry-After` in either form; a date is read against the answer's own `Date`.
pub(super) fn retry_after(answer: &Response<Bytes>) -> Option<Span> {
    let header = |name| answer.headers().get(name)?.to_str().ok();
    let text = header(http::header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Span::from_secs(i64::from(seconds)));
    }
    let at = |text: &str| DateTime::parse_from_rfc2822(text).ok().map(|at| Moment::from_secs(at.timestamp()));
    Some(at(text)?.since(at(header(http::header::DATE)?)?))
}

/// A status word without case, spaces, dashes and underscores.
pub(super) fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How a call stands by the vendor's status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Pending,
    Over(Outcome),
    /// A word that no page shows.
    Strange,
}

/// The operator's own map first, then the words that the pages and the field use.
pub(super) fn standing(word: &str, map: &BTreeMap<String, Outcome>) -> Standing {
    let word = bare(word);
    if let Some(outcome) = map.get(&word) {
        return Standing::Over(*outcome);
    }
    match word.as_str() {
        "initiated" | "queued" | "scheduled" | "pending" | "processing" | "dialing" | "dialling" | "ringing"
        | "inprogress" | "ongoing" | "active" | "started" | "connected" => Standing::Pending,
        "completed" | "ended" | "answered" | "success" => Standing::Over(Outcome::Answered),
        "voicemail" | "machine" | "answeringmachine" => Standing::Over(Outcome::Voicemail),
        "busy" => Standing::Over(Outcome::Busy),
        "noanswer" | "notanswered" | "unanswered" | "missed" => Standing::Over(Outcome::NoAnswer),
        "rejected" | "declined" => Standing::Over(Outcome::Rejected),
        "unreachable" | "notreachable" | "notconnected" | "switchedoff" => Standing::Over(Outcome::Unreachable),
        "invalidnumber" => Standing::Over(Outcome::InvalidNumber),
        "failed" | "error" => Standing::Over(Outcome::Failed),
        "cancelled" | "canceled" | "expired" => Standing::Over(Outcome::NotDialled),
        _ => Standing::Strange,
    }
}

/// The call of a detail answer: under `call`, or under `data.call`.
pub(super) fn call_of(body: &Value) -> Option<&Value> {
    ["/call", "/data/call", "/data"].iter().find_map(|path| body.pointer(path)).filter(|call| call.is_object())
}

/// A member of the call, or its sibling: one page shows `output_parameters`, `recording` and `transcript` inside
/// `call`, another beside it.
pub(super) fn member<'v>(body: &'v Value, name: &str) -> Option<&'v Value> {
    call_of(body)
        .and_then(|call| call.get(name))
        .or_else(|| body.get(name))
        .or_else(|| body.get("data")?.get(name))
        .filter(|value| !value.is_null())
}

/// What a detail answer tells of a call.
pub(super) fn details(body: &Value) -> CallDetails {
    let link = |name: &str| {
        let value = member(body, name)?;
        let url = value.as_str().or_else(|| value.get("url")?.as_str())?;
        let expires = value.get("expires_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
        Some((url.to_owned(), expires))
    };
    let outputs = member(body, "output_parameters")
        .and_then(Value::as_object)
        .map(|outputs| outputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        .unwrap_or_default();
    let cost = member(body, "cost").and_then(|cost| match cost {
        Value::String(text) => parse_charge(text, "INR"),
        number => parse_charge(&number.to_string(), "INR"),
    });
    CallDetails {
        vendor_status: member(body, "status").and_then(Value::as_str).map(str::to_owned),
        talk_seconds: member(body, "duration_seconds").and_then(Value::as_f64).map(|seconds| seconds.round() as u32),
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

/// The calls of a list answer; none when it is not one.
pub(super) fn logged(body: &Value) -> Option<Vec<LoggedCall>> {
    let calls = ["/calls", "/data/calls", "/data"].iter().find_map(|path| body.pointer(path)?.as_array())?;
    let call = |row: &Value| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(LoggedCall {
            call_id: text("call_id")?,
            status: text("status").unwrap_or_default(),
            agent: text("agent_id").or_else(|| text("assistant_id")),
            callee: text("callee_phone").unwrap_or_default(),
            caller: text("caller_phone"),
            started_at: text("started_at").and_then(|at| at.parse().ok()),
        })
    };
    Some(calls.iter().filter_map(call).collect())
}
