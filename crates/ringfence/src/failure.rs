//! Why a command ends without having done what was asked, and the exit code that says so.

use std::io::Write;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use ringfence_intake::{HeaderError, Mistakes};
use ringfence_store::StoreError;

/// What was asked holds.
pub const DONE: u8 = 0;
/// As done, but calls are in review.
pub const REVIEW: u8 = 3;
/// Held on purpose: a pause, a stop.
pub const HELD: u8 = 4;

/// A command's failure.
#[derive(Debug)]
pub enum Failure {
    /// Files are wrong; each mistake with its place. Exit code 1.
    Files(Vec<Mistakes>),
    /// Something else that was given is wrong. Exit code 1.
    Input {
        /// What.
        message: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// The work could not be done. Exit code 2.
    Work {
        /// Why.
        message: String,
        /// How to mend it.
        hint: Option<String>,
    },
}

impl Failure {
    /// Wrong input, with its mend.
    pub fn input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: Some(hint.into()) }
    }

    /// Work that could not be done.
    pub fn work(message: impl Into<String>) -> Self {
        Self::Work { message: message.into(), hint: None }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Files(_) | Self::Input { .. } => 1,
            Self::Work { .. } => 2,
        }
    }

    /// Tells the person at the other end, on stderr.
    pub fn print(&self) {
        let mut err = std::io::stderr().lock();
        let _ = match self {
            Self::Files(files) => write!(err, "{}", mistakes(files)),
            Self::Input { message, hint } | Self::Work { message, hint } => match hint {
                Some(hint) => writeln!(err, "error: {message}\nhint: {hint}"),
                None => writeln!(err, "error: {message}"),
            },
        };
    }
}

/// Every mistake with the line it stands on.
pub fn mistakes(files: &[Mistakes]) -> String {
    let theme =
        if crate::screen::colours_on_stderr() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
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

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::Files(vec![mistakes])
    }
}

impl From<HeaderError> for Failure {
    fn from(error: HeaderError) -> Self {
        let hint = match &error {
            HeaderError::NoColumn { .. } => Some("name the right columns in the campaign file".to_owned()),
            HeaderError::Empty { .. } => Some("the first line must name the columns".to_owned()),
            _ => None,
        };
        Self::Input { message: error.to_string(), hint }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Missing { .. } => Self::Input {
                message: error.to_string(),
                hint: Some("check --config or --database; without --no-create it would be made".to_owned()),
            },
            StoreError::LaneBusy { lane, .. } => Self::Input {
                message: error.to_string(),
                hint: Some(format!(
                    "run it once more with provider = \"{lane}\" until they are settled, then change the lane"
                )),
            },
            StoreError::Address(_) => Self::Input { message: error.to_string(), hint: None },
            StoreError::Unavailable(_) => Self::Work {
                message: error.to_string(),
                hint: Some("nothing was dialled that is not in the database; start again when it answers".to_owned()),
            },
            _ => Self::work(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::work(error.to_string())
    }
}
