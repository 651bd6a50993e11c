//! Queued calls: how they stand, and calls whose answer was lost.
//!
//! `POST /business/{id}/queues/outbound/{queueId}` and `POST /business/{id}/queues/outbound`, which the vendor's source has and no
//! page documents. States and ends of sessions are words on the page and numbers in the source; the numbers differ between its
//! versions, so that a number means what no version contradicts, or else the outcome that calls nobody again too soon.

use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, Response};
use ringfence_domain::{AttemptId, CallDetails, Moment, Outcome, Span};
use serde_json::{Value, json};

use super::Iqra;
use super::place::{REFERENCE, refusal};
use crate::account::Body;
use crate::answer::{json, member, word};
use crate::call::{AskError, Candidate, Findings, LostCall, News, OutCall};
use crate::number_format::same_number;
use crate::{Budget, standing};

/// Rows of one page, the most that the source gives.
const PAGE: usize = 100;
/// Pages read for one question.
const PAGES: usize = 10;
/// The vendor's clock may differ from ours by as much.
const SKEW: Span = Span::from_minutes(2);
/// A request that is not in the list so long after it was sent did not arrive and will not: connecting and answering are over after
/// a fourth of it, and the row is there before the answer.
const ABSENT_AFTER: Span = Span::from_secs(90);

impl Iqra {
    pub(super) async fn ask_all(
        &self,
        calls: &[OutCall],
        budget: &dyn Budget,
    ) -> Result<Vec<(AttemptId, News)>, AskError> {
        if let [only] = calls {
            let path = format!("{}/queues/outbound/{}", self.business, escaped(&only.call_id));
            let row = data(&self.post(&path, &json!({}), budget).await?)?;
            return Ok(row.map(|row| (only.attempt, self.news(&row))).into_iter().collect());
        }
        let since = calls.iter().map(|call| call.sent_at).min().unwrap_or_default();
        let mut missing: HashMap<&str, AttemptId> =
            calls.iter().map(|call| (call.call_id.as_str(), call.attempt)).collect();
        let mut news = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let page = self.queued(&order(since, None, cursor.as_deref()), budget).await?;
            for row in &page.rows {
                let known = text(row, "queueId").and_then(|id| missing.remove(id.as_str()));
                news.extend(known.map(|attempt| (attempt, self.news(row))));
            }
            cursor = page.next;
            if missing.is_empty() || cursor.is_none() {
                break;
            }
        }
        Ok(news)
    }

    /// A row with our reference is the call. When all rows of the numbers since then were seen, and none could be it, it was not
    /// placed.
    pub(super) async fn find_all(
        &self,
        lost: &[LostCall],
        now: Moment,
        budget: &dyn Budget,
    ) -> Result<Findings, AskError> {
        let since = lost.iter().map(|one| one.sent_at).min().unwrap_or_default();
        let numbers: Vec<&str> = lost.iter().map(|one| one.number.e164()).collect();
        let (mut rows, mut complete) = (Vec::new(), false);
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let page = self.queued(&order(since, Some(&numbers), cursor.as_deref()), budget).await?;
            rows.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                complete = true;
                break;
            }
        }
        let mut findings = Findings::default();
        for one in lost {
            let mut possible = false;
            for row in &rows {
                let named = member(row, "metadata").and_then(|metadata| text(metadata, REFERENCE));
                let certain = named.as_deref() == Some(one.reference.as_str());
                // A row of somebody else's reference is theirs; one without any may be ours.
                let fits = named.is_none() && fits(one, row);
                possible |= certain || fits;
                if let (true, Some(call_id)) = (certain || fits, text(row, "queueId")) {
                    findings.candidates.push(Candidate { attempt: one.attempt, call_id, certain });
                }
            }
            if complete && !possible && now.since(one.sent_at) > ABSENT_AFTER {
                findings.absent.push(one.attempt);
            }
        }
        Ok(findings)
    }

    /// One page of the list of queued calls.
    pub(super) async fn queued(&self, order: &Value, budget: &dyn Budget) -> Result<Page, AskError> {
        let path = format!("{}/queues/outbound", self.business);
        let reply = self.post(&path, order, budget).await?;
        let unreadable = || AskError::Trouble(format!("the list of queued calls cannot be read: {}", refusal(&reply)));
        let page = data(&reply)?.ok_or_else(unreadable)?;
        let rows = member(&page, "items").and_then(Value::as_array).ok_or_else(unreadable)?.clone();
        let more = member(&page, "hasNextPage") == Some(&Value::Bool(true));
        let next = text(&page, "nextCursor").filter(|_| more);
        // More is promised and cannot be asked for: what was seen is not all.
        if more && next.is_none() {
            return Err(unreadable());
        }
        Ok(Page { rows, next })
    }

    async fn post(&self, path: &str, body: &Value, budget: &dyn Budget) -> Result<Response<Bytes>, AskError> {
        self.account.ask(Method::POST, path, Body::Json(body.clone()), budget, refusal).await
    }

    fn news(&self, row: &Value) -> News {
        match self.outcome(row) {
            Some(outcome) => News::Ended(outcome, Box::new(details(row))),
            None => News::Pending,
        }
    }

    /// The end of the session tells most; without one the state in the queue. The operator's own words come first:
    /// `"end_type 4"` and `"status 6"` name numbers.
    fn outcome(&self, row: &Value) -> Option<Outcome> {
        let end = member(row, "sessionEndType").and_then(word).filter(|end| !["0", "NotSet"].contains(&end.as_str()));
        let status = member(row, "status").and_then(word)?;
        let own = |kind: &str, value: &str| {
            self.status_map
                .outcome(value)
                .filter(|_| !is_number(value))
                .or(self.status_map.outcome(&format!("{kind} {value}")))
        };
        if let Some(end) = end {
            return own("end_type", &end).or_else(|| by_end(&end));
        }
        if let Some(outcome) = own("status", &status) {
            return Some(outcome);
        }
        if !is_number(&status) {
            return match standing::bare(&status).as_str() {
                "processingproxy"
                | "processedproxy"
                | "processingbackend"
                | "processedbackend"
                | "waitingforprocessing"
                | "waitingforqueueing"
                | "processed" => None,
                _ => self.status_map.outcome_of("Iqra AI", &status),
            };
        }
        match status.as_str() {
            // 5 is failed in one version, and completed in another, where the end of the session is told; 6 is cancelled or failed.
            "5" | "6" => Some(Outcome::Failed),
            // Expired or cancelled: dropped from the queue either way.
            "7" | "8" => Some(Outcome::NotDialled),
            _ => None,
        }
    }
}

