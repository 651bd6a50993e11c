//! Postgres: a pool whose connections are clean and whose commits are on disk.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres, Row as _};

use super::migrations;
use super::pool::pool;
use crate::StoreError;

/// How long the first connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Enough for planning, claiming, recording, asking and a person's question at once.
const CONNECTIONS: u32 = 12;

pub(crate) async fn connect(url: &str) -> Result<PgPool, StoreError> {
    let options = options(url)?;
    // A pool says only that it waited; one connection says why.
    let refused = |message: String| StoreError::NoServer { location: hide_password(url), message };
    match tokio::time::timeout(CONNECT, PgConnection::connect_with(&options)).await {
        Ok(Ok(link)) => drop(link.close().await),
        Ok(Err(sqlx::Error::Database(error))) => return Err(refused(error.message().to_owned())),
        Ok(Err(error)) => return Err(refused(error.to_string())),
        Err(_) => return Err(refused(format!("no answer within {} s", CONNECT.as_secs()))),
    }
    let pool = pool::<Postgres>(CONNECTIONS, Duration::from_secs(5))
        .before_acquire(|_, known| Box::pin(async move { Ok(!is_worn(known.age, known.idle_for)) }))
        // A connection whose BEGIN was cancelled may come back inside a transaction
        // (transact-rs/sqlx#4385): what the next user wrote would vanish.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.execute("ROLLBACK").await?;
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    check_durability(&pool).await?;
    Ok(pool)
}

/// How Ringfence connects.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Address(hide_password(url)))?
        .application_name("ringfence")
        .options([
            ("statement_timeout", "60s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("jit", "off"),
            // A plan that was made while a table was small would be kept when it is large: after the first
            // import of a new database each call would be looked for among all.
            ("plan_cache_mode", "force_custom_plan"),
            // Nor is a table read whole for some hundreds of its rows, as is tempting while it is not large.
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // What is looked for by key was written or read a moment ago.
            ("random_page_cost", "1.1"),
            ("timezone", "UTC"),
            // The ROLLBACK below warns each time that there is nothing to roll back.
            ("client_min_messages", "error"),
        ]))
}

/// Whether a connection gives way to a new one: after half an hour, so that what the server keeps
/// for it does not grow and a moved server is found, and after ten idle minutes, when something on
/// the way may have forgotten it.
fn is_worn(age: Duration, idle: Duration) -> bool {
    age > Duration::from_mins(30) || idle > Duration::from_mins(10)
}

/// Whether our tables stand there.
pub(crate) async fn is_made(pool: &PgPool) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT to_regclass($1) IS NOT NULL").bind(migrations::TABLE).fetch_one(pool).await?;
    Ok(row.try_get(0)?)
}

/// A lost commit of `sending` would be a second call, so the server is asked.
async fn check_durability(pool: &PgPool) -> Result<(), StoreError> {
    for (setting, fine) in [("fsync", &["on"][..]), ("synchronous_commit", &["on", "remote_write", "remote_apply"])] {
        let value: String =
            sqlx::query("SELECT current_setting($1)").bind(setting).fetch_one(pool).await?.try_get(0)?;
        if !fine.contains(&value.as_str()) {
            return Err(StoreError::NotDurable(format!("Postgres runs with {setting} = {value}; it must be on")));
        }
    }
    Ok(())
}

/// An address that may be printed.
pub(crate) fn hide_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.split_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_old_or_idle_for_long_gives_way_to_a_new_one() {
        let minutes = Duration::from_mins;
        assert!(!is_worn(minutes(30), minutes(10)));
        assert!(is_worn(minutes(31), minutes(0)));
        assert!(is_worn(minutes(11), minutes(11)));
    }
}
