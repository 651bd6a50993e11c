//! One burst: rules → permits → claim → one request each → results.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringfence_crash as crash;
use ringfence_domain::template::{NoValue, Row, Template};
use ringfence_domain::{
    AttemptId, Campaign, CampaignId, Clock, LaneAnswers, LaneEffect, Moment, PhoneNumber, Placement, ReportAddress,
    Span, StopSwitch, ZoneSet,
};
use ringfence_providers::{CallRequest, Pacer, Permit, Provider};
use ringfence_store::{
    Burst, BurstCall, ClaimOrder, Database, LaneLease, Rules, RulesCache, Sent, StoreError, Withheld,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span};

use crate::measures::{self, OfDenial, OfLane};

/// The calls of this much time are claimed together. What is claimed must leave, so a longer time would
/// keep calls that somebody stops meanwhile.
const GATHER: Duration = Duration::from_millis(50);
/// The time after the begin of a claim within which its requests must leave. A later request does
/// not leave: the process may have been stopped or asleep, and what the claim checked may no
/// longer hold.
const SEND_WITHIN: Duration = Duration::from_secs(2);
/// The time within which a call is over, from the moment that the vendor begins to dial.
const RING_AND_TALK: Span = Span::from_hours(1);
/// How long the lane rests when claimed attempts must not be sent.
const WITHHELD: Span = Span::from_secs(10);

/// Dials the bursts of one lane.
#[derive(Debug, Clone)]
pub struct Dialer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    lease: Arc<LaneLease>,
    provider: Arc<dyn Provider>,
    pacer: Arc<Pacer>,
    stop_switch: Arc<dyn StopSwitch>,
    reports: Option<ReportAddress>,
    results: mpsc::Sender<Sent>,
    sending: TaskTracker,
    stop: CancellationToken,
    rules: Arc<RulesCache>,
    calls_made: AtomicUsize,
    /// What the vendor has answered so far.
    answers: Mutex<LaneAnswers>,
}

impl Dialer {
    /// Makes the dialer of the lane of `lease`. `reports` are the addresses that the vendor may
    /// report calls to, if it can. Results go to `results`; requests run in `sending`, which
    /// outlives the workers.
    #[expect(clippy::too_many_arguments, reason = "these are the parts of an engine, named where it is put together")]
    pub fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        lease: Arc<LaneLease>,
        provider: Arc<dyn Provider>,
        pacer: Arc<Pacer>,
        stop_switch: Arc<dyn StopSwitch>,
        reports: Option<ReportAddress>,
        results: mpsc::Sender<Sent>,
        sending: TaskTracker,
        rules: Arc<RulesCache>,
        stop: CancellationToken,
    ) -> Self {
        let calls_made = AtomicUsize::default();
        Self {
            shared: Arc::new(Shared {
                store,
                clock,
                lease,
                provider,
                pacer,
                stop_switch,
                reports,
                results,
                sending,
                stop,
                rules,
                calls_made,
                answers: Mutex::default(),
            }),
        }
    }

    /// Dials a burst. An attempt that cannot be dialled now stays open until it lapses; its contact
    /// is planned again.
    pub async fn dial(&self, burst: Burst) {
        if let Err(error) = self.shared.clone().dial(burst).await {
            tracing::error!(%error, "nothing is dialled on lane {}: {error}", self.shared.lease.settings.name);
        }
    }
}

impl Shared {
    async fn dial(self: Arc<Self>, burst: Burst) -> Result<(), StoreError> {
        // The claim refuses the burst when the campaign has a newer revision.
        let rules = self.rules.at(&self.store, burst.campaign, burst.revision).await?;
        let span = info_span!("campaign", campaign = %rules.campaign.name);
        self.dial_by(rules, burst).instrument(span).await
    }

