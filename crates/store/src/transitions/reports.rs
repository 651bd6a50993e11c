//! What vendors report.

use ringfence_domain::{AttemptId, LaneId, Moment};

use super::transitions;
use crate::reports;
use crate::reports::{NewReport, ReportOfCall, Reported, UnreadReport};

transitions! {
    /// Keeps what a vendor reported; false when the same report is kept already.
    write keep_report(report: NewReport, now: Moment) -> bool = |session| reports::insert(session, &report, now);
    /// The oldest reports of a lane that nobody has read.
    read unread_reports(lane: LaneId, limit: u32) -> Vec<UnreadReport> = |session| reports::unread(session, lane, limit);
    /// These were read, and speak of these calls.
    write read_reports(read: Vec<(i64, Option<String>)>, now: Moment) -> () = |session| reports::mark_read(session, &read, now);
    /// Reports about calls of a lane that are out, or may be.
    read reported(lane: LaneId) -> Vec<Reported> = |session| reports::reported(session, lane);
    /// The reports that came of these attempts, the oldest first.
    read reports_of(attempts: Vec<AttemptId>) -> Vec<ReportOfCall> = |session| reports::of_attempts(session, &attempts);
    /// The calls of these reports are asked about.
    write use_reports(used: Vec<i64>, now: Moment) -> () = |session| reports::used(session, &used, now);
    /// Forgets some reports that came in before a moment; how many.
    write forget_reports(before: Moment) -> u64 = |session| reports::forget(session, before);
}
