//! Scheduled moments with two processes, missed days, a death in the middle, and a file that is
//! not there yet.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::event::EventKind;
use ringfence_domain::schedule::{Missed, Schedule, ScheduleMode};
use ringfence_domain::{Clock, Moment, Span};
use ringfence_engine::CronScheduler;
use ringfence_operations::Notices;
use ringfence_operations::scheduling::cron_scheduler;
use ringfence_providers::{HttpTransport, Provider};
use ringfence_store::{Begin, CampaignRow, Database, Subject};
use ringfence_tests::sample::{lane_settings, number, rules};
use ringfence_tests::virtual_time::{HandClock, twenty2_at};
use ringfence_tests::{TestDatabase, on_both_databases};

/// Nine o'clock in India on a Saturday in November.
fn nine(date: u32) -> Moment {
    format!("2026-11-{date}T03:30:00Z").parse().expect("a moment")
}

struct Desk {
    store: Arc<Database>,
    clock: Arc<HandClock>,
    campaign: CampaignRow,
    provider: Arc<dyn Provider>,
}

impl Desk {
    async fn set(database: &TestDatabase, file: &str, schedule: Schedule) -> Self {
        let store = database.store.clone();
        let clock = HandClock::at(nine(20) + Span::from_hours(3));
        let settings = lane_settings("main");
        let lane = store.register_lane(settings.clone(), clock.read().now).await.expect("a lane").id;
        let mut rules = rules("daily", "main");
        rules.calling.timezone = CallingZone::Fixed("Asia/Kolkata".parse().expect("a zone"));
        rules.contacts.file = Some(database.folder().join(file).display().to_string());
        rules.schedule = Schedule { cron: Some("0 9 * * *".parse().expect("a line")), ..schedule };
        let (_, campaign) = store.apply(rules, lane, Begin::Running, clock.read().now).await.expect("a campaign");
        let transport = HttpTransport::new(None).expect("a client");
        let provider = twenty2_at("http://127.0.0.1:1", &settings, "national", transport);
        Self { store, clock, campaign, provider }
    }

    fn timekeeper(&self, worker: &str) -> CronScheduler {
        let providers = BTreeMap::from([("main".to_owned(), self.provider.clone())]);
        cron_scheduler(self.store.clone(), self.clock.clone(), worker.to_owned(), providers, Notices::default())
    }

    async fn once(&self) -> u32 {
        self.timekeeper("tests/one").run_once().await.expect("a look")
    }

    async fn total(&self) -> i64 {
        let numbers = self.store.numbers("daily".into(), self.clock.read().now).await.expect("numbers").expect("there");
        ["waiting", "stopped"].iter().filter_map(|state| numbers.counts.get(&format!("contact:{state}"))).sum()
    }

    async fn next(&self) -> Option<Moment> {
        self.store.schedules().await.expect("schedules")[0].next_at
    }
}

fn write(folder: &Path, name: &str, rows: usize) {
    let mut csv = String::from("phone\n");
    (0..rows).for_each(|n| csv.push_str(&format!("{}\n", number(n).e164())));
    std::fs::write(folder.join(name), csv).expect("written");
}

on_both_databases! {
    async fn two_processes_begin_it_once_and_missed_days_are_made_up_for_once(database) {
        write(database.folder(), "list.csv", 3);
        let desk = Desk::set(&database, "list.csv", Schedule::default()).await;
        assert_eq!(desk.once().await, 0, "not yet");
        desk.clock.set(nine(21));
        let (one, two) = (desk.timekeeper("tests/one"), desk.timekeeper("tests/two"));
        let (a, b) = tokio::join!(one.run_once(), two.run_once());
        assert_eq!(a.expect("a look") + b.expect("a look"), 1, "one of them");
        assert_eq!((desk.total().await, desk.next().await), (3, Some(nine(22))));
        assert_eq!(desk.store.imports(desk.campaign.run).await.expect("imports").len(), 1);
        assert_eq!(desk.once().await, 0, "the moment is over");

        // Nothing ran for three days: the file of today is read, once.
        write(database.folder(), "list.csv", 5);
        desk.clock.set(nine(24) + Span::from_hours(2));
        assert_eq!(desk.once().await, 1);
        assert_eq!((desk.total().await, desk.next().await), (5, Some(nine(25))));
    }
}

on_both_databases! {
    async fn missed_moments_can_be_let_go(database) {
        write(database.folder(), "list.csv", 3);
        let desk = Desk::set(&database, "list.csv", Schedule { missed: Missed::Skip, ..Schedule::default() }).await;
        desk.clock.set(nine(21) + Span::from_hours(1));
        assert_eq!(desk.once().await, 1);
        assert_eq!((desk.total().await, desk.next().await), (0, Some(nine(22))));
        let said = desk.store.schedules().await.expect("schedules")[0].last_result.clone();
        assert!(said.is_some_and(|said| said.contains("was missed and is let go")));
        let missed = desk.store.last_event(EventKind::ScheduleMissed, Subject::Campaign(desk.campaign.id)).await;
        assert!(missed.expect("an answer").is_some(), "and it is told");
    }
}

