//! The newest time zone data that ever dialled on a database. A process with older data dials
//! nobody: its windows may be wrong. Law 16.

use std::cmp::Ordering;

use ringfence_domain::Moment;
use ringfence_domain::zone_data::{ZoneData, ZoneVersion};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// How the data of this process compares with what dialled here, by a row with `zone_version` and
/// `zone_since`: since when and why it must not dial, or whether its first call is to be entered.
pub(crate) fn compare(row: &Row) -> Result<(Option<(Moment, String)>, bool), StoreError> {
    let Some(at) = row.moment_or_none("zone_since")? else { return Ok((None, true)) };
    let newest: ZoneVersion = row.word("zone_data", "zone_version")?;
    let own = ZoneData::in_use();
    Ok(match own.version().cmp(&newest) {
        Ordering::Less => {
            let reason = format!(
                "this process has zone data {own}, and {newest} dialled on this database: by older data, people may be called too \
                 early or too late"
            );
            (Some((at, reason)), false)
        }
        Ordering::Equal => (None, false),
        Ordering::Greater => (None, true),
    })
}

/// Calls are to be made by newer data than ever before. Fails when another process was faster with
/// data that is newer still.
pub(crate) async fn enter(session: &mut Session, now: Moment) -> Result<(), StoreError> {
    // Releases sort as their bytes do, whatever the language of the server.
    const ENTER: Sql = sql!(
        sqlite "INSERT INTO zone_data (only_row, version, since) VALUES (1, $1, $2) ON CONFLICT (only_row) DO UPDATE \
                SET version = excluded.version, since = excluded.since WHERE zone_data.version < excluded.version",
        postgres "INSERT INTO zone_data (only_row, version, since) VALUES (1, $1, $2) ON CONFLICT (only_row) DO UPDATE \
                  SET version = excluded.version, since = excluded.since \
                  WHERE zone_data.version COLLATE \"C\" < excluded.version COLLATE \"C\""
    );
    let own = ZoneData::in_use().version().to_string();
    session.run(&ENTER, args![own, now]).await?;
    match newer(session).await? {
        Some(_) => Err(StoreError::Refused(sqlx::Error::RowNotFound)),
        None => Ok(()),
    }
}

/// Since when and why this process must not dial by its own data, if so.
async fn newer(session: &mut Session) -> Result<Option<(Moment, String)>, StoreError> {
    const READ: Sql = sql!("SELECT version AS zone_version, since AS zone_since FROM zone_data WHERE only_row = 1");
    Ok(compare(&session.one(&READ, args![]).await?)?.0)
}
