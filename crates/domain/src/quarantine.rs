//! The check that a database is the one that it was: law 13.
//!
//! A restored, rewound or copied database has forgotten calls, and would make them again.
//! Witnesses outside of it remember how far it had come: a file beside a SQLite database, a file
//! beside `ringfence.toml`, and on Postgres the server's own identity. A witness that does not fit
//! is a [`Suspicion`], and the database dials nobody until an operator lifts the quarantine.

use std::fmt;

use crate::Moment;

/// How far a database had come, as a witness file remembers it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Witnessed {
    /// The identity that the database was made with.
    pub installation: String,
    /// Its address, without a password; for people.
    pub location: String,
    /// The identity of the storage under it: the number of a file in its file system; system
    /// identifier, timeline and object id of a database on a server.
    pub place: String,
    /// A number that only grows at one place: transactions on SQLite, the position in the log on
    /// Postgres.
    pub position: i64,
    /// Whether anybody was ever dialled from it.
    pub dialled: bool,
    /// When the witness first saw this database dial.
    pub since: Option<Moment>,
    /// The log of a SQLite database that transactions are written to now.
    #[serde(default)]
    pub log: Option<LogBegin>,
}

/// Where a log of SQLite (`-wal`) begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogBegin {
    /// The salts in its header, which change whenever it begins anew.
    pub salt: u64,
    /// No transaction before this one stands in it: those are all in the file itself.
    pub from: i64,
}

/// The testimony of a witness file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Testimony {
    /// There is no such file.
    Missing,
    /// It is there and cannot be understood; with the reason.
    Unreadable(String),
    /// Its testimony.
    Says(Witnessed),
    /// This database has no such witness, or the folder of it cannot be written.
    NotAsked,
}

/// The identity that a database shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who it is and how far it has come. `since` says nothing here.
    pub witnessed: Witnessed,
    /// The place at which it was last trusted, by its own row; none before the first time.
    pub trusted_place: Option<String>,
    /// Whether the row above was written by the transaction that it names. A restore writes rows in
    /// a transaction of its own.
    pub row_is_original: bool,
    /// Installations that this one follows, by an operator's word.
    pub follows: Vec<String>,
    /// Whether the file of a SQLite database lacked transactions that its log takes for granted
    /// when it was opened.
    pub mixed: bool,
}

/// A reason that a database may have forgotten calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suspicion {
    /// A witness saw it further on than it is.
    Rewound {
        /// How many transactions, or bytes of the log, are gone.
        by: i64,
    },
    /// It has dialled, and the witness beside it is gone.
    NoWitness,
    /// It stood at another place.
    Moved {
        /// That place.
        from: String,
    },
    /// The server under it is another one, was rewound or promoted, or the database in it is a new
    /// one.
    OtherServer,
    /// Another file, with the same contents, stands where it stood.
    Copied,
    /// An older file was put beside the log of a later state.
    Mixed,
    /// Its rows were written by a restore.
    Restored,
    /// Another database stood in its place, and had dialled.
    Replaced,
    /// The configuration has dialled with another database.
    OtherDatabase {
        /// That database.
        was: String,
    },
    /// A witness cannot be read.
    Unreadable(String),
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rewound { .. } => f.write_str("an older copy was put in its place: later changes are missing"),
            Self::NoWitness => {
                f.write_str("it was restored from a copy: it has dialled, and the witness file beside it is missing")
            }
            Self::Moved { from } => write!(f, "it was copied or moved here; it stood at {from}"),
            Self::OtherServer => f.write_str(
                "the server under it is not the one that it was: restored into a new database, rewound, or promoted",
            ),
            Self::Copied => f.write_str("its file was replaced by a copy"),
            Self::Mixed => f.write_str(
                "an older file was put beside the log (-wal) of a later state, which makes a mixture of both; stop every process and put \
                 it back once more, without the files -wal and -shm",
            ),
            Self::Restored => f.write_str("its rows were written by a restore"),
            Self::Replaced => f.write_str("another database, which had dialled, stood in its place"),
            Self::OtherDatabase { was } => write!(f, "this configuration has dialled with another database, {was}"),
            Self::Unreadable(why) => write!(f, "its witness cannot be read: {why}"),
        }
    }
}

