//! The people of runs that are over, and old, are erased; what was counted of them stays.

use std::sync::Arc;

use ringfence_domain::{ContactId, Moment, Outcome, Span, StopReason};
use ringfence_operations::erasure;
use ringfence_store::{
    Begin, Database, ImportChunk, Reject, ReviewAnswer, Settlement, StopOrder, StopScope, StoreError,
};
use ringfence_tests::database::{execute, text_of};
use ringfence_tests::sample::{Stage, begin_import, chunk, complete, lane_settings, noon, number, row, rules};
use ringfence_tests::virtual_time::HandClock;
use ringfence_tests::web::{Web, config};
use ringfence_tests::{TestDatabase, on_both_databases};

const LATER: Span = Span::from_days(200);
const KEEP: Span = Span::from_days(180);

fn later() -> Moment {
    noon() + LATER
}

/// Three people of a cancelled campaign were called, and of one nobody knows how the call ended.
async fn cancelled(store: &Database) -> Stage {
    let stage = Stage::set(store, 2).await;
    let import = begin_import(store, stage.run(), "more", noon()).await;
    let mut two_numbers = row(store, 1, 2);
    two_numbers.numbers.push((number(3), store.hasher().key(&number(3))));
    let reject = Reject {
        row_number: 2,
        line: 3,
        code: "not_a_number".into(),
        reason: "not a phone number".into(),
        record: vec!["secret-record".into()],
        external_id: None,
        numbers: Vec::new(),
    };
    let rows = ImportChunk { rejects: vec![reject], ..chunk(import, stage.run(), vec![two_numbers], noon()) };
    store.import_chunk(rows).await.expect("a chunk");
    store.complete_import(complete(import, 1, noon())).await.expect("complete");
    let ids = stage.place(store, 2, noon()).await;
    let ended = |id| (id, Settlement::Ended(Outcome::Answered, Box::default()));
    store.settle(vec![ended(ids[0]), (ids[1], Settlement::GiveUp), ended(ids[2])], noon()).await.expect("settled");
    let run = store.cancel_campaign(stage.campaign.id, "over".into(), noon()).await.expect("cancelled");
    StopOrder::new(run, StopScope::All, StopReason::Cancelled, noon()).carry_out(store).await.expect("stopped");
    stage
}

async fn erase(store: &Arc<Database>, now: Moment) -> Vec<(String, i64)> {
    let clock = HandClock::at(now);
    let due = erasure::due(store, &*clock, KEEP).await.expect("due");
    let erased = erasure::erase(store, &*clock, due).await.expect("erased");
    erased.into_iter().map(|run| (run.campaign, run.contacts)).collect()
}

const LEFT: &str = "SELECT CAST((SELECT count(*) FROM contacts) AS TEXT) || ' ' || (SELECT count(*) FROM contact_numbers) || ' ' || \
     (SELECT count(*) FROM attempts) || ' ' || (SELECT count(*) FROM calls) || ' ' || (SELECT count(*) FROM rejects) || ' ' || \
     (SELECT count(*) FROM buckets)";

on_both_databases! {
    async fn an_old_run_is_erased_once_nobody_of_it_is_in_review(database) {
        let store = &database.store;
        let stage = cancelled(store).await;
        assert_eq!(erase(store, later()).await, [], "a person is in review");
        let contact = store.reviews(None, ContactId(0), 10).await.expect("reviews").remove(0).contact;
        assert!(store.decide_review(contact, ReviewAnswer::Placed, noon()).await.expect("decided"));
        let counts = store.run_counts(stage.run()).await.expect("counts");
        assert_eq!(erase(store, noon() + KEEP).await, [], "the last call is not longer ago");
        assert_eq!(text_of(&database.url, LEFT).await.as_deref(), Some("3 2 3 3 1 2"));

        assert_eq!(erase(store, later()).await, [("spring".to_owned(), 3)]);
        assert_eq!(text_of(&database.url, LEFT).await.as_deref(), Some("0 0 0 0 0 0"));
        assert_eq!(store.run_counts(stage.run()).await.expect("counts"), counts, "what was counted stays");
        stage.check_counts(store).await;
        let forgotten = store.forgotten(stage.run()).await.expect("an answer");
        assert_eq!((forgotten.missing, forgotten.done_without_attempt), (0, 0));
        assert_eq!(store.run(stage.run()).await.expect("a run").erased_at, Some(later()));
        assert_eq!(erase(store, later()).await, [], "once");
    }
}

on_both_databases! {
    async fn a_run_that_goes_on_is_not_erased_and_its_successor_lets_it_go(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let id = stage.place(store, 1, noon()).await[0];
        store.settle(vec![(id, Settlement::Ended(Outcome::Answered, Box::default()))], noon()).await.expect("settled");
        assert_eq!(erase(store, later()).await, [], "the same list again must call nobody again");
        store.begin_run(stage.campaign.id, "second".into(), later()).await.expect("a run");
        assert_eq!(erase(store, later()).await, [("spring".to_owned(), 1)]);
        let told = text_of(&database.url, "SELECT cause FROM events WHERE kind = 'run.erased'").await;
        assert_eq!(told.as_deref(), Some("run 1, people: 1"));
    }
}

