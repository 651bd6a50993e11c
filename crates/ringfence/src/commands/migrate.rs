//! `ringfence migrate`

use ringfence_operations::workspace;
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// Opening brings the schema up to date; what is in is listed.
pub(super) async fn migrate(common: &Common) -> Result<u8, Failure> {
    let (config, _) = workspace::for_database(&common.place())?;
    let store = workspace::open(&common.place(), &config).await?;
    let migrations = store.migrations().await?;
    if common.json {
        let list: Vec<_> =
            migrations.iter().map(|(version, name)| json!({ "version": version, "name": name })).collect();
        screen::print_json(&json!({ "database": store.location().to_string(), "migrations": list }))?;
    } else {
        screen::print(&format!("{} is up to date\n", store.location()))?;
        for (version, name) in migrations {
            screen::print(&format!("  {version:04} {name}\n"))?;
        }
    }
    store.close().await;
    Ok(DONE)
}
