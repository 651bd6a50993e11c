//! The pace of a lane: how many calls and requests may leave, in every sliding window.
//!
//! A permit is reserved before a call is claimed and spent when its request leaves. At any time
//! the requests of the last window and the reserved permits together are no more than the limit,
//! so however late a permit is spent, no window ever holds too many. Reserved permits are also
//! spaced evenly, so that a vendor sees a stream and not bursts.
//!
//! The pacer is our own code, because `governor` has neither a refund nor a peek. An exact sliding
//! window needs permits that can be reserved before a claim, given back, and counted when they are
//! spent.
//!
//! It stands here and not in the scheduler, because worker and reconciler reserve permits, too, and
//! must not see the scheduler.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use ringfence_domain::lane::{LaneLimits, LimitKind, LimitLevels, LimitUsage, Limited};
use ringfence_domain::{CampaignId, Moment, Rate, Span};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::Budget;

/// The budget of one lane, spent by calls and questions alike.
#[derive(Debug)]
pub struct Pacer {
    windows: Mutex<Windows>,
    used: Option<Instant>,
}

#[derive(Debug)]
struct Windows {
    calls: Window,
    requests: Window,
    campaigns: HashMap<CampaignId, Window>,
    waits: Option<Waits>,
}

/// The calls that wait for a permit.
#[derive(Debug, Clone, Copy)]
struct Waits {
    by: LimitKind,
    since: Instant,
    until: Instant,
}

/// Timers wake no more exactly than this: permits that came free meanwhile are taken together.
const TIMER: Duration = Duration::from_millis(2);

/// Calls that have not waited for this long wait no more.
const BREAK: Duration = Duration::from_secs(5);

/// The sliding window of one limit.
#[derive(Debug)]
struct Window {
    rate: Rate,
    spent: VecDeque<Instant>,
    reserved: u32,
    next: Instant,
}

impl Window {
    const TELLABLE: usize = 20_000;

    /// Makes a window. When `used` is given, it is full as of then: someone else may have spent all
    /// of it just before.
    fn new(rate: Rate, used: Option<Instant>) -> Self {
        let spent = used.map(|at| std::iter::repeat_n(at, rate.count() as usize).collect()).unwrap_or_default();
        Self { rate, spent, reserved: 0, next: Instant::now() }
    }

    /// Makes a window that holds these requests, as an earlier owner sent them.
    fn with(rate: Rate, sent: &[Moment], now: Moment) -> Self {
        let age = |at: &Moment| Instant::now().checked_sub(now.since(*at).duration()).unwrap_or_else(Instant::now);
        let mut spent: VecDeque<Instant> = sent.iter().map(age).collect();
        spent.make_contiguous().sort_unstable();
        Self { spent, ..Self::new(rate, None) }
    }

    /// Returns the requests that still count. None while a permit is reserved, or when there are
    /// too many to write down.
    fn sent(&self, now: Moment) -> Option<Vec<Moment>> {
        let (per, present) = (self.rate.per().duration(), Instant::now());
        let ages = self.spent.iter().map(|at| present.saturating_duration_since(*at)).filter(|age| *age < per);
        let sent: Vec<Moment> = ages.map(|age| now - Span::from_millis(age.as_millis() as i64)).collect();
        (self.reserved == 0 && sent.len() <= Self::TELLABLE).then_some(sent)
    }

    /// Returns how many requests count now.
    fn level(&self, now: Instant) -> u32 {
        let per = self.rate.per().duration();
        self.spent.iter().filter(|at| now.saturating_duration_since(**at) < per).count() as u32
    }

    /// Tells whether there is room now. Otherwise returns the moment before which there certainly
    /// is no room; while reserved permits take all the room that is not known, and the moment is a
    /// little later than `now`.
    fn room(&mut self, now: Instant) -> Result<(), Instant> {
        let per = self.rate.per().duration();
        while self.spent.front().is_some_and(|at| *at + per <= now) {
            self.spent.pop_front();
        }
        if self.spent.len() as u32 + self.reserved >= self.rate.count() {
            let soon = now + Duration::from_millis(5);
            return Err(self.spent.front().map_or(soon, |at| (*at + per).max(now + Duration::from_millis(1))));
        }
        if self.next > now { Err(self.next) } else { Ok(()) }
    }

