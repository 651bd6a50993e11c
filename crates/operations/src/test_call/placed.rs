//! Waiting for the outcome of a test call.

use std::time::Duration;

use ringfence_domain::{AttemptState, CampaignState, Clock, ContactState, LaneId, LaneState, NumberKey, Zone};
use ringfence_store::{AttemptRow, CampaignRow, ContactRow, Database};

use super::{Called, LOOK};
use crate::amount::amount;
use crate::error::Error;
use crate::run::Leave;

/// What was seen at last.
pub(super) enum Looked {
    /// The contact, when its call is over or was waited for long enough.
    Contact(Option<Box<ContactRow>>),
    /// A signal, with its exit code.
    Signal(u8),
}

/// A call that is waited for.
pub(super) struct Waiting<'w> {
    pub(super) store: &'w Database,
    pub(super) clock: &'w dyn Clock,
    pub(super) lane: LaneId,
    pub(super) campaign: &'w CampaignRow,
    pub(super) key: NumberKey,
}

impl Waiting<'_> {
    /// Waits until the call is over, put off, refused, or `max_time` is up.
    pub(super) async fn until_ended(&self, max_time: Duration, mut leave: Leave<'_>) -> Result<Looked, Error> {
        let deadline = self.clock.boot() + max_time;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                code = &mut leave => return Ok(Looked::Signal(code?)),
            }
            let Some(contact) = self.store.contact_by_number(self.campaign.run, self.key).await? else {
                return Ok(Looked::Contact(None));
            };
            let is_put_off = contact.state == ContactState::Waiting && contact.due_at > self.clock.read().now;
            let is_live = matches!(contact.state, ContactState::Waiting | ContactState::Active) && !is_put_off;
            // What was refused waits for a person, not for a time.
            let is_refused = contact.state == ContactState::Waiting && self.is_held().await?;
            if !is_live || is_refused || self.clock.boot() >= deadline {
                return Ok(Looked::Contact(Some(Box::new(contact))));
            }
        }
    }

    /// Whether lane or campaign was paused by the answer to the call, or nothing of it could be
    /// sent.
    async fn is_held(&self) -> Result<bool, Error> {
        let attempts = self.store.attempts_at(self.key).await?;
        let last = attempts.into_iter().rfind(|attempt| attempt.run == self.campaign.run);
        let state = last.map(|attempt| attempt.state);
        if state == Some(AttemptState::NotSent) {
            return Ok(true);
        }
        let lanes = self.store.lanes().await?;
        let is_paused = lanes.iter().any(|row| row.id == self.lane && row.state == LaneState::Paused);
        let is_held = self.store.campaign_by_id(self.campaign.id).await?.state != CampaignState::Running;
        Ok(state == Some(AttemptState::Refused) && (is_paused || is_held))
    }
}

/// The call, if it was made.
pub(super) fn called(contact: &ContactRow, last: Option<AttemptRow>, zone: Zone) -> Result<Called, Error> {
    let made = last.filter(|attempt| attempt.sending_at.is_some());
    if let (ContactState::Stopped, Some(reason), None) = (contact.state, contact.stop_reason, &made) {
        return Err(Error::held(
            format!("{} was not called: {reason}", contact.number),
            "`ringfence why` and the phone number say more",
        ));
    }
    let Some(attempt) = made else {
        return Err(Error::held(
            format!("{} was not called: a rule puts it off until {}", contact.number, contact.due_at.shown(zone)),
            "`ringfence why` and the phone number say which",
        ));
    };
    Ok(Called {
        phone: contact.number.e164().to_owned(),
        state: contact.state,
        attempt: attempt.id,
        attempt_state: attempt.state,
        outcome: attempt.outcome,
        call_id: attempt.call_id,
        cause: attempt.cause,
        sent_at: attempt.sending_at,
        talk_seconds: attempt.talk_seconds,
        cost: attempt.cost_micros.map(amount),
        currency: attempt.currency,
        outputs: attempt.outputs,
        recording_url: attempt.recording_url,
        transcript_url: attempt.transcript_url,
    })
}
