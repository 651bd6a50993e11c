//! Imports that overlap, are killed, held and undone: nobody is lost, and nobody is stopped who is
//! in the newest file.

use ringfence_domain::{ContactId, ImportId, ImportState, Outcome, PausedBy, Span, StopReason};
use ringfence_store::{
    Begin, CompleteOrder, Database, ImportCounts, NewContact, Reject, Settlement, StopOrder, StopScope, StoreError,
};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, begin_import, chunk, complete, noon, row};

/// Reads a file with these numbers, and nothing more.
async fn read(store: &Database, stage: &Stage, name: &str, numbers: &[usize]) -> ImportId {
    let import = begin_import(store, stage.run(), name, noon()).await;
    let rows = numbers.iter().enumerate().map(|(place, n)| row(store, place as i64 + 1, *n)).collect();
    store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
    import
}

/// What follows when a file was read, with `missing = "stop"`.
async fn release(store: &Database, stage: &Stage, import: ImportId) -> Result<u32, StoreError> {
    let mut after = ContactId(0);
    while let Some(last) = store.apply_changes(import, after, noon()).await? {
        after = last;
    }
    let missing = missing(store, stage, import).await?;
    store.complete_import(complete(import, 0, noon())).await?;
    while store.forget_matches(import).await? {}
    Ok(missing)
}

async fn missing(store: &Database, stage: &Stage, import: ImportId) -> Result<u32, StoreError> {
    StopOrder::new(stage.run(), StopScope::Missing(import), StopReason::Missing, noon()).carry_out(store).await
}

