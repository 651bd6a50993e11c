//! The ownership of lanes: one process owns a lane, by a lease that it must renew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringfence_domain::lane::{LaneSettings, LimitLevels, LimitUsage};
use ringfence_domain::{Clock, LaneId, Moment, Span};
use ringfence_store::{Acquired, Database, EarlierUse, LaneLease, LaneRow, Owner, ProcessLock, StoreError};

use crate::lane_shares::{HandOver, hand_overs};

/// How long a lane stays ours without a renewal.
pub const LEASE: Span = Span::from_secs(9);
/// How often the lease is renewed.
pub const RENEW_EVERY: Duration = Duration::from_secs(3);

/// A process that shares lanes gives a sign of life more often than this. It is shorter than a lease, so
/// that nobody hands a lane to a process that lost its own.
const SHARES_WITHIN: Span = Span::from_secs(6);

/// How long a lane that was given back is left to a process that has fewer.
pub const LEFT_TO_OTHERS: Span = Span::from_secs(5);

/// Who takes which lanes, and who has them.
struct Shares {
    takes: BTreeMap<String, BTreeSet<LaneId>>,
    owners: BTreeMap<LaneId, String>,
}

/// Takes one lane for this process and keeps it.
#[derive(Debug)]
pub struct LeaseHolder {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    owner: String,
    lane: LaneId,
    settings: LaneSettings,
    /// The end of a lease that no living owner can have by the present clock, and the boot time at
    /// which it was seen first.
    odd: Mutex<Option<(Moment, Duration)>>,
}

/// The result of a try to take a lane.
#[derive(Debug, Clone)]
pub enum LeaseOutcome {
    /// The lane is ours.
    Ours(Arc<LaneLease>),
    /// Another process has it.
    Theirs {
        /// The name of that process.
        owner: String,
        /// It has other settings for the lane than our file.
        other_settings: bool,
    },
}

