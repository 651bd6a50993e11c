//! `ringfence verify`: what was promised is gone through again, and each kind of breach is found.

use std::path::Path;

use ringfence_domain::{Moment, Outcome, Span};
use ringfence_sandbox::{Behaviour, Event, TapeEntry};
use ringfence_tests::binary::{Vendor, output, text, write_project, write_tape};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::number;
use serde_json::Value;
use sqlx::Connection;

/// Hours that are open for three hours around now, on the clocks of Abidjan, which show UTC.
fn open_now() -> String {
    let now = jiff::Timestamp::now().as_second() / 3_600 % 24;
    let from = (now + 23) % 24;
    format!("{from:02}:00-{:02}:00", from + 3)
}

async fn verified(folder: &Path, tape: &[TapeEntry]) -> (Option<i32>, Value) {
    write_tape(&folder.join("tape.jsonl"), tape);
    let done = output(folder, &["verify", "--tape", "tape.jsonl", "--json"]).await;
    let found = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done)));
    (done.status.code(), found)
}

fn later(entry: &TapeEntry, span: Span) -> TapeEntry {
    TapeEntry { at: entry.at + span, rings_at: entry.rings_at.map(|at| at + span), ..entry.clone() }
}

on_both_databases! {
    async fn each_breach_is_found(database) {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 1)],
            talk: Span::from_millis(100), ring: Span::from_millis(20), ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 12, "");
        let campaign = std::fs::read_to_string(folder.join("spring.toml")).expect("it is there");
        let hours = format!("hours = \"{}\"\ntimezone = \"Africa/Abidjan\"", open_now());
        std::fs::write(folder.join("spring.toml"), campaign.replace("hours = \"24/7\"", &hours)).expect("written");
        let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("it is there");
        std::fs::write(folder.join("ringfence.toml"), config.replace("calls = \"200/s\"", "calls = \"10/s\"")).expect("written");
        let done = output(folder, &["run", "spring.toml", "--until", "done", "--max-time", "60s"]).await;
        assert!(done.status.success(), "{}", text(&done));

        let tape = vendor.simulator.tape().entries();
        let (code, found) = verified(folder, &tape).await;
        assert_eq!(code, Some(0), "{found}");
        for (name, n) in [("contacts", 12), ("calls", 12), ("taped", 12), ("ok", 12), ("duplicated", 0), ("lost", 0)] {
            assert_eq!(found[name], n, "{name}: {found}");
        }
        let shown = output(folder, &["verify", "--tape", "tape.jsonl"]).await;
        assert!(text(&shown).contains("calls with nothing wrong"), "{}", text(&shown));

        let again = TapeEntry { call_id: Some("other".into()), ..later(&tape[3], Span::from_secs(3)) };
        let (code, found) = verified(folder, &[&tape[..], &[again]].concat()).await;
        assert_eq!((code, &found["duplicated"]), (Some(2), &1.into()), "a call that we know nothing of: {found}");
        let what = found["findings"][0]["what"].as_str().expect("words");
        assert!(what.starts_with("line 13 of the tape: ") && what.contains(&tape[3].callee), "{what}");

        let during = TapeEntry { call_id: Some("other".into()), ..later(&tape[3], Span::from_millis(1)) };
        let (_, found) = verified(folder, &[&tape[..], &[during]].concat()).await;
        assert_eq!(found["duplicated"], 2, "the same during a call: {found}");

        let much_later = TapeEntry { event: Event::Refused, ..later(&tape[11], Span::from_minutes(2)) };
        let (code, found) = verified(folder, &[&tape[..5], &tape[6..], &[much_later]].concat()).await;
        assert_eq!((code, &found["lost"]), (Some(2), &1.into()), "a call that the vendor does not have: {found}");

        let moved: Vec<TapeEntry> = tape.iter().map(|entry| later(entry, Span::from_hours(6))).collect();
        let (code, found) = verified(folder, &moved).await;
        assert_eq!((code, &found["out_of_window"]), (Some(2), &12.into()), "all too late: {found}");

        let at: Moment = tape[0].at;
        let crowded: Vec<TapeEntry> = tape.iter().map(|entry| TapeEntry { at, ..entry.clone() }).collect();
        let (code, found) = verified(folder, &crowded).await;
        assert_eq!((code, &found["over_limit"]), (Some(2), &2.into()), "twelve at once of ten: {found}");

        std::fs::write(folder.join("tape.jsonl"), "{\"at\": \"yesterday\"}").expect("written");
        let done = output(folder, &["verify", "--tape", "tape.jsonl"]).await;
        assert_eq!(done.status.code(), Some(1), "{}", text(&done));
        assert!(text(&done).contains("tape.jsonl:1: "), "{}", text(&done));

        forget_somebody(&database.url).await;
        let (code, found) = verified(folder, &tape).await;
        assert_eq!(code, Some(2), "{found}");
        assert!(found["lost"].as_u64().is_some_and(|lost| lost >= 3), "a count, a contact of a file, a number: {found}");
    }
}

/// Somebody deletes a contact and its attempt behind our back, and whose the number of another one is.
async fn forget_somebody(url: &str) {
    let e164 = number(7).e164().to_owned();
    let attempts = "DELETE FROM attempts WHERE number = $1";
    let contacts = "DELETE FROM contacts WHERE number = $1";
    let owner = "DELETE FROM number_owners WHERE contact_id = (SELECT min(id) FROM contacts WHERE number <> $1)";
    if url.starts_with("sqlite") {
        let mut link = sqlx::SqliteConnection::connect(url).await.expect("it opens");
        for statement in [attempts, contacts, owner] {
            sqlx::query(statement).bind(&e164).execute(&mut link).await.expect("deleted");
        }
    } else {
        let mut link = sqlx::PgConnection::connect(url).await.expect("it opens");
        for statement in [attempts, contacts, owner] {
            sqlx::query(statement).bind(&e164).execute(&mut link).await.expect("deleted");
        }
    }
}
