//! What holds for every page of the dashboard: nothing of a contact file becomes markup, nothing is
//! inline, viewers see no number, and every form asks for a role.

use std::collections::BTreeSet;

use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use ringfence_domain::Scope;
use ringfence_intake::Config;
use ringfence_store::{Database, DncList, ImportChunk, ImportCounts, Reject};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, begin_import, chunk, noon, number, row};
use ringfence_tests::web::Web;

use super::pages::{get, log_in, post};

/// Markup, where a contact file, a vendor or a person may put it.
const MARKUP: &str = "\"><img src=x onerror=\"alert(1)\"><script>alert(2)</script>";
/// People of the stage.
const PEOPLE: usize = 4;

/// Every page that is read, with what the stage has.
pub(crate) const PAGES: &[&str] = &[
    "/",
    "/campaigns",
    "/campaigns/spring",
    "/campaigns/spring/contacts",
    "/campaigns/spring/contacts?text=script&zone=kolkata",
    "/campaigns/spring/why",
    "/campaigns/spring/imports",
    "/campaigns/spring/runs",
    "/campaigns/spring/changes",
    "/campaigns/spring/rules",
    "/contacts",
    "/contacts?q=script",
    "/contacts?q=nobody",
    "/contacts/1",
    "/contacts/2",
    "/imports/1",
    "/imports/2",
    "/lanes",
    "/stop",
    "/review",
    "/dnc",
    "/schedules",
    "/changes",
    "/settings",
    "/campaigns/spring/bulk?decision=stop",
    "/campaigns/spring/try",
    "/campaigns/spring/start",
    "/new",
    "/campaigns/nothing",
    "/contacts/999",
];

/// People in each state, a held import with rejected rows, a do-not-call list and a paused lane, and
/// in all of them markup and phone numbers.
pub(crate) async fn set(store: &Database) {
    let stage = Stage::set(store, 0).await;
    let (run, now) = (stage.run(), noon());
    let says = |n: usize| format!("call {} instead {MARKUP}", number(n).e164());
    let people = |numbers: std::ops::Range<usize>| {
        numbers.map(|n| {
            let mut contact = row(store, n as i64 + 1, n);
            contact.external_id = Some(format!("{n}{MARKUP}"));
            contact.fields.insert("note".to_owned(), says(n));
            contact.fields.insert(MARKUP.to_owned(), "a column".to_owned());
            contact
        })
    };
    let first = begin_import(store, run, &says(0), now).await;
    store.import_chunk(chunk(first, run, people(0..PEOPLE).collect(), now)).await.expect("a chunk");
    store.complete_import(ringfence_tests::sample::complete(first, PEOPLE as i64, now)).await.expect("complete");
    let second = begin_import(store, run, &says(1), now).await;
    let reject = Reject {
        row_number: 9,
        line: 10,
        code: "invalid_number".to_owned(),
        reason: says(1),
        record: vec![says(2)],
        external_id: None,
        numbers: Vec::new(),
    };
    let rejects = ImportChunk { rejects: vec![reject], ..chunk(second, run, Vec::new(), now) };
    store.import_chunk(rejects).await.expect("a chunk");
    store
        .hold_import(second, ImportCounts { rows: 1, rejected: 1, ..ImportCounts::default() }, says(3), now)
        .await
        .expect("held");
    let attempts = stage.claim(store, 2, now).await;
    for attempt in attempts {
        let unknown = ringfence_domain::Placement::Unknown { cause: says(0) };
        store.record(vec![stage.sent(attempt, unknown)], now).await.expect("recorded");
    }
    store.pause_lane(stage.lane, says(1), now).await.expect("paused");
    let list = DncList { campaign: None, source: Some(says(2)), reason: Some(says(3)), added_at: now };
    let (list, last) = (store.begin_dnc(list).await.expect("a list"), number(PEOPLE - 1));
    store.add_dnc(vec![(list, store.hasher().key(&last), last)]).await.expect("on the list");
    store.stop_all(says(2), now).await.expect("stopped");
}

/// An element: its name and its attributes.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// All elements of a page, which must be a page without errors.
fn elements(path: &str, text: &str) -> Vec<Element> {
    let page = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(text);
    let errors = page.errors.borrow();
    assert!(errors.is_empty(), "{path}: {errors:?}: {text}");
    let mut found = Vec::new();
    collect(&page.document, &mut found);
    found
}

fn collect(node: &Handle, found: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes =
            attrs.borrow().iter().map(|attr| (attr.name.local.to_string(), attr.value.to_string())).collect();
        found.push(Element { name: name.local.to_string(), attributes });
    }
    for child in node.children.borrow().iter() {
        collect(child, found);
    }
}

