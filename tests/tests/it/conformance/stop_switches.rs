//! Stops, pauses, cancels, fresh runs.

use ringfence_domain::{AttemptState, ContactState, Outcome, PausedBy, StopReason};
use ringfence_store::{Begin, Resumed, ReviewAnswer, Settlement, StopOrder, StopScope, StoreError};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, import, noon, rules};

on_both_databases! {
    async fn no_claim_commits_after_a_stop_returned(database) {
        let store = &database.store;
        let stage = Stage::set(store, 200).await;
        stage.open(store, 200, noon()).await;
        let open = stage.open_attempts(store).await;
        let other = database.another().await;
        let claims = open.chunks(10).map(|some| store.claim(stage.order(some, noon())));
        let (claimed, at_the_stop) = tokio::join!(futures::future::join_all(claims), async {
            other.stop_all("wrong list".into(), noon()).await.expect("a stop");
            stage.count(&other, "attempt:sending").await
        });
        let sending: usize = claimed.into_iter().map(|claim| claim.expect("an answer").sending.len()).sum();
        assert_eq!(at_the_stop, sending as i64, "what was claimed was claimed before the stop returned");
        assert_eq!(stage.claim(store, 50, noon()).await, [], "nothing more");
        assert!(store.lane_load(stage.lane, noon()).await.expect("a load").stop.is_some());
        assert_eq!(store.stop().await.expect("an answer").expect("a stop").reason, "wrong list");
        store.start_all(noon()).await.expect("a start");
        assert_eq!(store.stop().await.expect("an answer"), None);
        stage.open(store, 200, noon()).await;
        let open = stage.open_attempts(store).await;
        assert_eq!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending.len(), open.len());
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_draft_dials_nobody_until_it_is_started(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let (_, draft) = store.apply(rules("draft", "main"), stage.lane, Begin::Draft, noon()).await.expect("applied");
        assert_eq!(draft.paused_by, Some(PausedBy::Draft));
        import(store, draft.run, 0..3, noon()).await;
        assert_eq!(stage.open(store, 10, noon()).await, 0);
        let (_, draft) = store.apply(rules("draft", "main"), stage.lane, Begin::Draft, noon()).await.expect("applied");
        assert_eq!(draft.paused_by, Some(PausedBy::Draft), "applied again as a draft it stays one");
        let (_, started) = store.apply(rules("draft", "main"), stage.lane, Begin::Running, noon()).await.expect("applied");
        assert_eq!(started.paused_by, None);
        assert_eq!(stage.open(store, 10, noon()).await, 3);
    }
}

on_both_databases! {
    async fn applying_never_lifts_a_pause(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "lunch".into(), noon()).await.expect("a pause");
        let mut changed = rules("spring", "main");
        changed.priority = 2;
        let (_, row) = store.apply(changed, stage.lane, Begin::Running, noon()).await.expect("applied");
        assert_eq!((row.paused_by, row.reason.as_deref()), (Some(PausedBy::Person), Some("lunch")));
        assert_eq!(stage.open(store, 10, noon()).await, 0);
        let resumed = store.resume_campaign(stage.campaign.id, false, noon()).await.expect("an answer");
        assert_eq!(resumed, Resumed::Running { accepted: vec![] });
        assert_eq!(stage.open(store, 10, noon()).await, 3);
    }
}

