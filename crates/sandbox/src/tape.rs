//! The tape: what a simulated vendor was asked to do, written before it answers.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use ringfence_domain::{Moment, Outcome};
use serde::{Deserialize, Serialize};

/// One line of the tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeEntry {
    /// When the request arrived, by the true clock.
    pub at: Moment,
    /// The kind of provider that it was sent to.
    #[serde(default)]
    pub vendor: String,
    /// The result of the request.
    pub event: Event,
    /// Who was to be called, as sent.
    pub callee: String,
    /// From which number, as sent.
    pub caller: String,
    /// By which agent.
    pub agent: String,
    /// The values for the agent.
    #[serde(default)]
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// The values kept with the call.
    #[serde(default)]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The vendor's name for the call, if one was placed.
    pub call_id: Option<String>,
    /// How the call ends.
    pub outcome: Option<Outcome>,
    /// When it ends.
    pub ends_at: Option<Moment>,
    /// When the vendor begins to dial, if it does.
    pub rings_at: Option<Moment>,
}

/// The result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A call: the phone rings.
    Placed,
    /// A call, held until the vendor's hours begin.
    Held,
    /// A call that was taken, and dropped before the phone rang.
    Dropped,
    /// No call.
    Refused,
}

/// Every request to a simulated vendor, in memory and, if wanted, in a file of JSON lines.
#[derive(Debug, Default)]
pub struct Tape {
    entries: Mutex<Vec<TapeEntry>>,
    file: Option<Mutex<File>>,
}

impl Tape {
    /// Makes a tape that is also appended to a file.
    pub fn on_file(path: &Path) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { entries: Mutex::default(), file: Some(Mutex::new(file)) })
    }

    /// Appends a line. A line that cannot be written stops the vendor, which must not do what
    /// nobody can prove.
    pub(crate) fn write(&self, entry: TapeEntry) {
        if let Some(file) = &self.file {
            let mut line = serde_json::to_vec(&entry).expect("an entry is always JSON");
            line.push(b'\n');
            file.lock().expect("the tape's lock").write_all(&line).expect("the tape is written");
        }
        self.entries.lock().expect("the tape's lock").push(entry);
    }

    /// Returns everything so far, oldest first.
    pub fn entries(&self) -> Vec<TapeEntry> {
        self.entries.lock().expect("the tape's lock").clone()
    }

    /// Returns the calls that ring, at once or when the vendor's hours begin.
    pub fn calls(&self) -> Vec<TapeEntry> {
        let rings = |entry: &TapeEntry| matches!(entry.event, Event::Placed | Event::Held);
        self.entries().into_iter().filter(rings).collect()
    }

    /// Returns how many requests have been taped.
    pub fn len(&self) -> usize {
        self.entries.lock().expect("the tape's lock").len()
    }

    /// Tells whether nothing was asked yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
