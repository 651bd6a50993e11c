//! From a file that was read to contacts that may be dialled: rails, canaries, who is missing,
//! undoing.

use ringfence_domain::{ImportState, Outcome, PausedBy, StopReason};
use ringfence_store::{
    CompleteOrder, ImportCounts, ImportStart, Resumed, RowVerdict, Settlement, StopOrder, StopScope,
};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, begin_import, chunk, complete, noon, row};

on_both_databases! {
    async fn a_held_import_is_not_dialled_until_a_person_accepts(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let import = begin_import(store, stage.run(), "wrong", noon()).await;
        let rows = (10..15).map(|n| row(store, n as i64, n)).collect();
        store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
        let counts = ImportCounts { rows: 5, accepted: 5, ..ImportCounts::default() };
        store.hold_import(import, counts, "too many".into(), noon()).await.expect("held");
        let held = store.import(import).await.expect("an answer").expect("an import");
        assert_eq!((held.state, held.held_for.as_deref()), (ImportState::Held, Some("too many")));
        assert_eq!(stage.open(store, 100, noon()).await, 2, "those of the first file");

        let refused = store.resume_campaign(stage.campaign.id, false, noon()).await.expect("an answer");
        assert_eq!(refused, Resumed::NeedsAccept { reason: "too many".into() });
        let accepted = store.resume_campaign(stage.campaign.id, true, noon()).await.expect("an answer");
        assert_eq!(accepted, Resumed::Running { accepted: vec![import] });
        store.complete_import(complete(import, 5, noon())).await.expect("complete");
        assert_eq!(stage.open(store, 100, noon()).await, 5);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn the_rest_of_an_import_waits_for_its_canary(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let import = begin_import(store, stage.run(), "list", noon()).await;
        let rows = (1..=9).map(|n| row(store, n as i64, n)).collect();
        store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
        let order = CompleteOrder { canary: Some(3), ..complete(import, 9, noon()) };
        store.complete_import(order).await.expect("complete");
        assert_eq!(store.import(import).await.expect("an answer").expect("there").state, ImportState::Canary);
        let placed = stage.place(store, 100, noon()).await;
        assert_eq!(placed.len(), 3);
        let canary = store.canaries(stage.lane, noon()).await.expect("canaries").remove(0);
        assert_eq!((canary.import, canary.pending, canary.calls), (import, 3, 0));
        let ends = [Outcome::Answered, Outcome::Failed, Outcome::InvalidNumber];
        let settlements =
            placed.iter().zip(ends).map(|(id, end)| (*id, Settlement::Ended(end, Box::default()))).collect();
        store.settle(settlements, noon()).await.expect("settled");
        let canary = store.canaries(stage.lane, noon()).await.expect("canaries").remove(0);
        assert_eq!((canary.pending, canary.failures, canary.calls), (0, 2, 3));
        assert_eq!(stage.open(store, 100, noon()).await, 0, "nobody has said yet");
        store.release_import(stage.run(), import, noon()).await.expect("released");
        assert_eq!(stage.open(store, 100, noon()).await, 6);
        assert_eq!(store.canaries(stage.lane, noon()).await.expect("canaries"), []);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn who_is_missing_from_a_newer_file_is_stopped_if_waiting(database) {
        let store = &database.store;
        let stage = Stage::set(store, 6).await;
        let done = stage.place(store, 1, noon()).await;
        let answered = Settlement::Ended(Outcome::Answered, Box::default());
        store.settle(vec![(done[0], answered)], noon()).await.expect("settled");
        let import = begin_import(store, stage.run(), "newer", noon()).await;
        let rows = [3, 4, 20].iter().enumerate().map(|(place, n)| row(store, place as i64 + 1, *n)).collect();
        store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
        let order = StopOrder::new(stage.run(), StopScope::Missing(import), StopReason::Missing, noon());
        assert_eq!(order.carry_out(store).await.expect("stopped"), 3, "1, 2 and 5: 0 is done");
        assert_eq!(order.carry_out(store).await.expect("stopped"), 0, "may be repeated");
        store.complete_import(complete(import, 1, noon())).await.expect("complete");
        assert_eq!(stage.count(store, "stopped:missing").await, 3);
        assert_eq!(stage.count(store, "contact:waiting").await, 3);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_undone_import_stops_whom_nobody_dialled(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let import = begin_import(store, stage.run(), "wrong", noon()).await;
        let rows = (10..15).map(|n| row(store, n as i64, n)).collect();
        store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
        store.complete_import(complete(import, 5, noon())).await.expect("complete");
        let called = stage.place(store, 3, noon()).await;
        assert_eq!(called.len(), 5, "two of the first file, three of this one");
        store.undo_import(import, noon()).await.expect("undone");
        let order = StopOrder::new(stage.run(), StopScope::Import(import), StopReason::Undone, noon());
        assert_eq!(order.carry_out(store).await.expect("stopped"), 2);
        let busy = Settlement::Ended(Outcome::Busy, Box::default());
        store.settle(called.iter().map(|id| (*id, busy.clone())).collect(), noon()).await.expect("settled");
        assert_eq!(stage.count(store, "contact:waiting").await, 5, "who was called is called again");
        assert_eq!(store.import(import).await.expect("an answer").expect("there").state, ImportState::Undone);
        // The same file may come again, and brings whom nobody called.
        let again = begin_import(store, stage.run(), "wrong", noon()).await;
        assert_ne!(again, import);
        let rows = (10..15).map(|n| row(store, n as i64, n)).collect();
        let verdicts = store.import_chunk(chunk(again, stage.run(), rows, noon())).await.expect("a chunk");
        let accepted = verdicts.iter().filter(|verdict| **verdict == RowVerdict::Accepted).count();
        assert_eq!(accepted, 2, "{verdicts:?}");
        assert_eq!(stage.count(store, "stopped:import_undone").await, 2, "not before the import is released");
        sample::apply_changes(store, again).await;
        assert_eq!(stage.open(store, 100, noon()).await, 0, "nor before all of it is in");
        store.complete_import(complete(again, 2, noon())).await.expect("complete");
        assert_eq!(stage.open(store, 100, noon()).await, 2);
        assert_eq!(stage.count(store, "stopped:import_undone").await, 0);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_campaign_whose_last_calls_failed_is_paused_and_claims_nothing(database) {
        let store = &database.store;
        let stage = Stage::set(store, 60).await;
        let placed = stage.place(store, 20, noon()).await;
        let open = { stage.open(store, 5, noon()).await; stage.open_attempts(store).await };
        let end = |failed: bool| {
            let outcome = if failed { Outcome::Failed } else { Outcome::Busy };
            Settlement::Ended(outcome, Box::default())
        };
        let first = placed[..19].iter().enumerate().map(|(n, id)| (*id, end(n % 2 == 0))).collect();
        let settled = store.settle(first, noon()).await.expect("settled");
        assert_eq!(settled.failing, [], "nineteen calls say too little");
        let settled = store.settle(vec![(placed[19], end(false))], noon()).await.expect("settled");
        assert_eq!(settled.failing.len(), 1, "ten of twenty");
        let paused = store.campaign("spring".into()).await.expect("an answer").expect("a campaign");
        assert_eq!(paused.paused_by, Some(PausedBy::Safety));
        assert!(paused.reason.is_some_and(|reason| reason.contains("10 of the last 20 calls failed")));
        assert!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending.is_empty());

        let plain = store.resume_campaign(stage.campaign.id, false, noon()).await.expect("an answer");
        assert!(matches!(plain, Resumed::NeedsAccept { .. }), "{plain:?}");
        store.resume_campaign(stage.campaign.id, true, noon()).await.expect("an answer");
        assert!(!stage.claim(store, 5, noon()).await.is_empty(), "what failed is forgotten");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_claim_refuses_a_failing_run_even_if_nobody_has_paused_it_yet(database) {
        let store = &database.store;
        let stage = Stage::set(store, 30).await;
        let url = &database.url;
        ringfence_tests::database::execute(url, "UPDATE runs SET outcome_window = 'xxxxxxxxxxxxxxxxxxxx'").await;
        assert!(stage.claim(store, 10, noon()).await.is_empty());
        let paused = store.campaign("spring".into()).await.expect("an answer").expect("a campaign");
        assert_eq!(paused.paused_by, Some(PausedBy::Safety), "the claim itself has it paused");
        assert!(matches!(
            store.begin_import(ringfence_store::ImportOrder {
                run: stage.run(), source: "x".into(), digest: "0..30".into(), columns: vec![], written_at: None, now: noon(),
            }).await,
            Ok(ImportStart::Known(_))
        ));
        stage.check_counts(store).await;
    }
}
