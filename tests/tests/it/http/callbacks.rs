//! `/callbacks/{lane}/{secret}`: who may report, what is kept, and what is acknowledged.

use bytes::Bytes;
use http::Request;
use ringfence_intake::Config;
use ringfence_providers::{HttpTransport, Transport};
use ringfence_store::Database;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::Stage;
use ringfence_tests::web::Web;

/// Serves a database for as long as the test runs; where.
async fn served(store: &std::sync::Arc<Database>) -> Web {
    Web::begin(store, Config::default()).await
}

async fn send(method: &str, address: &str, body: impl Into<Bytes>) -> u16 {
    let request = Request::builder().method(method).uri(address).body(body.into()).expect("a request");
    let transport = HttpTransport::new(None).expect("a client");
    transport.send(request).await.expect("an answer").status().as_u16()
}

async fn bodies(store: &Database, stage: &Stage) -> Vec<String> {
    let unread = store.unread_reports(stage.lane, 100).await.expect("reports");
    unread.into_iter().map(|report| report.body).collect()
}

on_both_databases! {
    async fn a_report_is_on_disk_when_it_is_acknowledged(database) {
        let stage = Stage::set(&database.store, 1).await;
        let web = served(&database.store).await;
        let base = &web.base;
        let key = database.store.report_key();
        let lane = format!("{base}/callbacks/main/{}", key.of_lane("main"));
        let attempt = format!("{base}/callbacks/main/{}", key.of_attempt("main", "abc"));
        assert_eq!(send("POST", &lane, "{\"call_id\":\"a\"}").await, 200);
        assert_eq!(bodies(&database.store, &stage).await, ["{\"call_id\":\"a\"}"]);
        assert_eq!(send("POST", &lane, "{\"call_id\":\"a\"}").await, 200, "the same again is acknowledged again");
        assert_eq!(send("PUT", &attempt, "UniqueId=b").await, 200);
        assert_eq!(send("GET", &format!("{attempt}?UniqueId=c"), "").await, 200);
        assert_eq!(bodies(&database.store, &stage).await, ["{\"call_id\":\"a\"}", "UniqueId=b", "UniqueId=c"]);
    }
}

on_both_databases! {
    async fn whoever_does_not_know_the_secret_learns_nothing(database) {
        let stage = Stage::set(&database.store, 1).await;
        let web = served(&database.store).await;
        let base = &web.base;
        let key = database.store.report_key();
        let (main, other) = (key.of_lane("main"), key.of_lane("no-such-lane"));
        let attempt = key.of_attempt("main", "abc");
        for path in [
            "callbacks/main/00000000000000000000000000000000".to_owned(),
            "callbacks/main/x".to_owned(),
            format!("callbacks/other/{main}"),
            format!("callbacks/no-such-lane/{other}"),
            format!("callbacks/main/{}", attempt.replace("abc", "abd")),
            format!("callbacks/main/{main}/more"),
            "callbacks/main".to_owned(),
        ] {
            assert_eq!(send("POST", &format!("{base}/{path}"), "{}").await, 404, "{path}");
        }
        assert!(bodies(&database.store, &stage).await.is_empty());
    }
}

on_both_databases! {
    async fn what_cannot_be_kept_is_not_acknowledged(database) {
        let stage = Stage::set(&database.store, 1).await;
        let web = served(&database.store).await;
        let base = &web.base;
        let address = format!("{base}/callbacks/main/{}", database.store.report_key().of_lane("main"));
        assert_eq!(send("POST", &address, vec![b'x'; 65 * 1024]).await, 413);
        assert_eq!(send("DELETE", &address, "").await, 405);
        assert_eq!(send("POST", &address, vec![0xff, 0x00, b'a']).await, 200, "not text, and kept as far as it is");
        assert_eq!(bodies(&database.store, &stage).await, ["\u{fffd}a"]);
        database.store.close().await;
        assert_eq!(send("POST", &address, "{}").await, 503);
    }
}
