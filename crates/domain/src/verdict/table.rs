//! Every verdict: its name, and the call that it allows or not.

use super::*;
use crate::{DialClass, Span};

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
