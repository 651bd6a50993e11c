//! The outputs that an agent must have collected in a call for a rule to apply:
//! `when = { opted_out = "yes" }`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::heard::{self, Heard, plain, texts};

/// Names of outputs, each with the values of which it must have one. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub BTreeMap<String, Vec<String>>);

/// Whether somebody asked for no more calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptOut {
    /// They did.
    Wanted,
    /// They did not: the value is another known one, no, or empty.
    NotWanted,
    /// It cannot be told; a person must look.
    Unclear {
        /// The name of the output.
        output: String,
        /// Its value.
        value: String,
    },
}

impl Condition {
    /// Tells whether the outputs of a call fulfil it. Values are compared without regard to case,
    /// punctuation and surrounding spaces; `yes`, `Y`, `true`, `1` and `Yes, please` are one, and
    /// so are `no`, `N`, `false` and `0`; of a list one element is enough. Names of outputs are
    /// compared without regard to case and to signs between words.
    pub fn holds(&self, outputs: &BTreeMap<String, Value>) -> bool {
        let holds = |(name, wanted): (&String, &Vec<String>)| {
            let values = output(outputs, name).map(texts).unwrap_or_default();
            values.iter().any(|value| wanted.iter().any(|wanted| is_same(wanted, value)))
        };
        !self.0.is_empty() && self.0.iter().all(holds)
    }

    /// Tells whether it asks for the output of this name.
    pub fn reads(&self, name: &str) -> bool {
        self.0.keys().any(|own| is_same_name(own, name))
    }

    /// Reads the outputs by the condition of an opt-out. Beside the values that it names, words
    /// that ask for no more calls always count. A value that is none of these, and neither a no nor
    /// empty, is unclear.
    pub fn opt_out(&self, outputs: &BTreeMap<String, Value>) -> OptOut {
        let mut unclear = None;
        for (name, wanted) in &self.0 {
            match of_output(name, wanted, output(outputs, name)) {
                OptOut::Wanted => {}
                OptOut::NotWanted => return OptOut::NotWanted,
                found @ OptOut::Unclear { .. } => unclear = unclear.or(Some(found)),
            }
        }
        if self.0.is_empty() { OptOut::NotWanted } else { unclear.unwrap_or(OptOut::Wanted) }
    }
}

fn of_output(name: &str, wanted: &[String], value: Option<&Value>) -> OptOut {
    let values = value.map(texts).unwrap_or_default();
    let says =
        |value: &String| wanted.iter().any(|wanted| is_same(wanted, value)) || heard::classify(value) == Heard::Stop;
    if values.iter().any(says) {
        return OptOut::Wanted;
    }
    let asks = |heard: Heard| wanted.iter().any(|wanted| heard::classify(wanted) == heard);
    let yes_or_no = asks(Heard::Yes) || asks(Heard::No);
    let clear = |value: &String| match heard::classify(value) {
        Heard::Nothing | Heard::No | Heard::Yes => true,
        Heard::Stop => false,
        // Of several known values, `interested` is clear beside `do_not_call`, unless it speaks of
        // calls itself.
        Heard::Other => !yes_or_no && !speaks_of_calls(value),
    };
    match values.into_iter().find(|value| !clear(value)) {
        Some(value) => OptOut::Unclear { output: name.to_owned(), value },
        None => OptOut::NotWanted,
    }
}

/// Tells whether a value has words, beside others, that may ask for no more calls: "stop calling
/// on weekends".
fn speaks_of_calls(value: &str) -> bool {
    let words = plain(value);
    ["stop", "not call", "dont call", "unsubscribe", "remove", "opt out", "dnc"].iter().any(|part| words.contains(part))
}

/// Returns the output of this name, else one whose name differs from it by case and signs only.
pub fn output<'o>(outputs: &'o BTreeMap<String, Value>, name: &str) -> Option<&'o Value> {
    let alike = || outputs.iter().find(|(other, _)| is_same_name(other, name)).map(|(_, value)| value);
    outputs.get(name).or_else(alike)
}

fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| plain(name).replace(' ', "");
    letters(one) == letters(other)
}

