//! What somebody chooses for a campaign, and the campaign file that follows from it.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::Error;

/// The choices, as forms and addresses have them: an empty text is no choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Form {
    /// The campaign's name.
    pub name: String,
    /// The lane that it dials through.
    pub lane: String,
    /// The vendor's id of the agent.
    pub agent: String,
    /// Numbers to call from, with commas between them.
    pub caller_ids: String,
    /// The column of the number.
    pub phone: String,
    /// The country of numbers without a +.
    pub country: String,
    /// The column of everyone's own zone.
    pub timezone: String,
    /// The column that recognises a person again.
    pub id: String,
    /// When people may be called.
    pub hours: String,
    /// Whose clocks the hours are read on.
    pub zone: String,
    /// Presets of laws and codes, with commas between them.
    pub rules: String,
    /// The column and the country that `rules` and `zone` were guessed for.
    pub laws_of: String,
    /// Caps on calls to a number, with commas between them.
    pub per_number: String,
    /// Calls to a person, over all outcomes.
    pub max_attempts: String,
    /// When a busy number is tried again.
    pub busy: String,
    /// When somebody who did not pick up is tried again, with commas between the delays.
    pub no_answer: String,
    /// The agent's output that says who wants no more calls.
    pub opt_out: String,
    /// How many are called before all others.
    pub canary: String,
    /// What the agent gets to know: names, and the columns that their values come from.
    #[serde(skip)]
    pub variables: Vec<(String, String)>,
}

impl Form {
    /// What most campaigns want, where nothing was chosen.
    #[must_use]
    pub fn with_usual_rules(mut self) -> Self {
        for (field, usual) in [
            (&mut self.hours, "Mo-Sa 09:00-20:00"),
            (&mut self.per_number, "3/day"),
            (&mut self.max_attempts, "3"),
            (&mut self.busy, "15m"),
            (&mut self.no_answer, "1h, 4h"),
            (&mut self.opt_out, "opted_out"),
            (&mut self.canary, "10"),
        ] {
            if field.is_empty() {
                usual.clone_into(field);
            }
        }
        self
    }

    /// What is enough to read a list by, where nothing was chosen: who speaks does not matter then.
    #[must_use]
    pub fn to_read_by(self) -> Self {
        let mut form = self.with_usual_rules();
        for (field, any) in [(&mut form.agent, "agent"), (&mut form.caller_ids, "9876500000")] {
            if field.is_empty() {
                any.clone_into(field);
            }
        }
        form
    }

    /// The campaign file. Whether it is a good one is for its reader to say.
    pub fn file(&self) -> Result<String, Error> {
        let mut file = Table::new();
        let mut put = |table: &str, key: &str, value: Option<Value>| {
            let Some(value) = value else { return };
            if table.is_empty() {
                file.insert(key.to_owned(), value);
            } else {
                let section = file.entry(table).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(section) = section {
                    section.insert(key.to_owned(), value);
                }
            }
        };
        put("", "name", text(&self.name));
        put("", "provider", text(&self.lane));
        put("", "agent", text(&self.agent));
        put("", "caller_ids", list(&self.caller_ids));
        put("contacts", "phone", text(&self.phone));
        put("contacts", "country", text(&self.country));
        put("contacts", "timezone", text(&self.timezone));
        put("contacts", "id", text(&self.id));
        let variable = |(name, column): &(String, String)| (name.clone(), Value::String(format!("{{{column}}}")));
        let variables: Table = self.variables.iter().map(variable).collect();
        put("", "variables", (!variables.is_empty()).then_some(Value::Table(variables)));
        put("calling", "hours", text(&self.hours));
        put("calling", "timezone", text(&self.zone));
        put("calling", "rules", list(&self.rules));
        put("limits", "per_number", list(&self.per_number));
        put("retry", "max_attempts", number(&self.max_attempts));
        put("retry", "busy", text(&self.busy));
        put("retry", "no_answer", list(&self.no_answer));
        if let Some(output) = text(&self.opt_out).and_then(|output| output.as_str().map(str::to_owned)) {
            let when: Table = [(output, Value::String("yes".to_owned()))].into_iter().collect();
            let rule: Table = [("when".to_owned(), Value::Table(when))].into_iter().collect();
            put("results", "opt_out", Some(Value::Table(rule)));
        }
        put("safety", "canary", number(&self.canary));
        toml::to_string(&file).map_err(|error| Error::work(error.to_string()))
    }
}

fn text(text: &str) -> Option<Value> {
    let text = text.trim();
    (!text.is_empty()).then(|| Value::String(text.to_owned()))
}

fn list(text: &str) -> Option<Value> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parts: Vec<Value> = parts.map(|part| Value::String(part.to_owned())).collect();
    (!parts.is_empty()).then_some(Value::Array(parts))
}

/// A number; what is none is left as a text, and its reader says what is wrong with it.
fn number(written: &str) -> Option<Value> {
    let value = text(written)?;
    Some(written.trim().parse::<i64>().map_or(value, Value::Integer))
}
