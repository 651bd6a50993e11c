//! The planner counts what is in hand now and then, and reckons in between.

use std::sync::Arc;

use ringfence_domain::stop_switch::NoStopSwitch;
use ringfence_domain::{Clock, Outcome, Rate};
use ringfence_sandbox::MachineClock;
use ringfence_scheduler::{LeaseHolder, LeaseOutcome, Planner};
use ringfence_store::{Begin, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

on_both_databases! {
    async fn a_call_that_ends_frees_its_slot_without_another_count(database) {
        let store = &database.store;
        let stage = Stage::set(store, 10).await;
        let lane = store.lane_standing(stage.lane, noon()).await.expect("a lane").lane;
        let placed = stage.place(store, 5, noon()).await;
        let counted = store.counted_in_hand(lane.clone(), noon()).await.expect("a count");
        assert_eq!((counted[&stage.run()].live, counted[&stage.run()].taken), (5, 5));
        let ended = |attempt| (attempt, Settlement::Ended(Outcome::Answered, Box::default()));
        store.settle(placed[..2].iter().copied().map(ended).collect(), noon()).await.expect("settled");
        stage.claim(store, 1, noon()).await;
        let kept = store.in_hand(&lane, noon()).await.expect("known")[&stage.run()];
        let counted = store.counted_in_hand(lane, noon()).await.expect("a count")[&stage.run()];
        assert_eq!(kept, counted);
        assert_eq!((kept.live, kept.sending, kept.open, kept.taken), (4, 1, 0, 4));
    }
}

on_both_databases! {
    async fn slots_are_not_overdrawn_between_two_counts(database) {
        let store = &database.store;
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let now = clock.read().now;
        let mut settings = sample::lane_settings("main");
        settings.limits.concurrent = 5;
        settings.limits.calls = Rate::per_second(1_000);
        let lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
        let (_, campaign) = store.apply(sample::rules("spring", "main"), lane, Begin::Running, now).await.expect("a campaign");
        sample::import(store, campaign.run, 0..40, now).await;
        let holder = LeaseHolder::new(store.clone(), clock.clone(), "tests/1".into(), lane, settings);
        let LeaseOutcome::Ours(lease) = holder.acquire(false).await.expect("an answer") else { panic!("nobody else is there") };
        let mut planner = Planner::new(store.clone(), clock, lease, Arc::new(NoStopSwitch), None, Arc::default(), Arc::default());
        let mut opened = 0;
        for _ in 0..20 {
            opened += planner.run_once().await.expect("a tick").opened;
        }
        assert_eq!(opened, 5);
    }
}
