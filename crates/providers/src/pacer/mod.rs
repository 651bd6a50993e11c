//! The pace of a lane: how many calls and requests may leave, in every sliding window.
//!
//! A permit is reserved for a moment, before its call is claimed, and spent when its request
//! leaves. At any time the requests of the last window and the reserved permits together are no
//! more than the limit, so however late a permit is spent, no window ever holds too many. Moments
//! are spaced evenly, so that a vendor sees a stream and not bursts, and permits are given out some
//! time before theirs, so that a claim is over when its first request is to leave.
//!
//! The pacer is our own code, because `governor` has neither a refund nor a peek. An exact sliding
//! window needs permits that can be reserved before a claim, given back, and counted when they are
//! spent.
//!
//! It stands here and not in the scheduler, because worker and reconciler reserve permits, too, and
//! must not see the scheduler.

mod permit;
#[cfg(test)]
mod tests;
mod window;
mod windows;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use ringfence_domain::lane::{LaneLimits, LimitLevels, LimitUsage, Limited};
use ringfence_domain::{CampaignId, Moment, Rate, Span};
use tokio::time::{Instant, sleep_until};

pub use self::permit::Permit;
use self::permit::Purpose;
use self::window::Window;
use self::windows::{BREAK, Windows};
use crate::Budget;

/// How long before its moment a permit is given out. The claim needs this time.
const LEAD: Duration = Duration::from_millis(50);

/// A new owner may wait for a window that is no longer than this.
const SHORT_WINDOW: Span = Span::from_secs(1);

/// The budget of one lane, spent by calls and questions alike.
#[derive(Debug)]
pub struct Pacer {
    windows: Mutex<Windows>,
    used: Option<Instant>,
    limits: LaneLimits,
}

impl Pacer {
    /// The time after which the use by another owner does not count. It is longer than every
    /// limit's window.
    const UNKNOWN_FOR: Duration = Duration::from_hours(1);

    /// Makes a lane's budget. `used_ago`: how long ago another owner may have spent all of it; none
    /// when nobody did.
    pub fn new(limits: &LaneLimits, used_ago: Option<Span>) -> Arc<Self> {
        let used = used_ago.and_then(|ago| Instant::now().checked_sub(ago.duration()));
        let requests = Window::new(limits.requests, used).shared(share(limits));
        let windows = Windows::new(Window::new(limits.calls, used), requests, HashMap::new());
        Arc::new(Self { windows: Mutex::new(windows), used, limits: limits.clone() })
    }

    /// Makes a lane's budget after an owner that wrote down what it had used, as of `now`.
    pub fn after(spent: &LimitUsage, now: Moment) -> Arc<Self> {
        let own = |(id, rate, sent): &(CampaignId, Rate, Vec<Moment>)| (*id, Window::with(*rate, sent, now));
        let calls = Window::with(spent.limits.calls, &spent.calls, now);
        let requests = Window::with(spent.limits.requests, &spent.requests, now).shared(share(&spent.limits));
        let campaigns = spent.campaigns.iter().map(own).collect();
        let windows = Mutex::new(Windows::new(calls, requests, campaigns));
        Arc::new(Self { windows, used: None, limits: spent.limits.clone() })
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

    /// Tells whether another owner can go on at once: it is told what was used, or the windows are short.
    pub fn can_be_handed_on(&self) -> bool {
        let windows = [self.limits.calls, self.limits.requests];
        let is_told = self.used.is_none_or(|used| used.elapsed() >= Self::UNKNOWN_FOR);
        (is_told && windows.iter().all(|rate| rate.count() as usize <= Window::TELLABLE))
            || windows.iter().all(|rate| rate.per() <= SHORT_WINDOW)
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

    /// Waits until the moment of one permit is near, then takes all whose moments are within
    /// `within` of it, up to `wanted`. `own` is the campaign's own limit, if it has one.
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
        let purpose = Purpose::Call(own.map(|(id, _)| id));
        let mut permits = Vec::with_capacity(wanted);
        if wanted > 0 {
            permits.push(self.permit(purpose).await);
        }
        while permits.len() < wanted {
            let reserved = self.lock().reserve(purpose, Instant::now(), LEAD + within);
            match reserved {
                Ok(at) => permits.push(Permit::new(self.clone(), purpose, at)),
                Err(_) => break,
            }
        }
        permits
    }

    /// Waits until the moment of one permit is near.
    async fn permit(self: &Arc<Self>, purpose: Purpose) -> Permit {
        loop {
            let reserved = self.lock().reserve(purpose, Instant::now(), LEAD);
            match reserved {
                Ok(at) => return Permit::new(self.clone(), purpose, at),
                Err(again) => sleep_until(again).await,
            }
        }
    }
}

/// The part of the requests that questions get while calls want the others: what calls leave, and a
/// third at least.
fn share(limits: &LaneLimits) -> f64 {
    (1.0 - a_second(limits.calls) / a_second(limits.requests)).max(1.0 / 3.0)
}

fn a_second(rate: Rate) -> f64 {
    f64::from(rate.count()) / rate.per().duration().as_secs_f64()
}

#[async_trait]
impl Budget for Arc<Pacer> {
    async fn take(&self) {
        self.permit(Purpose::Question).await.spend().await;
    }

    fn questions_a_second(&self) -> usize {
        (a_second(self.limits.requests) * share(&self.limits)) as usize
    }
}
