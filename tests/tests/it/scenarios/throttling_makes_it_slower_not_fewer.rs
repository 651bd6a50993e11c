//! 429 with `Retry-After`: the lane rests for as long as it is told, and everyone is still called.

use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn everyone_is_called_and_the_vendor_is_left_alone_meanwhile() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let busy = Behaviour { faults: vec![(Fault::Throttled, 10.0)], ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 1;
    let mut rules = rules("spring", "main");
    rules.retry.max_attempts = 1;
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules, busy, 60).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    let entries = dialer.simulator.tape().entries();
    let refused = entries.iter().filter(|entry| entry.call_id.is_none()).count();
    assert!(refused > 2, "{refused}");
    for pair in entries.windows(2).filter(|pair| pair[0].call_id.is_none()) {
        assert!(pair[1].at.since(pair[0].at).millis() >= 2_000, "Retry-After was 2: {:?} {:?}", pair[0].at, pair[1].at);
    }
    assert_eq!(dialer.simulator.tape().calls().len(), 60, "each of 60 people exactly once");
    dialer.check_tape(1);
    dialer.check_counts().await;
}
