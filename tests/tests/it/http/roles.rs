//! Who may do what: every operation of the document is asked for as nobody, as each role, with a
//! token that is over, and with one that was revoked.

use ringfence_domain::{Clock, Scope, Span};
use ringfence_intake::Config;
use ringfence_sandbox::MachineClock;
use ringfence_tests::on_both_databases;
use ringfence_tests::web::{Sent, Web, token};

#[expect(clippy::print_stdout, reason = "the matrix is for people to read")]
fn print(matrix: &str) {
    println!("{matrix}");
}

on_both_databases! {
    async fn nobody_may_more_than_the_document_says(database) {
        let web = Web::begin(&database.store, Config::default()).await;
        let now = MachineClock.read().now;
        let over = token(&web.store, Scope::Admin, Some(now - Span::from_secs(1))).await;
        let revoked = web.token(Scope::Admin).await;
        let id = web.store.tokens().await.expect("tokens").last().expect("a token").id;
        web.store.revoke_token(id, now).await.expect("revoked");
        let mut callers = vec![("nobody", None, None), ("over", Some(over), None), ("revoked", Some(revoked), None)];
        for scope in Scope::ALL {
            callers.push((scope.as_str(), Some(web.token(*scope).await), Some(*scope)));
        }
        let operations: Vec<(String, String, Scope)> =
            web.server.operations().map(|(path, method, scope)| (path.to_owned(), method.to_owned(), scope)).collect();
        assert!(operations.len() > 40, "{} operations", operations.len());
        let mut matrix = format!("{:<8}{:<44}", "", "");
        for (name, ..) in &callers {
            matrix.push_str(&format!("{name:>10}"));
        }
        for (path, method, needed) in operations {
            matrix.push_str(&format!("\n{method:<8}{path:<44}"));
            // A stream does not end.
            let filled = path.replace("{name}", "nothing").replace("{lane}", "nothing").replace("{id}", "999999");
            let filled = if path.ends_with("/events") { format!("{filled}?types=none") } else { filled };
            for (name, token, scope) in &callers {
                // A name that is none, and a body that is none: whoever is let in is told so.
                let sent = Sent::of("application/json", "{\"no such key\": 1}");
                let status = web.send(&method, &filled, token.as_deref(), sent).await.status.as_u16();
                matrix.push_str(&format!("{status:>10}"));
                let allowed = scope.is_some_and(|scope| scope >= needed);
                let expected = match (scope, allowed) {
                    // Who comes with wrong tokens again and again is slowed down.
                    (None, _) => status == 401 || (token.is_some() && status == 429),
                    (Some(_), false) => status == 403,
                    (Some(_), true) => status != 401 && status != 403 && status < 500,
                };
                assert!(expected, "{method} {path} as {name}: {status}\n{matrix}");
            }
        }
        print(&matrix);
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_does_not_hold_from_the_next_request_on() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let (admin, crm) = (web.token(Scope::Admin).await, web.token(Scope::Operator).await);
    let _ = web.get("/api/v1/lanes", &crm).await.expect(200);
    let listed = web.get("/api/v1/tokens", &admin).await.expect(200).json();
    assert!(!listed.to_string().contains(&crm), "no token is shown whole");
    let id = listed[1]["id"].as_i64().expect("an id");
    let _ = web.send("DELETE", &format!("/api/v1/tokens/{id}"), Some(&admin), Sent::default()).await.expect(200);
    let refused = web.get("/api/v1/lanes", &crm).await.expect(401);
    let strange = web.get("/api/v1/lanes", "rf_o").await.expect(401);
    assert_eq!(refused.json()["detail"], strange.json()["detail"], "who guesses learns nothing");
}

#[tokio::test]
async fn a_token_that_is_made_over_http_is_shown_once_and_kept_nowhere() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let admin = web.token(Scope::Admin).await;
    let body = serde_json::json!({ "name": "crm", "scope": "operator", "expires_in": "90d" });
    let ask = || web.send("POST", "/api/v1/tokens", Some(&admin), Sent::json(&body).with("idempotency-key", "once"));
    let made = ask().await.expect(201).json();
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(token.starts_with("rf_o") && token.len() == 53, "{token}");
    let _ = web.get("/api/v1/lanes", &token).await.expect(200);
    let again = ask().await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["token"], "it was shown once");
    assert_eq!(again.json()["id"], made["id"]);
    let bytes = std::fs::read(database.folder().join("test.db")).unwrap_or_default();
    assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()));
}

#[tokio::test]
async fn a_viewer_sees_masked_numbers_and_an_operator_whole_ones() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let stage = ringfence_tests::sample::Stage::set(&database.store, 1).await;
    let web = Web::begin(&database.store, Config::default()).await;
    let (viewer, operator) = (web.token(Scope::Viewer).await, web.token(Scope::Operator).await);
    let number = ringfence_tests::sample::number(0).e164().to_owned();
    let last = &number[number.len() - 4..];
    for path in [
        "/api/v1/campaigns/spring/contacts".to_owned(),
        "/api/v1/campaigns/spring/export".to_owned(),
        format!("/api/v1/contacts/{}/why", 1),
    ] {
        assert!(web.get(&path, &operator).await.expect(200).text().contains(&number), "{path}");
        let seen = web.get(&path, &viewer).await.expect(200).text();
        assert!(!seen.contains(&number[3..]) && seen.contains(last), "{path}: {seen}");
    }
    assert_eq!(stage.campaign.rules.name, "spring");
}
