//! What a Postgres server says of itself, and why it may not be the one that it was.

use ringfence_domain::quarantine::Suspicion;

use super::witness::Seen;
use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// What a Postgres server says of itself in a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Where its log is, in bytes.
    pub(crate) position: i64,
    /// The timeline of its log: another one after each promotion and each recovery to an earlier
    /// point.
    timeline: String,
    /// The number of the database on it.
    database: String,
    /// Whether the witness row is as it was written, and not written again by a restore.
    row_is_original: bool,
    /// The last quarantine that was lifted.
    pub(crate) lifted: i64,
}

/// What the server says of itself; none on SQLite, which counts its transactions.
pub(crate) async fn server(session: &mut Session) -> Result<Option<Server>, StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT 1",
        postgres "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS position, \
                  substring(pg_walfile_name(pg_current_wal_insert_lsn()) for 8) AS timeline, \
                  (SELECT oid FROM pg_database WHERE datname = current_database())::text AS database, \
                  (SELECT coalesce(max(id), 0) FROM quarantines WHERE lifted_at IS NOT NULL) AS lifted, \
                  written_by IS NULL OR xmin::text::bigint = written_by AS original FROM witness"
    );
    if matches!(session, Session::SqliteWrite(_) | Session::SqliteRead(_)) {
        return Ok(None);
    }
    let row = session.one(&READ, args![]).await?;
    Ok(Some(Server {
        position: row.get("position")?,
        timeline: row.get("timeline")?,
        database: row.get("database")?,
        row_is_original: row.get("original")?,
        lifted: row.get("lifted")?,
    }))
}

impl Server {
    /// Why this may not be the server that was `known` before the claim began; none when it is.
    /// Each position that is known was read in a transaction that is on disk, and a log only grows.
    pub(crate) fn suspicion(&self, seen: &Seen) -> Option<Suspicion> {
        let known = &seen.witnessed;
        if self.lifted > seen.lifted {
            // An operator said that it is right as it is.
            return None;
        }
        let mut place = known.place.rsplit('/');
        let database = place.next().unwrap_or_default();
        // A hosted server may not tell its timeline.
        let other_timeline = place.next().is_some_and(|timeline| timeline != self.timeline);
        if other_timeline || database != self.database {
            return Some(Suspicion::OtherServer);
        }
        let by = known.position - self.position;
        (by > 0).then_some(Suspicion::Rewound { by }).or((!self.row_is_original).then_some(Suspicion::Restored))
    }
}

#[cfg(test)]
mod tests {
    use ringfence_domain::quarantine::Witnessed;

    use super::*;

    fn seen(place: &str) -> Seen {
        let witnessed = Witnessed {
            installation: "one".into(),
            location: "postgres://calls".into(),
            place: place.into(),
            position: 500,
            dialled: true,
            since: None,
            log: None,
        };
        Seen::at(witnessed, 3)
    }

    fn here() -> Server {
        let (timeline, database) = ("00000001".into(), "16384".into());
        Server { position: 501, timeline, database, row_is_original: true, lifted: 3 }
    }

    #[test]
    fn a_server_is_suspicious_when_anything_of_it_is_not_as_it_was() {
        let seen = seen("7301/00000001/16384");
        assert_eq!(here().suspicion(&seen), None);
        let promoted = Server { timeline: "00000002".into(), ..here() };
        assert_eq!(promoted.suspicion(&seen), Some(Suspicion::OtherServer));
        assert_eq!(Server { lifted: 4, ..promoted }.suspicion(&seen), None, "an operator has spoken since");
        let new = Server { database: "16400".into(), ..here() };
        assert_eq!(new.suspicion(&seen), Some(Suspicion::OtherServer));
        let put_back = Server { position: 480, ..here() };
        assert_eq!(put_back.suspicion(&seen), Some(Suspicion::Rewound { by: 20 }));
        let restored = Server { row_is_original: false, ..here() };
        assert_eq!(restored.suspicion(&seen), Some(Suspicion::Restored));
    }

    #[test]
    fn a_hosted_server_that_tells_no_timeline_is_known_by_its_database() {
        let elsewhere = Server { timeline: "00000009".into(), ..here() };
        assert_eq!(elsewhere.suspicion(&seen("16384")), None);
        assert_eq!(elsewhere.suspicion(&seen("16385")), Some(Suspicion::OtherServer));
    }
}
