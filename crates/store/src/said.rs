//! What somebody said in a call, as their campaign reads what the agent collected.

use std::collections::BTreeMap;

use ringfence_domain::callback::Asked;
use ringfence_domain::condition::Condition;
use ringfence_domain::{CallDetails, Campaign, Moment, NumberKey, PhoneNumber, Span, ZoneSet};

use crate::StoreError;
use crate::dnc::{self, DncList, DncListId};
use crate::session::Session;

/// What follows from it.
pub(crate) struct Said {
    /// When they want to be called back.
    pub(crate) callback: Option<Asked>,
    /// They want no more calls, from anyone.
    pub(crate) opted_out: bool,
    /// They said no.
    pub(crate) refused: bool,
}

/// Reads what was collected in a call that was sent at `sent_at` to someone whose own zones are `own`.
pub(crate) fn read(campaign: &Campaign, details: &CallDetails, sent_at: Moment, own: &ZoneSet) -> Said {
    let holds = |condition: &Option<Condition>| condition.as_ref().is_some_and(|when| when.holds(&details.outputs));
    // "In an hour" and "tomorrow" are meant from the call on, however late its outcome was learned.
    let ended = sent_at + Span::from_secs(i64::from(details.talk_seconds.unwrap_or_default()));
    let asked =
        |rule: &ringfence_domain::callback::Callback| rule.asked(&details.outputs, ended, &campaign.place_of(own));
    Said {
        callback: campaign.callback.as_ref().and_then(asked),
        opted_out: holds(&campaign.opt_out),
        refused: holds(&campaign.refusal),
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
    // Their calls are live: nobody can claim these numbers before this transaction is over, and no fence is needed.
    dnc::insert(session, &numbers).await?;
    Ok(())
}
