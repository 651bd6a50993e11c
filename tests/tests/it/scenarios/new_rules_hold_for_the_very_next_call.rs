//! A campaign's rules change while it is dialled: the very next claim obeys, and nobody's row is
//! touched for it.

use std::time::Duration;

use ringfence_domain::campaign::Redial;
use ringfence_domain::{Clock, Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_store::{Begin, ContactFilter};
use ringfence_tests::database::execute;
use ringfence_tests::on_both_databases_in_virtual_time;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

on_both_databases_in_virtual_time! {
    async fn hours_that_end_now_end_now_and_hours_that_open_again_open_at_once(database) {
        let behaviour = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
        let mut settings = lane_settings("main");
        settings.limits.calls = "5/s".parse().expect("a rate");
        let clock = VirtualClock::at(noon());
        let open = rules("spring", "main");
        let mut dialer = Dialer::set(database.store.clone(), clock.clone(), settings, open.clone(), behaviour, 400).await;
        let store = dialer.store.clone();
        dialer.start();
        tokio::time::sleep(Duration::from_secs(20)).await;

        let mut closed = open.clone();
        closed.calling.hours = "09:00-11:00".parse().expect("hours");
        store.apply(closed, dialer.lane, Begin::Running, clock.read().now).await.expect("new rules");
        let applied = clock.read().now;
        tokio::time::sleep(Duration::from_secs(40)).await;
        let calls = dialer.simulator.tape().calls();
        // A request whose claim came before may still leave.
        let last = calls.iter().map(|call| call.at).max().expect("a call");
        assert!(last <= applied + Span::from_secs(1), "a call at {last}, the rules changed at {applied}");
        assert!((50..=110).contains(&calls.len()), "{} calls", calls.len());
        let waiting = async || {
            let page = store.contacts(dialer.campaign.run, ContactFilter::default(), ringfence_domain::ContactId(0), 400).await;
            page.expect("contacts").into_iter().map(|contact| (contact.id, contact.state, contact.due_at)).collect::<Vec<_>>()
        };
        let before = waiting().await;
        assert!(before.iter().filter(|(_, _, due)| *due > noon()).count() == 0, "nobody's row says when the window opens");

        store.apply(open, dialer.lane, Begin::Running, clock.read().now).await.expect("the old rules");
        assert_eq!(waiting().await, before, "applying touches nobody's row");
        let again = clock.read().now;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let first = dialer.simulator.tape().calls().iter().map(|call| call.at).filter(|at| *at > last).min();
        assert!(first.is_some_and(|at| at.since(again) < Span::from_secs(2)), "{first:?} after {again}");
        dialer.stop().await;
        dialer.check_counts().await;
    }
}

on_both_databases_in_virtual_time! {
    async fn rules_that_cannot_be_read_are_closed_and_hold_up_nobody_else(database) {
        let behaviour = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
        let clock = VirtualClock::at(noon());
        let mut dialer = Dialer::set(database.store.clone(), clock.clone(), lane_settings("main"), rules("spring", "main"), behaviour, 20).await;
        let (_, other) = dialer.store.apply(rules("autumn", "main"), dialer.lane, Begin::Running, noon()).await.expect("a campaign");
        ringfence_tests::sample::import(&dialer.store, other.run, 100..120, noon()).await;
        let broken = "UPDATE campaigns SET rules = '{\"calling\":{\"hours\":\"sometimes\"}}' WHERE name = 'autumn'";
        execute(&database.url, broken).await;
        dialer.start();
        tokio::time::sleep(Duration::from_mins(2)).await;
        dialer.stop().await;
        assert_eq!(dialer.count("contact:done").await, 20, "whose rules can be read is dialled");
        assert_eq!(dialer.simulator.tape().calls().len(), 20, "nobody of the other campaign");
    }
}

on_both_databases_in_virtual_time! {
    async fn calls_whose_rules_cannot_be_read_free_their_slots_in_time(database) {
        let talk = Span::from_hours(1);
        let behaviour = Behaviour { outcomes: vec![(Outcome::Answered, 1)], talk, ..Behaviour::default() };
        let clock = VirtualClock::at(noon());
        let spring = rules("spring", "main");
        let mut dialer = Dialer::set(database.store.clone(), clock.clone(), lane_settings("main"), spring.clone(), behaviour, 5).await;
        dialer.start();
        tokio::time::sleep(Duration::from_secs(10)).await;
        dialer.stop().await;
        assert_eq!(dialer.store.live_calls(dialer.lane).await.expect("calls").len(), 5);
        execute(&database.url, "UPDATE campaigns SET rules = '{\"calling\":{\"hours\":\"sometimes\"}}'").await;
        // Long after the vendor could have kept them.
        clock.skip_to(noon() + Span::from_days(2));
        dialer.start();
        tokio::time::sleep(Duration::from_mins(2)).await;
        dialer.stop().await;
        assert_eq!(dialer.store.live_calls(dialer.lane).await.expect("calls").len(), 0, "slots and numbers are free");
        dialer.store.apply(spring, dialer.lane, Begin::Running, clock.read().now).await.expect("mended");
        assert_eq!(dialer.count("contact:review").await, 5, "a person looks at them");
        dialer.check_counts().await;
    }
}

on_both_databases_in_virtual_time! {
    async fn who_waits_for_another_attempt_gets_none_that_the_new_rules_do_not_allow(database) {
        let behaviour = Behaviour { outcomes: vec![(Outcome::Busy, 1)], ..Behaviour::default() };
        let clock = VirtualClock::at(noon());
        let mut spring = rules("spring", "main");
        spring.retry.after = [(Outcome::Busy, Redial::After(vec![Span::from_minutes(10)]))].into();
        let mut dialer = Dialer::set(database.store.clone(), clock.clone(), lane_settings("main"), spring.clone(), behaviour, 20).await;
        dialer.start();
        tokio::time::sleep(Duration::from_mins(5)).await;
        assert_eq!(dialer.simulator.tape().calls().len(), 20, "everybody was busy, and waits");
        spring.retry.max_attempts = 1;
        dialer.store.apply(spring, dialer.lane, Begin::Running, clock.read().now).await.expect("new rules");
        tokio::time::sleep(Duration::from_mins(30)).await;
        dialer.stop().await;
        assert_eq!(dialer.simulator.tape().calls().len(), 20, "nobody is called a second time");
        assert_eq!(dialer.count("stopped:attempts_used").await, 20);
        dialer.check_counts().await;
    }
}
