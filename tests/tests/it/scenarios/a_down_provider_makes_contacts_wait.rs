//! Nobody answers at the provider's address: contacts wait, the lane rests ever longer, and goes
//! on by itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ringfence_domain::Outcome;
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn contacts_wait_and_lose_nothing() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let answered = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let mut dialer =
        Dialer::set(database.store.clone(), clock, lane_settings("main"), rules("spring", "main"), answered, 200).await;
    dialer.line.down.store(true, Ordering::SeqCst);
    dialer.start();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(dialer.count("contact:waiting").await + dialer.count("contact:active").await, 200);
    let tries = dialer.count("attempt:not_sent").await;
    assert!(tries < 150, "the lane rests between tries, yet made {tries}");
    dialer.line.down.store(false, Ordering::SeqCst);
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, 200);
    assert_eq!(dialer.simulator.tape().calls().len(), 200);
    dialer.check_tape(1);
    dialer.check_counts().await;
}
