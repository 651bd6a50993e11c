//! Files over HTTP that are no contacts: what is wrong in them, numbers that must not be called,
//! and a copy of the database.

use std::path::Path;
use std::sync::Arc;

use ringfence_domain::Scope;
use ringfence_store::Database;
use ringfence_tests::on_both_databases;
use ringfence_tests::web::{Sent, Web, config};
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};

/// A server whose configuration is in `folder`.
async fn web(store: &Arc<Database>, folder: &Path) -> Web {
    Web::begin(store, config(folder)).await
}

on_both_databases! {
    async fn mistakes_are_found_and_nothing_is_touched(database) {
        let web = web(&database.store, database.folder()).await;
        let operator = web.token(Scope::Operator).await;
        let mut campaign = json!({
            "name": "diwali", "provider": "main", "agent": "a", "caller_ids": ["9876500000"],
            "contacts": { "phone": "mobile", "country": "IN" },
        });
        let fine = web.post("/api/v1/check", &operator, &campaign).await.expect(200).json();
        assert_eq!((&fine["ok"], &fine["mistakes"]), (&json!(true), &json!([])), "{fine:#}");
        let file = fine["file"].as_str().expect("a file");
        assert!(file.contains("hours = \"09:00-21:00\""), "with every default: {file}");
        let again = web.send("POST", "/api/v1/check", Some(&operator), Sent::of("application/toml", file.to_owned()));
        assert_eq!(again.await.expect(200).json()["ok"], true, "what it gave is fine itself");
        campaign["max_calls"] = json!(3);
        campaign["calling"] = json!({ "hours": "25:00-26:00" });
        let wrong = web.post("/api/v1/check", &operator, &campaign).await.expect(200).json();
        let places: Vec<&str> = wrong["mistakes"].as_array().expect("mistakes").iter().filter_map(|one| one["pointer"].as_str()).collect();
        assert!(places.contains(&"/calling/hours") && places.contains(&"/max_calls"), "{wrong:#}");
        assert_eq!((&wrong["ok"], wrong.get("file")), (&json!(false), None));
        let _ = web.get("/api/v1/campaigns/diwali", &operator).await.expect(404);
        let config = web.post("/api/v1/check", &operator, &json!({})).await.expect(200).json();
        assert_eq!(config["ok"], false, "a campaign without keys: {config:#}");
        let config = web.get("/api/v1/check", &operator).await.expect(200).json();
        assert_eq!(config["ok"], true, "{config:#}");
        std::fs::write(database.folder().join("ringfence.toml"), "[provider.main]\nkind = \"nobody\"\n").expect("written");
        let config = web.get("/api/v1/check", &operator).await.expect(200).json();
        assert_eq!((&config["ok"], &config["mistakes"][0]["pointer"]), (&json!(false), &json!("/provider/main/kind")), "{config:#}");
    }
}

on_both_databases! {
    async fn a_file_of_numbers_goes_onto_the_do_not_call_list(database) {
        let web = web(&database.store, database.folder()).await;
        let operator = web.token(Scope::Operator).await;
        let list = "mobile,why\n9876543210,asked\n12,junk\n9876543211,court\n9876543210,twice\n";
        let path = "/api/v1/dnc/import?column=mobile&country=IN&reason=crm&source=crm.csv";
        let ask = || web.send("POST", path, Some(&operator), Sent::of("text/csv", list).with("idempotency-key", "k"));
        let first = ask().await.expect(200);
        let done = first.json();
        let counts = ["rows", "added", "known", "unreadable"].map(|name| done[name].as_i64().unwrap_or(-1));
        assert_eq!(counts, [4, 2, 1, 1], "{done:#}");
        assert!(done["told"][0].as_str().expect("a sentence").starts_with("crm.csv: line 3"), "{done:#}");
        assert_eq!(ask().await.expect(200).header("idempotent-replayed"), "true");
        let listed = web.get("/api/v1/dnc", &operator).await.expect(200).json();
        let mut phones: Vec<&str> = listed["data"].as_array().expect("rows").iter().filter_map(|row| row["phone"].as_str()).collect();
        phones.sort_unstable();
        assert_eq!(phones, ["+919876543210", "+919876543211"]);
        assert_eq!(listed["data"][0]["source"], "crm.csv");
        let refused = |kind: &'static str, text: &'static str| web.send("POST", "/api/v1/dnc/import", Some(&operator), Sent::of(kind, text));
        let _ = refused("application/json", "[]").await.expect(415);
        let _ = refused("text/csv", "").await.expect(422);
        let _ = refused("text/csv", "a,b\n1,2\n").await.expect(422);
        let quote = refused("text/csv", "phone\n\"+919876543212\n+919876543213\n").await.expect(422);
        assert!(quote.text().contains("the quote on line 2 is never closed"), "{}", quote.text());
        assert!(quote.text().contains("upload by ") && !quote.text().contains("part-"), "{}", quote.text());
        let nobody = web.send("POST", "/api/v1/dnc/import?campaign=nobody", Some(&operator), Sent::of("text/csv", "phone\n"));
        let _ = nobody.await.expect(404);
        let long = refused("text/csv", "phone\n+919876543214\n").await.expect(200).json();
        assert_eq!(long["added"], 1);
    }
}

#[tokio::test]
async fn a_copy_of_a_database_in_use_is_whole() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = web(&database.store, database.folder()).await;
    let (operator, admin) = (web.token(Scope::Operator).await, web.token(Scope::Admin).await);
    let _ = web.send("POST", "/api/v1/backup", Some(&operator), Sent::default()).await.expect(403);
    let copied = web.send("POST", "/api/v1/backup", Some(&admin), Sent::default()).await.expect(200).json();
    let file = copied["file"].as_str().expect("a file");
    let mut copy = SqliteConnection::connect(&format!("sqlite://{file}")).await.expect("a database");
    let tokens = sqlx::query("SELECT count(*) AS n FROM tokens").fetch_one(&mut copy).await.expect("a count");
    assert_eq!(tokens.get::<i64, _>("n"), 2);
    let audit = web.get("/api/v1/audit", &admin).await.expect(200).text();
    assert!(audit.contains("backup.written"), "it is told who took all numbers: {audit}");
}

#[tokio::test]
async fn postgres_has_backups_of_its_own() {
    let database = ringfence_tests::TestDatabase::postgres().await;
    let web = web(&database.store, database.folder()).await;
    let admin = web.token(Scope::Admin).await;
    let refused = web.send("POST", "/api/v1/backup", Some(&admin), Sent::default()).await.expect(422);
    assert!(refused.text().contains("pg_dump"), "{}", refused.text());
}
