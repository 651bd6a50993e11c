//! The files that make the tables, and where a database keeps which of them are in.

use std::sync::LazyLock;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A name of our own, so that another program in the same Postgres database keeps its own list.
pub(crate) const TABLE: &str = "ringfence_migrations";

/// One step of the schema, for SQLite and for Postgres.
struct Step {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Reads the step's two files.
macro_rules! step {
    ($file:literal, $name:literal) => {
        Step {
            name: $name,
            sqlite: include_str!(concat!("../../../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../../../migrations/postgres/", $file)),
        }
    };
}

/// All steps, the oldest first; the first one has the number 1. The macro of sqlx that reads a folder would compile
/// SQLite a second time, for the compiler.
const STEPS: [Step; 1] = [step!("0001_initial_schema.sql", "initial schema")];

pub(crate) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(|step| step.sqlite));

pub(crate) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| migrator(|step| step.postgres));

fn migrator(sql: impl Fn(&Step) -> &'static str) -> Migrator {
    let steps = (1..).zip(&STEPS).map(|(version, step)| {
        let sql = SqlStr::from_static(sql(step));
        Migration::new(version, step.name.into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(steps.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