on_both_databases! {
    async fn a_cancelled_campaign_takes_nobody_back_and_stays_cancelled(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let placed = stage.place(store, 2, noon()).await;
        let opened = stage.open(store, 1, noon()).await;
        assert_eq!((placed.len(), opened), (2, 1));
        let open = stage.open_attempts(store).await;
        let run = store.cancel_campaign(stage.campaign.id, "wrong".into(), noon()).await.expect("cancelled");
        let order = StopOrder::new(run, StopScope::All, StopReason::Cancelled, noon());
        assert_eq!(order.carry_out(store).await.expect("stopped"), 2);
        assert!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending.is_empty());
        let busy = Settlement::Ended(Outcome::Busy, Box::default());
        store.settle(placed.iter().map(|id| (*id, busy.clone())).collect(), noon()).await.expect("settled");
        assert_eq!(stage.count(store, "stopped:cancelled").await, 5, "busy ones are not called again either");
        assert_eq!(stage.count(store, "contact:waiting").await, 0);
        let again = store.apply(rules("spring", "main"), stage.lane, Begin::Running, noon()).await;
        assert!(matches!(again, Err(StoreError::Cancelled { .. })), "{again:?}");
        let resumed = store.resume_campaign(stage.campaign.id, true, noon()).await;
        assert!(matches!(resumed, Err(StoreError::Cancelled { .. })), "{resumed:?}");
        let paused = store.pause_campaign(stage.campaign.id, PausedBy::Person, "wait".into(), noon()).await;
        assert!(matches!(paused, Err(StoreError::Cancelled { .. })), "{paused:?}");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_fresh_run_begins_once_for_a_key_and_leaves_out_who_is_not_settled(database) {
        let store = &database.store;
        let stage = Stage::set(store, 4).await;
        let sending = stage.claim(store, 1, noon()).await;
        let unknown = ringfence_domain::Placement::Unknown { cause: "time-out".into() };
        store.record(vec![stage.sent(sending[0], unknown)], noon()).await.expect("recorded");
        store.settle(vec![(sending[0], Settlement::Review)], noon()).await.expect("settled");

        let (run, begun) = store.begin_run(stage.campaign.id, "sunday".into(), noon()).await.expect("a run");
        assert!(begun);
        assert_eq!((run.number, run.key.as_deref()), (2, Some("sunday")));
        let (same, begun) = store.begin_run(stage.campaign.id, "sunday".into(), noon()).await.expect("a run");
        assert!(!begun, "the same key never begins two");
        assert_eq!(same.id, run.id);
        let order = StopOrder::new(stage.run(), StopScope::All, StopReason::Superseded, noon());
        assert_eq!(order.carry_out(store).await.expect("stopped"), 3);

        import(store, run.id, 0..4, noon()).await;
        assert_eq!(stage.open(store, 10, noon()).await, 3, "the one in review is left out");
        // Hours later slot and number are free again, and still nobody can say whether it was
        // called.
        let later = noon() + ringfence_domain::Span::from_hours(2);
        store.settle(vec![(sending[0], Settlement::GiveUp)], later).await.expect("settled");
        let due = later + ringfence_domain::Span::from_secs(60);
        let planned = stage.open(store, 10, due).await;
        assert_eq!(planned, 0, "the contact in review keeps its number out of the fresh run");
        let review = store.reviews(None, ringfence_domain::ContactId(0), 10).await.expect("reviews");
        assert_eq!(review.len(), 1);
        assert_eq!(review[0].attempt_state, Some(AttemptState::Ended));
        assert!(store.decide_review(review[0].contact, ReviewAnswer::NotPlaced, due).await.expect("settled"));
        assert!(!store.decide_review(review[0].contact, ReviewAnswer::NotPlaced, due).await.expect("an answer"), "once");
        let due = due + ringfence_domain::Span::from_secs(60);
        assert_eq!(stage.open(store, 10, due).await, 1);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_persons_word_settles_an_unknown_call(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let sending = stage.claim(store, 2, noon()).await;
        let unknown = ringfence_domain::Placement::Unknown { cause: "time-out".into() };
        let sent = sending.iter().map(|id| stage.sent(*id, unknown.clone())).collect();
        store.record(sent, noon()).await.expect("recorded");
        store.settle(sending.iter().map(|id| (*id, Settlement::Review)).collect(), noon()).await.expect("settled");
        let review = store.reviews(Some(stage.campaign.id), ringfence_domain::ContactId(0), 10).await.expect("reviews");
        assert_eq!(review.iter().map(|row| row.cause.as_deref()).collect::<Vec<_>>(), [Some("time-out"); 2]);
        assert!(store.decide_review(review[0].contact, ReviewAnswer::Placed, noon()).await.expect("settled"));
        assert!(store.decide_review(review[1].contact, ReviewAnswer::NotPlaced, noon()).await.expect("settled"));
        let (run, shared) = (stage.run(), store.clone());
        let states = |state| {
            let filter = ringfence_store::ContactFilter { state: Some(state), ..Default::default() };
            shared.contacts(run, filter, ringfence_domain::ContactId(0), 10)
        };
        assert_eq!(states(ContactState::Done).await.expect("contacts").len(), 1, "never called again");
        assert_eq!(states(ContactState::Waiting).await.expect("contacts").len(), 1, "called again");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn the_next_number_of_a_person_has_its_turn(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let numbers: Vec<_> =
            (1..=3).map(|n| (sample::number(n), store.hasher().key(&sample::number(n)))).collect();
        let id = sample::begin_import(store, stage.run(), "list", noon()).await;
        let contact = ringfence_store::NewContact { numbers: numbers.clone(), ..sample::row(store, 1, 1) };
        store.import_chunk(sample::chunk(id, stage.run(), vec![contact], noon())).await.expect("a chunk");
        store.complete_import(sample::complete(id, 1, noon())).await.expect("complete");
        let mut at = noon();
        let mut called = Vec::new();
        for outcome in [Outcome::Busy, Outcome::InvalidNumber, Outcome::NoAnswer] {
            let placed = stage.place(store, 1, at).await;
            let contact = store.contact_by_number(stage.run(), numbers[0].1).await.expect("an answer").expect("there");
            called.push(contact.number);
            store.settle(vec![(placed[0], Settlement::Ended(outcome, Box::default()))], at).await.expect("settled");
            at = at + ringfence_domain::Span::from_days(2);
        }
        let wanted: Vec<_> = numbers.iter().map(|(number, _)| number.clone()).collect();
        assert_eq!(called, wanted, "each in turn; one that does not exist is no end while there are others");
        assert_eq!(stage.count(store, "stopped:attempts_used").await, 1, "one cap over all of them");
        stage.check_counts(store).await;
    }
}
