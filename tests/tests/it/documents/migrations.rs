//! Both databases have the same migrations under the same names.

use std::path::Path;

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
