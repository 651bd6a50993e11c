//! What a button of the dashboard does, and what it leaves alone.

use ringfence_domain::{ImportId, ImportState, PausedBy, Scope};
use ringfence_intake::Config;
use ringfence_store::{Database, ImportCounts};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, begin_import, chunk, noon, number, row};
use ringfence_tests::web::Web;

use super::pages::{get, log_in, post};

/// An import of two people that a safety rail holds.
async fn held(store: &Database, stage: &Stage, name: &str, from: usize) -> ImportId {
    let import = begin_import(store, stage.run(), name, noon()).await;
    let rows = (from..from + 2).map(|n| row(store, n as i64, n)).collect();
    store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
    let counts = ImportCounts { rows: 2, accepted: 2, ..ImportCounts::default() };
    store.hold_import(import, counts, "too many".into(), noon()).await.expect("held");
    import
}

async fn state(store: &Database, import: ImportId) -> ImportState {
    store.import(import).await.expect("an answer").expect("an import").state
}

on_both_databases! {
    async fn an_import_is_accepted_alone_and_only_while_it_is_the_newest(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        let older = held(store, &stage, "older", 10).await;
        let newer = held(store, &stage, "newer", 20).await;
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "a drill".into(), noon()).await.expect("paused");
        let _ = post(&web, &format!("/imports/{older}/accept"), &cookie, String::new()).await.expect(409);
        assert_eq!((state(store, older).await, state(store, newer).await), (ImportState::Held, ImportState::Held));
        let _ = post(&web, &format!("/imports/{newer}/accept"), &cookie, String::new()).await.expect(303);
        assert_eq!((state(store, older).await, state(store, newer).await), (ImportState::Held, ImportState::Complete));
        let campaign = store.campaign("spring".into()).await.expect("asked").expect("there");
        assert_eq!(campaign.paused_by, Some(PausedBy::Person), "whoever paused it lets it go on");
    }
}

on_both_databases! {
    async fn a_draft_is_started_by_no_other_button_and_not_while_its_list_is_held(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        store.pause_campaign(stage.campaign.id, PausedBy::Draft, "a draft".into(), noon()).await.expect("a draft");
        // A stop makes everything look held.
        store.stop_all("a drill".into(), noon()).await.expect("stopped");
        let page = get(&web, "/campaigns/spring", &cookie).await.expect(200).text();
        assert!(page.contains("Start…") && !page.contains("/campaigns/spring/resume"), "{page}");
        let _ = post(&web, "/campaigns/spring/resume", &cookie, "accept=yes".to_owned()).await.expect(409);
        held(store, &stage, "list", 10).await;
        let page = get(&web, "/campaigns/spring/start", &cookie).await.expect(200).text();
        assert!(page.contains("its list is held: too many") && !page.contains("name=\"people\""), "{page}");
        let _ = post(&web, "/campaigns/spring/start", &cookie, "people=5".to_owned()).await.expect(409);
        let campaign = store.campaign("spring".into()).await.expect("asked").expect("there");
        assert_eq!(campaign.paused_by, Some(PausedBy::Draft));
    }
}

on_both_databases! {
    async fn whoever_is_never_called_is_called_on_none_of_their_numbers(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let import = begin_import(store, stage.run(), "list", noon()).await;
        let mut person = row(store, 1, 1);
        person.numbers.push((number(2), store.hasher().key(&number(2))));
        store.import_chunk(chunk(import, stage.run(), vec![person], noon())).await.expect("a chunk");
        store.complete_import(ringfence_tests::sample::complete(import, 1, noon())).await.expect("complete");
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        let _ = post(&web, "/contacts/1/dnc", &cookie, "reason=asked".to_owned()).await.expect(303);
        let listed = store.dnc_page(None, i64::MIN, 10).await.expect("asked");
        assert_eq!(listed.len(), 2, "{listed:?}");
    }
}

on_both_databases! {
    async fn a_viewer_does_not_find_by_what_is_hidden(database) {
        let store = &database.store;
        Stage::set(store, 3).await;
        let web = Web::begin(store, Config::default()).await;
        let find = async |scope: Scope, text: &str| {
            let cookie = log_in(&web, &web.token(scope).await).await;
            let page = get(&web, &format!("/campaigns/spring/contacts?text={text}"), &cookie).await.expect(200).text();
            page.matches("href=\"/contacts/").count()
        };
        let (whole, last) = (number(1).e164().to_owned(), number(1).e164()[9..].to_owned());
        let middle = &whole[5..10];
        assert_eq!(find(Scope::Operator, middle).await, 3, "all begin alike");
        assert_eq!(find(Scope::Viewer, middle).await, 0);
        assert_eq!(find(Scope::Operator, "phone").await, 0, "the name of a column is no text of a row");
        assert_eq!((find(Scope::Operator, &last).await, find(Scope::Viewer, &last).await), (1, 1), "what is shown is found");
    }
}

on_both_databases! {
    async fn a_state_and_an_outcome_are_asked_for_at_once(database) {
        let store = &database.store;
        let stage = Stage::set(store, 4).await;
        for id in stage.place(store, 2, noon()).await {
            let busy = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Busy, Box::default());
            store.settle(vec![(id, busy)], noon()).await.expect("settled");
        }
        store.stop_by_hand(vec![ringfence_domain::ContactId(1)], "a drill".into(), noon()).await.expect("stopped");
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Viewer).await).await;
        let count = async |query: &str| {
            let page = get(&web, &format!("/campaigns/spring/contacts?{query}"), &cookie).await.expect(200).text();
            page.matches("href=\"/contacts/").count()
        };
        assert_eq!(count("outcome=busy").await, 2);
        assert_eq!(count("state=stopped&outcome=busy").await, 1);
        assert_eq!(count("state=done&outcome=busy").await, 0);
    }
}
