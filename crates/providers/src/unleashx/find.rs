//! The questions about calls: their status, and the search for calls whose answer was lost. Both
//! read the list of executions.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use http::Method;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Span};

use super::clock::ListClock;
use super::rows::Execution;
use super::{UnleashX, place};
use crate::account::{Body, with_query};
use crate::call::{AskError, Candidate, Findings, LostCall, OutCall};
use crate::number_format::same_number;
use crate::singly::ask_singly;
use crate::{Budget, answer};

/// Rows of one page.
pub(super) const PAGE: usize = 100;
/// The most pages that are read for one question; a call that none of them has is looked for by
/// itself.
const PAGES: usize = 5;
/// A round looks for at least this many calls one by one.
const SINGLY: usize = 5;
/// How much earlier than a call the list is asked for: its dates have no zone.
const MARGIN: Span = Span::from_days(1);

impl UnleashX {
    /// Asks about calls. Rows that carry the calls' ids come first, with as few pages as possible.
    /// For each other call the row is taken that alone fits number and time.
    pub(super) async fn ask_all(
        &self,
        calls: &[OutCall],
        budget: &dyn Budget,
    ) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
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
        let ask = async |call: &OutCall| {
            let number = Called {
                number: &call.number,
                agent: &call.agent,
                reference: &call.reference,
                sent_at: call.sent_at,
                called_before: call.called_before,
                call_id: Some(&call.call_id),
            };
            Ok((call.attempt, self.row_of(number, budget).await?))
        };
        let heard = |(attempt, found)| {
            if let Found::Row(row) = found {
                news.push((attempt, self.news(&row)));
            }
        };
        let unanswered = ask_singly(self.some_of(missing, budget), budget, ask, heard).await;
        unanswered.end(!news.is_empty(), budget)?;
        Ok(news)
    }

    /// Returns as many as are asked about in one round, others each time.
    fn some_of<T>(&self, mut all: Vec<T>, budget: &dyn Budget) -> impl Iterator<Item = T> + use<T> {
        let some = budget.questions_a_second().max(SINGLY);
        if !all.is_empty() {
            let turn = self.turn.fetch_add(some, Ordering::Relaxed) % all.len();
            all.rotate_left(turn);
        }
        all.into_iter().take(some)
    }

    fn news(&self, row: &Execution) -> CallStatus {
        self.status_map.standing_at("UnleashX", &row.status()).news(|| row.details())
    }

    /// Looks for the row that alone can be the lost call.
    pub(super) async fn find_all(&self, lost: &[LostCall], budget: &dyn Budget) -> Result<Findings, AskError> {
        let mut findings = Findings::default();
        let mut unasked: BTreeSet<AttemptId> = lost.iter().map(|one| one.attempt).collect();
        let ask = async |one: &LostCall| {
            let number = Called {
                number: &one.number,
                agent: &one.agent,
                reference: &one.reference,
                sent_at: one.sent_at,
                called_before: one.called_before,
                call_id: None,
            };
            Ok((one.attempt, one.reference.clone(), self.row_of(number, budget).await?))
        };
        let heard = |(attempt, reference, found): (AttemptId, String, Found)| {
            match found {
                Found::Row(row) => findings.candidates.extend(row.call_id().map(|call_id| Candidate {
                    attempt,
                    call_id,
                    certain: row.mentions(&reference),
                })),
                Found::Nothing => findings.not_out.push(attempt),
                Found::Several => {}
                Found::Unread => return,
            }
            unasked.remove(&attempt);
        };
        let unanswered = ask_singly(self.some_of(lost.iter().collect(), budget), budget, ask, heard).await;
        unanswered.end(unasked.len() < lost.len(), budget)?;
        findings.unasked.extend(unasked);
        Ok(findings)
    }

    /// Returns the row that is the call, or alone can be. A row that names its call is that call's
    /// and nobody else's. When several rows fit, or one that may be an earlier call's, the search
    /// for our reference must leave one of several: only then it is known that the vendor searches
    /// at all.
    async fn row_of(&self, call: Called<'_>, budget: &dyn Budget) -> Result<Found, AskError> {
        let digits = call.number.e164().trim_start_matches('+');
        let tail = digits[digits.len().saturating_sub(10)..].to_owned();
        let query = [("fromdate", from(call.sent_at)), ("calling_number", tail), ("limit", PAGE.to_string())];
        let all = self.list(query.to_vec(), budget).await?;
        if let Some(own) = all.iter().position(|row| call.names(row)) {
            let row = all.into_iter().nth(own).inspect(|row| self.learn(row, &call));
            return Ok(row.map_or(Found::Nothing, Found::Row));
        }
        // A full page may not be all, and what is not seen may fit as well.
        if all.len() >= PAGE {
            return Ok(Found::Several);
        }
        let seen = all.len();
        let unread = all.iter().any(|row| call.may_be(row, &self.clock) && !call.fits(row, &self.clock));
        let mut rows: Vec<Execution> = all.into_iter().filter(|row| call.fits(row, &self.clock)).collect();
        let at_time = |row: &Execution, at| row.created_at().is_some_and(|local| self.clock.may_be_of(local, at));
        let earlier = |row: &Execution| call.called_before.is_some_and(|at| at_time(row, at));
        if rows.is_empty() {
            return Ok(if unread { Found::Unread } else { Found::Nothing });
        }
        if rows.len() == 1 && !unread && !rows.iter().any(earlier) {
            let row = rows.pop().inspect(|row| self.learn(row, &call));
            return Ok(row.map_or(Found::Nothing, Found::Row));
        }
        let searched = [query.as_slice(), &[("input_data", call.reference.to_owned())]].concat();
        let found = self.list(searched, budget).await?;
        let told = found.len() == 1 && seen > 1;
        // Else nobody can tell. That all but one are other attempts' proves nothing: those may be
        // known by other names.
        let row = found.into_iter().find(|row| told && call.fits(row, &self.clock));
        Ok(row.map_or(if unread { Found::Unread } else { Found::Several }, Found::Row))
    }

    /// Learns the list's clock from a row that is this call's.
    fn learn(&self, row: &Execution, call: &Called<'_>) {
        if let Some(local) = row.created_at() {
            self.clock.learn(call.reference, local, call.sent_at);
        }
    }

    /// Reads the newest rows, until all of these calls are among them or there are no more.
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

    /// Asks `GET /agents/executions/list`.
    pub(super) async fn list(
        &self,
        query: Vec<(&str, String)>,
        budget: &dyn Budget,
    ) -> Result<Vec<Execution>, AskError> {
        let path = with_query("/agents/executions/list", query);
        let reply = self.account.ask(Method::GET, &path, Body::None, budget, place::refusal).await?;
        let rows = answer::json(&reply).as_ref().and_then(Execution::all);
        let unread = rows.iter().flatten().enumerate().filter_map(|(place, row)| {
            let missing = [("ID", row.call_id().is_none()), ("CALLING_NUMBER", row.number().is_none())];
            let missing = missing.iter().find(|(_, missing)| *missing)?.0;
            Some(format!("row {}: no {missing}", place + 1))
        });
        self.unread.note("UnleashX", unread.collect());
        rows.ok_or_else(|| {
            AskError::Trouble(format!("the list of executions cannot be read: {}", place::refusal(&reply)))
        })
    }
}

