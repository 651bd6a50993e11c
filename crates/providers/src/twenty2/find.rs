//! The questions about calls: their status, and the search for calls whose answer was lost.

use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, Response};
use ringfence_domain::{AttemptId, CallStatus, Moment, Span};
use serde_json::Value;

use super::wire::{CallLog, LoggedCall};
use super::{Twenty2, wire};
use crate::account::{Body, with_query};
use crate::call::{AskError, Candidate, Findings, LostCall, OutCall};
use crate::number_format::same_number;
use crate::singly::ask_singly;
use crate::status_word::StatusWord;
use crate::{Budget, Provider, answer};

/// The most by which the vendor's clock may differ from ours.
const SKEW: Span = Span::from_minutes(2);
/// The time within which a taken call starts.
const QUEUE: Span = Span::from_minutes(10);
/// A round asks about at least this many calls that the list does not show, one by one.
const SINGLY: usize = 3;

impl Twenty2 {
    /// Asks about calls. One call is asked for by its details; several by the list first, then by
    /// the details of those that are over.
    pub(super) async fn ask_all(
        &self,
        calls: &[OutCall],
        budget: &dyn Budget,
    ) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        let mut news = Vec::new();
        let mut singly: Vec<&OutCall> = Vec::new();
        if let [only] = calls {
            singly.push(only);
        } else {
            let list: HashMap<String, LoggedCall> =
                self.list(budget).await?.calls.into_iter().map(|call| (call.call_id.clone(), call)).collect();
            let mut missing = Vec::new();
            for call in calls {
                match list.get(&call.call_id) {
                    Some(logged) if self.status_map.status_of(&logged.status) == StatusWord::Pending => {
                        news.push((call.attempt, CallStatus::Pending));
                    }
                    Some(_) => singly.push(call),
                    None => missing.push(call),
                }
            }
            singly.extend(missing.into_iter().take(budget.questions_a_second().max(SINGLY)));
        }
        let ask = async |call: &OutCall| Ok((call.attempt, self.detail(&call.call_id, budget).await?));
        let heard = |(attempt, found): (_, Option<Value>)| news.push((attempt, self.news(found.as_ref())));
        let unanswered = ask_singly(singly, budget, ask, heard).await;
        unanswered.end(!news.is_empty(), budget)?;
        Ok(news)
    }

    /// Looks for lost calls: calls of the list that fit by both numbers, agent and time. Where our
    /// reference is sent along, the details decide.
    pub(super) async fn find_all(&self, lost: &[LostCall], budget: &dyn Budget) -> Result<Findings, AskError> {
        let list = self.list(budget).await?;
        let mut findings = Findings::default();
        for one in lost {
            let mut candidates = Vec::new();
            // A call taken near closing may start the next morning.
            let latest = self.held_until(one.sent_at) + QUEUE;
            for logged in list.calls.iter().filter(|logged| fits(one, logged, latest)) {
                let mut candidate = Candidate { attempt: one.attempt, call_id: logged.call_id.clone(), certain: false };
                if let Some(name) = one.vendor.get("reference") {
                    let found = self.detail(&logged.call_id, budget).await?;
                    let echoed =
                        found.as_ref().and_then(|body| wire::member(body, "input_parameters")?.get(name)?.as_str());
                    match echoed {
                        Some(reference) if reference == one.reference => candidate.certain = true,
                        Some(_) => continue,
                        None => {}
                    }
                }
                candidates.push(candidate);
            }
            let may_be = |callee: &Option<String>| callee.as_ref().is_none_or(|to| same_number(one.number.e164(), to));
            let unread = list.unread.iter().any(|(callee, _)| may_be(callee));
            match (candidates.is_empty(), unread) {
                (true, false) => findings.not_out.push(one.attempt),
                // A row that cannot be read may be the call: then no other is known to be it by its
                // number.
                (_, true) => {
                    candidates.retain(|candidate| candidate.certain);
                    findings.unasked.extend(candidates.is_empty().then_some(one.attempt));
                }
                (false, false) => {}
            }
            findings.candidates.extend(candidates);
        }
        Ok(findings)
    }

    /// Asks `GET /call/logs`.
    pub(super) async fn list(&self, budget: &dyn Budget) -> Result<CallLog, AskError> {
        let answer = self.get("/call/logs", budget).await?;
        let log = answer::json(&answer).as_ref().and_then(wire::logged);
        if let Some(log) = &log {
            self.unread.note("Twenty2", log.unread.iter().map(|(_, wrong)| wrong.clone()).collect());
        }
        log.ok_or_else(|| AskError::Trouble(format!("the list of calls cannot be read: {}", wire::refusal(&answer))))
    }

    /// Asks `GET /call/detail?call_id=…`. None when the vendor does not know the call, yet or any
    /// more.
    async fn detail(&self, call_id: &str, budget: &dyn Budget) -> Result<Option<Value>, AskError> {
        let answer = self.get(&with_query("/call/detail", [("call_id", call_id.to_owned())]), budget).await?;
        if answer.status().as_u16() == 404 {
            return Ok(None);
        }
        answer::json(&answer)
            .map(Some)
            .ok_or_else(|| AskError::Trouble("the details of a call are not JSON".to_owned()))
    }

    fn news(&self, body: Option<&Value>) -> CallStatus {
        let Some(body) = body else { return CallStatus::Unclear };
        let status = wire::member(body, "status").and_then(answer::word).unwrap_or_default();
        self.status_map.standing_at("Twenty2", &status).news(|| wire::details(body))
    }

    pub(super) async fn get(&self, path: &str, budget: &dyn Budget) -> Result<Response<Bytes>, AskError> {
        self.account.ask(Method::GET, path, Body::None, budget, wire::refusal).await
    }
}

fn fits(lost: &LostCall, logged: &LoggedCall, latest: Moment) -> bool {
    let in_time = logged.started_at.is_none_or(|at| at >= lost.sent_at - SKEW && at <= latest);
    let caller = match (&lost.caller_id, &logged.caller) {
        // Either may be written without its country code.
        (Some(ours), Some(theirs)) => same_number(ours, theirs) || same_number(theirs, ours),
        _ => true,
    };
    let agent = logged.agent.as_ref().is_none_or(|agent| *agent == lost.agent);
    same_number(lost.number.e164(), &logged.callee) && caller && agent && in_time
}
