//! The schema of the database.

use serde::Serialize;

use crate::error::Error;
use crate::workspace::{self, Place};

/// A database whose schema is up to date.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Schema {
    /// Where it is.
    pub database: String,
    /// What is in, oldest first.
    pub migrations: Vec<Migration>,
}

/// One step of a schema.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub name: String,
}

/// Opens the database, which brings its schema up to date, and returns what is in.
pub async fn bring_up_to_date(place: &Place) -> Result<Schema, Error> {
    let (config, _) = workspace::for_database(place)?;
    let store = workspace::open(place, &config).await?;
    let migrations = store.migrations().await;
    let database = store.location().to_string();
    store.close().await;
    let migrations = migrations?.into_iter().map(|(version, name)| Migration { version, name }).collect();
    Ok(Schema { database, migrations })
}
