//! `cargo xtask bench`: what `BENCHMARKS.md` reports, measured in one run on one machine.
#![expect(clippy::print_stdout, reason = "its output is the result")]
#![expect(clippy::disallowed_methods, reason = "it measures elapsed time on a machine that does not sleep meanwhile")]

mod backlog;
mod dials;
mod history;
mod limit;
mod multiply;
mod page;
mod peer;
mod processes;
mod reads;
mod slots;
mod times;
mod vendor;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mimalloc::MiMalloc;
use ringfence_store::{Database, Location};
use ringfence_tests::TestDatabase;
use ringfence_tests::database::text_of;
use ringfence_tests::sample::number;

/// The one of `ringfence`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const DATABASES: [&str; 2] = ["sqlite", "postgres"];

/// A benchmark writes its lists here, and its SQLite databases.
struct Bench {
    folder: tempfile::TempDir,
    /// Where calls go.
    vendor: String,
}

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let given = |place: usize| std::env::args().nth(place).and_then(|n| n.parse().ok());
    let folder = tempfile::TempDir::new().expect("a folder");
    match wanted.as_str() {
        "vendor" => vendor::be_quick().await,
        "page" => page::measure(folder.path()).await,
        "processes" => processes::measure().await,
        "history" => history::measure(given(2).unwrap_or(10_000_000)).await,
        "slots" => {
            let lengths = given(2).map_or(vec![5, 20, 60], |only| vec![only as u64]);
            for seconds in lengths {
                slots::measure(Duration::from_secs(seconds)).await;
            }
        }
        "reads" => {
            let bench = Bench { folder, vendor: vendor::simulated().await };
            // More are made of those that are imported.
            let list = bench.list(500_000);
            let times = (given(2).unwrap_or(1_000_000) / 500_000).max(1);
            for database in DATABASES {
                reads::measure(&bench, database, &list, times).await;
            }
        }
        "backlog" => {
            let bench = Bench { folder, vendor: String::new() };
            bench.backlogs(given(2).unwrap_or(1_000_000), std::env::args().nth(3).as_deref()).await;
        }
        "import" => Bench { folder, vendor: String::new() }.imports().await,
        _ => {
            let quick = vendor::Quick::start().await;
            let bench = Bench { folder, vendor: quick.url.clone() };
            bench.dials(given(1).unwrap_or(40_000), std::env::args().nth(2).as_deref()).await;
        }
    }
}

impl Bench {
    /// Dials a second: Ringfence on both databases, the best peer, and what the machine can do at most;
    /// or only one of them.
    async fn dials(&self, dials: usize, only: Option<&str>) {
        let list = self.list(dials);
        let mut rates = BTreeMap::new();
        for name in ["limit", "peer", "postgres", "sqlite"] {
            if only.is_some_and(|only| only != name) {
                continue;
            }
            let rate = match name {
                "limit" => limit::measure(&TestDatabase::empty_postgres().await, &self.vendor, dials).await,
                "peer" => {
                    let url = TestDatabase::empty_postgres().await;
                    peer::measure(self.folder.path(), &url, &self.vendor, dials).await
                }
                _ => self.of_ringfence(name, &list, dials).await,
            };
            rates.insert(name, rate);
            let of = |other: &str| {
                let known = rates.get(other).filter(|_| other != name);
                known.map(|other_rate| format!(", {:.2} of the {other}", rate / other_rate)).unwrap_or_default()
            };
            println!("{name}: {rate:.0} dials a second{}{}", of("peer"), of("limit"));
        }
    }

    /// Dials a second of Ringfence. On Postgres it says what they cost the server's log, and what is left
    /// for autovacuum.
    async fn of_ringfence(&self, database: &str, list: &Path, dials: usize) -> f64 {
        const LOGGED: &str = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::text";
        const DEAD: &str = "SELECT string_agg(format('%s %s of %s', relname, n_dead_tup, n_live_tup), ', ' ORDER BY n_dead_tup DESC) \
             FROM (SELECT * FROM pg_stat_user_tables WHERE n_dead_tup > 0 ORDER BY n_dead_tup DESC LIMIT 4) AS worst";
        const IN_PLACE: &str = "SELECT string_agg(format('%s %s %%', relname, 100 * n_tup_hot_upd / n_tup_upd), ', ' ORDER BY n_tup_upd DESC) \
             FROM pg_stat_user_tables WHERE n_tup_upd > 1000";
        let location = self.location(database, "dial").await;
        let store = Arc::new(Database::open(&location, true).await.expect("a database"));
        let prepared = dials::prepare(&store, list, &self.vendor).await;
        let Location::Postgres(url) = &location else { return dials::dial(&store, prepared, dials).await };
        let logged = async || text_of(url, LOGGED).await.and_then(|bytes| bytes.parse::<f64>().ok()).expect("a place");
        let before = logged().await;
        let rate = dials::dial(&store, prepared, dials).await;
        println!("postgres: {:.0} bytes of the server's log for each call", (logged().await - before) / dials as f64);
        println!("postgres: updates in place: {}", text_of(url, IN_PLACE).await.unwrap_or_default());
        println!("postgres: dead rows: {}", text_of(url, DEAD).await.unwrap_or_default());
        rate
    }

    /// Rows a second that are taken in.
    async fn imports(&self) {
        let million = self.list(1_000_000);
        for database in DATABASES {
            let took = dials::import(&self.open(database, "import").await, &million).await;
            let rate = 1e6 / took.as_secs_f64();
            println!("{database}: {rate:.0} rows imported a second (1,000,000 rows in {took:.1?})");
            println!("{database}: peak memory so far with 1,000,000 contacts: {} MiB", peak_mib());
        }
    }

    /// Times a tick and its claims with 10,000 contacts of 1,000 campaigns, and then with `contacts` of them.
    async fn backlogs(&self, contacts: usize, only: Option<&str>) {
        for database in DATABASES {
            if only.is_some_and(|only| only != database) {
                continue;
            }
            let few = self.open(database, "few").await;
            let (tick, claim) = backlog::measure(&few, 1_000, 10_000).await;
            println!(
                "{database}, 10,000 contacts of 1,000 campaigns: a tick {tick}, the claims of its 40 calls {claim}"
            );
            let many = self.open(database, "many").await;
            let (tick_of_many, claim_of_many) = backlog::measure(&many, 1_000, contacts).await;
            println!(
                "{database}, {contacts} contacts of 1,000 campaigns: a tick {tick_of_many}, the claims of its 40 calls {claim_of_many}"
            );
            let (ticks, claims) = (tick_of_many.times(&tick), claim_of_many.times(&claim));
            println!("{database}: with many, a tick takes {ticks:.2} times as long, and its claims {claims:.2} times");
        }
    }

    async fn open(&self, database: &str, name: &str) -> Arc<Database> {
        Arc::new(Database::open(&self.location(database, name).await, true).await.expect("a database"))
    }

    /// Where a new database is.
    async fn location(&self, database: &str, name: &str) -> Location {
        match database {
            "postgres" => Location::Postgres(TestDatabase::empty_postgres().await),
            _ => Location::Sqlite(self.folder.path().join(format!("{name}.db"))),
        }
    }

    /// Writes a list of so many people.
    fn list(&self, rows: usize) -> std::path::PathBuf {
        let path = self.folder.path().join(format!("{rows}.csv"));
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
        writeln!(file, "phone,name,amount_due").expect("written");
        for n in 0..rows {
            writeln!(file, "{},Person {n},{}", number(n).e164(), n % 5_000).expect("written");
        }
        file.flush().expect("written");
        path
    }
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    peak.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
