//! Campaigns over HTTP: made, changed by the revision that was read, held, listed.

use ringfence_domain::Scope;
use ringfence_intake::Config;
use ringfence_sandbox::VENDOR;
use ringfence_tests::on_both_databases;
use ringfence_tests::web::{Sent, Web};
use serde_json::json;

/// A server whose configuration has a lane of the sandbox.
async fn web(store: &std::sync::Arc<ringfence_store::Database>) -> (Web, String) {
    let text = "[provider.main]\nkind = \"sandbox\"\n";
    let vendors = ringfence_operations::configuration::vendors();
    let config = Config::parse(std::path::Path::new("/srv/ringfence.toml"), text, &vendors, &|_| None).expect("fine");
    assert_eq!(config.lanes["main"].vendor.kind, VENDOR.kind);
    let web = Web::begin(store, config).await;
    let operator = web.token(Scope::Operator).await;
    (web, operator)
}

fn campaign(name: &str) -> serde_json::Value {
    json!({
        "name": name, "provider": "main", "agent": "a", "caller_ids": ["9876500000"],
        "contacts": { "phone": "mobile", "country": "IN" }, "calling": { "hours": "24/7" },
    })
}

on_both_databases! {
    async fn a_campaign_is_made_as_a_draft_and_changed_by_who_read_it_last(database) {
        let (web, operator) = web(&database.store).await;
        let made = web.post("/api/v1/campaigns", &operator, &campaign("diwali")).await.expect(201);
        assert_eq!((made.header("location"), made.json()["state"].as_str()), ("/api/v1/campaigns/diwali", Some("draft")));
        let again = web.post("/api/v1/campaigns", &operator, &campaign("diwali")).await.expect(409);
        assert_eq!(again.problem(), "conflict");
        let read = web.get("/api/v1/campaigns/diwali", &operator).await.expect(200);
        let revision = read.header("etag").to_owned();
        assert_eq!(read.json()["revision"].to_string(), revision.trim_matches('"'));
        let mut changed = campaign("diwali");
        changed["priority"] = json!(2);
        let put = |sent: Sent<'static>| web.send("PUT", "/api/v1/campaigns/diwali", Some(&operator), sent);
        assert_eq!(put(Sent::json(&changed)).await.expect(428).problem(), "if-match-required");
        assert_eq!(put(Sent::json(&changed).with("if-match", "\"99\"")).await.expect(412).problem(), "stale");
        let revision: &'static str = Box::leak(revision.into_boxed_str());
        let done = put(Sent::json(&changed).with("if-match", revision)).await.expect(200);
        assert_eq!(done.json()["differences"][0]["key"], "priority");
        assert_ne!(done.header("etag"), revision);
        assert_eq!(put(Sent::json(&campaign("diwali")).with("if-match", revision)).await.expect(412).problem(), "stale");
        let text = "name = \"diwali\"\nprovider = \"main\"\n";
        let plan = web.send("POST", "/api/v1/campaigns/diwali/plan", Some(&operator), Sent::of("application/toml", text)).await;
        assert_eq!(plan.expect(422).problem(), "invalid");
    }
}

on_both_databases! {
    async fn what_is_wrong_is_named_by_its_place(database) {
        let (web, operator) = web(&database.store).await;
        let mut wrong = campaign("diwali");
        wrong["calling"]["hours"] = json!("9-21");
        wrong["limits"] = json!({ "per_nummer": "3/day" });
        let problem = web.post("/api/v1/campaigns", &operator, &wrong).await.expect(422).json();
        let places: Vec<&str> = problem["errors"].as_array().expect("errors").iter().map(|error| error["pointer"].as_str().expect("one")).collect();
        assert_eq!(places, ["/calling/hours", "/limits/per_nummer"], "{problem:#}");
        assert_eq!(problem["errors"][0]["hint"], "did you mean 09:00-21:00?");
        let outside = json!({ "phone": "mobile", "file": "../../etc/passwd" });
        wrong = campaign("diwali");
        wrong["contacts"] = outside;
        let problem = web.post("/api/v1/campaigns", &operator, &wrong).await.expect(422);
        assert!(problem.text().contains("leads out of /srv"), "{}", problem.text());
        let _ = web.send("POST", "/api/v1/campaigns", Some(&operator), Sent::of("application/json", "{")).await.expect(400);
        let _ = web.send("POST", "/api/v1/campaigns", Some(&operator), Sent::of("application/xml", "<a/>")).await.expect(415);
        let wrong_key = web.post("/api/v1/dnc", &operator, &json!({ "phones": ["+919876543210"], "why": "x" })).await.expect(422);
        assert!(wrong_key.json()["errors"][0]["detail"].as_str().is_some_and(|text| text.contains("why")), "{}", wrong_key.text());
        let wrong_type = web.post("/api/v1/dnc", &operator, &json!({ "phones": ["+919876543210", 7] })).await.expect(422);
        assert_eq!(wrong_type.json()["errors"][0]["pointer"], "/phones/1");
    }
}

