//! The end of a process: one signal reaches every task, and the process waits until all have left.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the end waits for answers to requests under way and for lanes to be given back. A
/// connection that says nothing is not waited for longer.
const LAST_WORD: Duration = Duration::from_secs(20);

/// The tasks of a process, and the signal that ends them.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Returns the signal that tells a task to leave.
    pub fn signal(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Begins a task that the end waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Tells every task to leave, and waits for them. A task that does not end in time is left, and
    /// named in the log.
    pub async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(LAST_WORD, self.tasks.wait()).await.is_err() {
            tracing::warn!("something does not end, and is left");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_task_is_told_and_none_is_waited_for_longer_than_the_last_word() {
        let shutdown = Shutdown::default();
        let (signal, (ended, told)) = (shutdown.signal(), tokio::sync::oneshot::channel());
        shutdown.spawn(async move {
            signal.cancelled().await;
            ended.send(()).expect("somebody listens");
        });
        shutdown.spawn(std::future::pending());
        let began = tokio::time::Instant::now();
        shutdown.end().await;
        told.await.expect("it was told");
        assert_eq!(began.elapsed(), LAST_WORD);
    }
}
