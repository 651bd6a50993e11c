//! What calls cost in a Postgres that has millions of calls behind it, while somebody reads for long: rows that are
//! dead stay in the tables as long as the reader may look at them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ringfence_domain::{AttemptId, CallDetails, Outcome};
use ringfence_store::{Database, Location, Settlement};
use ringfence_tests::TestDatabase;
use ringfence_tests::database::text_of;
use ringfence_tests::sample::{Stage, import, lane_settings, noon};
use sqlx::{Connection, Executor, PgConnection};

use crate::dials::bench_rules;
use crate::multiply;
use crate::times::Spread;

/// Calls that one round makes.
const CALLS: usize = 40;
/// Rounds that are measured.
const ROUNDS: usize = 500;
/// Measurements, one after the other, while the reader reads.
const PORTIONS: usize = 4;
/// The longest that is waited for dead rows to go.
const PATIENCE: Duration = Duration::from_mins(5);

/// What each step of a round took.
type Steps = BTreeMap<&'static str, Vec<Duration>>;

/// Measures it with nothing behind, and with `calls` calls behind and a reader.
pub(crate) async fn measure(calls: usize) {
    let url = TestDatabase::empty_postgres().await;
    let store = Database::open(&Location::Postgres(url.clone()), true).await.expect("a database");
    let people = CALLS * ROUNDS;
    let stage = Stage::set_with(&store, lane_settings("main"), bench_rules(), people).await;
    print("the first calls", dial(&store, &stage).await);
    multiply::calls(&url, calls.div_ceil(people)).await;
    println!("{} behind", behind(&url).await);
    import(&store, stage.run(), people..(2 + PORTIONS) * people, noon()).await;
    print("with these behind", dial(&store, &stage).await);
    let mut reader = PgConnection::connect(&url).await.expect("a reader");
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("begun");
    reader.execute("SELECT count(*) FROM lanes").await.expect("it reads");
    for portion in 1..=PORTIONS {
        print(&format!("with a reader, {portion} of {PORTIONS}"), dial(&store, &stage).await);
    }
    println!("with a reader: {}", dead(&url).await);
    reader.execute("COMMIT").await.expect("it is done");
    let left = Instant::now();
    while left.elapsed() < PATIENCE && !is_clean(&url).await {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    println!("{:.0?} after the reader has left: {}", left.elapsed(), dead(&url).await);
}

/// Makes calls from due to ended. Returns what each step took.
async fn dial(store: &Database, stage: &Stage) -> Steps {
    let mut steps = Steps::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let opened = stage.open(store, CALLS as u32, noon()).await;
        steps.entry("open").or_default().push(begun.elapsed());
        assert_eq!(opened as usize, CALLS, "attempts opened");
        let attempts = stage.open_attempts(store).await;
        let mut order = stage.order(&attempts, noon());
        order.limits = stage.campaign.rules.number_limits();
        let begun = Instant::now();
        let sending = store.claim(order).await.expect("a claim").sending;
        steps.entry("claim").or_default().push(begun.elapsed());
        assert_eq!(sending.len(), CALLS, "attempts claimed");
        let sent = sending.iter().map(|attempt| stage.accepted(*attempt, noon())).collect();
        let begun = Instant::now();
        store.record(sent, noon()).await.expect("a record");
        steps.entry("record").or_default().push(begun.elapsed());
        let begun = Instant::now();
        let ended =
            |attempt: &AttemptId| (*attempt, Settlement::Ended(Outcome::Answered, Box::<CallDetails>::default()));
        store.settle(sending.iter().map(ended).collect(), noon()).await.expect("settled");
        steps.entry("settle").or_default().push(begun.elapsed());
    }
    steps
}

fn print(what: &str, steps: Steps) {
    for (step, took) in steps {
        println!("{what}: {step} {CALLS} calls: {}", Spread::of(took));
    }
}

async fn behind(url: &str) -> String {
    let of = "SELECT format('%s attempts, %s of %s', count(*), pg_size_pretty(pg_database_size(current_database())), \
              current_setting('shared_buffers')) FROM attempts";
    text_of(url, of).await.unwrap_or_default()
}

async fn dead(url: &str) -> String {
    let of = "SELECT string_agg(format('%s: %s dead of %s, %s %% of changes in place', relname, n_dead_tup, \
              n_live_tup + n_dead_tup, 100 * n_tup_hot_upd / greatest(n_tup_upd, 1)), '; ' ORDER BY relname) \
              FROM pg_stat_user_tables WHERE relname IN ('attempts', 'contacts', 'calls', 'events', 'run_counts', 'runs', 'buckets')";
    text_of(url, of).await.unwrap_or_default()
}

/// Tells whether autovacuum has been at what the calls left.
async fn is_clean(url: &str) -> bool {
    let of = "SELECT coalesce(string_agg(relname, ' '), '') FROM pg_stat_user_tables \
              WHERE relname IN ('run_counts', 'runs', 'buckets') AND n_dead_tup > 1000";
    text_of(url, of).await.is_none_or(|left| left.is_empty())
}
