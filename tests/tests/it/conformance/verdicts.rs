//! What `why` says of a contact is what a claim does with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{AttemptId, Campaign, ClockReading, Moment, Outcome, PausedBy, Span};
use ringfence_operations::summary::{Asker, summarize};
use ringfence_operations::why::{self, Explanation};
use ringfence_store::{Begin, ClaimOrder, DncList, Settlement};
use ringfence_tests::database::execute;
use ringfence_tests::sample::{self, Stage, import, noon};
use ringfence_tests::{TestDatabase, on_both_databases, on_both_databases_in_virtual_time};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// A lane of five calls a day, and a campaign of one call a day to a number.
async fn stage(database: &TestDatabase) -> Stage {
    let mut settings: LaneSettings = sample::lane_settings("main");
    settings.limits.per_day = Some(5);
    Stage::set_with(&database.store, settings, capped("spring"), 20).await
}

fn capped(name: &str) -> Campaign {
    let mut rules = sample::rules(name, "main");
    rules.limits.per_number = vec!["1/day".parse().expect("a cap")];
    rules.calling.hours = "09:00-20:00".parse().expect("hours");
    rules
}

async fn explanation(database: &TestDatabase, n: usize, now: Moment) -> Explanation {
    let number = sample::number(n);
    let all = why::contacts(&database.store, &number, None, ClockReading::exact(now)).await.expect("an answer");
    all.into_iter().next().expect("a contact")
}

/// Rules that forbid a call, by `why`.
fn forbidding(explanation: &Explanation) -> Vec<&str> {
    let process = |rule: &str| rule == "process";
    explanation
        .rules
        .iter()
        .filter(|rule| !rule.allows && !process(&rule.rule))
        .map(|rule| rule.rule.as_str())
        .collect()
}

/// Claims the open attempt of the first contact, and compares what came of it with what `why` says
/// of it.
async fn compare(database: &TestDatabase, stage: &Stage, reason: &str, now: Moment, held: &str) {
    let store = &database.store;
    let number = sample::number(0);
    let bursts = store.bursts(stage.lane, stage.epoch, AttemptId(0), 100, 100).await.expect("bursts");
    let mut calls = bursts.into_iter().flat_map(|burst| burst.calls);
    let open = calls.find(|call| call.number == number).unwrap_or_else(|| panic!("{reason}: it is not planned"));
    let limits = capped("spring").number_limits();
    let claimed = store.claim(ClaimOrder { limits, ..stage.order(&[open.attempt], now) }).await.expect("a claim");
    assert!(claimed.sending.is_empty(), "{reason}: it was dialled");
    assert_eq!(claimed.refused.len(), 1, "{reason}");
    let explained = explanation(database, 0, now).await;
    assert!(!explained.may_dial_now, "{reason}: `why` says that it may be dialled");
    assert!(forbidding(&explained).contains(&held), "{reason}: {:?}", explained.rules);
    let because = explained.because.expect("a sentence");
    assert!(because.starts_with("It is not dialled: "), "{reason}: {because}");
}

on_both_databases! {
    async fn whatever_denies_a_claim_is_what_why_says(database) {
        let (store, now) = (&database.store, noon());
        let stage = stage(&database).await;
        let free = explanation(&database, 0, now).await;
        assert!(free.may_dial_now && forbidding(&free).is_empty(), "{:?}", free.rules);

        let open = async |now| stage.open(store, 1, now).await;
        open(now).await;
        store.stop_all("wrong list".into(), now).await.expect("a stop");
        compare(&database, &stage, "a stop", now, "stop").await;
        store.start_all(now).await.expect("a start");

        open(now).await;
        store.pause_lane(stage.lane, "a bad credential".into(), now).await.expect("a pause");
        compare(&database, &stage, "a paused lane", now, "lane").await;
        store.resume_lane(stage.lane, now).await.expect("resumed");

        open(now).await;
        execute(&database.url, "UPDATE lanes SET backoff_until = 9000000000000, backoff_reason = 'told to wait'").await;
        compare(&database, &stage, "a lane that rests", now, "pace").await;
        execute(&database.url, "UPDATE lanes SET backoff_until = 0").await;

        open(now).await;
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "lunch".into(), now).await.expect("a pause");
        compare(&database, &stage, "a paused campaign", now, "campaign").await;
        store.resume_campaign(stage.campaign.id, false, now).await.expect("resumed");

        open(now).await;
        execute(&database.url, "UPDATE runs SET outcome_window = 'xxxxxxxxxxxxxxxxxxxx'").await;
        compare(&database, &stage, "failing calls", now, "safety").await;
        execute(&database.url, "UPDATE runs SET outcome_window = ''").await;
        store.resume_campaign(stage.campaign.id, true, now).await.expect("resumed");

        open(now).await;
        execute(&database.url, "UPDATE lane_days SET calls = 5").await;
        execute(&database.url, "INSERT INTO lane_days (lane_id, day, calls) SELECT 1, '2026-11-20', 5 \
            WHERE NOT EXISTS (SELECT 1 FROM lane_days)").await;
        compare(&database, &stage, "a lane without calls for today", now, "lane_day").await;
        execute(&database.url, "UPDATE lane_days SET calls = 0").await;

        open(now).await;
        compare(&database, &stage, "another time than it was planned for", now + Span::from_hours(12), "hours").await;

        open(now).await;
        let number = sample::number(0);
        let list = DncList { campaign: None, reason: None, source: None, added_at: now };
        let list = store.begin_dnc(list).await.expect("a list");
        store.add_dnc(vec![(list, store.hasher().key(&number), number)]).await.expect("listed");
        compare(&database, &stage, "the do-not-call list", now, "dnc").await;
        stage.check_counts(store).await;
    }
}

