//! A Postgres server whose clock is hours away from the machine's: all processes go by the server's.

use ringfence_domain::{Moment, Outcome, Span, Zone};
use ringfence_operations::workspace::wall_clock;
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, json, write_project};
use ringfence_tests::database::execute;

const PEOPLE: usize = 6;

/// A server on whose clock it is this hour in India: the next one that comes.
async fn server_at(hour: i64) -> TestDatabase {
    let database = TestDatabase::postgres().await;
    let minutes = ahead(hour).millis() / 60_000;
    let says = format!("pg_catalog.clock_timestamp() + interval '{minutes} minutes'");
    database.prepare_server(&[("clock_timestamp()", "timestamptz", &says)]).await;
    execute(&database.url, "ALTER SCHEMA server_not_yet RENAME TO server").await;
    database
}

/// How long it is until it is this hour in India.
fn ahead(hour: i64) -> Span {
    let india: Zone = "Asia/Kolkata".parse().expect("a zone");
    let local = wall_clock().local(india);
    let minutes = hour * 60 - i64::from(local.hour()) * 60 - i64::from(local.minute());
    Span::from_minutes(minutes.rem_euclid(24 * 60))
}

/// An hour of the day that is far from now.
fn far_hour() -> i64 {
    let is_far = |hour: &i64| (3..21).contains(&(ahead(*hour).millis() / 3_600_000));
    [12, 18].into_iter().find(is_far).expect("one of two hours that lie six hours apart")
}

/// Runs a campaign that may call around this hour, and says how many calls there were.
async fn calls_around(database: &TestDatabase, hour: i64) -> usize {
    let folder = database.folder().join(format!("around-{hour}"));
    std::fs::create_dir(&folder).expect("a folder");
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: Span::from_millis(20),
        talk: Span::from_millis(100),
        ..Behaviour::default()
    };
    let vendor = Vendor::begin(behaviour).await;
    write_project(&folder, &database.url, &vendor, PEOPLE, "");
    let path = folder.join("spring.toml");
    let rules = std::fs::read_to_string(&path).expect("read");
    let hours = format!("{:02}:00-{:02}:00", hour - 1, hour + 1);
    let rules = rules.replace("24/7", &hours).replace("\"spring\"", &format!("\"around-{hour}\""));
    std::fs::write(&path, rules).expect("written");
    json(&folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
    vendor.simulator.tape().calls().len()
}

#[tokio::test]
async fn whoever_asks_for_the_time_gets_the_servers() {
    let hour = far_hour();
    let database = server_at(hour).await;
    let clock = database.another().await.clock().await.expect("a clock");
    let apart = clock.read().now.since(wall_clock());
    let wanted = ahead(hour);
    assert!((apart.millis() - wanted.millis()).abs() < 120_000, "{apart} instead of {wanted}");
}

#[tokio::test]
async fn people_are_called_in_the_servers_window_and_not_in_the_machines() {
    let hour = far_hour();
    let database = server_at(hour).await;
    assert_eq!(calls_around(&database, hour).await, PEOPLE, "it is that time on the server");
    let india: Zone = "Asia/Kolkata".parse().expect("a zone");
    let machines = i64::from(wall_clock().local(india).hour()).clamp(1, 22);
    assert_eq!(calls_around(&database, machines).await, 0, "it is on the machine, and not on the server");
}

#[tokio::test]
async fn what_happened_is_noted_by_the_servers_time() {
    let hour = far_hour();
    let database = server_at(hour).await;
    calls_around(&database, hour).await;
    let store = database.another().await;
    let run = store.campaigns().await.expect("campaigns")[0].run;
    let filter = ringfence_store::ContactFilter::default();
    let attempts = store.attempts(run, filter, ringfence_domain::AttemptId(0), 100).await.expect("attempts");
    assert_eq!(attempts.len(), PEOPLE);
    let near = |at: Moment| (at.since(wall_clock()).millis() - ahead(hour).millis()).abs() < 300_000;
    for attempt in attempts {
        let (sent, ended) = (attempt.sending_at.expect("sent"), attempt.ended_at.expect("over"));
        assert!(near(sent) && near(ended), "{sent} to {ended}");
    }
}
