//! Faults of driver and server that would lose or repeat a call, each with what keeps us out of it.

use std::task::Poll;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use super::{Database, Location, postgres};
use crate::StoreError;

/// An empty database on the throwaway server: its address, and a way in beside the pool.
async fn empty() -> (String, PgConnection) {
    let server = std::env::var("RINGFENCE_TEST_POSTGRES").expect("a server; run the tests with `cargo xtask test`");
    let name = format!("traps_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
    let url = format!("{server}/{name}");
    let link = PgConnection::connect(&url).await.expect("a connection");
    (url, link)
}

/// Connections of the pool that stand in a transaction.
async fn in_transaction(link: &mut PgConnection) -> i64 {
    const COUNT: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                         AND application_name = 'ringfence' AND state LIKE 'idle in transaction%'";
    link.fetch_one(COUNT).await.expect("a count").get(0)
}

/// Who begins a transaction and is cancelled leaves the driver's connection inside it, and what the
/// next user writes is lost with it (transact-rs/sqlx#4385).
#[tokio::test]
async fn a_begin_that_is_cancelled_leaves_no_transaction_behind() {
    let (url, mut link) = empty().await;
    let pool = postgres::connect(&url).await.expect("a pool");
    pool.execute("CREATE TABLE kept (n BIGINT)").await.expect("a table");
    let mut cancelled = 0;
    for nth in 0..2_000_u64 {
        let mut begin = Box::pin(pool.begin());
        let mut begun = None;
        // It is left at every place at which it waits.
        for _ in 0..nth % 40 {
            if let Poll::Ready(done) = futures::poll!(&mut begin) {
                begun = Some(done);
                break;
            }
            tokio::task::yield_now().await;
        }
        match begun {
            Some(begun) => begun.expect("begun").rollback().await.expect("rolled back"),
            None => cancelled += 1,
        }
        drop(begin);
        if nth % 10 == 0 {
            sqlx::query("INSERT INTO kept (n) VALUES ($1)").bind(nth as i64).execute(&pool).await.expect("written");
        }
    }
    assert!(cancelled > 100, "only {cancelled} were cancelled");
    // The last ones are still on their way back to the pool.
    let mut all = Vec::new();
    for _ in 0..12 {
        all.push(pool.acquire().await.expect("a connection"));
    }
    assert_eq!(in_transaction(&mut link).await, 0);
    let kept: i64 = link.fetch_one("SELECT count(*) FROM kept").await.expect("a count").get(0);
    assert_eq!(kept, 200, "what was written between them is there");
}

/// A server that answers before a commit is on its disk forgets calls when it crashes.
#[tokio::test]
async fn a_server_that_forgets_commits_is_refused() {
    let (url, mut link) = empty().await;
    let name = url.rsplit_once('/').expect("an address").1.to_owned();
    let forget = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    link.execute(AssertSqlSafe(forget)).await.expect("set");
    let location = Location::parse(&url, std::path::Path::new("/")).expect("an address");
    let refused = Database::open(&location, true).await.expect_err("it is not durable");
    assert!(matches!(refused, StoreError::NotDurable(_)), "{refused}");
}
