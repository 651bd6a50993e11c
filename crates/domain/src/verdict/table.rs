//! Every verdict: its name, and the call that it allows or not.

use super::*;
use crate::{DialClass, Span, Zone};

const NOW: i64 = 1_000;

fn moment(seconds: i64) -> Moment {
    Moment::from_secs(seconds)
}

fn planned(after: i64, before: i64) -> Verdict {
    Verdict::Planned { after: moment(after), before: moment(before) }
}

fn slots(unsure: u32) -> Verdict {
    let held = InHand { live: 3, taken: 3, unsure, first_free: Some(moment(2_000)), ..InHand::default() };
    Verdict::Slots(Slots { of_lane: (held, 3), of_campaign: None })
}

fn window(is_open: bool) -> Verdict {
    Verdict::Window { part: "hours".to_owned(), is_open, says: "09:00-21:00".to_owned(), opens: Some(moment(3_000)) }
}

fn import(is_ready: bool, is_staged: bool) -> Verdict {
    Verdict::Import { is_ready, is_staged, import: None }
}

fn number(has_live_call: bool, is_in_review: bool) -> Verdict {
    Verdict::Number { has_live_call, is_in_review }
}

fn contact(state: ContactState) -> Verdict {
    Verdict::Contact { state, stop_reason: None, was_refused: false }
}

fn campaign(state: CampaignState) -> Verdict {
    Verdict::Campaign { state, paused_by: None, reason: None }
}

fn lane(state: LaneState) -> Verdict {
    Verdict::Lane { name: "main".to_owned(), state, reason: None }
}

fn process(dials: bool) -> Verdict {
    Verdict::Process { lane: "main".to_owned(), dials, last: None }
}

fn stop(stopped: bool) -> Verdict {
    let stopped = stopped.then(|| Stopped { by: StoppedBy::Person, reason: "wrong list".to_owned() });
    Verdict::Stop { stopped }
}

fn due(at: i64) -> Verdict {
    Verdict::Due { at: moment(at), class: DialClass::First, refused: None }
}

fn rest(until: Option<i64>) -> Verdict {
    Verdict::Rest { until: until.map(moment), reason: None }
}

fn unknown_use(until: Option<i64>) -> Verdict {
    Verdict::UnknownUse { until: until.map(moment) }
}

fn limit(until: Option<i64>) -> Verdict {
    Verdict::NumberLimit { rule: "per_number", says: "3/day".to_owned(), until: until.map(moment) }
}

fn lane_day(left: Option<u32>) -> Verdict {
    Verdict::LaneDay { left, tomorrow: moment(86_400) }
}

