//! Every verdict on one contact.

use ringfence_domain::campaign::WindowPart;
use ringfence_domain::verdict::Verdict;
use ringfence_domain::window::Calendar;
use ringfence_domain::{AttemptState, Campaign, ContactState, NumberLimits, PastCall, ZoneSet};
use ringfence_store::{AttemptRow, ContactRow, RunConditions};

use super::Known;

/// All verdicts, those on the whole run first.
pub(super) fn verdicts(run: &RunConditions, contact: &ContactRow, known: &Known) -> Vec<Verdict> {
    let (campaign, reading) = (&run.campaign.rules, known.reading);
    let mut verdicts = run.verdicts(known.stop_switch.clone(), reading);
    // What is no news while it allows.
    verdicts.retain(|verdict| match verdict {
        Verdict::Clock | Verdict::UnknownUse { .. } => verdict.forbids(reading),
        Verdict::LaneDay { left, .. } => left.is_some(),
        _ => true,
    });
    verdicts.push(run.process(reading));
    verdicts.push(run.import(Some(contact.import), contact.staged));
    verdicts.push(Verdict::DoNotCall { entry: known.dnc_says(Some(run.campaign.id)) });
    verdicts.extend(of_state(contact, known));
    verdicts.push(Verdict::Attempts { calls: contact.calls, most: campaign.retry.max_attempts });
    verdicts.extend(window(run, contact).iter().map(|part| Verdict::of_window_part(part, reading.now)));
    let days = [("from", campaign.schedule.starts), ("up to", campaign.schedule.ends)];
    let mut calendar = calendar(run, contact);
    verdicts.push(Verdict::of_window(&mut calendar, campaign.calling.guard, &days, reading.now));
    let (calls, place) = (past_calls(&known.attempts), campaign.place_of(&contact.zones));
    for (source, limits) in number_limits(campaign) {
        for single in singly(&limits) {
            let mut verdict = Verdict::of_number_limits(&single, &calls, reading, &place, || name_of(&single));
            if let Verdict::NumberLimit { says, .. } = &mut verdict {
                says.insert_str(0, &source);
            }
            verdicts.push(verdict);
        }
    }
    verdicts
}

/// Where the contact stands, and whether its moment has come.
fn of_state(contact: &ContactRow, known: &Known) -> [Verdict; 3] {
    let own = || known.attempts.iter().rev().filter(|attempt| attempt.contact == contact.id);
    let was_refused = own().next().is_some_and(|last| last.state == AttemptState::Refused);
    let (state, stop_reason) = (contact.state, contact.stop_reason);
    let has_live_call = known.attempts.iter().any(|attempt| attempt.state.is_live() && attempt.contact != contact.id);
    let is_in_review = known.in_review.contains(&contact.id);
    let sent = own().filter(|attempt| !matches!(attempt.state, AttemptState::Lapsed | AttemptState::NotSent));
    let refused: Vec<&AttemptRow> = sent.take_while(|attempt| attempt.state == AttemptState::Refused).collect();
    let refused = refused.first().map(|last| (refused.len(), last.cause.clone().unwrap_or_default()));
    [
        Verdict::Contact { state, stop_reason, was_refused: state == ContactState::Review && was_refused },
        Verdict::Number { has_live_call, is_in_review },
        Verdict::Due { at: contact.due_at, class: contact.class, refused },
    ]
}

/// The parts of the contact's window.
pub(super) fn window(run: &RunConditions, contact: &ContactRow) -> Vec<WindowPart> {
    run.campaign.rules.window(&contact.zones, run.lane.settings.vendor_hours().as_ref())
}

/// The whole window.
pub(super) fn calendar(run: &RunConditions, contact: &ContactRow) -> Calendar {
    run.campaign.rules.calendar(&contact.zones, run.lane.settings.vendor_hours().as_ref())
}

/// What limits calls to the number, and who says so.
pub(super) fn number_limits(campaign: &Campaign) -> Vec<(String, NumberLimits)> {
    let presets = campaign.calling.presets.iter();
    let presets = presets.map(|preset| (format!("the preset {}: ", preset.name), preset.number_limits()));
    std::iter::once((String::new(), campaign.own_number_limits())).chain(presets).collect()
}

/// Each single rule of these.
pub(super) fn singly(limits: &NumberLimits) -> Vec<NumberLimits> {
    let caps = limits.caps.iter().map(|cap| NumberLimits { caps: vec![*cap], ..NumberLimits::default() });
    let cool_off = NumberLimits { cool_off: limits.cool_off, ..NumberLimits::default() };
    let hour = NumberLimits { avoid_same_hour: true, ..NumberLimits::default() };
    let cool_off = (!limits.cool_off.is_none()).then_some(cool_off);
    caps.chain(cool_off).chain(limits.avoid_same_hour.then_some(hour)).collect()
}

fn name_of(single: &NumberLimits) -> (&'static str, String) {
    match (single.caps.first(), single.avoid_same_hour) {
        (Some(cap), _) => ("per_number", format!("{cap}, over all campaigns")),
        (None, true) => ("avoid_same_hour", "not in an hour of the day in which nobody picked up".to_owned()),
        (None, false) => {
            let part = |name: &str, span: Option<ringfence_domain::Span>| span.map(|span| format!("{name} = {span}"));
            let parts = [
                part("after_answered", single.cool_off.after_answered),
                part("after_refusal", single.cool_off.after_refusal),
            ];
            ("cool_off", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
    }
}

/// The calls that count against limits.
pub(super) fn past_calls(attempts: &[AttemptRow]) -> Vec<PastCall> {
    let counted = |attempt: &&AttemptRow| {
        use AttemptState::{Ended, Placed, Sending, Unknown};
        matches!(attempt.state, Sending | Placed | Unknown | Ended)
            && attempt.outcome.is_none_or(ringfence_domain::Outcome::is_counted)
    };
    let call = |attempt: &AttemptRow| {
        let (ended_at, outcome, refused) = (attempt.ended_at, attempt.outcome, attempt.refusal);
        Some(PastCall { sent_at: attempt.sending_at?, ended_at, outcome, refused })
    };
    attempts.iter().filter(counted).filter_map(call).collect()
}

/// What decided where the contact is.
pub(super) fn zone_source(campaign: &Campaign, contact: &ContactRow) -> &'static str {
    let column = campaign.contacts.timezone.as_ref();
    let filled = column.is_some_and(|column| contact.fields.get(column).is_some_and(|zone| !zone.trim().is_empty()));
    match (campaign.needs_own_zone(), filled) {
        (false, _) => "the campaign's timezone",
        (true, true) => "the contact's column",
        (true, false) if several(&contact.zones) => "the number's prefix, which may be in any of these",
        (true, false) => "the number's prefix",
    }
}

fn several(zones: &ZoneSet) -> bool {
    zones.zones().len() > 1
}