on_both_databases! {
    async fn nobody_comes_into_an_erased_run(database) {
        let store = &database.store;
        let mut rules = rules("spring", "main");
        rules.schedule.ends = Some("2020-01-01".parse().expect("a day"));
        let stage = Stage::set_with(store, lane_settings("main"), rules.clone(), 1).await;
        let id = stage.place(store, 1, noon()).await[0];
        store.settle(vec![(id, Settlement::Ended(Outcome::Answered, Box::default()))], noon()).await.expect("settled");
        store.end_run(stage.campaign.id, stage.campaign.revision, noon()).await.expect("ended");
        assert_eq!(erase(store, later()).await.len(), 1);
        // More days do not open it again, or the same list would call everyone again.
        rules.schedule.ends = None;
        store.apply(rules, stage.lane, Begin::Running, later()).await.expect("applied");
        assert!(store.run(stage.run()).await.expect("a run").closed_for.is_some());
        let order = ringfence_store::ImportOrder {
            run: stage.run(),
            source: "again.csv".into(),
            digest: "again".into(),
            columns: Vec::new(),
            written_at: None,
            now: later(),
        };
        let refused = store.begin_import(order).await.expect_err("its people are erased");
        assert!(matches!(refused, StoreError::Erased { number: 1, .. }), "{refused}");
    }
}

on_both_databases! {
    async fn what_a_limit_still_remembers_is_kept(database) {
        let store = &database.store;
        let stage = cancelled(store).await;
        let contact = store.reviews(None, ContactId(0), 10).await.expect("reviews").remove(0).contact;
        store.decide_review(contact, ReviewAnswer::Placed, noon()).await.expect("decided");
        let mut other = rules("other", "main");
        other.limits.per_number = vec!["9/365d".parse().expect("a cap")];
        store.apply(other.clone(), stage.lane, Begin::Running, noon()).await.expect("applied");
        assert_eq!(erase(store, later()).await, [], "another campaign counts calls of a year");
        assert_eq!(erase(store, noon() + Span::from_days(366)).await, [], "a call may have lasted");
        assert_eq!(erase(store, noon() + Span::from_days(368)).await.len(), 1);
        other.limits.per_number = Vec::new();
        store.apply(other, stage.lane, Begin::Running, noon()).await.expect("applied");
        execute(&database.url, "UPDATE campaigns SET rules = '{}' WHERE name = 'other'").await;
        let clock = HandClock::at(later());
        let unread = erasure::due(store, &*clock, KEEP).await.expect_err("nobody knows what it remembers");
        assert!(unread.to_string().contains("other"), "{unread}");
    }
}

/// An eraser that was killed goes on where it was.
#[tokio::test]
async fn a_run_that_is_half_erased_is_erased_later() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 20).await;
    database.store.cancel_campaign(stage.campaign.id, "over".into(), noon()).await.expect("cancelled");
    let order = StopOrder::new(stage.run(), StopScope::All, StopReason::Cancelled, noon());
    order.carry_out(&database.store).await.expect("stopped");
    let before = later() - KEEP;
    assert!(database.store.mark_erased(stage.run(), before, later()).await.expect("marked"));
    execute(&database.url, "DELETE FROM contacts WHERE id % 2 = 0").await;
    stage.check_counts(&database.store).await;
    assert_eq!(erase(&database.store, later()).await, [("spring".to_owned(), 20)]);
    let told = text_of(&database.url, "SELECT CAST(count(*) AS TEXT) FROM events WHERE kind = 'run.erased'").await;
    assert_eq!(told.as_deref(), Some("1"));
    assert_eq!(text_of(&database.url, LEFT).await.as_deref(), Some("0 0 0 0 0 0"));
}

/// Deleted rows of SQLite would stay readable in the free places of its file.
#[tokio::test]
async fn nothing_of_an_erased_person_is_in_the_file() {
    let database = TestDatabase::sqlite().await;
    let stage = cancelled(&database.store).await;
    let contact = database.store.reviews(None, ContactId(0), 10).await.expect("reviews").remove(0).contact;
    database.store.decide_review(contact, ReviewAnswer::Placed, noon()).await.expect("decided");
    let secrets = || (0..4).map(|n| number(n).e164().to_owned()).chain(["secret-record".to_owned()]);
    let seen = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let whole = || {
        let files = ["test.db", "test.db-wal"].map(|name| std::fs::read(database.folder().join(name)));
        files.into_iter().filter_map(Result::ok).collect::<Vec<_>>().concat()
    };
    let before = whole();
    assert!(secrets().all(|text| seen(&before, &text)), "they are there");
    assert_eq!(erase(&database.store, later()).await.len(), 1, "{}", stage.campaign.rules.name);
    database.store.close().await;
    let after = whole();
    let left: Vec<String> = secrets().filter(|text| seen(&after, text)).collect();
    assert_eq!(left, [] as [String; 0]);
}

/// `serve` does it by itself, as long as people are kept by its configuration.
#[tokio::test]
async fn a_server_erases_by_itself() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 1).await;
    database.store.begin_run(stage.campaign.id, "second".into(), noon()).await.expect("a run");
    let order = StopOrder::new(stage.run(), StopScope::All, StopReason::Superseded, noon());
    order.carry_out(&database.store).await.expect("stopped");
    let mut config = config(database.folder());
    config.keep_people = Some(KEEP);
    let web = Web::begin_at(&database.store, config, HandClock::at(later()), "");
    while database.store.run(stage.run()).await.expect("a run").erased_at.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.store.run(current_run(&database.store).await).await.expect("a run").erased_at, None);
    web.stop.cancel();
}

/// The run that goes on.
async fn current_run(store: &Database) -> ringfence_domain::RunId {
    store.campaign("spring".to_owned()).await.expect("an answer").expect("a campaign").run
}
