//! Quarantine: it holds every claim, and calls that the vendor knows become attempts.

use ringfence_domain::event::EventKind;
use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::{Moment, Placement, Span};
use ringfence_store::{
    AdoptOrder, Adopted, Database, Guarded, LaneInquiry, Settlement, StoreError, Subject, VendorCall,
};
use ringfence_tests::database::execute;
use ringfence_tests::sample::{Stage, noon, number};
use ringfence_tests::{TestDatabase, on_both_databases};

const BEGIN: &str = "INSERT INTO quarantines (noticed_at, cause) VALUES (1795156200000, 'it is a drill')";

/// The `n`th person's call, on the vendor's list.
fn call(store: &Database, id: &str, n: usize, at: Moment) -> VendorCall {
    VendorCall {
        call_id: id.to_owned(),
        number: number(n),
        number_key: store.hasher().key(&number(n)),
        at: Some(at),
        agent: Some("69de483c68b23495c853b43a".to_owned()),
        named: true,
    }
}

fn order(stage: &Stage, calls: Vec<VendorCall>) -> AdoptOrder {
    let now = noon() + Span::from_minutes(10);
    AdoptOrder { lane: stage.lane, calls, since: noon(), overdue_at: now + Span::from_hours(1), now }
}

on_both_databases! {
    async fn it_holds_every_claim_until_it_is_lifted(database) {
        let store = &database.store;
        let stage = Stage::set(store, 10).await;
        stage.open(store, 5, noon()).await;
        let open = stage.open_attempts(store).await;
        execute(&database.url, BEGIN).await;
        assert_eq!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending, []);
        assert!(store.lane_load(stage.lane, noon()).await.expect("a load").stop.is_some(), "and nothing is planned");
        let stop = store.stop().await.expect("an answer").expect("a stop");
        assert_eq!((stop.by, stop.reason.as_str()), (StoppedBy::Quarantine, "it is a drill"));
        store.start_all(noon()).await.expect("a start");
        assert!(store.stop().await.expect("an answer").is_some(), "a start lifts no quarantine");
        assert!(store.lift_quarantine(None, "asha@tests".into(), "a drill".into()).await.expect("lifted"));
        assert!(!store.lift_quarantine(None, "asha@tests".into(), "again".into()).await.expect("an answer"));
        assert_eq!(store.stop().await.expect("an answer"), None);
        assert_eq!(stage.claim(store, 5, noon()).await.len(), 5);
        let record = store.quarantines().await.expect("a record");
        let lifted = record[0].lifted.as_ref().expect("it was lifted");
        assert_eq!((lifted.lifted_by.as_str(), lifted.reason.as_str()), ("asha@tests", "a drill"));
        let told = store.last_event(EventKind::QuarantineLifted, Subject::All).await.expect("an answer");
        assert!(told.is_some_and(|event| event.cause.is_some_and(|cause| cause.contains("a drill"))));
    }
}

on_both_databases! {
    async fn calls_that_were_forgotten_are_entered_once_and_one_after_the_other(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let known = stage.place(store, 1, noon()).await;
        let known = VendorCall { call_id: format!("call-{}", known[0]), ..call(store, "", 0, noon()) };
        let at = |minutes| noon() + Span::from_minutes(minutes);
        let stranger = call(store, "stranger", 900, at(2));
        let other_agent = VendorCall { agent: Some("somebody else".into()), ..call(store, "other", 2, at(2)) };
        let list = vec![known, call(store, "first", 1, at(1)), call(store, "second", 1, at(3)), stranger, other_agent];
        let done = store.adopt(order(&stage, list.clone())).await.expect("entered");
        assert_eq!(done, Adopted { known: 1, adopted: 1, waiting: 1, strange: 2 });
        stage.check_counts(store).await;
        let again = store.adopt(order(&stage, list.clone())).await.expect("entered");
        assert_eq!(again, Adopted { known: 2, adopted: 0, waiting: 1, strange: 2 }, "the same list once more");

        let live = store.live_calls(stage.lane).await.expect("calls");
        let first = live.iter().find(|call| call.call_id.as_deref() == Some("first")).expect("it is out");
        assert_eq!((first.number.clone(), first.sending_at), (number(1), at(1)));
        let busy = Settlement::Ended(ringfence_domain::Outcome::Busy, Box::default());
        store.settle(vec![(first.attempt, busy)], at(10)).await.expect("settled");
        let last = store.adopt(order(&stage, list)).await.expect("entered");
        assert_eq!(last, Adopted { known: 2, adopted: 1, waiting: 0, strange: 2 }, "now the second can be");
        stage.check_counts(store).await;
        let attempts = store.attempts_at(store.hasher().key(&number(1))).await.expect("attempts");
        let ids: Vec<_> = attempts.iter().filter_map(|attempt| attempt.call_id.as_deref()).collect();
        assert_eq!(ids, ["first", "second"]);
        assert_eq!(stage.open(store, 10, at(10)).await, 3, "both people are called already");
    }
}

