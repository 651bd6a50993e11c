//! Why an operation did not do what was asked: one error with a kind, a message and a hint for the
//! person who must act.

use ringfence_engine::DatabaseLoss;
use ringfence_intake::{Mistakes, TableError};
use ringfence_store::{Outage, StoreError};

/// The kinds of errors. The caller turns them into exit codes or status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was given is wrong.
    Input,
    /// What was named is not there.
    Missing,
    /// What was named is not in a state in which this can be done.
    Conflict,
    /// It was changed since the caller read it.
    Stale,
    /// The work could not be done.
    Work,
    /// Another process did it first, or a person undid it.
    Superseded,
    /// It is held on purpose.
    Held,
}

/// An operation's error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// What is wrong, and where.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The files that are wrong, each mistake with its place. The message has them in one line.
    pub mistakes: Vec<Mistakes>,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, mistakes: Vec::new() }
    }

    /// Makes an error of wrong input, with how to mend it.
    pub fn input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message).with_hint(hint)
    }

    /// Makes the error of what is not there, with how to find what is.
    pub fn missing(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Missing, message).with_hint(hint)
    }

    /// Makes the error of what its state forbids.
    pub fn conflict(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message).with_hint(hint)
    }

    /// Makes the error of work that could not be done.
    pub fn work(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Work, message)
    }

    /// Makes an error of what is held on purpose, with how to let it go.
    pub fn held(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Held, message).with_hint(hint)
    }

    /// Makes an error of files that are wrong.
    pub fn files(mistakes: Vec<Mistakes>) -> Self {
        let lines: Vec<String> = mistakes.iter().flat_map(Mistakes::lines).collect();
        Self { mistakes, ..Self::new(ErrorKind::Input, lines.join("; ")) }
    }

    /// Says how to mend it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::files(vec![mistakes])
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        Self::input(error.to_string(), error.problem.hint())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Missing { .. } => Self::input(
                message,
                "`ringfence run`, `apply` or `migrate` makes it, unless told --no-create; or check --config and --database",
            ),
            StoreError::NotMade { .. } => {
                Self::input(message, "check the name in its address; `ringfence migrate` makes a new one")
            }
            StoreError::NoServer { .. } => {
                Self::work(message).with_hint("check the address, and that the server runs and lets you in")
            }
            StoreError::LaneBusy { lane, .. } => Self::conflict(
                message,
                format!("run it once more with provider = \"{lane}\" until they are settled, then change the lane"),
            ),
            StoreError::ImportOver { .. } => {
                Self::new(ErrorKind::Superseded, "another process was done with it first, or a person undid it")
            }
            StoreError::Erased { .. } => {
                Self::conflict(message, "begin a fresh run: `ringfence run campaign.toml --fresh KEY`")
            }
            StoreError::Cancelled { .. } => Self::conflict(message, "give the campaign another name to begin anew"),
            StoreError::Exists { .. } => Self::conflict(message, "change that one, or choose another name"),
            StoreError::Changed { .. } => {
                Self::new(ErrorKind::Stale, message).with_hint("read it again, and change what it says now")
            }
            StoreError::Address(_) => Self::new(ErrorKind::Input, message),
            StoreError::Unavailable(trouble) => Self::work(message).with_hint(trouble.hint()),
            _ => Self::work(message),
        }
    }
}

impl From<Outage> for Error {
    fn from(outage: Outage) -> Self {
        let seconds = outage.lasts.as_secs();
        let hint = format!("{}; then start again", outage.trouble.hint());
        let error = StoreError::Unavailable(outage.trouble);
        Self::work(format!("{error}, for {seconds} s now; this process ends")).with_hint(hint)
    }
}

impl From<DatabaseLoss> for Error {
    fn from(loss: DatabaseLoss) -> Self {
        match loss {
            DatabaseLoss::Gone(why) => Self::work(format!("{why}; nobody was dialled since"))
                .with_hint("put it back where it was, then start again; a copy needs `ringfence quarantine lift`"),
            DatabaseLoss::Unusable(outage) => outage.into(),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::work(error.to_string())
    }
}
