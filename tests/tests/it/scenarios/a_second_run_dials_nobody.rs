//! `ringfence run` against a vendor over HTTP, twice.

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, write_project};
use ringfence_tests::on_both_databases;

on_both_databases! {
    async fn each_contact_once_per_permitted_try_and_the_tape_agrees(database) {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 6), (Outcome::Busy, 2), (Outcome::NoAnswer, 2)],
            talk: Span::from_millis(300), ring: Span::from_millis(50), latency: Span::from_millis(2),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 150, "[retry]\nbusy = \"1s\"\nno_answer = [\"1s\", \"2s\"]\nmax_attempts = 3");
        let first = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(first["state"], "done", "{first}");
        assert_eq!(first["contacts"]["total"], 150);
        let calls = vendor.simulator.tape().calls();
        assert_eq!(first["attempts"]["placed"], calls.len());
        for outcome in [Outcome::Answered, Outcome::Busy, Outcome::NoAnswer] {
            let taped = calls.iter().filter(|call| call.outcome == Some(outcome)).count();
            assert_eq!(first["outcomes"][outcome.as_str()], taped, "{outcome}");
        }
        let mut by_number = std::collections::BTreeMap::<String, usize>::new();
        for call in &calls {
            *by_number.entry(call.callee.clone()).or_default() += 1;
        }
        assert_eq!(by_number.len(), 150);
        assert!(by_number.values().all(|n| *n <= 3));
        let sums = |name: &str| first[name].as_object().expect("counts").values().map(|n| n.as_i64().expect("a count")).sum::<i64>();
        assert_eq!(sums("stopped_for"), first["contacts"]["stopped"].as_i64().expect("a count"));
        assert_eq!(sums("waiting_for"), 0);

        let second = json(folder, &["run", "spring.toml", "--json"]).await;
        assert_eq!(vendor.simulator.tape().calls().len(), calls.len(), "nobody was called again");
        assert_eq!(second["contacts"], first["contacts"]);
        assert_eq!(second["last_import"]["rows"], 150);
    }
}
