//! The meaning of an output's value: yes, no, no more calls, nothing, or something that cannot be
//! told.
//!
//! Agents fill one output with `yes`, `Y`, `true`, `1`, `Yes, please` or `["yes"]`, by their
//! prompt and their language.

use serde_json::Value;

/// The meaning of a value by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Yes,
    No,
    /// Stop, do not call, unsubscribe.
    Stop,
    /// Nobody said anything: empty, null, `N/A`.
    Nothing,
    /// Anything else.
    Other,
}

/// Reads the meaning of one text.
pub(crate) fn classify(text: &str) -> Heard {
    let words = plain(text);
    let words = words.as_str();
    if matches!(words, "" | "na" | "n a" | "none" | "null" | "nil" | "not applicable" | "undefined" | "empty" | "nan") {
        return Heard::Nothing;
    }
    if is_stop(words) {
        return Heard::Stop;
    }
    let first = words.split(' ').next().unwrap_or_default();
    let polite = words.split(' ').skip(1).all(is_polite);
    match first {
        "yes" | "y" | "true" | "t" | "1" | "yeah" | "yep" | "yup" | "ya" | "ok" | "okay" | "sure" | "correct"
        | "haan" | "han" | "ji" | "si" | "sí" | "oui" | "ja" | "sim" | "evet"
            if polite =>
        {
            Heard::Yes
        }
        "no" | "n" | "false" | "f" | "0" | "nope" | "nah" | "never" | "nahi" | "nahin" | "non" | "nein" | "nao"
        | "não" | "hayir" | "hayır"
            if polite =>
        {
            Heard::No
        }
        _ => Heard::Other,
    }
}

/// Returns a text in lower case, with one space for everything between words: `Do-not_call!` is
/// `do not call`.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // An apostrophe stands within a word.
    for c in text.chars().filter(|c| !matches!(c, '\'' | '\u{2019}')).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            plain.push(c);
        } else if !plain.ends_with(' ') && !plain.is_empty() {
            plain.push(' ');
        }
    }
    plain.truncate(plain.trim_end().len());
    // A number as machines write it.
    plain.strip_suffix(" 0").filter(|whole| matches!(*whole, "1" | "0")).map(str::to_owned).unwrap_or(plain)
}

/// Tells whether plain words ask for no more calls, and for nothing else.
fn is_stop(words: &str) -> bool {
    let whole = [
        "stop",
        "stop it",
        "stop calling",
        "stop calling me",
        "stop calls",
        "please stop",
        "please stop calling",
        "please stop calling me",
        "unsubscribe",
        "unsubscribed",
        "remove",
        "remove me",
        "remove my number",
        "remove number",
        "removed",
        "remove from list",
        "opt out",
        "optout",
        "opted out",
        "optedout",
        "opt out requested",
        "wants to opt out",
        "dnc",
        "dnd",
        "no more calls",
        "no calls",
        "never call again",
        "never call me again",
        "take me off",
        "take me off the list",
        "take me off your list",
        "end",
        "cancel",
        "quit",
    ];
    let begins = [
        "do not call",
        "do not contact",
        "do not disturb",
        "dont call",
        "dont contact",
        "donotcall",
        "do not ever call",
    ];
    let rest = |start: &&str| {
        words.strip_prefix(*start).is_some_and(|rest| rest.split(' ').all(|word| is_polite(word) || word == "back"))
    };
    whole.contains(&words) || begins.iter().any(rest)
}

/// Tells whether a word changes nothing after a yes or a no, or after a wish to be left alone.
fn is_polite(word: &str) -> bool {
    matches!(
        word,
        "" | "please"
            | "sir"
            | "madam"
            | "mam"
            | "maam"
            | "thanks"
            | "thank"
            | "you"
            | "definitely"
            | "absolutely"
            | "surely"
            | "of"
            | "course"
            | "yes"
            | "no"
            | "ji"
            | "indeed"
            | "me"
            | "again"
            | "anymore"
            | "any"
            | "more"
            | "ever"
            | "us"
            | "this"
            | "number"
            | "immediately"
            | "now"
            | "list"
            | "requested"
    )
}

/// Returns the texts of a value: of a list each element, of a text that holds a list its elements.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::String(text) if text.trim_start().starts_with(['[', '"']) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Array(_) | Value::String(_))) => texts(&inner),
            _ => vec![text.clone()],
        },
        Value::Object(object) if object.is_empty() => Vec::new(),
        other => vec![text(other)],
    }
}

/// Returns a value that an agent collected, as text.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Tells whether an output's name speaks of no more calls: `opted_out`, `do_not_call`, `DNC`.
pub fn speaks_of_opting_out(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let parts = [
        "optout",
        "optedout",
        "optingout",
        "donotcall",
        "dontcall",
        "donotcontact",
        "dontcontact",
        "donotdisturb",
        "unsubscrib",
        "stopcall",
        "stopcontact",
        "nomorecalls",
        "nocall",
        "removeme",
        "removenumber",
        "removefromlist",
        "removalrequest",
        "blacklist",
        "blocklist",
    ];
    // "No callback" is not one of them.
    let part = |part: &&str| letters.contains(*part) && !(*part == "nocall" && letters.contains("nocallback"));
    let whole = plain(name);
    whole.split(' ').any(|word| matches!(word, "dnc" | "dnd" | "stop" | "optout")) || parts.iter().any(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_say_yes_no_stop_or_nothing_in_many_ways() {
        for (heard, values) in [
            (
                Heard::Yes,
                &[
                    "yes",
                    " YES ",
                    "Y",
                    "y.",
                    "1",
                    "1.0",
                    "true",
                    "True",
                    "Yes, please",
                    "yes!",
                    "Yeah",
                    "Yes ji",
                    "'yes'",
                ][..],
            ),
            (Heard::No, &["no", "N", "0", "0.0", "false", "No, thanks", "NO.", "nope"]),
            (
                Heard::Stop,
                &[
                    "Stop",
                    "STOP!",
                    "do not call",
                    "Do-Not-Call",
                    "do_not_call",
                    "don't call",
                    "don\u{2019}t call me again",
                    "DNC",
                    "opt-out",
                    "Opted Out",
                    "unsubscribe",
                    "Please stop calling me",
                    "do not call me back",
                    "remove me",
                ],
            ),
            (Heard::Nothing, &["", " ", "-", "N/A", "n/a", "None", "null", "nil"]),
            (
                Heard::Other,
                &[
                    "yes, but call on Monday",
                    "maybe",
                    "not now",
                    "do not call today",
                    "stop by later",
                    "2",
                    "unsure",
                    "later",
                ],
            ),
        ] {
            for value in values {
                assert_eq!(classify(value), heard, "{value}");
            }
        }
    }

    #[test]
    fn names_of_outputs_that_speak_of_opting_out() {
        for name in [
            "opted_out",
            "opt_out",
            "OptOut",
            "opt-out",
            "dnc",
            "add_to_dnc",
            "DND",
            "do_not_call",
            "Do not call",
            "unsubscribe",
            "stop_calling",
            "wants_no_more_calls",
        ] {
            assert!(speaks_of_opting_out(name), "{name}");
        }
        for name in ["callback_time", "option", "no_callback", "optional_note", "name", "stopped_at", "candncost"] {
            assert!(!speaks_of_opting_out(name), "{name}");
        }
    }
}
