//! From the figures of a run to its summary, with what its contacts wait for.

mod counts;
mod said;
pub(crate) mod waiting;

use ringfence_domain::summary::{Callbacks, ContactCounts, ImportStatus, LaneOwnership, RunName, Summary};
use ringfence_domain::verdict::{StoppedBy, Verdict, Waiting, because, because_of};
use ringfence_domain::zone_data::MEND;
use ringfence_domain::{CampaignState, ClockReading, ImportState, PausedBy, Span, StopReason};
use ringfence_store::{ImportRow, RunConditions, RunFigures};

pub(crate) use self::counts::Counts;
use self::said::said;
use self::waiting::{Group, groups, waiting_for};

/// Who asks for a summary.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    /// What the file `STOP` says, if it is there.
    pub stop_switch: Option<String>,
    /// It is the process that dials.
    pub is_dialling: bool,
}

/// The summary of a run, by this clock.
pub fn summarize(figures: &RunFigures, asker: &Asker, reading: ClockReading) -> Summary {
    let (numbers, now, counts) = (&figures.conditions, reading.now, Counts(&figures.counts));
    let contacts = counts.contacts();
    let verdicts = numbers.verdicts(asker.stop_switch.clone(), reading);
    let groups = groups(figures, asker.stop_switch.clone(), reading);
    let hold = hold(figures, &verdicts, &contacts, reading);
    let waiting_for = waiting_for(&groups);
    let next = groups.iter().filter_map(|group| group.waiting.next_at).filter(|_| hold.is_none()).min();
    // Before anyone waits for a slot it matters to nobody.
    let is_stuck = numbers.slots().is_stuck() && hold.is_none() && waiting_for.pace > 0;
    let rest = rest(&verdicts, reading);
    let finished = contacts.waiting + contacts.active + contacts.review == 0 && numbers.run.ready;
    let is_over = finished || numbers.campaign.state == CampaignState::Cancelled;
    let because = if is_over { None } else { sentence(figures, &groups, &verdicts, asker, reading) };
    let because = because.or_else(|| only_review(&contacts));
    let may_be_called = groups.iter().any(|group| group.waiting.held_by.is_none() && group.waiting.contacts > 0);
    let limited_by = numbers.brake().filter(|_| may_be_called && because.is_none() && !is_over);
    Summary {
        campaign: numbers.campaign.rules.name.clone(),
        state: match (numbers.campaign.state, finished, &hold) {
            (CampaignState::Cancelled, ..) => "cancelled",
            (_, true, _) => "done",
            (.., Some(hold)) => hold.state,
            _ if is_stuck => "idle",
            _ if contacts.active > 0 || next.is_some_and(|at| at <= now) => "running",
            _ => "idle",
        },
        as_of: now,
        run: RunName { number: numbers.run.number, key: numbers.run.key.clone() },
        already_running: false,
        held_by: hold.map(|hold| hold.by),
        reached: counts.of("reached"),
        waiting_for,
        stopped_for: StopReason::ALL
            .iter()
            .map(|reason| (reason.as_str(), counts.of(&format!("stopped:{reason}"))))
            .collect(),
        attempts: counts.attempts(),
        outcomes: counts.outcomes(),
        eta: (figures.last_minute >= 10 && contacts.waiting > 0)
            .then(|| now + Span::from_minutes(1).scaled(contacts.waiting, figures.last_minute))
            .filter(|_| waiting_for.pace == contacts.waiting),
        refused_alone: counts.of("refused_alone"),
        callbacks: Callbacks {
            understood: counts.of("callback:understood"),
            not_understood: counts.of("callback:not_understood"),
        },
        said: said(figures),
        never_collected: counts.never_collected(numbers.campaign.rules.asked_outputs()),
        rate: counts.rate(figures.last_minute),
        talk_seconds: counts.of("talk_seconds"),
        cost: counts.cost(),
        lane: LaneOwnership {
            name: numbers.lane.settings.name.clone(),
            state: numbers.lane.state.as_str(),
            reason: numbers.lane.reason.clone().or_else(|| rest.map(|rest| rest.says(reading, numbers.clock()))),
        },
        last_import: numbers.last_import.as_ref().map(import_standing),
        slots_are_stuck: is_stuck,
        because,
        limited_by,
        rests_until: rest.and_then(|rest| rest.from(reading)),
        next_dial_at: next,
        last_dial_at: numbers.run.last_dial_at,
        started_at: numbers.run.started_at,
        finished_at: figures.finished_at.filter(|_| finished),
        contacts,
    }
}

