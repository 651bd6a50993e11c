//! The dashboard: who is let in, for how long, and what a viewer cannot do.

use ringfence_domain::{Clock, Scope, Span};
use ringfence_intake::{Config, Http};
use ringfence_operations::{Notices, Workspace, logins};
use ringfence_sandbox::MachineClock;
use ringfence_store::Database;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon, number};
use ringfence_tests::virtual_time::HandClock;
use ringfence_tests::web::{Reply, Sent, Web};
use std::sync::Arc;

const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a form of this server's own pages, as a browser with this cookie.
pub(super) async fn post(web: &Web, path: &str, cookie: &str, body: String) -> Reply {
    let sent =
        Sent::of(FORM, body).with("cookie", cookie).with("origin", &web.base).with("sec-fetch-site", "same-origin");
    web.send("POST", path, None, sent).await
}

pub(super) async fn get(web: &Web, path: &str, cookie: &str) -> Reply {
    web.send("GET", path, None, Sent::default().with("cookie", cookie)).await
}

/// Logs a browser in. Returns its cookie.
pub(super) async fn log_in(web: &Web, secret: &str) -> String {
    let reply = post(web, "/login", "", format!("secret={secret}&to=%2F")).await.expect(303);
    let cookie = reply.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().expect("a cookie").to_owned()
}

fn workspace(store: &Arc<Database>) -> Workspace {
    let mut config = Config::default();
    config.http = Http { public_url: Some("http://localhost:1".to_owned()), ..Http::default() };
    Workspace::of(Arc::new(config), store.clone(), Arc::new(MachineClock), Notices::default())
}

on_both_databases! {
    async fn a_code_logs_one_browser_in_once(database) {
        let store = &database.store;
        Stage::set(store, 3).await;
        let web = Web::begin(store, Config::default()).await;
        let asked = get(&web, "/?x=1", "").await.expect(303);
        assert_eq!(asked.header("location"), "/login?to=%2F%3Fx%3D1");
        let invited = logins::invite(&workspace(store), "asha@tests", Scope::Operator).await.expect("a code");
        let code = invited.address.split("code=").nth(1).expect("a code").to_owned();
        let _ = get(&web, &format!("/login?code={code}"), "").await.expect(200);
        let cookie = log_in(&web, &code).await;
        let again = post(&web, "/login", "", format!("secret={code}")).await.expect(401);
        let wrong = post(&web, "/login", "", "secret=nonsense".to_owned()).await.expect(401);
        assert_eq!(again.body, wrong.body, "who guesses learns nothing");
        let page = get(&web, "/", &cookie).await.expect(200);
        assert!(page.text().contains("asha@tests") && page.text().contains("spring"), "{}", page.text());
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        let _ = post(&web, "/logout", &cookie, String::new()).await.expect(303);
        let _ = get(&web, "/", &cookie).await.expect(303);
    }
}

on_both_databases! {
    async fn a_login_ends_with_its_token(database) {
        let store = &database.store;
        let web = Web::begin(store, Config::default()).await;
        let token = web.token(Scope::Operator).await;
        let cookie = log_in(&web, &token).await;
        let _ = get(&web, "/", &cookie).await.expect(200);
        let refused = web.send("GET", "/api/v1/lanes", None, Sent::default().with("cookie", &cookie)).await;
        let _ = refused.expect(401);
        let id = store.tokens().await.expect("tokens")[0].id;
        store.revoke_token(id, MachineClock.read().now).await.expect("revoked");
        let _ = get(&web, "/", &cookie).await.expect(303);
    }
}

#[tokio::test]
async fn a_login_ends_after_half_an_hour_of_silence_and_after_twelve_hours_of_work() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let begin = MachineClock.read().now;
    let clock = HandClock::at(begin);
    let web = Web::begin_at(&database.store, Config::default(), clock.clone(), "");
    let minutes = |minutes: i64| begin + Span::from_minutes(minutes);
    let cookie = log_in(&web, &web.token(Scope::Viewer).await).await;
    clock.set(minutes(29));
    let _ = get(&web, "/settings", &cookie).await.expect(200);
    clock.set(minutes(57));
    let _ = get(&web, "/settings", &cookie).await.expect(200);
    clock.set(minutes(57 + 31));
    let _ = get(&web, "/settings", &cookie).await.expect(303);
    clock.set(minutes(0));
    let cookie = log_in(&web, &web.token(Scope::Viewer).await).await;
    for passed in (20..12 * 60).step_by(20) {
        clock.set(minutes(passed));
        let _ = get(&web, "/settings", &cookie).await.expect(200);
    }
    clock.set(minutes(12 * 60));
    let _ = get(&web, "/settings", &cookie).await.expect(303);
}

