//! Why a database cannot be used, in words for the person who must mend it.

use std::path::Path;

/// What keeps a database from being used. Nothing of the statement is in the database then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it is.
    pub kind: TroubleKind,
    /// What the database, or the driver, said itself.
    pub said: String,
    /// Where the database is, where that is known.
    pub at: Option<String>,
    /// The process that has it locked, where that is known.
    pub by: Option<String>,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// No room is left on the disk.
    DiskFull,
    /// It may be read only: a mount, a standby server.
    ReadOnly,
    /// This user may not read or write it.
    NoPermission,
    /// Another process writes, and does not stop.
    Locked,
    /// It is not a database, or a damaged one.
    Damaged,
    /// The disk fails.
    Disk,
    /// The file, or its folder, cannot be opened.
    NotOpened,
    /// No memory is left.
    Memory,
    /// The server does not answer, or broke off.
    Gone,
    /// The server takes no more connections.
    Crowded,
    /// Another transaction was in the way; the next try may do.
    InTheWay,
    /// The file that remembers how far a SQLite database has come cannot be written. Only calls are
    /// held up by it.
    Witness,
}

impl TroubleKind {
    /// What it is, in a few words.
    fn says(self) -> &'static str {
        match self {
            Self::DiskFull => "the disk is full",
            Self::ReadOnly => "it is read-only",
            Self::NoPermission => "permission denied",
            Self::Locked => "it is locked",
            Self::Damaged => "the file is not a SQLite database, or is damaged",
            Self::Disk => "the disk fails",
            Self::NotOpened => "the file cannot be opened",
            Self::Memory => "no memory is left",
            Self::Gone => "the server does not answer",
            Self::Crowded => "the server takes no more connections",
            Self::InTheWay => "another transaction was in the way",
            Self::Witness => "nobody may be called while the witness beside it cannot be written",
        }
    }

    /// Who must do what.
    fn mend(self) -> &'static str {
        match self {
            Self::DiskFull => "free space on the disk that holds the database; what waits is written then",
            Self::ReadOnly => {
                "make the file and its disk writable, or name the server that takes writes; after a fail-over that is another one"
            }
            Self::NoPermission => {
                "let this user read and write the database: for SQLite its file and the folder of the file, for Postgres the schema"
            }
            Self::Locked => "end the process that holds the lock, or wait for it, and do it again",
            Self::Damaged => {
                "check that the address names the right file; if it does, move it away and put back the newest backup"
            }
            Self::Disk => "look at the disk and at the log of the machine; the file may be on a disk that is gone",
            Self::NotOpened => {
                "check that the file and its folder are there, and that this user may read and write both"
            }
            Self::Memory => "give the machine, or the database server, more memory",
            Self::Gone => "check that the server runs and can be reached from here",
            Self::Crowded => "raise max_connections of the server, or close other programs' connections",
            Self::InTheWay => "do it again",
            Self::Witness => {
                "let this user write that file and its folder, and free space on its disk if it is full; calls go on by themselves then"
            }
        }
    }

    /// The kind that an error code of SQLite stands for; none for what is wrong with the statement.
    /// Source: https://www.sqlite.org/rescode.html, primary codes.
    fn of_sqlite(code: i32) -> Option<Self> {
        Some(match code & 0xff {
            3 | 23 => Self::NoPermission,
            5 | 6 | 15 => Self::Locked,
            7 => Self::Memory,
            8 => Self::ReadOnly,
            10 => Self::Disk,
            11 | 26 => Self::Damaged,
            13 => Self::DiskFull,
            14 => Self::NotOpened,
            _ => return None,
        })
    }

    /// The kind that an SQLSTATE of Postgres stands for; none for what is wrong with the statement.
    /// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
    fn of_postgres(code: &str) -> Option<Self> {
        Some(match code {
            "25006" => Self::ReadOnly,
            "42501" | "28000" | "28P01" => Self::NoPermission,
            "53100" => Self::DiskFull,
            "53200" => Self::Memory,
            "53300" => Self::Crowded,
            "55P03" | "57014" => Self::InTheWay,
            "58030" => Self::Disk,
            "XX001" | "XX002" => Self::Damaged,
            _ => match code.get(..2)? {
                "08" | "57" => Self::Gone,
                "40" => Self::InTheWay,
                "53" => Self::Memory,
                _ => return None,
            },
        })
    }
}

