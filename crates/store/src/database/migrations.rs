//! The files that make the tables, and where a database keeps which of them are in.

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

/// A name of our own, so that another program in the same Postgres database keeps its own list.
pub(crate) const TABLE: &str = "ringfence_migrations";

pub(crate) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| listed(sqlx::migrate!("../../migrations/sqlite")));

pub(crate) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| listed(sqlx::migrate!("../../migrations/postgres")));

fn listed(mut migrator: Migrator) -> Migrator {
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