/// How a session ended, as outcome of the call; numbers of the version that tells no-answer apart.
fn by_end(end: &str) -> Option<Outcome> {
    Some(match standing::bare(end).as_str() {
        "3" | "userdeclinedorbusy" => Outcome::Busy,
        "4" | "usernoanswer" => Outcome::NoAnswer,
        "5"
        | "userendedcall"
        | "6"
        | "agentendedcall"
        | "8"
        | "usersilencetimeoutreached"
        | "9"
        | "maxconversationdurationreached" => Outcome::Answered,
        "10" | "voicemaildetected" => Outcome::Voicemail,
        "1"
        | "initalizeerror"
        | "initializeerror"
        | "2"
        | "expiredwaitingforinitalize"
        | "expiredwaitingforinitialize"
        | "7"
        | "midsessionfailure" => Outcome::Failed,
        _ => {
            tracing::warn!(
                vendor_status = end,
                "Iqra AI ended a session in a way that is not known; the call counts as under way"
            );
            return None;
        }
    })
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn details(row: &Value) -> CallDetails {
    let status = text(row, "status");
    let end = text(row, "sessionEndType");
    let vendor_status = match (status, end) {
        (Some(status), Some(end)) => Some(format!("{status}, {end}")),
        (status, end) => status.or(end),
    };
    let outputs = text(row, "sessionId").map(|id| ("session_id".to_owned(), Value::String(id)));
    CallDetails { vendor_status, outputs: outputs.into_iter().collect(), ..CallDetails::default() }
}

/// Queued calls of one page.
pub(super) struct Page {
    rows: Vec<Value>,
    next: Option<String>,
}

fn order(since: Moment, numbers: Option<&[&str]>, cursor: Option<&str>) -> Value {
    let mut filter = json!({ "startCreatedDate": (since - SKEW).to_string() });
    if let Some(numbers) = numbers {
        filter["recipientNumbers"] = json!(numbers);
    }
    json!({ "limit": PAGE, "nextCursor": cursor, "filter": filter })
}

fn fits(lost: &LostCall, row: &Value) -> bool {
    let number = text(row, "recipientNumber").is_none_or(|number| same_number(lost.number.e164(), &number));
    let at = text(row, "enqueuedAt").and_then(|at| at.parse::<Moment>().ok());
    number && at.is_none_or(|at| at >= lost.sent_at - SKEW && at <= lost.sent_at + SKEW)
}

/// `data` of an answer that says `success`; none when it has none.
fn data(reply: &Response<Bytes>) -> Result<Option<Value>, AskError> {
    if reply.status().as_u16() == 404 {
        return Ok(None);
    }
    let body = json(reply).ok_or_else(|| AskError::Trouble(refusal(reply)))?;
    if member(&body, "success") == Some(&Value::Bool(false)) {
        let code = text(&body, "code").unwrap_or_default();
        let words = refusal(reply);
        return if code.contains("ValidateUserAPI") || code.contains("PERMISSION") {
            Err(AskError::LaneFault(words))
        } else if code.to_uppercase().contains("NOT_FOUND") {
            Ok(None)
        } else {
            Err(AskError::Trouble(words))
        };
    }
    Ok(member(&body, "data").cloned())
}

fn text(object: &Value, name: &str) -> Option<String> {
    member(object, name).and_then(word)
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
