//! Asking about calls, and what their states mean.

use bytes::Bytes;
use http::{Method, Response};
use ringfence_domain::{CallDetails, CallStatus, Outcome};
use serde_json::{Value, json};

use super::{Knovvu, refusal};
use crate::Budget;
use crate::account::Body;
use crate::answer::{self, member, word};
use crate::call::AskError;
use crate::status_word::bare;

pub(super) const RESULT: &str = "/v2/callresult";
/// Calls asked about with one request. The page names no limit.
pub(super) const TOGETHER: usize = 50;

impl Knovvu {
    /// Asks about some calls at once. A batch that the vendor cannot take is halved, down to the
    /// single call that it cannot take; that call is left out.
    pub(super) async fn results(&self, ids: &[&str], budget: &dyn Budget) -> Result<Vec<(String, String)>, AskError> {
        let mut batches: Vec<&[&str]> = ids.chunks(TOGETHER).rev().collect();
        let mut results = Vec::new();
        let (mut answered, mut trouble) = (false, None);
        while let Some(batch) = batches.pop() {
            let order = Body::Json(json!({ "UniqueIds": batch }));
            match self.account.ask(Method::POST, RESULT, order, budget, refusal).await.and_then(|reply| listed(&reply))
            {
                Ok(rows) => {
                    answered = true;
                    results.extend(rows);
                }
                Err(AskError::Trouble(_)) if batch.len() > 1 => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.extend([second, first]);
                }
                Err(error @ AskError::Trouble(_)) => {
                    // A vendor that answers nothing at all is not asked for each single one.
                    if !answered {
                        return Err(error);
                    }
                    trouble = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match trouble {
            Some(error) if results.is_empty() => Err(error),
            _ => Ok(results),
        }
    }

    pub(super) fn outcome(&self, state: &str) -> Option<Outcome> {
        self.status_map.outcome(state).or_else(|| by_state(state))
    }

    pub(super) fn news(&self, state: &str) -> CallStatus {
        let outcome = self.outcome(state);
        let details = CallDetails { vendor_status: Some(state.to_owned()), ..CallDetails::default() };
        if let Some(outcome) = outcome {
            return CallStatus::Ended(outcome, Box::new(details));
        }
        if !state.trim().is_empty() {
            tracing::warn!(
                vendor_status = state,
                "Knovvu uses a call state that is not known; the call may be under way. Name its outcome in the lane's status_map"
            );
        }
        // It lists no state of a call that is under way.
        CallStatus::Unclear
    }
}

/// Reads one of the seven states of the page, however it is spaced.
fn by_state(state: &str) -> Option<Outcome> {
    Some(match bare(state).as_str() {
        "answered" => Outcome::Answered,
        "busy" => Outcome::Busy,
        "error" => Outcome::Failed,
        "invalidnumber" => Outcome::InvalidNumber,
        "noanswer" => Outcome::NoAnswer,
        "rejected" => Outcome::Rejected,
        "temporarilyunavailable" => Outcome::Unreachable,
        _ => return None,
    })
}

/// Returns calls and their states, by `UniqueId`; their order means nothing.
pub(super) fn listed(reply: &Response<Bytes>) -> Result<Vec<(String, String)>, AskError> {
    let unreadable = || AskError::Trouble(format!("the results of calls cannot be read: {}", refusal(reply)));
    let body = answer::json(reply).ok_or_else(unreadable)?;
    let rows = member(&body, "CallResults").and_then(Value::as_array).ok_or_else(unreadable)?;
    let row = |row: &Value| {
        let state = member(row, "CallState").and_then(word).unwrap_or_default();
        Some((member(row, "UniqueId").and_then(word)?, state))
    };
    Ok(rows.iter().filter_map(row).collect())
}