    async fn dial_by(self: Arc<Self>, rules: Arc<Rules>, burst: Burst) -> Result<(), StoreError> {
        let mut calls = burst.calls;
        while !self.stop.is_cancelled() {
            // Calls whose moment passed while others had their turn are planned again.
            let now = self.clock.read().now;
            calls.retain(|call| call.dial_before > now);
            let Some(last) = calls.iter().map(|call| call.dial_before).max() else { return Ok(()) };
            let own = rules.campaign.limits.calls.map(|rate| (burst.campaign, rate));
            let permits = tokio::select! {
                permits = self.pacer.permits(calls.len(), own, GATHER) => permits,
                () = tokio::time::sleep(last.since(now).duration()) => continue,
                () = self.stop.cancelled() => return Ok(()),
            };
            // What stays open meanwhile lapses and is planned again.
            if !self.lease.holds(self.clock.boot()) {
                return Ok(());
            }
            let batch: Vec<BurstCall> = calls.drain(..permits.len()).collect();
            self.clone().claim_and_send(burst.campaign, &rules, batch, permits).await?;
        }
        Ok(())
    }

    async fn claim_and_send(
        self: Arc<Self>,
        id: CampaignId,
        rules: &Rules,
        batch: Vec<BurstCall>,
        permits: Vec<Permit>,
    ) -> Result<(), StoreError> {
        let campaign = &rules.campaign;
        let (mut requests, mut unfit) = (Vec::new(), Vec::new());
        for call in batch {
            let admitted = campaign.contacts.admits(&call.number).map_err(|error| error.to_string());
            let request =
                admitted.and_then(|()| request(campaign, self.wanted(rules, &call)).map_err(|error| error.to_string()));
            match request {
                Ok(request) => requests.push((call, request)),
                Err(error) => {
                    // Import checks columns and numbers; rules that were applied since may ask for
                    // others.
                    tracing::error!(attempt.id = %call.attempt, %error, "attempt {} cannot be dialled: {error}", call.attempt);
                    unfit.push((call.attempt, error));
                }
            }
        }
        let began = self.clock.boot();
        let order = ClaimOrder {
            lane: self.lease.lane,
            campaign: id,
            limits: campaign.number_limits(),
            max_attempts: campaign.retry.max_attempts,
            safety: campaign.safety.clone(),
            default_zones: campaign.place_of(&ZoneSet::default()),
            calls: requests.iter().map(|(call, request)| (call.attempt, request.from.clone())).collect(),
            unfit,
            // The claim denies what is stopped, so that nobody waits for it to lapse.
            stop_switch: self.stop_switch.active(),
            reading: self.clock.read(),
        };
        let claimed = self.store.claim(order).await?;
        for refused in &claimed.refused {
            let of = OfDenial { lane: self.lane_name(), reason: measures::reason(refused.why) };
            measures::DENIALS.get_or_create(&of).inc();
            tracing::debug!(attempt.id = %refused.attempt, why = ?refused.why, "attempt {} is not dialled", refused.attempt);
        }
        let mut requests: BTreeMap<AttemptId, (BurstCall, CallRequest)> =
            requests.into_iter().map(|pair| (pair.0.attempt, pair)).collect();
        if let Some(Withheld { attempts, why }) = claimed.withheld {
            let rest = self.clock.read().now + WITHHELD;
            for (call, _) in attempts.into_iter().filter_map(|attempt| requests.remove(&attempt)) {
                let effect = LaneEffect::Slow(rest, why.clone());
                let now = self.clock.read().now;
                self.tell(&call, Placement::NotSent { cause: why.clone() }, effect, (now, now)).await;
            }
        }
        let mut permits = permits.into_iter();
        for attempt in claimed.sending {
            let (Some((call, request)), Some(permit)) = (requests.remove(&attempt), permits.next()) else { continue };
            let engine = self.clone();
            let span = info_span!("attempt", attempt = %attempt, reference = call.reference);
            self.sending.spawn(async move { engine.send(call, request, permit, began).await }.instrument(span));
        }
        Ok(())
    }

