//! Contacts that wait are stopped, some at a time, so that no transaction lasts.

use ringfence_domain::{ContactId, ContactState, ImportId, Moment, RunId, StopReason};

use crate::campaigns::runs;
use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::session::{Arg, Session, Sql, args, sql};
use crate::{Database, StoreError, imports};

/// Whom to stop among the waiting contacts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopScope {
    /// Everyone.
    All,
    /// Those that this import brought and that were never dialled.
    Import(ImportId),
    /// Those that this import should have brought and does not have.
    Missing(ImportId),
}

/// Stop some of a run's waiting contacts.
#[derive(Debug, Clone, Copy)]
pub struct StopOrder {
    /// The run.
    pub run: RunId,
    /// Whom.
    pub whom: StopScope,
    /// Why.
    pub reason: StopReason,
    /// From here on, in the order of their ids; 0 to begin with.
    pub after: i64,
    /// When.
    pub now: Moment,
}

impl StopOrder {
    /// An order that begins with the run's first contact.
    pub fn new(run: RunId, whom: StopScope, reason: StopReason, now: Moment) -> Self {
        Self { run, whom, reason, after: 0, now }
    }

    /// Stops all of them, in as many transactions as it takes, and returns how many.
    pub async fn carry_out(mut self, database: &Database) -> Result<u32, StoreError> {
        let mut stopped = 0;
        loop {
            let some = database.stop_contacts(self).await?;
            stopped += some.stopped;
            match some.next {
                Some(next) => self.after = next,
                None => return Ok(stopped),
            }
        }
    }
}

/// What was done of a [`StopOrder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoppedSome {
    /// Contacts stopped.
    pub stopped: u32,
    /// Where to go on; none when the run was gone through.
    pub next: Option<i64>,
}

/// For each contact that is stopped so many may be looked at.
const LOOKED_AT: i64 = 10;

/// How many who wait an import does not have, and how many wait, both among those whom earlier
/// files brought.
pub(crate) async fn missing(session: &mut Session, import: ImportId) -> Result<(i64, i64), StoreError> {
    const COUNT: Sql = sql!(
        "SELECT count(*) AS waiting, count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM import_matches m \
         WHERE m.import_id = $1 AND m.contact_id = c.id)) AS missing FROM imports i JOIN buckets b ON b.run_id = i.run_id \
         JOIN contacts c ON c.bucket_id = b.id AND c.state = 'waiting' WHERE i.id = $1 AND c.import_id < $1"
    );
    let row = session.one(&COUNT, args![import]).await?;
    Ok((row.get("missing")?, row.get("waiting")?))
}

/// Stops the next of them, `limit` at most, and says how many those were. Who has a call out and is
/// to leave is marked: after it they are stopped instead of waiting again.
pub(crate) async fn stop(
    session: &mut Session,
    order: &StopOrder,
    limit: i64,
) -> Result<(StoppedSome, usize), StoreError> {
    const PAGE_OF: Sql = sql!(
        "SELECT c.id, c.import_id, c.calls, \
         EXISTS (SELECT 1 FROM import_matches m WHERE m.import_id = $4 AND m.contact_id = c.id) AS matched, \
         EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = c.id AND a.live AND a.state <> 'open') AS dialled \
         FROM (SELECT id FROM (SELECT id FROM contacts WHERE run_id = $1 AND state = 'waiting' AND id > $2 ORDER BY id LIMIT $3) AS waiting \
         UNION ALL SELECT id FROM (SELECT id FROM contacts WHERE run_id = $1 AND state = 'active' AND id > $2 ORDER BY id LIMIT $3) AS active \
         UNION ALL SELECT id FROM (SELECT id FROM contacts WHERE run_id = $1 AND state = 'review' AND id > $2 ORDER BY id LIMIT $3) AS review \
         ORDER BY id LIMIT $3) AS page CROSS JOIN contacts c WHERE c.id = page.id ORDER BY c.id"
    );
    const LEAVE: Sql = sql!("UPDATE contacts SET pending_stop_reason = $2 WHERE id" ids "");
    let over = Ok((StoppedSome { stopped: 0, next: None }, 0));
    let import = match order.whom {
        // A run that was opened again has contacts that wait for good reason.
        StopScope::All if runs::by_id(session, order.run).await?.closed_for.is_none() => return over,
        StopScope::All => ImportId(0),
        StopScope::Import(import) => import,
        StopScope::Missing(import) => {
            let row = imports::rows::lock_loading(session, import).await?;
            if imports::rows::has_newer(session, &row).await? {
                return over;
            }
            import
        }
    };
    let page = limit * LOOKED_AT;
    let rows = session.rows(&PAGE_OF, args![order.run, order.after, page, import]).await?;
    let mut ids = Vec::new();
    let mut next: Option<i64> = None;
    for row in &rows {
        let of: i64 = row.get("import_id")?;
        let wanted = match order.whom {
            StopScope::All => true,
            StopScope::Import(_) => of == import.0 && row.get::<i64>("calls")? == 0 && !row.get::<bool>("dialled")?,
            // A contact that a newer file brought is not missing from this one.
            StopScope::Missing(_) => of < import.0 && !row.get::<bool>("matched")?,
        };
        next = Some(row.get("id")?);
        if wanted {
            ids.push(ContactId(row.get("id")?));
            if ids.len() as i64 == limit {
                break;
            }
        }
    }
    let did = ids.len();
    let next = next.filter(|_| rows.len() as i64 == page || did as i64 == limit);
    let snapshots = snapshots(session, ids.into_iter()).await?;
    let (mut moves, mut leaving) = (Vec::new(), Vec::new());
    for (contact, snapshot) in &snapshots {
        match snapshot.state {
            ContactState::Waiting => {
                moves.push(Move { contact: *contact, to: To::Stopped(order.reason), ended: None });
            }
            // A closed run keeps everyone from waiting by itself.
            ContactState::Active | ContactState::Review if order.whom != StopScope::All => {
                leaving.push(contact.0);
            }
            _ => {}
        }
    }
    if !leaving.is_empty() {
        session.run(&LEAVE, args![Arg::ids(leaving), order.reason.as_str()]).await?;
    }
    let mut deltas = Deltas::default();
    advance(session, order.now, &snapshots, &moves, &mut deltas).await?;
    deltas.write(session).await?;
    Ok((StoppedSome { stopped: moves.len() as u32, next }, did))
}
