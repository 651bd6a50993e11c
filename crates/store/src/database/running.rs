//! How transitions and questions are run: each in a task of its own, in a transaction that ends for
//! certain.

use std::time::Duration;

use tokio::sync::oneshot;

use super::clock::boot_time;
use super::portions::Portions;
use super::timing::Timing;
use super::turns::Urgency;
use super::{Database, Pools, Step};
use crate::StoreError;
use crate::error::trouble::Trouble;
use crate::events::{self, TELLER, Teller};
use crate::imports::recent::RecentImports;
use crate::measures::TRANSACTIONS;
use crate::quarantine::witness;
use crate::quarantine::witness::Ready;
use crate::session::Session;
use crate::session::transaction::Open;
use crate::transitions;
use ringfence_crash as crash;

/// No write is to hold SQLite's writer for longer.
const HELD_LONG: Duration = Duration::from_millis(50);

/// Rows of a bulk transition on Postgres.
const POSTGRES_ROWS: usize = 5_000;

/// What follows on a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    /// People are called.
    Calls,
    /// Nobody is.
    NoCalls,
}

/// A transition that has committed.
#[derive(Debug)]
pub(crate) struct Written<T> {
    /// What it returned.
    pub(crate) done: T,
    /// How long the transaction lasted.
    pub(crate) held: Duration,
    /// Whether the witness beside the database knows of it.
    pub(crate) witnessed: Result<(), Trouble>,
}

/// A transition or a question. What it returns goes past this type: how work is run is compiled once, and not for
/// each kind of result.
type Work = Box<dyn for<'s> FnOnce(&'s mut Session) -> Step<'s, ()> + Send>;

/// Where the result of work arrives.
struct Arrival<T>(oneshot::Receiver<T>);

impl<T: Send + 'static> Arrival<T> {
    fn of<F>(step: F) -> (Work, Self)
    where
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        let (result, arrives) = oneshot::channel();
        let work: Work = Box::new(move |session| {
            let step = step(session);
            Box::pin(async move {
                // A caller that has gone wants no result.
                drop(result.send(step.await?));
                Ok(())
            })
        });
        (work, Self(arrives))
    }

    /// Returns the result of work that went well.
    fn result(mut self) -> Result<T, StoreError> {
        self.0.try_recv().map_err(|_| StoreError::Stopping)
    }
}

impl Database {
    /// Runs one transition in one transaction. It runs to its end in a task of its own, so that
    /// the caller may be cancelled without leaving a transaction half done on a pooled
    /// connection. `name`: as it stands in `transitions/`.
    pub(crate) async fn write<T, F>(&self, name: &'static str, urgency: Urgency, transition: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        self.timed(name, urgency, transition).await.map(|(done, _)| done)
    }

    /// Runs a transition over many rows, as many at once as do not hold up others: its second
    /// argument. It returns how many there were.
    pub(crate) async fn write_some<T, F>(
        &self,
        name: &'static str,
        urgency: Urgency,
        transition: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session, i64) -> Step<'s, (T, usize)> + Send + 'static,
    {
        let rows = self.portion(name);
        let ((done, did), held) = self.timed(name, urgency, move |session| transition(session, rows as i64)).await?;
        // How long it really took is nothing to a simulation.
        if !matches!(self.timing, Timing::Lockstep(_)) {
            self.portions.took(name, rows, did, held);
        }
        Ok(done)
    }

    /// How many rows of a work to do in one transaction.
    pub(crate) fn portion(&self, work: &'static str) -> usize {
        match &self.pools {
            Pools::Sqlite(_) => self.portions.next(work),
            // Nobody but those who want the same rows waits for a transaction of Postgres.
            Pools::Postgres(_) => POSTGRES_ROWS,
        }
    }

    pub(crate) fn recent_imports(&self) -> &RecentImports {
        &self.recent_imports
    }

    pub(crate) fn portions(&self) -> &Portions {
        &self.portions
    }

