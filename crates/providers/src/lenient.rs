//! A reader of JSON as servers send it: one broken text, number or depth must not hide all the
//! others.
//!
//! Text that no parser takes is mended where it stands. Half of a surrogate pair, bytes that are
//! no UTF-8 and unknown escapes become U+FFFD. Numbers that no computer holds, words like `NaN`,
//! and values that are nested too deep become null. A text with U+FFFD names nothing: see
//! [`crate::answer::word`].

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// The most values of one answer. Each takes up to a hundred bytes of memory.
const MOST_VALUES: usize = 1_000_000;
/// The deepest level that is read.
const DEEPEST: usize = 64;

/// Reads a body as JSON. None when even its structure is broken, or when there is too much of it.
pub(crate) fn parse(body: &[u8]) -> Option<Value> {
    let values = body.iter().filter(|byte| b",:[{".contains(byte)).count();
    if values > MOST_VALUES {
        tracing::warn!("an answer has {values} values; more than {MOST_VALUES} are not read");
        return None;
    }
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_str(&mended(body)).ok())
}

/// Mends a text: everything that stands in a parser's way is replaced.
fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    while let Some(c) = rest.next() {
        let before = out.len();
        match c {
            '"' => string(&mut rest, &mut out),
            '{' | '[' => {
                depth += 1;
                out.push(c);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                out.push(c);
            }
            c if c.is_ascii_alphanumeric() || "+-.".contains(c) => word(c, &mut rest, &mut out),
            c => out.push(c),
        }
        match c {
            // The bracket that opens too deep a value stands for all of it.
            '{' | '[' if depth == DEEPEST + 1 => out.replace_range(before.., "null"),
            '}' | ']' if depth == DEEPEST => out.truncate(before),
            _ if depth > DEEPEST => out.truncate(before),
            _ => {}
        }
    }
    out
}

/// Copies a text up to its closing quote.
fn string(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('"');
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => escape(rest, out),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Copies the escape that follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match rest.next() {
        Some('u') => {
            let unit = unit(rest);
            // The second half of a pair must follow at once.
            let mut ahead = rest.clone();
            let second =
                (ahead.next() == Some('\\') && ahead.next() == Some('u')).then(|| unit_of(&mut ahead)).flatten();
            match (unit, second) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                    out.push_str(&format!("\\u{:04x}\\u{:04x}", unit.unwrap_or_default(), second.unwrap_or_default()));
                    *rest = ahead;
                }
                (Some(0xd800..=0xdfff) | None, _) => out.push('\u{fffd}'),
                (Some(unit), _) => out.push_str(&format!("\\u{unit:04x}")),
            }
        }
        Some(c) if "\"\\/bfnrt".contains(c) => {
            out.push('\\');
            out.push(c);
        }
        _ => out.push('\u{fffd}'),
    }
}

fn unit(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut ahead = rest.clone();
    let unit = unit_of(&mut ahead)?;
    *rest = ahead;
    Some(unit)
}

/// Reads four hexadecimal digits.
fn unit_of(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + rest.next()?.to_digit(16)?))
}

/// Copies a number, or one of the words `true`, `false` and `null`; any other word becomes null.
fn word(first: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut word = String::from(first);
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)) {
        word.push(c);
    }
    let read = serde_json::from_str::<Value>(&word).is_ok();
    out.push_str(if read { &word } else { "null" });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_broken_value_hides_no_other() {
        for (body, read) in [
            (r#"["\ud800", "a"]"#, json!(["\u{fffd}", "a"])),
            (r#"["x\udc00y", 1]"#, json!(["x\u{fffd}y", 1])),
            (r#"["\ud800\u0041", 1]"#, json!(["\u{fffd}A", 1])),
            (r#"["\ud83d\ude00\ud800", 1]"#, json!(["😀\u{fffd}", 1])),
            (r#"["\uZZZZ", "\q", 1]"#, json!(["\u{fffd}ZZZZ", "\u{fffd}", 1])),
            (r"[1e400, -1e400, NaN, -Infinity, 007, 2]", json!([null, null, null, null, null, 2])),
            ("[\"a\nb\", 1]", json!(["a\nb", 1])),
            ("[\"a\tb\", NaN]", json!(["a\tb", null])),
            ("[\"a\u{1}b\", NaN]", json!(["a\u{fffd}b", null])),
            ("\u{feff}[1]", json!([1])),
            (r#"["\"\\\/\b\f\n\r\t\u00e9", NaN]"#, json!(["\"\\/\u{8}\u{c}\n\r\té", null])),
        ] {
            assert_eq!(parse(body.as_bytes()), Some(read), "{body}");
        }
        assert_eq!(parse(b"[\"\xff\xfe\", \"a\"]"), Some(json!(["\u{fffd}\u{fffd}", "a"])));
        let deep = format!("[{}1{}, {{\"a\": [1]}}]", "[\"]\",2,".repeat(300), "]".repeat(300));
        let read = parse(deep.as_bytes()).expect("the rest of it");
        assert_eq!(read[1], json!({ "a": [1] }));
    }

    #[test]
    fn a_broken_structure_is_not_guessed() {
        for body in ["", "<html></html>", "[1", "{\"a\": }", "{\"a\": \"b", "[1,]", "[1] [2]", "\u{0}"] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn more_values_than_memory_should_hold_are_not_read() {
        let many = format!("[{}1]", "1,".repeat(MOST_VALUES));
        assert_eq!(parse(many.as_bytes()), None);
        let most = format!("[{}1]", "1,".repeat(MOST_VALUES - 1));
        assert!(parse(most.as_bytes()).is_some(), "so many are");
    }
}
