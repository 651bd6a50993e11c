//! What summaries are made of: of all campaigns at once it is the same as of each.

use ringfence_domain::{Outcome, Span};
use ringfence_store::{Begin, DncList, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{self, Stage, noon};

on_both_databases! {
    async fn all_campaigns_at_once_have_the_figures_that_each_has_alone(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let placed = stage.place(store, 3, noon()).await;
        let later = noon() + Span::from_secs(20);
        let ended = Settlement::Ended(Outcome::Answered, Box::default());
        store.settle(vec![(placed[0], ended)], later).await.expect("settled");
        let (_, autumn) = store.apply(sample::rules("autumn", "main"), stage.lane, Begin::Running, later).await.expect("a campaign");
        sample::import(store, autumn.run, 10..14, later).await;
        let (_, empty) = store.apply(sample::rules("empty", "main"), stage.lane, Begin::Running, later).await.expect("a campaign");
        let all = store.all_numbers_shown(later).await.expect("figures");
        let names: Vec<&str> = all.iter().map(|one| one.conditions.campaign.rules.name.as_str()).collect();
        assert_eq!(names, ["autumn", "empty", "spring"]);
        for figures in &all {
            let name = figures.conditions.campaign.rules.name.clone();
            let alone = store.numbers_shown(name, later).await.expect("an answer").expect("a campaign");
            assert_eq!(format!("{figures:?}"), format!("{alone:?}"));
        }
        let [of_autumn, of_empty, of_spring] = &all[..] else { panic!("{names:?}") };
        assert_eq!((of_autumn.last_minute, of_spring.last_minute), (0, 3));
        assert_eq!((of_autumn.counts["contact:waiting"], of_spring.counts["contact:waiting"]), (4, 2));
        assert_eq!(of_autumn.buckets.iter().map(|bucket| bucket.waiting).sum::<i64>(), 4);
        assert!(of_empty.buckets.is_empty() && of_empty.conditions.run.id == empty.run);
    }
}

on_both_databases! {
    async fn who_is_on_the_do_not_call_list_is_counted_by_the_shorter_of_both_lists(database) {
        let store = &database.store;
        let stage = Stage::set(store, 5).await;
        let list = store.begin_dnc(DncList { campaign: None, source: None, reason: None, added_at: noon() }).await.expect("a list");
        let numbers = (3..10).map(sample::number).map(|number| (list, store.hasher().key(&number), number)).collect();
        store.add_dnc(numbers).await.expect("on the list");
        let count = async |most| store.waiting_on_dnc(stage.campaign.run, most).await.expect("an answer");
        assert_eq!(count(8).await, Some(2), "the list is the shorter");
        assert_eq!(count(6).await, Some(2), "those who wait are");
        assert_eq!(count(5).await, None, "both are too long");
    }
}
