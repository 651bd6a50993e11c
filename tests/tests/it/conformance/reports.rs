//! What vendors report: kept once, matched with its call whenever both are there, forgotten in the
//! end.

use ringfence_domain::{Outcome, Placement, Span};
use ringfence_store::{NewReport, Reported, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};

fn report(stage: &Stage, reference: Option<&str>, body: &str) -> NewReport {
    NewReport {
        lane: stage.lane,
        reference: reference.map(str::to_owned),
        digest: format!("{reference:?} {body:?}"),
        body: body.to_owned(),
    }
}

/// Keeps a report and reads it as being about this call.
async fn kept(store: &ringfence_store::Database, stage: &Stage, reference: Option<&str>, call_id: Option<&str>) -> i64 {
    let body = format!("about {call_id:?}");
    assert!(store.keep_report(report(stage, reference, &body), noon()).await.expect("kept"));
    let unread = store.unread_reports(stage.lane, 10).await.expect("reports");
    let id = unread.last().expect("one").id;
    store.read_reports(vec![(id, call_id.map(str::to_owned))], noon()).await.expect("read");
    id
}

on_both_databases! {
    async fn the_same_report_is_kept_once(database) {
        let stage = Stage::set(&database.store, 1).await;
        let store = &database.store;
        assert!(store.keep_report(report(&stage, None, "a\0b"), noon()).await.expect("kept"));
        assert!(!store.keep_report(report(&stage, None, "a\0b"), noon()).await.expect("kept"));
        assert!(store.keep_report(report(&stage, Some("r"), "a\0b"), noon()).await.expect("kept"), "another address");
        let unread = store.unread_reports(stage.lane, 10).await.expect("reports");
        assert_eq!(unread.iter().map(|report| report.body.as_str()).collect::<Vec<_>>(), ["ab", "ab"]);
        assert_eq!(store.unread_reports(stage.lane, 1).await.expect("reports").len(), 1);
        store.read_reports(vec![(unread[0].id, None), (unread[1].id, Some("c".into()))], noon()).await.expect("read");
        assert_eq!(store.unread_reports(stage.lane, 10).await.expect("reports"), []);
        assert_eq!(store.reported(stage.lane).await.expect("reports"), [], "no such call is out");
    }
}

on_both_databases! {
    async fn a_report_waits_for_the_receipt_of_its_call(database) {
        let stage = Stage::set(&database.store, 2).await;
        let store = &database.store;
        let attempts = stage.claim(store, 2, noon()).await;
        let call_id = format!("call-{}", attempts[0]);
        let early = kept(store, &stage, None, Some(&call_id)).await;
        assert_eq!(store.reported(stage.lane).await.expect("reports"), [], "it is still being sent");
        let sent = attempts.iter().map(|id| stage.accepted(*id, noon())).collect();
        store.record(sent, noon()).await.expect("a record");
        let matched = Reported { id: early, attempt: attempts[0], call_id: Some(call_id), own: false, used: false };
        assert_eq!(store.reported(stage.lane).await.expect("reports"), [matched]);
        store.use_reports(vec![early], noon()).await.expect("used");
        assert_eq!(store.reported(stage.lane).await.expect("reports"), [], "one question is enough");
    }
}

on_both_databases! {
    async fn a_report_of_a_call_that_is_over_changes_nothing(database) {
        let stage = Stage::set(&database.store, 1).await;
        let store = &database.store;
        let attempt = stage.place(store, 1, noon()).await[0];
        let over = vec![(attempt, Settlement::Ended(Outcome::Answered, Box::default()))];
        store.settle(over, noon()).await.expect("settled");
        kept(store, &stage, None, Some(&format!("call-{attempt}"))).await;
        assert_eq!(store.reported(stage.lane).await.expect("reports"), []);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_attempts_own_address_names_it_without_a_receipt(database) {
        let stage = Stage::set(&database.store, 1).await;
        let store = &database.store;
        let attempt = stage.claim(store, 1, noon()).await[0];
        let unknown = Placement::Unknown { cause: "timed out".into() };
        store.record(vec![stage.sent(attempt, unknown)], noon()).await.expect("a record");
        let reference = store.live_calls(stage.lane).await.expect("calls")[0].reference.clone();
        kept(store, &stage, Some("somebody-else"), Some("x")).await;
        let own = kept(store, &stage, Some(&reference), Some("call-9")).await;
        let matched =
            |used| Reported { id: own, attempt, call_id: Some("call-9".into()), own: true, used };
        assert_eq!(store.reported(stage.lane).await.expect("reports"), [matched(false)]);
        store.use_reports(vec![own], noon()).await.expect("used");
        let again = store.reported(stage.lane).await.expect("reports");
        assert_eq!(again, [matched(true)], "for as long as its fate is unknown, what was reported is known");
    }
}

on_both_databases! {
    async fn reports_are_forgotten_in_the_end(database) {
        let stage = Stage::set(&database.store, 1).await;
        let store = &database.store;
        for (body, age) in [("old", 8), ("young", 6)] {
            store.keep_report(report(&stage, None, body), noon() - Span::from_days(age)).await.expect("kept");
        }
        assert_eq!(store.forget_reports(noon() - Span::from_days(7)).await.expect("forgotten"), 1);
        let left = store.unread_reports(stage.lane, 10).await.expect("reports");
        assert_eq!(left.iter().map(|report| report.body.as_str()).collect::<Vec<_>>(), ["young"]);
    }
}

on_both_databases! {
    async fn addresses_survive_a_restart(database) {
        let again = database.another().await;
        assert_eq!(again.report_key(), database.store.report_key());
    }
}
