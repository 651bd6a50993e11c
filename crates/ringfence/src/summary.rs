//! From a run's numbers to its summary, with what its contacts wait for.

use std::collections::BTreeMap;

use ringfence_domain::summary::{
    AttemptCounts, ContactCounts, Cost, ImportStanding, LaneStanding, Pace, RunName, Summary, WaitingFor,
};
use ringfence_domain::{CampaignState, DialClass, LaneState, Moment, Outcome, Span, StopReason};
use ringfence_store::Numbers;

/// The summary of a run, and the earliest moment at which it may dial someone.
pub fn summarize(numbers: &Numbers, now: Moment) -> Summary {
    let count = |name: &str| numbers.counts.get(name).copied().unwrap_or_default();
    let contacts = ContactCounts {
        total: ["waiting", "active", "done", "stopped", "review"].iter().map(|s| count(&format!("contact:{s}"))).sum(),
        waiting: count("contact:waiting"),
        active: count("contact:active"),
        done: count("contact:done"),
        stopped: count("contact:stopped"),
        review: count("contact:review"),
    };
    let outlook = outlook(numbers, now);
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
        state: match (numbers.campaign.state, finished) {
            (CampaignState::Cancelled, _) => "cancelled",
            (_, true) => "done",
            (CampaignState::Paused, _) => "paused",
            _ if numbers.lane.state == LaneState::Paused => "held",
            _ if contacts.active > 0 || outlook.next.is_some_and(|at| at <= now) => "running",
            _ => "idle",
        },
        as_of: now,
        run: RunName { number: numbers.run.number, key: numbers.run.key.clone() },
        already_running: false,
        held_by: match (numbers.campaign.state, numbers.lane.state) {
            (CampaignState::Paused, _) => Some("campaign paused".to_owned()),
            (_, LaneState::Paused) => Some(format!("lane {} paused", numbers.lane.settings.name)),
            _ => None,
        },
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
        lane: LaneStanding {
            name: numbers.lane.settings.name.clone(),
            state: numbers.lane.state.as_str(),
            reason: numbers
                .lane
                .reason
                .clone()
                .or_else(|| numbers.lane.slowed_reason.clone().filter(|_| numbers.lane.slowed_until > now)),
        },
        last_import: numbers.last_import.as_ref().map(|import| ImportStanding {
            import: import.id.0,
            rows: import.rows,
            accepted: import.accepted,
            updated: import.updated,
            unchanged: import.unchanged,
            duplicate: import.duplicate,
            rejected: import.rejected,
            complete: import.complete,
        }),
        next_dial_at: outlook.next,
        last_dial_at: numbers.run.last_dial_at,
        started_at: numbers.run.started_at,
        finished_at: numbers.finished_at.filter(|_| finished),
        contacts,
    }
}

/// Millionths as a decimal with at least two places.
pub fn amount(micros: i64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros.abs() % 1_000_000);
    let keep = text.find('.').map_or(text.len(), |dot| dot + 3);
    let trimmed = text.trim_end_matches('0').len().max(keep);
    text[..trimmed].to_owned()
}

struct Outlook {
    waiting_for: WaitingFor,
    next: Option<Moment>,
}

/// What the waiting contacts wait for, bucket by bucket, and when the first of them may be dialled.
fn outlook(numbers: &Numbers, now: Moment) -> Outlook {
    let mut waiting_for = WaitingFor::default();
    let mut next: Option<Moment> = None;
    let rules = &numbers.campaign.rules;
    let vendor = numbers.lane.settings.vendor_hours();
    let paused = numbers.lane.state == LaneState::Paused || numbers.campaign.state != CampaignState::Running;
    let spent = numbers.left_today == Some(0);
    for bucket in &numbers.buckets {
        let due = bucket.waiting - bucket.not_due;
        match bucket.class {
            DialClass::Capped => waiting_for.contact_cap += bucket.not_due,
            DialClass::Callback | DialClass::Retry | DialClass::First => waiting_for.retry += bucket.not_due,
        }
        let mut calendar = rules.calendar(&rules.zones_for(bucket.zones.clone()), vendor.as_ref());
        let open = calendar.at(now).open;
        *match (paused, spent, open) {
            (true, ..) => &mut waiting_for.lane_paused,
            (_, true, _) => &mut waiting_for.lane_budget,
            (.., false) => &mut waiting_for.window,
            (.., true) => &mut waiting_for.pace,
        } += due;
        let mut from = bucket.head_due.max(now);
        if spent {
            from = from.max(tomorrow(now, numbers.lane.settings.timezone));
        }
        if let Some(at) = calendar.next_opening(from).filter(|_| !paused) {
            next = Some(next.map_or(at, |earlier| earlier.min(at)));
        }
    }
    Outlook { waiting_for, next }
}

/// The first moment of the next day in a zone.
pub fn tomorrow(now: Moment, zone: chrono_tz::Tz) -> Moment {
    use chrono::{Days, NaiveTime, TimeZone};
    let date = now.local(zone).date_naive().checked_add_days(Days::new(1));
    let midnight = date.map(|date| date.and_time(NaiveTime::MIN));
    let at = midnight.and_then(|at| {
        (0..8).find_map(|quarter| zone.from_local_datetime(&(at + chrono::Duration::minutes(15 * quarter))).earliest())
    });
    at.map_or(now + Span::from_days(1), |at| Moment::from_millis(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_what_was_charged() {
        assert_eq!(amount(15_670_000), "15.67");
        assert_eq!(amount(0), "0.00");
        assert_eq!(amount(100_000), "0.10");
        assert_eq!(amount(1_234_567), "1.234567");
    }

    #[test]
    fn tomorrow_begins_at_the_zones_midnight() {
        let now: Moment = "2026-11-20T20:00:00Z".parse().expect("a moment");
        assert_eq!(tomorrow(now, chrono_tz::Asia::Kolkata).to_string(), "2026-11-21T18:30:00Z");
        assert_eq!(tomorrow(now, chrono_tz::UTC).to_string(), "2026-11-21T00:00:00Z");
    }
}
