//! What every page looks like: on a phone, in the dark, to a screen reader, and to the browser's own
//! policy.

use ringfence_domain::Scope;
use ringfence_tests::TestDatabase;

use super::session::Session;
use crate::http::every_page;

const AXE: &str = include_str!("../../../vendor/axe.min.js");
/// What axe finds wrong, in a line each.
const FIND: &str = "const done = arguments[arguments.length - 1]; axe.run(document, { resultTypes: ['violations'] }) \
    .then((found) => done(found.violations.map((one) => one.id + ': ' + one.help + ': ' + one.nodes.map((node) => node.html).slice(0, 3).join(' '))));";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_used_by_everybody_everywhere() {
    let database = TestDatabase::sqlite().await;
    every_page::set(&database.store).await;
    let session = Session::begin(&database.store, Scope::Admin).await;
    let mut wrong = Vec::new();
    for colours in ["light", "dark"] {
        for path in every_page::PAGES {
            session.browser.set_window_rect(0, 0, 1200, 900).await.expect("a size");
            session.go(path).await;
            session.ask(&format!("document.documentElement.dataset.colours = '{colours}'")).await;
            session.ask(AXE).await;
            let found = session.browser.execute_async(FIND, Vec::new()).await.expect("axe answers");
            wrong.extend(found.as_array().into_iter().flatten().map(|one| format!("{path} in {colours}: {one}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for path in every_page::PAGES {
        session.browser.set_window_rect(0, 0, 390, 844).await.expect("a size");
        session.go(path).await;
        let wide = session.ask("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{path} is {wide} px too wide for a phone");
    }
    let complaints = session.complaints().await;
    // Pages of things that are not there say so with their status.
    let real: Vec<&String> =
        complaints.iter().filter(|text| !text.contains("status of 404") && !text.contains("status of 4")).collect();
    assert!(real.is_empty(), "{real:#?}");
    session.end().await;
}