on_both_databases! {
    async fn a_viewer_and_a_stranger_stop_nothing(database) {
        let store = &database.store;
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Viewer).await).await;
        let page = get(&web, "/", &cookie).await.expect(200).text();
        assert!(!page.contains("action=\"/stop\""), "there is no button");
        for path in ["/stop", "/start"] {
            let _ = post(&web, path, &cookie, String::new()).await.expect(403);
            let _ = post(&web, path, "", String::new()).await.expect(401);
        }
        let operator = log_in(&web, &web.token(Scope::Operator).await).await;
        let foreign = Sent::of(FORM, "").with("cookie", &operator).with("origin", "https://evil.example").with("sec-fetch-site", "cross-site");
        let _ = web.send("POST", "/stop", None, foreign).await.expect(403);
        assert_eq!(store.stop().await.expect("asked"), None, "nobody stopped it");
        let _ = post(&web, "/stop", &operator, "reason=a+drill".to_owned()).await.expect(303);
        assert_eq!(store.stop().await.expect("asked").expect("a stop").reason, "a drill");
        let _ = post(&web, "/start", &operator, String::new()).await.expect(303);
        assert_eq!(store.stop().await.expect("asked"), None);
    }
}

on_both_databases! {
    async fn a_form_that_is_refused_is_told_in_the_frame_of_every_page(database) {
        let store = &database.store;
        Stage::set(store, 1).await;
        let web = Web::begin(store, Config::default()).await;
        let operator = log_in(&web, &web.token(Scope::Operator).await).await;
        let refused = "reason=x&paths=";
        let page = post(&web, "/review", &operator, refused.to_owned()).await.expect(422).text();
        assert!(page.contains("role=\"alert\"") && page.contains("action=\"/stop\""), "{page}");
        let missing = get(&web, "/contacts/404", &operator).await.expect(404).text();
        assert!(missing.contains("aria-label=\"Pages\"") && !missing.contains("hx-get"), "{missing}");
        let stranger = post(&web, "/review", "", refused.to_owned()).await.expect(401).text();
        assert!(!stranger.contains("aria-label=\"Pages\""), "{stranger}");
    }
}

on_both_databases! {
    async fn calls_that_are_out_are_listed_and_masked_for_viewers(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        stage.place(store, 1, noon()).await;
        let web = Web::begin(store, Config::default()).await;
        let (operator, viewer) = (web.token(Scope::Operator).await, web.token(Scope::Viewer).await);
        let page = async |token: &str| get(&web, "/stop", &log_in(&web, token).await).await.expect(200).text();
        let seen = number(0).e164().to_owned();
        assert!(page(&operator).await.contains(&seen));
        let masked = page(&viewer).await;
        assert!(masked.contains("under way") && !masked.contains(&seen), "{masked}");
    }
}

on_both_databases! {
    async fn a_decision_for_many_says_how_many_they_are_and_asks_for_the_number(database) {
        let store = &database.store;
        let stage = Stage::set(store, 130).await;
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        let asked = get(&web, "/campaigns/spring/bulk?decision=stop&state=waiting", &cookie).await.expect(200).text();
        assert!(asked.contains("130 people") && asked.contains("Type 130 to confirm"), "{asked}");
        let stop = |people: usize, typed: &'static str| {
            let body = format!("decision=stop&state=waiting&people={people}&typed={typed}&reason=wrong+list");
            post(&web, "/campaigns/spring/bulk", &cookie, body)
        };
        let _ = stop(130, "13").await.expect(422);
        let _ = stop(120, "120").await.expect(409);
        assert_eq!(stage.count(store, "contact:stopped").await, 0, "nothing was done");
        let _ = stop(130, "130").await.expect(303);
        assert_eq!(stage.count(store, "contact:stopped").await, 130);
        let told = get(&web, "/campaigns/spring/changes", &cookie).await.text();
        assert!(told.contains("130: wrong list"), "{told}");
    }
}

#[tokio::test]
async fn a_form_has_an_end() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
    let long = format!("reason={}", "x".repeat(2 << 20));
    let refused = post(&web, "/stop", &cookie, long).await;
    assert!(matches!(refused.status.as_u16(), 413 | 422), "{}", refused.status);
    assert_eq!(database.store.stop().await.expect("asked"), None);
}

on_both_databases! {
    async fn rules_are_changed_after_it_was_said_what_that_changes(database) {
        let store = &database.store;
        Stage::set(store, 2).await;
        let config = ringfence_tests::web::config(database.folder());
        let web = Web::begin(store, config).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        let revision = store.campaign("spring".into()).await.expect("asked").expect("there").revision;
        let campaign = ringfence_operations::campaigns::show(&workspace(store), "spring").await.expect("a campaign");
        let changed = campaign.file.replacen("priority = 5", "priority = 3", 1);
        assert_ne!(changed, campaign.file, "{}", campaign.file);
        let form = |file: &str, revision: i64| -> String {
            let file: String = file.bytes().map(|byte| format!("%{byte:02X}")).collect();
            format!("file={file}&revision={revision}")
        };
        let planned = post(&web, "/campaigns/spring/rules", &cookie, form(&changed, revision)).await.expect(200).text();
        assert!(planned.contains("Apply for 2 waiting contacts?") && planned.contains("priority"), "{planned}");
        let wrong = post(&web, "/campaigns/spring/rules", &cookie, form("name = 1", revision)).await.expect(422).text();
        assert!(wrong.contains("role=\"alert\""), "{wrong}");
        let stale = post(&web, "/campaigns/spring/rules/apply", &cookie, form(&changed, revision + 5)).await;
        assert_eq!(stale.status, 412, "{}", stale.text());
        let _ = post(&web, "/campaigns/spring/rules/apply", &cookie, form(&changed, revision)).await.expect(303);
        assert_eq!(store.campaign("spring".into()).await.expect("asked").expect("there").rules.priority, 3);
    }
}