/// Returns what makes a database suspicious; none when it is the one that it was.
///
/// `beside_database` is the witness file of a SQLite database, `beside_configuration` that of
/// `ringfence.toml`. With `meant`, the operator named this database on the command line, and the
/// configuration's witness is not asked about another one.
pub fn suspect(
    present: &Present,
    beside_database: &Testimony,
    beside_configuration: &Testimony,
    meant: bool,
) -> Option<Suspicion> {
    let own = &present.witnessed;
    if present.mixed {
        return Some(Suspicion::Mixed);
    }
    if let Some(trusted) = &present.trusted_place {
        if *trusted != own.place {
            return own.dialled.then_some(Suspicion::OtherServer);
        }
        if !present.row_is_original && own.dialled {
            return Some(Suspicion::Restored);
        }
    }
    match beside_database {
        // A database without a single counted transaction never had a witness.
        Testimony::Missing if own.dialled && own.position > 0 => return Some(Suspicion::NoWitness),
        Testimony::Unreadable(why) if own.dialled => return Some(Suspicion::Unreadable(why.clone())),
        Testimony::NotAsked | Testimony::Missing | Testimony::Unreadable(_) => {}
        Testimony::Says(seen) if seen.installation != own.installation => {
            if seen.dialled && !present.follows.contains(&seen.installation) {
                return Some(Suspicion::Replaced);
            }
        }
        // Transactions of one installation are counted on, wherever its file is.
        Testimony::Says(seen) => {
            if let Some(suspicion) = rewound(own, seen).or_else(|| moved(own, seen)) {
                return Some(suspicion);
            }
        }
    }
    match beside_configuration {
        Testimony::Unreadable(why) if own.dialled => Some(Suspicion::Unreadable(why.clone())),
        Testimony::Says(seen) if seen.installation == own.installation => {
            rewound(own, seen).filter(|_| seen.place == own.place)
        }
        Testimony::Says(seen) => (seen.dialled && !meant && !present.follows.contains(&seen.installation))
            .then(|| Suspicion::OtherDatabase { was: seen.location.clone() }),
        Testimony::NotAsked | Testimony::Missing | Testimony::Unreadable(_) => None,
    }
}

fn rewound(own: &Witnessed, seen: &Witnessed) -> Option<Suspicion> {
    let by = seen.position - own.position;
    (by > 0 && (seen.dialled || own.dialled)).then_some(Suspicion::Rewound { by })
}

