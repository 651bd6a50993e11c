//! Rows of the list of executions, and which call each of them is.
//!
//! The page shows `ID` (a whole number), `AGENT_ID`, `CALLING_NUMBER`, `PROVIDER_NUMBER`,
//! `STATUS`, `CALL_STATUS`, `TOTAL_DURATION`, `CREATED_AT`, `TRANSCRIPT`, `FILE_PATH` and
//! `DISPOSITION`; another page searches `TRACK_ID`. No page says which of them is the
//! `execution_id` of a placed call, so any that equals it is taken for it. A row without one is a
//! call's only if it alone fits the call by number and time.

use jiff::civil::DateTime;
use ringfence_domain::CallDetails;
use serde_json::Value;

use crate::answer::{self, member, word};

/// Names that the id of a call may have in a row, best first.
const IDS: [&str; 3] = ["EXECUTION_ID", "TRACK_ID", "ID"];
/// One row.
#[derive(Debug)]
pub(super) struct Execution(Value);

impl Execution {
    /// Reads the rows of an answer, also rows without any value; none when it is not a list.
    pub(super) fn all(body: &Value) -> Option<Vec<Self>> {
        let rows = ["/datalist", "/data/datalist", "/data", "/transactions"];
        let rows = rows.iter().find_map(|path| body.pointer(path)?.as_array())?;
        Some(rows.iter().cloned().map(Self).collect())
    }

    fn text(&self, name: &str) -> Option<String> {
        member(&self.0, name).and_then(word)
    }

    /// Returns the name of the row: the id of the call if it has one, else its own.
    pub(super) fn call_id(&self) -> Option<String> {
        IDS.iter().find_map(|name| self.text(name))
    }

    pub(super) fn is(&self, call_id: &str) -> bool {
        IDS.iter().any(|name| self.text(name).as_deref() == Some(call_id))
    }

    /// Tells whether the row names its call.
    pub(super) fn names_its_call(&self) -> bool {
        ["EXECUTION_ID", "TRACK_ID"].iter().any(|name| self.text(name).is_some())
    }

    /// Tells whether our reference stands anywhere in it.
    pub(super) fn mentions(&self, reference: &str) -> bool {
        !reference.is_empty() && self.0.to_string().contains(reference)
    }

    /// Returns the number that was called; none when it cannot be read.
    pub(super) fn number(&self) -> Option<String> {
        self.text("CALLING_NUMBER")
    }

    pub(super) fn agent(&self) -> Option<String> {
        self.text("AGENT_ID")
    }

    /// Returns when the row was made, on the list's own clock; none when it cannot be read.
    pub(super) fn created_at(&self) -> Option<DateTime> {
        let text = self.text("CREATED_AT")?;
        let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ"];
        forms.iter().find_map(|form| DateTime::strptime(form, &text).ok())
    }

    /// Returns the word for how the call ended: `CALL_STATUS`, which is the call's, before
    /// `STATUS`, which is the agent's.
    pub(super) fn status(&self) -> String {
        self.text("CALL_STATUS").or_else(|| self.text("STATUS")).unwrap_or_default()
    }

    pub(super) fn details(&self) -> CallDetails {
        let link = |name: &str| self.text(name).filter(|text| text.starts_with("http"));
        let link = |name: &str| Some((answer::address(&link(name)?)?, None));
        let mut details = CallDetails {
            vendor_status: Some(self.status()),
            talk_seconds: member(&self.0, "TOTAL_DURATION").and_then(answer::seconds),
            recording: link("FILE_PATH"),
            transcript: link("TRANSCRIPT"),
            ..CallDetails::default()
        };
        for (name, key) in [("disposition", "DISPOSITION"), ("sentiment", "SENTIMENT"), ("transcript", "TRANSCRIPT")] {
            let value = self.text(key).filter(|text| !text.starts_with("http"));
            details.outputs.extend(value.map(|text| (name.to_owned(), Value::String(text))));
        }
        details
    }
}
