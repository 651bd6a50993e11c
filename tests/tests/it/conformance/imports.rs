//! Contact files by chunks.

use std::collections::BTreeMap;

use ringfence_domain::{ImportId, ZoneSet};
use ringfence_store::{Database, ImportChunk, ImportOrder, ImportStart, NewContact, Reject, RowVerdict, Store};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

fn contact(store: &Database, row_number: i64, n: usize, amount: &str) -> NewContact {
    NewContact {
        row_number,
        number: sample::number(n),
        number_key: store.hasher().key(&sample::number(n)),
        zones: ZoneSet::one(chrono_tz::Asia::Kolkata),
        fields: BTreeMap::from([("b".to_owned(), amount.to_owned()), ("a".to_owned(), "x".to_owned())]),
    }
}

async fn begin(store: &Database, stage: &Stage, digest: &str) -> ImportId {
    let order = ImportOrder { run: stage.run(), source: "x.csv".into(), digest: digest.into(), now: noon() };
    match store.begin_import(order).await.expect("an import") {
        ImportStart::Begin(id) => id,
        ImportStart::Known(row) => panic!("known: {row:?}"),
    }
}

on_both_databases! {
    async fn a_chunk_may_be_repeated_and_each_row_gets_its_verdict(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let import = begin(store, &stage, "first").await;
        let chunk = || ImportChunk {
            import,
            run: stage.run(),
            contacts: vec![contact(store, 1, 1, "10"), contact(store, 2, 2, "20"), contact(store, 4, 1, "11")],
            rejects: vec![Reject { row_number: 3, line: 4, reason: "not a phone number".into() }],
            now: noon(),
        };
        let verdicts = [RowVerdict::Accepted, RowVerdict::Accepted, RowVerdict::Duplicate { first: 1 }];
        assert_eq!(store.import_chunk(chunk()).await.expect("a chunk"), verdicts);
        assert_eq!(store.import_chunk(chunk()).await.expect("a chunk"), verdicts, "after a kill, the same again");
        assert_eq!(stage.count(store, "contact:waiting").await, 2);
        assert_eq!(store.rejects(import, 10).await.expect("rejects").len(), 1);

        let second = begin(store, &stage, "second").await;
        let newer = ImportChunk {
            import: second,
            run: stage.run(),
            contacts: vec![contact(store, 1, 1, "10"), contact(store, 2, 2, "25"), contact(store, 3, 3, "30")],
            rejects: vec![],
            now: noon(),
        };
        let verdicts = [RowVerdict::Unchanged, RowVerdict::Updated, RowVerdict::Accepted];
        assert_eq!(store.import_chunk(newer).await.expect("a chunk"), verdicts);
        let key = store.hasher().key(&sample::number(2));
        let updated = store.contact_by_number(stage.run(), key).await.expect("a contact").expect("there");
        assert_eq!(updated.fields["b"], "25");
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn the_same_file_is_known_once_it_is_complete(database) {
        let store = &database.store;
        let stage = Stage::set(store, 3).await;
        let order = ImportOrder { run: stage.run(), source: "test.csv".into(), digest: "0..3".into(), now: noon() };
        let ImportStart::Known(row) = store.begin_import(order).await.expect("an import") else { panic!("it is in") };
        assert_eq!((row.rows, row.accepted, row.complete), (3, 3, true));
    }
}

on_both_databases! {
    async fn two_imports_at_once_make_each_contact_once(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let other = database.another().await;
        let (run, first, second) = (stage.run(), begin(store, &stage, "a").await, begin(store, &stage, "b").await);
        let chunk = |import| ImportChunk {
            import, run, rejects: vec![], now: noon(),
            contacts: (0..500).map(|n| contact(store, n as i64 + 1, n, "1")).collect(),
        };
        let (a, b) = tokio::join!(store.import_chunk(chunk(first)), other.import_chunk(chunk(second)));
        // One of two that cross may be told to come again; then it finds the other's rows.
        for (result, import) in [(a, first), (b, second)] {
            if result.is_err() {
                store.import_chunk(chunk(import)).await.expect("the second time");
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
        let chunk = |import, zone: &str| {
            let mut contact = contact(store, 1, 1, "10");
            contact.zones = zone.parse().expect("a zone");
            ImportChunk { import, run: stage.run(), contacts: vec![contact], rejects: vec![], now: noon() }
        };
        let first = begin(store, &stage, "first").await;
        store.import_chunk(chunk(first, "America/New_York")).await.expect("a chunk");
        let second = begin(store, &stage, "second").await;
        let verdicts = store.import_chunk(chunk(second, "America/Los_Angeles")).await.expect("a chunk");
        assert_eq!(verdicts, [RowVerdict::Updated]);
        let numbers = store.numbers("spring".into(), noon()).await.expect("numbers").expect("a campaign");
        let zones: Vec<String> = numbers.buckets.iter().map(|bucket| bucket.zones.to_string()).collect();
        assert_eq!(zones, ["America/Los_Angeles"]);
        stage.check_counts(store).await;
    }
}
