//! The vendor's queue: the state of queued calls, and the search for calls whose answer was lost.
//!
//! The two addresses `POST /business/{id}/queues/outbound/{queueId}` and
//! `POST /business/{id}/queues/outbound` are in the vendor's source, and no page documents them.
//! States and ends of sessions are words on the page and numbers in the source. The numbers differ
//! between its versions: a number has the meaning that no version contradicts, or else the outcome
//! that calls nobody again too soon.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{Method, Response};
use ringfence_domain::{AttemptId, CallDetails, CallStatus, Moment, Outcome, PhoneNumber, Span};
use serde_json::{Value, json};

use super::place::{REFERENCE, refusal};
use super::{Control, Iqra, place};
use crate::account::Body;
use crate::answer::{json, member, word};
use crate::call::{AskError, Candidate, Findings, LostCall, OutCall};
use crate::number_format::same_number;
use crate::singly::ask_singly;
use crate::{Budget, status_word};

/// Rows of one page: the most that the source gives.
const PAGE: usize = 100;
/// The most pages that are read for one question.
const PAGES: usize = 10;
/// The most by which the vendor's clock may differ from ours.
pub(super) const SKEW: Span = Span::from_minutes(2);
/// How long before they were sent calls are looked for, whatever the clocks say.
const SINCE: Span = Span::from_days(1);
/// The time after which a call is absent. The vendor drops a call at the latest moment that it was
/// told. A request that is still not in the list this long after that moment did not arrive, and
/// will not.
const ABSENT_AFTER: Span = Span::from_minutes(3);
/// A round asks about at least this many calls that the list does not show, one by one.
const SINGLY: usize = 3;

impl Iqra {
    pub(super) async fn ask_all(
        &self,
        calls: &[OutCall],
        budget: &dyn Budget,
    ) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        if let [only] = calls {
            let row = self.one(&only.call_id, budget).await?;
            return Ok(row.map(|row| (only.attempt, self.news(&row))).into_iter().collect());
        }
        let since = calls.iter().map(|call| call.sent_at).min().unwrap_or_default();
        let mut missing: HashMap<&str, AttemptId> =
            calls.iter().map(|call| (call.call_id.as_str(), call.attempt)).collect();
        let mut news = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let page = match self.queued(&order(since - SKEW, None, cursor.as_deref()), budget).await {
                // What the pages before it said stands.
                Err(error) if !news.is_empty() => {
                    budget.cut_short(error);
                    return Ok(news);
                }
                page => page?,
            };
            for row in &page.rows {
                let known = text(row, "queueId").and_then(|id| missing.remove(id.as_str()));
                news.extend(known.map(|attempt| (attempt, self.news(row))));
            }
            cursor = page.next;
            if missing.is_empty() || cursor.is_none() {
                break;
            }
        }
        let missing = missing.into_iter().take(budget.questions_a_second().max(SINGLY));
        let ask = async |(call_id, attempt): (&str, AttemptId)| Ok((attempt, self.one(call_id, budget).await?));
        let heard = |(attempt, row): (_, Option<Value>)| news.extend(row.map(|row| (attempt, self.news(&row))));
        let unanswered = ask_singly(missing, budget, ask, heard).await;
        unanswered.end(!news.is_empty(), budget)?;
        Ok(news)
    }

    async fn one(&self, call_id: &str, budget: &dyn Budget) -> Result<Option<Value>, AskError> {
        let path = format!("{}/queues/outbound/{}", self.business, escaped(call_id));
        data(&self.post(&path, &json!({}), budget).await?)
    }

    /// Looks for lost calls. A row with our reference is the call. A call was not placed when four
    /// things hold: the vendor would have dropped it by now; all rows of the number were seen; none
    /// of them can be the call; and the same list shows a call that certainly was placed, with
    /// its reference and at its time. Such a list knows numbers as we write them, keeps our
    /// reference, and has a clock like ours.
    pub(super) async fn find_all(
        &self,
        lost: &[LostCall],
        now: Moment,
        budget: &dyn Budget,
    ) -> Result<Findings, AskError> {
        let control = self.control.lock().expect("never held over a panic").clone();
        let since = lost.iter().map(|one| one.sent_at).min().unwrap_or_default() - SINCE;
        let control = control.filter(|control| control.at > since + SKEW);
        let numbers = lost.iter().map(|one| &one.number).chain(control.as_ref().map(|control| &control.number));
        let numbers: Vec<&str> = numbers.map(PhoneNumber::e164).collect();
        let (mut rows, mut complete) = (Vec::new(), false);
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let page = self.queued(&order(since, Some(&numbers), cursor.as_deref()), budget).await?;
            rows.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                complete = page.total.is_none_or(|total| total <= rows.len() as u64);
                break;
            }
        }
        let shown = control.is_some_and(|control| rows.iter().any(|row| control.is(row)));
        let mut findings = Findings::default();
        for one in lost {
            let mut possible = false;
            for row in &rows {
                let named = reference_of(row);
                let certain = named.as_deref() == Some(one.reference.as_str());
                // A row of somebody else's reference is theirs; one without any may be ours.
                let ours = text(row, "recipientNumber").is_none_or(|number| same_number(one.number.e164(), &number));
                possible |= certain || (named.is_none() && ours);
                let fits = named.is_none() && ours && about(row, one.sent_at);
                if let (true, Some(call_id)) = (certain || fits, text(row, "queueId")) {
                    findings.candidates.push(Candidate { attempt: one.attempt, call_id, certain });
                }
            }
            if complete && !possible {
                findings.not_out.push(one.attempt);
            }
            if !complete && !possible {
                findings.unasked.push(one.attempt);
            }
            let dropped = self.config.load(Ordering::SeqCst)
                && place::max_wait(&one.vendor).is_ok_and(|wait| now > one.sent_at + wait + ABSENT_AFTER);
            if complete && shown && dropped && !possible {
                findings.absent.push(one.attempt);
            }
        }
        Ok(findings)
    }

    /// Asks for one page of the list of queued calls.
    pub(super) async fn queued(&self, order: &Value, budget: &dyn Budget) -> Result<Page, AskError> {
        let path = format!("{}/queues/outbound", self.business);
        let reply = self.post(&path, order, budget).await?;
        let unreadable = || AskError::Trouble(format!("the list of queued calls cannot be read: {}", refusal(&reply)));
        let page = data(&reply)?.ok_or_else(unreadable)?;
        let rows = member(&page, "items").and_then(Value::as_array).ok_or_else(unreadable)?.clone();
        let unread = rows.iter().enumerate().filter(|(_, row)| text(row, "queueId").is_none());
        self.unread.note("Iqra AI", unread.map(|(place, _)| format!("row {}: no queueId", place + 1)).collect());
        let next = text(&page, "nextCursor");
        let more = member(&page, "hasNextPage").and_then(Value::as_bool);
        match (more, next) {
            (Some(true), Some(next)) => Ok(Page { rows, next: Some(next), total: None }),
            // Some cursors stand on the last page too.
            (Some(false), _) => {
                Ok(Page { rows, next: None, total: member(&page, "totalCount").and_then(Value::as_u64) })
            }
            // More is promised and cannot be asked for, or nobody says whether there is more: what
            // was seen may not be all.
            _ => Err(unreadable()),
        }
    }

    async fn post(&self, path: &str, body: &Value, budget: &dyn Budget) -> Result<Response<Bytes>, AskError> {
        self.account.ask(Method::POST, path, Body::Json(body.clone()), budget, refusal).await
    }

    fn news(&self, row: &Value) -> CallStatus {
        let ended = text(row, "sessionEndType").is_some_and(|end| !["0", "NotSet"].contains(&end.as_str()));
        match self.outcome(row) {
            Some(outcome) => CallStatus::Ended(outcome, Box::new(details(row))),
            None if ended || text(row, "status").is_none() => CallStatus::Unclear,
            None => CallStatus::Pending,
        }
    }

    /// Reads the outcome of a row. The end of the session decides; without one, the state in the
    /// queue. The operator's own words come first: `"end_type 4"` and `"status 6"` name numbers.
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
        // How a conversation ended is told a moment after the queue is done with its call.
        let end_comes = member(row, "sessionEndType").is_some() && text(row, "sessionId").is_some();
        if end_comes {
            return None;
        }
        if !is_number(&status) {
            return match status_word::bare(&status).as_str() {
                // Dropped from the queue before anyone was dialled.
                "expired" => Some(Outcome::NotDialled),
                "processingproxy"
                | "processedproxy"
                | "processingbackend"
                | "processedbackend"
                | "waitingforprocessing"
                | "waitingforqueueing"
                | "processed" => None,
                _ => match self.status_map.standing_at("Iqra AI", &status) {
                    status_word::StatusWord::Over(outcome) => Some(outcome),
                    _ => None,
                },
            };
        }
        match status.as_str() {
            // 5 is failed in one version, and completed in another, where the end of the session is
            // told; 6 is cancelled or failed.
            "5" | "6" => Some(Outcome::Failed),
            // Expired or cancelled: dropped from the queue either way.
            "7" | "8" => Some(Outcome::NotDialled),
            _ => None,
        }
    }
}

