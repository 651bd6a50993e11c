//! The sentence: why nothing is dialled, and when it goes on.

use super::words::second;
use super::{StoppedBy, Verdict};
use crate::zone_data;
use crate::{CampaignState, ClockReading, DialClass, ImportState, Moment, PausedBy, Zone};

/// Waiting contacts that one verdict holds, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The first verdict that forbids their call; none when they may be called now.
    pub held_by: Option<Verdict>,
    /// How many they are.
    pub contacts: i64,
    /// When the first of them may be called, as far as that is known.
    pub next_at: Option<Moment>,
}

/// Why nobody of a campaign is called. None when nobody waits, and while calls are being placed.
///
/// `is_calling`: calls are out, so that it is no news that the others wait for their moment.
/// `clock`: the zone whose clocks people read.
pub fn because(
    waiting: &[Waiting],
    process: &Verdict,
    is_calling: bool,
    reading: ClockReading,
    clock: Zone,
) -> Option<String> {
    let somebody = || waiting.iter().filter(|group| group.contacts > 0);
    let may_be_called = somebody().any(|group| group.held_by.is_none());
    if may_be_called {
        return (!process.allows(reading)).then(|| sentence(process, None, reading, clock));
    }
    // What goes on by itself goes on first; of what a person must let go, the larger part counts.
    let first = somebody().filter(|group| group.next_at.is_some()).min_by_key(|group| group.next_at);
    let group = first.or_else(|| somebody().max_by_key(|group| group.contacts))?;
    let verdict = group.held_by.as_ref()?;
    if is_calling && matches!(verdict, Verdict::Due { .. } | Verdict::Window { .. } | Verdict::NumberLimit { .. }) {
        return None;
    }
    if verdict.is_of_time() && !process.allows(reading) {
        return Some(sentence_without_process(verdict, group.next_at, process, reading, clock));
    }
    Some(sentence(verdict, group.next_at, reading, clock))
}

/// Why a lane, or whatever else these verdicts are of, is not dialled: the first that does not
/// allow it.
pub fn because_of(verdicts: &[Verdict], reading: ClockReading, clock: Zone) -> Option<String> {
    let verdict = verdicts.iter().find(|verdict| !verdict.allows(reading))?;
    Some(sentence(verdict, verdict.from(reading), reading, clock))
}

/// Why one contact is not dialled, which this verdict holds.
pub fn because_of_contact(verdict: &Verdict, next_at: Option<Moment>, reading: ClockReading, clock: Zone) -> String {
    let clause = match verdict {
        Verdict::Due { .. } | Verdict::Number { .. } => verdict.says(reading, clock),
        _ => verdict.clause(reading, clock),
    };
    let next_at = next_at.filter(|_| !matches!(verdict, Verdict::Process { .. }));
    written("It is not dialled", verdict, &clause, next_at, clock)
}

fn sentence(verdict: &Verdict, next_at: Option<Moment>, reading: ClockReading, clock: Zone) -> String {
    written("Nothing is dialled", verdict, &verdict.clause(reading, clock), next_at, clock)
}

/// Time alone does not let it go on while nobody dials.
fn sentence_without_process(
    verdict: &Verdict,
    next_at: Option<Moment>,
    process: &Verdict,
    reading: ClockReading,
    clock: Zone,
) -> String {
    let held = written("Nothing is dialled", verdict, &verdict.clause(reading, clock), None, clock);
    let process = process.says(reading, clock);
    match next_at {
        Some(at) => format!("{held} The next call may be made at {}, but {process}.", at.shown(clock)),
        None => format!("{held} Besides, {process}."),
    }
}

fn written(subject: &str, verdict: &Verdict, clause: &str, next_at: Option<Moment>, clock: Zone) -> String {
    let says_when = matches!(verdict, Verdict::Slots(_) | Verdict::Rest { .. } | Verdict::UnknownUse { .. });
    let goes_on = next_at.filter(|_| !says_when).map(|at| format!(" It goes on at {}.", at.shown(clock)));
    format!("{subject}: {}.{}", clause.trim_end_matches('.'), goes_on.unwrap_or_default())
}

impl Verdict {
    /// Its part of the sentence.
    fn clause(&self, reading: ClockReading, clock: Zone) -> String {
        let with = |what: &str, reason: Option<&String>| match reason {
            Some(reason) => format!("{what}: {reason}"),
            None => what.to_owned(),
        };
        match self {
            Self::Stop { stopped: Some(stopped) } => match stopped.by {
                StoppedBy::File | StoppedBy::Person => format!("everything is stopped: {}", stopped.reason),
                StoppedBy::Quarantine => {
                    format!("the database is in quarantine: {}; `ringfence quarantine` says more", stopped.reason)
                }
                StoppedBy::ZoneData => format!("{}; {}", stopped.reason, zone_data::MEND),
            },
            Self::Campaign { state: CampaignState::Cancelled, .. } => "the campaign is cancelled".to_owned(),
            Self::Campaign { paused_by: Some(PausedBy::Draft), .. } => {
                "the campaign is a draft, and nobody has started it".to_owned()
            }
            Self::Campaign { paused_by: Some(PausedBy::Safety), reason, .. } => {
                with("a safety rail paused the campaign", reason.as_ref())
            }
            Self::Campaign { reason, .. } => with("the campaign is paused", reason.as_ref()),
            Self::Safety { failing } => with("too many of the last calls failed", failing.as_ref()),
            Self::Import { import: Some((ImportState::Held, reason)), .. } => {
                with("the import is held", reason.as_ref())
            }
            Self::Import { import: Some((ImportState::Canary, _)), .. } => {
                "the rest of the import waits for the outcomes of its first calls".to_owned()
            }
            Self::Import { is_ready: false, .. } => "no contact file is completely in".to_owned(),
            Self::Import { .. } => "their import is not released; `ringfence imports` lists them".to_owned(),
            Self::Lane { name, reason, .. } => with(&format!("lane {name} is paused"), reason.as_ref()),
            Self::Rest { until: Some(until), reason } => {
                with(&format!("the lane rests until {}", second(*until, clock)), reason.as_ref())
            }
            Self::Window { part, says, .. } => format!("it is outside the calling window ({part}: {says})"),
            Self::Due { class: DialClass::Capped, .. } => "a limit on their numbers holds those who wait".to_owned(),
            Self::Due { class: DialClass::First, .. } => "no call is due yet".to_owned(),
            Self::Due { class, .. } => format!("the next {class} is not due yet"),
            Self::Number { is_in_review: true, .. } => {
                "earlier calls to the numbers of those who wait are in review; `ringfence review` lists them".to_owned()
            }
            Self::NumberLimit { says, .. } => format!("a limit on the number holds it: {says}"),
            Self::DoNotCall { .. }
            | Self::Attempt { .. }
            | Self::Contact { .. }
            | Self::Attempts { .. }
            | Self::Leaving { .. }
            | Self::Number { .. }
            | Self::Clock
            | Self::Planned { .. }
            | Self::Ownership { .. }
            | Self::Revision { .. }
            | Self::Stop { stopped: None }
            | Self::Rest { until: None, .. }
            | Self::UnknownUse { .. }
            | Self::LaneDay { .. }
            | Self::Slots(_)
            | Self::Process { .. } => self.says(reading, clock),
        }
    }
}
