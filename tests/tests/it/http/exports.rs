//! Exports over HTTP: they stream, and say at their end that they are whole.

use ringfence_domain::{CallDetails, Outcome, Scope, Span};
use ringfence_intake::Config;
use ringfence_store::Settlement;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::web::Web;
use serde_json::json;

on_both_databases! {
    async fn an_export_ends_with_the_number_of_its_lines(database) {
        Stage::set(&database.store, 3_000).await;
        let web = Web::begin(&database.store, Config::default()).await;
        let (operator, viewer) = (web.token(Scope::Operator).await, web.token(Scope::Viewer).await);
        for (token, query) in [(&operator, ""), (&viewer, ""), (&operator, "?format=csv")] {
            let text = web.get(&format!("/api/v1/campaigns/spring/export{query}"), token).await.expect(200).text();
            let lines: Vec<&str> = text.lines().collect();
            let header = usize::from(query.contains("csv"));
            assert_eq!(lines.len(), 3_000 + header + 1, "{query}");
            assert_eq!(lines.last(), Some(&"#complete 3000"), "{query}");
        }
        let _ = web.get("/api/v1/campaigns/spring/export?format=csv", &viewer).await.expect(403);
        let _ = web.get("/api/v1/campaigns/nothing/export", &operator).await.expect(404);
        let _ = web.get("/api/v1/campaigns/spring/export?run=7", &operator).await.expect(404);
        let _ = web.get("/api/v1/campaigns/spring/export?format=xml", &operator).await.expect(422);
    }
}

on_both_databases! {
    async fn a_table_has_a_column_for_each_output_of_any_call(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let placed = stage.place(store, 2, noon()).await;
        let details = |name: &str| {
            let outputs = [(name.to_owned(), json!("=1"))].into();
            Settlement::Ended(Outcome::Answered, Box::new(CallDetails { outputs, ..CallDetails::default() }))
        };
        let ended = vec![(placed[0], details("mood")), (placed[1], details("amount"))];
        store.settle(ended, noon() + Span::from_secs(20)).await.expect("settled");
        let web = Web::begin(store, Config::default()).await;
        let operator = web.token(Scope::Operator).await;
        for what in ["", "&attempts=true"] {
            let text = web.get(&format!("/api/v1/campaigns/spring/export?format=csv{what}"), &operator).await.expect(200).text();
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines[0].ends_with(",out.amount,out.mood"), "{}", lines[0]);
            assert!(lines.iter().any(|line| line.ends_with(",,'=1")) && lines.iter().any(|line| line.ends_with(",'=1,")), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_stops_nothing_but_its_own_export() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    Stage::set(&database.store, 30_000).await;
    let web = Web::begin(&database.store, Config::default()).await;
    let operator = web.token(Scope::Operator).await;
    let ask = format!(
        "GET /api/v1/campaigns/spring/export HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {operator}\r\n\r\n"
    );
    for _ in 0..20 {
        let mut wire = web.connect().await;
        wire.send(&ask).await.expect("sent");
        assert!(wire.hear("200 OK").await);
    }
    let _ = web.get("/api/v1/lanes", &operator).await.expect(200);
}
