//! Contact files by chunks.

use std::collections::BTreeMap;

use ringfence_domain::{ImportId, ImportState};
use ringfence_store::{Database, ImportOrder, ImportStart, NewContact, Reject, RowVerdict};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, begin_import, chunk, complete, noon};

fn contact(store: &Database, row_number: i64, n: usize, amount: &str) -> NewContact {
    let fields = BTreeMap::from([("b".to_owned(), amount.to_owned()), ("a".to_owned(), "x".to_owned())]);
    NewContact { fields, ..sample::row(store, row_number, n) }
}

async fn begin(store: &Database, stage: &Stage, digest: &str) -> ImportId {
    begin_import(store, stage.run(), digest, noon()).await
}

/// Takes a whole file in and releases it.
async fn take_in(
    store: &Database,
    stage: &Stage,
    name: &str,
    contacts: Vec<NewContact>,
) -> (ImportId, Vec<RowVerdict>) {
    let import = begin(store, stage, name).await;
    let accepted = contacts.len() as i64;
    let verdicts = store.import_chunk(chunk(import, stage.run(), contacts, noon())).await.expect("a chunk");
    sample::apply_changes(store, import).await;
    store.complete_import(complete(import, accepted, noon())).await.expect("complete");
    while store.forget_matches(import).await.expect("forgotten") {}
    (import, verdicts)
}

async fn field(store: &Database, stage: &Stage, n: usize, name: &str) -> String {
    let key = store.hasher().key(&sample::number(n));
    let contact = store.contact_by_number(stage.run(), key).await.expect("an answer").expect("a contact");
    contact.fields[name].clone()
}

