//! Contacts over HTTP: in every form, of any honest size, and never half.

use std::path::Path;
use std::time::Duration;

use ringfence_domain::{Clock, Scope, Span};
use ringfence_operations::uploads;
use ringfence_sandbox::MachineClock;
use ringfence_tests::on_both_databases;
use ringfence_tests::web::{Sent, Web, config};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

/// A server with a campaign `diwali` on a lane of the sandbox; its configuration is in `folder`.
async fn web(store: &std::sync::Arc<ringfence_store::Database>, folder: &Path) -> (Web, String) {
    let web = Web::begin(store, config(folder)).await;
    let operator = web.token(Scope::Operator).await;
    let campaign = json!({
        "name": "diwali", "provider": "main", "agent": "a", "caller_ids": ["9876500000"],
        "contacts": { "phone": "mobile", "country": "IN" },
    });
    let _ = web.post("/api/v1/campaigns", &operator, &campaign).await.expect(201);
    (web, operator)
}

const CSV: &str = "mobile,name\n9876543210,Asha\n9876543211,Ravi\n12,Nobody\n9876543210,Twice\n";

async fn upload(web: &Web, token: &str, query: &str, sent: Sent<'_>) -> ringfence_tests::web::Reply {
    web.send("POST", &format!("/api/v1/campaigns/diwali/contacts{query}"), Some(token), sent).await
}

fn counts(taken: &Value) -> [i64; 4] {
    ["rows", "accepted", "duplicate", "rejected"].map(|name| taken[name].as_i64().unwrap_or(-1))
}

on_both_databases! {
    async fn a_file_comes_in_every_form_with_a_verdict_for_each_row(database) {
        let (web, operator) = web(&database.store, database.folder()).await;
        let dry = upload(&web, &operator, "?dry_run=true", Sent::of("text/csv", CSV)).await.expect(200).json();
        assert_eq!(counts(&dry), [4, 2, 1, 1], "{dry}");
        assert_eq!(web.get("/api/v1/campaigns/diwali/imports", &operator).await.expect(200).json(), json!([]));
        let taken = upload(&web, &operator, "?source=crm", Sent::of("text/csv", CSV)).await.expect(201);
        assert_eq!((counts(&taken.json()), taken.json()["source"].as_str()), ([4, 2, 1, 1], Some("crm")));
        let address = taken.header("location").to_owned();
        assert_eq!(counts(&web.get(&address, &operator).await.expect(200).json()), [4, 2, 1, 1]);
        let rejects = web.get(&format!("{address}/rejects?limit=1"), &operator).await.expect(200).json();
        assert_eq!((&rejects["data"][0]["row"], rejects["data"].as_array().map(Vec::len)), (&json!(3), Some(1)));
        let next = rejects["next_cursor"].as_str().expect("there is one more").to_owned();
        let rest = web.get(&format!("{address}/rejects?limit=1&cursor={next}"), &operator).await.expect(200).json();
        assert_eq!((&rest["data"][0]["code"], &rest["next_cursor"]), (&json!("duplicate"), &Value::Null));
        let form = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"more.csv\"\r\n\r\nmobile,name\n9876543212,Ada\n\r\n--x--\r\n";
        let taken = upload(&web, &operator, "?partial=true", Sent::of("multipart/form-data; boundary=x", form)).await.expect(201).json();
        assert_eq!((&taken["source"], counts(&taken)), (&json!("more.csv"), [1, 1, 0, 0]));
        let rows = json!([{ "mobile": "9876543213", "name": "Joy" }, { "mobile": 9_876_543_214_i64 }]);
        let taken = upload(&web, &operator, "", Sent::json(&rows)).await.expect(201).json();
        assert_eq!(counts(&taken), [2, 2, 0, 0]);
        let lines = "{\"mobile\":\"9876543215\"}\n{\"mobile\":\"9876543216\",\"name\":\"Lee\"}\n";
        let taken = upload(&web, &operator, "", Sent::of("application/x-ndjson", lines)).await.expect(201).json();
        assert_eq!(counts(&taken), [2, 2, 0, 0]);
        assert_eq!(upload(&web, &operator, "", Sent::json(&rows)).await.expect(201).json()["state"], "complete");
        assert!(left(&web).is_empty(), "no upload stays on disk: {:?}", left(&web));
    }
}

