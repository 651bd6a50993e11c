//! What a person decides of single contacts.

use ringfence_domain::{ContactId, ContactState, DialClass, StopReason};
use ringfence_store::ImportCounts;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, begin_import, chunk, noon, row};

on_both_databases! {
    async fn who_is_stopped_is_not_called_any_more(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let out = stage.place(store, 1, noon()).await;
        let called = store.attempt(out[0]).await.expect("asked").expect("there").contact;
        let ids: Vec<ContactId> = (1..=3).map(ContactId).collect();
        let waits = *ids.iter().find(|id| **id != called).expect("somebody waits");
        assert_eq!(store.stop_by_hand(vec![called, waits], "wrong list".into(), noon()).await.expect("stopped"), 2);
        let of = |id| async move { store.contact(id).await.expect("asked").expect("there") };
        let stopped = of(waits).await;
        assert_eq!((stopped.state, stopped.stop_reason), (ContactState::Stopped, Some(StopReason::ByHand)));
        assert_eq!(of(called).await.state, ContactState::Active, "a call that is out goes on");
        let busy = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Busy, Box::default());
        store.settle(vec![(out[0], busy)], noon()).await.expect("settled");
        let after = of(called).await;
        assert_eq!((after.state, after.stop_reason), (ContactState::Stopped, Some(StopReason::ByHand)), "it is not tried again");
        assert_eq!(store.stop_by_hand(vec![called], "again".into(), noon()).await.expect("nothing"), 0);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_planned_call_of_who_is_stopped_is_not_made(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        assert_eq!(stage.open(store, 1, noon()).await, 1);
        let planned = stage.open_attempts(store).await;
        assert_eq!(store.stop_by_hand(vec![ContactId(1)], "wrong list".into(), noon()).await.expect("stopped"), 1);
        store.claim(stage.order(&planned, noon())).await.expect("an answer");
        let attempt = store.attempt(planned[0]).await.expect("asked").expect("there");
        assert!(attempt.sending_at.is_none(), "{attempt:?}");
    }
}

on_both_databases! {
    async fn who_is_preferred_is_called_before_all_others(database) {
        let store = &database.store;
        let stage = Stage::set(store, 20).await;
        let last = ContactId(20);
        assert!(store.call_next(last, noon()).await.expect("an answer"));
        stage.check_counts(store).await;
        // One of each queue: those who were called, or preferred, and those who were not.
        let placed = stage.place(store, 1, noon()).await;
        let mut contacts = Vec::new();
        for attempt in placed {
            contacts.push(store.attempt(attempt).await.expect("asked").expect("there").contact);
        }
        assert!(contacts.contains(&last), "before eighteen others: {contacts:?}");
        let class = store.contact(last).await.expect("asked").expect("there").class;
        assert!(class == DialClass::Retry && class.rank() < DialClass::First.rank());
        assert!(!store.call_next(last, noon()).await.expect("an answer"), "it does not wait");
    }
}

on_both_databases! {
    async fn nobody_of_a_held_import_is_preferred(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let import = begin_import(store, stage.run(), "held", noon()).await;
        store.import_chunk(chunk(import, stage.run(), vec![row(store, 1, 1)], noon())).await.expect("a chunk");
        let counts = ImportCounts { rows: 1, accepted: 1, ..ImportCounts::default() };
        store.hold_import(import, counts, "a rail".into(), noon()).await.expect("held");
        assert!(!store.call_next(ContactId(1), noon()).await.expect("an answer"));
        assert_eq!(stage.open(store, 10, noon()).await, 0);
    }
}
