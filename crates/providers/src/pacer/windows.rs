//! All limits of one lane together.

use std::collections::HashMap;
use std::time::Duration;

use ringfence_domain::CampaignId;
use ringfence_domain::lane::LimitKind;
use tokio::time::Instant;

use super::permit::Purpose;
use super::window::Window;

/// Calls that have not waited for this long wait no more.
pub(super) const BREAK: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Windows {
    pub(super) calls: Window,
    pub(super) requests: Window,
    pub(super) campaigns: HashMap<CampaignId, Window>,
    pub(super) waits: Option<Waits>,
}

/// The calls that wait for a permit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub(super) by: LimitKind,
    pub(super) since: Instant,
    pub(super) until: Instant,
}

impl Windows {
    pub(super) fn new(calls: Window, requests: Window, campaigns: HashMap<CampaignId, Window>) -> Self {
        Self { calls, requests, campaigns, waits: None }
    }

    /// The windows that a request counts for.
    fn of(&mut self, purpose: Purpose) -> impl Iterator<Item = (LimitKind, &mut Window)> {
        let (calls, campaign) = match purpose {
            Purpose::Call(campaign) => (Some((LimitKind::Calls, &mut self.calls)), campaign),
            Purpose::Question => (None, None),
        };
        let own = campaign.and_then(|id| self.campaigns.get_mut(&id)).map(|own| (LimitKind::Campaign, own));
        calls.into_iter().chain([(LimitKind::Requests, &mut self.requests)]).chain(own)
    }

    /// Takes out a permit, whose moment is returned, if that is no later than `ahead` from now. The
    /// error says when to ask again.
    pub(super) fn reserve(&mut self, purpose: Purpose, now: Instant, ahead: Duration) -> Result<Instant, Instant> {
        let rooms = self.of(purpose).map(|(kind, window)| (window.first_room(purpose, now), kind));
        // What is not known yet is later than all that is.
        let last = rooms.max_by_key(|(room, _)| (room.is_err(), room.unwrap_or_else(|again| again)));
        let (room, kind) = last.expect("every request counts for a limit");
        let again = match room {
            Ok(at) if at <= now + ahead => {
                self.of(purpose).for_each(|(_, window)| window.reserve(purpose, at, now));
                return Ok(at);
            }
            Ok(at) => at.checked_sub(ahead).unwrap_or(at),
            Err(again) => again,
        };
        if matches!(purpose, Purpose::Call(_)) {
            self.wait_for(kind, now, room.unwrap_or_else(|again| again));
        }
        Err(again)
    }

    /// Calls wait for this limit until `until`.
    fn wait_for(&mut self, by: LimitKind, now: Instant, until: Instant) {
        let before = self.waits.filter(|waits| waits.by == by && now.saturating_duration_since(waits.until) < BREAK);
        self.waits = Some(Waits { by, since: before.map_or(now, |waits| waits.since), until });
    }

    /// Spends a permit: its request leaves now.
    pub(super) fn spend(&mut self, purpose: Purpose, now: Instant) {
        self.of(purpose).for_each(|(_, window)| window.spend(now));
    }

    /// Takes a permit back that was not spent.
    pub(super) fn give_back(&mut self, purpose: Purpose) {
        self.of(purpose).for_each(|(_, window)| window.give_back(purpose));
    }
}