    fn reserve(&mut self, now: Instant) {
        self.reserved += 1;
        let behind = self.rate.spacing().clamp(TIMER, Duration::from_millis(20));
        self.next = self.next.max(now - behind) + self.rate.spacing();
    }
}

/// The right to send one request that places a call. A permit that is dropped unspent is given
/// back.
#[derive(Debug)]
pub struct Permit {
    pacer: Arc<Pacer>,
    campaign: Option<CampaignId>,
    spent: bool,
}

impl Permit {
    /// Spends the permit: the request leaves now.
    pub fn spend(mut self) {
        self.spent = true;
        let campaign = self.campaign;
        self.pacer.lock().settle(campaign, Some(Instant::now()));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.spent {
            self.pacer.lock().settle(self.campaign, None);
        }
    }
}

impl Windows {
    fn of_call(&mut self, campaign: Option<CampaignId>) -> impl Iterator<Item = (LimitKind, &mut Window)> {
        let own = campaign.and_then(|id| self.campaigns.get_mut(&id)).map(|own| (LimitKind::Campaign, own));
        [(LimitKind::Calls, &mut self.calls), (LimitKind::Requests, &mut self.requests)].into_iter().chain(own)
    }

    fn try_reserve(&mut self, campaign: Option<CampaignId>, now: Instant) -> Result<(), Instant> {
        let full = self.of_call(campaign).filter_map(|(kind, window)| Some((window.room(now).err()?, kind)));
        if let Some((at, kind)) = full.max_by_key(|(at, _)| *at) {
            self.wait_for(kind, now, at);
            Err(at)
        } else {
            self.of_call(campaign).for_each(|(_, window)| window.reserve(now));
            Ok(())
        }
    }

    /// Calls wait for this limit until `until`.
    fn wait_for(&mut self, by: LimitKind, now: Instant, until: Instant) {
        let before = self.waits.filter(|waits| waits.by == by && now.saturating_duration_since(waits.until) < BREAK);
        self.waits = Some(Waits { by, since: before.map_or(now, |waits| waits.since), until });
    }

    fn settle(&mut self, campaign: Option<CampaignId>, spent_at: Option<Instant>) {
        for (_, window) in self.of_call(campaign) {
            window.reserved = window.reserved.saturating_sub(1);
            window.spent.extend(spent_at);
            if spent_at.is_none() {
                window.next = window.next.checked_sub(window.rate.spacing()).unwrap_or(window.next);
            }
        }
    }
}

impl Pacer {
    /// The time after which the use by another owner does not count. It is longer than every
    /// limit's window.
    const UNKNOWN_FOR: Duration = Duration::from_hours(1);

    /// Makes a lane's budget. `used_ago`: how long ago another owner may have spent all of it; none
    /// when nobody did.
    pub fn new(limits: &LaneLimits, used_ago: Option<Span>) -> Arc<Self> {
        let used = used_ago.and_then(|ago| Instant::now().checked_sub(ago.duration()));
        Arc::new(Self {
            windows: Mutex::new(Windows {
                calls: Window::new(limits.calls, used),
                requests: Window::new(limits.requests, used),
                campaigns: HashMap::new(),
                waits: None,
            }),
            used,
        })
    }

    /// Makes a lane's budget after an owner that wrote down what it had used, as of `now`.
    pub fn after(spent: &LimitUsage, now: Moment) -> Arc<Self> {
        let own = |(id, rate, sent): &(CampaignId, Rate, Vec<Moment>)| (*id, Window::with(*rate, sent, now));
        Arc::new(Self {
            windows: Mutex::new(Windows {
                calls: Window::with(spent.limits.calls, &spent.calls, now),
                requests: Window::with(spent.limits.requests, &spent.requests, now),
                campaigns: spent.campaigns.iter().map(own).collect(),
                waits: None,
            }),
            used: None,
        })
    }

    /// Returns what was used within the windows of these limits, as of `now`, for the next owner.
    /// None when that cannot be told.
    pub fn spent(&self, limits: &LaneLimits, now: Moment) -> Option<LimitUsage> {
        let windows = self.lock();
        // What the owner before may have used is not known in detail.
        if self.used.is_some_and(|used| used.elapsed() < Self::UNKNOWN_FOR) {
            return None;
        }
        let campaigns = windows.campaigns.iter();
        Some(LimitUsage {
            limits: limits.clone(),
            calls: windows.calls.sent(now)?,
            requests: windows.requests.sent(now)?,
            campaigns: campaigns.map(|(id, own)| Some((*id, own.rate, own.sent(now)?))).collect::<Option<_>>()?,
        })
    }

