//! Which live attempts hold a slot of their lane, and until when.

use ringfence_domain::verdict::InHand;
use ringfence_domain::{Outcome, Placement, Span};
use ringfence_store::Settlement;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};

async fn held(stage: &Stage, store: &ringfence_store::Database, after: Span) -> InHand {
    store.lane_load(stage.lane, noon() + after).await.expect("a load").all()
}

on_both_databases! {
    async fn a_call_of_unknown_fate_holds_its_slot_for_five_minutes_and_its_number_for_longer(database) {
        let store = &*database.store;
        let stage = Stage::set(store, 5).await;
        let sending = stage.claim(store, 3, noon()).await;
        let lost = |id: &_| stage.sent(*id, Placement::Unknown { cause: "reset".to_owned() });
        store.record(sending.iter().map(lost).collect(), noon()).await.expect("recorded");
        let now = held(&stage, store, Span::ZERO).await;
        assert_eq!((now.live, now.taken, now.unsure), (3, 3, 3));
        assert_eq!(now.first_free, Some(noon() + Span::from_minutes(5)));
        assert!(now.is_stuck(3) && now.free(4) == 1);
        let later = held(&stage, store, Span::from_minutes(5)).await;
        assert_eq!((later.live, later.taken, later.unsure, later.first_free), (3, 0, 0, None));
        assert_eq!(later.free(3), 3);
        let then = noon() + Span::from_minutes(6);
        assert_eq!(stage.open(store, 10, then).await, 2, "whoever has a live attempt gets no other one");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn the_usual_length_of_calls_decides_once_it_is_known(database) {
        let store = &*database.store;
        let stage = Stage::set(store, 130).await;
        assert_eq!(store.usual_call(stage.lane).await.expect("an answer"), None);
        let placed = stage.place(store, 101, noon()).await;
        for (place, id) in placed.iter().enumerate() {
            // One of a hundred and one takes ten minutes.
            let took = if place == 7 { Span::from_minutes(10) } else { Span::from_secs(20) };
            let over = Settlement::Ended(Outcome::Answered, Box::default());
            store.settle(vec![(*id, over)], noon() + took).await.expect("settled");
            if place == 17 {
                assert_eq!(store.usual_call(stage.lane).await.expect("an answer"), None, "too few say nothing");
            }
        }
        let usual = store.usual_call(stage.lane).await.expect("an answer").expect("enough are known");
        assert_eq!(usual, Span::from_secs(20));
        store.keep_usual_call(stage.lane, usual).await.expect("kept");
        assert_eq!(store.lanes().await.expect("lanes")[0].usual_call, Some(usual));
        let sending = stage.claim(store, 1, noon()).await;
        let lost = Placement::Unknown { cause: "reset".to_owned() };
        store.record(vec![stage.sent(sending[0], lost)], noon()).await.expect("recorded");
        assert_eq!(held(&stage, store, Span::from_secs(19)).await.taken, 1);
        assert_eq!(held(&stage, store, Span::from_secs(20)).await.taken, 0);
    }
}

on_both_databases! {
    async fn a_placed_call_holds_its_slot_for_as_long_as_the_vendor_says_that_it_is_out(database) {
        let store = &*database.store;
        let stage = Stage::set(store, 2).await;
        let placed = stage.place(store, 2, noon()).await;
        let minutes = Span::from_minutes;
        assert_eq!(held(&stage, store, minutes(4)).await.taken, 2);
        store.hold_slots(vec![(placed[0], noon() + minutes(20))]).await.expect("held");
        let now = held(&stage, store, minutes(6)).await;
        assert_eq!((now.live, now.taken, now.unsure), (2, 1, 0), "of the other one the vendor says nothing");
        assert_eq!(held(&stage, store, minutes(20)).await.taken, 0);
        store.settle(vec![(placed[0], Settlement::Ended(Outcome::Busy, Box::default()))], noon() + minutes(21)).await.expect("settled");
        store.hold_slots(vec![(placed[0], noon() + minutes(60))]).await.expect("nothing to hold");
        assert_eq!(held(&stage, store, minutes(22)).await.live, 1);
        stage.check_counts(store).await;
    }
}