/// Reads the end of a session as an outcome. The numbers are those of the version that tells
/// no-answer apart.
fn by_end(end: &str) -> Option<Outcome> {
    Some(match status_word::bare(end).as_str() {
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
    let vendor_status = vendor_status.map(|status| match status.to_lowercase().as_str() {
        "7" | "8" | "expired" => {
            format!("{status}: dropped from the vendor's queue before anyone was dialled (max_wait, or closing)")
        }
        _ => status,
    });
    let outputs = text(row, "sessionId").map(|id| ("session_id".to_owned(), Value::String(id)));
    CallDetails { vendor_status, outputs: outputs.into_iter().collect(), ..CallDetails::default() }
}

/// Queued calls of one page.
pub(super) struct Page {
    pub(super) rows: Vec<Value>,
    pub(super) next: Option<String>,
    /// The number of all rows; on the last page only.
    total: Option<u64>,
}

impl Control {
    /// Tells whether a row is this call, with its reference and at its time.
    fn is(&self, row: &Value) -> bool {
        reference_of(row).as_deref() == Some(self.reference.as_str()) && about(row, self.at)
    }
}

fn reference_of(row: &Value) -> Option<String> {
    member(row, "metadata").and_then(|metadata| text(metadata, REFERENCE))
}

/// Tells whether a row was queued at about this moment.
fn about(row: &Value, at: Moment) -> bool {
    let queued = text(row, "enqueuedAt").and_then(|at| at.parse::<Moment>().ok());
    queued.is_some_and(|queued| queued >= at - SKEW && queued <= at + SKEW)
}

pub(super) fn order(since: Moment, numbers: Option<&[&str]>, cursor: Option<&str>) -> Value {
    let mut filter = json!({ "startCreatedDate": since.to_string() });
    if let Some(numbers) = numbers {
        filter["recipientNumbers"] = json!(numbers);
    }
    json!({ "limit": PAGE, "nextCursor": cursor, "filter": filter })
}

/// Returns `data` of an answer that says `success`; none when it has none.
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

pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    member(object, name).and_then(word)
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
