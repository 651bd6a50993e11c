//! How a command's end is told: the exit code, and the error on stderr.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use ringfence_domain::harmless::harmless;
use ringfence_intake::Mistakes;

pub use ringfence_operations::{Error as Failure, ErrorKind};

/// What was asked holds.
pub const DONE: u8 = 0;
/// As done, but calls are in review.
pub const REVIEW: u8 = 3;
/// What was promised did not hold.
pub const BROKEN: u8 = 2;
/// Held on purpose: a stop, a pause, a safety rail.
pub const HELD: u8 = 4;

/// Every exit code, and what it means.
pub const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "what was asked holds; contacts may still wait"),
    ("1", "the input is wrong: usage, file, unknown campaign"),
    (
        "2",
        "the work could not be done: database, provider; also when a running process could not use its database for a minute",
    ),
    ("3", "as 0, but calls are in review, or hold the last slots: nobody can say whether they were placed"),
    ("4", "held on purpose: a stop, a pause, a safety rail, a quarantine, zone data older than what dialled before"),
    ("129, 130, 143", "after a clean stop by signal; 129: the terminal of `serve` was closed"),
];

/// Returns the exit code of a failure.
pub fn code(failure: &Failure) -> u8 {
    match failure.kind {
        ErrorKind::Input | ErrorKind::Missing | ErrorKind::Conflict | ErrorKind::Stale => 1,
        ErrorKind::Work | ErrorKind::Superseded => 2,
        ErrorKind::Held => HELD,
    }
}

/// Tells the person at the other end, on stderr.
pub fn print(failure: &Failure) {
    if !failure.mistakes.is_empty() {
        let plain = mistakes(&failure.mistakes, GraphicalTheme::unicode_nocolor());
        // A file with control characters is shown by their numbers, and then without colours.
        if !crate::screen::colours_on_stderr() || harmless(&plain) != plain {
            return crate::stderr::say(plain);
        }
        return crate::stderr::say_styled(mistakes(&failure.mistakes, GraphicalTheme::unicode()));
    }
    let what = if failure.kind == ErrorKind::Held { "held" } else { "error" };
    let hint = failure.hint.as_ref().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    crate::stderr::say(format!("{what}: {}\n{hint}", failure.message));
}

/// Every mistake with the line it stands on.
fn mistakes(files: &[Mistakes], theme: GraphicalTheme) -> String {
    let handler = GraphicalReportHandler::new_themed(theme).with_width(crate::screen::width()).with_context_lines(1);
    let mut text = String::new();
    for report in files.iter().flat_map(Mistakes::reports) {
        if handler.render_report(&mut text, &report as &dyn Diagnostic).is_err() {
            text.push_str(&report.to_string());
        }
        text.push('\n');
    }
    text
}
