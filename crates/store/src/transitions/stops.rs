//! What stops everything: a person, or a database that may have forgotten calls.

use ringfence_domain::Moment;
use ringfence_domain::event::{Event, EventKind};

use super::transitions;
use crate::attempts::adopt::{AdoptOrder, Adopted};
use crate::events::{EventFilter, Subject};
use crate::quarantine::rows::{LaneInquiry, QuarantineRow};
use crate::stop_all::Stop;
use crate::{attempts, events, quarantine, stop_all};

transitions! {
    /// Stops new calls on this database; no claim that had not seen it commits after this returns.
    stop_switch stop_all(reason: String, now: Moment) -> () = |session| stop_all::set(session, Some(&reason), now);
    /// Lets this database dial again.
    write start_all(now: Moment) -> () = |session| stop_all::set(session, None, now);
    /// The stop, if everything is stopped for this process.
    read stop() -> Option<Stop> = |session| stop_all::stop(session);

    /// Enters an event of work that takes several transactions, or none.
    write note_event(kind: EventKind, subject: Subject, cause: Option<String>, now: Moment) -> () =
        |_session| async {
            events::tell(kind, subject, cause.as_deref(), now);
            Ok(())
        };
    /// The next events that were asked for, the oldest first.
    read events(filter: EventFilter, limit: i64) -> Vec<Event> = |session| events::page(session, &filter, limit);

    /// The last events before one that were asked for, the newest first; `after` is not heeded.
    read latest_events(filter: EventFilter, before: i64, limit: i64) -> Vec<Event> =
        |session| events::latest(session, &filter, before, limit);

    /// The numbers of the oldest and of the newest event that are kept; zeros when there are none.
    read event_horizon() -> (i64, i64) = |session| events::horizon(session);
    /// Forgets what happened in calls before a moment, some at a time. Returns whether there may be
    /// more.
    bulk forget_call_events(before: Moment) -> bool = |session, limit| events::forget_calls(session, before, limit);

    /// The last event of one kind that happened to a campaign, to a lane, or to everything.
    read last_event(kind: EventKind, subject: Subject) -> Option<Event> = |session| events::last(session, kind, subject);

    /// The quarantine that holds, if any.
    read quarantine() -> Option<QuarantineRow> = |session| quarantine::rows::current(session);
    /// All quarantines, oldest first.
    read quarantines() -> Vec<QuarantineRow> = |session| quarantine::rows::history(session);
    /// What the vendors were asked in a quarantine, by lane.
    read inquiries(quarantine: i64) -> Vec<LaneInquiry> = |session| quarantine::rows::inquiries(session, quarantine);
    /// Keeps what a vendor was asked in a quarantine.
    write keep_inquiry(quarantine: i64, inquiry: LaneInquiry) -> () =
        |session| quarantine::rows::keep_inquiry(session, quarantine, &inquiry);
    /// Enters calls that the vendor knows and the database has forgotten.
    write adopt(order: AdoptOrder) -> Adopted = |session| attempts::adopt::adopt(session, &order);
}
