//! The list of contacts, page by page: a filter gives the contacts that it names, each once, in the
//! order of their ids.

use ringfence_domain::{ContactId, ContactState, Outcome, Span};
use ringfence_store::{Begin, ContactFilter, ContactRow, Database, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, import, noon, rules};

/// Contacts in every state, and a campaign whose contacts lie between them.
async fn set(store: &Database) -> Stage {
    let stage = Stage::set(store, 30).await;
    let (_, other) = store.apply(rules("other", "main"), stage.lane, Begin::Draft, noon()).await.expect("a campaign");
    import(store, other.run, 0..20, noon()).await;
    import(store, stage.run(), 30..60, noon()).await;
    let placed = stage.place(store, 24, noon()).await;
    let ends = [Outcome::Answered, Outcome::Busy, Outcome::NoAnswer, Outcome::InvalidNumber, Outcome::Rejected];
    let ended = placed[..20].iter().zip(ends.iter().cycle());
    let ended = ended.map(|(attempt, outcome)| (*attempt, Settlement::Ended(*outcome, Box::default())));
    store.settle(ended.collect(), noon()).await.expect("settled");
    let lost: Vec<_> = placed[20..22].iter().map(|attempt| (*attempt, Settlement::GiveUp)).collect();
    store.settle(lost, noon() + Span::from_hours(2)).await.expect("settled");
    stage
}

async fn everybody(store: &Database, stage: &Stage) -> Vec<ContactRow> {
    let mut all = Vec::new();
    for id in 1..=80 {
        all.extend(store.contact(ContactId(id)).await.expect("asked").filter(|row| row.run == stage.run()));
    }
    all
}

on_both_databases! {
    async fn every_filter_gives_whom_it_names(database) {
        let store = &database.store;
        let stage = set(store).await;
        let all = everybody(store, &stage).await;
        assert_eq!(all.len(), 60);
        let states: Vec<Option<ContactState>> = std::iter::once(None).chain(ContactState::ALL.iter().copied().map(Some)).collect();
        let outcomes: Vec<Option<Outcome>> = std::iter::once(None).chain(Outcome::ALL.iter().copied().map(Some)).collect();
        let mut seen = 0;
        for (state, outcome, reached) in states.iter().flat_map(|state| outcomes.iter().flat_map(move |outcome| [None, Some(true), Some(false)].map(|reached| (*state, *outcome, reached)))) {
            let wanted: Vec<ContactId> = all.iter().filter(|row| {
                state.is_none_or(|state| row.state == state)
                    && outcome.is_none_or(|outcome| row.last_outcome == Some(outcome))
                    && reached.is_none_or(|reached| row.reached == reached)
            }).map(|row| row.id).collect();
            let filter = ContactFilter { state, outcome, reached };
            let mut given = Vec::new();
            loop {
                let page = store.contacts(stage.run(), filter, given.last().copied().unwrap_or(ContactId(0)), 7).await.expect("a page");
                if page.is_empty() {
                    break;
                }
                assert!(page.len() <= 7);
                given.extend(page.iter().map(|row| row.id));
            }
            assert_eq!(given, wanted, "{filter:?}");
            seen += usize::from(!wanted.is_empty());
        }
        assert!(seen > 20, "only {seen} filters let anybody through");
    }
}
