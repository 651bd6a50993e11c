//! `ringfence migrate`

use ringfence_operations::schema;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// Opening brings the schema up to date; what is in is listed.
pub async fn migrate(common: &Common) -> Result<u8, Failure> {
    let schema = schema::bring_up_to_date(&common.place()).await?;
    if common.json {
        screen::print_json(&schema)?;
        return Ok(DONE);
    }
    screen::print(&format!("{} is up to date\n", schema.database))?;
    for migration in schema.migrations {
        screen::print(&format!("  {:04} {}\n", migration.version, migration.name))?;
    }
    Ok(DONE)
}
