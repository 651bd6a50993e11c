//! Owning lanes, and following runs.

use ringfence_domain::lane::{LaneSettings, LimitLevels, LimitUsage};
use ringfence_domain::{CampaignId, Moment, Span};
use ringfence_samples::HandClock;
use ringfence_scheduler::{LeaseHolder, LeaseOutcome};
use ringfence_store::{Acquired, Owner};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, lane_settings, noon};

fn owner(name: &str) -> Owner {
    Owner { name: name.to_owned(), lease: Span::from_secs(9) }
}

on_both_databases! {
    async fn a_lane_has_one_owner_until_its_lease_runs_out_or_it_is_dead(database) {
        let store = &database.store;
        let lane = store.register_lane(lane_settings("main"), noon()).await.expect("a lane").id;
        let take = |name: &'static str, dead: Option<&'static str>, seconds| async move {
            let now = noon() + Span::from_secs(seconds);
            store.take_lane(lane, lane_settings("main"), owner(name), dead.map(str::to_owned), now).await.expect("an answer")
        };
        assert!(matches!(take("a", None, 0).await, Acquired::Ours { epoch: 1, .. }));
        assert!(matches!(take("b", None, 1).await, Acquired::Theirs { .. }));
        assert!(matches!(take("b", Some("a"), 2).await, Acquired::Ours { epoch: 2, .. }), "its lock file says that it is dead");
        let levels = LimitLevels { calls: 2, requests: 7, limited: None };
        assert!(!store.renew_lane(lane, 1, noon() + Span::from_secs(20), levels).await.expect("an answer"), "fenced");
        assert!(store.renew_lane(lane, 2, noon() + Span::from_secs(20), levels).await.expect("an answer"));
        assert_eq!(store.lanes().await.expect("lanes")[0].levels, levels);
        assert!(matches!(take("c", None, 19).await, Acquired::Theirs { .. }));
        assert!(matches!(take("c", None, 20).await, Acquired::Ours { epoch: 3, .. }));
        assert_eq!(store.lanes().await.expect("lanes")[0].levels, LimitLevels::default(), "a new owner has not said");
        store.release_lane(lane, 3, None, noon()).await.expect("released");
        assert!(matches!(take("a", None, 21).await, Acquired::Ours { epoch: 4, .. }));
    }
}

on_both_databases! {
    async fn lanes_go_to_who_has_fewer_and_a_lane_that_was_given_back_is_left_to_them(database) {
        let store = std::sync::Arc::new(database.another().await);
        let clock = HandClock::at(noon());
        let mut lanes = Vec::new();
        for name in ["one", "two", "three"] {
            let settings = lane_settings(name);
            let id = store.register_lane(settings.clone(), noon()).await.expect("a lane").id;
            lanes.push((id, settings));
        }
        for name in ["a", "b", "c"] {
            store.begin_process(name.into(), "serve".into(), noon()).await.expect("begun");
            store.share_lanes(name.into(), lanes.clone()).await.expect("said");
        }
        let holder = |name: &str, lane: usize| {
            let (id, settings) = lanes[lane].clone();
            LeaseHolder::new(store.clone(), clock.clone(), name.to_owned(), id, settings)
        };
        let mut leases = Vec::new();
        for lane in 0..3 {
            match holder("a", lane).acquire(false).await.expect("an answer") {
                LeaseOutcome::Ours(lease) => leases.push(lease),
                other @ LeaseOutcome::Theirs { .. } => panic!("{other:?}"),
            }
        }
        let last = holder("a", 2);
        assert_eq!(last.hand_to(None).await.expect("an answer").as_deref(), Some("b"));
        assert_eq!(last.hand_to(Some("b")).await.expect("an answer").as_deref(), Some("c"), "b did not take it");
        assert_eq!(holder("a", 0).hand_to(None).await.expect("an answer"), None, "one is our share");
        last.release(&leases[2], None).await.expect("released");
        let tries = async |name: &str, is_stopped: bool| holder(name, 2).acquire(is_stopped).await.expect("an answer");
        let taken = async |name: &str| matches!(tries(name, false).await, LeaseOutcome::Ours(_));
        assert!(matches!(tries("c", true).await, LeaseOutcome::Theirs { .. }), "it is stopped, and others are not");
        assert!(!taken("a").await, "it has two, and others none");
        clock.set(noon() + Span::from_secs(5));
        assert!(taken("a").await, "nobody took it");
        // Nobody hands a lane to a process that is silent, has left, or spoke before the clock was set back.
        store.end_process("c".into(), noon()).await.expect("ended");
        clock.set(noon() + Span::from_secs(7));
        assert_eq!(last.hand_to(None).await.expect("an answer"), None);
        store.sign_of_life("a".into(), noon() + Span::from_secs(7)).await.expect("a sign");
        store.sign_of_life("b".into(), noon() + Span::from_secs(60)).await.expect("a sign");
        assert_eq!(last.hand_to(None).await.expect("an answer"), None);
        store.sign_of_life("b".into(), noon() + Span::from_secs(7)).await.expect("a sign");
        assert_eq!(last.hand_to(None).await.expect("an answer").as_deref(), Some("b"));
    }
}

