//! How many calls a lane made on a day of its own calendar.

use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{LaneId, Moment};

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// Calls that the lane made on a day of its own calendar.
pub(crate) async fn calls_on(session: &mut Session, id: LaneId, day: &str) -> Result<u32, StoreError> {
    const READ: Sql = sql!("SELECT calls FROM lane_days WHERE lane_id = $1 AND day = $2");
    let row = session.row(&READ, args![id, day]).await?;
    row.map_or(Ok(0), |row| Ok(row.get::<i64>("calls")? as u32))
}

/// Adds to, or takes from, the calls of a day.
pub(crate) async fn count_calls(session: &mut Session, id: LaneId, day: &str, delta: i64) -> Result<(), StoreError> {
    const ADD: Sql = sql!(
        "INSERT INTO lane_days (lane_id, day, calls) VALUES ($1, $2, $3) \
         ON CONFLICT (lane_id, day) DO UPDATE SET calls = lane_days.calls + excluded.calls"
    );
    const TAKE: Sql =
        sql!("UPDATE lane_days SET calls = calls + $3 WHERE lane_id = $1 AND day = $2 AND calls + $3 >= 0");
    session.run(if delta < 0 { &TAKE } else { &ADD }, args![id, day, delta]).await?;
    Ok(())
}

/// The day of the lane's calendar that `now` is on.
pub(crate) fn day_of(settings: &LaneSettings, now: Moment) -> String {
    now.date(settings.timezone).to_string()
}
