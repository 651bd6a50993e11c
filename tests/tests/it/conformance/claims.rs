//! The claim, alone and against everything that may cross it.

use ringfence_domain::callback::Callback;
use ringfence_domain::verdict::ClaimDenied;
use ringfence_domain::{
    AttemptId, AttemptState, CallDetails, Campaign, ClockReading, ContactId, ContactState, DialClass, Moment,
    NumberLimits, Outcome, Placement, Span, StopReason,
};
use ringfence_store::{ClaimOrder, ContactFilter, Refused, ReviewAnswer, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

/// A campaign whose people may ask to be called back.
fn calling_back(name: &str) -> Campaign {
    let otherwise = Span::from_hours(1);
    let callback = Callback { from: "call_again".to_owned(), when: None, otherwise };
    Campaign { callback: Some(callback), ..sample::rules(name, "main") }
}

/// An end of a call. Who answered asks to be called again.
fn asked_to_be_called_again(outcome: Outcome) -> Settlement {
    let outputs = [("call_again".to_owned(), "in one hour".into())].into();
    Settlement::Ended(outcome, Box::new(CallDetails { outputs, talk_seconds: Some(60), ..CallDetails::default() }))
}

on_both_databases! {
    async fn two_claimers_get_each_attempt_once(database) {
        let stage = Stage::set(&database.store, 60).await;
        stage.open(&database.store, 60, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let other = database.another().await;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for part in open.chunks(10) {
            let (mine, theirs) = tokio::join!(
                database.store.claim(stage.order(part, noon())),
                other.claim(stage.order(part, noon())),
            );
            first.extend(mine.expect("a claim").sending);
            second.extend(theirs.expect("a claim").sending);
        }
        assert_eq!(first.len() + second.len(), 60, "each once, none lost");
        assert!(first.iter().all(|id| !second.contains(id)));
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn nothing_is_claimed_outside_its_moment(database) {
        let stage = Stage::set(&database.store, 3).await;
        stage.open(&database.store, 3, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let late = noon() + Span::from_secs(30);
        let claimed = database.store.claim(stage.order(&open[..1], late)).await.expect("a claim");
        assert_eq!(claimed.refused, [Refused { attempt: open[0], why: ClaimDenied::PlanAgain }]);
        let unsure = ClockReading { now: noon(), error: Span::from_secs(3) };
        let order = ringfence_store::ClaimOrder { reading: unsure, ..stage.order(&open[1..2], noon()) };
        assert!(database.store.claim(order).await.expect("a claim").sending.is_empty(), "the clock is in doubt");
        assert_eq!(stage.count(&database.store, "attempt:lapsed").await, 2);
        assert_eq!(stage.count(&database.store, "contact:waiting").await, 2, "they are planned again");
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_pause_that_returned_is_seen_by_every_claim(database) {
        let stage = Stage::set(&database.store, 50).await;
        stage.open(&database.store, 50, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let other = database.another().await;
        let campaign = stage.campaign.id;
        let pause = tokio::spawn(async move {
            other.pause_campaign(campaign, ringfence_domain::PausedBy::Person, "by hand".into(), noon()).await.expect("a pause");
            other
        });
        let mut before = 0;
        for id in &open[..25] {
            before += database.store.claim(stage.order(&[*id], noon())).await.expect("a claim").sending.len();
        }
        pause.await.expect("the pause");
        for id in &open[25..] {
            let claimed = database.store.claim(stage.order(&[*id], noon())).await.expect("a claim");
            assert!(claimed.sending.is_empty(), "the pause had returned");
        }
        assert_eq!(stage.count(&database.store, "attempt:sending").await, before as i64);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_paused_lane_claims_nothing_and_loses_nobody(database) {
        let stage = Stage::set(&database.store, 5).await;
        stage.open(&database.store, 5, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        database.store.pause_lane(stage.lane, "no balance".into(), noon()).await.expect("a pause");
        let claimed = database.store.claim(stage.order(&open, noon())).await.expect("a claim");
        assert!(claimed.refused.iter().all(|refused| refused.why == ClaimDenied::Held));
        assert_eq!(claimed.refused.len(), 5);
        assert_eq!(stage.open(&database.store, 5, noon()).await, 0, "nothing is opened either");
        database.store.resume_lane(stage.lane, noon()).await.expect("a resume");
        assert_eq!(stage.claim(&database.store, 5, noon()).await.len(), 5);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_lane_that_was_told_to_rest_claims_nothing_meanwhile(database) {
        let stage = Stage::set(&database.store, 3).await;
        stage.open(&database.store, 3, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let rest = ringfence_domain::LaneEffect::Slow(noon() + Span::from_secs(5), "429".into());
        database.store.affect_lane(stage.lane, rest, noon()).await.expect("told");
        let claimed = database.store.claim(stage.order(&open, noon())).await.expect("a claim");
        assert_eq!(claimed.refused.iter().filter(|refused| refused.why == ClaimDenied::Held).count(), 3);
        assert_eq!(stage.claim(&database.store, 3, noon() + Span::from_secs(5)).await.len(), 3);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_takeover_fences_the_claims_of_the_old_owner(database) {
        let stage = Stage::set(&database.store, 20).await;
        stage.open(&database.store, 20, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let other = database.another().await;
        let after_lease = noon() + Span::from_secs(10);
        let lane = stage.lane;
        let taking = tokio::spawn(async move {
            let owner = ringfence_store::Owner { name: "other".into(), lease: Span::from_secs(9) };
            other.take_lane(lane, sample::lane_settings("main"), owner, None, after_lease).await.expect("an answer")
        });
        let mut claimed = Vec::new();
        for id in &open[..10] {
            claimed.extend(database.store.claim(stage.order(&[*id], noon())).await.expect("a claim").sending);
        }
        assert!(matches!(taking.await.expect("a takeover"), ringfence_store::Acquired::Ours { epoch: 2, .. }));
        for id in &open[10..] {
            let late = database.store.claim(stage.order(&[*id], noon())).await.expect("a claim");
            assert!(late.sending.is_empty(), "the lane has another owner");
        }
        // What was being sent is doubted, what was open lapses, and a receipt that comes later is
        // still taken.
        let order = ringfence_store::SweepOrder {
            lane: stage.lane, epoch: 2, now: after_lease, sending_for: Span::from_secs(30), lapse_before: after_lease,
            overdue_at: after_lease + Span::from_hours(1),
        };
        let swept = database.store.sweep(order).await.expect("a sweep");
        assert_eq!(swept.unknown as usize, claimed.len());
        for id in &claimed {
            let recorded = database.store.record(vec![stage.accepted(*id, after_lease)], after_lease).await;
            assert_eq!(recorded.expect("a record").recorded, 1);
        }
        assert_eq!(stage.count(&database.store, "attempt:placed").await, claimed.len() as i64);
        assert_eq!(stage.count(&database.store, "attempt:unknown").await, 0);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn new_rules_refuse_what_was_planned_by_the_old_ones(database) {
        let stage = Stage::set(&database.store, 2).await;
        stage.open(&database.store, 2, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let mut rules = sample::rules("spring", "main");
        rules.calling.hours = "Mo 09:00-10:00".parse().expect("hours");
        database.store.apply(rules, stage.lane, ringfence_store::Begin::Running, noon()).await.expect("new rules");
        let claimed = database.store.claim(stage.order(&open, noon())).await.expect("a claim");
        assert!(claimed.sending.is_empty());
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn caps_are_asked_at_the_last_moment(database) {
        let stage = Stage::set(&database.store, 2).await;
        let capped = |attempts: &[ringfence_domain::AttemptId], now: Moment| ringfence_store::ClaimOrder {
            limits: NumberLimits { caps: vec!["1/24h".parse().expect("a cap")], ..NumberLimits::default() },
            ..stage.order(attempts, now)
        };
        // Both are called once by this campaign, and are then contacts of a second one.
        for id in stage.place(&database.store, 2, noon()).await {
            let ended = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Answered, Box::default());
            database.store.settle(vec![(id, ended)], noon()).await.expect("settled");
        }
        let (_, second) = database.store.apply(sample::rules("autumn", "main"), stage.lane, ringfence_store::Begin::Running, noon()).await.expect("a campaign");
        sample::import(&database.store, second.run, 0..2, noon()).await;
        let later = noon() + Span::from_hours(1);
        stage.open(&database.store, 2, later).await;
        let open = stage.open_attempts(&database.store).await;
        let order = ringfence_store::ClaimOrder { campaign: second.id, ..capped(&open, later) };
        let claimed = database.store.claim(order).await.expect("a claim");
        let free = noon() + Span::from_hours(24);
        assert_eq!(claimed.refused.iter().map(|refused| refused.why).collect::<Vec<_>>(), [ClaimDenied::Capped(free); 2]);
        let numbers = database.store.numbers("autumn".into(), later).await.expect("numbers").expect("a campaign");
        assert!(numbers.buckets.iter().all(|bucket| bucket.class == ringfence_domain::DialClass::Capped));
        assert_eq!(numbers.buckets[0].next_due_at, free, "nobody looks again before");
        assert_eq!(database.store.recount(second.run).await.expect("a recount"), []);
    }
}

on_both_databases! {
    async fn a_lanes_day_is_never_overdrawn(database) {
        let mut settings = sample::lane_settings("main");
        settings.limits.per_day = Some(3);
        let stage = Stage::set_with(&database.store, settings, sample::rules("spring", "main"), 10).await;
        stage.open(&database.store, 10, noon()).await;
        let open = stage.open_attempts(&database.store).await;
        let other = database.another().await;
        let (mine, theirs) = tokio::join!(
            database.store.claim(stage.order(&open[..5], noon())),
            other.claim(stage.order(&open[5..], noon())),
        );
        let sending = [mine.expect("a claim").sending, theirs.expect("a claim").sending].concat();
        assert_eq!(sending.len(), 3);
        let not_sent = ringfence_domain::Placement::NotSent { cause: "refused to connect".into() };
        database.store.record(vec![stage.sent(sending[0], not_sent)], noon()).await.expect("a record");
        let load = database.store.lane_load(stage.lane, noon()).await.expect("a load");
        assert_eq!(load.left_today, Some(1), "a call that never left does not use up the day");
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_claimed_attempt_is_sending(database) {
        let stage = Stage::set(&database.store, 1).await;
        let claimed = stage.claim(&database.store, 1, noon()).await;
        let key = database.store.hasher().key(&sample::number(0));
        let attempts = database.store.attempts_at(key).await.expect("attempts");
        assert_eq!(attempts.len(), 1);
        assert_eq!((attempts[0].id, attempts[0].state), (claimed[0], AttemptState::Sending));
        assert_eq!(attempts[0].sending_at, Some(noon()));
        let again = database.store.claim(stage.order(&claimed, noon())).await.expect("a claim");
        assert_eq!(again.refused, [Refused { attempt: claimed[0], why: ClaimDenied::NotOpen }]);
        assert_eq!(stage.count(&database.store, "attempt:sending").await, 1);
    }
}

on_both_databases! {
    async fn nobody_is_dialled_more_often_than_the_present_rules_allow(database) {
        let (store, now) = (&database.store, noon());
        let stage = Stage::set_with(store, sample::lane_settings("main"), calling_back("spring"), 3).await;
        // One was busy, one asked to be called back, and the call of the third was never dialled.
        let outcomes = [Outcome::Busy, Outcome::Answered, Outcome::NotDialled];
        for (id, outcome) in stage.place(store, 3, now).await.into_iter().zip(outcomes) {
            store.settle(vec![(id, asked_to_be_called_again(outcome))], now).await.expect("settled");
        }
        let later = now + Span::from_hours(2);
        assert_eq!(stage.open(store, 3, later).await, 3, "the rules of then allow three calls");
        let open = stage.open_attempts(store).await;
        let order = ClaimOrder { max_attempts: 1, ..stage.order(&open, later) };
        let claimed = store.claim(order).await.expect("a claim");
        assert_eq!(claimed.sending.len(), 1, "a call that was not dialled is none");
        let refused: Vec<_> = claimed.refused.iter().map(|refused| refused.why).collect();
        assert_eq!(refused, [ClaimDenied::AttemptsUsed; 2]);
        let contacts = store.contacts(stage.run(), ContactFilter::default(), ContactId(0), 10).await.expect("contacts");
        let mut states: Vec<_> =
            contacts.iter().map(|contact| (contact.state, contact.last_outcome, contact.stop_reason)).collect();
        states.sort_by_key(|(state, ..)| state.to_string());
        let expected = [
            (ContactState::Active, Some(Outcome::NotDialled), None),
            (ContactState::Done, Some(Outcome::Answered), None),
            (ContactState::Stopped, Some(Outcome::Busy), Some(StopReason::AttemptsUsed)),
        ];
        assert_eq!(states, expected, "who asked to be called back was reached");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_callback_that_a_cap_puts_off_stays_one(database) {
        let (store, now) = (&database.store, noon());
        let stage = Stage::set_with(store, sample::lane_settings("main"), calling_back("spring"), 2).await;
        for (id, outcome) in stage.place(store, 2, now).await.into_iter().zip([Outcome::Busy, Outcome::Answered]) {
            store.settle(vec![(id, asked_to_be_called_again(outcome))], now).await.expect("settled");
        }
        let later = now + Span::from_hours(2);
        assert_eq!(stage.open(store, 2, later).await, 2);
        let open = stage.open_attempts(store).await;
        let limits = NumberLimits { caps: vec!["1/24h".parse().expect("a cap")], ..NumberLimits::default() };
        let claimed = store.claim(ClaimOrder { limits, ..stage.order(&open, later) }).await.expect("a claim");
        let free = now + Span::from_hours(24);
        assert_eq!(claimed.refused.iter().map(|refused| refused.why).collect::<Vec<_>>(), [ClaimDenied::Capped(free); 2]);
        let contacts = store.contacts(stage.run(), ContactFilter::default(), ContactId(0), 10).await.expect("contacts");
        let mut waiting: Vec<_> =
            contacts.iter().map(|contact| (contact.last_outcome, contact.class, contact.due_at)).collect();
        waiting.sort_by_key(|(outcome, ..)| outcome.map(|outcome| outcome.to_string()));
        let expected = [
            (Some(Outcome::Answered), DialClass::Callback, free),
            (Some(Outcome::Busy), DialClass::Capped, free),
        ];
        assert_eq!(waiting, expected);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_call_that_a_person_says_was_never_placed_uses_up_none(database) {
        let (store, now) = (&database.store, noon());
        let stage = Stage::set(store, 1).await;
        let one_call = |open: &[AttemptId], at| ClaimOrder { max_attempts: 1, ..stage.order(open, at) };
        let call = stage.place(store, 1, now).await[0];
        store.settle(vec![(call, Settlement::GiveUp)], now).await.expect("given up");
        let contact = ContactId(1);
        assert!(store.decide_review(contact, ReviewAnswer::NotPlaced, now).await.expect("a word"));
        assert!(!store.decide_review(contact, ReviewAnswer::NotPlaced, now).await.expect("it waits already"));
        assert_eq!(stage.open(store, 1, now).await, 1);
        let open = stage.open_attempts(store).await;
        let claimed = store.claim(one_call(&open, now)).await.expect("a claim");
        assert_eq!((claimed.sending.len(), claimed.refused.len()), (1, 0), "they may be called again");
        // The vendor refuses that one: a person's word on it takes no other call back.
        let refused = Placement::RequestFault { cause: "no such number".into() };
        store.record(vec![stage.sent(claimed.sending[0], refused)], now).await.expect("a record");
        let calls = async || store.contacts(stage.run(), ContactFilter::default(), ContactId(0), 1).await.expect("contacts")[0].calls;
        assert_eq!(calls().await, 0);
        assert!(store.decide_review(contact, ReviewAnswer::NotPlaced, now).await.expect("a word"));
        assert_eq!(calls().await, 0);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_attempt_for_which_no_request_can_be_written_goes_to_review_once(database) {
        let (store, now) = (&database.store, noon());
        let stage = Stage::set(store, 2).await;
        stage.open(store, 2, now).await;
        let open = stage.open_attempts(store).await;
        let unfit = |id| ClaimOrder { unfit: vec![(id, "column note is missing".to_owned())], ..stage.order(&[], now) };
        let claimed = store.claim(unfit(open[0])).await.expect("a claim");
        assert_eq!((claimed.sending.len(), claimed.refused.len()), (0, 0));
        let sending = store.claim(stage.order(&open[1..], now)).await.expect("a claim").sending;
        let _ = store.claim(unfit(sending[0])).await.expect("a claim");
        let _ = store.claim(unfit(open[0])).await.expect("a claim");
        let contacts = store.contacts(stage.run(), ContactFilter::default(), ContactId(0), 10).await.expect("contacts");
        let mut states: Vec<_> = contacts.iter().map(|contact| contact.state.to_string()).collect();
        states.sort();
        assert_eq!(states, ["active", "review"], "what is sent already is not taken back");
        assert_eq!(stage.count(store, "attempt:lapsed").await, 1);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn when_a_run_dialled_last_is_noted_once_a_second(database) {
        let store = &database.store;
        let stage = Stage::set(store, 4).await;
        stage.open(store, 4, noon()).await;
        let open = stage.open_attempts(store).await;
        let mut noted = Vec::new();
        for (id, millis) in open.iter().zip([0, 999, 1_000, 900]) {
            let at = noon() + Span::from_millis(millis);
            let claimed = store.claim(stage.order(&[*id], at)).await.expect("a claim");
            assert_eq!(claimed.sending, [*id]);
            let runs = store.runs(stage.campaign.id).await.expect("runs");
            noted.push(runs[0].last_dial_at.map(|at| at.since(noon())));
        }
        let millis = |n| Some(Span::from_millis(n));
        assert_eq!(noted, [millis(0), millis(0), millis(1_000), millis(1_000)]);
    }
}
