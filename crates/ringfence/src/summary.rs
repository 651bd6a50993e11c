//! From a run's numbers to its summary, with what its contacts wait for.

use std::collections::BTreeMap;

use ringfence_domain::summary::{
    AttemptCounts, Callbacks, ContactCounts, Cost, ImportStanding, LaneOwnership, Pace, RunName, Summary, WaitingFor,
};
use ringfence_domain::{
    CampaignState, DialClass, ImportState, LaneState, Moment, Outcome, PausedBy, Span, StopReason, Zone,
};
use ringfence_operations::amount::amount;
use ringfence_store::{RunFigures, StoppedBy};

use crate::rests::{self, Rest};
use crate::said::said;
use crate::slots::{self, Stuck};
use crate::zones;

/// Answered calls after which an output that none of them had is spoken of.
const ENOUGH: i64 = 10;

/// The summary of a run. `brake` is what the file `STOP` says, if it is there.
pub fn summarize(numbers: &RunFigures, brake: Option<String>, now: Moment) -> Summary {
    let count = |name: &str| numbers.counts.get(name).copied().unwrap_or_default();
    let contacts = ContactCounts {
        total: ["waiting", "active", "done", "stopped", "review"].iter().map(|s| count(&format!("contact:{s}"))).sum(),
        waiting: count("contact:waiting"),
        active: count("contact:active"),
        done: count("contact:done"),
        stopped: count("contact:stopped"),
        review: count("contact:review"),
    };
    let hold = hold(numbers, brake, &contacts);
    // Before anyone waits for a slot it matters to nobody.
    let stuck = slots::stuck(numbers).filter(|_| hold.is_none());
    let clock = numbers.campaign.rules.own_zone(numbers.lane.settings.timezone);
    let rest = rests::of(&numbers.lane, numbers.campaign.rules.limits.calls, clock, now);
    let mut outlook = outlook(numbers, hold.as_ref(), rest.as_ref().map_or(now, |rest| rest.until), now);
    let stuck = stuck.filter(|_| outlook.waiting_for.pace > 0);
    if let Some(at) = stuck.as_ref().and_then(|stuck| stuck.first_free) {
        outlook.next = outlook.next.map(|next| next.max(at));
    }
    let someone_waits = hold.is_none() && outlook.waiting_for.pace + count("attempt:open") > 0;
    let ended: i64 = Outcome::ALL.iter().map(|outcome| count(&format!("outcome:{outcome}"))).sum();
    let answered = count("outcome:answered");
    let dropped = count("outcome:not_dialled");
    let finished = contacts.waiting + contacts.active + contacts.review == 0 && numbers.run.ready;
    let rate = Pace {
        calls_per_min: numbers.last_minute as f64,
        answer_rate: (ended > dropped).then(|| (answered as f64 / (ended - dropped) as f64 * 1000.0).round() / 1000.0),
    };
    Summary {
        campaign: numbers.campaign.rules.name.clone(),
        state: match (numbers.campaign.state, finished, &hold) {
            (CampaignState::Cancelled, ..) => "cancelled",
            (_, true, _) => "done",
            (.., Some(hold)) => hold.state,
            _ if stuck.is_some() => "idle",
            _ if contacts.active > 0 || outlook.next.is_some_and(|at| at <= now) => "running",
            _ => "idle",
        },
        as_of: now,
        run: RunName { number: numbers.run.number, key: numbers.run.key.clone() },
        already_running: false,
        held_by: hold.map(|hold| hold.by),
        reached: count("reached"),
        waiting_for: outlook.waiting_for,
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
        eta: (numbers.last_minute >= 10 && contacts.waiting > 0)
            .then(|| now + Span::from_minutes(1).scaled(contacts.waiting, numbers.last_minute))
            .filter(|_| outlook.waiting_for.pace == contacts.waiting),
        refused_alone: count("refused_alone"),
        callbacks: Callbacks {
            understood: count("callback:understood"),
            not_understood: count("callback:not_understood"),
        },
        said: said(numbers),
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
        cost: numbers
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
            reason: numbers.lane.reason.clone().or_else(|| rest.as_ref().map(|rest| rest.says.clone())),
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
        slots_are_stuck: stuck.is_some(),
        because: because(stuck, rest.as_ref().filter(|_| someone_waits), clock),
        rests_until: rest.map(|rest| rest.until),
        next_dial_at: outlook.next,
        last_dial_at: numbers.run.last_dial_at,
        started_at: numbers.run.started_at,
        finished_at: numbers.finished_at.filter(|_| finished),
        contacts,
    }
}

