//! Vendors' answers, read the same careful way for every vendor.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::Response;
use ringfence_domain::phone::mask_numbers;
use ringfence_domain::{Placement, Span};
use serde_json::{Map, Value};

use crate::call::AskError;
use crate::fault::Cause;
use crate::lenient;

/// Characters kept of one text.
const MAX_TEXT: usize = 4_000;
/// A call id that no index could hold is none. In bytes.
const MAX_CALL_ID: usize = 200;
/// Longer than this nobody talks. In seconds.
const LONGEST_TALK: f64 = 86_400.0;
/// Longer addresses are none. In bytes.
const MAX_ADDRESS: usize = 2_000;
/// Names and values that agents collect in one call are kept up to this size. In bytes.
const MAX_OUTPUTS: usize = 64 * 1024;
/// Stands where a text could not be read.
const BROKEN: char = '\u{fffd}';
/// Longer than this nobody is left alone, whatever was asked for: then one request tries again.
const LONGEST_REST: Span = Span::from_hours(1);

/// The body as JSON, if it is; what is broken in it is mended, see [`lenient`].
pub(crate) fn json(answer: &Response<Bytes>) -> Option<Value> {
    lenient::parse(answer.body()).map(storable)
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

/// A text or number that names something, as text; none when it is broken.
pub(crate) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty() && !text.contains(BROKEN)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Seconds of a call; none when no call lasts so long.
pub(crate) fn seconds(value: &Value) -> Option<u32> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (0.0..=LONGEST_TALK).contains(&seconds).then(|| seconds.round() as u32)
}

/// An address; none when it is longer than any is.
pub(crate) fn address(text: &str) -> Option<String> {
    (text.len() <= MAX_ADDRESS).then(|| text.to_owned())
}

/// What an agent collected, as much of it as is kept.
pub(crate) fn outputs(outputs: &Map<String, Value>) -> BTreeMap<String, Value> {
    let mut room = MAX_OUTPUTS;
    let mut kept = BTreeMap::new();
    for (name, value) in outputs {
        let size = name.len() + value.to_string().len();
        if size > room {
            tracing::warn!("an output of {size} bytes is not kept: those of one call may take {MAX_OUTPUTS}");
            continue;
        }
        room -= size;
        kept.insert(name.clone(), value.clone());
    }
    kept
}

/// Tells of rows of a vendor's list that cannot be read, whenever others cannot.
#[derive(Debug, Default)]
pub(crate) struct UnreadRows(Mutex<Vec<String>>);

impl UnreadRows {
    /// `rows`: their places, counted from 1, and what is wrong with each.
    pub(crate) fn note(&self, vendor: &str, rows: Vec<String>) {
        let mut said = self.0.lock().expect("never held over a panic");
        if !rows.is_empty() && *said != rows {
            let (count, some) = (rows.len(), rows.iter().take(5).cloned().collect::<Vec<_>>().join("; "));
            tracing::warn!(
                "{count} rows of {vendor}'s list of calls cannot be read, and nothing is concluded from them: {some}"
            );
        }
        *said = rows;
    }
}

/// What an answer says, for a person: its status, and the vendor's code and words if it has any.
/// Numbers are masked.
pub(crate) fn words(answer: &Response<Bytes>, parts: &[Option<&str>]) -> String {
    let said: Vec<&str> = parts.iter().copied().flatten().collect();
    let status = answer.status().as_u16();
    if said.is_empty() {
        return format!("HTTP {status}");
    }
    mask_numbers(&format!("HTTP {status}: {}", said.join(": ")))
}

/// Reads `Retry-After`: seconds, or a date, which is read against the answer's own `Date`. Dates
/// have any form of RFC 9110, section 5.6.7.
pub(crate) fn retry_after(answer: &Response<Bytes>) -> Option<Span> {
    let header = |name| answer.headers().get(name)?.to_str().ok();
    let text = header(http::header::RETRY_AFTER)?.trim();
    let bounded = |seconds: u64| Span::from_secs(seconds.min(LONGEST_REST.duration().as_secs()) as i64);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(bounded(text.parse().unwrap_or(u64::MAX)));
    }
    let at = |text: &str| httpdate::parse_http_date(text).ok();
    let (until, now) = (at(text)?, at(header(http::header::DATE)?)?);
    // A date that is past asks for no rest.
    Some(bounded(until.duration_since(now).unwrap_or_default().as_secs()))
}

/// The name of a call in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallId {
    /// No call is named.
    Absent,
    Readable(String),
    /// There is one, and nobody can read it.
    Unreadable,
}