/// What stands in the folder of uploads.
fn left(web: &Web) -> Vec<String> {
    let beside = web.store.file_beside("uploads").unwrap_or_else(|| std::env::temp_dir().join("none"));
    let entries = std::fs::read_dir(beside).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

on_both_databases! {
    async fn what_is_no_list_of_contacts_is_refused_and_leaves_nothing(database) {
        let (web, operator) = web(&database.store, database.folder()).await;
        let refused = |sent: Sent<'static>| upload(&web, &operator, "", sent);
        let _ = refused(Sent::of("application/pdf", "%PDF")).await.expect(415);
        let _ = refused(Sent::of("text/csv", "name\nAsha\n")).await.expect(422);
        let _ = refused(Sent::of("text/csv", "")).await.expect(422);
        let nested = refused(Sent::json(&json!([{ "mobile": { "number": 1 } }]))).await.expect(422);
        assert_eq!(nested.json()["errors"][0]["pointer"], "/0/mobile");
        let _ = refused(Sent::of("application/json", "[{\"mobile\":1},")).await.expect(422);
        let _ = refused(Sent::of("multipart/form-data; boundary=x", "--x--\r\n")).await.expect(422);
        let _ = refused(Sent::of("text/csv", vec![b'9'; 3 << 20])).await.expect(422);
        let wide = (0..100_000).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
        let _ = refused(Sent::of("text/csv", format!("{wide}\n"))).await.expect(422);
        let _ = refused(Sent::of("text/csv", CSV).with("content-encoding", "gzip")).await.expect(415);
        let _ = web.send("POST", "/api/v1/campaigns/nothing/contacts", Some(&operator), Sent::of("text/csv", CSV)).await.expect(404);
        // Too long by its own word: refused before it is sent.
        let mut wire = web.connect().await;
        let head = format!("POST /api/v1/campaigns/diwali/contacts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {operator}\r\ncontent-type: text/csv\r\ncontent-length: 10737418240\r\n\r\n");
        wire.send(head).await.expect("sent");
        assert!(wire.hear("413 Payload Too Large").await);
        // Who leaves in the middle leaves nothing.
        let mut wire = web.connect().await;
        let head = format!("POST /api/v1/campaigns/diwali/contacts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {operator}\r\ncontent-type: text/csv\r\ncontent-length: 1000\r\n\r\nmobile\n");
        wire.send(head).await.expect("sent");
        drop(wire);
        let _ = refused(Sent::of("text/csv", CSV)).await.expect(201);
        let imports = web.get("/api/v1/campaigns/diwali/imports", &operator).await.expect(200).json();
        assert_eq!(imports.as_array().map(Vec::len), Some(1), "{imports:#}");
    }
}

on_both_databases! {
    async fn an_upload_comes_once_under_its_key(database) {
        let (web, operator) = web(&database.store, database.folder()).await;
        let first = upload(&web, &operator, "", Sent::of("text/csv", CSV).with("idempotency-key", "k")).await.expect(201);
        let again = upload(&web, &operator, "", Sent::of("text/csv", CSV).with("idempotency-key", "k")).await.expect(201);
        assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
        let other = upload(&web, &operator, "", Sent::of("text/csv", "mobile\n9876543219\n").with("idempotency-key", "k")).await;
        assert_eq!(other.expect(422).problem(), "key-reused");
    }
}

/// Keeps an upload as a process does before it takes it in; received so long ago.
fn keep(web: &Web, text: &str, source: &str, ago: Span) -> uploads::Upload {
    let folder = web.store.file_beside("uploads").expect("a folder");
    std::fs::create_dir_all(&folder).expect("made");
    let mut file = uploads::begin(&folder).expect("begun");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
    let order = uploads::UploadOrder {
        campaign: "diwali".into(),
        partial: false,
        source: source.to_owned(),
        who: "token crm (7)".into(),
        origin: "192.0.2.7".into(),
        received_at: MachineClock.read().now - ago,
    };
    let kept = uploads::keep(&folder, file, order).expect("kept");
    // Of a process that lives, the upload is its own; the lock of one that died is gone.
    assert!(uploads::left_over(&folder).is_empty());
    kept
}

/// Waits until no upload is left on the disk.
async fn until_none_is_left(web: &Web) {
    let waiting = async {
        while !left(web).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(3), waiting).await.expect("it is taken in");
}

/// Waits until the upload is taken in, and gone from the disk.
async fn until_taken_in(web: &Web, operator: &str) {
    until_none_is_left(web).await;
    let imports = web.get("/api/v1/campaigns/diwali/imports", operator).await.expect(200).json();
    assert_eq!((&imports[0]["state"], counts(&imports[0])), (&json!("complete"), [4, 2, 1, 1]));
    assert_eq!(imports[0]["source"], "crm.csv");
}

#[tokio::test]
async fn an_upload_whose_process_died_is_taken_in_by_the_next() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let (web, operator) = web(&database.store, database.folder()).await;
    drop(keep(&web, CSV, "crm.csv", Span::ZERO));
    web.stop.cancel();
    let next = Web::begin(&database.store, (*web.server.config()).clone()).await;
    until_taken_in(&next, &operator).await;
}

