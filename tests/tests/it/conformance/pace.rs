//! The calls of the last minute, as people are shown them.

use ringfence_domain::{Moment, Span};
use ringfence_store::Database;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};

async fn pace(store: &Database, at: Moment) -> i64 {
    let numbers = store.numbers("spring".into(), at).await.expect("numbers").expect("a campaign");
    numbers.last_minute
}

on_both_databases! {
    async fn few_calls_are_counted_and_many_are_reckoned_from_the_newest(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2_700).await;
        stage.place(store, 200, noon()).await;
        assert_eq!(pace(store, noon() + Span::from_secs(30)).await, 200);
        assert_eq!(pace(store, noon() + Span::from_secs(61)).await, 0);
        let later = noon() + Span::from_minutes(5);
        stage.place(store, 2_000, later).await;
        // Planned ahead, and newer than any call.
        assert_eq!(stage.open(store, 500, later).await, 500);
        assert_eq!(pace(store, later + Span::from_secs(10)).await, 12_000, "2,000 in 10 seconds");
        assert_eq!(pace(store, later).await, 120_000, "within the first second that second counts");
    }
}