impl LeaseHolder {
    /// Makes the holder of one lane for the process named `owner`.
    pub fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        owner: String,
        lane: LaneId,
        settings: LaneSettings,
    ) -> Self {
        Self { store, clock, owner, lane, settings, odd: Mutex::default() }
    }

    /// Takes the lane if it is free, if its owner's lease ran out, or if its owner is dead. A process that `is_stopped`
    /// leaves it to others for a while, which can dial it.
    pub async fn acquire(&self, is_stopped: bool) -> Result<LeaseOutcome, StoreError> {
        let lanes = self.store.lanes().await?;
        let lane = lanes.into_iter().find(|lane| lane.id == self.lane);
        if let Some(lane) = &lane
            && let Some(owner) = self.left_to(lane, is_stopped).await?
        {
            return Ok(LeaseOutcome::Theirs { owner, other_settings: false });
        }
        let outlived = lane.as_ref().is_some_and(|lane| self.is_outlived(lane.lease_until));
        let current = lane.and_then(|lane| lane.owner);
        let dead =
            current.filter(|owner| *owner != self.owner && (outlived || ProcessLock::is_dead(&self.store, owner)));
        let asked = self.clock.boot();
        let owner = Owner { name: self.owner.clone(), lease: LEASE };
        let now = self.clock.read().now;
        let taken = self.store.take_lane(self.lane, self.settings.clone(), owner, dead, now).await?;
        Ok(match taken {
            Acquired::Ours { epoch, used_until, spent } => {
                let deadline = asked + LEASE.duration();
                let before = EarlierUse { used_until, spent };
                LeaseOutcome::Ours(Arc::new(LaneLease::new(self.lane, epoch, self.settings.clone(), before, deadline)))
            }
            Acquired::Theirs { owner, .. } => LeaseOutcome::Theirs { owner, other_settings: false },
            Acquired::OtherSettings { owner } => LeaseOutcome::Theirs { owner, other_settings: true },
        })
    }

    /// Tells whether the clock was set back and the owner of a lease is gone: the lease lasts
    /// longer than any can by the present clock, and nobody has renewed it for as long as a lease
    /// lasts.
    fn is_outlived(&self, lease_until: Moment) -> bool {
        let boot = self.clock.boot();
        let mut odd = self.odd.lock().expect("never held over a panic");
        if lease_until <= self.clock.read().now + LEASE + Span::from_secs(5) {
            *odd = None;
            return false;
        }
        match *odd {
            Some((seen, at)) if seen == lease_until => boot.saturating_sub(at) > LEASE.duration(),
            _ => {
                *odd = Some((lease_until, boot));
                false
            }
        }
    }

    /// Renews the lease, and says how much of the limits is used. Returns false when the lane is not
    /// ours any more, or when the answer came
    /// too late. After an error the lane stays ours up to its old deadline.
    pub async fn renew(&self, lease: &LaneLease, levels: LimitLevels) -> Result<bool, StoreError> {
        let asked = self.clock.boot();
        let until = self.clock.read().now + LEASE;
        let ours = self.store.renew_lane(lease.lane, lease.epoch, until, levels).await?;
        if ours && lease.extend(self.clock.boot(), asked + LEASE.duration()) {
            return Ok(true);
        }
        lease.end();
        Ok(false)
    }

    /// Returns the process that this lane is to be handed to: it takes the lane, too, and has at least two
    /// fewer than we. None when we do not share, or when it is `but`.
    pub async fn hand_to(&self, but: Option<&str>) -> Result<Option<String>, StoreError> {
        let shares = self.shares().await?;
        let takes = shares.takes.into_iter().filter(|(name, _)| Some(name.as_str()) != but).collect();
        let ours = |step: &HandOver<'_>| step.lane == self.lane && step.from == self.owner;
        Ok(hand_overs(&takes, &shares.owners).into_iter().find(ours).map(|step| step.to.to_owned()))
    }

    /// Returns the process that this lane, which was given back a moment ago, is left to: it has fewer than we. If we
    /// are stopped, any process that takes it, also when its owner has just died.
    async fn left_to(&self, lane: &LaneRow, is_stopped: bool) -> Result<Option<String>, StoreError> {
        let free_for = self.clock.read().now.since(lane.lease_until);
        let is_given_back = lane.owner.is_none() && free_for >= Span::ZERO;
        let is_ours = lane.owner.as_ref() == Some(&self.owner);
        if free_for >= LEFT_TO_OTHERS || is_ours || !(is_given_back || is_stopped) {
            return Ok(None);
        }
        let shares = self.shares().await?;
        let count = |name: &str| shares.owners.values().filter(|owner| *owner == name).count();
        let ours = count(&self.owner);
        let takes_it =
            |(name, takes): &(&String, &BTreeSet<LaneId>)| **name != self.owner && takes.contains(&self.lane);
        let mut others = shares.takes.iter().filter(takes_it).map(|(name, _)| name);
        Ok(others.find(|name| is_stopped || count(name) < ours).cloned())
    }

    /// Who shares lanes and lives, with the lanes that each takes, and who has which.
    async fn shares(&self) -> Result<Shares, StoreError> {
        let now = self.clock.read().now;
        let sharing = self.store.sharing(now - SHARES_WITHIN, now + SHARES_WITHIN).await?;
        let lanes = self.store.lanes().await?;
        let known: BTreeMap<LaneId, &LaneSettings> = lanes.iter().map(|lane| (lane.id, &lane.settings)).collect();
        let living = sharing.into_iter().filter(|(name, _)| !ProcessLock::is_dead(&self.store, name));
        let takes = living.map(|(name, takes)| {
            let same = takes.into_iter().filter(|(lane, settings)| known.get(lane) == Some(&settings));
            (name, same.map(|(lane, _)| lane).collect())
        });
        // Who takes nothing keeps what it has, and gets nothing.
        let takes = takes.filter(|(_, lanes): &(String, BTreeSet<LaneId>)| !lanes.is_empty()).collect();
        Ok(Shares { takes, owners: lanes.into_iter().filter_map(|lane| Some((lane.id, lane.owner?))).collect() })
    }

    /// Gives the lane back, and writes down what was used of its limits.
    pub async fn release(&self, lease: &LaneLease, spent: Option<LimitUsage>) -> Result<(), StoreError> {
        lease.end();
        self.store.release_lane(lease.lane, lease.epoch, spent, self.clock.read().now).await
    }
}
