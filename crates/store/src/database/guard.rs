//! Guarding a database: it is compared with its witnesses when it is opened, and what does not fit
//! begins a quarantine.

use std::path::Path;
use std::sync::Mutex;

use ringfence_domain::quarantine as rule;
use ringfence_domain::quarantine::{Present, Suspicion, Testimony, Witnessed};

use super::turns::Urgency;
use super::{Database, clock};
use crate::StoreError;
use crate::changes::begin_era;
use crate::error::trouble::Trouble;
use crate::quarantine::rows;
use crate::quarantine::rows::NewQuarantine;
use crate::quarantine::witness::{Seen, Witness};
use crate::quarantine::witness_file::WitnessFile;
use crate::session::{Sql, args, sql};

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
    /// Compares the database with its witnesses, begins a quarantine when something does not fit,
    /// and keeps the witnesses from now on.
    ///
    /// `configuration` is the folder of `ringfence.toml`, if there is one. With `meant` the
    /// operator named this database on the command line.
    pub async fn guard(&self, configuration: Option<&Path>, meant: bool) -> Result<Guarded, StoreError> {
        let (beside_database, beside_configuration) = self.witness_files(configuration);
        let asked = |file: &Option<WitnessFile>| file.as_ref().map_or(Testimony::NotAsked, WitnessFile::testimony);
        let look = async || {
            // The witnesses are asked first: whatever they remember is in the database by then,
            // the process that writes it meanwhile.
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
        let lifted = self.read(|session| Box::pin(rows::last_lifted(session))).await?;
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
            None => self.read(|session| Box::pin(rows::current(session))).await?.is_some(),
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
        // From now on a witness that is missing was taken away. One that cannot be written holds up
        // calls, and nothing else.
        self.or_ails(witness.beside_database.as_ref().map(remember));
        if let (Testimony::Says(_), None) = (&configuration, &meant_instead_of) {
            self.or_ails(witness.beside_configuration.as_ref().map(remember));
        }
        self.trust().await?;
        self.keep(witness);
        Ok(meant_instead_of.map_or(Guarded::Trusted, Guarded::Meant))
    }

    /// Lifts the quarantine on an operator's word; false when none holds. Whatever the witnesses
    /// remember, they follow this database now.
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
            .write("lift_quarantine", Urgency::Normal, move |session| {
                Box::pin(async move { rows::lift(session, &by, &reason, past, now).await })
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
        self.write("begin_quarantine", Urgency::Stop, move |session| {
            Box::pin(async move { rows::begin(session, &new, now).await })
        })
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
                    follows: rows::follows(session).await?,
                    mixed,
                })
            })
        })
        .await
    }

    /// What identifies the storage: on SQLite the number of the file, which a copy does not have
    /// and a move keeps, on Postgres the server, its timeline and the database in it. A dump
    /// restored elsewhere, a rewound server and a promoted one all differ.
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
        let (place, now) = (self.place().await?, clock::wall_clock());
        self.write("trust", Urgency::Stop, move |session| {
            Box::pin(async move {
                if session.run(&TRUST, args![place]).await? > 0 {
                    begin_era(session, now).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
