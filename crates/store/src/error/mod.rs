//! What can go wrong with the database.

pub(crate) mod trouble;

use std::path::PathBuf;

use ringfence_domain::quarantine::Suspicion;

use self::trouble::Trouble;

/// Why a transition was not made. Nothing of it is in the database then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer, is locked, cannot be written to, or broke off. Nothing may be
    /// dialled until it can be used again.
    #[error("the database cannot be used now: {0}")]
    Unavailable(#[source] Trouble),
    /// A statement was refused: a broken invariant, a bug.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
    /// A stored value is not what this version writes.
    #[error("{table}.{column} of row {id} cannot be read: {source}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: i64,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no database file and none may be made.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The server's database has no tables of ours, and none may be made.
    #[error("there is no database of Ringfence at {location}")]
    NotMade {
        /// Where it was looked for.
        location: String,
    },
    /// The server does not let us in.
    #[error("{location} cannot be reached: {message}")]
    NoServer {
        /// Where it was looked for.
        location: String,
        /// What it says.
        message: String,
    },
    /// The address is not one of a database.
    #[error("`{0}` is not a database address; write sqlite://ringfence.db or postgres://user@host/name")]
    Address(String),
    /// The server could lose what it confirmed.
    #[error("the database does not keep its promises: {0}")]
    NotDurable(String),
    /// The schema could not be brought up to date.
    #[error("the schema cannot be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A campaign cannot change its lane while calls are out on the old one: nobody would learn how
    /// they end.
    #[error("calls of {campaign} are still out on lane {lane}")]
    LaneBusy {
        /// The campaign.
        campaign: String,
        /// Its present lane.
        lane: String,
    },
    /// A cancelled campaign stays cancelled.
    #[error("{campaign} was cancelled, which is final")]
    Cancelled {
        /// The campaign.
        campaign: String,
    },
    /// Nobody comes into a run whose people were erased.
    #[error("the people of run {number} of {campaign} were erased")]
    Erased {
        /// The campaign.
        campaign: String,
        /// The run, counted from 1.
        number: i64,
    },
    /// A campaign that was to be new is there already.
    #[error("there is a campaign {campaign} already")]
    Exists {
        /// The campaign.
        campaign: String,
    },
    /// A campaign was changed since it was read.
    #[error("{campaign} was changed meanwhile: it has revision {revision} now")]
    Changed {
        /// The campaign.
        campaign: String,
        /// Its present revision.
        revision: i64,
    },
    /// An import was completed by another process, or undone.
    #[error("import {import} is over already: another process completed it, or it was undone")]
    ImportOver {
        /// The import.
        import: ringfence_domain::ImportId,
    },
    /// While it was used the database was put back, replaced or promoted. Nobody is called: the
    /// quarantine begins.
    #[error("the database may have forgotten calls: {0}")]
    Suspicious(Suspicion),
    /// The process is stopping.
    #[error("the process is stopping")]
    Stopping,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match Trouble::of(&error) {
            Some(trouble) => Self::Unavailable(trouble),
            None => Self::Refused(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        let trouble = match &error {
            sqlx::migrate::MigrateError::Execute(inner) | sqlx::migrate::MigrateError::ExecuteMigration(inner, _) => {
                Trouble::of(inner)
            }
            _ => None,
        };
        trouble.map_or_else(|| Self::Migration(error), Self::Unavailable)
    }
}

impl StoreError {
    /// The same, with the place of the database.
    pub(crate) fn at(mut self, location: &impl std::fmt::Display) -> Self {
        if let Self::Unavailable(trouble) = &mut self {
            trouble.at.get_or_insert_with(|| location.to_string());
        }
        self
    }
}