impl CallId {
    /// The first that stands at one of these paths.
    pub(crate) fn at(body: &Value, paths: &[&str]) -> Self {
        let ids = paths.iter().filter_map(|path| body.pointer(path)).map(Self::of);
        ids.into_iter().find(|id| *id != Self::Absent).unwrap_or(Self::Absent)
    }

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(false) => Self::Absent,
            Value::String(text) if text.trim().is_empty() => Self::Absent,
            value => match word(value) {
                Some(id) if id.len() <= MAX_CALL_ID && !id.contains(char::is_control) => Self::Readable(id),
                _ => Self::Unreadable,
            },
        }
    }
}

/// A refusal that the vendor documents, and its words.
pub(crate) type Rejection = (Cause, String);

/// What an answer to the request that places a call means. An answer with a call's id is a call,
/// whatever else it says. Without one it is a refusal only as the vendor's pages document it, by
/// status, shape and words; whatever is left may have been placed.
pub(crate) fn judge(answer: &Response<Bytes>, words: String, call_id: CallId, refusal: Option<Rejection>) -> Placement {
    let status = answer.status().as_u16();
    let refusal = refusal.filter(|(_, words)| !speaks_of_trouble(words));
    match (call_id, status) {
        // A conflict may name another call that is out already.
        (CallId::Readable(call_id), _) if status != 409 => return Placement::Accepted { call_id },
        (CallId::Unreadable, _) => {
            return Placement::Unknown { cause: "the call was taken, with a call id that cannot be read".to_owned() };
        }
        _ => {}
    }
    match (status, refusal) {
        (408 | 409 | 425 | 499 | 500.., _) => Placement::Unknown { cause: words },
        (429, refusal) if is_limiter(answer, refusal.as_ref()) => {
            Placement::Throttled { cause: words, retry_after: retry_after(answer) }
        }
        (429, _) => Placement::Unknown { cause: format!("{words}; that is no answer of a limiter") },
        (_, Some((Cause::Pace, cause))) => Placement::Throttled { cause, retry_after: retry_after(answer) },
        (_, Some((cause, words))) => cause.placement(words),
        (200..=299, None) => {
            let cause = match json(answer) {
                Some(_) if !words.contains(": ") => format!("{words} without a call id"),
                Some(_) => format!("{words}; no page documents that as a refusal"),
                None => format!("{words} that is not JSON"),
            };
            Placement::Unknown { cause }
        }
        (status, None) => {
            let of_account = (401..=403).contains(&status) || speaks_of_money(&words);
            let hint = if of_account {
                "are credentials and balance in order"
            } else {
                "does base_url lead to the vendor's API"
            };
            Placement::Undocumented {
                cause: format!("{words}, which no page of the vendor documents: {hint}?"),
                of_account,
            }
        }
    }
}

/// Words of something that went wrong on the way or inside: the call may have been placed before.
fn speaks_of_trouble(words: &str) -> bool {
    const TROUBLE: [&str; 9] = [
        "timeout",
        "timed out",
        "time out",
        "upstream",
        "gateway",
        "unavailable",
        "internal error",
        "internal server",
        "connection",
    ];
    let words = words.to_lowercase();
    TROUBLE.iter().any(|trouble| words.contains(trouble))
}

fn speaks_of_money(words: &str) -> bool {
    let words = words.to_lowercase();
    ["balance", "credit", "payment", "wallet"].iter().any(|money| words.contains(money))
}

/// Whether HTTP 429 comes from the part that counts requests, before any of them is acted on: by
/// its own refusal, by `Retry-After`, by saying nothing else, or by words about limits.
fn is_limiter(answer: &Response<Bytes>, refusal: Option<&Rejection>) -> bool {
    const LIMITS: [&str; 7] = ["limit", "too many", "throttl", "quota", "slow down", "concurren", "error code: 1015"];
    let body = json(answer);
    if body.as_ref().and_then(|body| member(body, "success")) == Some(&Value::Bool(true)) {
        return false;
    }
    let text = String::from_utf8_lossy(answer.body()).to_lowercase();
    let silent = text.trim().is_empty() || body.is_some_and(|body| body == Value::Object(Map::new()));
    silent
        || refusal.is_some_and(|(cause, _)| *cause == Cause::Pace)
        || answer.headers().contains_key(http::header::RETRY_AFTER)
        || LIMITS.iter().any(|limit| text.contains(limit))
}

/// What an answer to a question means when it is not one: refused, throttled, in trouble. `words`
/// is what it says. 404 is an answer.
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
