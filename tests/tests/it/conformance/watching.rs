//! That a campaign is finished, or dials nobody though people wait, is told once; and what happened
//! in calls is forgotten in the end.

use ringfence_domain::event::EventKind;
use ringfence_domain::{MessageState, Outcome, Placement, Span};
use ringfence_operations::watch;
use ringfence_store::{Database, EventFilter, EventScope, NewMessage, SentMessage, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::virtual_time::VirtualClock;

async fn told(store: &Database, scope: EventScope) -> Vec<EventKind> {
    let filter = EventFilter { scope, ..EventFilter::default() };
    store.events(filter, 1_000).await.expect("events").into_iter().map(|event| event.kind).collect()
}

async fn times(store: &Database, kind: EventKind) -> usize {
    told(store, EventScope::Changes).await.into_iter().filter(|told| *told == kind).count()
}

/// Calls one contact, who picks up.
async fn call(stage: &Stage, store: &Database) {
    let attempt = stage.claim(store, 1, noon()).await[0];
    let accepted = Placement::Accepted { call_id: format!("call-{attempt}") };
    store.record(vec![stage.sent(attempt, accepted)], noon()).await.expect("recorded");
    let ended = Settlement::Ended(Outcome::Answered, Box::default());
    store.settle(vec![(attempt, ended)], noon()).await.expect("settled");
}

on_both_databases! {
    async fn a_campaign_that_is_done_with_everybody_is_told_once(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let owner = store.lanes().await.expect("lanes")[0].owner.clone().expect("an owner");
        let clock = VirtualClock::at(noon());
        watch::look(store, &*clock, &owner).await.expect("looked");
        assert_eq!(times(store, EventKind::CampaignFinished).await, 0);
        call(&stage, store).await;
        watch::look(store, &*clock, "somebody else").await.expect("looked");
        assert_eq!(times(store, EventKind::CampaignFinished).await, 0, "it is told by who dials the lane");
        for _ in 0..3 {
            watch::look(store, &*clock, &owner).await.expect("looked");
        }
        assert_eq!(times(store, EventKind::CampaignFinished).await, 1);
        assert_eq!(times(store, EventKind::CampaignStalled).await, 0);
    }
}

on_both_databases! {
    async fn a_run_that_stands_still_is_told_once_each_time(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let note = |holds| {
            let because = Some("all 3 slots are taken".to_owned());
            store.note_run(stage.campaign.run, EventKind::CampaignStalled, holds, because, noon())
        };
        for holds in [true, true, false, false, true] {
            note(holds).await.expect("noted");
        }
        assert_eq!(times(store, EventKind::CampaignStalled).await, 2);
    }
}

on_both_databases! {
    async fn what_happened_in_calls_is_forgotten_and_changes_are_not(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let changes = told(store, EventScope::Changes).await;
        call(&stage, store).await;
        let all = told(store, EventScope::WithCalls).await;
        assert_eq!(all[changes.len()..], [EventKind::CallEnded, EventKind::ContactFinished]);
        assert_eq!(told(store, EventScope::Changes).await, changes, "changes are told without calls");
        assert!(!store.forget_call_events(noon()).await.expect("forgotten"));
        assert_eq!(told(store, EventScope::WithCalls).await.len(), all.len(), "nothing of them is old");
        assert!(!store.forget_call_events(noon() + Span::from_secs(1)).await.expect("forgotten"));
        assert_eq!(told(store, EventScope::WithCalls).await, changes);
    }
}

on_both_databases! {
    async fn a_message_is_queued_once_and_forgotten_once_it_is_old(database) {
        let store = &database.store;
        let id = store.register_webhook("https://crm.example/hook".into()).await.expect("known").id;
        let message = || vec![NewMessage { event_id: 7, kind: EventKind::CallEnded, body: "{}".into() }];
        assert!(store.queue_messages(id, 0, 7, message(), noon()).await.expect("queued"));
        assert!(!store.queue_messages(id, 0, 7, message(), noon()).await.expect("asked"), "another was first");
        let due = store.due_messages(id, noon(), 10).await.expect("due");
        assert_eq!(due.len(), 1);
        let (state, answer) = (MessageState::Delivered, "200 OK".to_owned());
        let sent = SentMessage { message_id: due[0].id, state, due_at: noon(), answer };
        store.keep_sent(id, vec![sent]).await.expect("kept");
        for (before, left) in [(noon(), 1), (noon() + Span::from_secs(1), 0)] {
            assert!(!store.forget_messages(state, before).await.expect("forgotten"));
            assert_eq!(store.messages(id, None, i64::MAX, 10).await.expect("messages").len(), left);
        }
    }
}
