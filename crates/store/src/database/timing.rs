//! What the time does while a statement is under way.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinError;
use tracing::Instrument;

use crate::StoreError;

/// What the time does while a statement is under way.
#[derive(Debug, Clone)]
pub(crate) enum Timing {
    /// It passes.
    Real,
    /// Paused timers stand still.
    Paused,
    /// Everything else stands still.
    Lockstep(Lockstep),
}

/// One process of a simulation. A caller of its database stands still until the answer is there, and
/// all other tasks stand still, too: the same seed is always the same run.
#[derive(Debug, Clone)]
pub struct Lockstep {
    runtime: Handle,
    life: Arc<watch::Sender<Life>>,
    /// Statements until it dies; none while nobody says when.
    left: Arc<Mutex<Option<u32>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Runs,
    StandsStill,
    Dead,
}

impl Lockstep {
    /// One whose statements run on this runtime: one of its own, whose time is real.
    pub fn on(runtime: Handle) -> Self {
        Self { runtime, life: Arc::new(watch::Sender::new(Life::Runs)), left: Arc::default() }
    }

    /// Nothing that it asks for is done any more, and nothing is answered.
    pub fn die(&self) {
        self.life.send_replace(Life::Dead);
    }

    /// It dies when so many more statements are done. The last of them is not answered.
    pub fn die_after(&self, statements: u32) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(statements);
    }

    /// Waits until it is dead.
    pub async fn dead(&self) {
        self.wait_for(|life| life == Life::Dead).await;
    }

    /// Waits for ever when it is dead, and else not at all.
    pub async fn lives(&self) {
        self.wait_for(|life| life != Life::Dead).await;
    }

    /// The same until it goes on.
    pub fn stand_still(&self) {
        self.live(Life::StandsStill);
    }

    /// It goes on, if it lives.
    pub fn go_on(&self) {
        self.live(Life::Runs);
    }

    fn live(&self, now: Life) {
        self.life.send_if_modified(|life| {
            let changes = *life != Life::Dead;
            if changes {
                *life = now;
            }
            changes
        });
    }

    /// Waits until it runs: for ever when it is dead.
    pub async fn runs(&self) {
        self.wait_for(|life| life == Life::Runs).await;
    }

    async fn wait_for(&self, is_so: impl Fn(Life) -> bool) {
        if self.life.subscribe().wait_for(|life| is_so(*life)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A statement is done.
    fn count(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.map(|left| left.saturating_sub(1));
        if *left == Some(0) {
            self.die();
        }
    }
}

impl Timing {
    /// Runs work in a task of its own, to its end, whatever becomes of the caller.
    pub(super) fn carry<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        let (answer, answered) = oneshot::channel();
        let work = async move {
            // A caller that has gone wants no answer.
            drop(answer.send(work.await));
        };
        // It may be large, and the caller's future is to be small; and how work is run is compiled once, and not for
        // each kind of work.
        let work: BoxFuture<'static, ()> = Box::pin(work.in_current_span());
        async move {
            self.run(work).await?;
            answered.await.map_err(|_| StoreError::Stopping)?
        }
    }

    /// Returns when the work is done.
    async fn run(&self, work: BoxFuture<'static, ()>) -> Result<(), StoreError> {
        match self {
            Self::Real => ended(tokio::spawn(work).await),
            Self::Paused => {
                // Paused timers jump ahead whenever every task waits, also for a database that
                // answers in real time. They do not while a blocking task runs, so one is kept for
                // as long as the statement takes.
                let (release, held) = std::sync::mpsc::channel::<()>();
                let guard = tokio::task::spawn_blocking(move || held.recv().is_ok());
                let result = tokio::spawn(work).await;
                drop(release);
                drop(guard.await);
                ended(result)
            }
            Self::Lockstep(process) => process.run(work).await,
        }
    }
}

impl Lockstep {
    /// Runs work while everything else stands still. Who dies with it hears no answer.
    async fn run(&self, work: BoxFuture<'static, ()>) -> Result<(), StoreError> {
        self.runs().await;
        let (sender, receiver) = std::sync::mpsc::channel();
        self.runtime.spawn(async move { sender.send(tokio::spawn(work).await) });
        let result = receiver.recv();
        self.count();
        self.lives().await;
        ended(result.map_err(|_| StoreError::Stopping)?)
    }
}

fn ended(result: Result<(), JoinError>) -> Result<(), StoreError> {
    result.or_else(|join| match join.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Err(StoreError::Stopping),
    })
}
