//! From the figures of a run to its summary, with what its contacts wait for.

mod said;
pub(crate) mod waiting;

use std::collections::BTreeMap;

use ringfence_domain::summary::{
    AttemptCounts, Callbacks, ContactCounts, Cost, ImportStanding, LaneOwnership, Pace, RunName, Summary,
};
use ringfence_domain::verdict::{StoppedBy, Verdict, Waiting, because, because_of};
use ringfence_domain::zone_data::MEND;
use ringfence_domain::{CampaignState, ClockReading, ImportState, Outcome, PausedBy, Span, StopReason};
use ringfence_store::{RunConditions, RunFigures};

use self::said::said;
use self::waiting::{Group, groups, waiting_for};
use crate::amount::amount;

/// Answered calls after which an output that none of them had is spoken of.
const ENOUGH: i64 = 10;

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
    let (numbers, now) = (&figures.conditions, reading.now);
    let count = |name: &str| figures.counts.get(name).copied().unwrap_or_default();
    let contacts = ContactCounts {
        total: ["waiting", "active", "done", "stopped", "review"].iter().map(|s| count(&format!("contact:{s}"))).sum(),
        waiting: count("contact:waiting"),
        active: count("contact:active"),
        done: count("contact:done"),
        stopped: count("contact:stopped"),
        review: count("contact:review"),
    };
    let verdicts = numbers.verdicts(asker.stop_switch.clone(), reading);
    let groups = groups(figures, asker.stop_switch.clone(), reading);
    let hold = hold(figures, &verdicts, &contacts, reading);
    let waiting_for = waiting_for(&groups);
    let next = groups.iter().filter_map(|group| group.waiting.next_at).filter(|_| hold.is_none()).min();
    // Before anyone waits for a slot it matters to nobody.
    let is_stuck = numbers.slots().is_stuck() && hold.is_none() && waiting_for.pace > 0;
    let rest = rest(&verdicts, reading);
    let clock = numbers.clock();
    let ended: i64 = Outcome::ALL.iter().map(|outcome| count(&format!("outcome:{outcome}"))).sum();
    let answered = count("outcome:answered");
    let dropped = count("outcome:not_dialled");
    let finished = contacts.waiting + contacts.active + contacts.review == 0 && numbers.run.ready;
    let rate = Pace {
        calls_per_min: figures.last_minute as f64,
        answer_rate: (ended > dropped).then(|| (answered as f64 / (ended - dropped) as f64 * 1000.0).round() / 1000.0),
    };
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
        reached: count("reached"),
        waiting_for,
        stopped_for: StopReason::ALL
            .iter()
            .map(|reason| (reason.as_str(), count(&format!("stopped:{reason}"))))
            .collect(),
        attempts: AttemptCounts {
            placed: count("attempt:placed") + count("attempt:ended") - dropped,
            not_sent: count("attempt:not_sent"),
            refused: count("attempt:refused"),
            unknown: count("attempt:unknown"),
            in_flight: count("attempt:sending") + count("attempt:placed"),
        },
        outcomes: Outcome::ALL
            .iter()
            .filter(|outcome| !matches!(outcome, Outcome::NotDialled | Outcome::Unknown))
            .map(|outcome| (outcome.as_str(), count(&format!("outcome:{outcome}"))))
            .collect::<BTreeMap<_, _>>(),
        eta: (figures.last_minute >= 10 && contacts.waiting > 0)
            .then(|| now + Span::from_minutes(1).scaled(contacts.waiting, figures.last_minute))
            .filter(|_| waiting_for.pace == contacts.waiting),
        refused_alone: count("refused_alone"),
        callbacks: Callbacks {
            understood: count("callback:understood"),
            not_understood: count("callback:not_understood"),
        },
        said: said(figures),
        never_collected: numbers
            .campaign
            .rules
            .asked_outputs()
            .into_iter()
            .filter(|name| answered >= ENOUGH && count(&format!("heard:{name}")) == 0)
            .map(str::to_owned)
            .collect(),
        rate,
        talk_seconds: count("talk_seconds"),
        cost: figures
            .counts
            .iter()
            .filter_map(|(name, micros)| {
                let currency = name.strip_prefix("cost:")?.to_owned();
                Some(Cost { currency, amount: amount(*micros) })
            })
            .collect(),
        lane: LaneOwnership {
            name: numbers.lane.settings.name.clone(),
            state: numbers.lane.state.as_str(),
            reason: numbers.lane.reason.clone().or_else(|| rest.map(|rest| rest.says(reading, clock))),
        },
        last_import: numbers.last_import.as_ref().map(|import| ImportStanding {
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
        }),
        slots_are_stuck: is_stuck,
        because: if finished || numbers.campaign.state == CampaignState::Cancelled {
            None
        } else {
            sentence(figures, &groups, &verdicts, asker, reading)
        },
        rests_until: rest.and_then(|rest| rest.from(reading)),
        next_dial_at: next,
        last_dial_at: numbers.run.last_dial_at,
        started_at: numbers.run.started_at,
        finished_at: figures.finished_at.filter(|_| finished),
        contacts,
    }
}

/// The longer of the lane's rests, if it rests.
fn rest(verdicts: &[Verdict], reading: ClockReading) -> Option<&Verdict> {
    let rests = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Rest { .. } | Verdict::UnknownUse { .. }));
    rests.filter(|verdict| verdict.forbids(reading)).max_by_key(|verdict| verdict.from(reading))
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
    let process = if asker.is_dialling { Verdict::Process { dials: true } } else { conditions.process(reading) };
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
