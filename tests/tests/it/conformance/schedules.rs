//! Scheduled moments, and the do-not-call list.

use ringfence_domain::event::EventKind;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::{Moment, Span};
use ringfence_store::Begin;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon, rules};

fn daily() -> Schedule {
    Schedule { cron: Some("0 9 * * *".parse().expect("a line")), ..Schedule::default() }
}

/// Nine o'clock in India on the day after `noon`.
fn nine() -> Moment {
    "2026-11-21T03:30:00Z".parse().expect("a moment")
}

on_both_databases! {
    async fn a_moment_is_worked_at_by_one_process_and_survives_its_death(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let mut scheduled = rules("daily", "main");
        scheduled.schedule = daily();
        let (_, row) = store.apply(scheduled.clone(), stage.lane, Begin::Running, noon()).await.expect("applied");
        let next = || async { store.schedules().await.expect("schedules").remove(0).next_at };
        assert_eq!(next().await, Some(nine()));

        let lease = nine() + Span::from_secs(9);
        let take = |who: &'static str, dead: Option<&'static str>, now: Moment| {
            store.take_moment(row.id, nine(), who.into(), dead.map(Into::into), now, now + Span::from_secs(9))
        };
        assert!(take("a", None, nine()).await.expect("an answer"));
        assert!(!take("b", None, nine()).await.expect("an answer"), "it is a's");
        assert!(take("a", None, nine()).await.expect("an answer"), "renewed");
        // Whatever else changes, a moment that is being worked at is not forgotten.
        scheduled.priority = 1;
        store.apply(scheduled.clone(), stage.lane, Begin::Running, lease).await.expect("applied");
        assert_eq!(next().await, Some(nine()));
        assert!(take("b", Some("a"), nine()).await.expect("an answer"), "a is dead");
        assert!(take("c", None, lease + Span::from_secs(1)).await.expect("an answer"), "b's time ran out");

        let tomorrow = nine() + Span::from_days(1);
        store.finish_moment(row.id, nine(), Some(tomorrow), (EventKind::ScheduleDone, "3 rows".into()), nine()).await.expect("over");
        store.finish_moment(row.id, nine(), None, (EventKind::ScheduleFailed, "late".into()), nine()).await.expect("a second end changes nothing");
        assert!(!take("d", None, tomorrow).await.expect("an answer"), "the moment is over");
        let known = store.schedules().await.expect("schedules").remove(0);
        assert_eq!((known.next_at, known.last_at), (Some(tomorrow), Some(nine())));
        assert_eq!(known.last_result.as_deref(), Some("3 rows"));

        scheduled.schedule = Schedule::default();
        store.apply(scheduled, stage.lane, Begin::Running, nine()).await.expect("applied");
        assert!(store.schedules().await.expect("schedules").is_empty());
    }
}

on_both_databases! {
    async fn a_campaign_that_is_ended_is_not_begun(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let mut scheduled = rules("daily", "main");
        scheduled.schedule = Schedule { ends: "2026-11-20".parse().ok(), ..daily() };
        let (_, row) = store.apply(scheduled, stage.lane, Begin::Running, noon()).await.expect("applied");
        assert_eq!(store.schedules().await.expect("schedules")[0].next_at, None, "no moment before the last day is over");
        store.cancel_campaign(row.id, "over".into(), noon()).await.expect("cancelled");
        assert!(store.schedules().await.expect("schedules").is_empty());
    }
}