#[test]
fn every_verdict_has_its_name_and_allows_what_it_says() {
    let table = [
        (Verdict::Attempt { state: AttemptState::Open }, "attempt", true),
        (Verdict::Attempt { state: AttemptState::Sending }, "attempt", false),
        (Verdict::DoNotCall { entry: None }, "dnc", true),
        (Verdict::DoNotCall { entry: Some("asked".to_owned()) }, "dnc", false),
        (contact(ContactState::Waiting), "contact", true),
        (contact(ContactState::Stopped), "contact", false),
        (Verdict::Leaving { leaves: false }, "contact", true),
        (Verdict::Leaving { leaves: true }, "contact", false),
        (Verdict::Attempts { calls: 2, most: 3 }, "max_attempts", true),
        (Verdict::Attempts { calls: 3, most: 3 }, "max_attempts", false),
        (number(false, false), "number", true),
        (number(true, false), "number", false),
        (number(false, true), "number", false),
        (due(NOW), "due", true),
        (due(NOW + 1), "due", false),
        (planned(NOW, NOW + 1), "planned", true),
        (planned(NOW + 1, NOW + 2), "planned", false),
        (planned(NOW - 1, NOW), "planned", false),
        (Verdict::Clock, "clock", true),
        (Verdict::Ownership { of_attempt: 7, present: 7 }, "ownership", true),
        (Verdict::Ownership { of_attempt: 7, present: 8 }, "ownership", false),
        (Verdict::Revision { of_attempt: 1, present: 1 }, "revision", true),
        (Verdict::Revision { of_attempt: 1, present: 2 }, "revision", false),
        (stop(false), "stop", true),
        (stop(true), "stop", false),
        (campaign(CampaignState::Running), "campaign", true),
        (campaign(CampaignState::Paused), "campaign", false),
        (Verdict::Safety { failing: None }, "safety", true),
        (Verdict::Safety { failing: Some("11 of 20".to_owned()) }, "safety", false),
        (import(true, false), "import", true),
        (import(false, false), "import", false),
        (import(true, true), "import", false),
        (lane(LaneState::Open), "lane", true),
        (lane(LaneState::Paused), "lane", false),
        (rest(None), "pace", true),
        (rest(Some(NOW)), "pace", true),
        (rest(Some(NOW + 1)), "pace", false),
        (unknown_use(Some(NOW)), "pace", true),
        (unknown_use(Some(NOW + 1)), "pace", false),
        (lane_day(None), "lane_day", true),
        (lane_day(Some(1)), "lane_day", true),
        (lane_day(Some(0)), "lane_day", false),
        (slots(2), "slots", true),
        (slots(3), "slots", false),
        (window(true), "hours", true),
        (window(false), "hours", false),
        (limit(None), "per_number", true),
        (limit(Some(NOW + 1)), "per_number", false),
        (process(true), "process", true),
        (process(false), "process", false),
    ];
    let reading = ClockReading::exact(moment(NOW));
    for (verdict, rule, allows) in table {
        assert_eq!((&*verdict.rule(), verdict.allows(reading)), (rule, allows), "{verdict:?}");
        let forbids = !allows && rule != "process";
        assert_eq!(verdict.forbids(reading), forbids, "{verdict:?}");
        assert_eq!(
            verdict.from(reading).is_some(),
            !allows && verdict.is_of_time() && rule != "planned" || {
                // What was planned for an earlier time is planned again.
                matches!(verdict, Verdict::Planned { after, .. } if after > moment(NOW))
            },
            "{verdict:?}"
        );
    }
}

#[test]
fn what_time_satisfies_says_from_when() {
    let reading = ClockReading { now: moment(NOW), error: Span::from_secs(1) };
    let from = |verdict: Verdict| verdict.from(reading).map(Moment::secs);
    assert_eq!(from(due(1_500)), Some(1_500));
    assert_eq!(from(due(NOW)), None, "it is due");
    assert_eq!(from(planned(1_500, 1_600)), Some(1_500));
    assert_eq!(from(planned(NOW, 1_600)), Some(NOW), "the clock may be a second behind");
    assert_eq!(from(rest(Some(1_500))), Some(1_500));
    assert_eq!(from(unknown_use(Some(NOW))), Some(NOW));
    assert_eq!(from(limit(Some(1_500))), Some(1_500));
    assert_eq!(from(lane_day(Some(0))), Some(86_400));
    assert_eq!(from(slots(3)), Some(2_000));
    assert_eq!(from(window(false)), Some(3_000));
    assert_eq!(from(window(true)), None);
    assert_eq!(from(lane(LaneState::Paused)), None, "a person must open it");
    let in_doubt = ClockReading { now: moment(NOW), error: Span::from_secs(3) };
    assert!(!Verdict::Clock.allows(in_doubt) && Verdict::Clock.is_of_time());
    assert_eq!(Verdict::Clock.from(in_doubt), None, "nobody knows");
    assert!(!stop(true).is_of_time() && !process(false).is_of_time());
}