/// Returns the list's first day for a call of this moment.
pub(super) fn from(sent_at: Moment) -> String {
    (sent_at - MARGIN).local(ringfence_domain::Zone::utc()).strftime("%Y-%m-%d").to_string()
}

/// The findings of the list for one call.
enum Found {
    /// The row that is this call's, or alone can be.
    Row(Execution),
    /// No row can be it.
    Nothing,
    /// Nobody can tell which row it is, or not all rows were seen.
    Several,
    /// A row that cannot be read may be it.
    Unread,
}

/// A call whose row is looked for.
#[derive(Clone, Copy)]
struct Called<'c> {
    number: &'c PhoneNumber,
    agent: &'c str,
    reference: &'c str,
    sent_at: Moment,
    called_before: Option<Moment>,
    /// The id that placing it returned, unless the answer was lost.
    call_id: Option<&'c str>,
}

impl Called<'_> {
    /// Tells whether a row names this call.
    fn names(&self, row: &Execution) -> bool {
        self.call_id.is_some_and(|id| row.is(id)) || row.mentions(self.reference)
    }

    /// Tells whether a row fits this call by number, agent and time. A row that names a call is
    /// another's when the name of this one is known.
    fn fits(&self, row: &Execution, clock: &ListClock) -> bool {
        (self.call_id.is_none() || !row.names_its_call())
            && row.number().is_some_and(|number| same_number(self.number.e164(), &number))
            // Where times say little, a row must say by which agent it was.
            && row.agent().map_or(clock.is_known(), |agent| agent == self.agent)
            && row.created_at().is_some_and(|local| clock.may_be_of(local, self.sent_at))
    }

    /// Tells whether a row may be this call, as far as the row can be read.
    fn may_be(&self, row: &Execution, clock: &ListClock) -> bool {
        (self.call_id.is_none() || !row.names_its_call())
            && row.number().is_none_or(|number| same_number(self.number.e164(), &number))
            && row.agent().is_none_or(|agent| agent == self.agent)
            && row.created_at().is_none_or(|local| clock.may_be_of(local, self.sent_at))
    }
}