on_both_databases! {
    async fn a_contact_that_has_had_its_calls_is_denied_and_why_says_so(database) {
        let now = noon();
        let stage = stage(&database).await;
        stage.open(&database.store, 1, now).await;
        execute(&database.url, "UPDATE contacts SET calls = 3 WHERE id = 1").await;
        let before = explanation(&database, 0, now).await;
        assert!(!before.may_dial_now && forbidding(&before).contains(&"max_attempts"), "{:?}", before.rules);
        compare(&database, &stage, "a contact that has had its calls", now, "max_attempts").await;
        stage.check_counts(&database.store).await;
    }
}

on_both_databases! {
    async fn who_waits_for_a_word_on_an_earlier_call_is_told_so(database) {
        let (store, now) = (&database.store, noon());
        let stage = Stage::set(store, 1).await;
        let call = stage.place(store, 1, now).await[0];
        let unknown = Settlement::Ended(Outcome::Unknown, Box::default());
        store.settle(vec![(call, unknown)], now).await.expect("settled");
        let (run, _) = store.begin_run(stage.campaign.id, "again".into(), now).await.expect("another run");
        import(store, run.id, 0..2, now).await;
        let asker = Asker { stop_switch: None, is_dialling: true };
        let told = async |now| {
            let figures = store.numbers("spring".into(), now).await.expect("numbers").expect("a campaign");
            summarize(&figures, &asker, ClockReading::exact(now))
        };
        let first = told(now).await;
        assert_eq!((first.waiting_for.held, first.waiting_for.pace), (1, 1), "the other one may be called");
        assert_eq!(stage.open(store, 5, now).await, 1);
        let open = stage.open_attempts(store).await;
        store.claim(stage.order(&open, now)).await.expect("a claim");
        // The planner has looked at them, and looks again in half a minute.
        let summary = told(now).await;
        assert_eq!((summary.waiting_for.held, summary.waiting_for.retry), (1, 0), "{:?}", summary.waiting_for);
        let because = summary.because.expect("a sentence");
        assert!(because.contains("in review; `ringfence review` lists them"), "{because}");
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "lunch".into(), now).await.expect("a pause");
        let paused = told(now).await.because.expect("a sentence");
        assert!(paused.contains("lunch"), "what a person must let go first comes first: {paused}");
        store.resume_campaign(stage.campaign.id, false, now).await.expect("resumed");
        assert_eq!(forbidding(&explanation(&database, 0, now).await), ["number", "due"]);
    }
}

on_both_databases! {
    async fn a_number_that_has_had_its_call_is_denied_by_the_limit_that_why_names(database) {
        let store = &database.store;
        let stage = stage(&database).await;
        let placed = stage.place(store, 1, noon()).await;
        let busy = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Busy, Box::default());
        let ended = noon() + Span::from_secs(30);
        store.settle(vec![(placed[0], busy)], ended).await.expect("settled");
        let later = noon() + Span::from_hours(1);
        stage.open(store, 1, later).await;
        compare(&database, &stage, "a cap", later, "per_number").await;
        let explained = explanation(&database, 0, later).await;
        let limit = explained.rules.iter().find(|rule| rule.rule == "per_number").expect("a limit");
        assert_eq!(explained.next_dial_at, limit.from.map(|from| from.max(explained.next_dial_at.expect("a moment"))));
    }
}