on_both_databases! {
    async fn a_chunk_may_be_repeated_and_each_row_gets_its_verdict(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let import = begin(store, &stage, "first").await;
        let rows = || {
            let mut rows = chunk(
                import,
                stage.run(),
                vec![contact(store, 1, 1, "10"), contact(store, 2, 2, "20"), contact(store, 4, 1, "11")],
                noon(),
            );
            rows.rejects.push(Reject {
                row_number: 3,
                line: 4,
                code: "not_a_number".into(),
                reason: "not a phone number".into(),
                record: vec!["x".into(), "call me".into()],
                external_id: None,
                numbers: vec![],
            });
            rows
        };
        let verdicts =
            [RowVerdict::Accepted, RowVerdict::Accepted, RowVerdict::Duplicate { line: 2, same_file: true }];
        assert_eq!(store.import_chunk(rows()).await.expect("a chunk"), verdicts);
        assert_eq!(store.import_chunk(rows()).await.expect("a chunk"), verdicts, "after a kill, the same again");
        assert_eq!(stage.count(store, "contact:waiting").await, 2);
        let rejects = store.rejects(import, 0, 10).await.expect("rejects");
        let told: Vec<_> = rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
        assert_eq!(told, [(4, "not a phone number"), (5, "duplicate of line 2")]);
        assert_eq!(rejects[0].record, ["x", "call me"]);
        let reasons = store.reject_reasons(import).await.expect("reasons");
        assert_eq!(reasons, BTreeMap::from([("duplicate".to_owned(), 1), ("not_a_number".to_owned(), 1)]));
        store.complete_import(complete(import, 2, noon())).await.expect("complete");

        let second = begin(store, &stage, "second").await;
        let newer = chunk(
            second,
            stage.run(),
            vec![contact(store, 1, 1, "10"), contact(store, 2, 2, "25"), contact(store, 3, 3, "30"), contact(store, 4, 2, "26")],
            noon(),
        );
        let verdicts = [
            RowVerdict::Unchanged,
            RowVerdict::Updated,
            RowVerdict::Accepted,
            RowVerdict::Duplicate { line: 3, same_file: true },
        ];
        assert_eq!(store.import_chunk(newer.clone()).await.expect("a chunk"), verdicts);
        assert_eq!(store.import_chunk(newer).await.expect("a chunk"), verdicts, "after a kill, the same again");
        assert_eq!(field(store, &stage, 2, "b").await, "20", "new data waits for the whole file");
        sample::apply_changes(store, second).await;
        assert_eq!(field(store, &stage, 2, "b").await, "25");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn nothing_of_a_file_is_planned_before_all_of_it_is_in(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let import = begin(store, &stage, "second").await;
        let rows = (10..15).map(|n| contact(store, n as i64, n, "1")).collect();
        store.import_chunk(chunk(import, stage.run(), rows, noon())).await.expect("a chunk");
        assert_eq!(stage.open(store, 100, noon()).await, 3, "those of the first file");
        store.complete_import(complete(import, 5, noon())).await.expect("complete");
        assert_eq!(stage.open(store, 100, noon()).await, 5);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn the_same_file_again_is_known_unless_another_came_in_between(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let (first, _) = take_in(store, &stage, "monday", vec![contact(store, 1, 1, "100")]).await;
        let order = |digest: &str| ImportOrder {
            run: stage.run(), source: "x.csv".into(), digest: digest.into(), columns: vec![], written_at: None, now: noon(),
        };
        let ImportStart::Known(row) = store.begin_import(order("monday")).await.expect("an import") else {
            panic!("it is in")
        };
        assert_eq!((row.id, row.state, row.counts.accepted), (first, ImportState::Complete, 1));
        take_in(store, &stage, "tuesday", vec![contact(store, 1, 1, "200")]).await;
        assert_eq!(field(store, &stage, 1, "b").await, "200");
        let (again, verdicts) = take_in(store, &stage, "monday", vec![contact(store, 1, 1, "100")]).await;
        assert_ne!(again, first);
        assert_eq!(verdicts, [RowVerdict::Updated]);
        assert_eq!(field(store, &stage, 1, "b").await, "100", "what came last holds");
        take_in(store, &stage, "a correction", vec![contact(store, 1, 1, "150")]).await;
        let lies_there = ImportOrder { written_at: Some(noon() - ringfence_domain::Span::from_hours(1)), ..order("monday") };
        let ImportStart::Known(_) = store.begin_import(lies_there).await.expect("an import") else {
            panic!("a list that was not written since takes no correction back")
        };
    }
}

on_both_databases! {
    async fn two_imports_at_once_make_each_contact_once(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let other = database.another().await;
        let (run, first, second) = (stage.run(), begin(store, &stage, "a").await, begin(store, &stage, "b").await);
        let rows = |import| {
            chunk(import, run, (0..500).map(|n| contact(store, n as i64 + 1, n, "1")).collect(), noon())
        };
        let (a, b) = tokio::join!(store.import_chunk(rows(first)), other.import_chunk(rows(second)));
        // One of two that cross may be told to come again; then it finds the other's rows.
        for (result, import) in [(a, first), (b, second)] {
            if result.is_err() {
                store.import_chunk(rows(import)).await.expect("the second time");
            }
        }
        assert_eq!(stage.count(store, "contact:waiting").await, 500);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_corrected_zone_moves_the_contact_to_the_hours_of_its_new_place(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let row = |zone: &str| NewContact { zones: zone.parse().expect("a zone"), ..contact(store, 1, 1, "10") };
        take_in(store, &stage, "first", vec![row("America/New_York")]).await;
        let (_, verdicts) = take_in(store, &stage, "second", vec![row("America/Los_Angeles")]).await;
        assert_eq!(verdicts, [RowVerdict::Updated]);
        let numbers = store.numbers("spring".into(), noon()).await.expect("numbers").expect("a campaign");
        let zones: Vec<String> = numbers.buckets.iter().map(|bucket| bucket.zones.to_string()).collect();
        assert_eq!(zones, ["America/Los_Angeles"]);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn an_id_recognises_a_person_whose_number_changed(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let row = |line: i64, n: usize, id: &str| {
            NewContact { external_id: Some(id.to_owned()), ..contact(store, line, n, "10") }
        };
        take_in(store, &stage, "first", vec![row(1, 1, "a"), row(2, 2, "b")]).await;
        let rows = vec![row(1, 7, "a"), row(2, 2, "c"), row(3, 8, "b"), row(4, 9, "b")];
        let (_, verdicts) = take_in(store, &stage, "second", rows).await;
        assert_eq!(
            verdicts,
            [
                RowVerdict::Updated,
                RowVerdict::Duplicate { line: 3, same_file: false },
                RowVerdict::Updated,
                RowVerdict::Duplicate { line: 4, same_file: true },
            ],
            "a number is one person's, and an id one row's"
        );
        let keys = |n: usize| store.hasher().key(&sample::number(n));
        for (n, id) in [(7, "a"), (8, "b")] {
            let contact = store.contact_by_number(stage.run(), keys(n)).await.expect("an answer").expect("a contact");
            assert_eq!(contact.external_id.as_deref(), Some(id));
        }
        assert!(store.contact_by_number(stage.run(), keys(1)).await.expect("an answer").is_none(), "nobody's by now");
        assert_eq!(stage.count(store, "contact:waiting").await, 2);
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn several_numbers_of_a_person_are_one_contact(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let with = |line: i64, numbers: &[usize]| NewContact {
            numbers: numbers.iter().map(|n| (sample::number(*n), store.hasher().key(&sample::number(*n)))).collect(),
            ..contact(store, line, numbers[0], "10")
        };
        let rows = vec![with(1, &[1, 2]), with(2, &[2, 3]), with(3, &[2])];
        let (_, verdicts) = take_in(store, &stage, "first", rows.clone()).await;
        let duplicate = RowVerdict::Duplicate { line: 2, same_file: true };
        assert_eq!(verdicts, [RowVerdict::Accepted, RowVerdict::Accepted, duplicate], "2 is the first one's");
        for n in [1, 2] {
            let key = store.hasher().key(&sample::number(n));
            let contact = store.contact_by_number(stage.run(), key).await.expect("an answer").expect("a contact");
            assert_eq!(contact.number, sample::number(1), "its first number has the turn");
        }
        let (_, again) = take_in(store, &stage, "second", vec![with(1, &[2, 1]), with(2, &[3])]).await;
        assert_eq!(again, [RowVerdict::Unchanged, RowVerdict::Unchanged]);
        stage.check_counts(store).await;
    }
}