on_both_databases! {
    async fn a_second_process_with_the_same_file_changes_nothing_once_the_first_is_done(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let import = read(store, &stage, "newer", &[0, 1, 2, 3, 4]).await;
        assert_eq!(release(store, &stage, import).await.expect("released"), 0);
        let late = release(store, &stage, import).await;
        assert!(matches!(late, Err(StoreError::ImportOver { .. })), "{late:?}");
        let late = missing(store, &stage, import).await;
        assert!(matches!(late, Err(StoreError::ImportOver { .. })), "{late:?}");
        assert_eq!(stage.count(store, "contact:waiting").await, 5, "nobody is stopped as missing");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_import_that_is_undone_while_it_loads_is_over(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let import = read(store, &stage, "wrong", &[0, 10, 11]).await;
        store.undo_import(import, noon()).await.expect("undone");
        let rows = vec![row(store, 9, 12)];
        let late = store.import_chunk(chunk(import, stage.run(), rows, noon())).await;
        assert!(matches!(late, Err(StoreError::ImportOver { .. })), "{late:?}");
        let late = release(store, &stage, import).await;
        assert!(matches!(late, Err(StoreError::ImportOver { .. })), "{late:?}");
        store.release_import(stage.run(), import, noon()).await.expect("nothing");
        assert_eq!(stage.open(store, 100, noon()).await, 5, "those of the first file, all of them");
        let left = store.undone_with_waiting(stage.lane).await.expect("undone ones");
        assert_eq!(left, [(stage.run(), import)], "whoever looks after the lane stops the rest");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn who_stood_in_a_killed_or_held_import_is_dialled_with_the_file_that_brings_them_again(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let killed = read(store, &stage, "killed", &[1, 2, 3]).await;
        let held = read(store, &stage, "held", &[4, 5]).await;
        let counts = ImportCounts { rows: 2, accepted: 2, ..ImportCounts::default() };
        store.hold_import(held, counts, "too many".into(), noon()).await.expect("held");
        let good = read(store, &stage, "good", &[1, 2, 4, 6]).await;
        release(store, &stage, good).await.expect("released");
        assert_eq!(stage.open(store, 100, noon()).await, 4, "1, 2, 4 and 6");
        store.undo_import(held, noon()).await.expect("undone");
        let order = StopOrder::new(stage.run(), StopScope::Import(held), StopReason::Undone, noon());
        assert_eq!(order.carry_out(store).await.expect("stopped"), 0, "5 is missing already, 4 came with the good one");
        assert_ne!(killed, held);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_older_file_that_is_accepted_late_stops_nobody_and_changes_nothing_of_a_newer_one(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let monday = read(store, &stage, "monday", &[0]).await;
        store.hold_import(monday, ImportCounts::default(), "look".into(), noon()).await.expect("held");
        let tuesday = read(store, &stage, "tuesday", &[1, 2, 20]).await;
        assert_eq!(release(store, &stage, tuesday).await.expect("released"), 1, "0 is missing from it");
        assert_eq!(release(store, &stage, monday).await.expect("released"), 0);
        assert_eq!(stage.count(store, "contact:waiting").await, 3);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn who_is_being_called_when_a_newer_file_leaves_them_out_is_not_called_again(database) {
        let store = &database.store;
        let stage = Stage::set(store, 4).await;
        let placed = stage.place(store, 2, noon()).await;
        stage.open(store, 1, noon()).await;
        let open = stage.open_attempts(store).await;
        let newer = read(store, &stage, "newer", &[20]).await;
        assert_eq!(release(store, &stage, newer).await.expect("released"), 1, "who waits at once");
        assert!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending.is_empty(), "nor who is planned");
        let busy = Settlement::Ended(Outcome::Busy, Box::default());
        store.settle(placed.iter().map(|id| (*id, busy.clone())).collect(), noon()).await.expect("settled");
        assert_eq!(stage.count(store, "stopped:missing").await, 4);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn who_is_marked_to_leave_stays_when_a_newer_file_has_them_again(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let placed = stage.place(store, 1, noon()).await;
        let without = read(store, &stage, "without", &[20]).await;
        release(store, &stage, without).await.expect("released");
        let with = read(store, &stage, "with", &[0, 20]).await;
        release(store, &stage, with).await.expect("released");
        let busy = Settlement::Ended(Outcome::Busy, Box::default());
        store.settle(vec![(placed[0], busy)], noon()).await.expect("settled");
        assert_eq!(stage.count(store, "stopped:missing").await, 0);
        assert_eq!(stage.count(store, "contact:waiting").await, 2);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_row_that_is_rejected_shows_that_its_person_is_not_missing(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let named = |line: i64, n: usize, id: &str| NewContact { external_id: Some(id.into()), ..row(store, line, n) };
        let first = begin_import(store, stage.run(), "first", noon()).await;
        let rows = vec![named(1, 1, "a"), named(2, 2, "b"), named(3, 3, "c"), named(4, 4, "d")];
        store.import_chunk(chunk(first, stage.run(), rows, noon())).await.expect("a chunk");
        release(store, &stage, first).await.expect("released");
        let newer = begin_import(store, stage.run(), "newer", noon()).await;
        // a's number is mangled, b's is c's by now, d is gone.
        let mut rows = chunk(newer, stage.run(), vec![named(2, 3, "b"), named(3, 3, "c")], noon());
        rows.rejects.push(Reject {
            row_number: 1, line: 2, code: "shortened".into(), reason: "shortened".into(), record: vec![],
            external_id: Some("a".into()), numbers: vec![],
        });
        store.import_chunk(rows).await.expect("a chunk");
        assert_eq!(release(store, &stage, newer).await.expect("released"), 1, "d");
        assert_eq!(stage.count(store, "contact:waiting").await, 3);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn one_number_for_two_people_far_apart_in_a_file_is_the_first_ones(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let named = |line: i64, n: usize, id: &str| NewContact { external_id: Some(id.into()), ..row(store, line, n) };
        let first = begin_import(store, stage.run(), "first", noon()).await;
        let rows = vec![named(1, 1, "a"), named(2, 2, "b")];
        store.import_chunk(chunk(first, stage.run(), rows, noon())).await.expect("a chunk");
        release(store, &stage, first).await.expect("released");
        let newer = begin_import(store, stage.run(), "newer", noon()).await;
        for contact in [named(1, 9, "a"), named(2, 9, "b")] {
            store.import_chunk(chunk(newer, stage.run(), vec![contact], noon())).await.expect("a chunk");
        }
        release(store, &stage, newer).await.expect("it can be released");
        let key = store.hasher().key(&sample::number(9));
        let owner = store.contact_by_number(stage.run(), key).await.expect("an answer").expect("a contact");
        assert_eq!(owner.external_id.as_deref(), Some("a"));
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn canaries_that_cannot_be_called_are_replaced(database) {
        let store = &database.store;
        let mut rules = sample::rules("spring", "main");
        rules.calling.timezone = ringfence_domain::campaign::CallingZone::Contact;
        rules.calling.hours = "09:00-12:00".parse().expect("hours");
        let stage = Stage::set_with(store, sample::lane_settings("main"), rules, 0).await;
        let import = begin_import(store, stage.run(), "list", noon()).await;
        let nowhere = NewContact {
            zones: "Asia/Kolkata|America/New_York".parse().expect("zones"), ..row(store, 1, 1)
        };
        let rows = std::iter::once(nowhere).chain((2..6).map(|n| row(store, n as i64, n))).collect();
        store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
        let order = CompleteOrder { canary: Some(2), ..complete(import, 5, noon()) };
        store.complete_import(order).await.expect("complete");
        // The contact that is never anywhere at a good hour is no canary.
        assert_eq!(stage.open(store, 10, noon()).await, 2);
        ringfence_tests::database::execute(
            &database.url,
            "UPDATE contacts SET due_at = due_at + 86400000 WHERE id IN (SELECT contact_id FROM canaries)",
        ).await;
        store.sweep(ringfence_store::SweepOrder {
            lane: stage.lane, epoch: stage.epoch, now: noon(), sending_for: Span::ZERO,
            lapse_before: ringfence_domain::Moment::NEVER, overdue_at: noon(),
        }).await.expect("swept");
        let canary = store.canaries(stage.lane, noon()).await.expect("canaries").remove(0);
        assert_eq!((canary.pending, canary.put_off), (0, 2));
        store.replace_canaries(import, noon()).await.expect("replaced");
        let canary = store.canaries(stage.lane, noon()).await.expect("canaries").remove(0);
        assert_eq!((canary.pending, canary.put_off), (2, 0), "two others");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_stronger_word_takes_the_place_of_a_weaker_one(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let (_, draft) = store.apply(sample::rules("draft", "main"), stage.lane, Begin::Draft, noon()).await.expect("applied");
        let by = || async { store.campaign("draft".into()).await.expect("an answer").expect("there").paused_by };
        store.pause_campaign(draft.id, PausedBy::Person, "legal hold".into(), noon()).await.expect("paused");
        assert_eq!(by().await, Some(PausedBy::Person));
        store.apply(sample::rules("draft", "main"), stage.lane, Begin::Running, noon()).await.expect("applied");
        assert_eq!(by().await, Some(PausedBy::Person), "a run starts a draft, and lifts no pause");
        store.pause_campaign(draft.id, PausedBy::Safety, "stale".into(), noon()).await.expect("paused");
        assert_eq!(by().await, Some(PausedBy::Safety), "a rail is accepted, not only resumed");
        store.pause_campaign(draft.id, PausedBy::Person, "lunch".into(), noon()).await.expect("paused");
        assert_eq!(by().await, Some(PausedBy::Safety));
    }
}

on_both_databases! {
    async fn a_run_that_has_more_days_again_stops_nobody_more(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let judged = store.campaign_by_id(stage.campaign.id).await.expect("a campaign").revision;
        let mut more = sample::rules("spring", "main");
        more.schedule.ends = "2026-12-31".parse().ok();
        store.apply(more, stage.lane, Begin::Running, noon()).await.expect("applied");
        store.end_run(stage.campaign.id, judged, noon()).await.expect("nothing: the rules have changed");
        assert_eq!(store.run(stage.run()).await.expect("the run").closed_for, None);
        let order = StopOrder::new(stage.run(), StopScope::All, StopReason::CampaignEnded, noon());
        assert_eq!(order.carry_out(store).await.expect("an answer"), 0);
        let revision = store.campaign_by_id(stage.campaign.id).await.expect("a campaign").revision;
        store.end_run(stage.campaign.id, revision, noon()).await.expect("ended");
        assert_eq!(order.carry_out(store).await.expect("an answer"), 3);
        assert_eq!(store.import(ImportId(1)).await.expect("an answer").map(|row| row.state), Some(ImportState::Complete));
        stage.check_counts(store).await;
    }
}