fn is_same(wanted: &str, value: &str) -> bool {
    let (one, other) = (heard::classify(wanted), heard::classify(value));
    plain(wanted) == plain(value) && !plain(wanted).is_empty()
        || wanted.trim() == value.trim()
        || (one == other && matches!(one, Heard::Yes | Heard::No | Heard::Stop))
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, wanted)) in self.0.iter().enumerate() {
            let and = if place > 0 { " and " } else { "" };
            write!(f, "{and}{name} = {}", wanted.join(" or "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn when(name: &str, wanted: &[&str]) -> Condition {
        Condition([(name.to_owned(), wanted.iter().map(|value| (*value).to_owned()).collect())].into())
    }

    fn outputs(name: &str, value: Value) -> BTreeMap<String, Value> {
        [(name.to_owned(), value)].into()
    }

    #[test]
    fn agents_answer_in_several_ways() {
        let condition = when("opted_out", &["yes"]);
        let holds = |value: Value| condition.holds(&outputs("opted_out", value));
        for value in [
            json!("yes"),
            json!(" Yes "),
            json!(true),
            json!(1),
            json!("Y"),
            json!("Yes, please"),
            json!(["yes"]),
            json!("[\"yes\"]"),
            json!("\"yes\""),
        ] {
            assert!(holds(value.clone()), "{value}");
        }
        for value in
            [json!("no"), json!(false), json!(null), json!("yes, but"), json!([]), json!({}), json!(0), json!("stop")]
        {
            assert!(!holds(value.clone()), "{value}");
        }
        assert!(
            condition.holds(&outputs("Opted Out", json!("yes"))) && condition.holds(&outputs("optedOut", json!(true)))
        );
        assert!(!condition.holds(&BTreeMap::new()));
        assert!(!Condition(BTreeMap::new()).holds(&BTreeMap::new()), "nothing that is asked holds for nobody");
        assert!(when("wanted", &["none"]).holds(&outputs("wanted", json!("None"))), "what is named itself counts");
        assert!(!when("may_call", &["no"]).holds(&outputs("may_call", json!("yes"))));
    }

    #[test]
    fn an_opt_out_is_understood_or_unclear_and_never_lost() {
        let said = |wanted: &[&str], value: Value| when("opted_out", wanted).opt_out(&outputs("opted_out", value));
        for value in [
            json!("yes"),
            json!("Y"),
            json!("1"),
            json!(1),
            json!(true),
            json!("Yes, please"),
            json!(["yes"]),
            json!("[\"Yes\"]"),
            json!("Stop"),
            json!("do not call"),
            json!("DO NOT CALL!"),
            json!("don't call me again"),
            json!("Unsubscribe"),
            json!(["no", "stop"]),
        ] {
            assert_eq!(said(&["yes"], value.clone()), OptOut::Wanted, "{value}");
        }
        for value in [
            json!("no"),
            json!("N"),
            json!(0),
            json!(false),
            json!(null),
            json!(""),
            json!([]),
            json!({}),
            json!("n/a"),
            json!("No, thanks"),
        ] {
            assert_eq!(said(&["yes"], value.clone()), OptOut::NotWanted, "{value}");
        }
        for value in [
            json!("maybe"),
            json!("yes, but only on weekends"),
            json!("do not call today"),
            json!({"answer": "yes"}),
            json!(["perhaps"]),
            json!(7),
        ] {
            assert!(matches!(said(&["yes"], value.clone()), OptOut::Unclear { .. }), "{value}");
        }
        assert_eq!(when("opted_out", &["yes"]).opt_out(&BTreeMap::new()), OptOut::NotWanted);

        let dispositions = |value: &str| said(&["do_not_call"], json!(value));
        assert_eq!((dispositions("Do not call"), dispositions("interested")), (OptOut::Wanted, OptOut::NotWanted));
        assert!(matches!(dispositions("asked to stop calling on weekends"), OptOut::Unclear { .. }));
        assert_eq!((said(&["no"], json!("N")), said(&["no"], json!("yes"))), (OptOut::Wanted, OptOut::NotWanted));
        assert_eq!(said(&["no"], json!("")), OptOut::NotWanted);
    }
}