impl Trouble {
    /// The trouble behind an error of the driver; none when the statement itself was refused.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        let kind = match error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                // SQLite's codes are numbers of up to four digits, those of Postgres are five
                // characters.
                match code.parse::<i32>().ok().filter(|_| code.len() < 5) {
                    Some(code) => TroubleKind::of_sqlite(code)?,
                    None => TroubleKind::of_postgres(&code)?,
                }
            }
            sqlx::Error::Io(io) => match io.kind() {
                std::io::ErrorKind::PermissionDenied => TroubleKind::NoPermission,
                std::io::ErrorKind::StorageFull => TroubleKind::DiskFull,
                std::io::ErrorKind::ReadOnlyFilesystem => TroubleKind::ReadOnly,
                _ => TroubleKind::Gone,
            },
            sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => TroubleKind::Gone,
            _ => return None,
        };
        Some(Self { kind, said: said(error), at: None, by: None })
    }

    /// The writer of a SQLite file could not be had for as long as it was waited for.
    pub(crate) fn locked(by: Option<String>) -> Self {
        Self { kind: TroubleKind::Locked, said: "database is locked".to_owned(), at: None, by }
    }

    /// The witness at `path` cannot be written.
    pub(crate) fn witness(path: &Path, error: &std::io::Error) -> Self {
        Self { kind: TroubleKind::Witness, said: error.to_string(), at: Some(path.display().to_string()), by: None }
    }

    /// Who must do what.
    pub fn hint(&self) -> &'static str {
        self.kind.mend()
    }
}

fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.says())?;
        if let Some(by) = &self.by {
            write!(f, " by {by}")?;
        }
        if let Some(at) = &self.at {
            write!(f, ": {at}")?;
        }
        write!(f, " ({})", self.said)
    }
}

impl std::error::Error for Trouble {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_it_is_and_a_broken_rule_is_no_trouble() {
        // 787 a foreign key, 1555 a primary key, 2067 a unique index, 1811 a trigger, 20 a wrong
        // type.
        for refused in [787, 1555, 2067, 1811, 20, 1] {
            assert_eq!(TroubleKind::of_sqlite(refused), None, "{refused}");
        }
        for (code, kind) in [
            (13, TroubleKind::DiskFull),
            (778, TroubleKind::Disk),
            (8, TroubleKind::ReadOnly),
            (1544, TroubleKind::ReadOnly),
            (5, TroubleKind::Locked),
            (517, TroubleKind::Locked),
            (26, TroubleKind::Damaged),
            (11, TroubleKind::Damaged),
            (14, TroubleKind::NotOpened),
        ] {
            assert_eq!(TroubleKind::of_sqlite(code), Some(kind), "{code}");
        }
        for refused in ["23505", "23514", "22003", "P0001", "42601"] {
            assert_eq!(TroubleKind::of_postgres(refused), None, "{refused}");
        }
        for (code, kind) in [
            ("25006", TroubleKind::ReadOnly),
            ("53100", TroubleKind::DiskFull),
            ("53300", TroubleKind::Crowded),
            ("57P01", TroubleKind::Gone),
            ("08006", TroubleKind::Gone),
            ("40P01", TroubleKind::InTheWay),
            ("42501", TroubleKind::NoPermission),
        ] {
            assert_eq!(TroubleKind::of_postgres(code), Some(kind), "{code}");
        }
    }

    #[test]
    fn it_says_where_and_by_whom() {
        let trouble = Trouble {
            at: Some("sqlite://x.db".to_owned()),
            ..Trouble::locked(Some("process 7 (sqlite3 x.db)".to_owned()))
        };
        assert_eq!(trouble.to_string(), "it is locked by process 7 (sqlite3 x.db): sqlite://x.db (database is locked)");
    }
}
