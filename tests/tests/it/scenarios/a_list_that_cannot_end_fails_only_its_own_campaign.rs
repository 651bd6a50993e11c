//! Scheduled files that never end, or that nobody can read: each campaign is told of its own, and
//! the others begin.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{Clock, Moment, Span};
use ringfence_operations::Notices;
use ringfence_operations::scheduling::cron_scheduler;
use ringfence_providers::{HttpTransport, Provider};
use ringfence_store::Begin;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{lane_settings, number, rules};
use ringfence_tests::virtual_time::{HandClock, twenty2_at};

on_both_databases! {
    async fn the_others_begin(database) {
        let (store, folder) = (database.store.clone(), database.folder());
        let nine: Moment = "2026-11-21T03:30:00Z".parse().expect("a moment");
        let clock = HandClock::at(nine - Span::from_hours(1));
        let settings = lane_settings("main");
        let lane = store.register_lane(settings.clone(), clock.read().now).await.expect("a lane").id;
        let made = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().expect("mkfifo");
        assert!(made.success());
        std::fs::File::create(folder.join("zeros")).and_then(|file| file.set_len(1 << 32)).expect("a hole of 4 GB");
        std::fs::write(folder.join("wide"), format!("phone{}\n", ",x".repeat(10_000))).expect("written");
        // Each row is long, and all of them are more than one transaction may hold.
        let mut long = String::from("phone,note\n");
        for n in 0..300 {
            writeln!(long, "{},{}", number(n).e164(), "x".repeat(30_000)).expect("written");
        }
        std::fs::write(folder.join("long"), long).expect("written");
        let files = [
            ("a-pipe", "pipe", "it is a named pipe"),
            ("b-folder", ".", "it is a folder"),
            ("c-zeros", "zeros", "longer than 1 MB"),
            ("d-device", "/dev/zero", "it is a device"),
            ("e-wide", "wide", "more than 500 columns"),
            ("f-missing", "nowhere", "cannot be read"),
            ("g-long", "long", "300 rows: 300 accepted"),
        ];
        for (name, file, _) in files {
            let mut rules = rules(name, "main");
            rules.contacts.file = Some(folder.join(file).display().to_string());
            rules.schedule.cron = Some("0 9 * * *".parse().expect("a line"));
            store.apply(rules, lane, Begin::Running, clock.read().now).await.expect("a campaign");
        }
        let transport = HttpTransport::new(None).expect("a client");
        let provider: Arc<dyn Provider> = twenty2_at("http://127.0.0.1:1", &settings, "national", transport);
        let providers = BTreeMap::from([("main".to_owned(), provider)]);
        clock.set(nine);
        let timekeeper = cron_scheduler(store.clone(), clock, "tests/one".to_owned(), providers, Notices::default());
        let over = tokio::time::timeout(Duration::from_mins(2), timekeeper.run_once()).await.expect("it ends");
        assert_eq!(over.expect("a look"), 7);
        let schedules = store.schedules().await.expect("schedules");
        for (name, _, says) in files {
            let campaign = store.campaign(name.into()).await.expect("an answer").expect("there").id;
            let schedule = schedules.iter().find(|schedule| schedule.campaign == campaign).expect("a schedule");
            let told = schedule.last_result.clone().unwrap_or_default();
            assert!(told.contains(says), "{name}: {told}");
        }
    }
}
