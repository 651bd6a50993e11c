//! How far the database has come, kept outside of it as well; and what does not fit when it is opened.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use ringfence_domain::quarantine::{self as rule, Present, Suspicion, Testimony, Witnessed};

use crate::database::Database;
use crate::quarantine::{self, NewQuarantine};
use crate::session::{Session, Sql, args, sql};
use crate::trouble::Trouble;
use crate::turns::Urgency;
use crate::watch::Server;
use crate::witness_file::{Opened, WitnessFile};
use crate::{StoreError, clock};

/// The witnesses of an open database.
#[derive(Debug)]
pub(crate) struct Witness {
    beside_database: Option<WitnessFile>,
    beside_configuration: Option<WitnessFile>,
    seen: Mutex<Seen>,
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
    /// A transaction is about to commit. While the database is in quarantine its witnesses keep what they remember.
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

    /// Calls were claimed. The witness beside the configuration is one more; without it the database's own stands alone.
    pub(crate) fn dialled(&self, server: Option<&Server>) {
        let mut seen = self.lock();
        let seen = &mut seen.witnessed;
        seen.position = server.map_or(seen.position, |server| seen.position.max(server.position));
        seen.dialled = true;
        seen.since.get_or_insert_with(clock::wall_clock);
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
    /// Whether calls may follow: the witness can be written, and the database was not put back meanwhile.
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

/// What was found when a database was compared with its witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarded {
    /// It is the one that it was, or has never dialled.
    Trusted,
    /// The same, and it is not the one that this configuration dialled with, whose address this is.
    Meant(String),
    /// It is in quarantine.
    Quarantined,
}

impl Database {
    /// Compares the database with its witnesses, begins a quarantine when something does not fit, and keeps the witnesses from now on.
    ///
    /// `configuration` is the folder of `ringfence.toml`, if there is one. With `meant` the operator named this database on the command
    /// line.
    pub async fn guard(&self, configuration: Option<&Path>, meant: bool) -> Result<Guarded, StoreError> {
        let (beside_database, beside_configuration) = self.witness_files(configuration);
        let asked = |file: &Option<WitnessFile>| file.as_ref().map_or(Testimony::NotAsked, WitnessFile::testimony);
        let look = async || {
            // The witnesses are asked first: whatever they remember is in the database by then, whoever writes it meanwhile.
            let (database, configuration) = (asked(&beside_database), asked(&beside_configuration));
            let present = self.present().await?;
            let found = rule::suspect(&present, &database, &configuration, meant);
            Ok::<_, StoreError>((present, database, configuration, found))
        };
        let mut seen = look().await?;
        if seen.3.is_some() {
            // Another process may have dialled for the first time between the two questions.
            seen = look().await?;
        }
        let lifted = self.read(|session| Box::pin(quarantine::last_lifted(session))).await?;
        let (present, database, configuration, found) = seen;
        let mut meant_instead_of = None;
        if let Testimony::Says(seen) = &configuration
            && seen.installation != present.witnessed.installation
            && seen.dialled
            && !present.follows.contains(&seen.installation)
        {
            meant_instead_of = Some(seen.location.clone());
        }
        let quarantined = match found {
            Some(suspicion) => {
                self.begin_quarantine(&suspicion, [&database, &configuration]).await?;
                true
            }
            None => self.read(|session| Box::pin(quarantine::current(session))).await?.is_some(),
        };
        let seen = Mutex::new(Seen::at(present.witnessed.clone(), lifted));
        let witness = Witness { beside_database, beside_configuration, seen };
        if quarantined {
            let position = self.present().await?.witnessed.position;
            self.or_ails(witness.beside_database.as_ref().map(|file| match file.open_if_there()? {
                Some(opened) => file.remember_log(opened, position),
                None => Ok(()),
            }));
            self.keep(witness);
            return Ok(Guarded::Quarantined);
        }
        let remember =
            |file: &WitnessFile| file.open().and_then(|opened| file.remember(opened, &present.witnessed, true));
        // From now on a witness that is missing was taken away. One that cannot be written holds up calls, and nothing else.
        self.or_ails(witness.beside_database.as_ref().map(remember));
        if let (Testimony::Says(_), None) = (&configuration, &meant_instead_of) {
            self.or_ails(witness.beside_configuration.as_ref().map(remember));
        }
        self.trust().await?;
        self.keep(witness);
        Ok(meant_instead_of.map_or(Guarded::Trusted, Guarded::Meant))
    }

    /// Lifts the quarantine on an operator's word; false when none holds. Whatever the witnesses remember, they follow this database now.
    pub async fn lift_quarantine(
        &self,
        configuration: Option<&Path>,
        by: String,
        reason: String,
    ) -> Result<bool, StoreError> {
        let (beside_database, beside_configuration) = self.witness_files(configuration);
        let mut past = 0;
        for file in [&beside_database, &beside_configuration].into_iter().flatten() {
            if let Testimony::Says(seen) = file.testimony()
                && seen.installation == self.installation()
                && self.sqlite_path().is_some()
            {
                past = past.max(seen.position + 1);
            }
        }
        // The word of an operator holds only when the witnesses can follow it.
        let opened = [&beside_database, &beside_configuration].into_iter().flatten();
        let opened = opened.map(|file| Ok((file, file.open()?))).collect::<Result<Vec<_>, Trouble>>();
        let opened = opened.map_err(StoreError::Unavailable)?;
        let now = clock::wall_clock();
        let lifted = self
            .write(Urgency::Normal, move |session| {
                Box::pin(async move { quarantine::lift(session, &by, &reason, past, now).await })
            })
            .await?;
        self.trust().await?;
        let present = self.present().await?.witnessed;
        for (file, opened) in opened {
            file.follow(opened, &present).map_err(StoreError::Unavailable)?;
        }
        Ok(lifted)
    }

