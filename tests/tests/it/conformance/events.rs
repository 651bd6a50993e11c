//! Every change of state is kept with its subject, its cause, and who made it.

use ringfence_domain::event::{Event, EventKind};
use ringfence_domain::{CampaignState, LaneEffect, LaneState, PausedBy, Span};
use ringfence_store::{Actor, Begin, Database, EventFilter, ImportCounts, ReviewAnswer, Subject};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon, rules};

async fn all(store: &Database) -> Vec<Event> {
    store.events(EventFilter::default(), 1_000).await.expect("events")
}

/// The events after the first `seen`, as people read them.
async fn told(store: &Database, seen: usize) -> Vec<String> {
    all(store).await[seen..].iter().map(|event| format!("{}: {event}", event.kind)).collect()
}

on_both_databases! {
    async fn what_is_done_to_a_lane_is_told_once(database) {
        let stage = Stage::set(&database.store, 1).await;
        let store = &database.store;
        let seen = all(store).await.len();
        store.pause_lane(stage.lane, "HTTP 401".into(), noon()).await.expect("paused");
        store.pause_lane(stage.lane, "again".into(), noon()).await.expect("it is");
        store.resume_lane(stage.lane, noon()).await.expect("resumed");
        let trouble = |now| store.affect_lane(stage.lane, LaneEffect::Trouble("reset".into()), now);
        trouble(noon()).await.expect("trouble");
        trouble(noon() + Span::from_secs(2)).await.expect("more of it");
        store.affect_lane(stage.lane, LaneEffect::Fine, noon() + Span::from_secs(9)).await.expect("fine");
        store.affect_lane(stage.lane, LaneEffect::Fine, noon() + Span::from_secs(9)).await.expect("still");
        let until = noon() + Span::from_minutes(1);
        store.affect_lane(stage.lane, LaneEffect::Slow(until, "429".into()), noon() + Span::from_secs(10)).await.expect("slow");
        assert_eq!(told(store, seen).await, [
            "lane.paused: lane main was paused: HTTP 401",
            "lane.open: lane main works again: resumed",
            "lane.slowed: lane main rests: reset",
            "lane.open: lane main works again",
            "lane.slowed: lane main rests: 429",
        ]);
        assert_eq!(store.lanes().await.expect("lanes")[0].state, LaneState::Open);
    }
}

on_both_databases! {
    async fn what_is_done_to_a_campaign_is_told_with_its_keys_and_reasons(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let seen = all(store).await.len();
        let mut changed = rules("spring", "main");
        changed.priority = 2;
        changed.limits.concurrent = Some(3);
        let apply = |rules| store.apply(rules, stage.lane, Begin::Running, noon());
        apply(changed.clone()).await.expect("applied");
        apply(changed).await.expect("as it was");
        let id = stage.campaign.id;
        store.pause_campaign(id, PausedBy::Person, "look".into(), noon()).await.expect("paused");
        store.resume_campaign(id, false, noon()).await.expect("resumed");
        let (run, _) = store.begin_run(id, "november".into(), noon()).await.expect("a run");
        store.cancel_campaign(id, "wrong list".into(), noon()).await.expect("cancelled");
        store.pause_campaign(id, PausedBy::Person, "late".into(), noon()).await.expect_err("it is cancelled");
        assert_eq!(told(store, seen).await, [
            "campaign.applied: campaign spring was applied: changed: limits.concurrent, priority",
            "campaign.paused: campaign spring was paused: person: look",
            "campaign.resumed: campaign spring may dial again",
            "run.began: campaign spring began a fresh run: run 2, november",
            "campaign.cancelled: campaign spring was cancelled: wrong list",
        ]);
        assert_eq!(run.number, 2);
        assert_eq!(store.campaign_by_id(id).await.expect("a campaign").state, CampaignState::Cancelled);
    }
}

on_both_databases! {
    async fn imports_stops_and_settled_calls_are_told(database) {
        let stage = Stage::set(&database.store, 2).await;
        let store = &database.store;
        let first = told(store, 0).await;
        assert!(first.iter().any(|line| line.starts_with("import.began: campaign spring takes in a contact file")), "{first:?}");
        assert!(first.iter().any(|line| line.starts_with("import.released: campaign spring released an import")), "{first:?}");
        let seen = all(store).await.len();
        store.stop_all("wrong list".into(), noon()).await.expect("stopped");
        store.start_all(noon()).await.expect("started");
        let attempt = stage.claim(store, 1, noon()).await[0];
        let unknown = ringfence_domain::Placement::Unknown { cause: "reset".into() };
        store.record(vec![stage.sent(attempt, unknown)], noon()).await.expect("recorded");
        store.settle(vec![(attempt, ringfence_store::Settlement::Review)], noon()).await.expect("in review");
        let contact = store.reviews(None, ringfence_domain::ContactId(0), 10).await.expect("reviews")[0].contact;
        assert!(store.decide_review(contact, ReviewAnswer::Placed, noon()).await.expect("settled"));
        assert_eq!(told(store, seen).await, [
            "stopped: everything was stopped: wrong list".to_owned(),
            "started: the stop was lifted".to_owned(),
            format!("review.settled: campaign spring a call of unknown fate was settled: contact {contact}: placed"),
        ]);
    }
}

