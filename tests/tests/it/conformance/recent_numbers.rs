//! Numbers of a contact file that are entered after its contacts.

use ringfence_domain::{ImportId, RunId};
use ringfence_store::{Begin, Database, ImportCounts, NewContact, RowVerdict};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, begin_import, chunk, complete, noon, rules};

fn person(store: &Database, row: i64, id: Option<usize>, numbers: &[usize]) -> NewContact {
    NewContact {
        numbers: numbers.iter().map(|n| (sample::number(*n), store.hasher().key(&sample::number(*n)))).collect(),
        external_id: id.map(|id| format!("id {id}")),
        ..sample::row(store, row, numbers[0])
    }
}

/// A file of few people who have ids and numbers in common, other ones for each seed.
fn mixed_up(store: &Database, seed: u64) -> Vec<NewContact> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most) as usize
    };
    let mut row = |row| {
        let mut numbers: Vec<usize> = (0..=below(3)).map(|_| below(9)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let id = (below(3) == 0).then(|| below(4));
        person(store, row, id, &numbers)
    };
    (1..=10).map(&mut row).collect()
}

async fn take(store: &Database, run: RunId, import: ImportId, rows: &[NewContact]) -> Vec<RowVerdict> {
    store.import_chunk(chunk(import, run, rows.to_vec(), noon())).await.expect("a chunk")
}

async fn owner(store: &Database, stage: &Stage, n: usize) -> i64 {
    let found = store.contact_by_number(stage.run(), store.hasher().key(&sample::number(n))).await;
    found.expect("an answer").expect("somebody has the number").row_number
}

on_both_databases! {
    async fn a_file_is_sorted_alike_however_it_is_cut_and_whoever_reads_it(database) {
        let (store, other) = (&database.store, database.another().await);
        let stage = Stage::set(store, 0).await;
        let run = async |name: &str| {
            store.apply(rules(name, "main"), stage.lane, Begin::Running, noon()).await.expect("a campaign").1.run
        };
        for seed in 1..=60 {
            let (rows, name) = (mixed_up(store, seed), format!("file {seed}"));
            let told = |row: &NewContact| (row.external_id.clone(), row.numbers.iter().map(|(n, _)| n.to_string()).collect::<Vec<_>>());
            let told: Vec<_> = rows.iter().map(told).collect();
            let (a, b, c) = (run(&format!("{name} a")).await, run(&format!("{name} b")).await, run(&format!("{name} c")).await);
            let at_once = begin_import(store, a, &name, noon()).await;
            let expected = take(store, a, at_once, &rows).await;
            let by_rows = begin_import(store, b, &name, noon()).await;
            let by_turns = begin_import(store, c, &name, noon()).await;
            let (mut one_by_one, mut in_turns) = (Vec::new(), Vec::new());
            for (place, row) in rows.iter().enumerate() {
                one_by_one.extend(take(store, b, by_rows, std::slice::from_ref(row)).await);
                let process = if place % 2 == 0 { store } else { &other };
                in_turns.extend(take(process, c, by_turns, std::slice::from_ref(row)).await);
            }
            assert_eq!(one_by_one, expected, "row by row: {told:#?}");
            assert_eq!(in_turns, expected, "two processes in turns: {told:#?}");
            for (run, import) in [(a, at_once), (b, by_rows), (c, by_turns)] {
                assert_eq!(take(&other, run, import, &rows).await, expected, "the same again: {told:#?}");
            }
        }
    }
}

on_both_databases! {
    async fn who_goes_on_with_a_large_file_knows_everyone_whom_the_killed_process_brought(database) {
        let (store, other) = (&database.store, database.another().await);
        let stage = Stage::set(store, 0).await;
        let import = begin_import(store, stage.run(), "large", noon()).await;
        let rows: Vec<NewContact> = (1..=6_000).map(|row| sample::row(store, row, row as usize)).collect();
        for part in rows.chunks(2_000) {
            take(store, stage.run(), import, part).await;
        }
        let again = [person(store, 6_001, None, &[17]), person(store, 6_002, None, &[6_001])];
        let verdicts = take(&other, stage.run(), import, &again).await;
        assert_eq!(verdicts, [RowVerdict::Duplicate { line: 18, same_file: true }, RowVerdict::Accepted]);
        assert_eq!(take(&other, stage.run(), import, &rows[..2]).await, [RowVerdict::Accepted, RowVerdict::Accepted]);
        other.complete_import(complete(import, 6_001, noon())).await.expect("complete");
        for (n, row) in [(1, 1), (17, 17), (6_000, 6_000), (6_001, 6_002)] {
            assert_eq!(owner(store, &stage, n).await, row);
        }
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_held_file_has_all_its_numbers(database) {
        let store = &database.store;
        let stage = Stage::set(store, 0).await;
        let import = begin_import(store, stage.run(), "held", noon()).await;
        take(store, stage.run(), import, &[person(store, 1, None, &[1, 2])]).await;
        let counts = ImportCounts { rows: 1, accepted: 1, ..ImportCounts::default() };
        store.hold_import(import, counts, "too few".to_owned(), noon()).await.expect("held");
        assert_eq!(owner(store, &stage, 2).await, 1);
    }
}

on_both_databases! {
    async fn a_new_number_of_a_known_person_is_not_taken_from_somebody_who_is_just_coming(database) {
        let (store, other) = (&database.store, database.another().await);
        let stage = Stage::set(store, 0).await;
        let first = begin_import(store, stage.run(), "first", noon()).await;
        take(store, stage.run(), first, &[person(store, 1, Some(1), &[1])]).await;
        store.complete_import(complete(first, 1, noon())).await.expect("complete");
        let changing = begin_import(store, stage.run(), "changing", noon()).await;
        let changed = take(store, stage.run(), changing, &[person(store, 1, Some(1), &[2])]).await;
        assert_eq!(changed, [RowVerdict::Updated]);
        let coming = begin_import(&other, stage.run(), "coming", noon()).await;
        let came = take(&other, stage.run(), coming, &[person(store, 9, None, &[2])]).await;
        assert_eq!(came, [RowVerdict::Accepted]);
        sample::apply_changes(store, changing).await;
        store.complete_import(complete(changing, 0, noon())).await.expect("complete");
        other.complete_import(complete(coming, 1, noon())).await.expect("complete");
        assert_eq!([owner(store, &stage, 1).await, owner(store, &stage, 2).await], [1, 9]);
        stage.check_counts(store).await;
    }
}
