//! Results of requests.

use ringfence_domain::{AttemptState, LaneEffect, LaneState, Moment, Placement, Span};
use ringfence_store::Sent;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

on_both_databases! {
    async fn each_result_leaves_attempt_and_contact_where_they_belong(database) {
        let stage = Stage::set(&database.store, 5).await;
        let ids = stage.claim(&database.store, 5, noon()).await;
        let results = [
            Placement::Accepted { call_id: "c1".into() },
            Placement::NotSent { cause: "connection refused".into() },
            Placement::LaneFault { cause: "401".into() },
            Placement::NumberFault { cause: "no such number".into() },
            Placement::Unknown { cause: "timed out".into() },
        ];
        let sent = ids.iter().zip(results).map(|(id, result)| stage.sent(*id, result)).collect();
        assert_eq!(database.store.record(sent, noon()).await.expect("a record").recorded, 5);
        for (name, n) in [
            ("attempt:placed", 1), ("attempt:not_sent", 1), ("attempt:refused", 2), ("attempt:unknown", 1),
            ("contact:active", 2), ("contact:waiting", 2), ("contact:stopped", 1), ("stopped:invalid_number", 1),
        ] {
            assert_eq!(stage.count(&database.store, name).await, n, "{name}");
        }
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_result_counts_once_and_late_ones_change_nothing(database) {
        let stage = Stage::set(&database.store, 1).await;
        let id = stage.place(&database.store, 1, noon()).await[0];
        let late = vec![
            stage.accepted(id, noon()),
            stage.sent(id, Placement::NotSent { cause: "too late".into() }),
        ];
        let recorded = database.store.record(late, noon()).await.expect("a record");
        assert_eq!((recorded.recorded, recorded.late), (0, 2));
        assert_eq!(stage.count(&database.store, "attempt:placed").await, 1);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_receipt_that_comes_twice_at_once_counts_once(database) {
        let stage = Stage::set(&database.store, 1).await;
        let id = stage.claim(&database.store, 1, noon()).await[0];
        let receipt = || stage.accepted(id, noon());
        let recorded = database.store.record(vec![receipt(), receipt()], noon()).await.expect("a record");
        assert_eq!((recorded.recorded, recorded.late), (1, 1));
        assert_eq!(stage.count(&database.store, "attempt:placed").await, 1);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_receipt_after_doubt_is_taken_and_its_contact_leaves_review(database) {
        let stage = Stage::set(&database.store, 2).await;
        let ids = stage.claim(&database.store, 2, noon()).await;
        let unknown = |id| stage.sent(id, Placement::Unknown { cause: "reset".into() });
        database.store.record(ids.iter().map(|id| unknown(*id)).collect(), noon()).await.expect("a record");
        database.store.settle(vec![(ids[0], ringfence_store::Settlement::Review)], noon()).await.expect("in review");
        assert_eq!(stage.count(&database.store, "contact:review").await, 1);
        let receipt = vec![stage.accepted(ids[0], noon()), stage.sent(ids[1], Placement::NotSent { cause: "never left".into() })];
        database.store.record(receipt, noon()).await.expect("a record");
        assert_eq!(stage.count(&database.store, "contact:review").await, 0);
        assert_eq!(stage.count(&database.store, "attempt:placed").await, 1);
        assert_eq!(stage.count(&database.store, "attempt:not_placed").await, 1);
        assert_eq!(stage.count(&database.store, "contact:waiting").await, 1);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn one_call_id_never_belongs_to_two_attempts(database) {
        let stage = Stage::set(&database.store, 3).await;
        let ids = stage.claim(&database.store, 3, noon()).await;
        let same = |id| stage.sent(id, Placement::Accepted { call_id: "same".into() });
        database.store.record(vec![same(ids[0]), same(ids[1])], noon()).await.expect("a record");
        database.store.record(vec![same(ids[2])], noon()).await.expect("a record");
        assert_eq!(stage.count(&database.store, "attempt:placed").await, 1);
        assert_eq!(stage.count(&database.store, "attempt:unknown").await, 2, "shown to a person instead");
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn what_a_result_says_about_the_lane_takes_effect_with_it(database) {
        let stage = Stage::set(&database.store, 4).await;
        let ids = stage.claim(&database.store, 4, noon()).await;
        let lane = || async { database.store.lanes().await.expect("lanes").remove(0) };
        let with = |id, effect| {
            vec![Sent { effect, ..stage.sent(id, Placement::LaneFault { cause: "x".into() }) }]
        };
        let until: Moment = noon() + Span::from_secs(30);
        database.store.record(with(ids[0], LaneEffect::Slow(until, "429".into())), noon()).await.expect("a record");
        assert_eq!(lane().await.backoff_until, until);
        database.store.record(with(ids[1], LaneEffect::Trouble("down".into())), until).await.expect("a record");
        database.store.record(with(ids[2], LaneEffect::Trouble("down".into())), until).await.expect("a record");
        assert_eq!((lane().await.consecutive_failures, lane().await.backoff_until), (2, until + Span::from_secs(2)));
        database.store.record(with(ids[3], LaneEffect::Pause("401".into())), until).await.expect("a record");
        assert_eq!((lane().await.state, lane().await.reason.as_deref()), (LaneState::Paused, Some("401")));
        assert_eq!(stage.count(&database.store, "contact:waiting").await, 4, "nobody lost an attempt");
        let key = database.store.hasher().key(&sample::number(0));
        assert_eq!(database.store.attempts_at(key).await.expect("attempts")[0].state, AttemptState::Refused);
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn a_campaign_that_the_provider_refuses_is_paused_and_costs_nobody_an_attempt(database) {
        use ringfence_domain::{CampaignState, PausedBy};
        let stage = Stage::set(&database.store, 3).await;
        let store = &database.store;
        let attempts = stage.claim(store, 2, noon()).await;
        let refused = |id: &_| stage.sent(*id, Placement::CampaignFault { cause: "HTTP 404: no such agent".into() });
        let recorded = store.record(attempts.iter().map(refused).collect(), noon()).await.expect("a record");
        assert_eq!((recorded.recorded, recorded.failing.len()), (2, 1));
        let campaign = store.campaign("spring".into()).await.expect("an answer").expect("a campaign");
        assert_eq!((campaign.state, campaign.paused_by), (CampaignState::Paused, Some(PausedBy::Safety)));
        assert!(campaign.reason.expect("a reason").contains("no such agent"));
        assert_eq!(stage.count(store, "contact:waiting").await, 3);
        assert_eq!(stage.count(store, "attempt:refused").await, 2);
        assert_eq!(stage.claim(store, 3, noon()).await, [], "it is paused");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_refusal_that_nobody_can_place_is_a_persons_to_look_at_and_many_pause_the_campaign(database) {
        use ringfence_store::ReviewAnswer;
        use ringfence_domain::{CampaignState, ContactId};
        let stage = Stage::set(&database.store, 22).await;
        let store = &database.store;
        let attempts = stage.claim(store, 20, noon()).await;
        let refused = |id: &_| stage.sent(*id, Placement::RequestFault { cause: "HTTP 400".into() });
        store.record(vec![refused(&attempts[0])], noon()).await.expect("a record");
        assert_eq!(stage.count(store, "contact:review").await, 1);
        let campaign = store.campaign("spring".into()).await.expect("an answer").expect("a campaign");
        assert_eq!(campaign.state, CampaignState::Running, "it may be this contact's own");
        let recorded = store.record(attempts[1..].iter().map(refused).collect(), noon()).await.expect("a record");
        assert_eq!(recorded.failing.len(), 1, "it is everyone's");
        let campaign = store.campaign("spring".into()).await.expect("an answer").expect("a campaign");
        assert_eq!(campaign.state, CampaignState::Paused);
        let rows = store.reviews(None, ContactId(0), 100).await.expect("reviews");
        assert_eq!((rows.len(), rows[0].cause.as_deref()), (20, Some("HTTP 400")));
        for row in rows {
            assert!(store.decide_review(row.contact, ReviewAnswer::NotPlaced, noon()).await.expect("decided"));
        }
        assert_eq!(stage.count(store, "contact:waiting").await, 22, "nobody is lost");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_call_knows_of_an_earlier_one_through_the_same_lane_and_of_no_other(database) {
        use ringfence_domain::Outcome;
        use ringfence_store::Settlement;
        use ringfence_tests::sample::{lane_settings, rules};
        let store = &database.store;
        let one = Stage::set_with(store, lane_settings("one"), rules("spring", "one"), 1).await;
        let two = Stage::set_with(store, lane_settings("two"), rules("summer", "two"), 1).await;
        let call = async |stage: &Stage, at: Moment| {
            let attempt = stage.place(store, 1, at).await[0];
            let before = store.live_calls(stage.lane).await.expect("calls")[0].called_before;
            let busy = vec![(attempt, Settlement::Ended(Outcome::Busy, Box::default()))];
            store.settle(busy, at).await.expect("settled");
            before
        };
        assert_eq!(call(&one, noon()).await, None);
        let later = noon() + Span::from_hours(1);
        assert_eq!(call(&two, later).await, None, "the other lane's vendor does not know of it");
        assert_eq!(call(&one, later).await, Some(noon()));
    }
}

on_both_databases! {
    async fn a_result_that_is_recorded_already_says_nothing_of_its_lane(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let ids = stage.claim(store, 3, noon()).await;
        let unknown = || Placement::Unknown { cause: "reset".into() };
        let rest = noon() + Span::from_minutes(10);
        let sent = vec![
            Sent { effect: LaneEffect::Trouble("reset".into()), ..stage.sent(ids[0], unknown()) },
            Sent { effect: LaneEffect::Slow(rest, "429".into()), ..stage.sent(ids[1], Placement::LaneFault { cause: "429".into() }) },
            Sent { effect: LaneEffect::Pause("401".into()), ..stage.sent(ids[2], Placement::LaneFault { cause: "401".into() }) },
        ];
        let lane = async || store.lanes().await.expect("lanes").remove(0);
        for one in sent.clone() {
            store.record(vec![one], noon()).await.expect("a record");
        }
        let said = lane().await;
        assert_eq!((said.state, said.backoff_until, said.consecutive_failures), (LaneState::Paused, rest, 0));
        // A person has mended it since.
        store.resume_lane(stage.lane, noon()).await.expect("resumed");
        let recorded = store.record(sent, noon()).await.expect("a record");
        assert_eq!((recorded.recorded, recorded.late), (0, 3));
        let mended = lane().await;
        assert_eq!((mended.state, mended.backoff_until, mended.consecutive_failures), (LaneState::Open, Moment::default(), 0));
    }
}

on_both_databases! {
    async fn receipts_that_are_read_back_pause_no_lane_that_was_mended(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let ids = stage.claim(store, 1, noon()).await;
        let refused = Placement::LaneFault { cause: "401".into() };
        let sent = Sent { effect: LaneEffect::Pause("401".into()), ..stage.sent(ids[0], refused) };
        let reference = store.references(ids.clone()).await.expect("references").remove(&ids[0]).expect("a reference");
        // The process is killed between the commit and taking its line out of the file.
        let dying = database.another().await.keeping_receipts_in(database.folder().join("ringfence.receipts"));
        dying.receipts().add(&reference, &sent);
        assert_eq!(dying.receipts().write_down().expect("written").kept, 1);
        dying.record(vec![sent], noon()).await.expect("a record");
        store.resume_lane(stage.lane, noon()).await.expect("resumed");
        let next = database.another().await.keeping_receipts_in(database.folder().join("ringfence.receipts"));
        assert_eq!(next.take_back_receipts(noon()).await.expect("read").taken, 1);
        assert_eq!(store.lanes().await.expect("lanes")[0].state, LaneState::Open);
        assert!(!database.folder().join("ringfence.receipts").exists());
    }
}

on_both_databases! {
    async fn one_number_that_is_told_to_wait_an_hour_rests_its_lane_for_seconds_and_several_in_a_row_for_the_hour(database) {
        let store = &database.store;
        let stage = Stage::set(store, 12).await;
        let ids = stage.claim(store, 12, noon()).await;
        let hour = noon() + Span::from_hours(1);
        let told = |id, until| Sent {
            effect: LaneEffect::Slow(until, "429".into()),
            ..stage.sent(id, Placement::Throttled { cause: "429".into(), retry_after: Some(until.since(noon())) })
        };
        let record = |sent| async { store.record(sent, noon()).await.expect("a record") };
        let rests = || async { store.lanes().await.expect("lanes").remove(0).backoff_until.since(noon()) };

        record(vec![told(ids[0], noon() + Span::from_secs(2))]).await;
        assert_eq!(rests().await, Span::from_secs(2), "as told, which is short");
        record(vec![told(ids[1], hour)]).await;
        assert_eq!(rests().await, Span::from_secs(15), "it may be this number's own");
        let mut waits = Vec::new();
        for n in 0..12 {
            let key = store.hasher().key(&sample::number(n));
            let contact = store.contact_by_number(stage.run(), key).await.expect("an answer").expect("a contact");
            waits.extend((contact.due_at > noon()).then(|| contact.due_at.since(noon())));
        }
        waits.sort_unstable();
        assert_eq!(waits, [Span::from_secs(2), Span::from_hours(1)], "whoever was refused waits as told");

        record(vec![stage.accepted(ids[2], noon())]).await;
        record(vec![told(ids[3], hour)]).await;
        record(vec![Sent { effect: LaneEffect::Fine, ..stage.sent(ids[4], Placement::NumberFault { cause: "no".into() }) }]).await;
        record(vec![told(ids[5], hour), stage.accepted(ids[6], noon())]).await;
        store.affect_lane(stage.lane, LaneEffect::Nothing, noon()).await.expect("nothing");
        record(vec![told(ids[7], hour)]).await;
        assert_eq!(rests().await, Span::from_secs(15), "others were looked at in between");

        record(vec![told(ids[8], hour)]).await;
        assert_eq!(rests().await, Span::from_hours(1), "three in a row are everyone");
        store.resume_lane(stage.lane, noon()).await.expect("resumed");
        record(vec![told(ids[9], hour)]).await;
        assert_eq!(rests().await, Span::from_secs(15), "a person has resumed it: it begins anew");
        store.affect_lane(stage.lane, LaneEffect::Slow(hour, "429".into()), noon()).await.expect("slowed");
        assert_eq!(rests().await, Span::from_hours(1), "a question that is refused covers all");
        stage.check_counts(store).await;
    }
}
