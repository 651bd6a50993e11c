//! `updated_since`: a client misses no change, also when the change was committed late.

use std::collections::BTreeSet;
use std::time::Duration;

use ringfence_domain::{Outcome, Placement, Scope};
use ringfence_intake::Config;
use ringfence_store::{ChangeQuery, ContactFilter, Database, Settlement};
use ringfence_tests::database::execute;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::web::Web;
use sqlx::{Connection, Executor, PgConnection};

/// Waits until no transaction is open that began before these contacts were changed: on Postgres
/// those of other databases count too.
async fn until_given(stage: &Stage, store: &Database, wanted: &[i64]) {
    let waiting = async {
        loop {
            let campaign = stage.campaign.id;
            let query = ChangeQuery { campaign, run: None, since: 0, after: None, limit: 100 };
            let all = store.changed_contacts(query, ContactFilter::default());
            let given: Vec<i64> = all.await.expect("changes").rows.iter().map(|(_, row)| row.id.0).collect();
            if wanted.iter().all(|id| given.contains(id)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("each change is given");
}

/// Reads everything that changed since; the ids, and from where to go on.
async fn read(web: &Web, token: &str, list: &str, since: &str) -> (Vec<i64>, String) {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/campaigns/spring/{list}?limit=3&updated_since={since}{cursor}");
        let page = web.get(&path, token).await.expect(200).json();
        ids.extend(page["data"].as_array().expect("rows").iter().map(|row| row["id"].as_i64().expect("an id")));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, page["updated_until"].as_str().expect("where to go on").to_owned()),
        }
    }
}

/// Reads the attempts that changed until `count` of them are given: nothing is given while an older
/// transaction of the server is under way.
async fn until_read(web: &Web, token: &str, since: &str, count: usize) -> (Vec<i64>, String) {
    loop {
        let (given, until) = read(web, token, "attempts", since).await;
        if given.len() >= count {
            return (given, until);
        }
        tokio::task::yield_now().await;
    }
}

/// The contacts of the campaign.
async fn ids(web: &Web, token: &str) -> Vec<i64> {
    let list = web.get("/api/v1/campaigns/spring/contacts", token).await.expect(200).json();
    list["data"].as_array().expect("rows").iter().map(|row| row["id"].as_i64().expect("an id")).collect()
}

/// Calls one contact, who picks up. Returns the contact.
async fn call(stage: &Stage, store: &Database) -> i64 {
    let attempt = stage.claim(store, 1, noon()).await[0];
    let accepted = Placement::Accepted { call_id: format!("call-{attempt}") };
    store.record(vec![stage.sent(attempt, accepted)], noon()).await.expect("recorded");
    let ended = Settlement::Ended(Outcome::Answered, Box::default());
    store.settle(vec![(attempt, ended)], noon()).await.expect("settled");
    store.attempt(attempt).await.expect("asked").expect("it is there").contact.0
}

on_both_databases! {
    async fn each_change_is_given_after_the_last_that_was_read(database) {
        let store = &database.store;
        let stage = Stage::set(store, 10).await;
        let web = Web::begin(store, Config::default()).await;
        let viewer = web.token(Scope::Viewer).await;
        let all = ids(&web, &viewer).await;
        until_given(&stage, store, &all).await;
        let (given, until) = read(&web, &viewer, "contacts", "0").await;
        assert_eq!(given.len(), 10);
        assert_eq!(given, all);
        let (none, until) = read(&web, &viewer, "contacts", &until).await;
        assert_eq!(none, [0; 0], "nothing changed");
        let called = call(&stage, store).await;
        until_given(&stage, store, &[called]).await;
        let (changed, until) = read(&web, &viewer, "contacts", &until).await;
        assert_eq!(changed, [called]);
        let (attempts, _) = read(&web, &viewer, "attempts", "0").await;
        assert_eq!(attempts.len(), 1);
        let second = call(&stage, store).await;
        until_given(&stage, store, &[second]).await;
        assert_eq!(read(&web, &viewer, "contacts", &until).await.0, [second]);
        let filtered = web.get("/api/v1/campaigns/spring/attempts?updated_since=0&outcome=busy", &viewer).await;
        assert_eq!(filtered.expect(422).problem(), "invalid");
        let strange = web.get("/api/v1/campaigns/spring/contacts?updated_since=x", &viewer).await.expect(422);
        assert_eq!(strange.problem(), "invalid");
        let later = web.get("/api/v1/campaigns/spring/contacts?updated_since=e0-999999999", &viewer).await.expect(412);
        assert_eq!(later.problem(), "stale", "it is of another history");
    }
}

