//! Erasing the people of runs that are over, once they were kept for long enough.

use std::sync::Arc;

use ringfence_domain::{Clock, Moment, Span, Zone};
use ringfence_store::{Database, ErasableRun};
use serde::Serialize;

use crate::error::Error;

/// A vendor may keep a call overnight: what limits per number are counted from is kept for this much longer.
const LONGEST_CALL: Span = Span::from_days(2);

/// A run whose people are erased, or can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasedRun {
    /// Its campaign.
    pub campaign: String,
    /// The run, counted from 1.
    pub run: i64,
    /// People in it.
    pub contacts: i64,
    /// When its last call was sent, or when it began.
    pub last_at: Moment,
}

/// Which runs are erased: those before a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Nobody in them was called since then.
    pub before: Moment,
    /// The longest time for which a rule remembers calls, when that is longer than they are to be kept.
    pub remembered: Option<Span>,
}

/// Returns from when on people are kept who are to be kept for so long. What rules about a number still remember is
/// kept longer. An error when the rules of a campaign cannot be read: nobody knows then what they remember.
pub async fn due(store: &Database, clock: &dyn Clock, keep: Span) -> Result<Due, Error> {
    if let Some((name, error)) = store.unreadable_campaigns().await?.into_iter().next() {
        return Err(Error::held(
            format!(
                "nobody is erased: the rules of {name} cannot be read, so nobody knows which calls they remember: {error}"
            ),
            "apply the campaign once more",
        ));
    }
    let memory = |campaign: &ringfence_store::CampaignRow| campaign.rules.number_limits().memory();
    let longest = store.campaigns().await?.iter().map(memory).max().unwrap_or(Span::ZERO);
    let remembered = Span::from_millis(longest.millis() + LONGEST_CALL.millis());
    let longer = longest > Span::ZERO && remembered > keep;
    let kept = if longer { remembered } else { keep };
    Ok(Due { before: clock.read().earliest() - kept, remembered: longer.then_some(remembered) })
}

/// Returns the runs whose people can be erased.
pub async fn list(store: &Database, due: Due) -> Result<Vec<ErasedRun>, Error> {
    Ok(store.erasable_runs(due.before).await?.into_iter().map(shown).collect())
}

/// Erases them. Calls go on beside it. Returns the runs that are erased.
pub async fn erase(store: &Arc<Database>, clock: &dyn Clock, due: Due) -> Result<Vec<ErasedRun>, Error> {
    let mut erased = Vec::new();
    for run in store.erasable_runs(due.before).await? {
        if !store.mark_erased(run.id, due.before, clock.read().now).await? {
            continue;
        }
        while store.erase_some(run.id).await? {}
        erased.push(shown(run));
    }
    Ok(erased)
}

fn shown(run: ErasableRun) -> ErasedRun {
    ErasedRun { campaign: run.name, run: run.number, contacts: run.contacts, last_at: run.last_at }
}

/// An error when the people of a run are erased, for who wants to read them.
pub(crate) fn refuse_erased(campaign: &str, number: i64, erased_at: Option<Moment>, zone: Zone) -> Result<(), Error> {
    let Some(at) = erased_at else { return Ok(()) };
    Err(Error::missing(
        format!("the people of run {number} of {campaign} were erased {}", at.shown(zone)),
        format!("their counts are kept: `ringfence runs {campaign}` shows them"),
    ))
}
