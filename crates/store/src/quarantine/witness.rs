//! How far the database has come, kept outside of it as well.

use std::sync::{Mutex, MutexGuard};

use ringfence_domain::Moment;
use ringfence_domain::quarantine::{Suspicion, Witnessed};

use super::server::Server;
use super::witness_file::{Opened, WitnessFile};
use crate::StoreError;
use crate::error::trouble::Trouble;
use crate::session::{Session, Sql, args, sql};

/// The witnesses of an open database.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) beside_database: Option<WitnessFile>,
    pub(crate) beside_configuration: Option<WitnessFile>,
    pub(crate) seen: Mutex<Seen>,
}

/// The database as this process saw it last.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) witnessed: Witnessed,
    /// The last quarantine that was lifted: what was seen before it counts no more.
    pub(crate) lifted: i64,
    /// Why it may have been put back while it was used.
    doubt: Option<Suspicion>,
}

/// The witnesses before a transaction commits on SQLite.
#[derive(Debug)]
pub(crate) struct Ready<'w> {
    witness: &'w Witness,
    position: Position,
    /// The one beside the database, open for writing; none when it is not to be written.
    file: Result<Option<Opened>, Trouble>,
}

/// A transaction that is about to commit on SQLite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    commits: i64,
    quarantined: bool,
    lifted: i64,
    dialled: bool,
}

/// Counts the transaction, on SQLite. Postgres counts by itself.
pub(crate) async fn count(session: &mut Session) -> Result<Option<Position>, StoreError> {
    const COUNT: Sql = sql!(
        "UPDATE witness SET commits = commits + 1 WHERE only_row = 1 RETURNING commits, \
         EXISTS (SELECT 1 FROM quarantines WHERE lifted_at IS NULL) AS quarantined, \
         (SELECT coalesce(max(id), 0) FROM quarantines WHERE lifted_at IS NOT NULL) AS lifted, \
         EXISTS (SELECT 1 FROM runs WHERE last_dial_at IS NOT NULL) AS dialled"
    );
    if !matches!(session, Session::SqliteWrite(_)) {
        return Ok(None);
    }
    let row = session.one(&COUNT, args![]).await?;
    Ok(Some(Position {
        commits: row.get("commits")?,
        quarantined: row.get("quarantined")?,
        lifted: row.get("lifted")?,
        dialled: row.get("dialled")?,
    }))
}

impl Seen {
    /// This database, when that quarantine was the last to be lifted.
    pub(crate) fn at(witnessed: Witnessed, lifted: i64) -> Self {
        Self { witnessed, lifted, doubt: None }
    }
}

impl Witness {
    /// A transaction is about to commit. While the database is in quarantine its witnesses keep
    /// what they remember.
    pub(crate) fn prepare(&self, position: Position) -> Ready<'_> {
        let file = match &self.beside_database {
            None => Ok(None),
            Some(file) if position.quarantined => file.open_if_there(),
            Some(file) => file.open().map(Some),
        };
        let mut seen = self.lock();
        if position.lifted > seen.lifted {
            // An operator said that the database is right as it is.
            (seen.lifted, seen.doubt) = (position.lifted, None);
            seen.witnessed.position = position.commits - 1;
        }
        let by = seen.witnessed.position - position.commits + 1;
        if by > 0 && !position.quarantined && (seen.witnessed.dialled || position.dialled) {
            // A transaction of this number was seen before: it, and what followed, is gone.
            seen.doubt = Some(Suspicion::Rewound { by });
        }
        drop(seen);
        Ready { witness: self, position, file }
    }

    /// The database as this process saw it last.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// An operator said that the database is right as it is now.
    pub(crate) fn follow(&self, present: Witnessed, lifted: i64) {
        *self.lock() = Seen::at(present, lifted);
    }

    /// Calls were claimed. The witness beside the configuration is one more; without it the
    /// database's own stands alone.
    pub(crate) fn dialled(&self, server: Option<&Server>, now: Moment) {
        let mut seen = self.lock();
        let seen = &mut seen.witnessed;
        seen.position = server.map_or(seen.position, |server| seen.position.max(server.position));
        seen.dialled = true;
        seen.since.get_or_insert(now);
        let Some(file) = &self.beside_configuration else { return };
        if let Err(trouble) = file.open().and_then(|opened| file.remember(opened, seen, false)) {
            tracing::error!("the witness beside the configuration cannot be written: {trouble}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("never held over a panic")
    }
}

impl Ready<'_> {
    /// Whether calls may follow: the witness can be written, and the database was not put back
    /// meanwhile.
    pub(crate) fn allows_calls(&self) -> Result<(), StoreError> {
        if let Some(suspicion) = self.witness.lock().doubt.clone().filter(|_| !self.position.quarantined) {
            return Err(StoreError::Suspicious(suspicion));
        }
        self.file.as_ref().map(drop).map_err(|trouble| StoreError::Unavailable(trouble.clone()))
    }

    /// It has committed.
    pub(crate) fn committed(self) -> Result<(), Trouble> {
        let Self { witness, position, file } = self;
        let mut seen = witness.lock();
        let seen = &mut seen.witnessed;
        seen.position = seen.position.max(position.commits);
        seen.dialled |= position.dialled;
        match (&witness.beside_database, file?) {
            (Some(file), Some(opened)) if position.quarantined => file.remember_log(opened, position.commits),
            (Some(file), Some(opened)) => file.remember(opened, seen, false),
            _ => Ok(()),
        }
    }
}