fn moved(own: &Witnessed, seen: &Witnessed) -> Option<Suspicion> {
    let suspicion = if seen.location == own.location {
        Suspicion::Copied
    } else {
        Suspicion::Moved { from: seen.location.clone() }
    };
    (seen.place != own.place && (seen.dialled || own.dialled)).then_some(suspicion)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(position: i64) -> Witnessed {
        Witnessed {
            installation: "one".into(),
            location: "sqlite:///calls/ringfence.db".into(),
            place: "file 42".into(),
            position,
            dialled: true,
            since: None,
            log: None,
        }
    }

    fn present(position: i64) -> Present {
        Present {
            witnessed: seen(position),
            trusted_place: None,
            row_is_original: true,
            follows: Vec::new(),
            mixed: false,
        }
    }

    fn beside(witness: Witnessed) -> Testimony {
        Testimony::Says(witness)
    }

    #[test]
    fn a_file_that_went_on_where_it_stopped_is_trusted() {
        let fine = |database, configuration| suspect(&present(7), &database, &configuration, false);
        assert_eq!(fine(beside(seen(7)), beside(seen(7))), None);
        assert_eq!(fine(beside(seen(6)), beside(seen(3))), None, "the process died between commit and witness");
        assert_eq!(fine(beside(seen(7)), Testimony::Missing), None);
        assert_eq!(fine(beside(seen(7)), Testimony::NotAsked), None);
    }

    #[test]
    fn every_way_back_is_noticed() {
        let with =
            |database: Testimony, configuration: Testimony| suspect(&present(7), &database, &configuration, false);
        assert_eq!(with(beside(seen(9)), Testimony::Missing), Some(Suspicion::Rewound { by: 2 }));
        assert_eq!(
            with(beside(seen(7)), beside(seen(9))),
            Some(Suspicion::Rewound { by: 2 }),
            "both came back, one did not"
        );
        assert_eq!(with(Testimony::Missing, Testimony::Missing), Some(Suspicion::NoWitness));
        let other = Witnessed { installation: "two".into(), ..seen(1) };
        assert_eq!(with(beside(other.clone()), Testimony::Missing), Some(Suspicion::Replaced));
        let elsewhere = Witnessed { place: "file 41".into(), location: "sqlite:///old/ringfence.db".into(), ..seen(7) };
        let moved = Suspicion::Moved { from: "sqlite:///old/ringfence.db".into() };
        assert_eq!(with(beside(elsewhere), Testimony::Missing), Some(moved));
        let copy = Witnessed { place: "file 41".into(), ..seen(7) };
        assert_eq!(with(beside(copy), Testimony::Missing), Some(Suspicion::Copied));
        let torn = Testimony::Unreadable("it is empty".into());
        assert_eq!(with(torn.clone(), Testimony::Missing), Some(Suspicion::Unreadable("it is empty".into())));
        assert_eq!(with(Testimony::NotAsked, torn), Some(Suspicion::Unreadable("it is empty".into())));
        let was = other.location.clone();
        assert_eq!(with(Testimony::NotAsked, beside(other)), Some(Suspicion::OtherDatabase { was }));
    }

    #[test]
    fn a_server_is_its_own_witness() {
        let at = |trusted: &str, row_is_original| Present {
            trusted_place: Some(trusted.into()),
            row_is_original,
            ..present(7)
        };
        let alone = |present: &Present| suspect(present, &Testimony::NotAsked, &Testimony::NotAsked, false);
        let here = seen(7).place;
        assert_eq!(alone(&at(&here, true)), None);
        assert_eq!(alone(&at(&here, false)), Some(Suspicion::Restored));
        assert_eq!(alone(&at("elsewhere", true)), Some(Suspicion::OtherServer));
        let rewound = suspect(&at(&here, true), &Testimony::NotAsked, &beside(seen(9)), false);
        assert_eq!(rewound, Some(Suspicion::Rewound { by: 2 }), "the folder of the server was put back");
        let before = Witnessed { place: "another timeline".into(), ..seen(9) };
        assert_eq!(suspect(&at(&here, true), &Testimony::NotAsked, &beside(before), false), None);
    }

    #[test]
    fn who_never_dialled_has_nothing_to_forget() {
        let fresh = Present { witnessed: Witnessed { dialled: false, ..seen(1) }, ..present(1) };
        let never = || beside(Witnessed { dialled: false, installation: "two".into(), ..seen(9) });
        assert_eq!(suspect(&fresh, &Testimony::Missing, &Testimony::Missing, false), None);
        assert_eq!(suspect(&fresh, &never(), &never(), false), None);
    }

    #[test]
    fn a_mixture_of_two_states_is_told_before_all_else() {
        let mixed = Present { mixed: true, ..present(7) };
        assert_eq!(suspect(&mixed, &beside(seen(7)), &beside(seen(7)), true), Some(Suspicion::Mixed));
    }

    #[test]
    fn a_database_of_an_earlier_version_gets_its_first_witness() {
        assert_eq!(suspect(&present(0), &Testimony::Missing, &Testimony::Missing, false), None);
    }

    #[test]
    fn an_operators_word_holds() {
        let other = || beside(Witnessed { installation: "two".into(), ..seen(9) });
        let named = suspect(&present(1), &beside(seen(1)), &other(), true);
        assert_eq!(named, None, "the database was named on the command line");
        let follows = Present { follows: vec!["two".into()], ..present(1) };
        assert_eq!(suspect(&follows, &beside(seen(1)), &other(), false), None);
        assert_eq!(suspect(&follows, &other(), &other(), false), None);
    }
}
