//! What vendors report by themselves: bodies whose shape hardly any of them documents.

use serde_json::Value;

/// The value of the first of these names, wherever it stands in a report: JSON, a form, or a query. Letters may be written either
/// way, `UniqueId` as `unique_id`.
pub fn named(report: &[u8], names: &[&str]) -> Option<String> {
    let text = std::str::from_utf8(report).ok()?.trim();
    match serde_json::from_str::<Value>(text) {
        Ok(body) => names.iter().find_map(|name| within(&body, name, 0)),
        Err(_) => names.iter().find_map(|name| {
            let mut pairs = form_urlencoded::parse(text.as_bytes());
            pairs.find(|(key, _)| same(key, name)).map(|(_, value)| value.into_owned())
        }),
    }
    .filter(|id| !id.is_empty() && id.len() <= LONGEST)
}

/// Longer texts are no call ids. In bytes.
const LONGEST: usize = 200;
/// Deeper than this no report is looked into.
const DEEPEST: usize = 16;

fn within(body: &Value, name: &str, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    match body {
        Value::Object(map) => {
            let own = map.iter().find(|(key, _)| same(key, name)).and_then(|(_, value)| crate::answer::word(value));
            own.or_else(|| map.values().find_map(|value| within(value, name, depth + 1)))
        }
        Value::Array(list) => list.iter().find_map(|value| within(value, name, depth + 1)),
        _ => None,
    }
}

fn same(key: &str, name: &str) -> bool {
    crate::standing::bare(key) == crate::standing::bare(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_call_is_found_wherever_a_report_has_it() {
        let find = |report: &str| named(report.as_bytes(), &["UniqueId"]);
        for report in [
            r#"{"UniqueId":"a-1"}"#,
            r#"{"uniqueId":"a-1"}"#,
            r#"{"Result":{"Calls":[{"unique_id":"a-1"}]}}"#,
            r#"[{"UniqueID":"a-1"}]"#,
            "UniqueId=a-1&State=Answered",
            "state=x&unique_id=a-1",
        ] {
            assert_eq!(find(report).as_deref(), Some("a-1"), "{report}");
        }
        assert_eq!(find(r#"{"UniqueId":17}"#).as_deref(), Some("17"));
        for report in ["", "{}", "null", r#"{"UniqueId":""}"#, r#"{"UniqueId":null}"#, "a-1", "UniqueId", "\u{0}"] {
            assert_eq!(find(report), None, "{report}");
        }
        assert_eq!(find(&format!("{{\"UniqueId\":\"{}\"}}", "x".repeat(300))), None);
        assert_eq!(find(&format!("{}{}", "[".repeat(100), "]".repeat(100))), None);
    }
}
