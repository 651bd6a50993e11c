//! Vendors' answers, read the same careful way whoever they are from.

use bytes::Bytes;
use chrono::DateTime;
use http::Response;
use ringfence_domain::phone::mask_numbers;
use ringfence_domain::{Moment, Span};
use serde_json::Value;

use crate::call::{AskError, Placing};

/// Characters kept of one text.
const MAX_TEXT: usize = 4_000;
/// A call id that no index could hold is none. In bytes.
const MAX_CALL_ID: usize = 200;

/// The body as JSON, if it is.
pub(crate) fn json(answer: &Response<Bytes>) -> Option<Value> {
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

/// A text at one of these paths, first found.
pub(crate) fn text<'v>(body: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| body.pointer(path)?.as_str()).filter(|text| !text.trim().is_empty())
}

/// A member by its name, however its letters are written.
pub(crate) fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let found = object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value).filter(|value| !value.is_null())
}

/// A text or number as text.
pub(crate) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What an answer says, for a person: its status, and the vendor's code and words if it has any. Numbers are masked.
pub(crate) fn words(answer: &Response<Bytes>, parts: &[Option<&str>]) -> String {
    let said: Vec<&str> = parts.iter().copied().flatten().collect();
    let status = answer.status().as_u16();
    if said.is_empty() {
        return format!("HTTP {status}");
    }
    mask_numbers(&format!("HTTP {status}: {}", said.join(": ")))
}

/// `Retry-After` in either form; a date is read against the answer's own `Date`.
pub(crate) fn retry_after(answer: &Response<Bytes>) -> Option<Span> {
    let header = |name| answer.headers().get(name)?.to_str().ok();
    let text = header(http::header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Span::from_secs(i64::from(seconds)));
    }
    let at = |text: &str| DateTime::parse_from_rfc2822(text).ok().map(|at| Moment::from_secs(at.timestamp()));
    Some(at(text)?.since(at(header(http::header::DATE)?)?))
}

/// The vendor took the call under this id.
pub(crate) fn accepted(call_id: &str) -> Placing {
    if call_id.len() > MAX_CALL_ID {
        return Placing::Unknown { cause: format!("the call was taken, with a call id of {} bytes", call_id.len()) };
    }
    Placing::Accepted { call_id: call_id.to_owned() }
}

/// What an answer to the request that places a call means: what the vendor's pages document about its body, unless HTTP itself
/// says that nobody knows. Whatever is left may have been placed.
pub(crate) fn judge(answer: &Response<Bytes>, words: String, documented: Option<Placing>) -> Placing {
    let status = answer.status().as_u16();
    match (status, documented) {
        (429, _) => Placing::Throttled { cause: words, retry_after: retry_after(answer) },
        (408 | 409 | 425 | 499 | 500.., _) => Placing::Unknown { cause: words },
        (_, Some(documented)) => documented,
        (401..=403, None) => Placing::LaneFault { cause: words },
        (300..=399 | 404 | 405, None) => Placing::LaneFault { cause: elsewhere(status) },
        (200..=299, None) if json(answer).is_some() => {
            Placing::Unknown { cause: format!("HTTP {status} without a call id") }
        }
        (200..=299, None) => Placing::Unknown { cause: format!("HTTP {status} that is not JSON") },
        (_, None) => Placing::Unknown { cause: format!("HTTP {status} with a body that no page documents") },
    }
}

/// What an answer to a question means when it is not one: refused, throttled, in trouble. `words` is what it says. 404 is an answer.
pub(crate) fn asked(
    answer: Response<Bytes>,
    words: impl Fn(&Response<Bytes>) -> String,
) -> Result<Response<Bytes>, AskError> {
    let status = answer.status().as_u16();
    match status {
        200..=299 | 404 => Ok(answer),
        401 | 403 => Err(AskError::LaneFault(words(&answer))),
        429 => Err(AskError::Throttled { cause: words(&answer), retry_after: retry_after(&answer) }),
        300..=399 => Err(AskError::LaneFault(elsewhere(status))),
        _ => Err(AskError::Trouble(words(&answer))),
    }
}

fn elsewhere(status: u16) -> String {
    format!("HTTP {status}: base_url does not lead to the vendor's API")
}