#[tokio::test]
async fn an_older_list_loses_nobody_and_stops_nobody_of_a_newer_one() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let (web, operator) = web(&database.store, database.folder()).await;
    let strict = json!({
        "name": "diwali", "provider": "main", "agent": "a", "caller_ids": ["9876500000"],
        "contacts": { "phone": "mobile", "country": "IN", "missing": "stop" },
    });
    let shown = web.get("/api/v1/campaigns/diwali", &operator).await.expect(200);
    let sent = Sent::json(&strict).with("if-match", shown.header("etag"));
    let _ = web.send("PUT", "/api/v1/campaigns/diwali", Some(&operator), sent).await.expect(200);
    drop(keep(&web, "mobile\n9876543210\n9876543219\n", "yesterday.csv", Span::from_minutes(5)));
    let _ = upload(&web, &operator, "?source=crm.csv", Sent::of("text/csv", CSV)).await.expect(201);
    web.stop.cancel();
    let next = Web::begin(&database.store, (*web.server.config()).clone()).await;
    until_none_is_left(&next).await;
    let imports = next.get("/api/v1/campaigns/diwali/imports", &operator).await.expect(200).json();
    let states = imports.as_array().expect("imports").iter().map(|import| import["state"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["complete", "complete"], "{imports:#}");
    let waiting = next.get("/api/v1/campaigns/diwali/contacts?state=waiting", &operator).await.expect(200).json();
    assert_eq!(waiting["data"].as_array().map(Vec::len), Some(3), "{waiting:#}");
}

#[tokio::test]
async fn an_upload_that_fails_for_a_day_is_set_aside_and_not_lost() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let (web, _) = web(&database.store, database.folder()).await;
    drop(keep(&web, CSV, "crm.csv", Span::from_hours(25)));
    let mut link = SqliteConnection::connect(&database.url).await.expect("a connection");
    sqlx::query("ALTER TABLE rejects RENAME TO hidden").execute(&mut link).await.expect("hidden");
    web.stop.cancel();
    let next = Web::begin(&database.store, (*web.server.config()).clone()).await;
    let waiting = async {
        while !left(&next).iter().any(|name| name.ends_with(".set-aside")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(3), waiting).await.expect("it is set aside");
    assert!(left(&next).iter().any(|name| name.rsplit('.').next() == Some("csv")), "the file stays: {:?}", left(&next));
}

#[tokio::test]
async fn an_upload_that_the_database_could_not_take_is_kept_and_taken_in_later() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let (web, operator) = web(&database.store, database.folder()).await;
    let mut link = SqliteConnection::connect(&database.url).await.expect("a connection");
    sqlx::query("ALTER TABLE rejects RENAME TO hidden").execute(&mut link).await.expect("hidden");
    let refused = upload(&web, &operator, "?source=crm.csv", Sent::of("text/csv", CSV)).await.expect(503);
    assert_eq!(refused.problem(), "not-done");
    assert!(refused.json()["hint"].as_str().expect("a hint").starts_with("the file is kept"), "{}", refused.text());
    assert_eq!(left(&web).len(), 2, "the file, and what is to be done with it: {:?}", left(&web));
    sqlx::query("ALTER TABLE hidden RENAME TO rejects").execute(&mut link).await.expect("back");
    web.stop.cancel();
    let next = Web::begin(&database.store, (*web.server.config()).clone()).await;
    until_taken_in(&next, &operator).await;
}
