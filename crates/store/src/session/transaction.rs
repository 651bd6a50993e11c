//! A transaction on a pooled connection that goes back to its pool only when it is certain to be
//! over.
//!
//! The driver's own transactions count how deep they are; after a commit that failed on a full disk
//! the count is wrong for good, and every later one on that connection fails. Here whatever is in
//! doubt is closed.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor};

/// What SQLite says to a ROLLBACK after a trigger or an error took the transaction back. Source:
/// <https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction>
const NOTHING_OPEN: &str = "no transaction is active";

/// A connection in a transaction.
pub(crate) struct Open<DB: Database> {
    link: PoolConnection<DB>,
    over: bool,
}

impl<DB: Database> Open<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Begins one with this statement.
    pub(crate) async fn begin(link: PoolConnection<DB>, statement: &'static str) -> Result<Self, sqlx::Error> {
        let mut open = Self::begun(link);
        (&mut *open.link).execute(statement).await?;
        Ok(open)
    }

    /// The one that was just begun on this connection.
    pub(crate) fn begun(link: PoolConnection<DB>) -> Self {
        Self { link, over: false }
    }

    /// Makes it hold.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        (&mut *self.link).execute("COMMIT").await?;
        self.over = true;
        Ok(())
    }

    /// Takes it back, unless the database has done so.
    pub(crate) async fn roll_back(mut self) {
        self.over = match (&mut *self.link).execute("ROLLBACK").await {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) => error.message().ends_with(NOTHING_OPEN),
            Err(_) => false,
        };
    }
}

impl<DB: Database> Drop for Open<DB> {
    fn drop(&mut self) {
        if !self.over {
            self.link.close_on_drop();
        }
    }
}

impl<DB: Database> Deref for Open<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.link
    }
}

impl<DB: Database> DerefMut for Open<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.link
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{Row, Sqlite};

    use super::*;
    use crate::database::pool::pool;

    #[tokio::test]
    async fn a_connection_whose_transaction_a_trigger_took_back_goes_on() {
        let pool = pool::<Sqlite>(1, Duration::from_secs(5));
        let pool = pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await.expect("a database");
        let made = "CREATE TABLE t (a INTEGER); \
             CREATE TRIGGER never BEFORE INSERT ON t WHEN NEW.a = 2 BEGIN SELECT RAISE(ROLLBACK, 'never 2'); END";
        pool.execute(made).await.expect("a table");
        let mut open =
            Open::begin(pool.acquire().await.expect("a connection"), "BEGIN IMMEDIATE").await.expect("begun");
        let refused = (&mut *open).execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)").await;
        assert!(refused.is_err_and(|error| error.to_string().contains("never 2")));
        open.roll_back().await;
        // The database is in the memory of its connection.
        let row = pool.fetch_one("SELECT count(*) AS n FROM t").await.expect("the same one");
        assert_eq!(row.get::<i64, _>("n"), 0);
    }
}
