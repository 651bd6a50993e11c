//! What a tick and a claim take, while few wait and while many do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_domain::stop_switch::NoStopSwitch;
use ringfence_domain::zones::CallingZone;
use ringfence_domain::{AttemptId, Moment, Rate, Zone, ZoneSet};
use ringfence_samples::HandClock;
use ringfence_scheduler::Planner;
use ringfence_store::{Begin, CampaignRow, Database, EarlierUse, LaneLease, RulesCache};
use ringfence_tests::sample::{Stage, begin_import, chunk, complete, lane_settings, noon, row, rules, take};
use tokio::sync::Notify;

use crate::times::Spread;

/// Dials of one tick and one claim.
const DIALS: u32 = 40;
/// Ticks and claims that are measured.
const ROUNDS: usize = 20;
/// Contacts that one transaction of an import brings.
const ROWS: usize = 2_000;
/// Every tenth campaign has its window open.
const OPEN: usize = 10;

const ZONES: [&str; 20] = [
    "Asia/Kolkata",
    "Asia/Dubai",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Asia/Singapore",
    "Africa/Lagos",
    "Africa/Nairobi",
    "America/Sao_Paulo",
    "Asia/Karachi",
    "Asia/Dhaka",
    "Pacific/Auckland",
    "Europe/Moscow",
    "Asia/Kathmandu",
    "America/Halifax",
];

/// Fills the database, then plans and claims. Returns what a tick takes, and what a claim takes.
pub(crate) async fn measure(store: &Arc<Database>, campaigns: usize, contacts: usize) -> (Spread, Spread) {
    let mut settings = lane_settings("main");
    // What a tick opens is five seconds of calls.
    settings.limits.calls = Rate::per_second(DIALS / 5);
    settings.limits.concurrent = 100_000;
    let lane = store.register_lane(settings.clone(), noon()).await.expect("a lane").id;
    let epoch = take(store, lane, settings.clone(), "bench").await;
    let mut rows: Vec<CampaignRow> = Vec::new();
    for place in 0..campaigns {
        let mut rules = rules(&format!("c{place}"), "main");
        rules.limits.per_number = vec!["3/day".parse().expect("a cap")];
        if place % OPEN != 0 {
            // At noon in India it is this time of day in none of the zones.
            rules.calling.hours = "13:00-13:30".parse().expect("hours");
        }
        rules.calling.timezone = CallingZone::Contact;
        let (_, campaign) = store.apply(rules, lane, Begin::Running, noon()).await.expect("a campaign");
        import(store, &campaign, place, contacts / campaigns).await;
        rows.push(campaign);
    }
    // What the system has still to write of the import would be measured with the ticks.
    let synced = tokio::process::Command::new("sync").status().await.expect("`sync` runs");
    assert!(synced.success(), "`sync` failed");
    let lease = LaneLease::new(
        lane,
        epoch,
        settings,
        EarlierUse { used_until: Moment::from_millis(0), spent: None },
        Duration::from_millis(i64::MAX as u64),
    );
    let mut planner = Planner::new(
        store.clone(),
        HandClock::at(noon()),
        Arc::new(lease),
        Arc::new(NoStopSwitch),
        None,
        Arc::new(RulesCache::default()),
        Arc::new(Notify::new()),
    );
    let (mut ticks, mut claims) = (Vec::new(), Vec::new());
    while ticks.len() < ROUNDS {
        let begun = Instant::now();
        let tick = planner.run_once().await.expect("a tick");
        let took = begun.elapsed();
        let begun = Instant::now();
        for burst in store.bursts(lane, epoch, AttemptId(0), DIALS, 512).await.expect("bursts") {
            let campaign = rows.iter().find(|row| row.id == burst.campaign).expect("its campaign").clone();
            let attempts: Vec<_> = burst.calls.iter().map(|call| call.attempt).collect();
            let stage = Stage { lane, epoch, campaign };
            let mut order = stage.order(&attempts, noon());
            order.limits = stage.campaign.rules.number_limits();
            assert_eq!(store.claim(order).await.expect("a claim").sending, attempts);
        }
        // The first ticks close what is not open.
        if tick.closed == 0 && tick.opened == DIALS {
            ticks.push(took);
            claims.push(begun.elapsed());
        }
    }
    (Spread::of(ticks), Spread::of(claims))
}

/// People of one zone for a campaign.
async fn import(store: &Database, campaign: &CampaignRow, place: usize, people: usize) {
    let zone: Zone = ZONES[place % ZONES.len()].parse().expect("a zone");
    let import = begin_import(store, campaign.run, &format!("list-{place}"), noon()).await;
    let numbers: Vec<usize> = (place * people..(place + 1) * people).collect();
    for (part, numbers) in numbers.chunks(ROWS).enumerate() {
        let person = |(at, n): (usize, &usize)| {
            let mut person = row(store, (part * ROWS + at) as i64 + 1, *n);
            person.zones = ZoneSet::one(zone);
            person
        };
        let contacts = numbers.iter().enumerate().map(person).collect();
        store.import_chunk(chunk(import, campaign.run, contacts, noon())).await.expect("a chunk");
    }
    store.complete_import(complete(import, people as i64, noon())).await.expect("a complete import");
}
