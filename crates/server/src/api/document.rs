//! The document of the API, OpenAPI 3.1, made from the routes themselves, and what is read from it:
//! which scope each operation needs.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::http::Method;
use bytes::Bytes;
use ringfence_domain::Scope;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::problem::{Fields, PROBLEM_JSON};

/// Where the API stands.
pub(crate) const BASE: &str = "/api/v1";

/// The document, and who may do what.
#[derive(Debug)]
pub(crate) struct Document {
    /// The document as it is sent.
    pub(crate) bytes: Bytes,
    /// The same, to be read.
    pub(crate) value: Value,
    scopes: BTreeMap<(String, String), Scope>,
}

impl Document {
    /// Completes what the routes say: the answers that all of them have, and the security scheme.
    pub(crate) fn of(api: &OpenApi) -> Self {
        let mut value = serde_json::to_value(api).unwrap_or_default();
        value["openapi"] = json!("3.1.0");
        value["info"] = json!({
            "title": "Ringfence",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything that the command line does, over HTTP. Send `Authorization: Bearer rf_…`. \
                Errors are problems, RFC 9457. A change may carry an `Idempotency-Key`: the same key does the work once.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        });
        value["servers"] = json!([{ "url": "/" }]);
        let schemas = &mut value["components"]["schemas"];
        schemas["Problem"] = schema::<Fields>();
        schemas["WrongPlace"] = schema::<crate::problem::WrongPlace>();
        value["components"]["securitySchemes"] = json!({
            "token": { "type": "http", "scheme": "bearer", "description": "`ringfence token create` makes one." }
        });
        value["components"]["responses"] = json!({
            "Problem": { "description": "A problem.", "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } } }
        });
        let mut scopes = BTreeMap::new();
        for (path, method, operation) in operations(&mut value) {
            if let Some(scope) = scope_of(operation) {
                scopes.insert((method.to_ascii_uppercase(), path.clone()), scope);
                operation["description"] = json!(with_scope(operation, scope));
            }
            let problem = json!({ "$ref": "#/components/responses/Problem" });
            for status in ["401", "403", "429", "default"] {
                operation["responses"][status] = problem.clone();
            }
            if method != "get" {
                add_key(operation);
            }
        }
        let bytes = Bytes::from(value.to_string());
        Self { bytes, value, scopes }
    }

    /// The scope that an operation needs; none when there is no such operation.
    pub(crate) fn scope(&self, method: &Method, path: &str) -> Option<Scope> {
        self.scopes.get(&(method.as_str().to_owned(), path.to_owned())).copied()
    }

    /// Every operation: its path, its method, its scope.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &str, Scope)> {
        self.scopes.iter().map(|((method, path), scope)| (path.as_str(), method.as_str(), *scope))
    }
}

fn schema<T: utoipa::PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

fn operations(document: &mut Value) -> Vec<(String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object_mut().into_iter().flatten();
            operations
                .filter(|(method, _)| Method::from_str(&method.to_ascii_uppercase()).is_ok() && *method != "parameters")
                .map(|(method, operation)| (path.clone(), method.clone(), operation))
        })
        .collect()
}

fn scope_of(operation: &Value) -> Option<Scope> {
    let scope = operation["security"][0]["token"][0].as_str()?;
    scope.parse().ok()
}

fn with_scope(operation: &Value, scope: Scope) -> String {
    let said = operation["description"].as_str().unwrap_or_default().trim();
    let needs = format!("Needs a token of scope `{scope}`.");
    if said.is_empty() { needs } else { format!("{said}\n\n{needs}") }
}

fn add_key(operation: &mut Value) {
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The same key does the work once within 24 hours, and gets the same answer.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$" },
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(key),
        None => operation["parameters"] = json!([key]),
    }
}
