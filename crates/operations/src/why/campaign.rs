//! For a whole campaign: how many contacts wait for which reason.

use std::collections::BTreeMap;

use ringfence_domain::verdict::Verdict;
use ringfence_domain::{ClockReading, DialClass, Moment, Zone};
use ringfence_store::RunFigures;
use serde::Serialize;

use crate::summary::waiting::{Group, groups};
use crate::summary::{Asker, summarize};

/// Why contacts of a campaign are not being dialled right now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhyCampaign {
    /// The campaign.
    pub campaign: String,
    /// Whose clocks people read it on.
    #[serde(skip)]
    pub clock: Zone,
    /// Why nothing is dialled, in one sentence.
    pub because: Option<String>,
    /// Contacts that wait.
    pub waiting: i64,
    /// The reasons add up to `waiting`. Caps and cool-offs of a number are asked when its turn
    /// comes, and are a reason from then on.
    pub reasons: Vec<Reason>,
    /// How many of them are on the do-not-call list, and stopped when the turn comes.
    /// None when both they and the list are too many to be counted at once.
    pub on_dnc: Option<i64>,
    /// Contacts with a live call.
    pub active: i64,
    /// Contacts that a person must look at.
    pub review: i64,
    /// Contacts that are finished.
    pub done: i64,
    /// Contacts that were stopped, by reason.
    pub stopped_for: BTreeMap<&'static str, i64>,
}

impl WhyCampaign {
    /// What the do-not-call list means for those who wait; none when nobody of them is on it.
    pub fn dnc_says(&self) -> Option<String> {
        match self.on_dnc {
            Some(0) => None,
            Some(1) => Some("1 of them is on the do-not-call list, and stopped when the turn comes".to_owned()),
            Some(n) => Some(format!("{n} of them are on the do-not-call list, and stopped when the turn comes")),
            None => Some(
                "those of them who are on the do-not-call list are stopped when the turn comes; how many there are is \
                 not counted, as both are long"
                    .to_owned(),
            ),
        }
    }
}

/// One reason.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Reason {
    /// The rule.
    pub rule: String,
    /// Its words.
    pub says: String,
    /// How many contacts it holds.
    pub contacts: i64,
    /// When the first of them may be dialled as far as this reason goes, if time alone can tell.
    pub from: Option<Moment>,
}

pub(super) fn explain(figures: &RunFigures, asker: &Asker, on_dnc: Option<i64>, reading: ClockReading) -> WhyCampaign {
    let summary = summarize(figures, asker, reading);
    let clock = figures.conditions.clock();
    let mut reasons: BTreeMap<(String, String), (i64, Option<Moment>)> = BTreeMap::new();
    for group in groups(figures, asker.stop_switch.clone(), reading) {
        let (rule, says, from) = reason(&group, clock, reading);
        let known = reasons.entry((rule, says)).or_insert((0, from));
        known.0 += group.waiting.contacts;
        known.1 = known.1.min(from).or(known.1).or(from);
    }
    let reasons = reasons.into_iter();
    let mut reasons: Vec<Reason> =
        reasons.map(|((rule, says), (contacts, from))| Reason { rule, says, contacts, from }).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.contacts));
    WhyCampaign {
        campaign: summary.campaign,
        clock,
        because: summary.because,
        waiting: summary.contacts.waiting,
        reasons,
        on_dnc,
        active: summary.contacts.active,
        review: summary.contacts.review,
        done: summary.contacts.done,
        stopped_for: summary.stopped_for.into_iter().filter(|(_, n)| *n > 0).collect(),
    }
}

/// The rule that holds a group, its words, and from when on it allows.
fn reason(group: &Group, clock: Zone, reading: ClockReading) -> (String, String, Option<Moment>) {
    let named = |rule: &str, says: &str| (rule.to_owned(), says.to_owned());
    let Some(verdict) = &group.waiting.held_by else {
        let (rule, says) = named("turn", "they may be dialled now, and wait for a free slot");
        return (rule, says, Some(reading.now));
    };
    let (rule, says) = match (verdict, group.class) {
        (Verdict::Due { .. }, DialClass::Capped) => {
            named("limits", "a cap, a cool-off or an hour to avoid holds the number")
        }
        (Verdict::Due { .. }, DialClass::Callback) => named("callback", "the callee asked for a later call"),
        (Verdict::Due { .. }, DialClass::Retry | DialClass::First) => {
            named("retry", "the delay after an earlier call is not over")
        }
        (Verdict::Import { .. }, _) => {
            named("import", "their import is held, or waits for the outcomes of its first calls")
        }
        _ => (verdict.rule().into_owned(), verdict.says(reading, clock)),
    };
    (rule, says, verdict.from(reading))
}
