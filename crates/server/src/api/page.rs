//! The API for people: one page made from its document, without anything from elsewhere.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::Server;
use crate::problem::{Problem, ProblemKind};

/// Nothing but the page's own style is loaded, and nobody may put it into a frame.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    version: &'static str,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

struct Group {
    name: String,
    operations: Vec<Operation>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    scope: String,
    parameters: Vec<Parameter>,
    body: Vec<String>,
    answers: Vec<(String, String, String)>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    says: String,
}

struct Schema {
    name: String,
    says: String,
    fields: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct ProblemsPage {
    kinds: Vec<(&'static str, u16, &'static str, &'static str)>,
}

/// The document, OpenAPI 3.1.
pub(crate) async fn document(State(server): State<Server>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], server.document.bytes.clone()).into_response()
}

/// The page.
pub(crate) async fn page(State(server): State<Server>) -> Response {
    shown(&ApiPage::of(&server.document.value))
}

/// What each kind of problem means.
pub(crate) async fn problems() -> Response {
    let kinds = ProblemKind::ALL.iter();
    let kinds = kinds.map(|kind| (kind.slug(), kind.status().as_u16(), kind.title(), kind.meaning().trim())).collect();
    shown(&ProblemsPage { kinds })
}

/// The style of both.
pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/page.css")).into_response()
}

fn shown(page: &impl Template) -> Response {
    let Ok(text) = page.render() else {
        return Problem::new(ProblemKind::Internal, "the page cannot be shown").into_response();
    };
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

impl ApiPage {
    fn of(document: &Value) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten().filter(|(_, value)| value.is_object()) {
                let name = text(&operation["tags"][0]);
                let own = Operation::of(path, method, operation);
                match groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => group.operations.push(own),
                    None => groups.push(Group { name, operations: vec![own] }),
                }
            }
        }
        let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
        let schemas = schemas.map(|(name, schema)| Schema::of(name, schema)).collect();
        Self { version: env!("CARGO_PKG_VERSION"), groups, schemas }
    }
}

impl Operation {
    fn of(path: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| Parameter {
            name: text(&parameter["name"]),
            place: text(&parameter["in"]),
            required: parameter["required"] == true,
            says: text(&parameter["description"]),
        });
        let content = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let answers = operation["responses"].as_object().into_iter().flatten();
        let answers = answers.filter(|(status, _)| status.starts_with('2')).map(|(status, answer)| {
            let content = answer["content"].as_object().into_iter().flatten().map(|(_, form)| kind(&form["schema"]));
            (status.clone(), text(&answer["description"]), content.collect::<Vec<_>>().join(", "))
        });
        let description = text(&operation["description"]);
        let needs = description.rfind("Needs a token").unwrap_or(description.len());
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            description: description[..needs].trim().to_owned(),
            scope: text(&operation["security"][0]["token"][0]),
            parameters: parameters.collect(),
            body: content.map(|(form, body)| format!("{form}: {}", kind(&body["schema"]))).collect(),
            answers: answers.collect(),
        }
    }
}

impl Schema {
    fn of(name: &str, schema: &Value) -> Self {
        let parts = schema["allOf"].as_array().into_iter().flatten().chain(std::iter::once(schema));
        let fields = parts.flat_map(|part| part["properties"].as_object().into_iter().flatten());
        let fields = fields.map(|(name, field)| (name.clone(), kind(field), text(&field["description"])));
        Self { name: name.to_owned(), says: text(&schema["description"]), fields: fields.collect() }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What a value is, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(text).collect::<Vec<_>>().join(" | ");
    }
    for either in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[either].as_array() {
            let parts = parts.iter().map(kind).filter(|part| part != "null");
            return parts.collect::<Vec<_>>().join(" | ");
        }
    }
    let base = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).filter(|kind| kind != "null").collect::<Vec<_>>().join(" | "),
        one => text(one),
    };
    match base.as_str() {
        "array" => format!("list of {}", kind(&schema["items"])),
        "string" if schema["format"].is_string() => text(&schema["format"]),
        "" => "any".to_owned(),
        _ => base,
    }
}
