//! kill -9 of the real binary at random moments, again and again, against the vendor's tape.

#![expect(clippy::print_stdout, reason = "the seed is what a failure is repeated by")]

use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, output, start, text, write_project};
use ringfence_tests::on_both_databases;

const KILLS: u64 = 30;
const CONTACTS: usize = 1_200;

on_both_databases! {
    async fn nobody_twice_and_nobody_lost(database) {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 8), (Outcome::Busy, 1), (Outcome::NoAnswer, 1)],
            talk: Span::from_millis(250), ring: Span::from_millis(50), latency: Span::from_millis(15),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, CONTACTS,
            "[retry]\nbusy = \"1s\"\nno_answer = \"1s\"\nmax_attempts = 2\n[on_unknown]\nask_for = \"30s\"");
        let seed = uuid::Uuid::new_v4().as_u128() as u64;
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..KILLS {
            let mut run = start(folder, &["run", "spring.toml", "--until", "done"]);
            // From before the import until the middle of dialling.
            tokio::time::sleep(Duration::from_millis(random.u64(20..920))).await;
            run.kill().await.expect("it is killed");
        }
        // A server that is busy needs a moment to see that the last one is dead; until then it
        // counts as running.
        let (done, summary) = loop {
            let done = output(folder, &["run", "spring.toml", "--until", "done", "--max-time", "240s", "--json"]).await;
            let summary: serde_json::Value =
                serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done)));
            if summary["already_running"] == false {
                break (done, summary);
            }
        };
        assert!(matches!(done.status.code(), Some(0 | 3)), "{}", text(&done));
        assert_eq!(summary["contacts"]["total"], CONTACTS, "nobody lost: {summary}");
        assert_eq!(summary["contacts"]["waiting"], 0, "{summary}");
        assert_eq!(summary["contacts"]["active"], 0, "{summary}");

        let mut calls = std::collections::BTreeMap::<String, Vec<_>>::new();
        for call in vendor.simulator.tape().calls() {
            calls.entry(call.callee.clone()).or_default().push(call);
        }
        for (callee, calls) in &calls {
            assert!(calls.len() <= 2, "seed {seed}: {callee} was called {} times", calls.len());
            if let [first, second] = calls.as_slice() {
                assert_ne!(first.outcome, Some(Outcome::Answered), "seed {seed}: {callee} had been reached");
                assert!(second.at >= first.ends_at.expect("it ends"), "seed {seed}: {callee} was called during a call");
            }
        }
        let review = summary["contacts"]["review"].as_u64().expect("a count") as usize;
        assert!(calls.len() + review >= CONTACTS, "seed {seed}: {} people called, {review} in review", calls.len());
        println!("{} calls to {} people, {review} in review after {KILLS} kills", vendor.simulator.tape().calls().len(), calls.len());
        let run = database.store.campaign("spring".into()).await.expect("a campaign").expect("it is there").run;
        assert_eq!(database.store.recount(run).await.expect("a recount"), []);
    }
}
