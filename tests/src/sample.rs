//! Rules, lanes and contacts that tests begin from.

use ringfence_domain::lane::LaneSettings;
use ringfence_domain::safety::Safety;
use ringfence_domain::{
    AttemptId, Campaign, CampaignId, ClockReading, ContactId, ImportId, LaneEffect, LaneId, Moment, NumberLimits,
    Placement, RunId, Span, ZoneSet,
};
use std::collections::BTreeMap;

pub use ringfence_samples::{lane_settings, noon, number, rules};
use ringfence_store::{
    Acquired, Begin, CampaignRow, ClaimOrder, CompleteOrder, Database, ImportChunk, ImportCounts, ImportOrder,
    ImportStart, NewContact, Owner, Pick, Plan, Sent,
};

/// A lane that is ours, a campaign on it, and contacts that wait.
#[derive(Debug)]
pub struct Stage {
    /// The lane.
    pub lane: LaneId,
    /// Our ownership of it.
    pub epoch: i64,
    /// The campaign.
    pub campaign: CampaignRow,
}

impl Stage {
    /// Sets it up with numbers `0..contacts`.
    pub async fn set(store: &Database, contacts: usize) -> Self {
        Self::set_with(store, lane_settings("main"), rules("spring", "main"), contacts).await
    }

    /// The same with other settings and rules.
    pub async fn set_with(store: &Database, settings: LaneSettings, rules: Campaign, contacts: usize) -> Self {
        let lane = store.register_lane(settings.clone(), noon()).await.expect("a lane").id;
        let epoch = take(store, lane, settings, "tests").await;
        let (_, campaign) = store.apply(rules, lane, Begin::Running, noon()).await.expect("a campaign");
        import(store, campaign.run, 0..contacts, noon()).await;
        Self { lane, epoch, campaign }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.campaign.run
    }

    /// Opens up to `count` attempts, to be dialled within 30 s.
    pub async fn open(&self, store: &Database, count: u32, now: Moment) -> u32 {
        let picks = store
            .eligible_buckets(self.lane, now, 100)
            .await
            .expect("buckets")
            .iter()
            .map(|bucket| Pick {
                bucket: bucket.id,
                count,
                dial_after: now,
                dial_before: now + Span::from_secs(30),
                revision: bucket.revision,
            })
            .collect();
        let plan = Plan { lane: self.lane, epoch: self.epoch, now, picks, closed: Vec::new() };
        store.open_attempts(plan).await.expect("a plan").opened
    }

    /// The open attempts of our ownership.
    pub async fn open_attempts(&self, store: &Database) -> Vec<AttemptId> {
        let bursts = store.bursts(self.lane, self.epoch, AttemptId(0), 10_000, 10_000).await.expect("bursts");
        bursts.into_iter().flat_map(|burst| burst.calls).map(|call| call.attempt).collect()
    }

    /// An order to claim these attempts at `now`.
    pub fn order(&self, attempts: &[AttemptId], now: Moment) -> ClaimOrder {
        ClaimOrder {
            lane: self.lane,
            campaign: self.campaign_id(),
            limits: NumberLimits::default(),
            max_attempts: 3,
            safety: Safety::default(),
            default_zones: ZoneSet::one("Asia/Kolkata".parse().expect("a zone")),
            calls: attempts.iter().map(|id| (*id, Some("9876500000".to_owned()))).collect(),
            unfit: Vec::new(),
            stop_switch: None,
            reading: ClockReading::exact(now),
        }
    }

    /// Opens and claims `count` attempts.
    pub async fn claim(&self, store: &Database, count: u32, now: Moment) -> Vec<AttemptId> {
        self.open(store, count, now).await;
        let open = self.open_attempts(store).await;
        store.claim(self.order(&open, now)).await.expect("a claim").sending
    }

    /// Opens, claims and places `count` calls named `call-<attempt>`.
    pub async fn place(&self, store: &Database, count: u32, now: Moment) -> Vec<AttemptId> {
        let sending = self.claim(store, count, now).await;
        let sent = sending.iter().map(|id| self.accepted(*id, now)).collect();
        store.record(sent, now).await.expect("a record");
        sending
    }

