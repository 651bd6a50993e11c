//! What an agent must have collected in a call for a rule to apply: `when = { opted_out = "yes" }`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names of outputs, and the values of which each must have one. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub BTreeMap<String, Vec<String>>);

impl Condition {
    /// Whether the outputs of a call fulfil it. Values are compared as texts, without regard to case and surrounding spaces; `true` and
    /// `yes` are one, and so are `false` and `no`.
    pub fn holds(&self, outputs: &BTreeMap<String, Value>) -> bool {
        let holds = |(name, wanted): (&String, &Vec<String>)| {
            outputs.get(name).is_some_and(|value| wanted.iter().any(|wanted| plain(wanted) == plain(&text(value))))
        };
        !self.0.is_empty() && self.0.iter().all(holds)
    }
}

/// A value that an agent collected, as text.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn plain(text: &str) -> String {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        _ => text,
    }
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

    #[test]
    fn agents_answer_in_several_ways() {
        let condition = Condition(BTreeMap::from([("opted_out".to_owned(), vec!["yes".to_owned(), "1".to_owned()])]));
        let holds = |value: Value| condition.holds(&BTreeMap::from([("opted_out".to_owned(), value)]));
        assert!(holds(json!("yes")) && holds(json!(" Yes ")) && holds(json!(true)) && holds(json!(1)));
        assert!(!holds(json!("no")) && !holds(json!(false)) && !holds(json!(null)) && !holds(json!("yes, but")));
        assert!(!condition.holds(&BTreeMap::new()));
        assert!(!Condition(BTreeMap::new()).holds(&BTreeMap::new()), "nothing that is asked holds for nobody");
    }
}
