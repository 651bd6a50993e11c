//! The document of the API says what the API does.

use std::collections::BTreeSet;

use ringfence_domain::Scope;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::Stage;
use ringfence_tests::web::{Sent, Web, config};
use serde_json::Value;

fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(target)) => drop(found.insert(target)),
            _ => references(value, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

async fn web() -> (TestDatabase, Web) {
    let database = TestDatabase::sqlite().await;
    Stage::set(&database.store, 3).await;
    let web = Web::begin(&database.store, config(database.folder())).await;
    (database, web)
}

#[tokio::test]
async fn every_reference_resolves_and_every_operation_is_whole() {
    let (_database, web) = web().await;
    let sent = web.send("GET", "/api/openapi.json", None, Sent::default()).await.expect(200).json();
    assert_eq!(&sent, web.server.openapi());
    assert_eq!(sent["openapi"], "3.1.0");
    let mut found = BTreeSet::new();
    references(&sent, &mut found);
    assert!(found.len() > 30, "{found:?}");
    for target in &found {
        let pointer = target.strip_prefix('#').expect("it is in the document");
        assert!(sent.pointer(pointer).is_some(), "{target} leads nowhere");
    }
    let mut names = BTreeSet::new();
    for (path, item) in sent["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
            assert!(names.insert(name), "{name} stands twice");
            assert!(
                operation["summary"].as_str().is_some_and(|text| text.ends_with('.')),
                "{method} {path} says nothing"
            );
            let scope = operation["security"][0]["token"][0].as_str();
            assert!(scope.is_some_and(|scope| scope.parse::<Scope>().is_ok()), "{method} {path} needs no scope");
            assert_eq!(operation["responses"]["default"]["$ref"], "#/components/responses/Problem", "{method} {path}");
        }
    }
}

/// A schema of the document, with everything that it refers to.
fn schema(document: &Value, of: &Value) -> jsonschema::Validator {
    let mut whole = of.clone();
    whole["components"] = document["components"].clone();
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&whole).expect("a schema")
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let (_database, web) = web().await;
    let admin = web.token(Scope::Admin).await;
    let document = web.server.openapi().clone();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(operation) = item.get("get") else { continue };
        let described = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if described.is_null() {
            continue;
        }
        let filled = path.replace("{name}", "spring").replace("{lane}", "main").replace("{id}", "1");
        let reply = web.get(&filled, &admin).await;
        if reply.status == 404 {
            let problem = schema(&document, &document["components"]["schemas"]["Problem"]);
            assert!(problem.is_valid(&reply.json()), "{path}");
            continue;
        }
        let reply = reply.expect(200).json();
        let validator = schema(&document, described);
        let errors: Vec<String> =
            validator.iter_errors(&reply).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{path}: {errors:#?}\n{reply:#}");
        asked += 1;
    }
    assert!(asked >= 15, "only {asked} answers were looked at");
}

#[tokio::test]
async fn people_read_it_on_pages_without_anything_from_elsewhere() {
    let (_database, web) = web().await;
    for path in ["/api", "/api/problems"] {
        let page = web.send("GET", path, None, Sent::default()).await.expect(200);
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        let text = page.text();
        for foreign in ["<script", "style=", "http://", "https://", "onclick"] {
            assert!(!text.contains(foreign), "{path} has {foreign}");
        }
    }
    let page = web.send("GET", "/api", None, Sent::default()).await.text();
    for (path, _, _) in web.server.operations() {
        assert!(page.contains(path), "{path} is not on the page");
    }
}
