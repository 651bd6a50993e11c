//! The newest zone data that ever dialled is kept, and whoever has older data claims nothing.

use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::zone_data::ZoneData;
use ringfence_store::RunFigures;
use ringfence_tests::database::{execute, text_of};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};

const NEWEST: &str = "SELECT version FROM zone_data";

on_both_databases! {
    async fn the_first_call_enters_the_release_and_a_newer_one_takes_its_place(database) {
        let store = &database.store;
        let own = Some(ZoneData::in_use().version().to_string());
        let stage = Stage::set(store, 10).await;
        stage.open(store, 5, noon()).await;
        assert_eq!(text_of(&database.url, NEWEST).await, None, "nobody was dialled yet");
        let open = stage.open_attempts(store).await;
        store.stop_all("wait".into(), noon()).await.expect("a stop");
        assert_eq!(store.claim(stage.order(&open[..2], noon())).await.expect("an answer").sending, []);
        assert_eq!(text_of(&database.url, NEWEST).await, None, "a claim that calls nobody enters nothing");
        store.start_all(noon()).await.expect("a start");
        assert_eq!(store.claim(stage.order(&open[2..4], noon())).await.expect("an answer").sending.len(), 2);
        assert_eq!(text_of(&database.url, NEWEST).await, own);
        execute(&database.url, "UPDATE zone_data SET version = '2020a', since = 1").await;
        assert_eq!(store.stop().await.expect("an answer"), None, "older data held nobody up");
        assert_eq!(store.claim(stage.order(&open[4..], noon())).await.expect("an answer").sending.len(), 1);
        assert_eq!(text_of(&database.url, NEWEST).await, own);
        assert_eq!(text_of(&database.url, "SELECT CAST(since AS TEXT) FROM zone_data").await, Some(noon().millis().to_string()));
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn whoever_has_older_data_plans_and_claims_nothing_and_is_told_so(database) {
        let store = &database.store;
        let stage = Stage::set(store, 10).await;
        stage.open(store, 5, noon()).await;
        let open = stage.open_attempts(store).await;
        execute(&database.url, "INSERT INTO zone_data (only_row, version, since) VALUES (1, '2999a', 1795156200000)").await;
        assert_eq!(store.claim(stage.order(&open, noon())).await.expect("an answer").sending, []);
        assert!(store.lane_load(stage.lane, noon()).await.expect("a load").stop.is_some(), "and nothing is planned");
        store.start_all(noon()).await.expect("a start");
        let stop = store.stop().await.expect("an answer").expect("a start brings no newer data");
        assert_eq!((stop.by, stop.at.millis()), (StoppedBy::ZoneData, 1_795_156_200_000));
        let own = ZoneData::in_use().version().to_string();
        assert!(stop.reason.contains(&own) && stop.reason.contains("2999a"), "{}", stop.reason);
        let numbers: Option<RunFigures> = store.numbers("spring".into(), noon()).await.expect("an answer");
        assert_eq!(numbers.and_then(|numbers| numbers.conditions.stop), Some(stop));
        assert_eq!(text_of(&database.url, NEWEST).await.as_deref(), Some("2999a"), "it stays the newest");
        // What nobody can read holds everyone, too.
        execute(&database.url, "UPDATE zone_data SET version = 'latest'").await;
        stage.open(store, 5, noon()).await;
        assert!(store.stop().await.is_err() && store.claim(stage.order(&open, noon())).await.is_err());
        let sending = "SELECT CAST(count(*) AS TEXT) FROM attempts WHERE state = 'sending'";
        assert_eq!(text_of(&database.url, sending).await.as_deref(), Some("0"));
    }
}