/// Why nothing is dialled although somebody may be.
fn because(stuck: Option<Stuck>, rest: Option<&Rest>, clock: Zone) -> Option<String> {
    let says = match (stuck, rest) {
        (Some(stuck), _) => stuck.says,
        (None, Some(rest)) => rest.sentence(clock),
        (None, None) => return None,
    };
    Some(format!("Nothing is dialled: {says}."))
}

struct Outlook {
    waiting_for: WaitingFor,
    next: Option<Moment>,
}

/// What the waiting contacts wait for, bucket by bucket, and when the first of them may be dialled.
fn outlook(numbers: &RunFigures, hold: Option<&Hold>, rests_until: Moment, now: Moment) -> Outlook {
    let mut waiting_for = WaitingFor::default();
    let mut next: Option<Moment> = None;
    let rules = &numbers.campaign.rules;
    let vendor = numbers.lane.settings.vendor_hours();
    let lane_paused = numbers.lane.state == LaneState::Paused;
    let braked = hold.is_some() && !lane_paused;
    let spent = numbers.left_today == Some(0);
    for bucket in &numbers.buckets {
        let due = bucket.waiting - bucket.not_due;
        match bucket.class {
            DialClass::Capped => waiting_for.contact_cap += bucket.not_due,
            DialClass::Callback | DialClass::Retry | DialClass::First => waiting_for.retry += bucket.not_due,
        }
        let mut calendar = rules.calendar(&bucket.zones, vendor.as_ref());
        let open = calendar.at(now).open;
        *match (bucket.staged || braked, lane_paused, spent, open) {
            (true, ..) => &mut waiting_for.held,
            (_, true, ..) => &mut waiting_for.lane_paused,
            (_, _, true, _) => &mut waiting_for.lane_budget,
            (.., false) => &mut waiting_for.window,
            (.., true) => &mut waiting_for.pace,
        } += due;
        let mut from = bucket.next_due_at.max(rests_until);
        if spent {
            from = from.max(tomorrow(now, numbers.lane.settings.timezone));
        }
        if let Some(at) = calendar.next_opening(from).filter(|_| hold.is_none() && !bucket.staged) {
            next = Some(next.map_or(at, |earlier| earlier.min(at)));
        }
    }
    Outlook { waiting_for, next }
}

/// What keeps a whole run from being dialled until somebody lets it go.
struct Hold {
    state: &'static str,
    by: String,
}

fn hold(numbers: &RunFigures, brake: Option<String>, contacts: &ContactCounts) -> Option<Hold> {
    let held = |by: String| Some(Hold { state: "held", by });
    let campaign = &numbers.campaign;
    let because = campaign.reason.clone().unwrap_or_default();
    if let Some(brake) = brake {
        return held(format!("stop: {brake}"));
    }
    if let Some(stop) = &numbers.stop {
        return held(match stop.by {
            StoppedBy::Person => format!("stop: {}", stop.reason),
            StoppedBy::Quarantine => format!("quarantine: {}; `ringfence quarantine` says more", stop.reason),
            StoppedBy::ZoneData => format!("zone data: {}; {}", stop.reason, zones::MEND),
        });
    }
    match (campaign.state, campaign.paused_by) {
        (CampaignState::Paused, Some(PausedBy::Draft)) => return Some(Hold { state: "draft", by: because }),
        (CampaignState::Paused, Some(PausedBy::Safety)) => return held(format!("safety: {because}")),
        (CampaignState::Paused, _) => return Some(Hold { state: "paused", by: format!("pause: {because}") }),
        _ => {}
    }
    if numbers.lane.state == LaneState::Paused {
        return held(format!("lane {} paused", numbers.lane.settings.name));
    }
    let import = numbers.last_import.as_ref().filter(|import| import.state == ImportState::Held)?;
    let staged: i64 = numbers.buckets.iter().filter(|bucket| bucket.staged).map(|bucket| bucket.waiting).sum();
    let because = import.held_for.clone().unwrap_or_default();
    (contacts.active == 0 && staged == contacts.waiting)
        .then(|| Hold { state: "held", by: format!("safety: import {}: {because}", import.id) })
}

/// The first moment of the next day in a zone.
pub fn tomorrow(now: Moment, zone: ringfence_domain::Zone) -> Moment {
    let tomorrow = now.date(zone).tomorrow();
    tomorrow.map_or(Moment::NEVER, |date| zone.midnight(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tomorrow_begins_at_the_zones_midnight() {
        let now: Moment = "2026-11-20T20:00:00Z".parse().expect("a moment");
        assert_eq!(tomorrow(now, "Asia/Kolkata".parse().expect("a zone")).to_string(), "2026-11-21T18:30:00Z");
        assert_eq!(tomorrow(now, ringfence_domain::Zone::utc()).to_string(), "2026-11-21T00:00:00Z");
    }
}