    /// Returns how much of the limits is used, and which one calls wait for, as of `now`.
    pub fn levels(&self, now: Moment) -> LimitLevels {
        let present = Instant::now();
        let windows = self.lock();
        let waits = windows.waits.filter(|waits| present.saturating_duration_since(waits.until) < BREAK);
        let limited = waits.map(|waits| {
            let waited = present.saturating_duration_since(waits.since);
            Limited { by: waits.by, since: now - Span::from_millis(waited.as_millis() as i64) }
        });
        LimitLevels { calls: windows.calls.level(present), requests: windows.requests.level(present), limited }
    }

    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().expect("the pacer's lock is never held over a panic")
    }

    /// Waits for one permit, then takes as many more as come free within `within`, up to `wanted`.
    /// `own` is the campaign's own limit, if it has one.
    pub async fn permits(
        self: &Arc<Self>,
        wanted: usize,
        own: Option<(CampaignId, Rate)>,
        within: Duration,
    ) -> Vec<Permit> {
        if let Some((id, rate)) = own {
            // New rules change the rate and forget nothing.
            self.lock().campaigns.entry(id).or_insert_with(|| Window::new(rate, self.used)).rate = rate;
        }
        let campaign = own.map(|(id, _)| id);
        let mut permits = Vec::with_capacity(wanted);
        let mut until = None;
        while permits.len() < wanted {
            let reserved = self.lock().try_reserve(campaign, Instant::now());
            match (reserved, until) {
                (Ok(()), _) => {
                    permits.push(Permit { pacer: self.clone(), campaign, spent: false });
                    until.get_or_insert_with(|| Instant::now() + within);
                }
                (Err(at), None) => sleep_until(at).await,
                (Err(at), Some(until)) if at < until => {
                    if timeout_at(until, sleep_until(at)).await.is_err() {
                        break;
                    }
                }
                (Err(_), Some(_)) => break,
            }
        }
        permits
    }
}