    /// A witness that could not be written shows where people look.
    fn or_ails(&self, written: Option<Result<(), Trouble>>) {
        if let Some(Err(trouble)) = written {
            self.health().ail(&trouble);
        }
    }

    pub(crate) async fn begin_quarantine(
        &self,
        suspicion: &Suspicion,
        testimonies: [&Testimony; 2],
    ) -> Result<(), StoreError> {
        let says = |testimony: &Testimony| match testimony {
            Testimony::Says(seen) => Some(seen.clone()),
            _ => None,
        };
        let [database, configuration] = testimonies.map(says);
        let other = match suspicion {
            Suspicion::Replaced => database.clone(),
            Suspicion::OtherDatabase { .. } => configuration.clone(),
            _ => None,
        };
        let since = other.as_ref().and_then(|seen| seen.since);
        let new = NewQuarantine { cause: suspicion.to_string(), since, replaces: other.map(|seen| seen.installation) };
        let now = clock::wall_clock();
        tracing::error!("this database dials nobody: {suspicion}; `ringfence quarantine` says more");
        self.write(Urgency::Brake, move |session| Box::pin(async move { quarantine::begin(session, &new, now).await }))
            .await
    }

    /// Where the witnesses stand. A folder that cannot be written has none.
    fn witness_files(&self, configuration: Option<&Path>) -> (Option<WitnessFile>, Option<WitnessFile>) {
        let beside_database = self.sqlite_path().map(WitnessFile::beside);
        let beside_configuration = configuration.map(WitnessFile::in_folder);
        (beside_database, beside_configuration.filter(WitnessFile::can_be_kept))
    }

    /// Who this database is, where it is, and how far it has come.
    pub(crate) async fn present(&self) -> Result<Present, StoreError> {
        const READ: Sql = sql!(
            sqlite "SELECT commits AS position, place, TRUE AS original FROM witness",
            postgres "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS position, place, \
                      written_by IS NULL OR xmin::text::bigint = written_by AS original FROM witness"
        );
        const DIALLED: Sql = sql!("SELECT EXISTS (SELECT 1 FROM runs WHERE last_dial_at IS NOT NULL) AS dialled");
        let place = self.place().await?;
        let mixed = self.mixed;
        let (installation, location) = (self.installation().to_owned(), self.location().to_string());
        self.read(move |session| {
            Box::pin(async move {
                let row = session.one(&READ, args![]).await?;
                let witnessed = Witnessed {
                    installation,
                    location,
                    place,
                    position: row.get("position")?,
                    dialled: session.one(&DIALLED, args![]).await?.get("dialled")?,
                    since: None,
                    log: None,
                };
                Ok(Present {
                    witnessed,
                    trusted_place: row.get("place")?,
                    row_is_original: row.get("original")?,
                    follows: quarantine::follows(session).await?,
                    mixed,
                })
            })
        })
        .await
    }

    /// What identifies the storage: on SQLite the number of the file, which a copy does not have and a move keeps, on Postgres the server, its timeline and the database
    /// in it. A dump restored elsewhere, a rewound server and a promoted one all differ.
    async fn place(&self) -> Result<String, StoreError> {
        const SERVER: Sql = sql!(
            sqlite "SELECT '' AS place",
            postgres "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || \
                      substring(pg_walfile_name(pg_current_wal_insert_lsn()) for 8) || '/' || \
                      (SELECT oid FROM pg_database WHERE datname = current_database())::text AS place"
        );
        const ALONE: Sql = sql!(
            sqlite "SELECT '' AS place",
            postgres "SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::text AS place"
        );
        if self.sqlite_path().is_some() {
            return Ok(format!("file {}", self.file_number().unwrap_or_default()));
        }
        let server =
            self.read(|session| Box::pin(async move { session.one(&SERVER, args![]).await?.get("place") })).await;
        match server {
            // A hosted server may tell nobody who it is. Its database has a number all the same.
            Err(StoreError::Refused(_) | StoreError::Unavailable(_)) => {
                self.read(|session| Box::pin(async move { session.one(&ALONE, args![]).await?.get("place") })).await
            }
            server => server,
        }
    }

    /// The database's own row names its server from now on, and the transaction that wrote it.
    async fn trust(&self) -> Result<(), StoreError> {
        const TRUST: Sql = sql!(
            sqlite "SELECT 1 WHERE $1 IS NOT NULL",
            postgres "UPDATE witness SET place = $1, written_by = txid_current() % 4294967296 \
                      WHERE place IS DISTINCT FROM $1 OR written_by IS DISTINCT FROM xmin::text::bigint"
        );
        if self.sqlite_path().is_some() {
            return Ok(());
        }
        let place = self.place().await?;
        self.write(Urgency::Brake, move |session| {
            Box::pin(async move { session.run(&TRUST, args![place]).await.map(drop) })
        })
        .await
    }
}
