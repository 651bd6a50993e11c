//! The calls to one number, one after the other.

use std::collections::HashMap;

use ringfence_domain::call::PastCall;
use ringfence_domain::{AttemptState, ContactId, ContactState, Moment, Outcome};
use ringfence_store::ClaimedAttempt;

use super::tape::VendorTape;
use super::{Broken, Law, Verified};
use crate::error::Error;

/// Every claimed attempt for one number, oldest first.
pub(super) struct Calls(pub(super) Vec<ClaimedAttempt>);

/// Tells whether an attempt was a call, or may have been.
pub(super) fn is_call(attempt: &ClaimedAttempt) -> bool {
    match attempt.state {
        AttemptState::Sending | AttemptState::Placed | AttemptState::Unknown => true,
        AttemptState::Ended => attempt.outcome != Some(Outcome::NotDialled),
        _ => false,
    }
}

impl Calls {
    pub(super) async fn judge(
        self,
        law: &mut Law<'_>,
        mut tape: Option<&mut VendorTape>,
        found: &mut Verified,
    ) -> Result<(), Error> {
        let Self(attempts) = self;
        let mut earlier: Vec<PastCall> = Vec::new();
        let mut before: Option<&ClaimedAttempt> = None;
        let mut calls: HashMap<ContactId, u32> = HashMap::new();
        for attempt in &attempts {
            let taped = tape.as_deref_mut().and_then(|tape| tape.take(attempt).cloned());
            if !is_call(attempt) {
                continue;
            }
            let says =
                |what: &str| format!("attempt {} of {}, at {}: {what}", attempt.id, shown(attempt), attempt.sending_at);
            if let Some(before) = before
                && before.ended_at.is_none_or(|ended| attempt.sending_at < ended)
            {
                found.add(Broken::Duplicated, 1, || says(&format!("the call of attempt {} was out", before.id)));
            }
            if matches!(attempt.contact_state, ContactState::Done | ContactState::Stopped)
                // The call that finished it may seem to be sent later, by the clock of another machine.
                && attempt.finished_at.is_some_and(|finished| attempt.sending_at > finished && attempt.ended_at != Some(finished))
            {
                found.add(Broken::Duplicated, 1, || says("its contact was finished"));
            }
            if let Some(tape) = &tape
                && taped.is_none()
                && attempt.call_id.is_some()
                && tape.covers(attempt.sending_at)
            {
                found.add(Broken::Lost, 1, || says("its call is not on the tape, or is another attempt's"));
            }
            let nth = calls.entry(attempt.contact).or_default();
            // Another call follows one of unknown fate only on a person's word that it was never placed.
            *nth += u32::from(attempt.outcome != Some(Outcome::Unknown));
            let rang_at = taped.map(|call| call.rings_at.unwrap_or(call.at));
            judge_rules(law, attempt, (*nth, &earlier), rang_at, found).await?;
            earlier.push(PastCall {
                sent_at: attempt.sending_at,
                ended_at: attempt.ended_at,
                outcome: attempt.outcome,
                refused: attempt.refusal,
            });
            before = Some(attempt);
        }
        Ok(())
    }
}

/// Window and limits. `nth`: which call of its contact to this number it is. `rang_at`: when the
/// phone rang, if the tape knows.
async fn judge_rules(
    law: &mut Law<'_>,
    attempt: &ClaimedAttempt,
    (nth, earlier): (u32, &[PastCall]),
    rang_at: Option<Moment>,
    found: &mut Verified,
) -> Result<(), Error> {
    let hours = law.lanes.get(&attempt.lane).and_then(|lane| lane.settings.vendor_hours());
    let of = law.of_run(attempt.run).await?;
    let at = attempt.sending_at;
    // What was opened under other rules is claimed by none but those.
    if of.since.is_none_or(|since| at < since) {
        found.before_rules += 1;
        return Ok(());
    }
    let campaign = &of.row.rules;
    let says = |what: String| format!("attempt {} of {}, at {at}: {what}", attempt.id, shown(attempt));
    let zones = &attempt.zones;
    let claimed_in_time = of.rules.ask_window(zones, hours.as_ref(), |window| window.at(at).open);
    let rang_in_time =
        rang_at.is_none_or(|rang_at| of.ringing.ask_window(zones, hours.as_ref(), |window| window.at(rang_at).open));
    if !claimed_in_time || !rang_in_time {
        let rang = rang_at.map(|rang_at| format!(", and it rang at {rang_at}")).unwrap_or_default();
        found.add(Broken::OutOfWindow, 1, || says(format!("the window of {} was closed{rang}", campaign.name)));
    }
    if nth > campaign.retry.max_attempts {
        let most = campaign.retry.max_attempts;
        found.add(Broken::OverLimit, 1, || says(format!("it is call {nth}, and `max_attempts` is {most}")));
    }
    if let Err(hold) = campaign.number_limits().allows(earlier, at, &campaign.place_of(zones)) {
        found.add(Broken::OverLimit, 1, || says(format!("`{}` says: {}", hold.rule, hold.says)));
    }
    Ok(())
}

fn shown(attempt: &ClaimedAttempt) -> String {
    attempt.number.as_ref().map_or_else(|| "a number".to_owned(), |number| number.e164().to_owned())
}