on_both_databases! {
    async fn the_oldest_of_several_calls_is_the_one_whose_answer_was_lost(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let lost = stage.claim(store, 1, noon()).await[0];
        let cause = "reset".to_owned();
        store.record(vec![stage.sent(lost, Placement::Unknown { cause })], noon()).await.expect("a record");
        let at = |minutes| noon() + Span::from_minutes(minutes);
        let before = call(store, "before", 0, noon() - Span::from_hours(1));
        let (first, second) = (call(store, "first", 0, at(1)), call(store, "second", 0, at(3)));
        let list = vec![before.clone(), first.clone()];
        let done = store.adopt(order(&stage, list)).await.expect("entered");
        assert_eq!(done, Adopted { known: 0, adopted: 0, waiting: 2, strange: 0 }, "one alone is looked for");
        let list = vec![before, first, second];
        let done = store.adopt(order(&stage, list.clone())).await.expect("entered");
        assert_eq!(done, Adopted { known: 0, adopted: 1, waiting: 2, strange: 0 });
        stage.check_counts(store).await;
        let live = store.live_calls(stage.lane).await.expect("calls");
        let [found] = live.as_slice() else { panic!("{live:?}") };
        assert_eq!((found.attempt, found.call_id.as_deref()), (lost, Some("first")));

        let busy = Settlement::Ended(ringfence_domain::Outcome::Busy, Box::default());
        store.settle(vec![(lost, busy)], at(10)).await.expect("settled");
        let next = store.adopt(order(&stage, list[1..].to_vec())).await.expect("entered");
        assert_eq!(next, Adopted { known: 1, adopted: 1, waiting: 0, strange: 0 });
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_row_that_names_itself_otherwise_is_known_by_number_and_time(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        stage.place(store, 1, noon()).await;
        let unnamed = |id: &str, n, at| VendorCall { named: false, ..call(store, id, n, at) };
        let near = unnamed("77", 0, noon() + Span::from_secs(20));
        let timeless = VendorCall { at: None, ..unnamed("78", 0, noon()) };
        let done = store.adopt(order(&stage, vec![near, timeless])).await.expect("entered");
        assert_eq!(done, Adopted { known: 2, ..Adopted::default() });
    }
}

on_both_databases! {
    async fn what_vendors_were_asked_is_kept(database) {
        let store = &database.store;
        execute(&database.url, BEGIN).await;
        let quarantine = store.quarantine().await.expect("an answer").expect("a quarantine");
        let asked = |asked_at, adopted, waiting| LaneInquiry {
            lane: "main".into(), asked_at, listed: Some(9), known: 2, adopted, waiting, strange: 1, trouble: None,
        };
        store.keep_inquiry(quarantine.id, asked(noon(), 4, 2)).await.expect("kept");
        let later = noon() + Span::from_secs(5);
        store.keep_inquiry(quarantine.id, asked(later, 2, 0)).await.expect("kept");
        let kept = store.inquiries(quarantine.id).await.expect("kept");
        assert_eq!(kept, [asked(later, 6, 0)], "entered calls add up, the rest is the newest answer");
    }
}

on_both_databases! {
    async fn nobody_is_suspected_while_others_write(database) {
        let folder = database.folder();
        let store = &database.store;
        let stage = Stage::set(store, 200).await;
        assert_eq!(store.guard(Some(folder), false).await.expect("an answer"), Guarded::Trusted);
        let asking = database.another().await;
        let dialling = async {
            for _ in 0..200 {
                stage.place(store, 1, noon()).await;
            }
        };
        let looking = async {
            for _ in 0..200 {
                assert_eq!(asking.guard(Some(folder), false).await.expect("an answer"), Guarded::Trusted);
            }
        };
        tokio::join!(dialling, looking);
    }
}

/// What is done to the database while this process uses it is noticed by the next claim, which
/// claims nothing.
async fn notices(database: &TestDatabase, change: &'static str, cause: &str) {
    let store = &database.store;
    let stage = Stage::set(store, 20).await;
    assert_eq!(store.guard(Some(database.folder()), false).await.expect("an answer"), Guarded::Trusted);
    stage.place(store, 5, noon()).await;
    stage.open(store, 5, noon()).await;
    let open = stage.open_attempts(store).await;
    execute(&database.url, change).await;
    if database.url.starts_with("postgres") {
        database.cut_connections().await;
    }
    let refused = store.claim(stage.order(&open, noon())).await.expect_err("it may have forgotten calls");
    assert!(matches!(refused, StoreError::Suspicious(_)), "{refused}");
    assert_eq!(stage.count(store, "attempt:sending").await, 0, "nothing was claimed");
    assert_eq!(stage.count(store, "attempt:open").await, 5);
    // Everybody sees it, and it holds until an operator says so.
    let stop = database.another().await.stop().await.expect("an answer").expect("a stop");
    assert_eq!(stop.by, StoppedBy::Quarantine);
    assert!(stop.reason.contains(cause), "{}", stop.reason);
    let told = store.last_event(EventKind::QuarantineNoticed, Subject::All).await.expect("an answer");
    assert!(told.is_some_and(|event| event.cause.is_some_and(|told| told.contains(cause))), "it is told");
    assert_eq!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending, []);
    assert!(store.lift_quarantine(Some(database.folder()), "asha@tests".into(), "drill".into()).await.expect("lifted"));
    assert_eq!(stage.claim(store, 5, noon()).await.len(), 5, "the same process goes on");
    let next = database.another().await;
    assert_eq!(next.guard(Some(database.folder()), false).await.expect("an answer"), Guarded::Trusted);
    assert_eq!(stage.claim(&next, 5, noon()).await.len(), 5);
    assert_eq!(stage.claim(store, 5, noon()).await.len(), 5);
    stage.check_counts(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_put_back_while_it_is_used_claims_nothing() {
    let database = TestDatabase::sqlite().await;
    notices(&database, "UPDATE witness SET commits = commits - 4", "an older copy was put in its place").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_promoted_while_it_is_used_claims_nothing() {
    let database = TestDatabase::postgres().await;
    database.prepare_server(&[("pg_walfile_name(pg_lsn)", "text", "'0000000900000000000000AB'")]).await;
    let change = "ALTER SCHEMA server_not_yet RENAME TO server";
    notices(&database, change, "the server under it is not the one that it was").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_put_back_while_it_is_used_claims_nothing() {
    let database = TestDatabase::postgres().await;
    let earlier = ["pg_current_wal_insert_lsn()", "pg_current_wal_flush_lsn()"];
    database.prepare_server(&earlier.map(|function| (function, "pg_lsn", "'0/1000028'::pg_lsn"))).await;
    let change = "ALTER SCHEMA server_not_yet RENAME TO server";
    notices(&database, change, "an older copy was put in its place").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_restored_while_they_are_used_claim_nothing() {
    let database = TestDatabase::postgres().await;
    // A restore writes each row again, in a transaction of its own.
    notices(&database, "UPDATE witness SET place = place", "its rows were written by a restore").await;
}
