//! Whatever is logged while a call is made says of which lane, campaign and attempt; whatever is
//! logged within a transition of the database, also of which transition.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ringfence_domain::Outcome;
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};
use serde_json::Value;
use tracing_subscriber::fmt::format::FmtSpan;

/// A log in memory.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// The value that the spans around a line have under this name.
fn of_spans<'l>(line: &'l Value, name: &str) -> Option<&'l Value> {
    line["spans"].as_array()?.iter().rev().find_map(|span| span.get(name))
}

#[tokio::test]
async fn a_call_is_logged_with_its_lane_campaign_and_attempt() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    // The test and all its tasks run on this thread.
    let _logging = tracing::subscriber::set_default(subscriber);
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let answered = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
    let (clock, settings) = (VirtualClock::at(noon()), lane_settings("main"));
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), answered, 3).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;

    let lines = log.lines();
    let about = |line: &&Value| line["fields"]["attempt.id"].is_string() && line["fields"]["placement"].is_string();
    let calls: Vec<&Value> = lines.iter().filter(about).collect();
    assert_eq!(calls.len(), 3, "one line for each call");
    for call in calls {
        assert_eq!(of_spans(call, "lane"), Some(&Value::from("main")), "{call}");
        assert_eq!(of_spans(call, "campaign"), Some(&Value::from("spring")), "{call}");
        assert_eq!(of_spans(call, "attempt"), Some(&call["fields"]["attempt.id"]), "{call}");
    }
    let claim = lines.iter().find(|line| line["span"]["name"] == "db.claim").expect("the transition has a span");
    assert_eq!(of_spans(claim, "lane"), Some(&Value::from("main")), "{claim}");
    assert_eq!(of_spans(claim, "campaign"), Some(&Value::from("spring")), "{claim}");
    for loops in ["db.lane_standing", "db.bursts", "db.settle"] {
        let question = lines.iter().find(|line| line["span"]["name"] == loops).expect(loops);
        assert_eq!(of_spans(question, "lane"), Some(&Value::from("main")), "{question}");
    }
}