#[async_trait]
impl Budget for Pacer {
    async fn take(&self) {
        loop {
            let now = Instant::now();
            let at = {
                let mut windows = self.lock();
                match windows.requests.room(now) {
                    Ok(()) => {
                        windows.requests.reserve(now);
                        windows.requests.reserved -= 1;
                        windows.requests.spent.push_back(now);
                        return;
                    }
                    Err(at) => at,
                }
            };
            sleep_until(at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(calls: &str, requests: &str) -> LaneLimits {
        LaneLimits {
            calls: calls.parse().expect("a rate"),
            requests: requests.parse().expect("a rate"),
            concurrent: 100,
            per_day: None,
        }
    }

    fn most_in_any(window: Duration, sent: &[Instant]) -> usize {
        sent.iter()
            .map(|start| sent.iter().filter(|at| **at >= *start && **at - *start < window).count())
            .max()
            .unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_ever_holds_more_than_the_limit_however_late_permits_are_spent() {
        let pacer = Pacer::new(&limits("10/s", "60/min"), None);
        let mut sent = Vec::new();
        for round in 0..40_u64 {
            let permits = pacer.permits(7, None, Duration::from_millis(200)).await;
            assert!(!permits.is_empty());
            for (place, permit) in permits.into_iter().enumerate() {
                // A claim takes its time, and now and then refuses.
                tokio::time::sleep(Duration::from_millis(round * 37 % 180)).await;
                if (round + place as u64).is_multiple_of(5) {
                    drop(permit);
                } else {
                    permit.spend();
                    sent.push(Instant::now());
                }
            }
            pacer.take().await;
            sent.push(Instant::now());
        }
        assert!(most_in_any(Duration::from_secs(1), &sent) <= 11, "ten calls and a poll");
        assert!(most_in_any(Duration::from_mins(1), &sent) <= 60);
        assert!(sent.len() > 60, "{}", sent.len());
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_is_also_reached() {
        let pacer = Pacer::new(&limits("50/s", "1000/s"), None);
        let start = Instant::now();
        for _ in 0..500 {
            for permit in pacer.permits(1, None, Duration::ZERO).await {
                permit.spend();
            }
        }
        let took = start.elapsed();
        assert!(took < Duration::from_millis(10_500), "500 calls at 50/s took {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_owner_waits_out_what_the_last_one_may_have_spent() {
        let pacer = Pacer::new(&limits("10/s", "60/min"), Some(Span::from_secs(20)));
        let start = Instant::now();
        pacer.take().await;
        assert_eq!(start.elapsed().as_secs(), 40, "the last minute may have been full 20 s ago");
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_that_says_what_it_used_spares_the_next_one_the_wait_and_no_window_overflows() {
        let limits = limits("100/s", "60/min");
        let start = Moment::from_secs(1_000);
        let begun = Instant::now();
        let now = || start + Span::from_millis(begun.elapsed().as_millis() as i64);
        let first = Pacer::new(&limits, None);
        let own = Some((CampaignId(1), "3/min".parse().expect("a rate")));
        let mut sent = Vec::new();
        for _ in 0..40 {
            first.take().await;
            sent.push(Instant::now());
        }
        first.permits(2, own, Duration::from_secs(30)).await.into_iter().for_each(Permit::spend);
        let held = first.permits(1, None, Duration::ZERO).await;
        assert_eq!(first.spent(&limits, now()), None, "while a permit is out, nobody can say");
        drop(held);
        let spent = first.spent(&limits, now()).expect("what it used");
        tokio::time::sleep(Duration::from_secs(5)).await;
        let second = Pacer::after(&spent, now());
        let before = Instant::now();
        for _ in 0..18 {
            second.take().await;
            sent.push(Instant::now());
        }
        assert!(before.elapsed() < Duration::from_secs(20), "18 of 60 were left: {:?}", before.elapsed());
        for _ in 0..60 {
            second.take().await;
            sent.push(Instant::now());
        }
        assert!(most_in_any(Duration::from_mins(1), &sent) <= 60);
        let third = Pacer::after(&spent, now());
        drop(third.permits(1, own, Duration::ZERO).await);
        let spent = first.spent(&limits, now()).expect("what it used");
        assert_eq!(spent.campaigns.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_timers_are_too_coarse_for_is_used_all_the_same() {
        let pacer = Pacer::new(&limits("20000/s", "50000/s"), None);
        let start = Instant::now();
        let mut sent = 0;
        while start.elapsed() < Duration::from_secs(1) {
            sent += pacer.permits(500, None, Duration::from_millis(50)).await.into_iter().map(Permit::spend).count();
        }
        assert!((19_000..=20_500).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_campaigns_own_limit_is_kept_beside_the_lanes() {
        let pacer = Pacer::new(&limits("100/s", "100/s"), None);
        let own = Some((CampaignId(1), Rate::per_second(2)));
        let start = Instant::now();
        for _ in 0..10 {
            pacer.permits(1, own, Duration::ZERO).await.into_iter().for_each(Permit::spend);
        }
        assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_that_calls_wait_for_is_named_until_they_wait_no_more() {
        let limits =
            LaneLimits { calls: Rate::per_second(10), requests: Rate::per_minute(3), concurrent: 10, per_day: None };
        let pacer = Pacer::new(&limits, None);
        let now = Moment::from_secs(1_000);
        assert_eq!(pacer.levels(now), LimitLevels::default());
        for _ in 0..2 {
            pacer.permits(1, None, Duration::ZERO).await.remove(0).spend();
        }
        // A question about a call takes the last request of the minute.
        pacer.take().await;
        let waiting = {
            let pacer = pacer.clone();
            tokio::spawn(async move { pacer.permits(1, None, Duration::ZERO).await })
        };
        tokio::time::sleep(Duration::from_millis(100)).await;
        let levels = pacer.levels(now);
        assert_eq!(levels.limited.map(|limited| limited.by), Some(LimitKind::Requests));
        assert_eq!((levels.calls, levels.requests), (0, 3), "no call of the last second, all requests of the minute");
        waiting.await.expect("a permit").remove(0).spend();
        tokio::time::sleep(BREAK).await;
        assert_eq!(pacer.levels(now).limited, None, "nobody waits any more");
    }
}
