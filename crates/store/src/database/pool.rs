//! Pools of connections, for either database.

use std::time::Duration;

use sqlx::Database;
use sqlx::pool::PoolOptions;

/// A pool of so many connections at most; who needs one waits this long.
///
/// It has no idle time-out and no longest life: the driver's task that ends such connections may
/// miscount them when one comes back at the same moment, and then goes round for good, at 100 % of
/// a core, also when the process wants to end (transact-rs/sqlx#3645).
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn pool<DB: Database>(connections: u32, patience: Duration) -> PoolOptions<DB> {
    PoolOptions::new().max_connections(connections).acquire_timeout(patience).idle_timeout(None).max_lifetime(None)
}

#[cfg(test)]
mod tests {
    use sqlx::{Postgres, Sqlite};

    use super::*;

    #[test]
    fn nobody_counts_idle_connections() {
        let (sqlite, postgres) = (pool::<Sqlite>(4, Duration::ZERO), pool::<Postgres>(12, Duration::ZERO));
        assert_eq!(
            (sqlite.get_idle_timeout(), sqlite.get_max_lifetime(), sqlite.get_min_connections()),
            (None, None, 0)
        );
        assert_eq!(
            (postgres.get_idle_timeout(), postgres.get_max_lifetime(), postgres.get_min_connections()),
            (None, None, 0)
        );
    }
}