/// Counts the statements of this thread's sessions.
struct Statements(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "ringfence_store::session" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// In one thread, whose statements are counted.
on_both_databases_in_virtual_time! {
    async fn why_asks_as_much_for_a_number_in_many_campaigns_as_for_one(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let asked = async || {
            let count = Arc::new(AtomicUsize::new(0));
            let subscriber = tracing_subscriber::registry().with(Statements(count.clone()));
            let guard = tracing::subscriber::set_default(subscriber);
            let reading = ClockReading::exact(noon());
            let all = why::contacts(store, &sample::number(0), None, reading).await.expect("an answer");
            drop(guard);
            (all.len(), count.load(Ordering::Relaxed))
        };
        let (one, statements) = asked().await;
        assert_eq!(one, 1);
        assert!(statements > 3, "{statements} statements were seen");
        for n in 0..40 {
            let rules = sample::rules(&format!("other-{n}"), "main");
            let (_, campaign) = store.apply(rules, stage.lane, Begin::Running, noon()).await.expect("a campaign");
            import(store, campaign.run, 0..2, noon()).await;
        }
        assert_eq!(asked().await, (41, statements));
    }
}

on_both_databases! {
    async fn of_several_holds_the_one_nearest_to_the_campaign_is_told_first(database) {
        let (store, now) = (&database.store, noon());
        let stage = stage(&database).await;
        store.pause_lane(stage.lane, "a bad credential".into(), now).await.expect("a pause");
        let told = async || {
            let figures = store.numbers("spring".into(), now).await.expect("figures").expect("a campaign");
            let summary = summarize(&figures, &Asker::default(), ClockReading::exact(now));
            (summary.state, summary.held_by.unwrap_or_default(), summary.because.unwrap_or_default())
        };
        let (state, held_by, because) = told().await;
        assert_eq!((state, held_by.as_str()), ("held", "lane main paused"));
        assert_eq!(because, "Nothing is dialled: lane main is paused: a bad credential.");
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "lunch".into(), now).await.expect("a pause");
        let (state, held_by, because) = told().await;
        assert_eq!((state, held_by.as_str()), ("paused", "pause: lunch"));
        assert_eq!(because, "Nothing is dialled: the campaign is paused: lunch.");
        store.stop_all("wrong list".into(), now).await.expect("a stop");
        assert_eq!(told().await.1, "stop: wrong list");
    }
}

on_both_databases! {
    async fn once_the_window_has_closed_nobody_goes_on_at_a_moment_that_is_over(database) {
        let store = &database.store;
        let stage = stage(&database).await;
        let placed = stage.place(store, 2, noon()).await;
        let busy = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Busy, Box::default());
        store.settle(placed.iter().map(|id| (*id, busy.clone())).collect(), noon()).await.expect("settled");
        // Of two retries one is due at 19:50 in India and one at 22:30; it is 20:05, and closed
        // since 20:00.
        execute(&database.url, "UPDATE contacts SET due_at = 1795184400000 WHERE state = 'waiting' AND calls = 1").await;
        execute(&database.url, "UPDATE contacts SET due_at = 1795194000000 WHERE id = (SELECT max(id) FROM contacts WHERE calls = 1)").await;
        execute(&database.url, "UPDATE buckets SET next_due_at = 1795184400000, eligible_at = 1795184400000 WHERE class = 'retry'").await;
        let now = noon() + Span::from_minutes(8 * 60 + 5);
        let figures = store.numbers("spring".into(), now).await.expect("figures").expect("a campaign");
        let asker = Asker { is_dialling: true, ..Asker::default() };
        let summary = summarize(&figures, &asker, ClockReading::exact(now));
        assert_eq!(summary.next_dial_at.map(|at| at.to_string()).as_deref(), Some("2026-11-21T03:30:00Z"));
        assert_eq!(summary.state, "idle", "{summary:?}");
        assert_eq!((summary.waiting_for.retry, summary.waiting_for.window), (1, 19), "{summary:?}");
        let because = summary.because.expect("a sentence");
        assert!(because.starts_with("Nothing is dialled: it is outside the calling window (hours: "), "{because}");
        assert!(because.ends_with("It goes on at 21 Nov 2026 09:00 IST."), "{because}");
    }
}
