//! What a viewer sees: everything, with phone numbers down to their last digits.

use ringfence_domain::Moment;
use ringfence_domain::phone::mask_numbers;
use serde_json::Value;

/// Keys whose values come from contact files and callees: a number may stand there in any form.
const OF_PEOPLE: [&str; 11] =
    ["fields", "in", "out", "outputs", "record", "body", "headers", "url", "callback", "metadata", "external_id"];
/// Keys whose digits are no phone number.
const OF_MACHINES: [&str; 6] = ["call_id", "reference", "next_cursor", "digest", "recording_url", "transcript_url"];

/// Masks every number in a document.
pub(crate) fn mask(value: &mut Value) {
    walk(value, false);
}

fn walk(value: &mut Value, of_people: bool) {
    match value {
        Value::String(text) => {
            if of_people {
                *text = mask_any_form(text);
            } else if text.parse::<Moment>().is_err() {
                *text = mask_numbers(text);
            }
        }
        Value::Number(number) if of_people && number.to_string().len() >= SHORTEST => {
            *value = Value::String(mask_any_form(&number.to_string()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, of_people)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if !OF_MACHINES.contains(&key.as_str()) || of_people {
                    walk(value, of_people || OF_PEOPLE.contains(&key.as_str()));
                }
            }
        }
        _ => {}
    }
}

/// Digits of the shortest number that is masked.
const SHORTEST: usize = 7;
/// Digits that stay.
const SHOWN: usize = 4;

/// A text of people with every number in it masked, but for moments.
pub(crate) fn text(text: &str) -> String {
    if text.parse::<Moment>().is_ok() { text.to_owned() } else { mask_any_form(text) }
}

/// Masks numbers that are written with spaces, dots, dashes or brackets between their digits.
fn mask_any_form(text: &str) -> String {
    let is_part = |c: char| c.is_numeric() || " +-./()\u{a0}\u{2011}\u{2013}".contains(c);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |end| start + end);
        masked.push_str(&rest[..start]);
        masked.push_str(&mask_run(&rest[start..end]));
        rest = &rest[end..];
    }
    masked + rest
}

fn mask_run(run: &str) -> String {
    let digits = run.chars().filter(|c| c.is_numeric()).count();
    if digits < SHORTEST {
        return run.to_owned();
    }
    let mut left = digits - SHOWN;
    let hide = |c: char| {
        if c.is_numeric() && left > 0 {
            left -= 1;
            '*'
        } else {
            c
        }
    };
    run.chars().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_masked_in_every_form_and_the_rest_stays() {
        let mut shown = json!({
            "phone": "+919876543210", "id": 1_234_567_890, "at": "2026-11-26T03:30:00Z", "call_id": "6912345678901",
            "cause": "the vendor says 919876543210 is busy",
            "fields": { "mobile": "98765 43210", "other": "(0)98765-43210", "numeric": 9_876_543_210_i64, "due": "5000", "name": "Asha" },
        });
        mask(&mut shown);
        assert_eq!(
            shown,
            json!({
                "phone": "+********3210", "id": 1_234_567_890, "at": "2026-11-26T03:30:00Z", "call_id": "6912345678901",
                "cause": "the vendor says ********3210 is busy",
                "fields": { "mobile": "***** *3210", "other": "(*)*****-*3210", "numeric": "******3210", "due": "5000", "name": "Asha" },
            })
        );
    }
}
