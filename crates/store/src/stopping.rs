//! Contacts that wait are stopped, some at a time, so that no transaction lasts.

use ringfence_domain::{ContactId, ContactState, ImportId, Moment, RunId, StopReason};

use crate::contacts::{Move, To, advance, standings};
use crate::counts::Deltas;
use crate::session::{Session, Sql, args, sql};
use crate::{Store, StoreError};

/// Whom to stop among the waiting contacts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
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
    pub whom: Whom,
    /// Why.
    pub reason: StopReason,
    /// From here on, in the order of the number keys; the smallest to begin with.
    pub after: i64,
    /// When.
    pub now: Moment,
}

impl StopOrder {
    /// An order that begins with the run's first contact.
    pub fn new(run: RunId, whom: Whom, reason: StopReason, now: Moment) -> Self {
        Self { run, whom, reason, after: i64::MIN, now }
    }

    /// Stops all of them, in as many transactions as it takes, and returns how many.
    pub async fn carry_out(mut self, store: &dyn Store) -> Result<u32, StoreError> {
        let mut stopped = 0;
        loop {
            let some = store.stop_contacts(self).await?;
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

/// Contacts looked at in one transaction.
const PAGE: i64 = 5_000;

/// Stops the next of them.
pub(crate) async fn stop(session: &mut Session, order: &StopOrder) -> Result<StoppedSome, StoreError> {
    const PAGE_OF: Sql = sql!(
        "SELECT c.id, c.number_key, c.state, c.import_id, c.calls, \
         EXISTS (SELECT 1 FROM import_matches m WHERE m.import_id = $4 AND m.contact_id = c.id) AS matched \
         FROM contacts c \
         WHERE c.run_id = $1 AND c.number_key > $2 ORDER BY c.number_key LIMIT $3"
    );
    let import = match order.whom {
        Whom::All => ImportId(0),
        Whom::Import(import) | Whom::Missing(import) => import,
    };
    let rows = session.rows(&PAGE_OF, args![order.run, order.after, PAGE, import]).await?;
    let mut ids = Vec::new();
    for row in &rows {
        let state: ContactState = row.word("contacts", "state")?;
        let own = ImportId(row.get("import_id")?) == import;
        let wanted = match order.whom {
            Whom::All => true,
            Whom::Import(_) => own && row.get::<i64>("calls")? == 0,
            Whom::Missing(_) => !own && !row.get::<bool>("matched")?,
        };
        if wanted && state == ContactState::Waiting {
            ids.push(ContactId(row.get("id")?));
        }
    }
    let next = match rows.last() {
        Some(last) if rows.len() as i64 == PAGE => Some(last.get("number_key")?),
        _ => None,
    };
    let standings = standings(session, ids.into_iter()).await?;
    let moves: Vec<Move> = standings
        .iter()
        .filter(|(_, standing)| standing.state == ContactState::Waiting)
        .map(|(contact, _)| Move { contact: *contact, to: To::Stopped(order.reason), ended: None })
        .collect();
    let mut deltas = Deltas::default();
    advance(session, order.now, &standings, &moves, &mut deltas).await?;
    deltas.write(session).await?;
    Ok(StoppedSome { stopped: moves.len() as u32, next })
}
