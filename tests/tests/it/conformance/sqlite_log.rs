//! SQLite's log is moved into the file beside the writer, not within a commit.

use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{Stage, import, noon};

/// They write many times what a log may hold.
const PEOPLE: usize = 40_000;

const MEGABYTE: u64 = 1024 * 1024;

#[tokio::test]
async fn a_long_log_is_moved_and_begun_anew_while_a_list_is_taken_in() {
    let database = TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 0).await;
    let size = |name: &str| std::fs::metadata(database.folder().join(name)).map_or(0, |file| file.len());
    let mut longest = 0;
    for first in (0..PEOPLE).step_by(500) {
        import(&database.store, stage.run(), first..first + 500, noon()).await;
        longest = longest.max(size("test.db-wal"));
    }
    let file = size("test.db");

    assert!(file > 3 * MEGABYTE, "the file has only {file} bytes");
    assert!(longest < 32 * MEGABYTE, "the log grew to {longest} bytes");
}
