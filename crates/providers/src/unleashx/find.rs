//! How calls stand, and calls whose answer was lost: both from the list of executions.

use http::Method;
use ringfence_domain::{AttemptId, Moment, PhoneNumber, Span};

use super::rows::Execution;
use super::{UnleashX, place};
use crate::account::{Body, with_query};
use crate::call::{AskError, Candidate, Findings, LostCall, News, OutCall};
use crate::number_format::same_number;
use crate::{Budget, answer};

/// Rows of one page.
const PAGE: usize = 100;
/// Pages read for one question; calls that none of them has are looked for one by one.
const PAGES: usize = 5;
/// Calls looked for one by one in a round.
const SINGLY: usize = 5;
/// The list's dates have no zone, so a day more is asked for.
const MARGIN: Span = Span::from_days(1);

impl UnleashX {
    /// Rows that carry the calls' ids, with as few pages as it takes; for the others one by one the row that alone fits number and
    /// time.
    pub(super) async fn ask_all(
        &self,
        calls: &[OutCall],
        budget: &dyn Budget,
    ) -> Result<Vec<(AttemptId, News)>, AskError> {
        let mut news = Vec::new();
        let mut missing: Vec<&OutCall> = calls.iter().collect();
        if calls.len() > 1 {
            let rows = self.newest(calls, budget).await?;
            missing.retain(|call| {
                let own = rows.iter().find(|row| row.is(&call.call_id));
                news.extend(own.map(|row| (call.attempt, self.news(row))));
                own.is_none()
            });
        }
        // Others come first the next time: whoever was asked about waits longer.
        for call in missing.into_iter().take(SINGLY) {
            match self.of_number(&call.number, &call.reference, call.sent_at, Some(&call.call_id), budget).await {
                Ok(rows) => {
                    if let [row] = rows.as_slice() {
                        news.push((call.attempt, self.news(row)));
                    }
                }
                // What was learned before the trouble is kept.
                Err(_) if !news.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(news)
    }

    fn news(&self, row: &Execution) -> News {
        match self.status_map.outcome_of("UnleashX", &row.status()) {
            Some(outcome) => News::Ended(outcome, Box::new(row.details())),
            None => News::Pending,
        }
    }

    /// Rows of the number and about the time; all of them when several fit, for the reconciler to see that nobody can tell.
    pub(super) async fn find_all(&self, lost: &[LostCall], budget: &dyn Budget) -> Result<Findings, AskError> {
        let mut candidates = Vec::new();
        for one in lost {
            for row in self.of_number(&one.number, &one.reference, one.sent_at, None, budget).await? {
                let agent = row.agent().is_none_or(|agent| agent == one.agent);
                if let (true, Some(call_id)) = (agent, row.call_id()) {
                    let certain = row.mentions(&one.reference);
                    candidates.push(Candidate { attempt: one.attempt, call_id, certain });
                }
            }
        }
        Ok(Findings { candidates, absent: Vec::new() })
    }

    /// The rows that may be one call's. A row that says which call it is is that call's and nobody else's. When several fit, those
    /// that the search for our reference leaves.
    async fn of_number(
        &self,
        number: &PhoneNumber,
        reference: &str,
        sent_at: Moment,
        call_id: Option<&str>,
        budget: &dyn Budget,
    ) -> Result<Vec<Execution>, AskError> {
        let digits = number.e164().trim_start_matches('+');
        let tail = digits[digits.len().saturating_sub(10)..].to_owned();
        let query = [("fromdate", from(sent_at)), ("calling_number", tail), ("limit", PAGE.to_string())];
        let fitting = |rows: Vec<Execution>| -> Vec<Execution> {
            // A full page may not be all, and what is not seen may fit as well.
            let all = if rows.len() < PAGE { rows } else { Vec::new() };
            let own = all.iter().position(|row| call_id.is_some_and(|id| row.is(id)));
            if let Some(own) = own {
                return all.into_iter().skip(own).take(1).collect();
            }
            all.into_iter()
                .filter(|row| call_id.is_none() || !row.names_its_call())
                .filter(|row| same_number(number.e164(), &row.number()) && row.may_be_of(sent_at, self.created_at))
                .collect()
        };
        let rows = fitting(self.list(query.to_vec(), budget).await?);
        if rows.len() <= 1 {
            return Ok(rows);
        }
        let searched = [query.as_slice(), &[("input_data", reference.to_owned())]].concat();
        let narrowed = fitting(self.list(searched, budget).await?);
        Ok(if narrowed.is_empty() { rows } else { narrowed })
    }

    /// The newest rows, until all of these calls are among them or there are no more.
    async fn newest(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<Execution>, AskError> {
        let since = calls.iter().map(|call| call.sent_at).min().unwrap_or_default();
        let mut rows: Vec<Execution> = Vec::new();
        for page in 1..=PAGES {
            let query = vec![("fromdate", from(since)), ("page", page.to_string()), ("limit", PAGE.to_string())];
            let more = self.list(query, budget).await?;
            // A list that knows no pages gives the same rows again.
            let first = more.first().and_then(Execution::call_id);
            if first.is_some_and(|first| rows.iter().any(|row| row.is(&first))) {
                break;
            }
            let last = more.len() < PAGE;
            rows.extend(more);
            if last || calls.iter().all(|call| rows.iter().any(|row| row.is(&call.call_id))) {
                break;
            }
        }
        Ok(rows)
    }

    /// `GET /agents/executions/list`
    pub(super) async fn list(
        &self,
        query: Vec<(&str, String)>,
        budget: &dyn Budget,
    ) -> Result<Vec<Execution>, AskError> {
        let path = with_query("/agents/executions/list", query);
        let reply = self.account.ask(Method::GET, &path, Body::None, budget, place::refusal).await?;
        let rows = answer::json(&reply).as_ref().and_then(Execution::all);
        rows.ok_or_else(|| {
            AskError::Trouble(format!("the list of executions cannot be read: {}", place::refusal(&reply)))
        })
    }
}

/// The list's first day for a call of this moment.
fn from(sent_at: Moment) -> String {
    (sent_at - MARGIN).local(chrono_tz::UTC).format("%Y-%m-%d").to_string()
}
