//! Everything by keyboard.

use fantoccini::key::Key;
use ringfence_domain::Scope;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::Stage;

use super::session::Session;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_lead_to_pages_and_to_the_search() {
    let database = TestDatabase::sqlite().await;
    Stage::set(&database.store, 1).await;
    let session = Session::begin(&database.store, Scope::Operator).await;
    let press = async |keys: &str| {
        let there = session.browser.active_element().await.expect("a place");
        there.send_keys(keys).await.expect("pressed");
    };
    press("?").await;
    assert_eq!(session.ask("return document.getElementById('keys').open").await, true);
    press(&Key::Escape).await;
    assert_eq!(session.ask("return document.getElementById('keys').open").await, false);
    press("gl").await;
    session.until_said("Queues and lanes").await;
    press("/").await;
    assert_eq!(session.ask("return document.activeElement.id").await, "search");
    press("nobody").await;
    press(&Key::Enter).await;
    session.until_said("Nobody was found").await;
    // The first stop of the tabulator skips what is the same on every page.
    session.go("/").await;
    session.field("body").await.send_keys(&Key::Tab).await.expect("pressed");
    assert_eq!(session.ask("return document.activeElement.className").await, "skip");
    session.end().await;
}
