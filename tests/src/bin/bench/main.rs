//! `cargo xtask bench`: what `BENCHMARKS.md` reports, measured in one run on one machine.
#![expect(clippy::print_stdout, reason = "its output is the result")]
#![expect(clippy::disallowed_methods, reason = "it measures elapsed time on a machine that does not sleep meanwhile")]

mod dials;
mod multiply;
mod page;
mod reads;

use std::io::Write;
use std::sync::Arc;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, MachineClock, Simulator, Tape, router, serve};
use ringfence_store::{Database, Location};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::number;

/// A benchmark writes its lists here, and its SQLite databases.
struct Bench {
    folder: tempfile::TempDir,
    /// Where calls go.
    vendor: String,
}

#[tokio::main]
async fn main() {
    let bench = Bench { folder: tempfile::TempDir::new().expect("a folder"), vendor: vendor().await };
    let wanted = std::env::args().nth(1);
    let given = |place: usize| std::env::args().nth(place).and_then(|n| n.parse().ok());
    if wanted.as_deref() == Some("page") {
        return page::measure(bench.folder.path()).await;
    }
    // More are made of those that are imported.
    let times = if wanted.as_deref() == Some("reads") { given(2).unwrap_or(1_000_000) / 500_000 } else { 2 }.max(1);
    let million = bench.list(if wanted.as_deref() == Some("reads") { 500_000 } else { 1_000_000 });
    for database in ["sqlite", "postgres"] {
        if wanted.as_deref() == Some("reads") {
            reads::measure(&bench, database, &million, times).await;
            continue;
        }
        let contacts = given(1).unwrap_or(20_000);
        let file = bench.list(contacts);
        dials::dial(database, &bench.open(database, "dial").await, &file, contacts, &bench.vendor).await;
        let took = dials::import(&bench.open(database, "import").await, &million).await;
        println!("{database}: {:.0} rows imported per second (1,000,000 rows in {took:.1?})", 1e6 / took.as_secs_f64());
        println!("{database}: peak memory so far with 1,000,000 contacts: {} MiB", peak_mib());
    }
}

impl Bench {
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

/// Where calls go: `BENCH_VENDOR`, a server that answers at once, else the simulated vendor over
/// HTTP.
async fn vendor() -> String {
    if let Ok(url) = std::env::var("BENCH_VENDOR") {
        println!("calls go to {url}");
        return url;
    }
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: Span::ZERO,
        talk: Span::ZERO,
        latency: Span::ZERO,
        ..Behaviour::default()
    };
    let simulator = Simulator::new(behaviour, Arc::new(MachineClock), Arc::new(Tape::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/api", listener.local_addr().expect("an address"));
    tokio::spawn(async move { serve(router(&simulator), listener).await.expect("it listens") });
    println!("calls go to the simulated vendor over HTTP");
    url
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    peak.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
