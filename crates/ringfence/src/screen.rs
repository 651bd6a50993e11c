//! What people see: tables on stdout, progress on stderr.

use std::io::{IsTerminal, Write};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use ringfence_domain::Moment;
use serde::Serialize;

use ringfence_operations::Error as Failure;

/// Whether stderr shows colours: only on terminals, and never against `NO_COLOR`.
pub fn colours_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn colours_on_stdout() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width to print to.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    comfy_table::Table::new().width().map(usize::from).or(columns).unwrap_or(100).clamp(60, 160)
}

/// Prints text to stdout. A reader that went away ends the program as it would any other.
pub fn print(text: &str) -> Result<(), Failure> {
    if !is_read(text)? {
        std::process::exit(0);
    }
    Ok(())
}

/// Prints what comes last. A reader that went away misses it, and changes no exit code.
pub fn print_last(text: &str) -> Result<(), Failure> {
    is_read(text).map(drop)
}

/// Prints text. False when its reader went away.
fn is_read(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        result => Ok(result.map(|()| true)?),
    }
}

/// Prints one JSON document.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&json(value)?)
}

/// A JSON document, as it is printed.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::work(error.to_string()))?;
    Ok(format!("{text}\n"))
}

/// A moment as a person in this zone reads it.
pub fn moment(at: Moment, zone: ringfence_domain::Zone) -> String {
    at.local(zone).strftime("%d %b %Y %H:%M %Z").to_string()
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that only `y` or `yes` agrees to. Where nobody can be asked, nobody agrees.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    if !can_ask() {
        return Ok(false);
    }
    crate::stderr::say(format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// One JSON array, printed as its elements come.
#[derive(Debug)]
pub struct JsonList<W: Write> {
    out: W,
    first: bool,
}

impl<W: Write> JsonList<W> {
    /// Begins the array.
    pub fn begin(mut out: W) -> Result<Self, Failure> {
        out.write_all(b"[")?;
        Ok(Self { out, first: true })
    }

    /// One more element.
    pub fn push(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        write!(self.out, "{comma}\n  ")?;
        serde_json::to_writer(&mut self.out, value).map_err(|error| Failure::work(error.to_string()))
    }

    /// Ends the array.
    pub fn end(mut self) -> Result<(), Failure> {
        self.out.write_all(if self.first { b"]\n" } else { b"\n]\n" })?;
        Ok(self.out.flush()?)
    }
}

/// A table in the house style.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width() as u16);
    if !colours_on_stdout() {
        table.force_no_tty();
    }
    if !header.is_empty() {
        table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    }
    table
}
