//! One person's day, on their own clock: when they may be called, when they were, when they will be.

use ringfence_domain::{ContactId, Moment, Span, Zone};
use ringfence_operations::attempts::ListedAttempt;
use ringfence_operations::ledger::Entry;
use ringfence_operations::{Error, Workspace, windows};

/// The width of a day, in its own units: minutes.
const WIDTH: i64 = 24 * 60;

/// The day that is shown.
#[derive(Debug)]
pub(crate) struct Day {
    /// When the window is open: where that begins, and how wide it is.
    pub(crate) open: Vec<(i64, i64)>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) now: i64,
    /// The day and its clock.
    pub(crate) says: String,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) x: i64,
    pub(crate) kind: &'static str,
    pub(crate) says: String,
}

/// Draws the present day of a person; none when nobody calls them any more.
pub(crate) async fn draw(
    workspace: &Workspace,
    contact: ContactId,
    (zone, next): (Zone, Option<Moment>),
    calls: &[(ListedAttempt, Vec<Entry>)],
) -> Result<Option<Day>, Error> {
    let now = workspace.now();
    let begin = zone.midnight(now.local(zone).date());
    let length = Span::from_hours(24);
    let Some(open) = windows::of_contact(workspace, contact, (begin, length)).await? else { return Ok(None) };
    let place = |at: Moment| (at.since(begin).millis() / 60_000).min(WIDTH);
    let is_today = |at: &Moment| *at >= begin && *at < begin + length;
    let made = calls.iter().filter_map(|(attempt, _)| {
        let at = attempt.sent_at.filter(is_today)?;
        let outcome = attempt.outcome.map_or(attempt.state.as_str(), |outcome| outcome.as_str()).replace('_', " ");
        Some(Mark { x: place(at), kind: "made", says: format!("{} {outcome}", at.shown_near(now, zone)) })
    });
    let planned = next.filter(|at| is_today(at) && *at > now);
    let planned = planned.map(|at| Mark {
        x: place(at),
        kind: "planned",
        says: format!("{} from then on", at.shown_near(now, zone)),
    });
    Ok(Some(Day {
        open: open.iter().map(|(from, until)| (place(*from), place(*until) - place(*from))).collect(),
        marks: made.chain(planned).collect(),
        now: place(now),
        says: format!("Their day, {}, as it is {} there", now.local(zone).strftime("%d %b"), now.shown_near(now, zone)),
    }))
}
