//! What the schema itself refuses, whatever the code above it does.

use ringfence_domain::Outcome;
use ringfence_store::Settlement;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::{TestDatabase, on_both_databases};
use sqlx::Connection;

/// Runs one statement past all our code; whether the database took it.
pub(super) async fn takes(database: &TestDatabase, sql: &str) -> bool {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    if let Some(path) = database.url.strip_prefix("sqlite://") {
        let mut raw = sqlx::SqliteConnection::connect(path).await.expect("the file");
        sqlx::query(sql).execute(&mut raw).await.is_ok()
    } else {
        let mut raw = sqlx::PgConnection::connect(&database.url).await.expect("the server");
        sqlx::query(sql).execute(&mut raw).await.is_ok()
    }
}

on_both_databases! {
    async fn what_has_ended_does_not_change(database) {
        let stage = Stage::set(&database.store, 1).await;
        let id = stage.place(&database.store, 1, noon()).await[0];
        database.store.settle(vec![(id, Settlement::Ended(Outcome::Answered, Box::default()))], noon()).await.expect("settled");
        for change in [
            "state = 'placed', live = TRUE, outcome = NULL, ended_at = NULL", "outcome = 'busy'", "call_id = 'other'",
            "sending_at = 1", "ended_at = 1",
        ] {
            assert!(!takes(&database, &format!("UPDATE attempts SET {change} WHERE id = {id}")).await, "{change}");
        }
        assert!(takes(&database, &format!("UPDATE attempts SET recording_url = 'https://new' WHERE id = {id}")).await);
        assert!(!takes(&database, "UPDATE contacts SET state = 'waiting', finished_at = NULL").await);
    }
}

on_both_databases! {
    async fn a_contact_and_a_number_have_one_live_attempt(database) {
        let stage = Stage::set(&database.store, 2).await;
        stage.place(&database.store, 1, noon()).await;
        let copy = |contact: &str, number: &str| format!(
            "INSERT INTO attempts (reference, contact_id, run_id, lane_id, number_key, state, live, class, epoch, revision, \
             opened_at, dial_after, dial_before, change_number) SELECT 'x', {contact}, run_id, lane_id, {number}, 'open', TRUE, class, \
             epoch, revision, opened_at, dial_after, dial_before, change_number FROM attempts"
        );
        assert!(!takes(&database, &copy("contact_id", "number_key + 1")).await, "the contact");
        assert!(!takes(&database, &copy("contact_id + 1", "number_key")).await, "the number");
        assert!(takes(&database, &copy("contact_id + 1", "number_key + 1")).await);
    }
}

on_both_databases! {
    async fn states_are_words_that_agree_with_each_other(database) {
        let stage = Stage::set(&database.store, 2).await;
        let id = stage.claim(&database.store, 1, noon()).await[0];
        for change in ["state = 'dialling'", "live = FALSE", "state = 'placed'", "outcome = 'busy'", "state = 'open'"] {
            assert!(!takes(&database, &format!("UPDATE attempts SET {change} WHERE id = {id}")).await, "{change}");
        }
        for change in ["state = 'gone'", "stop_reason = 'dnc'", "state = 'done'", "state = 'review'"] {
            assert!(!takes(&database, &format!("UPDATE contacts SET {change} WHERE state = 'waiting'")).await, "{change}");
        }
        assert!(!takes(&database, "UPDATE buckets SET waiting = -1").await);
        assert!(!takes(&database, "UPDATE lanes SET state = 'asleep'").await);
    }
}
