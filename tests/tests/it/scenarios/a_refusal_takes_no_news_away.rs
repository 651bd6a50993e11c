//! A vendor answers one question and refuses the next: what it answered counts, and it is left alone
//! for as long as it asks.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement, Span};
use ringfence_providers::{AskError, Budget, CallRequest, Checked, Findings, LostCall, OutCall, Provider};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, Unset, VirtualClock, twenty2};

/// A vendor that answers about one call at a time.
#[derive(Debug)]
struct OneAtATime {
    vendor: Arc<dyn Provider>,
}

#[async_trait]
impl Provider for OneAtATime {
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
        let news = self.vendor.ask(&calls[..1], budget).await?;
        budget.cut_short(AskError::Throttled {
            cause: "one is enough".to_owned(),
            retry_after: Some(Span::from_secs(40)),
        });
        Ok(news)
    }

    async fn find(&self, lost: &[LostCall], now: Moment, budget: &dyn Budget) -> Result<Findings, AskError> {
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
async fn each_round_brings_one_outcome_and_a_rest() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon());
    let adapter = |settings: &_, line| -> Arc<dyn Provider> {
        Arc::new(OneAtATime { vendor: twenty2(settings, "national", line) })
    };
    let vendor = Arc::new(Unset(clock.clone()));
    let (lane, rules) = (lane_settings("main"), rules("spring", "main"));
    let behaviour = Behaviour { outcomes: vec![(ringfence_domain::Outcome::Answered, 1)], ..Behaviour::default() };
    let mut dialer =
        Dialer::set_beside(database.store.clone(), clock.clone(), vendor, lane, rules, behaviour, 3, adapter).await;
    dialer.start();
    dialer.until("the first outcome", |count| count("attempt:ended") >= 1).await;
    let began = tokio::time::Instant::now();
    let lane = database.store.lanes().await.expect("lanes").remove(0);
    assert_eq!(lane.backoff_reason.as_deref(), Some("one is enough"));
    assert!(lane.backoff_until > noon() + Span::from_secs(40), "{:?}", lane.backoff_until);
    dialer.until("all outcomes", |count| count("contact:done") == 3).await;
    assert!(began.elapsed() >= Span::from_secs(40).duration(), "it was left alone: {:?}", began.elapsed());
    dialer.stop().await;
}