on_both_databases! {
    async fn lanes_that_change_hands_held_lists_and_last_days_are_told(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let first = told(store, 0).await;
        assert!(first.contains(&"lane.taken: lane main is dialled by this process".to_owned()), "{first:?}");
        let seen = all(store).await.len();
        store.release_lane(stage.lane, stage.epoch + 1, None, noon()).await.expect("nothing: it is not theirs");
        store.release_lane(stage.lane, stage.epoch, None, noon()).await.expect("given back");
        let import = sample::begin_import(store, stage.run(), "wrong", noon()).await;
        store.hold_import(import, ImportCounts::default(), "too many".into(), noon()).await.expect("held");
        store.undo_import(import, noon()).await.expect("undone");
        let revision = store.campaign_by_id(stage.campaign.id).await.expect("a campaign").revision;
        store.end_run(stage.campaign.id, revision, noon()).await.expect("ended");
        assert_eq!(told(store, seen).await, [
            "lane.given_back: lane main was given back".to_owned(),
            format!("import.began: campaign spring takes in a contact file: import {import}, wrong.csv"),
            format!("import.held: campaign spring holds an import: import {import}: too many"),
            format!("campaign.held: campaign spring is held by a safety rail: import {import}: too many"),
            format!("import.undone: campaign spring undid an import: import {import}, wrong.csv"),
            "run.closed: campaign spring closed its run: its last day is over".to_owned(),
        ]);
    }
}

on_both_databases! {
    async fn events_are_found_by_time_campaign_and_lane_and_name_who_made_them(database) {
        let store = std::sync::Arc::new((*database.store).clone().changed_by(Actor::person("asha@desk", "command line")));
        let one = Stage::set_with(&store, sample::lane_settings("one"), rules("spring", "one"), 1).await;
        Stage::set_with(&store, sample::lane_settings("two"), rules("summer", "two"), 1).await;
        let later = noon() + Span::from_hours(1);
        store.pause_lane(one.lane, "by hand".into(), later).await.expect("paused");
        store.note_event(EventKind::DncAdded, Subject::All, Some("3 by hand".into()), later).await.expect("noted");
        let find = |filter| store.events(filter, 100);
        let of = |campaign: Option<&str>, lane: Option<&str>| EventFilter {
            campaign: campaign.map(str::to_owned), lane: lane.map(str::to_owned), ..EventFilter::default()
        };
        let spring = find(of(Some("spring"), None)).await.expect("events");
        assert!(!spring.is_empty() && spring.iter().all(|event| event.campaign.as_deref() == Some("spring")));
        let of_one = find(of(None, Some("one"))).await.expect("events");
        assert!(of_one.len() > spring.len() && of_one.iter().all(|event| event.lane.as_deref() == Some("one")));
        let since = find(EventFilter { since: Some(later), ..EventFilter::default() }).await.expect("events");
        assert_eq!(since.iter().map(|event| event.kind).collect::<Vec<_>>(), [EventKind::LanePaused, EventKind::DncAdded]);
        assert!(since.iter().all(|event| event.who == "asha@desk"), "{since:?}");
        let rest = find(EventFilter { after: since[0].id, ..EventFilter::default() }).await.expect("events");
        assert_eq!(rest, since[1..]);
        let last = store.last_event(EventKind::LanePaused, Subject::Lane(one.lane)).await.expect("an answer");
        assert_eq!(last.as_ref(), Some(&since[0]));
    }
}

on_both_databases! {
    async fn a_process_lives_by_its_signs(database) {
        let store = &database.store;
        let name = "boot/0af3/4711/1795161600000/dialer-1";
        store.begin_process(name.into(), "serve".into(), noon()).await.expect("begun");
        let process = async || store.processes().await.expect("processes").remove(0);
        let known = process().await;
        assert_eq!((known.host.as_str(), known.pid, known.command.as_str()), ("dialer-1", 4711, "serve"));
        assert!(known.lives(noon() + Span::from_secs(29)) && !known.lives(noon() + Span::from_secs(31)));
        store.sign_of_life(name.into(), noon() + Span::from_secs(30)).await.expect("a sign");
        assert!(process().await.lives(noon() + Span::from_secs(59)));
        store.end_process(name.into(), noon() + Span::from_secs(40)).await.expect("ended");
        assert!(!process().await.lives(noon() + Span::from_secs(41)));
        assert_eq!(told(store, 0).await, [
            format!("process.started: a process started: serve {}, process 4711 on dialer-1", env!("CARGO_PKG_VERSION")),
            "process.ended: a process ended: process 4711 on dialer-1".to_owned(),
        ]);
    }
}

on_both_databases! {
    async fn a_database_that_can_only_be_read_is_shown_and_not_changed(database) {
        let stage = Stage::set(&database.store, 2).await;
        let read = Database::open_to_read(database.store.location()).await.expect("it opens");
        let figures = read.numbers("spring".into(), noon()).await.expect("an answer").expect("a campaign");
        assert_eq!(figures.counts["contact:waiting"], 2);
        if database.url.starts_with("sqlite") {
            read.pause_lane(stage.lane, "no".into(), noon()).await.expect_err("it can only be read");
            assert_eq!(database.store.lanes().await.expect("lanes")[0].state, LaneState::Open);
        }
        read.close().await;
    }
}
