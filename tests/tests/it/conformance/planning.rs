//! Opening attempts.

use std::collections::BTreeSet;

use ringfence_domain::{AttemptId, DialClass, Moment, Outcome, Span};
use ringfence_store::{Plan, Settlement};
use ringfence_tests::database::execute;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

on_both_databases! {
    async fn a_contact_is_opened_once_and_its_number_in_one_campaign_only(database) {
        let stage = Stage::set(&database.store, 3).await;
        let (_, second) = database.store.apply(sample::rules("autumn", "main"), stage.lane, ringfence_store::Begin::Running, noon()).await.expect("a campaign");
        sample::import(&database.store, second.run, 0..3, noon()).await;
        let opened = stage.open(&database.store, 10, noon()).await;
        assert_eq!(opened, 3, "three numbers, six contacts");
        assert_eq!(stage.open(&database.store, 10, noon()).await, 0);
        assert_eq!(stage.open_attempts(&database.store).await.len(), 3);
        stage.check_counts(&database.store).await;
        assert_eq!(database.store.recount(second.run).await.expect("a recount"), []);
    }
}

on_both_databases! {
    async fn two_planners_never_open_one_contact_twice(database) {
        let stage = Stage::set(&database.store, 200).await;
        let other = database.another().await;
        let mut opened = 0;
        for _ in 0..30 {
            let (mine, theirs) =
                tokio::join!(stage.open(&database.store, 5, noon()), stage.open(&other, 5, noon()));
            opened += mine + theirs;
        }
        while stage.open(&database.store, 50, noon()).await > 0 {
            opened = stage.open_attempts(&database.store).await.len() as u32;
        }
        assert_eq!(stage.open_attempts(&database.store).await.len(), 200, "{opened}");
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn an_empty_bucket_is_not_looked_at_and_a_closed_one_not_before_its_opening(database) {
        let stage = Stage::set(&database.store, 2).await;
        let bucket = database.store.eligible_buckets(stage.lane, noon(), 10).await.expect("buckets")[0].id;
        let opening = noon() + Span::from_hours(20);
        let closed = Plan { lane: stage.lane, epoch: stage.epoch, now: noon(), picks: vec![], closed: vec![ringfence_store::Closed { bucket, until: opening, revision: stage.campaign.revision }] };
        database.store.open_attempts(closed).await.expect("a plan");
        assert!(database.store.eligible_buckets(stage.lane, noon(), 10).await.expect("buckets").is_empty());
        assert_eq!(database.store.next_eligible(stage.lane).await.expect("a moment"), Some(opening));
        assert_eq!(stage.open(&database.store, 10, opening).await, 2);
        assert_eq!(database.store.next_eligible(stage.lane).await.expect("a moment"), None);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_contact_that_arrives_later_wakes_its_bucket(database) {
        let stage = Stage::set(&database.store, 1).await;
        assert_eq!(stage.open(&database.store, 10, noon()).await, 1);
        let later = noon() + Span::from_secs(5);
        sample::import(&database.store, stage.run(), 1..4, later).await;
        assert_eq!(database.store.next_eligible(stage.lane).await.expect("a moment"), Some(later));
        assert_eq!(stage.open(&database.store, 10, later).await, 3);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn whoever_comes_back_to_the_same_moment_goes_first_again(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let first_two = async || {
            stage.open(store, 2, noon()).await;
            let bursts = store.bursts(stage.lane, stage.epoch, AttemptId(0), 10, 10).await.expect("bursts");
            let calls: Vec<_> = bursts.into_iter().flat_map(|burst| burst.calls).collect();
            let late = stage.order(&calls.iter().map(|call| call.attempt).collect::<Vec<_>>(), noon() + Span::from_secs(30));
            assert_eq!(store.claim(late).await.expect("a claim").refused.len(), 2, "they wait again");
            stage.check_counts(store).await;
            let numbers: BTreeSet<String> = calls.iter().map(|call| call.number.e164().to_owned()).collect();
            numbers
        };
        assert_eq!(first_two().await, first_two().await);
        assert_eq!(stage.open(store, 10, noon()).await, 5, "nobody stays behind");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_head_that_hides_somebody_is_found(database) {
        let stage = Stage::set(&database.store, 5).await;
        execute(&database.url, "UPDATE buckets SET next_contact = (SELECT max(id) FROM contacts)").await;
        let found = database.store.recount(stage.run()).await.expect("a recount");
        assert_eq!(found, [("the number of people whom planning would pass (Asia/Kolkata first)".to_owned(), 4, 0)]);
    }
}

on_both_databases! {
    async fn a_run_is_not_dialled_before_its_first_import_is_complete(database) {
        let stage = Stage::set(&database.store, 0).await;
        let (_, second) = database.store.apply(sample::rules("autumn", "main"), stage.lane, ringfence_store::Begin::Running, noon()).await.expect("a campaign");
        let import = sample::begin_import(&database.store, second.run, "x", noon()).await;
        let chunk = sample::chunk(import, second.run, vec![sample::row(&database.store, 1, 1)], noon());
        database.store.import_chunk(chunk).await.expect("a chunk");
        assert_eq!(stage.open(&database.store, 10, noon()).await, 0);
    }
}

on_both_databases! {
    async fn a_lane_that_changed_hands_opens_nothing_for_the_old_owner(database) {
        let stage = Stage::set(&database.store, 2).await;
        let old = Plan { lane: stage.lane, epoch: stage.epoch - 1, now: noon(), picks: vec![], closed: vec![] };
        assert!(database.store.open_attempts(old).await.expect("an answer").not_ours);
    }
}

on_both_databases! {
    async fn retries_wait_in_a_bucket_of_their_own(database) {
        let stage = Stage::set(&database.store, 2).await;
        let placed = stage.place(&database.store, 1, noon()).await;
        let busy = Settlement::Ended(Outcome::Busy, Box::default());
        database.store.settle(vec![(placed[0], busy)], noon()).await.expect("settled");
        let due: Moment = noon() + Span::from_minutes(17);
        let buckets = database.store.eligible_buckets(stage.lane, due, 10).await.expect("buckets");
        let mut classes: Vec<_> = buckets.iter().map(|bucket| bucket.class).collect();
        classes.sort_unstable();
        assert_eq!(classes, [DialClass::Retry, DialClass::First]);
        stage.check_counts(&database.store).await;
    }
}
