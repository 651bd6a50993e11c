//! Everything but life works without scripts.

use ringfence_domain::Scope;
use ringfence_tests::TestDatabase;
use ringfence_tests::browser::Setup;
use ringfence_tests::sample::Stage;

use super::session::Session;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_scripts_stops_starts_and_pauses() {
    let database = TestDatabase::sqlite().await;
    Stage::set(&database.store, 2).await;
    let setup = Setup { without_scripts: true, ..Setup::default() };
    let session = Session::begin_with(&database.store, Scope::Operator, setup).await;
    session.click("button.stop").await;
    session.until_said("No new call begins").await;
    assert!(database.store.stop().await.expect("asked").is_some());
    session.click("button.start").await;
    session.until_said("Needs you").await;
    assert!(database.store.stop().await.expect("asked").is_none());
    session.go("/campaigns/spring").await;
    session.click("form[action='/campaigns/spring/pause'] button").await;
    session.until_said("Go on").await;
    assert!(database.store.campaign("spring".into()).await.expect("asked").expect("there").paused_by.is_some());
    session.end().await;
}
