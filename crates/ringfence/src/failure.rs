//! Why a command ends without having done what was asked, and the exit code that says so.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use ringfence_engine::DatabaseLoss;
use ringfence_intake::{Mistakes, TableError};
use ringfence_store::{Outage, StoreError};

/// What was asked holds.
pub const DONE: u8 = 0;
/// As done, but calls are in review.
pub const REVIEW: u8 = 3;
/// Held on purpose: a stop, a pause, a safety rail.
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
    /// Somebody else was done with it first.
    Over,
    /// It is held on purpose.
    Held {
        /// What holds it.
        message: String,
        /// How to let it go.
        hint: String,
    },
}

impl Failure {
    /// Held on purpose, and how to let it go.
    pub fn held(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Held { message: message.into(), hint: hint.into() }
    }
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
            Self::Work { .. } | Self::Over => 2,
            Self::Held { .. } => HELD,
        }
    }

    /// Tells the person at the other end, on stderr.
    pub fn print(&self) {
        crate::stderr::say(match self {
            Self::Files(files) => mistakes(files),
            Self::Over => format!("error: {self}\n"),
            Self::Held { message, hint } => format!("held: {message}\nhint: {hint}\n"),
            Self::Input { message, hint } | Self::Work { message, hint } => match hint {
                Some(hint) => format!("error: {message}\nhint: {hint}\n"),
                None => format!("error: {message}\n"),
            },
        });
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

/// One line, for logs.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(files) => {
                let lines: Vec<String> = files.iter().flat_map(Mistakes::lines).collect();
                f.write_str(&lines.join("; "))
            }
            Self::Over => f.write_str("another process was done with it first, or a person undid it"),
            Self::Input { message, .. } | Self::Work { message, .. } | Self::Held { message, .. } => {
                f.write_str(message)
            }
        }
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::Files(vec![mistakes])
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::input(error.to_string(), error.problem.hint())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Missing { .. } => Self::Input {
                message: error.to_string(),
                hint: Some("`ringfence run`, `apply` or `migrate` makes it, unless told --no-create; or check --config and --database".to_owned()),
            },
            StoreError::NotMade { .. } => Self::Input {
                message: error.to_string(),
                hint: Some("check the name in its address; `ringfence migrate` makes a new one".to_owned()),
            },
            StoreError::NoServer { .. } => Self::Work {
                message: error.to_string(),
                hint: Some("check the address, and that the server runs and lets you in".to_owned()),
            },
            StoreError::LaneBusy { lane, .. } => Self::Input {
                message: error.to_string(),
                hint: Some(format!(
                    "run it once more with provider = \"{lane}\" until they are settled, then change the lane"
                )),
            },
            StoreError::ImportOver { .. } => Self::Over,
            StoreError::Cancelled { .. } => Self::Input {
                message: error.to_string(),
                hint: Some("give the campaign another name to begin anew".to_owned()),
            },
            StoreError::Address(_) => Self::Input { message: error.to_string(), hint: None },
            StoreError::Unavailable(trouble) => {
                Self::Work { message: error.to_string(), hint: Some(trouble.hint().to_owned()) }
            }
            _ => Self::work(error.to_string()),
        }
    }
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        let seconds = outage.lasts.as_secs();
        let hint = format!("{}; then start again", outage.trouble.hint());
        let error = StoreError::Unavailable(outage.trouble);
        Self::Work { message: format!("{error}, for {seconds} s now; this process ends"), hint: Some(hint) }
    }
}

impl From<DatabaseLoss> for Failure {
    fn from(loss: DatabaseLoss) -> Self {
        match loss {
            DatabaseLoss::Gone(why) => Self::Work {
                message: format!("{why}; nobody was dialled since"),
                hint: Some(
                    "put it back where it was, then start again; a copy needs `ringfence quarantine lift`".to_owned(),
                ),
            },
            DatabaseLoss::Unusable(outage) => outage.into(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::work(error.to_string())
    }
}
