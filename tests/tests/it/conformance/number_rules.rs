//! Rules about one number, over all campaigns and lanes: who must not be called, who was just
//! spoken to, who said no.

use ringfence_domain::condition::Condition;
use ringfence_domain::cool_off::CoolOff;
use ringfence_domain::verdict::ClaimDenied;
use ringfence_domain::{AttemptId, CallDetails, CampaignId, ContactState, DialClass, NumberLimits, Outcome, Span};
use ringfence_store::{Begin, ClaimOrder, Database, DncList, DncRow, Refused, Settlement};
use ringfence_tests::database::execute;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

fn by_hand(campaign: Option<CampaignId>) -> DncList {
    DncList { campaign, source: None, reason: Some("asked".into()), added_at: noon() }
}

async fn add(store: &Database, list: DncList, person: usize) -> u64 {
    let number = sample::number(person);
    let id = store.begin_dnc(list).await.expect("a list");
    store.add_dnc(vec![(id, store.hasher().key(&number), number)]).await.expect("added")
}

/// The newest attempt at a person's number.
async fn attempt_of(store: &Database, person: usize) -> AttemptId {
    let attempts = store.attempts_at(store.hasher().key(&sample::number(person))).await.expect("attempts");
    attempts.last().expect("an attempt").id
}

on_both_databases! {
    async fn no_claim_of_a_number_commits_after_it_was_put_on_the_list(database) {
        let store = &database.store;
        let stage = Stage::set(store, 200).await;
        stage.open(store, 200, noon()).await;
        let other = database.another().await;
        let id = other.begin_dnc(by_hand(None)).await.expect("a list");
        let mut sending = 0;
        for people in (0..200).collect::<Vec<_>>().chunks(10) {
            let numbers = people.iter().map(|n| sample::number(*n)).map(|number| (id, store.hasher().key(&number), number));
            let mut attempts = Vec::new();
            for person in people {
                attempts.push(attempt_of(store, *person).await);
            }
            let (claimed, at_the_end) = tokio::join!(store.claim(stage.order(&attempts, noon())), async {
                assert_eq!(other.add_dnc(numbers.collect()).await.expect("added"), 10);
                stage.count(&other, "attempt:sending").await
            });
            sending += claimed.expect("an answer").sending.len();
            assert_eq!(at_the_end, sending as i64, "who was claimed was claimed before the numbers were on the list");
        }
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn the_do_not_call_list_holds_for_the_very_next_claim(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        stage.open(store, 3, noon()).await;
        let open = stage.open_attempts(store).await;
        assert_eq!(add(store, by_hand(None), 1).await, 1);
        assert_eq!(add(store, by_hand(None), 1).await, 0, "known");
        assert_eq!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending.len(), 2);
        assert_eq!(stage.count(store, "stopped:dnc").await, 1);
        let number = sample::number(1);
        let number_key = store.hasher().key(&number);
        let entry = DncRow { number, number_key, list: by_hand(None) };
        assert_eq!(store.dnc_page(None, i64::MIN, 10).await.expect("a page"), std::slice::from_ref(&entry));
        assert_eq!(store.dnc_entries(number_key).await.expect("an answer"), [entry]);
        assert!(store.remove_dnc(number_key, None).await.expect("removed"));
        assert!(!store.remove_dnc(number_key, None).await.expect("an answer"));
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_campaigns_own_list_is_no_other_campaigns(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let (_, other) = store.apply(sample::rules("autumn", "main"), stage.lane, Begin::Draft, noon()).await.expect("a campaign");
        stage.open(store, 2, noon()).await;
        let open = stage.open_attempts(store).await;
        let (zero, one) = (attempt_of(store, 0).await, attempt_of(store, 1).await);
        let own = store.campaign("spring".into()).await.expect("an answer").expect("a campaign").id;
        assert_eq!(add(store, by_hand(Some(other.id)), 0).await, 1);
        assert_eq!(add(store, by_hand(Some(own)), 1).await, 1);
        let claimed = store.claim(stage.order(&open, noon())).await.expect("a claim");
        assert_eq!(claimed.sending, [zero], "another campaign's list does not hold");
        assert_eq!(claimed.refused, [Refused { attempt: one, why: ClaimDenied::Dnc }]);
        let key = store.hasher().key(&sample::number(0));
        assert!(!store.remove_dnc(key, None).await.expect("an answer"), "it is not on everyone's list");
        assert_eq!(store.dnc_page(Some(other.id), i64::MIN, 10).await.expect("a page").len(), 1);
        assert_eq!(store.dnc_page(None, i64::MIN, 10).await.expect("a page"), []);
    }
}

on_both_databases! {
    async fn who_opts_out_in_a_call_is_on_the_list_with_its_outcome(database) {
        let store = &database.store;
        let mut rules = sample::rules("spring", "main");
        rules.opt_out = Some(Condition([("opted_out".to_owned(), vec!["yes".to_owned()])].into()));
        let stage = Stage::set_with(store, sample::lane_settings("main"), rules, 3).await;
        stage.place(store, 3, noon()).await;
        let ended = |id: AttemptId, outcome, says: &str| {
            let outputs = [("opted_out".to_owned(), says.into())].into();
            (id, Settlement::Ended(outcome, Box::new(CallDetails { outputs, ..CallDetails::default() })))
        };
        let news = vec![
            ended(attempt_of(store, 0).await, Outcome::Answered, "Yes"),
            ended(attempt_of(store, 1).await, Outcome::Answered, "no"),
            ended(attempt_of(store, 2).await, Outcome::Voicemail, "yes"),
        ];
        store.settle(news.clone(), noon()).await.expect("settled");
        store.settle(news, noon()).await.expect("late news changes nothing");
        let list = store.dnc_page(None, i64::MIN, 10).await.expect("a page");
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].list.source.as_deref(), Some("campaign spring"));
        assert_eq!(list[0].list.reason.as_deref(), Some("opted out: opted_out = yes"));
        assert_eq!(stage.count(store, "contact:done").await, 2, "who was spoken to is done");
        assert_eq!(stage.count(store, "stopped:dnc").await, 1, "who would have been called again is not");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_number_cools_off_over_campaigns_and_lanes(database) {
        let store = &database.store;
        let mut rules = sample::rules("spring", "main");
        rules.refusal = Some(Condition([("interested".to_owned(), vec!["no".to_owned()])].into()));
        let stage = Stage::set_with(store, sample::lane_settings("main"), rules, 4).await;
        stage.place(store, 4, noon()).await;
        let details = |says: &str| {
            let outputs = [("interested".to_owned(), says.into())].into();
            Box::new(CallDetails { outputs, ..CallDetails::default() })
        };
        // The calls last an hour, and count from their end.
        let ended = noon() + Span::from_hours(1);
        store.settle(vec![
            (attempt_of(store, 0).await, Settlement::Ended(Outcome::Answered, details("yes"))),
            (attempt_of(store, 1).await, Settlement::Ended(Outcome::Answered, details("no"))),
            (attempt_of(store, 2).await, Settlement::Ended(Outcome::Rejected, Box::default())),
            (attempt_of(store, 3).await, Settlement::Ended(Outcome::NoAnswer, Box::default())),
        ], ended).await.expect("settled");

        let autumn = Stage::set_with(store, sample::lane_settings("second"), sample::rules("autumn", "second"), 4).await;
        let limits = NumberLimits {
            cool_off: CoolOff { after_answered: Some(Span::from_days(7)), after_refusal: Some(Span::from_days(60)) },
            ..NumberLimits::default()
        };
        let later = noon() + Span::from_days(7);
        autumn.open(store, 4, later).await;
        let open = autumn.open_attempts(store).await;
        let order = |now| ClaimOrder { limits: limits.clone(), ..autumn.order(&open, now) };
        let claimed = store.claim(order(later)).await.expect("a claim");
        let held = |days| ClaimDenied::Capped(ended + Span::from_days(days));
        for (person, days) in [(0, 7), (1, 60), (2, 60)] {
            let refused = Refused { attempt: attempt_of(store, person).await, why: held(days) };
            assert!(claimed.refused.contains(&refused), "person {person}: {:?}", claimed.refused);
        }
        assert_eq!(claimed.sending, [attempt_of(store, 3).await], "nobody was spoken to");
        let numbers = store.numbers("autumn".into(), later).await.expect("numbers").expect("a campaign");
        let capped = numbers.buckets.iter().find(|bucket| bucket.class == DialClass::Capped).expect("a bucket");
        assert_eq!((capped.waiting, capped.next_due_at), (3, ended + Span::from_days(7)), "nobody looks again before");
        autumn.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_call_that_lasted_into_the_cool_off_is_remembered(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let placed = stage.place(store, 1, noon()).await;
        // A vendor kept it overnight.
        let ended = noon() + Span::from_hours(20);
        store.settle(vec![(placed[0], Settlement::Ended(Outcome::Answered, Box::default()))], ended).await.expect("settled");
        let autumn = Stage::set_with(store, sample::lane_settings("second"), sample::rules("autumn", "second"), 1).await;
        let after_answered = Some(Span::from_days(7));
        let limits = NumberLimits { cool_off: CoolOff { after_answered, after_refusal: None }, ..NumberLimits::default() };
        let later = noon() + Span::from_days(7) + Span::from_hours(19);
        autumn.open(store, 1, later).await;
        let open = autumn.open_attempts(store).await;
        let claimed = store.claim(ClaimOrder { limits, ..autumn.order(&open, later) }).await.expect("a claim");
        assert_eq!(claimed.refused[0].why, ClaimDenied::Capped(ended + Span::from_days(7)), "an hour is left");
    }
}

on_both_databases! {
    async fn two_lanes_that_race_for_one_number_call_it_once(database) {
        // Law 7: what is counted was read after the open row committed, so the two cannot both
        // pass.
        let (store, other) = (&database.store, database.another().await);
        let spring = Stage::set(store, 20).await;
        let autumn = Stage::set_with(store, sample::lane_settings("second"), sample::rules("autumn", "second"), 20).await;
        let limits = NumberLimits { caps: vec!["1/24h".parse().expect("a cap")], ..NumberLimits::default() };
        let race = async |store: &Database, stage: &Stage| {
            for minute in 0..4 {
                let now = noon() + Span::from_minutes(minute);
                stage.open(store, 20, now).await;
                let open = stage.open_attempts(store).await;
                let order = ClaimOrder { limits: limits.clone(), ..stage.order(&open, now) };
                let sending = store.claim(order).await.expect("a claim").sending;
                for id in sending {
                    store.record(vec![stage.accepted(id, now)], now).await.expect("a record");
                    store.settle(vec![(id, Settlement::Ended(Outcome::Busy, Box::default()))], now).await.expect("settled");
                }
            }
        };
        tokio::join!(race(store, &spring), race(&other, &autumn));
        for person in 0..20 {
            let calls = store.attempts_at(store.hasher().key(&sample::number(person))).await.expect("attempts");
            let made = calls.iter().filter(|attempt| attempt.sending_at.is_some()).count();
            assert_eq!(made, 1, "person {person}: {calls:#?}");
        }
        spring.check_counts(store).await;
        autumn.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_opt_out_in_other_words_is_on_the_list_or_counted(database) {
        let store = &database.store;
        let mut rules = sample::rules("spring", "main");
        rules.opt_out = Some(Condition([("opted_out".to_owned(), vec!["yes".to_owned()])].into()));
        let said = [
            serde_json::json!("Y"), serde_json::json!(1), serde_json::json!(["yes"]), serde_json::json!("Yes, please"),
            serde_json::json!("do not call"), serde_json::json!("no"), serde_json::json!(false), serde_json::json!("maybe"),
        ];
        let stage = Stage::set_with(store, sample::lane_settings("main"), rules, said.len()).await;
        stage.place(store, 8, noon()).await;
        let mut settlements = Vec::new();
        for (person, value) in said.iter().enumerate() {
            let outputs = [("Opted_Out".to_owned(), value.clone())].into();
            let details = CallDetails { outputs, ..CallDetails::default() };
            settlements.push((attempt_of(store, person).await, Settlement::Ended(Outcome::Answered, Box::new(details))));
        }
        store.settle(settlements, noon()).await.expect("settled");
        for (person, value) in said.iter().enumerate() {
            let listed = store.dnc_entries(store.hasher().key(&sample::number(person))).await.expect("entries");
            assert_eq!(listed.len(), usize::from(person < 5), "{value}");
        }
        assert_eq!((stage.count(store, "said:opted_out").await, stage.count(store, "said:unclear:opted_out=maybe").await), (5, 1));
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn who_asked_waits_for_the_time_that_they_named(database) {
        let store = &database.store;
        let mut rules = sample::rules("spring", "main");
        rules.callback = Some(ringfence_domain::callback::Callback {
            from: "callback_time".to_owned(),
            when: Some(Condition([("callback_requested".to_owned(), vec!["yes".to_owned()])].into())),
            otherwise: Span::from_hours(2),
        });
        let stage = Stage::set_with(store, sample::lane_settings("main"), rules, 3).await;
        stage.place(store, 3, noon()).await;
        let asks = |id: AttemptId, requested: &str, time: &str| {
            let outputs = [("callback_requested", requested), ("callback_time", time)];
            let outputs = outputs.map(|(name, value)| (name.to_owned(), value.into())).into();
            let details = CallDetails { outputs, talk_seconds: Some(60), ..CallDetails::default() };
            (id, Settlement::Ended(Outcome::Answered, Box::new(details)))
        };
        // The outcomes are learned late: what was said is meant from the call on.
        let late = noon() + Span::from_hours(14);
        store.settle(vec![
            asks(attempt_of(store, 0).await, "yes", "Tomorrow 11am"),
            asks(attempt_of(store, 1).await, "yes", "when I am back"),
            asks(attempt_of(store, 2).await, "no", ""),
        ], late).await.expect("settled");
        let contact = async |person| {
            let run = store.campaign("spring".into()).await.expect("an answer").expect("a campaign").run;
            let key = store.hasher().key(&sample::number(person));
            let contact = store.contact_by_number(run, key).await.expect("an answer").expect("a contact");
            (contact.state, contact.class, contact.due_at)
        };
        let eleven = "2026-11-21T05:30:00Z".parse().expect("a moment");
        assert_eq!(contact(0).await, (ContactState::Waiting, DialClass::Callback, eleven), "tomorrow of the call");
        let otherwise = noon() + Span::from_secs(60) + Span::from_hours(2);
        assert_eq!(contact(1).await, (ContactState::Waiting, DialClass::Callback, otherwise));
        assert_eq!(contact(2).await.0, ContactState::Done);
        assert_eq!(stage.count(store, "callback:understood").await, 1);
        assert_eq!(stage.count(store, "callback:not_understood").await, 1);
        stage.check_counts(store).await;
    }
}

/// StopScope a cap put off is called when another one allows it, whatever the old rules said, also
/// when nobody can read them any more.
async fn looser_limits_hold(database: &ringfence_tests::TestDatabase, unreadable: bool) {
    let store = &database.store;
    let capped = |cap: &str| {
        let mut rules = sample::rules("spring", "main");
        rules.limits.per_number = vec![cap.parse().expect("a cap")];
        rules
    };
    let stage = Stage::set_with(store, sample::lane_settings("main"), capped("1/30d"), 3).await;
    for id in stage.place(store, 3, noon()).await {
        store.settle(vec![(id, Settlement::Ended(Outcome::Busy, Box::default()))], noon()).await.expect("settled");
    }
    let later = noon() + Span::from_hours(2);
    stage.open(store, 3, later).await;
    let open = stage.open_attempts(store).await;
    let limits = capped("1/30d").number_limits();
    let refused = store.claim(ClaimOrder { limits, ..stage.order(&open, later) }).await.expect("a claim").refused;
    assert_eq!(refused.len(), 3);
    let again = later + Span::from_minutes(1);
    if unreadable {
        execute(&database.url, "UPDATE campaigns SET rules = '{\"calling\":{\"hours\":\"sometimes\"}}'").await;
    }
    store.apply(capped("3/day"), stage.lane, Begin::Running, again).await.expect("looser rules");
    assert_eq!(stage.open(store, 3, again).await, 3, "nobody waits for what the old rules said");
    stage.check_counts(store).await;
}

/// More than one portion.
const PUT_OFF: usize = 170;

on_both_databases! {
    async fn many_who_were_put_off_are_due_in_portions_also_after_a_kill(database) {
        let store = &database.store;
        let stage = Stage::set(store, PUT_OFF).await;
        execute(&database.url, "UPDATE buckets SET class = 'capped'").await;
        execute(&database.url, "UPDATE contacts SET due_at = due_at + 3600000").await;
        execute(&database.url, "UPDATE buckets SET next_due_at = next_due_at + 3600000").await;
        assert_eq!(stage.open(store, PUT_OFF as u32, noon()).await, 0);
        assert!(!store.uncap(stage.lane, noon()).await.expect("a look"), "nothing was left half done");

        // As a process leaves it that is killed between the rules and the last portion.
        execute(&database.url, "UPDATE campaigns SET uncap = revision").await;
        assert!(store.uncap(stage.lane, noon()).await.expect("the rest is done"));
        assert!(!store.uncap(stage.lane, noon()).await.expect("a look"), "once");
        assert_eq!(stage.open(store, PUT_OFF as u32, noon()).await, PUT_OFF as u32);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn limits_that_change_while_others_are_worked_off_are_not_forgotten(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        execute(&database.url, "UPDATE campaigns SET uncap = revision").await;
        let mut rules = sample::rules("spring", "main");
        rules.limits.per_number = vec!["3/day".parse().expect("a cap")];
        store.apply(rules, stage.lane, Begin::Running, noon()).await.expect("other limits");
        assert!(!store.uncap(stage.lane, noon()).await.expect("a look"), "both were worked off");
    }
}

on_both_databases! {
    async fn looser_limits_hold_for_the_very_next_claim(database) {
        looser_limits_hold(&database, false).await;
    }
}

on_both_databases! {
    async fn so_do_limits_in_place_of_rules_that_could_not_be_read(database) {
        looser_limits_hold(&database, true).await;
    }
}

on_both_databases! {
    async fn rules_that_cannot_be_read_are_mended_by_applying_others(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        execute(&database.url, "UPDATE campaigns SET rules = '{\"calling\":{\"hours\":\"sometimes\"}}'").await;
        assert!(store.campaign("spring".into()).await.is_err());
        assert_eq!(store.campaigns().await.expect("those that can be read").len(), 0);
        let unreadable = store.unreadable_campaigns().await.expect("the others");
        assert!(unreadable[0].0 == "spring" && unreadable[0].1.to_string().contains("rules"), "{unreadable:?}");
        let (applied, row) =
            store.apply(sample::rules("spring", "main"), stage.lane, Begin::Running, noon()).await.expect("applied");
        assert_eq!((applied, row.rules.name.as_str()), (ringfence_store::Applied::Changed, "spring"));
        assert_eq!(stage.open(store, 3, noon()).await, 3);
    }
}