    /// The result of a request that the provider took.
    pub fn accepted(&self, attempt: AttemptId, now: Moment) -> Sent {
        let overdue_at = now + Span::from_hours(1);
        Sent { overdue_at, ..self.sent(attempt, Placement::Accepted { call_id: format!("call-{attempt}") }) }
    }

    /// The answer to a request, at noon, on a lane that works. The call is overdue an hour later.
    pub fn sent(&self, attempt: AttemptId, placement: Placement) -> Sent {
        Sent {
            attempt,
            lane: self.lane,
            placement,
            answered_at: noon(),
            overdue_at: noon() + Span::from_hours(1),
            effect: LaneEffect::Fine,
        }
    }

    /// The kept count of this name.
    pub async fn count(&self, store: &Database, name: &str) -> i64 {
        let numbers = store.numbers(self.campaign.rules.name.clone(), noon()).await.expect("numbers");
        numbers.expect("a campaign").counts.get(name).copied().unwrap_or_default()
    }

    /// Fails when kept counts differ from the rows.
    pub async fn check_counts(&self, store: &Database) {
        assert_eq!(store.recount(self.run()).await.expect("a recount"), [], "name, kept, counted afresh");
        let forgotten = store.forgotten(self.run()).await.expect("an answer");
        assert_eq!(forgotten.without_number, 0, "contacts that would not be found by their number");
    }

    fn campaign_id(&self) -> CampaignId {
        self.campaign.id
    }
}

/// Takes a lane for a process of this name.
pub async fn take(store: &Database, lane: LaneId, settings: LaneSettings, owner: &str) -> i64 {
    let owner = Owner { name: owner.to_owned(), lease: Span::from_secs(9) };
    match store.take_lane(lane, settings, owner, None, noon()).await.expect("an answer") {
        Acquired::Ours { epoch, .. } => epoch,
        other => panic!("the lane should be free: {other:?}"),
    }
}

/// A row with the `n`th number.
pub fn row(store: &Database, row_number: i64, n: usize) -> NewContact {
    NewContact {
        row_number,
        line: row_number + 1,
        numbers: vec![(number(n), store.hasher().key(&number(n)))],
        zones: ZoneSet::one("Asia/Kolkata".parse().expect("a zone")),
        external_id: None,
        fields: BTreeMap::from([("phone".to_owned(), number(n).e164().to_owned())]),
    }
}

/// Begins an import of this name that was not begun before.
pub async fn begin_import(store: &Database, run: RunId, name: &str, now: Moment) -> ImportId {
    let columns = vec!["phone".to_owned()];
    let order =
        ImportOrder { run, source: format!("{name}.csv"), digest: name.to_owned(), columns, written_at: None, now };
    match store.begin_import(order).await.expect("an import") {
        ImportStart::Begin(id) => id,
        ImportStart::Known(row) => panic!("{name} should be new: {row:?}"),
    }
}

/// Some rows of an import.
pub fn chunk(import: ImportId, run: RunId, contacts: Vec<NewContact>, now: Moment) -> ImportChunk {
    ImportChunk { import, run, contacts, rejects: Vec::new(), columns: vec!["phone".to_owned()], now }
}

/// An import of which so many rows were accepted is all in.
pub fn complete(import: ImportId, accepted: i64, now: Moment) -> CompleteOrder {
    let counts = ImportCounts { rows: accepted, accepted, ..ImportCounts::default() };
    CompleteOrder { import, counts, missing: 0, canary: None, now }
}

/// Imports these numbers as one complete file.
pub async fn import(store: &Database, run: RunId, numbers: std::ops::Range<usize>, now: Moment) {
    let id = begin_import(store, run, &format!("{numbers:?}"), now).await;
    let accepted = numbers.len() as i64;
    let contacts = numbers.enumerate().map(|(place, n)| row(store, place as i64 + 1, n)).collect();
    store.import_chunk(chunk(id, run, contacts, now)).await.expect("a chunk");
    store.complete_import(complete(id, accepted, now)).await.expect("a complete import");
}

/// Gives everyone whom an import found what the file has of them.
pub async fn apply_changes(store: &Database, import: ImportId) {
    let mut after = ContactId(0);
    while let Some(last) = store.apply_changes(import, after, noon()).await.expect("changes") {
        after = last;
    }
}
