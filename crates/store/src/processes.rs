//! The processes that dial or stand by, with their signs of life.

use std::collections::BTreeMap;

use ringfence_domain::event::EventKind;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{LaneId, Moment, Span};

use crate::StoreError;
use crate::database::KnownAs;
use crate::events::{Subject, tell};
use crate::session::{Arg, Row, Session, Sql, args, sql};

/// A process without a sign for this long does not live any more, or cannot reach the database.
const SILENT: Span = Span::from_secs(30);

/// Processes that ended are forgotten after this long.
const FORGET: Span = Span::from_days(30);

/// A process, as it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    /// Its name towards the others, as in `lanes.owner`.
    pub name: String,
    /// Its machine.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// The command that it carries out: `serve`, `run` or `test-call`.
    pub command: String,
    /// When it began.
    pub started_at: Moment,
    /// Its last sign of life.
    pub seen_at: Moment,
    /// When it left in good order.
    pub ended_at: Option<Moment>,
}

impl ProcessRow {
    /// Tells whether it lives, as far as its signs tell.
    pub fn lives(&self, now: Moment) -> bool {
        self.ended_at.is_none() && now.since(self.seen_at) < SILENT
    }
}

/// Enters a process of this name that begins.
pub(crate) async fn begin(session: &mut Session, name: &str, command: &str, now: Moment) -> Result<(), StoreError> {
    const BEGIN: Sql = sql!(
        "INSERT INTO processes (name, host, pid, version, command, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $6) \
         ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, ended_at = NULL"
    );
    const CLEAR: Sql = sql!("DELETE FROM processes WHERE seen_at < $1");
    session.run(&CLEAR, args![now - FORGET]).await?;
    let version = env!("CARGO_PKG_VERSION");
    let KnownAs { host, process, .. } = KnownAs::of(name).unwrap_or_else(KnownAs::this);
    session.run(&BEGIN, args![name, host.as_str(), i64::from(process), version, command, now]).await?;
    tell(
        EventKind::ProcessStarted,
        Subject::All,
        Some(&format!("{command} {version}, process {process} on {host}")),
        now,
    );
    Ok(())
}

/// Enters a sign of life.
pub(crate) async fn sign(session: &mut Session, name: &str, now: Moment) -> Result<(), StoreError> {
    const SIGN: Sql = sql!("UPDATE processes SET seen_at = $2 WHERE name = $1");
    session.run(&SIGN, args![name, now]).await?;
    Ok(())
}

/// The lanes that a process dials, each with the settings that it goes by.
pub type Takes = Vec<(LaneId, LaneSettings)>;

/// Enters which lanes a process dials and shares with others.
pub(crate) async fn take(session: &mut Session, name: &str, takes: &Takes) -> Result<(), StoreError> {
    const TAKE: Sql = sql!("UPDATE processes SET takes = $2 WHERE name = $1");
    session.run(&TAKE, args![name, Arg::json(takes)]).await?;
    Ok(())
}

/// The processes that share lanes and gave a sign of life after `since` and before `until`, with the lanes
/// that each takes. A later sign is from before the clock was set back.
pub(crate) async fn sharing(
    session: &mut Session,
    since: Moment,
    until: Moment,
) -> Result<BTreeMap<String, Takes>, StoreError> {
    const SHARING: Sql = sql!(
        "SELECT name, takes FROM processes WHERE takes IS NOT NULL AND ended_at IS NULL AND seen_at > $1 AND seen_at < $2"
    );
    let rows = session.rows(&SHARING, args![since, until]).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.json("processes", "takes")?))).collect()
}

/// Enters that a process left in good order.
pub(crate) async fn end(session: &mut Session, name: &str, now: Moment) -> Result<(), StoreError> {
    const END: Sql = sql!("UPDATE processes SET seen_at = $2, ended_at = $2 WHERE name = $1 AND ended_at IS NULL");
    if session.run(&END, args![name, now]).await? > 0 {
        let told = KnownAs::of(name).map(|KnownAs { host, process, .. }| format!("process {process} on {host}"));
        tell(EventKind::ProcessEnded, Subject::All, told.as_deref(), now);
    }
    Ok(())
}

/// All processes that are remembered, the newest sign of life first.
pub(crate) async fn list(session: &mut Session) -> Result<Vec<ProcessRow>, StoreError> {
    const LIST: Sql = sql!(
        "SELECT name, host, pid, version, command, started_at, seen_at, ended_at FROM processes ORDER BY seen_at DESC, name"
    );
    session.rows(&LIST, args![]).await?.iter().map(process).collect()
}

fn process(row: &Row) -> Result<ProcessRow, StoreError> {
    Ok(ProcessRow {
        name: row.get("name")?,
        host: row.get("host")?,
        pid: row.get::<i64>("pid")? as u32,
        version: row.get("version")?,
        command: row.get("command")?,
        started_at: row.moment("started_at")?,
        seen_at: row.moment("seen_at")?,
        ended_at: row.moment_or_none("ended_at")?,
    })
}
