//! Outcomes and what follows, unknown calls, sweeps.

use ringfence_domain::event::EventKind;
use ringfence_domain::{CallDetails, DialClass, Outcome, Placement, Span};
use ringfence_store::{ContactFilter, Settlement, SweepOrder};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

fn ended(outcome: Outcome) -> Settlement {
    Settlement::Ended(outcome, Box::default())
}

on_both_databases! {
    async fn an_answer_finishes_the_contact_with_all_that_was_learned(database) {
        let stage = Stage::set(&database.store, 1).await;
        let id = stage.place(&database.store, 1, noon()).await[0];
        let details = CallDetails {
            vendor_status: Some("completed".into()),
            talk_seconds: Some(94),
            cost: Some((15_670_000, "INR".into())),
            outputs: [("interested".to_owned(), serde_json::json!("yes"))].into(),
            recording: Some(("https://example.com/r".into(), Some(noon() + Span::from_days(7)))),
            transcript: Some(("https://example.com/t".into(), None)),
        };
        let settlement = Settlement::Ended(Outcome::Answered, Box::new(details));
        assert_eq!(database.store.settle(vec![(id, settlement)], noon()).await.expect("settled").settled, 1);
        let contacts = database.store.contacts(stage.run(), ContactFilter { reached: Some(true), ..ContactFilter::default() }, ringfence_domain::ContactId(0), 10).await;
        let contact = contacts.expect("contacts").remove(0);
        let call = contact.last_attempt.expect("its call");
        assert_eq!((call.talk_seconds, call.cost_micros, call.currency.as_deref()), (Some(94), Some(15_670_000), Some("INR")));
        assert_eq!(call.outputs["interested"], "yes");
        assert_eq!(call.recording_expires_at, Some(noon() + Span::from_days(7)));
        assert_eq!(call.transcript_url.as_deref(), Some("https://example.com/t"));
        for (name, n) in [("reached", 1), ("talk_seconds", 94), ("cost:INR", 15_670_000), ("outcome:answered", 1), ("contact:done", 1)] {
            assert_eq!(stage.count(&database.store, name).await, n, "{name}");
        }
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn retries_are_new_attempts_under_one_shared_cap(database) {
        let stage = Stage::set(&database.store, 1).await;
        let mut now = noon();
        for (call, outcome) in [Outcome::Busy, Outcome::NoAnswer, Outcome::Failed].into_iter().enumerate() {
            let id = stage.place(&database.store, 1, now).await;
            assert_eq!(id.len(), 1, "call {call}");
            database.store.settle(vec![(id[0], ended(outcome))], now).await.expect("settled");
            now = now + Span::from_hours(5);
        }
        assert_eq!(stage.count(&database.store, "stopped:attempts_used").await, 1);
        assert!(stage.place(&database.store, 1, now + Span::from_days(9)).await.is_empty());
        let key = database.store.hasher().key(&sample::number(0));
        assert_eq!(database.store.attempts_at(key).await.expect("attempts").len(), 3);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn news_that_comes_twice_changes_nothing(database) {
        let stage = Stage::set(&database.store, 1).await;
        let id = stage.place(&database.store, 1, noon()).await[0];
        let news = vec![(id, ended(Outcome::NoAnswer)), (id, ended(Outcome::Answered))];
        assert_eq!(database.store.settle(news.clone(), noon()).await.expect("settled").settled, 1);
        assert_eq!(database.store.settle(news, noon()).await.expect("settled").settled, 0);
        assert_eq!(stage.count(&database.store, "outcome:no_answer").await, 1);
        assert_eq!(stage.count(&database.store, "outcome:answered").await, 0);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_call_the_vendor_dropped_is_not_counted(database) {
        let stage = Stage::set(&database.store, 1).await;
        let id = stage.place(&database.store, 1, noon()).await[0];
        database.store.settle(vec![(id, ended(Outcome::NotDialled))], noon()).await.expect("settled");
        let contact = database.store.contact_by_number(stage.run(), database.store.hasher().key(&sample::number(0))).await;
        let contact = contact.expect("a contact").expect("it is there");
        assert_eq!((contact.calls, contact.class), (0, DialClass::First));
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn an_unknown_call_is_found_given_up_assumed_or_redialled(database) {
        let stage = Stage::set(&database.store, 4).await;
        let ids = stage.claim(&database.store, 4, noon()).await;
        let overdue_at = noon() + Span::from_hours(1);
        let unknown = ids.iter().map(|id| stage.sent(*id, Placement::Unknown { cause: "reset".into() })).collect();
        database.store.record(unknown, noon()).await.expect("a record");
        assert_eq!(database.store.live_calls(stage.lane).await.expect("calls").len(), 4);
        let settlements = vec![
            (ids[0], Settlement::Found { call_id: "found".into(), overdue_at }),
            (ids[1], Settlement::GiveUp),
            (ids[2], Settlement::AssumePlaced),
            (ids[3], Settlement::NotPlaced),
        ];
        assert_eq!(database.store.settle(settlements, noon()).await.expect("settled").settled, 4);
        for (name, n) in [
            ("attempt:placed", 1), ("attempt:ended", 2), ("attempt:not_placed", 1), ("attempt:unknown", 0),
            ("contact:active", 1), ("contact:review", 1), ("contact:done", 1), ("contact:waiting", 1), ("outcome:unknown", 2),
        ] {
            assert_eq!(stage.count(&database.store, name).await, n, "{name}");
        }
        let found = vec![(ids[1], Settlement::Found { call_id: "late".into(), overdue_at })];
        assert_eq!(database.store.settle(found, noon()).await.expect("settled").late, 1, "it was given up");
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_found_call_that_another_attempt_has_is_not_bound_twice(database) {
        let stage = Stage::set(&database.store, 2).await;
        let ids = stage.claim(&database.store, 2, noon()).await;
        let overdue_at = noon() + Span::from_hours(1);
        let unknown = stage.sent(ids[1], Placement::Unknown { cause: "reset".into() });
        database.store.record(vec![stage.accepted(ids[0], noon()), unknown], noon()).await.expect("a record");
        let call_id = format!("call-{}", ids[0]);
        let bound = database.store.bound_calls(stage.lane, vec![call_id.clone(), "free".into()]).await.expect("bound");
        assert_eq!(bound.iter().collect::<Vec<_>>(), [call_id.as_str()]);
        let found = vec![(ids[1], Settlement::Found { call_id, overdue_at })];
        assert_eq!(database.store.settle(found, noon()).await.expect("settled").settled, 0);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_sweep_goes_on_until_nothing_is_left(database) {
        let stage = Stage::set(&database.store, 170).await;
        stage.claim(&database.store, 70, noon()).await;
        stage.open(&database.store, 100, noon()).await;
        let now = noon() + Span::from_secs(30);
        let order = SweepOrder {
            lane: stage.lane, epoch: stage.epoch, now, sending_for: Span::from_secs(20), lapse_before: now,
            overdue_at: now + Span::from_hours(1),
        };
        let swept = database.store.sweep(order).await.expect("a sweep");
        assert_eq!((swept.lapsed, swept.unknown), (100, 70));
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_sweep_lapses_late_plans_and_doubts_hung_requests(database) {
        let stage = Stage::set(&database.store, 4).await;
        let sending = stage.claim(&database.store, 2, noon()).await;
        stage.open(&database.store, 2, noon()).await;
        let order = |now| SweepOrder {
            lane: stage.lane, epoch: stage.epoch, now, sending_for: Span::from_secs(20), lapse_before: now,
            overdue_at: now + Span::from_hours(1),
        };
        let early = database.store.sweep(order(noon() + Span::from_secs(19))).await.expect("a sweep");
        assert_eq!((early.lapsed, early.unknown), (0, 0));
        let late = database.store.sweep(order(noon() + Span::from_secs(30))).await.expect("a sweep");
        assert_eq!((late.lapsed, late.unknown), (2, 2));
        assert_eq!(stage.count(&database.store, "contact:waiting").await, 2);
        assert_eq!(stage.count(&database.store, "attempt:unknown").await, sending.len() as i64);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn calls_are_counted_by_their_hour_and_by_how_often_somebody_was_called(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let placed = stage.place(store, 2, noon()).await;
        let ends = [Outcome::Answered, Outcome::Busy];
        let settled = placed.iter().zip(ends).map(|(id, end)| (*id, Settlement::Ended(end, Box::default()))).collect();
        // The next hour has begun when they end.
        store.settle(settled, noon() + Span::from_hours(2)).await.expect("settled");
        let hours = store.run_hours(stage.run(), 10).await.expect("asked");
        assert_eq!(hours.len(), 1, "{hours:?}");
        assert_eq!((hours[0].calls, hours[0].answered), (2, 1));
        let into = noon().since(hours[0].at);
        assert!(into < Span::from_hours(1), "the hour in which they were sent: {into}");
        assert_eq!((stage.count(store, "try:1").await, stage.count(store, "try_reached:1").await), (2, 1));
        let by_caller = (stage.count(store, "caller:9876500000").await, stage.count(store, "caller_answered:9876500000").await);
        assert_eq!(by_caller, (2, 1), "and by the caller id that they showed");
    }
}

on_both_databases! {
    async fn a_run_is_finished_when_its_last_contact_was_whenever_that_is_told(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let finished_at = || async {
            store.numbers("spring".into(), noon()).await.expect("asked").expect("there").finished_at
        };
        for hours in [1, 2] {
            assert_eq!(finished_at().await, None, "somebody waits");
            let at = noon() + Span::from_hours(hours);
            let id = stage.place(store, 1, at).await[0];
            store.settle(vec![(id, ended(Outcome::Answered))], at).await.expect("settled");
        }
        let last = Some(noon() + Span::from_hours(2));
        assert_eq!(finished_at().await, last, "before anybody was told");
        store.note_run(stage.run(), EventKind::CampaignFinished, true, None, noon() + Span::from_hours(9)).await.expect("noted");
        assert_eq!(store.run(stage.run()).await.expect("a run").finished_at, last);
        assert_eq!(finished_at().await, last);
        store.note_run(stage.run(), EventKind::CampaignFinished, false, None, noon()).await.expect("noted");
        assert_eq!(store.run(stage.run()).await.expect("a run").finished_at, None);
    }
}
