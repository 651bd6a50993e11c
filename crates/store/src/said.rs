//! What somebody said in a call, as their campaign reads what the agent collected.

use ringfence_domain::callback::Asked;
use ringfence_domain::condition::Condition;
use ringfence_domain::{CallDetails, Campaign, Moment, NumberKey, PhoneNumber, Span, ZoneSet};

use crate::StoreError;
use crate::dnc::{self, DncList};
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

/// Puts numbers on the do-not-call list whose owners said so in a call of `campaign`.
pub(crate) async fn opt_out(
    session: &mut Session,
    campaign: &Campaign,
    numbers: &[(NumberKey, PhoneNumber)],
    now: Moment,
) -> Result<(), StoreError> {
    let list = DncList {
        campaign: None,
        source: Some(format!("campaign {}", campaign.name)),
        reason: campaign.opt_out.as_ref().map(|when| format!("opted out: {when}")),
        added_at: now,
    };
    dnc::add_live(session, &list, numbers).await
}
