//! What is true of the rows of the lanes that this process dials.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use ringfence_domain::{AttemptState, ContactState, LaneState, Moment};
use ringfence_operations::workspace::is_listed;
use ringfence_store::{Counter as Counts, LaneRow, StoreError};

use crate::Server;

/// Campaigns that are named; those beyond them are told together as `other`.
const CAMPAIGNS: usize = 100;

macro_rules! labels {
    ($($name:ident { $($field:ident: $type:ty),+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $($field: $type),+ }
    )+};
}

labels! {
    OfLane { lane: String }
    OfState { lane: String, state: &'static str }
    OfOutcome { lane: String, outcome: &'static str }
    OfReason { lane: String, reason: &'static str }
    OfClass { lane: String, class: &'static str }
    OfCampaign { campaign: String, state: &'static str }
    OfWebhook { webhook: i64, state: &'static str }
}

type Numbers<L> = Family<L, Gauge>;
type Counters<L> = Family<L, Counter>;

/// Every metric of the rows.
#[derive(Default)]
struct Rows {
    dials: Counters<OfLane>,
    attempts: Counters<OfState>,
    outcomes: Counters<OfOutcome>,
    finished: Counters<OfReason>,
    talk: Counters<OfLane>,
    contacts: Numbers<OfState>,
    in_flight: Numbers<OfState>,
    queued: Numbers<OfClass>,
    oldest: Numbers<OfClass>,
    next_opening: Numbers<OfLane>,
    window_open: Numbers<OfLane>,
    slots: Numbers<OfState>,
    left_today: Numbers<OfLane>,
    open: Numbers<OfLane>,
    resting: Numbers<OfLane>,
    lease: Numbers<OfLane>,
    imports: Numbers<OfState>,
    campaigns: Numbers<OfCampaign>,
    webhooks: Numbers<OfWebhook>,
    webhook_oldest: Numbers<OfWebhook>,
    stopped: Gauge,
    stalled: Numbers<OfLane>,
}

pub(super) async fn register(registry: &mut Registry, server: &Server) -> Result<(), StoreError> {
    let now = server.clock.read().now;
    let rows = Rows::default();
    let lanes = server.store.lanes().await?;
    let own: Vec<LaneRow> = lanes
        .into_iter()
        .filter(|lane| lane.owner.as_deref() == Some(&server.process) && lane.lease_until > now)
        .collect();
    if !own.is_empty() {
        rows.lanes(server, &own, now).await?;
        rows.campaigns(server, &own).await?;
        rows.webhooks(server, now).await?;
        rows.stopped.set(i64::from(server.store.stop().await?.is_some()));
    }
    rows.register(registry);
    Ok(())
}

impl Rows {
    fn register(self, registry: &mut Registry) {
        registry.register("dials", "Attempts whose request left", self.dials);
        registry.register("attempts", "Attempts that are over, by how they ended", self.attempts);
        registry.register("outcomes", "Calls that ended, by outcome", self.outcomes);
        registry.register("contacts_finished", "Contacts that are not called any more, by reason", self.finished);
        registry.register("talk_seconds", "Seconds talked", self.talk);
        registry.register("contacts", "Contacts of all runs, by state", self.contacts);
        registry.register("attempts_open", "Attempts that are not over, by state", self.in_flight);
        registry.register("queue_contacts", "Contacts that wait, by why they are due", self.queued);
        registry.register("queue_oldest_seconds", "Since when the first of them is due", self.oldest);
        registry.register(
            "lane_next_opening_timestamp_seconds",
            "When somebody who waits may be called next",
            self.next_opening,
        );
        registry.register("lane_window_open", "1 while somebody who waits may be called now", self.window_open);
        registry.register("lane_slots", "Slots, by state", self.slots);
        registry.register("lane_calls_left_today", "Calls that the lane may still make today", self.left_today);
        registry.register("lane_open", "1 while the lane may dial, 0 while it is paused", self.open);
        registry.register("lane_resting", "1 while the lane rests for its vendor's sake", self.resting);
        registry.register("lane_lease_seconds", "How long the lease of the lane lasts yet", self.lease);
        registry.register("imports", "Imports, by state", self.imports);
        registry.register("campaign_contacts", "Contacts of running campaigns, by state", self.campaigns);
        registry.register("webhook_messages", "Messages to a webhook, by state", self.webhooks);
        registry.register(
            "webhook_oldest_seconds",
            "Since when the first message that waits is due",
            self.webhook_oldest,
        );
        registry.register("stopped", "1 while everything is stopped", self.stopped);
        registry.register("campaigns_stalled", "Campaigns that dial nobody though people wait", self.stalled);
    }

    async fn lanes(&self, server: &Server, own: &[LaneRow], now: Moment) -> Result<(), StoreError> {
        let mut measured = server.store.lane_measures().await?;
        for lane in own {
            let name = || lane.settings.name.clone();
            let of = || OfLane { lane: name() };
            let state = |state| OfState { lane: name(), state };
            let load = server.store.lane_load(lane.id, now).await?;
            let held = load.all();
            let slots = lane.settings.limits.concurrent;
            self.slots.get_or_create(&state("total")).set(i64::from(slots));
            self.slots.get_or_create(&state("taken")).set(i64::from(held.taken));
            self.slots.get_or_create(&state("unknown")).set(i64::from(held.unsure));
            if let Some(left) = load.left_today {
                self.left_today.get_or_create(&of()).set(i64::from(left));
            }
            self.open.get_or_create(&of()).set(i64::from(lane.state == LaneState::Open));
            self.resting.get_or_create(&of()).set(i64::from(lane.backoff_until > now));
            self.lease.get_or_create(&of()).set(lane.lease_until.since(now).millis() / 1_000);
            let Some(rows) = measured.remove(&lane.settings.name) else { continue };
            self.stalled.get_or_create(&of()).set(rows.stalled);
            let dials = rows.counts.iter().filter(|(counter, _)| is_dial(counter)).map(|(_, n)| n).sum::<i64>();
            set(&self.dials.get_or_create(&of()), dials);
            for (counter, n) in &rows.counts {
                self.count(name(), counter, *n);
            }
            for (class, (n, due_at, _)) in &rows.queues {
                let of = OfClass { lane: name(), class: class.as_str() };
                self.queued.get_or_create(&of).set(*n);
                self.oldest.get_or_create(&of).set(now.since(*due_at).millis().max(0) / 1_000);
            }
            if let Some(opening) = rows.queues.values().map(|(_, _, eligible_at)| *eligible_at).min() {
                self.next_opening.get_or_create(&of()).set(opening.millis() / 1_000);
                self.window_open.get_or_create(&of()).set(i64::from(opening <= now));
            }
            for (import, n) in &rows.imports {
                self.imports.get_or_create(&state(import.as_str())).set(*n);
            }
        }
        Ok(())
    }

    fn count(&self, lane: String, counter: &Counts, n: i64) {
        let total = |counter: &Counter| set(counter, n);
        match counter {
            Counts::Attempt(state) if state.is_live() => {
                self.in_flight.get_or_create(&OfState { lane, state: state.as_str() }).set(n);
            }
            Counts::Attempt(state) => total(&self.attempts.get_or_create(&OfState { lane, state: state.as_str() })),
            Counts::Outcome(outcome) => {
                total(&self.outcomes.get_or_create(&OfOutcome { lane, outcome: outcome.as_str() }));
            }
            Counts::Stopped(reason) => total(&self.finished.get_or_create(&OfReason { lane, reason: reason.as_str() })),
            Counts::TalkSeconds => total(&self.talk.get_or_create(&OfLane { lane })),
            Counts::Contact(state) => {
                if *state == ContactState::Done {
                    total(&self.finished.get_or_create(&OfReason { lane: lane.clone(), reason: "done" }));
                }
                self.contacts.get_or_create(&OfState { lane, state: state.as_str() }).set(n);
            }
            _ => {}
        }
    }

    async fn campaigns(&self, server: &Server, own: &[LaneRow]) -> Result<(), StoreError> {
        let running = server.store.campaigns().await?.into_iter().filter(|campaign| {
            campaign.state == ringfence_domain::CampaignState::Running
                && is_listed(&campaign.rules.name)
                && own.iter().any(|lane| lane.id == campaign.lane)
        });
        for (place, campaign) in running.enumerate() {
            let counts = server.store.run_counts(campaign.run).await?;
            let name = if place < CAMPAIGNS { campaign.rules.name } else { "other".to_owned() };
            for state in ContactState::ALL {
                let n = counts.get(&format!("contact:{state}")).copied().unwrap_or_default();
                let of = OfCampaign { campaign: name.clone(), state: state.as_str() };
                self.campaigns.get_or_create(&of).inc_by(n);
            }
        }
        Ok(())
    }

    async fn webhooks(&self, server: &Server, now: Moment) -> Result<(), StoreError> {
        for row in server.store.webhooks().await? {
            let of = |state| OfWebhook { webhook: row.id, state };
            self.webhooks.get_or_create(&of("waiting")).set(row.waiting);
            self.webhooks.get_or_create(&of("dead")).set(row.dead);
            let oldest = row.oldest_due_at.map_or(0, |due| now.since(due).millis().max(0) / 1_000);
            self.webhook_oldest.get_or_create(&of("waiting")).set(oldest);
        }
        Ok(())
    }
}

/// A total that is kept in the rows.
fn set(counter: &Counter, n: i64) {
    counter.inner().store(n.unsigned_abs(), std::sync::atomic::Ordering::Relaxed);
}

/// Tells whether a count is of attempts whose request left.
fn is_dial(counter: &Counts) -> bool {
    use AttemptState::{Ended, NotPlaced, Placed, Refused, Unknown};
    matches!(counter, Counts::Attempt(Ended | NotPlaced | Placed | Refused | Unknown))
}
