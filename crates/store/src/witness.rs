//! How far the database has come, kept outside of it as well; and what does not fit when it is opened.

use std::path::Path;
use std::sync::Mutex;

use ringfence_domain::quarantine::{self as rule, Present, Suspicion, Testimony, Witnessed};

use crate::database::Database;
use crate::quarantine::{self, NewQuarantine};
use crate::session::{Session, Sql, args, sql};
use crate::turns::Urgency;
use crate::witness_file::WitnessFile;
use crate::{Claimed, StoreError, clock};

/// The witnesses of an open database.
#[derive(Debug)]
pub(crate) struct Witness {
    beside_database: Option<WitnessFile>,
    beside_configuration: Option<WitnessFile>,
    seen: Mutex<Witnessed>,
}

/// A transaction that is about to commit on SQLite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    commits: i64,
    quarantined: bool,
    dialled: bool,
}

/// Counts the transaction, on SQLite. Postgres counts by itself.
pub(crate) async fn count(session: &mut Session) -> Result<Option<Position>, StoreError> {
    const COUNT: Sql = sql!(
        "UPDATE witness SET commits = commits + 1 WHERE only_row = 1 RETURNING commits, \
         EXISTS (SELECT 1 FROM quarantines WHERE lifted_at IS NULL) AS quarantined, \
         EXISTS (SELECT 1 FROM runs WHERE last_dial_at IS NOT NULL) AS dialled"
    );
    if !matches!(session, Session::SqliteWrite(_)) {
        return Ok(None);
    }
    let row = session.one(&COUNT, args![]).await?;
    Ok(Some(Position {
        commits: row.get("commits")?,
        quarantined: row.get("quarantined")?,
        dialled: row.get("dialled")?,
    }))
}

/// Where the log of the server is, in bytes, and its timeline; nothing on SQLite, which counts its transactions.
pub(crate) async fn log_position(session: &mut Session) -> Result<(i64, String), StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT 0 AS at, '' AS timeline",
        postgres "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS at, \
                  substring(pg_walfile_name(pg_current_wal_insert_lsn()) for 8) AS timeline"
    );
    let row = session.one(&READ, args![]).await?;
    Ok((row.get("at")?, row.get("timeline")?))
}

impl Witness {
    /// A transaction has committed. While the database is in quarantine its witnesses keep what they remember.
    pub(crate) fn committed(&self, position: Position) -> Result<(), StoreError> {
        let mut seen = self.seen.lock().expect("never held over a panic");
        seen.position = seen.position.max(position.commits);
        seen.dialled |= position.dialled;
        let Some(file) = &self.beside_database else { return Ok(()) };
        let kept = if position.quarantined { file.remember_log(position.commits) } else { file.remember(&seen, false) };
        kept.map_err(StoreError::Witness)
    }

    /// Calls were claimed. The witness beside the configuration is one more; without it the database's own stands alone.
    fn dialled(&self, claimed: &Claimed) {
        let mut seen = self.seen.lock().expect("never held over a panic");
        seen.position = seen.position.max(claimed.log_position);
        seen.dialled = true;
        seen.since.get_or_insert_with(clock::wall_clock);
        if let Some(Err(error)) = self.beside_configuration.as_ref().map(|file| file.remember(&seen, false)) {
            tracing::error!(%error, "the witness beside the configuration cannot be written: {error}");
        }
    }

    /// Whether the server that answered is not the one that was compared when the database was opened.
    fn is_elsewhere(&self, claimed: &Claimed) -> bool {
        let seen = self.seen.lock().expect("never held over a panic");
        let timeline = seen.place.split('/').nth(1);
        timeline.is_some_and(|timeline| timeline != claimed.timeline)
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
        let witness = Witness { beside_database, beside_configuration, seen: Mutex::new(present.witnessed.clone()) };
        if quarantined {
            if let Some(file) = &witness.beside_database {
                file.remember_log(self.present().await?.witnessed.position).map_err(StoreError::Witness)?;
            }
            self.keep(witness);
            return Ok(Guarded::Quarantined);
        }
        // From now on a witness that is missing was taken away.
        if let Some(file) = &witness.beside_database {
            file.remember(&present.witnessed, true).map_err(StoreError::Witness)?;
        }
        if let (Testimony::Says(_), None, Some(file)) =
            (&configuration, &meant_instead_of, &witness.beside_configuration)
        {
            file.remember(&present.witnessed, true).map_err(StoreError::Witness)?;
        }
        self.trust().await?;
        self.keep(witness);
        Ok(meant_instead_of.map_or(Guarded::Trusted, Guarded::Meant))
    }

    /// Calls were claimed; before any of them is made the witnesses know. On a server that was rewound or promoted meanwhile none is
    /// made: the vendor is asked about them, and the quarantine begins.
    pub(crate) async fn dialled(&self, claimed: &Claimed) -> Result<(), StoreError> {
        let Some(witness) = self.witness().filter(|_| !claimed.sending.is_empty()) else { return Ok(()) };
        if self.sqlite_path().is_none() && witness.is_elsewhere(claimed) {
            self.begin_quarantine(&Suspicion::OtherServer, [&Testimony::NotAsked, &Testimony::NotAsked]).await?;
            return Err(StoreError::NotDurable(Suspicion::OtherServer.to_string()));
        }
        witness.dialled(claimed);
        Ok(())
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
        let now = clock::wall_clock();
        let lifted = self
            .write(Urgency::Normal, move |session| {
                Box::pin(async move { quarantine::lift(session, &by, &reason, past, now).await })
            })
            .await?;
        self.trust().await?;
        let present = self.present().await?.witnessed;
        for file in [&beside_database, &beside_configuration].into_iter().flatten() {
            file.remember(&present, true).map_err(StoreError::Witness)?;
        }
        Ok(lifted)
    }

    async fn begin_quarantine(&self, suspicion: &Suspicion, testimonies: [&Testimony; 2]) -> Result<(), StoreError> {
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
    async fn present(&self) -> Result<Present, StoreError> {
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
