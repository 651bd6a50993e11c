//! The reports that vendors send by themselves; hardly any vendor documents their shape.

use std::collections::BTreeSet;

use serde_json::Value;

/// Returns the value of these names, wherever it stands in a report: JSON, a form, or a query.
/// Letters may be written either way, `UniqueId` as `unique_id`. None when there are several
/// values: a report of many calls is not about one.
pub fn named(report: &[u8], names: &[&str]) -> Option<String> {
    let mut found = BTreeSet::new();
    if let Some(body) = crate::lenient::parse(report) {
        collect(&body, names, 0, &mut found);
    } else {
        let text = std::str::from_utf8(report).ok()?.trim();
        let pairs = form_urlencoded::parse(text.as_bytes());
        found.extend(pairs.filter(|(key, _)| is_one(key, names)).map(|(_, value)| value.into_owned()));
    }
    found.retain(|id| !id.is_empty() && id.len() <= LONGEST);
    found.pop_first().filter(|_| found.is_empty())
}

/// The longest call id. In bytes.
const LONGEST: usize = 200;
/// The deepest level of a report that is read.
const DEEPEST: usize = 16;

fn collect(body: &Value, names: &[&str], depth: usize, found: &mut BTreeSet<String>) {
    if depth > DEEPEST {
        return;
    }
    match body {
        Value::Object(map) => {
            for (key, value) in map {
                if is_one(key, names) {
                    found.extend(crate::answer::word(value));
                }
                collect(value, names, depth + 1, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, names, depth + 1, found)),
        _ => {}
    }
}

fn is_one(key: &str, names: &[&str]) -> bool {
    names.iter().any(|name| crate::status_word::bare(key) == crate::status_word::bare(name))
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
        assert_eq!(
            find("{\"UniqueId\":\"a-1\",\"Note\":\"\\ud800\"}").as_deref(),
            Some("a-1"),
            "half a letter beside it"
        );
        for report in [
            "",
            "{\"UniqueId\":\"a\\ud800\"}",
            "{}",
            "null",
            r#"{"UniqueId":""}"#,
            r#"{"UniqueId":null}"#,
            "a-1",
            "UniqueId",
            "\u{0}",
        ] {
            assert_eq!(find(report), None, "{report}");
        }
        let several = r#"{"CallResults":[{"UniqueId":"a"},{"UniqueId":"b"}]}"#;
        assert_eq!(find(several), None, "nobody knows which is meant");
        assert_eq!(find(r#"[{"UniqueId":"a"},{"UniqueId":"a"}]"#).as_deref(), Some("a"));
        assert_eq!(find(&format!("{{\"UniqueId\":\"{}\"}}", "x".repeat(300))), None);
        assert_eq!(find(&format!("{}{}", "[".repeat(100), "]".repeat(100))), None);
    }
}
