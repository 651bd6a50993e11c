//! The database locked, or its connections cut: nothing is dialled, nothing is lost, and it goes
//! on by itself.

use std::time::Duration;

use ringfence_domain::{Clock, Outcome, Span};
use ringfence_sandbox::{Behaviour, MachineClock};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, rules};
use ringfence_tests::virtual_time::Dialer;
use sqlx::{Connection, Executor};

async fn dialer(database: &TestDatabase) -> Dialer {
    let clock = database.store.clock().await.expect("a clock");
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(200),
        ring: Span::from_millis(50),
        ..Behaviour::default()
    };
    let mut settings = lane_settings("main");
    settings.limits.calls = "40/s".parse().expect("a rate");
    Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), behaviour, 300).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_file() {
    let database = TestDatabase::sqlite().await;
    let mut dialer = dialer(&database).await;
    dialer.start();
    dialer.until("some calls", |count| count("contact:done") > 20).await;
    let path = database.url.strip_prefix("sqlite://").expect("a file");
    let mut lock = sqlx::SqliteConnection::connect(path).await.expect("the file");
    lock.execute("BEGIN IMMEDIATE").await.expect("the lock");
    let locked_at = MachineClock.read().now;
    tokio::time::sleep(Duration::from_secs(7)).await;
    let unlocked_at = MachineClock.read().now;
    lock.execute("ROLLBACK").await.expect("unlocked");
    dialer.until_finished().await;
    dialer.stop().await;
    let meanwhile = dialer.simulator.tape().calls().into_iter().filter(|call| {
        // What was claimed just before may still have been on its way.
        call.at > locked_at + Span::from_millis(500) && call.at < unlocked_at
    });
    assert_eq!(meanwhile.count(), 0);
    assert_eq!(dialer.simulator.tape().calls().len(), 300);
    dialer.check_tape(1);
    dialer.check_counts().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_postgres_connections() {
    let database = TestDatabase::postgres().await;
    let mut dialer = dialer(&database).await;
    dialer.start();
    let (server, name) = database.url.rsplit_once('/').expect("an address");
    let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(name)
            .execute(&mut admin)
            .await
            .expect("cut");
    }
    dialer
        .until("every contact being finished or in review", |count| {
            count("contact:waiting") + count("contact:active") == 0
        })
        .await;
    dialer.stop().await;
    dialer.check_tape(1);
    dialer.check_counts().await;
    assert_eq!(dialer.count("contact:done").await, dialer.simulator.tape().calls().len() as i64);
    assert_eq!(dialer.count("contact:done").await + dialer.count("contact:review").await, 300);
}
