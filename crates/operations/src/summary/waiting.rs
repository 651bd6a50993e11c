//! What the waiting contacts of a run wait for, bucket by bucket.

use ringfence_domain::campaign::closed_longest;
use ringfence_domain::summary::WaitingFor;
use ringfence_domain::verdict::{Verdict, Waiting};
use ringfence_domain::{ClockReading, DialClass, Moment};
use ringfence_store::{BucketFigures, RunConditions, RunFigures};

/// Waiting contacts of one bucket that one verdict holds, or none.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Why they are due.
    pub(crate) class: DialClass,
    /// Their moment has come.
    pub(crate) is_due: bool,
    /// How many they are, what holds them, and when the first of them may be called.
    pub(crate) waiting: Waiting,
}

/// Every waiting contact, in one group each.
pub(crate) fn groups(figures: &RunFigures, stop_switch: Option<String>, reading: ClockReading) -> Vec<Group> {
    let conditions = &figures.conditions;
    let of_run = conditions.verdicts(stop_switch, reading);
    let forbids: Vec<&Verdict> = of_run.iter().filter(|verdict| verdict.forbids(reading)).collect();
    let by_person = forbids.iter().find(|verdict| !verdict.is_of_time()).copied();
    let by_time: Vec<&Verdict> = forbids.into_iter().filter(|verdict| verdict.is_of_time()).collect();
    let mut groups = Vec::new();
    for bucket in &figures.buckets {
        let let_go = by_person.cloned().or_else(|| bucket.staged.then(|| conditions.import(None, true)));
        let next_at = |from: Moment| next_opening(conditions, bucket, &by_time, from, reading);
        let at = bucket.later_at.unwrap_or(bucket.next_due_at);
        let later = Verdict::Due { at, class: bucket.class, refused: None };
        let of_due = let_go
            .clone()
            .or_else(|| closed(conditions, bucket, reading.now))
            .or_else(|| by_time.first().copied().cloned());
        let due = bucket.waiting - bucket.not_due;
        // They are looked at every half minute: some are due, and some are not.
        let behind = if let_go.is_none() { bucket.behind_reviews.min(bucket.waiting) } else { 0 };
        let behind_due = behind.min(due);
        if behind > 0 {
            let held_by = Some(Verdict::Number { has_live_call: false, is_in_review: true });
            let waiting = Waiting { held_by, contacts: behind, next_at: None };
            groups.push(Group { class: bucket.class, is_due: true, waiting });
        }
        // Of those who may be called at the same moment, what holds those who are due is told.
        for (is_due, contacts, held_by, from) in [
            (true, due - behind_due, of_due, reading.now),
            (false, bucket.not_due - (behind - behind_due), Some(let_go.clone().unwrap_or(later)), at),
        ] {
            if contacts > 0 {
                let next_at = if let_go.is_none() { next_at(from) } else { None };
                groups.push(Group { class: bucket.class, is_due, waiting: Waiting { held_by, contacts, next_at } });
            }
        }
    }
    groups
}

/// When somebody of the bucket may be called, from `from` on.
fn next_opening(
    conditions: &RunConditions,
    bucket: &BucketFigures,
    by_time: &[&Verdict],
    from: Moment,
    reading: ClockReading,
) -> Option<Moment> {
    let from = by_time.iter().filter_map(|verdict| verdict.from(reading)).fold(from.max(reading.now), Moment::max);
    let vendor = conditions.lane.settings.vendor_hours();
    conditions.campaign.rules.calendar(&bucket.zones, vendor.as_ref()).next_opening(from)
}

/// What closes the window of a bucket, if it is closed.
pub(crate) fn closed(conditions: &RunConditions, bucket: &BucketFigures, now: Moment) -> Option<Verdict> {
    let rules = &conditions.campaign.rules;
    let vendor = conditions.lane.settings.vendor_hours();
    let mut calendar = rules.calendar(&bucket.zones, vendor.as_ref());
    if calendar.at(now).open {
        return None;
    }
    let opens = calendar.next_opening(now);
    let closed = |part: String, says: String| Some(Verdict::Window { part, is_open: false, says, opens });
    if opens.is_none() {
        let never = rules.contradiction(&bucket.zones, vendor.as_ref(), now);
        return closed(never.join(" and "), "leave no time to call, ever".to_owned());
    }
    let parts = rules.window(&bucket.zones, vendor.as_ref());
    if let Some(part) = closed_longest(&parts, now) {
        return closed(part.rule.clone(), part.closed_day(now).unwrap_or_else(|| part.says()));
    }
    let guard = rules.calling.guard;
    closed("window".to_owned(), format!("the last {guard} before closing, or no day of the campaign"))
}

/// The groups by the words of the summary.
pub(crate) fn waiting_for(groups: &[Group]) -> WaitingFor {
    let mut waiting_for = WaitingFor::default();
    for Group { class, is_due, waiting } in groups {
        *match (is_due, class, &waiting.held_by) {
            (false, DialClass::Capped, _) => &mut waiting_for.contact_cap,
            (false, DialClass::Callback | DialClass::Retry | DialClass::First, _) => &mut waiting_for.retry,
            (true, _, Some(Verdict::Lane { .. })) => &mut waiting_for.lane_paused,
            (true, _, Some(Verdict::LaneDay { .. })) => &mut waiting_for.lane_budget,
            (true, _, Some(Verdict::Window { .. })) => &mut waiting_for.window,
            (true, _, Some(verdict)) if !verdict.is_of_time() => &mut waiting_for.held,
            (true, _, _) => &mut waiting_for.pace,
        } += waiting.contacts;
    }
    waiting_for
}
