//! Pages that are open learn what changes.

use ringfence_domain::Scope;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{Stage, noon};

use super::session::Session;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_shows_what_somebody_else_did() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 3).await;
    let session = Session::begin(&database.store, Scope::Operator).await;
    session.until_said("live").await;
    database.store.pause_lane(stage.lane, "the wallet is empty".into(), noon()).await.expect("paused");
    session.until_said("the wallet is empty").await;
    database.store.stop_all("a drill".into(), noon()).await.expect("stopped");
    session.until_said("Everything is stopped: a drill").await;
    session.until_there("form[action='/start']").await;
    session.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_load_is_live_and_eight_tabs_are_too() {
    let database = TestDatabase::sqlite().await;
    Stage::set(&database.store, 1).await;
    let session = Session::begin(&database.store, Scope::Viewer).await;
    for _ in 0..20 {
        session.go("/").await;
        session.until_there("#pulse[data-state=live]").await;
    }
    // A browser has six connections to a host: tabs that nobody looks at give theirs back.
    let first = session.browser.window().await.expect("this tab");
    for _ in 0..8 {
        let tab = session.browser.new_window(true).await.expect("a tab");
        session.browser.switch_to_window(tab.handle).await.expect("looked at");
        session.go("/campaigns/spring").await;
        session.until_there("#pulse[data-state=live]").await;
    }
    session.until_streams(1).await;
    session.browser.switch_to_window(first).await.expect("looked at again");
    database.store.stop_all("a drill".into(), noon()).await.expect("stopped");
    session.until_said("Everything is stopped: a drill").await;
    session.until_streams(1).await;
    session.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_types_is_not_lost_when_the_page_changes() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 1).await;
    let session = Session::begin(&database.store, Scope::Operator).await;
    session.go("/campaigns/spring/rules").await;
    session.field("#toml").await.send_keys("# mine").await.expect("typed");
    session.field("#search").await.send_keys("982").await.expect("typed");
    database.store.stop_all("a drill".into(), noon()).await.expect("stopped");
    session.until_said("Everything is stopped: a drill").await;
    let kept = session.ask("return [document.getElementById('toml').value.includes('# mine'), document.getElementById('search').value, document.activeElement.id]").await;
    assert_eq!(kept, serde_json::json!([true, "982", "search"]));
    assert_eq!(stage.campaign.rules.name, "spring");
    session.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_unfolded_stays_unfolded_when_the_page_changes() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 1).await;
    stage.place(&database.store, 1, noon()).await;
    let session = Session::begin(&database.store, Scope::Operator).await;
    session.go("/contacts/1").await;
    session.until_there("#pulse[data-state=live]").await;
    session.ask("document.querySelector('article.call details').open = true").await;
    database.store.pause_lane(stage.lane, "the wallet is empty".into(), noon()).await.expect("paused");
    session.until_said("the wallet is empty").await;
    let open = session.ask("return document.querySelector('article.call details').open").await;
    assert_eq!(open, serde_json::json!(true));
    session.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_held_still_changes_when_it_is_let_go() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 1).await;
    let session = Session::begin(&database.store, Scope::Operator).await;
    session.until_said("live").await;
    session.field("#pause").await.click().await.expect("held");
    session.until_said("held still").await;
    database.store.pause_lane(stage.lane, "the wallet is empty".into(), noon()).await.expect("paused");
    // Another page of the same browser is told of it; this one could know by then.
    let other = session.browser.new_window(true).await.expect("a tab");
    let held = session.browser.window().await.expect("this tab");
    session.browser.switch_to_window(other.handle).await.expect("looked at");
    session.go("/").await;
    session.until_said("the wallet is empty").await;
    session.browser.switch_to_window(held).await.expect("looked at");
    let says = session.ask("return document.body.innerText.includes('the wallet is empty')").await;
    assert_eq!(says, serde_json::json!(false));
    session.field("#pause").await.click().await.expect("let go");
    session.until_said("the wallet is empty").await;
    session.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_login_is_over_stays_and_says_that_it_is_old() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 1).await;
    let session = Session::begin(&database.store, Scope::Operator).await;
    session.go("/campaigns/spring").await;
    session.until_there("#pulse[data-state=live]").await;
    let token = database.store.tokens().await.expect("tokens")[0].id;
    database.store.revoke_token(token, noon()).await.expect("revoked");
    // What happens next makes the page ask.
    database.store.pause_lane(stage.lane, "the wallet is empty".into(), noon()).await.expect("paused");
    session.until_there("#pulse[data-state=stale]").await;
    assert!(session.text().await.contains("spring"), "what was shown is shown");
    session.end().await;
}