on_both_databases! {
    async fn what_was_used_is_handed_over_once_and_only_with_a_lane_that_was_given_back(database) {
        let store = &database.store;
        let settings = lane_settings("main");
        let lane = store.register_lane(settings.clone(), noon()).await.expect("a lane").id;
        let take = |settings: LaneSettings, dead: Option<&str>| {
            store.take_lane(lane, settings, owner("a"), dead.map(str::to_owned), noon())
        };
        let handed = |taken: Acquired| match taken {
            Acquired::Ours { epoch, spent, .. } => (epoch, spent),
            other => panic!("{other:?}"),
        };
        let spent = LimitUsage {
            limits: settings.limits.clone(),
            calls: vec![noon()],
            requests: vec![noon(), noon()],
            campaigns: vec![(CampaignId(1), "3/min".parse().expect("a rate"), vec![noon()])],
        };
        let (epoch, none) = handed(take(settings.clone(), None).await.expect("an answer"));
        assert_eq!(none, None);
        store.release_lane(lane, epoch, Some(spent.clone()), noon()).await.expect("released");
        let (epoch, given) = handed(take(settings.clone(), None).await.expect("an answer"));
        assert_eq!(given, Some(spent.clone()));
        let (_, after_a_death) = handed(take(settings.clone(), Some("a")).await.expect("an answer"));
        assert_eq!(after_a_death, None, "whoever dies says nothing");
        store.release_lane(lane, epoch + 1, Some(spent), noon()).await.expect("released");
        let mut other = settings;
        other.limits.per_day = Some(7);
        let (_, other_limits) = handed(take(other, None).await.expect("an answer"));
        assert_eq!(other_limits, None, "it was kept for other limits");
    }
}

on_both_databases! {
    async fn until_when_unsaid_use_may_have_gone_on_is_kept_with_the_lane(database) {
        let store = &database.store;
        let settings = lane_settings("main");
        let lane = store.register_lane(settings.clone(), noon()).await.expect("a lane").id;
        let at = |seconds| noon() + Span::from_secs(seconds);
        let take = |dead: Option<&str>, seconds| {
            store.take_lane(lane, settings.clone(), owner("a"), dead.map(str::to_owned), at(seconds))
        };
        let unsaid = || async { store.lanes().await.expect("lanes").remove(0).unsaid_until };
        take(None, 0).await.expect("taken");
        assert_eq!(unsaid().await, Moment::default(), "nobody had it before");
        take(Some("a"), 5).await.expect("taken");
        assert_eq!(unsaid().await, at(5), "it may have used it up to its death");
        take(None, 60).await.expect("taken");
        assert_eq!(unsaid().await, at(14), "up to the end of its lease");
        let epoch = store.lanes().await.expect("lanes").remove(0).epoch;
        let spent = LimitUsage { limits: settings.limits.clone(), calls: vec![], requests: vec![], campaigns: vec![] };
        store.release_lane(lane, epoch, Some(spent), at(61)).await.expect("released");
        take(None, 62).await.expect("taken");
        assert_eq!(unsaid().await, Moment::default(), "it said what it had used");
    }
}