on_both_databases! {
    async fn nothing_is_inline_and_nothing_of_a_file_becomes_markup(database) {
        let store = &database.store;
        set(store).await;
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Admin).await).await;
        for path in PAGES {
            let reply = get(&web, path, &cookie).await;
            assert!(reply.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
            let (text, mut ids) = (reply.text(), BTreeSet::new());
            let found = elements(path, &text);
            for element in &found {
                let forbidden = ["style", "img", "iframe", "object", "embed", "base", "link"];
                let is_own = element.name == "link" && element.attribute("href").is_some_and(|href| href.starts_with("/assets/"));
                assert!(is_own || !forbidden.contains(&element.name.as_str()), "{path} has <{}>", element.name);
                if element.name == "script" {
                    assert!(element.attribute("src").is_some_and(|src| src.starts_with("/assets/")), "{path}: a script of its own");
                }
                for (name, value) in &element.attributes {
                    let is_code = name == "style" || name.starts_with("on") || name.starts_with("hx-on") || value.starts_with("js:");
                    assert!(!is_code && !value.starts_with("javascript:"), "{path}: {name}={value}");
                }
                if let Some(id) = element.attribute("id") {
                    assert!(ids.insert(id.to_owned()), "{path}: two elements are #{id}");
                }
            }
            for once in ["main", "h1", "title"] {
                let of = found.iter().filter(|element| element.name == once).count();
                assert_eq!(of, 1, "{path}: {of} of <{once}>: {text}");
            }
        }
        let seen = get(&web, "/contacts/1", &cookie).await.text();
        assert!(seen.contains("script&#62;alert(2)"), "it is shown as it stands in the file: {seen}");
    }
}

#[tokio::test]
async fn the_first_page_is_light() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    set(&database.store).await;
    let web = Web::begin(&database.store, Config::default()).await;
    let cookie = log_in(&web, &web.token(Scope::Admin).await).await;
    let text = get(&web, "/", &cookie).await.text();
    let mut bytes = text.len();
    for element in elements("/", &text) {
        let address = element.attribute("src").or_else(|| element.attribute("href").filter(|_| element.name == "link"));
        if let Some(address) = address {
            let file = get(&web, address, "").await.expect(200);
            assert!(file.header("cache-control").contains("immutable"), "{address}");
            bytes += file.body.len();
        }
    }
    assert!(bytes < 100_000, "{bytes} bytes until it is painted");
}

on_both_databases! {
    async fn a_viewer_sees_no_number_anywhere(database) {
        let store = &database.store;
        set(store).await;
        let web = Web::begin(store, Config::default()).await;
        let viewer = log_in(&web, &web.token(Scope::Viewer).await).await;
        let operator = log_in(&web, &web.token(Scope::Operator).await).await;
        let digits: Vec<String> = (0..PEOPLE).map(|n| number(n).e164().trim_start_matches("+91").to_owned()).collect();
        let mut pages_with_numbers = 0;
        for path in PAGES {
            let (masked, whole) = (get(&web, path, &viewer).await.text(), get(&web, path, &operator).await.text());
            for number in &digits {
                assert!(!masked.contains(number.as_str()), "{path} shows {number}: {masked}");
            }
            pages_with_numbers += usize::from(digits.iter().any(|number| whole.contains(number.as_str())));
        }
        assert!(pages_with_numbers > 15, "only {pages_with_numbers} pages have numbers at all");
    }
}

on_both_databases! {
    async fn every_form_asks_for_a_role_and_for_a_login(database) {
        let store = &database.store;
        set(store).await;
        let web = Web::begin(store, Config::default()).await;
        let viewer = log_in(&web, &web.token(Scope::Viewer).await).await;
        let operator = log_in(&web, &web.token(Scope::Operator).await).await;
        let before = store.event_horizon().await.expect("events").1;
        let mut forms = BTreeSet::new();
        for path in PAGES {
            for element in elements(path, &get(&web, path, &operator).await.text()) {
                let action = if element.attribute("method") == Some("post") { "action" } else { "formaction" };
                forms.extend(element.attribute(action).map(str::to_owned));
            }
        }
        forms.remove("/logout");
        assert!(forms.len() >= 12, "{forms:?}");
        for action in &forms {
            let body = "name=spring&file=x&revision=1&phones=%2B919820012345&contact=1&as=placed".to_owned();
            let refused = post(&web, action, &viewer, body.clone()).await;
            assert_eq!(refused.status, 403, "a viewer posted {action}: {}", refused.text());
            let refused = post(&web, action, "", body).await;
            assert_eq!(refused.status, 401, "nobody posted {action}: {}", refused.text());
        }
        assert_eq!(store.event_horizon().await.expect("events").1, before, "something happened");
    }
}
