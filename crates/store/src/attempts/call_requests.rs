//! What somebody said in a call, as their campaign reads what the agent collected.

use std::collections::BTreeMap;

use ringfence_domain::callback::Asked;
use ringfence_domain::condition::{Condition, OptOut, output};
use ringfence_domain::heard::speaks_of_opting_out;
use ringfence_domain::{CallDetails, Campaign, Moment, NumberKey, Outcome, PhoneNumber, RunId, Span, ZoneSet};

use crate::counters::{Counter, Deltas};
use crate::dnc::{DncList, DncListId};
use crate::session::Session;
use crate::{StoreError, dnc};

/// What follows from it.
pub(crate) struct CallRequests {
    /// When they want to be called back.
    pub(crate) callback: Option<Asked>,
    /// They want no more calls, from anyone.
    pub(crate) opted_out: bool,
    /// What they said about it cannot be told for certain: the output, and its value.
    unclear: Option<(String, String)>,
    /// They said no.
    pub(crate) refused: bool,
}

/// Reads what was collected in a call that was sent at `sent_at` to someone whose own zones are
/// `own`.
pub(crate) fn parse(campaign: &Campaign, details: &CallDetails, sent_at: Moment, own: &ZoneSet) -> CallRequests {
    let holds = |condition: &Option<Condition>| condition.as_ref().is_some_and(|when| when.holds(&details.outputs));
    // "In an hour" and "tomorrow" are meant from the call on, however late its outcome was learned.
    let ended = sent_at + Span::from_secs(i64::from(details.talk_seconds.unwrap_or_default()));
    let asked =
        |rule: &ringfence_domain::callback::Callback| rule.asked(&details.outputs, ended, &campaign.place_of(own));
    let opt_out = campaign.opt_out.as_ref().map_or(OptOut::NotWanted, |when| when.opt_out(&details.outputs));
    CallRequests {
        callback: campaign.callback.as_ref().and_then(asked),
        opted_out: opt_out == OptOut::Wanted,
        unclear: match opt_out {
            OptOut::Unclear { output, value } => Some((output, value)),
            _ => None,
        },
        refused: holds(&campaign.refusal),
    }
}

/// Longer values are counted together: there may be as many of them as calls.
const LONGEST_VALUE: usize = 24;

const LONGEST_NAME: usize = 40;

impl CallRequests {
    /// Counts what was said, and what nobody heeds.
    pub(crate) fn count(
        &self,
        deltas: &mut Deltas,
        run: RunId,
        campaign: &Campaign,
        outcome: Outcome,
        details: &CallDetails,
    ) {
        if outcome == Outcome::Answered {
            let heard = campaign.asked_outputs().into_iter().filter(|name| output(&details.outputs, name).is_some());
            heard.for_each(|name| deltas.count(run, Counter::Heard(name.to_owned()), 1));
        }
        deltas.count(run, Counter::OptedOut, i64::from(self.opted_out));
        deltas.count(run, Counter::Refused, i64::from(self.refused));
        if let Some((output, value)) = &self.unclear {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let value = if value.chars().count() > LONGEST_VALUE { "a longer text" } else { &value };
            deltas.count(run, Counter::UnclearOptOut(format!("{output}={value}")), 1);
        }
        for (name, value) in &details.outputs {
            let read = campaign.opt_out.as_ref().is_some_and(|when| when.reads(name));
            if !read && speaks_of_opting_out(name) && name.chars().count() <= LONGEST_NAME {
                let yes = Condition([(name.clone(), vec!["yes".to_owned()])].into());
                let wanted = yes.opt_out(&BTreeMap::from([(name.clone(), value.clone())])) != OptOut::NotWanted;
                deltas.count(run, Counter::Unheeded(name.clone()), 1);
                deltas.count(run, Counter::UnheededYes(name.clone()), i64::from(wanted));
            }
        }
    }
}

/// Puts numbers on the do-not-call list whose owners said so in calls of these campaigns.
pub(crate) async fn opt_out(
    session: &mut Session,
    said: Vec<(NumberKey, PhoneNumber, &Campaign)>,
    now: Moment,
) -> Result<(), StoreError> {
    let mut lists: BTreeMap<&str, DncListId> = BTreeMap::new();
    let mut numbers = Vec::with_capacity(said.len());
    for (number_key, number, campaign) in said {
        let known = lists.get(campaign.name.as_str()).copied();
        let list = if let Some(list) = known {
            list
        } else {
            let reason = campaign.opt_out.as_ref().map(|when| format!("opted out: {when}"));
            let source = Some(format!("campaign {}", campaign.name));
            let list = dnc::begin(session, &DncList { campaign: None, source, reason, added_at: now }).await?;
            *lists.entry(&campaign.name).or_insert(list)
        };
        numbers.push((list, number_key, number));
    }
    // Their calls are live: nobody can claim these numbers before this transaction is over, and no
    // fence is needed.
    dnc::insert(session, &numbers).await?;
    Ok(())
}