on_both_databases! {
    async fn a_restart_begins_a_fresh_run_and_survives_a_death_in_the_middle(database) {
        write(database.folder(), "list.csv", 3);
        let schedule = Schedule { mode: ScheduleMode::Restart, ..Schedule::default() };
        let desk = Desk::set(&database, "list.csv", schedule).await;
        desk.clock.set(nine(21));
        // A process took the moment, began the run, and died.
        let (id, now) = (desk.campaign.id, nine(21));
        let taken = desk.store.take_moment(id, now, "tests/dead".into(), None, now, now + Span::from_secs(9)).await;
        assert!(taken.expect("an answer"));
        desk.store.begin_run(id, format!("schedule {now}"), now).await.expect("a run");
        assert_eq!(desk.once().await, 0, "it may still be alive");
        desk.clock.set(nine(21) + Span::from_secs(10));
        assert_eq!(desk.once().await, 1);
        let row = desk.store.campaign_by_id(id).await.expect("the campaign");
        assert_eq!(desk.store.run(row.run).await.expect("the run").number, 2, "not a third one");
        assert_eq!(desk.total().await, 3);
        desk.clock.set(nine(22));
        assert_eq!(desk.once().await, 1);
        let row = desk.store.campaign_by_id(id).await.expect("the campaign");
        assert_eq!(desk.store.run(row.run).await.expect("the run").number, 3);
        assert_eq!(desk.total().await, 3, "over everyone again");
    }
}

on_both_databases! {
    async fn a_file_that_is_not_there_is_told_and_tomorrow_is_another_day(database) {
        let desk = Desk::set(&database, "list-{date}.csv", Schedule::default()).await;
        desk.clock.set(nine(21));
        assert_eq!(desk.once().await, 1);
        let said = desk.store.schedules().await.expect("schedules")[0].last_result.clone().unwrap_or_default();
        assert!(said.contains("list-2026-11-21.csv"), "{said}");
        write(database.folder(), "list-2026-11-22.csv", 2);
        desk.clock.set(nine(22));
        assert_eq!(desk.once().await, 1);
        assert_eq!(desk.total().await, 2);
    }
}

on_both_databases! {
    async fn a_schedule_lifts_no_pause(database) {
        write(database.folder(), "list.csv", 3);
        let desk = Desk::set(&database, "list.csv", Schedule::default()).await;
        let by = ringfence_domain::PausedBy::Person;
        desk.store.pause_campaign(desk.campaign.id, by, "lunch".into(), nine(20)).await.expect("a pause");
        desk.clock.set(nine(21));
        assert_eq!(desk.once().await, 1);
        let row = desk.store.campaign_by_id(desk.campaign.id).await.expect("the campaign");
        assert_eq!((row.paused_by, desk.total().await), (Some(by), 3), "its contacts are in, and wait");
    }
}

#[tokio::test]
async fn a_huge_file_of_one_campaign_delays_no_other() {
    let database = TestDatabase::sqlite().await;
    write(database.folder(), "huge.csv", 150_000);
    write(database.folder(), "small.csv", 3);
    let desk = Desk::set(&database, "huge.csv", Schedule::default()).await;
    let mut other = desk.campaign.rules.clone();
    other.name = "weekly".to_owned();
    other.contacts.file = Some(database.folder().join("small.csv").display().to_string());
    let lane = desk.store.lanes().await.expect("lanes").remove(0).id;
    let (_, other) = desk.store.apply(other, lane, Begin::Running, desk.clock.read().now).await.expect("a campaign");
    desk.clock.set(nine(21));
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(desk.timekeeper("tests/one").run(stop.clone()));
    let is_over = |schedule: &ringfence_store::ScheduleRow| schedule.next_at == Some(nine(22));
    let small_is_in = async {
        loop {
            let schedules = desk.store.schedules().await.expect("schedules");
            let over: Vec<_> = schedules.iter().filter(|schedule| is_over(schedule)).map(|one| one.campaign).collect();
            if over.contains(&other.id) {
                return over;
            }
            tokio::task::yield_now().await;
        }
    };
    let over =
        tokio::time::timeout(std::time::Duration::from_mins(2), small_is_in).await.expect("the small one begins");
    assert_eq!(over, [other.id], "the huge file is still being read");
    stop.cancel();
    running.await.expect("it ends");
}