on_both_databases! {
    async fn what_a_person_does_is_recorded_with_who_from_where_before_and_after(database) {
        let (web, operator) = web(&database.store).await;
        let admin = web.token(Scope::Admin).await;
        let _ = web.post("/api/v1/campaigns", &operator, &campaign("diwali")).await.expect(201);
        let _ = web.post("/api/v1/campaigns/diwali/run", &operator, &json!({})).await.expect(200);
        let _ = web.post("/api/v1/campaigns/diwali/pause", &operator, &json!({ "reason": "wrong list" })).await.expect(200);
        let _ = web.post("/api/v1/stop", &operator, &json!({})).await.expect(200);
        let _ = web.get("/api/v1/audit", &operator).await.expect(403);
        let audit = web.get("/api/v1/audit?limit=1000", &admin).await.expect(200).json();
        let rows = audit["data"].as_array().expect("rows");
        let of = |kind: &str| rows.iter().find(|row| row["kind"] == kind).unwrap_or_else(|| panic!("{kind} in {audit:#}"));
        let paused = of("campaign.paused");
        assert_eq!((paused["who"].as_str(), paused["origin"].as_str()), (Some("token test operator (1)"), Some("127.0.0.1")));
        assert_eq!((&paused["before"]["state"], &paused["after"]["state"]), (&json!("running"), &json!("paused")));
        assert_eq!(paused["after"]["reason"], "wrong list");
        assert_eq!(of("campaign.applied")["after"]["priority"], 5);
        assert_eq!(of("stopped")["after"]["reason"], "by token test operator (1)");
        // Page by page, each row once.
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = web.get(&format!("/api/v1/audit?limit=2{cursor}"), &admin).await.expect(200).json();
            seen.extend(page["data"].as_array().expect("rows").clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(&seen, rows);
        let other = web.get(&format!("/api/v1/audit?limit=2&campaign=diwali{cursor}"), &admin).await.expect(422);
        assert_eq!(other.problem(), "invalid", "a cursor is of one list");
    }
}

on_both_databases! {
    async fn a_paused_campaign_is_not_started_and_a_cancelled_one_is_over(database) {
        let (web, operator) = web(&database.store).await;
        let _ = web.post("/api/v1/campaigns", &operator, &campaign("diwali")).await.expect(201);
        let act = |what: &'static str, body: serde_json::Value| {
            let (web, operator) = (&web, &operator);
            async move { web.post(&format!("/api/v1/campaigns/diwali/{what}"), operator, &body).await }
        };
        let _ = act("pause", json!({ "reason": "look" })).await.expect(200);
        let _ = act("run", json!({})).await.expect(200);
        let state = |reply: ringfence_tests::web::Reply| reply.json()["state"].clone();
        assert_eq!(state(web.get("/api/v1/campaigns/diwali/summary", &operator).await), "paused");
        let _ = act("resume", json!({})).await.expect(200);
        assert_eq!(state(act("cancel", json!({})).await.expect(200)), "cancelled");
        assert_eq!(act("resume", json!({})).await.expect(409).problem(), "conflict");
        assert_eq!(act("run", json!({})).await.expect(409).problem(), "conflict");
        let _ = web.get("/api/v1/campaigns/nothing", &operator).await.expect(404);
        let listed = web.get("/api/v1/campaigns?state=cancelled", &operator).await.expect(200).json();
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
        let listed = web.get("/api/v1/campaigns?state=running", &operator).await.expect(200).json();
        assert_eq!(listed["data"], json!([]));
    }
}