    fn wanted<'c>(&self, rules: &Rules, call: &'c BurstCall) -> Wanted<'c> {
        let settings = &self.lease.settings;
        let at = self.clock.read().now;
        Wanted {
            to: &call.number,
            fields: &call.fields,
            reference: &call.reference,
            turn: self.calls_made.fetch_add(1, Ordering::Relaxed),
            at,
            ring_before: rules.closing(&call.zones, settings.vendor_hours().as_ref(), at),
            report_to: self.reports.as_ref().map(|reports| reports.of_attempt(&settings.name, &call.reference)),
        }
    }

    fn lane_name(&self) -> String {
        self.lease.settings.name.clone()
    }

    /// Sends the one request of a claimed attempt.
    async fn send(&self, call: BurstCall, request: CallRequest, permit: Permit, began: Duration) {
        permit.spend().await;
        let stopped = self.stop_switch.active();
        let late = self.clock.boot().saturating_sub(began) > SEND_WITHIN
            || self.clock.read().latest() >= call.dial_before
            || !self.lease.holds(self.clock.boot());
        let kept_back =
            stopped.or_else(|| late.then(|| "the claim took too long for the call to begin in time".to_owned()));
        let sent_at = self.clock.read().now;
        if let Some(cause) = kept_back {
            return self.tell(&call, Placement::NotSent { cause }, LaneEffect::Nothing, (sent_at, sent_at)).await;
        }
        let lateness = sent_at.since(call.dial_after).duration().as_secs_f64();
        measures::LATENESS.get_or_create(&OfLane { lane: self.lane_name() }).observe(lateness);
        crash::point("send", "claimed");
        let placement = self.provider.place(&request).await;
        crash::point("send", "answered");
        let answered_at = self.clock.read().now;
        let effect = self.answers.lock().unwrap_or_else(PoisonError::into_inner).add(&placement, answered_at);
        self.tell(&call, placement, effect, (sent_at, answered_at)).await;
    }

    /// Keeps the answer to the request of an attempt, and hands it to the recorder.
    async fn tell(
        &self,
        call: &BurstCall,
        placement: Placement,
        effect: LaneEffect,
        (sent_at, answered_at): (Moment, Moment),
    ) {
        tracing::debug!(attempt.id = %call.attempt, ?placement, "attempt {}: {placement:?}", call.attempt);
        let sent = Sent {
            attempt: call.attempt,
            lane: self.lease.lane,
            placement,
            answered_at,
            overdue_at: self.provider.held_until(sent_at) + RING_AND_TALK,
            effect,
        };
        self.store.receipts().add(&call.reference, &sent);
        crash::point("send", "kept");
        if self.results.send(sent).await.is_err() {
            tracing::error!(attempt.id = %call.attempt, "the result of attempt {} waits for the next start", call.attempt);
        }
    }
}

/// A call to be made, before the campaign's rules fill in its request.
#[derive(Debug, Clone)]
pub struct Wanted<'c> {
    /// Who is called.
    pub to: &'c PhoneNumber,
    /// The values of their row.
    pub fields: &'c Row,
    /// Our name for the attempt.
    pub reference: &'c str,
    /// Chooses the number to call from, which rotates.
    pub turn: usize,
    /// The present.
    pub at: Moment,
    /// The phone must not begin to ring from then on; none when the window never closes.
    pub ring_before: Option<Moment>,
    /// Where the vendor may report the call's end.
    pub report_to: Option<String>,
}

/// Makes the request for one contact.
pub fn request(campaign: &Campaign, wanted: Wanted<'_>) -> Result<CallRequest, NoValue> {
    let filled = |templates: &BTreeMap<String, Template>| {
        let fill = |(name, template): (&String, &Template)| Ok((name.clone(), template.render(wanted.fields)?));
        templates.iter().map(fill).collect::<Result<BTreeMap<_, _>, _>>()
    };
    let from = wanted.turn.checked_rem(campaign.caller_ids.len()).map(|place| campaign.caller_ids[place].clone());
    Ok(CallRequest {
        reference: wanted.reference.to_owned(),
        to: wanted.to.clone(),
        from,
        agent: campaign.agent.clone(),
        variables: filled(&campaign.variables)?,
        metadata: filled(&campaign.metadata)?,
        vendor: filled(&campaign.vendor)?,
        report_to: wanted.report_to,
        at: wanted.at,
        ring_before: wanted.ring_before,
    })
}