on_both_databases! {
    async fn of_two_that_ask_at_once_one_gets_the_lane(database) {
        let lane = database.store.register_lane(lane_settings("main"), noon()).await.expect("a lane").id;
        let other = database.another().await;
        let (a, b) = tokio::join!(
            database.store.take_lane(lane, lane_settings("main"), owner("a"), None, noon()),
            other.take_lane(lane, lane_settings("main"), owner("b"), None, noon()),
        );
        let ours = [a.expect("an answer"), b.expect("an answer")].iter().filter(|t| matches!(t, Acquired::Ours { .. })).count();
        assert_eq!(ours, 1);
    }
}

on_both_databases! {
    async fn settings_change_only_with_the_owner(database) {
        let store = &database.store;
        let lane = store.register_lane(lane_settings("main"), noon()).await.expect("a lane").id;
        sample::take(store, lane, lane_settings("main"), "a").await;
        let mut faster = lane_settings("main");
        faster.limits.concurrent = 500;
        let asked = store.take_lane(lane, faster.clone(), owner("b"), None, noon()).await.expect("an answer");
        assert_eq!(asked, Acquired::OtherSettings { owner: "a".into() });
        assert_eq!(store.lanes().await.expect("lanes")[0].settings.limits.concurrent, 100);
        let late = noon() + Span::from_secs(9);
        store.take_lane(lane, faster, owner("b"), None, late).await.expect("an answer");
        assert_eq!(store.lanes().await.expect("lanes")[0].settings.limits.concurrent, 500);
    }
}

on_both_databases! {
    async fn one_process_lives_for_a_run(database) {
        let stage = Stage::set(&database.store, 0).await;
        let follow = |name: &'static str, dead: Option<&'static str>| {
            let (store, run) = (&database.store, stage.run());
            let (now, until) = (noon(), noon() + Span::from_secs(9));
            async move { store.follow_run(run, name.into(), dead.map(str::to_owned), now, until).await.expect("an answer") }
        };
        assert_eq!(follow("a", None).await, None);
        assert_eq!(follow("a", None).await, None, "again by itself");
        assert_eq!(follow("b", None).await.as_deref(), Some("a"));
        assert_eq!(follow("b", Some("a")).await, None);
        database.store.unfollow_run(stage.run(), "b".into()).await.expect("done");
        assert_eq!(follow("c", None).await, None);
    }
}

on_both_databases! {
    async fn a_campaign_leaves_its_lane_only_when_no_call_is_out(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let other = store.register_lane(lane_settings("other"), noon()).await.expect("a lane").id;
        let id = stage.place(store, 1, noon()).await[0];
        let refused = store.apply(sample::rules("spring", "other"), other, ringfence_store::Begin::Running, noon()).await;
        assert!(matches!(refused, Err(ringfence_store::StoreError::LaneBusy { .. })), "{refused:?}");
        let ended = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Answered, Box::default());
        store.settle(vec![(id, ended)], noon()).await.expect("settled");
        store.apply(sample::rules("spring", "other"), other, ringfence_store::Begin::Running, noon()).await.expect("now it may");
        assert_eq!(store.eligible_buckets(other, noon(), 10).await.expect("buckets").len(), 1);
    }
}

on_both_databases! {
    async fn what_an_abandoned_lane_left_open_is_freed_by_any_other(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        stage.open(store, 3, noon()).await;
        let other = store.register_lane(lane_settings("other"), noon()).await.expect("a lane").id;
        let epoch = sample::take(store, other, lane_settings("other"), "other").await;
        let order = |now| ringfence_store::SweepOrder {
            lane: other, epoch, now, sending_for: Span::from_secs(20), lapse_before: now, overdue_at: now,
        };
        assert_eq!(store.sweep(order(noon() + Span::from_secs(60))).await.expect("a sweep").lapsed, 0, "it may come back");
        assert_eq!(store.sweep(order(noon() + Span::from_secs(100))).await.expect("a sweep").lapsed, 3);
        assert_eq!(stage.count(store, "contact:waiting").await, 3);
        stage.check_counts(store).await;
    }
}