fn import_standing(import: &ImportRow) -> ImportStatus {
    ImportStatus {
        import: import.id.0,
        rows: import.counts.rows,
        accepted: import.counts.accepted,
        updated: import.counts.updated,
        unchanged: import.counts.unchanged,
        duplicate: import.counts.duplicate,
        rejected: import.counts.rejected,
        missing: import.missing,
        state: import.state.as_str(),
        held_for: import.held_for.clone().filter(|_| import.state == ImportState::Held),
    }
}

/// The longer of the lane's rests, if it rests.
fn rest(verdicts: &[Verdict], reading: ClockReading) -> Option<&Verdict> {
    let rests = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Rest { .. } | Verdict::UnknownUse { .. }));
    rests.filter(|verdict| verdict.forbids(reading)).max_by_key(|verdict| verdict.from(reading))
}

/// Says that the run ends when a person has settled what is left.
fn only_review(contacts: &ContactCounts) -> Option<String> {
    let is_alone = contacts.waiting + contacts.active == 0;
    let people = match contacts.review {
        0 => None,
        1 => Some("1 contact in review waits".to_owned()),
        n => Some(format!("{n} contacts in review wait")),
    };
    Some(format!("Nobody is left to be dialled: {} for a person's decision.", people.filter(|_| is_alone)?))
}

/// Why nothing is dialled, and when it goes on.
fn sentence(
    figures: &RunFigures,
    groups: &[Group],
    verdicts: &[Verdict],
    asker: &Asker,
    reading: ClockReading,
) -> Option<String> {
    let conditions = &figures.conditions;
    let clock = conditions.clock();
    let count = |name: &str| figures.counts.get(name).copied().unwrap_or_default();
    let process = match conditions.process(reading) {
        Verdict::Process { lane, last, .. } if asker.is_dialling => Verdict::Process { lane, dials: true, last },
        process => process,
    };
    let waiting: Vec<Waiting> = groups.iter().map(|group| group.waiting.clone()).collect();
    if waiting.is_empty() && count("attempt:open") > 0 {
        return because_of(verdicts, reading, clock);
    }
    because(&waiting, &process, count("contact:active") > 0, reading, clock)
}

/// What keeps a whole run from being dialled until somebody lets it go.
struct RunHold {
    state: &'static str,
    by: String,
}

fn hold(
    figures: &RunFigures,
    verdicts: &[Verdict],
    contacts: &ContactCounts,
    reading: ClockReading,
) -> Option<RunHold> {
    let held = |by: String| Some(RunHold { state: "held", by });
    let RunConditions { last_import, .. } = &figures.conditions;
    for verdict in verdicts.iter().filter(|verdict| verdict.forbids(reading)) {
        match verdict {
            Verdict::Stop { stopped: Some(stopped) } => {
                let reason = &stopped.reason;
                return held(match stopped.by {
                    StoppedBy::File | StoppedBy::Person => format!("stop: {reason}"),
                    StoppedBy::Quarantine => format!("quarantine: {reason}; `ringfence quarantine` says more"),
                    StoppedBy::ZoneData => format!("zone data: {reason}; {MEND}"),
                });
            }
            Verdict::Campaign { state: CampaignState::Paused, paused_by, reason } => {
                let by = reason.clone().unwrap_or_default();
                return match paused_by {
                    Some(PausedBy::Draft) => Some(RunHold { state: "draft", by }),
                    Some(PausedBy::Safety) => held(format!("safety: {by}")),
                    _ => Some(RunHold { state: "paused", by: format!("pause: {by}") }),
                };
            }
            // The campaign is paused for it with the next claim.
            Verdict::Safety { failing: Some(why) } => return held(format!("safety: {why}")),
            Verdict::Lane { name, .. } => return held(format!("lane {name} paused")),
            _ => {}
        }
    }
    let import = last_import.as_ref().filter(|import| import.state == ImportState::Held)?;
    let staged: i64 = figures.buckets.iter().filter(|bucket| bucket.staged).map(|bucket| bucket.waiting).sum();
    let because = import.held_for.clone().unwrap_or_default();
    (contacts.active == 0 && staged == contacts.waiting)
        .then(|| RunHold { state: "held", by: format!("safety: import {}: {because}", import.id) })
}