    /// The same as `write`, and how long the transaction lasted.
    pub(crate) async fn timed<T, F>(
        &self,
        name: &'static str,
        urgency: Urgency,
        transition: F,
    ) -> Result<(T, Duration), StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        // What forbids or records calls holds without a witness, too.
        self.carry_out(name, urgency, Follows::NoCalls, transition).await.map(|written| (written.done, written.held))
    }

    /// Runs one transition in one transaction. One that calls follow on does not commit when its
    /// witness cannot be written.
    pub(crate) async fn carry_out<T, F>(
        &self,
        name: &'static str,
        urgency: Urgency,
        follows: Follows,
        transition: F,
    ) -> Result<Written<T>, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        let (work, arrival) = Arrival::of(transition);
        let Written { held, witnessed, .. } = self.transact(name, urgency, follows, work).await?;
        Ok(Written { done: arrival.result()?, held, witnessed })
    }

    async fn transact(
        &self,
        name: &'static str,
        urgency: Urgency,
        follows: Follows,
        transition: Work,
    ) -> Result<Written<()>, StoreError> {
        debug_assert!(transitions::names().any(|known| known == name), "`{name}` stands in no list of transitions");
        let (pools, witness) = (self.pools.clone(), self.witness.clone());
        let teller = Teller::new(self.actor.clone());
        let heard = teller.clone();
        let tallies = self.tallies.clone();
        let work = async move {
            let (turn, mut session) = match &pools {
                Pools::Sqlite(pools) => {
                    let (turn, open) = pools.begin(urgency).await?;
                    (Some(turn), Session::SqliteWrite(open))
                }
                Pools::Postgres(pool) => {
                    (None, Session::PostgresWrite(Open::begin(pool.acquire().await?, "BEGIN").await?))
                }
            };
            let began = boot_time();
            let step = async {
                transition(&mut session).await?;
                let events = heard.write(&mut session).await?;
                Ok((events, witness::count(&mut session).await?))
            };
            let step: Result<_, StoreError> = step.await;
            let prepared = step.and_then(|(events, position)| {
                let ready = witness.get().zip(position).map(|(witness, position)| witness.prepare(position));
                match ready.as_ref().map(Ready::allows_calls) {
                    Some(Err(error)) if follows == Follows::Calls => Err(error),
                    _ => Ok((events, ready)),
                }
            });
            let (events, ready) = match prepared {
                Ok(both) => both,
                Err(error) => {
                    session.abandon(&error).await;
                    return Err(error);
                }
            };
            crash::point(name, "changed");
            session.commit().await?;
            crash::point(name, "committed");
            tallies.shift(&heard.attempts());
            events::log(&events);
            let witnessed = ready.map_or(Ok(()), Ready::committed);
            crash::point(name, "witnessed");
            let held = boot_time().saturating_sub(began);
            TRANSACTIONS.observe(held.as_secs_f64());
            if turn.is_some() && held > HELD_LONG {
                tracing::debug!(
                    held_ms = held.as_millis(),
                    ?urgency,
                    "the writer was held for {} ms by `{name}`",
                    held.as_millis()
                );
            }
            drop(turn);
            if let Pools::Sqlite(pools) = &pools {
                pools.move_log_if_long();
            }
            Ok(Written { done: (), held, witnessed })
        };
        let result = self.timing.carry(TELLER.scope(teller, work)).await;
        match &result {
            Ok(Written { witnessed: Err(trouble), .. }) => self.health.ail(trouble),
            result => self.health.note(result),
        }
        result.map_err(|error| error.at(&self.location))
    }

    /// Runs a question outside any transaction.
    pub(crate) async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        let (work, arrival) = Arrival::of(question);
        self.ask(work).await?;
        arrival.result()
    }

    async fn ask(&self, question: Work) -> Result<(), StoreError> {
        let pools = self.pools.clone();
        let work = async move {
            let mut session = match &pools {
                Pools::Sqlite(pools) => Session::SqliteRead(pools.readers.acquire().await?),
                Pools::Postgres(pool) => Session::PostgresRead(pool.acquire().await?),
            };
            let answer = question(&mut session).await;
            if let Err(error) = &answer {
                session.abandon(error).await;
            }
            answer
        };
        self.timing.carry(work).await.map_err(|error| error.at(&self.location))
    }

    /// Runs a question of several statements that must agree with each other: all of them see one
    /// moment.
    pub(crate) async fn snapshot<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        let (work, arrival) = Arrival::of(question);
        self.ask_at_one_moment(work).await?;
        arrival.result()
    }

    async fn ask_at_one_moment(&self, questions: Work) -> Result<(), StoreError> {
        const POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let pools = self.pools.clone();
        let work = async move {
            let mut session = match &pools {
                Pools::Sqlite(pools) => {
                    Session::SqliteWrite(Open::begin(pools.readers.acquire().await?, "BEGIN").await?)
                }
                Pools::Postgres(pool) => Session::PostgresWrite(Open::begin(pool.acquire().await?, POSTGRES).await?),
            };
            match questions(&mut session).await {
                Ok(()) => session.commit().await,
                Err(error) => {
                    session.abandon(&error).await;
                    Err(error)
                }
            }
        };
        self.timing.carry(work).await.map_err(|error| error.at(&self.location))
    }
}
