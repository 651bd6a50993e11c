//! apalis' worker over our own queue.
//!
//! The attempts table is the queue; apalis brings concurrency, panic catching and a graceful stop.
//! Its SQL storages are not used: they run tasks twice without any crash, and acknowledge late and
//! unchecked. Nothing here needs an acknowledgement: a burst that arrives never, twice or late
//! changes nothing, because the claim decides.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::*;
use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::layers::Identity;
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::worker::context::WorkerContext;
use ringfence_store::Burst;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// Bursts on their way to the workers of one lane.
#[derive(Debug, Clone)]
struct Bursts {
    queue: Arc<Mutex<mpsc::Receiver<Burst>>>,
    /// The sender is gone and every burst was handed on.
    ended: CancellationToken,
    config: (),
}

impl Backend for Bursts {
    type Task = Task<Burst>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<Burst>, Infallible>>> {
        let Ok(mut queue) = self.queue.try_lock() else { return Poll::Pending };
        match queue.poll_recv(context) {
            Poll::Ready(Some(burst)) => Poll::Ready(Some(Ok(TaskBuilder::new(burst).build()))),
            Poll::Ready(None) => {
                // The end of the stream ends neither the worker by itself, nor the wait for its
                // signal.
                self.ended.cancel();
                drop(worker.stop());
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Bursts {
    type Args = Burst;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &self.config
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

/// Works off bursts, at most `concurrency` at once, until the sender is dropped or `stop` is
/// cancelled; a burst that has begun is finished. A worker that ends before that is started again.
pub async fn work<H, F>(
    name: &str,
    queue: mpsc::Receiver<Burst>,
    concurrency: usize,
    stop: CancellationToken,
    handle: H,
) where
    H: Fn(Burst) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let queue = Arc::new(Mutex::new(queue));
    let ended = stop.child_token();
    loop {
        let handle = handle.clone();
        let worker = WorkerBuilder::new(name)
            .backend(Bursts { queue: queue.clone(), ended: ended.clone(), config: () })
            .catch_panic()
            .concurrency(concurrency)
            .build(move |burst: Burst| {
                let work = handle(burst);
                async move {
                    work.await;
                    Ok::<(), BoxDynError>(())
                }
            });
        let stopping = ended.clone();
        let signal = async move {
            stopping.cancelled().await;
            Ok::<(), std::io::Error>(())
        };
        // Boxed, because the compiler cannot see that the layered worker's future may move between
        // threads.
        let running: Pin<Box<dyn Future<Output = Result<(), WorkerError>> + Send>> = Box::pin(worker.run_until(signal));
        let result = running.await;
        if ended.is_cancelled() {
            return;
        }
        if let Err(error) = result {
            tracing::error!(%error, "the worker of lane {name} ended and is started again: {error}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ringfence_domain::{CampaignId, LaneId, RunId};

    use super::*;

    fn burst(revision: i64) -> Burst {
        Burst { lane: LaneId(1), epoch: 1, campaign: CampaignId(1), run: RunId(1), revision, calls: Vec::new() }
    }

    /// Holds apalis to this: every burst reaches the handler once, as many at once as asked for,
    /// and a panic in one neither ends the worker nor loses the others.
    #[tokio::test]
    async fn every_burst_is_handled_and_a_panic_stays_with_its_own() {
        let (sender, queue) = mpsc::channel(4);
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let worker = tokio::spawn(work("test", queue, 4, CancellationToken::new(), move |burst: Burst| {
            let count = count.clone();
            async move {
                assert!(burst.revision != 7, "a panic on purpose");
                count.fetch_add(1, Ordering::SeqCst);
            }
        }));
        for revision in 0..20 {
            sender.send(burst(revision)).await.expect("the worker listens");
        }
        drop(sender);
        worker.await.expect("the worker ends with its queue");
        assert_eq!(handled.load(Ordering::SeqCst), 19);
    }

    /// Holds apalis to this: a stop lets bursts finish that have begun.
    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_what_has_begun() {
        let (sender, queue) = mpsc::channel(4);
        let finished = Arc::new(AtomicUsize::new(0));
        let (count, begun) = (finished.clone(), Arc::new(tokio::sync::Notify::new()));
        let (signal, stop) = (begun.clone(), CancellationToken::new());
        let worker = tokio::spawn(work("test", queue, 4, stop.clone(), move |_| {
            let (count, signal) = (count.clone(), signal.clone());
            async move {
                signal.notify_one();
                tokio::time::sleep(Duration::from_secs(5)).await;
                count.fetch_add(1, Ordering::SeqCst);
            }
        }));
        sender.send(burst(1)).await.expect("the worker listens");
        begun.notified().await;
        stop.cancel();
        worker.await.expect("the worker ends");
        assert_eq!(finished.load(Ordering::SeqCst), 1);
    }
}
