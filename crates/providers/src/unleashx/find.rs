//! How calls stand, and calls whose answer was lost: both from the list of executions.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use http::Method;
use ringfence_domain::{AttemptId, Moment, PhoneNumber, Span};

use super::clock::ListClock;
use super::rows::Execution;
use super::{UnleashX, place};
use crate::account::{Body, with_query};
use crate::call::{AskError, Candidate, Findings, LostCall, News, OutCall};
use crate::number_format::same_number;
use crate::{Budget, answer};

/// Rows of one page.
pub(super) const PAGE: usize = 100;
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
        for call in self.some_of(missing) {
            let number = Called {
                number: &call.number,
                agent: &call.agent,
                reference: &call.reference,
                sent_at: call.sent_at,
                called_before: call.called_before,
                call_id: Some(&call.call_id),
            };
            match self.row_of(number, budget).await {
                Ok(row) => news.extend(row.map(|row| (call.attempt, self.news(&row)))),
                Err(error) => {
                    error.ends_asking(!news.is_empty())?;
                    break;
                }
            }
        }
        Ok(news)
    }

    /// So many as are asked about in one round, others each time.
    fn some_of<T>(&self, mut all: Vec<T>) -> impl Iterator<Item = T> {
        if !all.is_empty() {
            let turn = self.turn.fetch_add(SINGLY, Ordering::Relaxed) % all.len();
            all.rotate_left(turn);
        }
        all.into_iter().take(SINGLY)
    }

    fn news(&self, row: &Execution) -> News {
        match self.status_map.outcome_of("UnleashX", &row.status()) {
            Some(outcome) => News::Ended(outcome, Box::new(row.details())),
            None => News::Pending,
        }
    }

    /// The row that alone can be the lost call.
    pub(super) async fn find_all(&self, lost: &[LostCall], budget: &dyn Budget) -> Result<Findings, AskError> {
        let mut findings = Findings::default();
        let mut unasked: BTreeSet<AttemptId> = lost.iter().map(|one| one.attempt).collect();
        for one in self.some_of(lost.iter().collect()) {
            let number = Called {
                number: &one.number,
                agent: &one.agent,
                reference: &one.reference,
                sent_at: one.sent_at,
                called_before: one.called_before,
                call_id: None,
            };
            match self.row_of(number, budget).await {
                Ok(row) => findings.candidates.extend(row.and_then(|row| {
                    let certain = row.mentions(&one.reference);
                    Some(Candidate { attempt: one.attempt, call_id: row.call_id()?, certain })
                })),
                Err(error) => {
                    error.ends_asking(!findings.candidates.is_empty())?;
                    break;
                }
            }
            unasked.remove(&one.attempt);
        }
        findings.unasked.extend(unasked);
        Ok(findings)
    }

    /// The row that is one call's, or alone can be. A row that says which call it is is that call's and nobody else's. When several fit,
    /// or one that may be an earlier call's, the search for our reference must leave one of several: only then it is known to search.
    async fn row_of(&self, call: Called<'_>, budget: &dyn Budget) -> Result<Option<Execution>, AskError> {
        let digits = call.number.e164().trim_start_matches('+');
        let tail = digits[digits.len().saturating_sub(10)..].to_owned();
        let query = [("fromdate", from(call.sent_at)), ("calling_number", tail), ("limit", PAGE.to_string())];
        let all = self.list(query.to_vec(), budget).await?;
        if let Some(own) = all.iter().position(|row| call.names(row)) {
            return Ok(all.into_iter().nth(own).inspect(|row| self.learn(row, &call)));
        }
        // A full page may not be all, and what is not seen may fit as well.
        if all.len() >= PAGE {
            return Ok(None);
        }
        let seen = all.len();
        let mut rows: Vec<Execution> = all.into_iter().filter(|row| call.fits(row, &self.clock)).collect();
        let at_time = |row: &Execution, at| row.created_at().is_some_and(|local| self.clock.may_be_of(local, at));
        let earlier = |row: &Execution| call.called_before.is_some_and(|at| at_time(row, at));
        if rows.len() <= 1 && !rows.iter().any(earlier) {
            return Ok(rows.pop().inspect(|row| self.learn(row, &call)));
        }
        let searched = [query.as_slice(), &[("input_data", call.reference.to_owned())]].concat();
        let found = self.list(searched, budget).await?;
        let told = found.len() == 1 && seen > 1;
        // Else nobody can tell. That all but one are other attempts' proves nothing: those may be known by other names.
        Ok(found.into_iter().find(|row| told && call.fits(row, &self.clock)))
    }

    /// What a row that is a call's shows of the list's clock.
    fn learn(&self, row: &Execution, call: &Called<'_>) {
        if let Some(local) = row.created_at() {
            self.clock.learn(call.reference, local, call.sent_at);
        }
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
pub(super) fn from(sent_at: Moment) -> String {
    (sent_at - MARGIN).local(ringfence_domain::Zone::utc()).format("%Y-%m-%d").to_string()
}

/// A call whose row is looked for.
#[derive(Clone, Copy)]
struct Called<'c> {
    number: &'c PhoneNumber,
    agent: &'c str,
    reference: &'c str,
    sent_at: Moment,
    called_before: Option<Moment>,
    /// What placing it returned, unless that was lost.
    call_id: Option<&'c str>,
}

impl Called<'_> {
    /// Whether a row says by itself that it is this call.
    fn names(&self, row: &Execution) -> bool {
        self.call_id.is_some_and(|id| row.is(id)) || row.mentions(self.reference)
    }

    /// Whether a row may be this call by number, agent and time. One that names a call is another's, when this one's name is known.
    fn fits(&self, row: &Execution, clock: &ListClock) -> bool {
        (self.call_id.is_none() || !row.names_its_call())
            && same_number(self.number.e164(), &row.number())
            // Where times say little, a row must say by which agent it was.
            && row.agent().map_or(clock.is_known(), |agent| agent == self.agent)
            && row.created_at().is_some_and(|local| clock.may_be_of(local, self.sent_at))
    }
}