on_both_databases! {
    async fn each_step_of_a_call_is_given(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let web = Web::begin(store, Config::default()).await;
        let viewer = web.token(Scope::Viewer).await;
        stage.open(store, 3, noon()).await;
        let open = stage.open_attempts(store).await;
        let ids: Vec<i64> = open.iter().map(|attempt| attempt.0).collect();
        let (given, mut until) = until_read(&web, &viewer, "0", 3).await;
        assert_eq!(given, ids);
        let claimed = store.claim(stage.order(&open[1..2], noon())).await.expect("claimed").sending;
        assert_eq!(claimed, open[1..2]);
        let mut given;
        (given, until) = until_read(&web, &viewer, &until, 1).await;
        assert_eq!(given, [ids[1]], "it is sent");
        store.record(vec![stage.accepted(open[1], noon())], noon()).await.expect("recorded");
        (given, until) = until_read(&web, &viewer, &until, 1).await;
        assert_eq!(given, [ids[1]], "it is placed");
        let (all, _) = until_read(&web, &viewer, "0", 3).await;
        assert_eq!(all, [ids[0], ids[2], ids[1]], "once, in the order of the last changes");
        let ended = Settlement::Ended(Outcome::Busy, Box::default());
        store.settle(vec![(open[1], ended)], noon()).await.expect("settled");
        (given, until) = until_read(&web, &viewer, &until, 1).await;
        assert_eq!(given, [ids[1]], "it is over");
        assert_eq!(read(&web, &viewer, "attempts", &until).await.0, [0; 0]);
    }
}

on_both_databases! {
    async fn what_changes_in_an_earlier_run_is_given_after_a_fresh_one_began(database) {
        let store = &database.store;
        let stage = Stage::set(store, 4).await;
        let web = Web::begin(store, Config::default()).await;
        let viewer = web.token(Scope::Viewer).await;
        let placed = stage.place(store, 1, noon()).await[0];
        let contact = store.attempt(placed).await.expect("asked").expect("it is there").contact.0;
        until_given(&stage, store, &[contact]).await;
        let (_, until) = read(&web, &viewer, "contacts", "0").await;
        let (_, calls_until) = read(&web, &viewer, "attempts", "0").await;
        store.begin_run(stage.campaign.id, "again".to_owned(), noon()).await.expect("a fresh run");
        let ended = Settlement::Ended(Outcome::Answered, Box::default());
        store.settle(vec![(placed, ended)], noon()).await.expect("settled");
        until_given(&stage, store, &[contact]).await;
        let (changed, _) = read(&web, &viewer, "contacts", &until).await;
        assert!(changed.contains(&contact), "{changed:?}");
        let (calls, _) = read(&web, &viewer, "attempts", &calls_until).await;
        assert_eq!(calls, [placed.0]);
        let (anew, _) = read(&web, &viewer, "contacts", "0").await;
        assert_eq!(anew, [0; 0], "the fresh run has nobody yet");
    }
}

on_both_databases! {
    async fn a_database_that_was_put_back_begins_another_history(database) {
        let store = &database.store;
        let stage = Stage::set(store, 4).await;
        let web = Web::begin(store, Config::default()).await;
        let viewer = web.token(Scope::Viewer).await;
        let all = ids(&web, &viewer).await;
        until_given(&stage, store, &all).await;
        let page = web.get("/api/v1/campaigns/spring/contacts?limit=3&updated_since=0", &viewer).await.expect(200).json();
        let cursor = page["next_cursor"].as_str().expect("there is more").to_owned();
        let (_, until) = read(&web, &viewer, "contacts", "0").await;
        // What a restored database, whose numbers are higher than its server's, gets.
        execute(&database.url, "UPDATE contacts SET change_number = change_number + 1000000000").await;
        execute(&database.url, "UPDATE installation SET change_base = change_base + 281474976710656, change_era = change_era + 1").await;
        for path in [format!("updated_since={until}"), format!("limit=3&updated_since=0&cursor={cursor}")] {
            let path = format!("/api/v1/campaigns/spring/contacts?{path}");
            assert_eq!(web.get(&path, &viewer).await.expect(412).problem(), "stale", "{path}");
        }
        until_given(&stage, store, &all).await;
        assert_eq!(read(&web, &viewer, "contacts", "0").await.0, all);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_late_is_not_lost_on_postgres() {
    let database = ringfence_tests::TestDatabase::postgres().await;
    let store = &database.store;
    let stage = Stage::set(store, 10).await;
    let web = Web::begin(store, Config::default()).await;
    let viewer = web.token(Scope::Viewer).await;
    let all = ids(&web, &viewer).await;
    until_given(&stage, store, &all).await;
    let (_, until) = read(&web, &viewer, "contacts", "0").await;
    // A transaction changes a contact early and commits late.
    let mut late = PgConnection::connect(&database.url).await.expect("a connection");
    late.execute("BEGIN").await.expect("begun");
    let change = "UPDATE contacts SET change_number = (SELECT n FROM change_number) WHERE id = $1";
    sqlx::query(change).bind(all[9]).execute(&mut late).await.expect("changed");
    // Another begins later and is done before it.
    let called = call(&stage, store).await;
    assert_ne!(called, all[9]);
    let (seen, until) = read(&web, &viewer, "contacts", &until).await;
    late.execute("COMMIT").await.expect("committed");
    assert!(!seen.contains(&all[9]), "it was given before it was committed: {seen:?}");
    until_given(&stage, store, &[called, all[9]]).await;
    let (then, _) = read(&web, &viewer, "contacts", &until).await;
    let both: BTreeSet<i64> = seen.iter().chain(&then).copied().collect();
    assert_eq!(both, BTreeSet::from([called, all[9]]), "first {seen:?}, then {then:?}");
    late.close().await.expect("closed");
}
