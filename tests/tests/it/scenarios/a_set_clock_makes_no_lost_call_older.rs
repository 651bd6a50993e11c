//! The clock of the database is set forward by an hour while answers are lost: the vendor is asked
//! about calls of their true age, so that none of them counts as absent before its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement, Span};
use ringfence_providers::{AskError, Budget, CallRequest, Checked, Findings, LostCall, OutCall, Provider};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, Unset, VirtualClock, twenty2};

/// A vendor that remembers how old, in milliseconds, the oldest call was that it was asked to
/// find.
#[derive(Debug)]
struct Asked {
    vendor: Arc<dyn Provider>,
    oldest: Arc<AtomicI64>,
}

#[async_trait]
impl Provider for Asked {
    fn can_call(&self, number: &PhoneNumber) -> Result<(), String> {
        self.vendor.can_call(number)
    }

    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String> {
        self.vendor.written(call)
    }

    async fn place(&self, call: &CallRequest) -> Placement {
        self.vendor.place(call).await
    }

    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        self.vendor.ask(calls, budget).await
    }

    async fn find(&self, lost: &[LostCall], now: Moment, budget: &dyn Budget) -> Result<Findings, AskError> {
        let oldest = lost.iter().map(|call| now.since(call.sent_at).millis()).max().unwrap_or_default();
        self.oldest.fetch_max(oldest, Ordering::SeqCst);
        self.vendor.find(lost, now, budget).await
    }

    fn reported(&self, report: &[u8]) -> Option<String> {
        self.vendor.reported(report)
    }

    async fn check(&self) -> Result<Checked, AskError> {
        self.vendor.check().await
    }
}

#[tokio::test]
async fn an_hour_on_the_clock_is_no_hour_of_waiting() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon());
    let oldest = Arc::new(AtomicI64::new(0));
    let behaviour = Behaviour { faults: vec![(Fault::LostRequest, 100.0)], ..Behaviour::default() };
    let remembered = oldest.clone();
    let adapter = move |settings: &_, line| -> Arc<dyn Provider> {
        Arc::new(Asked { vendor: twenty2(settings, "national", line), oldest: remembered.clone() })
    };
    let vendor = Arc::new(Unset(clock.clone()));
    let (lane, rules) = (lane_settings("main"), rules("spring", "main"));
    let mut dialer =
        Dialer::set_beside(database.store.clone(), clock.clone(), vendor, lane, rules, behaviour, 3, adapter).await;
    dialer.start();
    dialer.until("lost requests", |count| count("attempt:unknown") == 3).await;
    clock.set_by(60 * 60_000);
    tokio::time::sleep(Span::from_minutes(10).duration()).await;
    dialer.stop().await;
    let oldest = Span::from_millis(oldest.load(Ordering::SeqCst));
    assert!(oldest > Span::from_minutes(1), "it was asked again and again: {oldest:?}");
    assert!(oldest < Span::from_minutes(15), "{oldest:?} of ten minutes");
}