/// Verdicts that forbid a call, each in the forms that it has.
fn forbidding() -> Vec<Verdict> {
    let with = |state, paused_by, reason: Option<&str>| Verdict::Campaign {
        state,
        paused_by,
        reason: reason.map(str::to_owned),
    };
    let stopped = |by| Verdict::Stop { stopped: Some(Stopped { by, reason: "wrong list".to_owned() }) };
    let in_state = |state, reason: Option<&str>| Verdict::Import {
        is_ready: true,
        is_staged: true,
        import: Some((state, reason.map(str::to_owned))),
    };
    let of_class = |class| Verdict::Due { at: moment(NOW + 60), class, refused: None };
    vec![
        Verdict::Attempt { state: AttemptState::Sending },
        Verdict::DoNotCall { entry: Some("asked".to_owned()) },
        Verdict::Contact { state: ContactState::Stopped, stop_reason: Some(StopReason::Dnc), was_refused: false },
        Verdict::Leaving { leaves: true },
        Verdict::Attempts { calls: 3, most: 3 },
        number(true, false),
        number(false, true),
        of_class(DialClass::First),
        of_class(DialClass::Retry),
        of_class(DialClass::Callback),
        of_class(DialClass::Capped),
        planned(NOW + 1, NOW + 2),
        planned(NOW - 1, NOW),
        Verdict::Ownership { of_attempt: 7, present: 8 },
        Verdict::Revision { of_attempt: 1, present: 2 },
        stopped(StoppedBy::Person),
        stopped(StoppedBy::Quarantine),
        stopped(StoppedBy::ZoneData),
        with(CampaignState::Paused, Some(PausedBy::Person), Some("a look")),
        with(CampaignState::Paused, Some(PausedBy::Safety), Some("too many failed")),
        with(CampaignState::Paused, Some(PausedBy::Draft), None),
        with(CampaignState::Cancelled, None, None),
        Verdict::Safety { failing: Some("11 of 20".to_owned()) },
        import(false, false),
        import(true, true),
        in_state(ImportState::Held, Some("900 people")),
        in_state(ImportState::Canary, None),
        Verdict::Lane { name: "main".to_owned(), state: LaneState::Paused, reason: Some("no balance".to_owned()) },
        Verdict::Rest { until: Some(moment(NOW + 60)), reason: Some("too many requests".to_owned()) },
        unknown_use(Some(NOW + 60)),
        lane_day(Some(0)),
        slots(3),
        window(false),
        limit(Some(NOW + 60)),
        process(false),
    ]
}

/// What each of them says by itself, and of one contact.
const SAID: &[&str] = &[
    "the attempt is sending",
    "It is not dialled: the attempt is sending.",
    "asked",
    "It is not dialled: asked.",
    "it was stopped: dnc",
    "It is not dialled: it was stopped: dnc.",
    "it is to be stopped",
    "It is not dialled: it is to be stopped.",
    "it has had 3 of 3 calls",
    "It is not dialled: it has had 3 of 3 calls.",
    "a call to it is under way for another campaign",
    "It is not dialled: a call to it is under way for another campaign.",
    "a call to it in an earlier run is in review",
    "It is not dialled: a call to it in an earlier run is in review.",
    "its call is not due yet",
    "It is not dialled: its call is not due yet. It goes on at 01 Jan 1970 05:47 IST.",
    "its retry is not due yet",
    "It is not dialled: its retry is not due yet. It goes on at 01 Jan 1970 05:47 IST.",
    "its callback is not due yet",
    "It is not dialled: its callback is not due yet. It goes on at 01 Jan 1970 05:47 IST.",
    "a limit on its number holds it until then",
    "It is not dialled: a limit on its number holds it until then. It goes on at 01 Jan 1970 05:47 IST.",
    "it was planned for 1970-01-01T00:16:41Z to 1970-01-01T00:16:42Z",
    "It is not dialled: it was planned for 1970-01-01T00:16:41Z to 1970-01-01T00:16:42Z. It goes on at 01 Jan 1970 05:46 IST.",
    "it was planned for 1970-01-01T00:16:39Z to 1970-01-01T00:16:40Z",
    "It is not dialled: it was planned for 1970-01-01T00:16:39Z to 1970-01-01T00:16:40Z.",
    "another process owns the lane",
    "It is not dialled: another process owns the lane.",
    "the campaign has changed since it was planned",
    "It is not dialled: the campaign has changed since it was planned.",
    "wrong list",
    "It is not dialled: everything is stopped: wrong list.",
    "quarantine: wrong list",
    "It is not dialled: the database is in quarantine: wrong list; `ringfence quarantine` says more.",
    "zone data: wrong list",
    "It is not dialled: wrong list; install a newer ringfence, or name a newer zoneinfo tree in [zones] folder.",
    "paused: a look",
    "It is not dialled: the campaign is paused: a look.",
    "paused: too many failed",
    "It is not dialled: a safety rail paused the campaign: too many failed.",
    "a draft that nobody has started",
    "It is not dialled: the campaign is a draft, and nobody has started it.",
    "cancelled",
    "It is not dialled: the campaign is cancelled.",
    "11 of 20",
    "It is not dialled: too many of the last calls failed: 11 of 20.",
    "its import is not complete",
    "It is not dialled: no contact file is completely in.",
    "its import is not complete",
    "It is not dialled: their import is not released; `ringfence imports` lists them.",
    "its import is held: 900 people",
    "It is not dialled: the import is held: 900 people.",
    "its import waits for the outcomes of the first calls",
    "It is not dialled: the rest of the import waits for the outcomes of its first calls.",
    "no balance",
    "It is not dialled: lane main is paused: no balance.",
    "too many requests",
    "It is not dialled: the lane rests until 05:47:40: too many requests.",
    "the lane's last process ended without saying what it had used of these limits; dialling begins at 05:47:40",
    "It is not dialled: the lane's last process ended without saying what it had used of these limits; dialling begins at 05:47:40.",
    "the lane has made all of its calls for today",
    "It is not dialled: the lane has made all of its calls for today. It goes on at 02 Jan 1970 05:30 IST.",
    "all 3 slots are taken by calls of unknown fate, the first is free at 06:04",
    "It is not dialled: all 3 slots are taken by calls of unknown fate, the first is free at 06:04.",
    "09:00-21:00",
    "It is not dialled: it is outside the calling window (hours: 09:00-21:00). It goes on at 01 Jan 1970 06:20 IST.",
    "3/day",
    "It is not dialled: a limit on the number holds it: 3/day. It goes on at 01 Jan 1970 05:47 IST.",
    "no process dials lane main: start `ringfence serve` or `ringfence run`",
    "It is not dialled: no process dials lane main: start `ringfence serve` or `ringfence run`.",
];

