//! Both databases have the same migrations under the same names, and a new database gets all of them.

use std::path::Path;

use ringfence_tests::TestDatabase;

fn names(folder: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
    let mut names: Vec<String> = std::fs::read_dir(path)
        .expect("the migrations")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn the_same_steps_stand_on_both_sides() {
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(
        names("sqlite").iter().all(|name| name.len() > 9 && name.split_once('.').is_some_and(|(_, end)| end == "sql"))
    );
}

#[tokio::test]
async fn a_new_database_gets_every_file() {
    let database = TestDatabase::sqlite().await;
    let steps = database.another().await.migrations().await.expect("the migrations that are in");
    let of_steps = steps.iter().map(|(version, name)| format!("{version:04}_{}.sql", name.replace(' ', "_")));
    assert_eq!(of_steps.collect::<Vec<_>>(), names("sqlite"));
}
