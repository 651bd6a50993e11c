//! What people see on stdout.

use std::io::{IsTerminal, Write};

use ringfence_domain::harmless::{harmless, steers};
use serde::Serialize;

use ringfence_operations::Error as Failure;

use crate::table::restyled;
pub use crate::table::{Table, cell, table, unstyled};

/// Whether stderr shows colours: only on terminals, and never against `NO_COLOR`.
pub fn colours_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether stdout does.
pub fn colours_on_stdout() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width to print to.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    comfy_table::Table::new().width().map(usize::from).or(columns).unwrap_or(100).clamp(60, 160)
}

/// Breaks lines that are wider than the screen between words; what goes on is indented.
pub fn wrapped(text: &str) -> String {
    textwrap::fill(text, textwrap::Options::new(width()).subsequent_indent("    ").break_words(false))
}

/// Prints text to stdout. What would steer the terminal is shown by its number, but for the styles
/// of our own tables. A reader that went away ends the program as it would any other.
pub fn print(text: &str) -> Result<(), Failure> {
    if !is_read(&restyled(&harmless(text)))? {
        std::process::exit(0);
    }
    Ok(())
}

/// Prints what comes last. A reader that went away misses it, and changes no exit code.
pub fn print_last(text: &str) -> Result<(), Failure> {
    is_read(&restyled(&harmless(text))).map(drop)
}

/// Returns where data goes: lists and exports, which programs read as they are. On a terminal
/// nothing of them steers it.
pub fn data() -> std::io::BufWriter<Data> {
    std::io::BufWriter::new(Data { is_terminal: std::io::stdout().is_terminal(), begun: Vec::new() })
}

/// Data on stdout.
#[derive(Debug)]
pub struct Data {
    is_terminal: bool,
    /// The first bytes of a character whose others come with the next write.
    begun: Vec<u8>,
}

impl Write for Data {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut out = std::io::stdout().lock();
        if self.is_terminal {
            self.begun.extend_from_slice(bytes);
            let whole = match std::str::from_utf8(&self.begun) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                _ => self.begun.len(),
            };
            let text: Vec<u8> = self.begun.drain(..whole).collect();
            out.write_all(harmless(&String::from_utf8_lossy(&text)).as_bytes())?;
        } else {
            out.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().lock().flush()
    }
}

/// Clears the screen of a terminal, so that what is printed next stands in its top left corner.
pub fn clear() -> Result<(), Failure> {
    is_read("\x1b[H\x1b[2J").map(drop)
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
    Ok(format!("{}\n", escaped(&text)))
}

/// A JSON document in which nothing steers a terminal: what may do so stands only within texts, and
/// has another form there.
pub fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && steers(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A number of things: `1 call`, `2 calls`.
pub fn plural(number: impl Into<i64>, thing: &str) -> String {
    match number.into() {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
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
        let text = serde_json::to_string(value).map_err(|error| Failure::work(error.to_string()))?;
        Ok(self.out.write_all(escaped(&text).as_bytes())?)
    }

    /// Ends the array.
    pub fn end(mut self) -> Result<(), Failure> {
        self.out.write_all(if self.first { b"]\n" } else { b"\n]\n" })?;
        Ok(self.out.flush()?)
    }
}