#[test]
fn every_verdict_that_forbids_a_call_says_why() {
    let reading = ClockReading::exact(moment(NOW));
    let zone: Zone = "Asia/Kolkata".parse().expect("a zone");
    let said: Vec<String> = forbidding()
        .iter()
        .flat_map(|verdict| {
            let next_at = verdict.from(reading);
            [verdict.says(reading, zone), because_of_contact(verdict, next_at, reading, zone)]
        })
        .collect();
    assert_eq!(said, SAID);
}

#[test]
fn what_follows_in_a_claim_is_told_where_it_is_news() {
    let told = [
        (ClaimDenied::NotOpen, None),
        (ClaimDenied::PlanAgain, None),
        (ClaimDenied::Held, Some("held at the last moment")),
        (ClaimDenied::Dnc, Some("on the do-not-call list")),
        (ClaimDenied::Capped(moment(NOW)), Some("a limit on its number")),
        (ClaimDenied::AttemptsUsed, Some("no attempts left")),
    ];
    for (denied, says) in told {
        assert_eq!(denied.says(), says, "{denied:?}");
    }
}

#[test]
fn what_is_the_matter_is_told_apart() {
    let (reading, zone) = (ClockReading::exact(moment(NOW)), Zone::utc());
    let says = |verdict: Verdict| verdict.says(reading, zone);
    let review = |was_refused| Verdict::Contact { state: ContactState::Review, stop_reason: None, was_refused };
    assert_eq!(says(review(true)), "the provider refuses it: a person must look");
    assert_eq!(says(review(false)), "nobody can say whether its last call was placed");
    assert_eq!(says(due(NOW)), "it is due");
    assert_eq!(says(due(NOW + 1)), "its call is not due yet");
    let full = InHand { live: 1_003, ..InHand::default() };
    let none_taken = Verdict::Slots(Slots { of_lane: (full, 3), of_campaign: None });
    assert_eq!(says(none_taken), "1003 calls are of unknown fate, and no more are added to them");
}
