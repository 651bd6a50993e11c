use proptest::prelude::*;

use super::*;
use crate::cap::Cap;
use crate::window::{Hours, Timetable};

/// Everything that a claim asks about, as it may stand.
#[derive(Debug, Clone)]
struct Facts {
    state: AttemptState,
    epochs: (i64, i64),
    revisions: (i64, i64),
    planned: (i64, i64),
    is_listed: bool,
    leaves: bool,
    stopped: Option<StoppedBy>,
    campaign: CampaignState,
    is_failing: bool,
    lane: LaneState,
    rests_until: i64,
    left_today: Option<u32>,
    calls: u32,
    cap: Option<u32>,
    earlier: Vec<i64>,
    now: i64,
    error: i64,
}

impl Facts {
    fn free() -> Self {
        Self {
            state: AttemptState::Open,
            epochs: (1, 1),
            revisions: (1, 1),
            planned: (100, 130),
            is_listed: false,
            leaves: false,
            stopped: None,
            campaign: CampaignState::Running,
            is_failing: false,
            lane: LaneState::Open,
            rests_until: 0,
            left_today: None,
            calls: 1,
            cap: None,
            earlier: Vec::new(),
            now: 110,
            error: 0,
        }
    }

    fn reading(&self) -> ClockReading {
        ClockReading { now: Moment::from_secs(self.now), error: Span::from_secs(self.error) }
    }

    fn limits(&self) -> NumberLimits {
        NumberLimits { caps: self.cap.map(Cap::per_day).into_iter().collect(), ..NumberLimits::default() }
    }

    fn calls(&self) -> Vec<PastCall> {
        let call =
            |at: &i64| PastCall { sent_at: Moment::from_secs(*at), ended_at: None, outcome: None, refused: false };
        self.earlier.iter().map(call).collect()
    }

    /// As the claim puts them together.
    fn verdicts(&self) -> Vec<Verdict> {
        let reading = self.reading();
        let zones = ZoneSet::one(crate::Zone::utc());
        let stopped = self.stopped.map(|by| Stopped { by, reason: "wrong list".to_owned() });
        vec![
            Verdict::Attempt { state: self.state },
            Verdict::DoNotCall { entry: self.is_listed.then(|| "listed".to_owned()) },
            Verdict::Leaving { leaves: self.leaves },
            Verdict::Clock,
            Verdict::Planned { after: Moment::from_secs(self.planned.0), before: Moment::from_secs(self.planned.1) },
            Verdict::Ownership { of_attempt: self.epochs.0, present: self.epochs.1 },
            Verdict::Revision { of_attempt: self.revisions.0, present: self.revisions.1 },
            Verdict::Stop { stopped },
            Verdict::Campaign { state: self.campaign, paused_by: None, reason: None },
            Verdict::Safety { failing: self.is_failing.then(|| "11 of 20".to_owned()) },
            Verdict::Lane { name: "main".to_owned(), state: self.lane, reason: None },
            Verdict::of_rest(Moment::from_secs(self.rests_until), None, reading),
            Verdict::Attempts { calls: self.calls, most: 2 },
            Verdict::LaneDay { left: self.left_today, tomorrow: Moment::from_secs(172_800) },
            Verdict::of_number_limits(&self.limits(), &self.calls(), reading, &zones, || ("per_number", String::new())),
            Verdict::Process { lane: "main".to_owned(), dials: false, last: None },
        ]
    }

    fn decide(&self) -> Result<(), ClaimDenied> {
        decide(self.verdicts(), self.reading())
    }

    /// Whether it may be dialled, written down anew: every reason by itself, for each instant that
    /// it may be.
    fn oracle(&self) -> bool {
        let held = self.state != AttemptState::Open
            || self.is_listed
            || self.leaves
            || self.stopped.is_some()
            || self.campaign != CampaignState::Running
            || self.is_failing
            || self.lane != LaneState::Open
            || self.left_today == Some(0)
            || self.calls > 1
            || self.epochs.0 != self.epochs.1
            || self.revisions.0 != self.revisions.1
            || self.error > 2;
        !held
            && (self.now - self.error..=self.now + self.error).all(|at| {
                // A call that is noted for later than `at` has been made all the same: if it is
                // `at` now, the clock was ahead when the call was noted.
                let today = self.earlier.iter().filter(|sent| **sent / 86_400 >= at / 86_400).count();
                (self.planned.0..self.planned.1).contains(&at)
                    && self.rests_until <= at
                    && self.cap.is_none_or(|most| today < most as usize)
            })
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    let mostly = |usual: bool| prop::bool::weighted(if usual { 0.9 } else { 0.1 });
    let states =
        prop_oneof![8 => Just(AttemptState::Open), 1 => Just(AttemptState::Sending), 1 => Just(AttemptState::Lapsed)];
    let stops = prop_oneof![
        9 => Just(None),
        1 => Just(Some(StoppedBy::Person)),
        1 => Just(Some(StoppedBy::Quarantine)),
        1 => Just(Some(StoppedBy::ZoneData))
    ];
    let campaigns = prop_oneof![9 => Just(CampaignState::Running), 1 => Just(CampaignState::Paused), 1 => Just(CampaignState::Cancelled)];
    let planned = (86_380..86_420_i64, 1..40_i64).prop_map(|(after, length)| (after, after + length));
    let of_row = (
        states,
        mostly(false),
        mostly(false),
        (1..3_i64, prop::bool::weighted(0.9)),
        (1..3_i64, prop::bool::weighted(0.9)),
        planned,
    );
    let of_all = (stops, campaigns, mostly(false), mostly(true), 86_360..86_420_i64, prop::option::of(0..3_u32));
    let of_number = (prop::option::of(1..3_u32), 0..3_u32, prop::collection::vec(86_390..86_410_i64, 0..3));
    (of_row, of_all, of_number, 86_385..86_415_i64, 0..4_i64).prop_map(|(row, all, number, now, error)| Facts {
        state: row.0,
        is_listed: row.1,
        leaves: row.2,
        epochs: (row.3.0, if row.3.1 { row.3.0 } else { 7 }),
        revisions: (row.4.0, if row.4.1 { row.4.0 } else { 7 }),
        planned: row.5,
        stopped: all.0,
        campaign: all.1,
        is_failing: all.2,
        lane: if all.3 { LaneState::Open } else { LaneState::Paused },
        rests_until: all.4,
        left_today: all.5,
        cap: number.0,
        calls: number.1,
        earlier: number.2.into_iter().filter(|sent| *sent < now).collect(),
        now,
        error,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_claim_dials_exactly_when_every_verdict_allows(facts in facts()) {
        let reading = facts.reading();
        let verdicts = facts.verdicts();
        let all_allow = !verdicts.iter().any(|verdict| verdict.forbids(reading));
        prop_assert_eq!(facts.decide().is_ok(), all_allow);
        prop_assert_eq!(all_allow, facts.oracle());
        let said = because_of(&verdicts, reading, crate::Zone::utc());
        prop_assert!(said.is_some(), "nobody dials here, at least");
        for verdict in verdicts.iter().filter(|verdict| verdict.forbids(reading)) {
            let says = verdict.says(reading, crate::Zone::utc());
            prop_assert!(!says.is_empty(), "{verdict:?} says nothing");
            prop_assert!(verdict.from(reading).is_none_or(|from| from > reading.earliest()), "{verdict:?}");
        }
    }
}

#[test]
fn each_reason_is_enough_by_itself() {
    let free = Facts::free;
    assert_eq!(free().decide(), Ok(()));
    let denied = [
        (Facts { state: AttemptState::Sending, ..free() }, ClaimDenied::NotOpen),
        (Facts { is_listed: true, ..free() }, ClaimDenied::Dnc),
        (Facts { leaves: true, ..free() }, ClaimDenied::PlanAgain),
        (Facts { now: 99, ..free() }, ClaimDenied::PlanAgain),
        (Facts { now: 130, ..free() }, ClaimDenied::PlanAgain),
        (Facts { now: 129, error: 1, ..free() }, ClaimDenied::PlanAgain),
        (Facts { now: 115, error: 3, ..free() }, ClaimDenied::PlanAgain),
        (Facts { epochs: (1, 2), ..free() }, ClaimDenied::PlanAgain),
        (Facts { revisions: (1, 2), ..free() }, ClaimDenied::PlanAgain),
        (Facts { stopped: Some(StoppedBy::Person), ..free() }, ClaimDenied::Held),
        (Facts { campaign: CampaignState::Paused, ..free() }, ClaimDenied::Held),
        (Facts { is_failing: true, ..free() }, ClaimDenied::Held),
        (Facts { lane: LaneState::Paused, ..free() }, ClaimDenied::Held),
        (Facts { rests_until: 111, ..free() }, ClaimDenied::Held),
        (Facts { left_today: Some(0), ..free() }, ClaimDenied::Held),
        (Facts { calls: 2, ..free() }, ClaimDenied::AttemptsUsed),
        (Facts { calls: 3, ..free() }, ClaimDenied::AttemptsUsed),
        (Facts { cap: Some(1), earlier: vec![50], ..free() }, ClaimDenied::Capped(Moment::from_secs(86_400))),
    ];
    for (facts, why) in denied {
        assert_eq!(facts.decide(), Err(why), "{facts:?}");
    }
}

#[test]
fn a_call_that_is_noted_for_later_than_the_clock_may_be_counts() {
    // Midnight is 86,400. If it is 86,399 now, both calls were made before it.
    let around_midnight = Facts {
        planned: (86_383, 86_404),
        cap: Some(2),
        earlier: vec![86_400, 86_390],
        now: 86_401,
        error: 2,
        ..Facts::free()
    };
    assert!(matches!(around_midnight.decide(), Err(ClaimDenied::Capped(_))));
    assert_eq!(Facts { error: 0, ..around_midnight }.decide(), Ok(()));
}

#[test]
fn a_limit_waits_for_both_ends_of_the_clocks_error() {
    // A day has passed by one end of the clock's error, and not by the other.
    for (cap, seconds) in [("1/24h", 86_450), ("1/day", 86_400)] {
        let limits = NumberLimits { caps: vec![cap.parse().expect("a cap")], ..NumberLimits::default() };
        let earlier = Facts { earlier: vec![50], ..Facts::free() }.calls();
        let zones = ZoneSet::one(crate::Zone::utc());
        let until = |now, error| {
            let reading = ClockReading { now: Moment::from_secs(now), error: Span::from_secs(error) };
            let verdict =
                Verdict::of_number_limits(&limits, &earlier, reading, &zones, || ("per_number", String::new()));
            verdict.from(reading)
        };
        assert_eq!(until(seconds, 0), None, "{cap}");
        let held = Some(Moment::from_secs(seconds + 2));
        assert_eq!(until(seconds + 1, 2), held, "{cap}: it may be a second too early");
        assert_eq!(until(seconds - 1, 2), held, "{cap}");
        assert_eq!(until(seconds + 2, 2), None, "{cap}");
    }
}

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

#[test]
fn slots_of_unknown_fate_are_named_with_the_moment_that_frees_one() {
    let clock = "Asia/Kolkata".parse().expect("a zone");
    let reading = ClockReading::exact(at("2026-11-20T08:00:00Z"));
    let first_free = Some(at("2026-11-20T08:31:10Z"));
    let lost = |n| InHand { live: n, taken: n, unsure: n, first_free, ..InHand::default() };
    let says =
        |held: InHand, limit| Verdict::Slots(Slots { of_lane: (held, limit), of_campaign: None }).says(reading, clock);
    assert_eq!(says(lost(3), 3), "all 3 slots are taken by calls of unknown fate, the first is free at 14:02");
    assert_eq!(says(lost(1), 1), "the only slot is taken by a call of unknown fate, it is free at 14:02");
    assert_eq!(says(lost(2), 3), "1 of 3 slots are free");
    let turn = "all 3 slots are taken by calls that are under way: its turn comes when one of them ends";
    assert_eq!(says(InHand { unsure: 0, ..lost(3) }, 3), turn, "a call that is out ends");
    let two = "all 3 slots are taken, 2 of them by calls of unknown fate: its turn comes when one of them ends";
    assert_eq!(says(InHand { unsure: 2, ..lost(3) }, 3), two);
    let own = Slots { of_lane: (lost(3), 9), of_campaign: Some((lost(3), 3)) };
    assert!(Verdict::Slots(own).says(reading, clock).starts_with("all 3 slots of the campaign are taken"));
}

#[test]
fn the_sentence_names_what_goes_on_first_and_who_must_act() {
    let clock: crate::Zone = "Asia/Kolkata".parse().expect("a zone");
    let reading = ClockReading::exact(at("2026-11-20T08:30:00Z"));
    let dials = Verdict::Process { lane: "main".to_owned(), dials: true, last: None };
    let group = |held_by: Option<Verdict>, contacts, next_at: Option<&str>| Waiting {
        held_by,
        contacts,
        next_at: next_at.map(at),
    };
    let retry = |when| Verdict::Due { at: at(when), class: DialClass::Retry, refused: None };
    let night = Verdict::Window {
        part: "hours".to_owned(),
        is_open: false,
        says: "Mo-Sa 09:00-20:00 in Asia/Kolkata".to_owned(),
        opens: None,
    };
    let held = Verdict::Import {
        is_ready: true,
        is_staged: true,
        import: Some((ImportState::Held, Some("900 people".to_owned()))),
    };
    let say = |groups: &[Waiting], process: &Verdict, calling| because(groups, process, calling, reading, clock);
    let (early, late) = ("2026-11-20T09:00:00Z", "2026-11-21T03:30:00Z");
    let both = [
        group(Some(night), 90, Some(late)),
        group(Some(retry(early)), 1, Some(early)),
        group(Some(held.clone()), 500, None),
    ];
    let first = "Nothing is dialled: the next retry is not due yet. It goes on at 20 Nov 2026 14:30 IST.";
    assert_eq!(say(&both, &dials, false).as_deref(), Some(first));
    assert_eq!(say(&both, &dials, true), None, "calls are out");
    assert_eq!(
        say(&both[..1], &dials, false).as_deref(),
        Some(
            "Nothing is dialled: it is outside the calling window (hours: Mo-Sa 09:00-20:00 in Asia/Kolkata). It goes on at 21 Nov 2026 09:00 IST."
        )
    );
    assert_eq!(say(&both[2..], &dials, true).as_deref(), Some("Nothing is dialled: the import is held: 900 people."));
    assert_eq!(say(&[group(None, 0, None)], &dials, false), None, "nobody waits");
    assert_eq!(
        say(&[group(None, 5, None), group(Some(held), 5, None)], &dials, false),
        None,
        "somebody is being dialled"
    );
    let last = Some(("dialer-1".to_owned(), at("2026-11-19T15:40:00Z")));
    let nobody = Verdict::Process { lane: "main".to_owned(), dials: false, last };
    let process = "Nothing is dialled: no process dials lane main (dialer-1 did until 19 Nov 21:10): start `ringfence serve` or `ringfence run`.";
    assert_eq!(say(&[group(None, 5, None)], &nobody, false).as_deref(), Some(process));
    let but = "The next call may be made at 20 Nov 2026 14:30 IST, but no process dials lane main (dialer-1 did until 19 Nov 21:10): start `ringfence serve` or `ringfence run`.";
    let next = format!("Nothing is dialled: the next retry is not due yet. {but}");
    assert_eq!(say(&both, &nobody, false), Some(next));
    assert_eq!(say(&[group(None, 0, None)], &nobody, false), None, "nobody waits for a process");
}

#[test]
fn the_first_of_several_that_forbid_is_told_and_when_it_is_surely_over() {
    let clock: crate::Zone = "Asia/Kolkata".parse().expect("a zone");
    let reading = ClockReading::exact(at("2026-11-20T08:30:00Z"));
    let lane = |state| Verdict::Lane { name: "main".to_owned(), state, reason: None };
    let rest = |until: &str| Verdict::Rest { until: Some(at(until)), reason: Some("throttled".to_owned()) };
    let says = |verdicts: &[Verdict]| because_of(verdicts, reading, clock);
    assert_eq!(says(&[Verdict::Clock, lane(LaneState::Open)]), None, "everything allows it");
    let rests = [lane(LaneState::Open), rest("2026-11-20T08:30:07.001Z"), lane(LaneState::Paused)];
    let until_the_second = "Nothing is dialled: the lane rests until 14:00:08: throttled.";
    assert_eq!(says(&rests).as_deref(), Some(until_the_second));
    let exactly = "Nothing is dialled: the lane rests until 14:00:07: throttled.";
    assert_eq!(says(&[rest("2026-11-20T08:30:07Z")]).as_deref(), Some(exactly));
}

#[test]
fn a_rest_is_over_at_its_last_moment_by_the_earliest_that_it_may_be() {
    let reading = |now| ClockReading { now: Moment::from_secs(now), error: Span::from_secs(2) };
    let until = Moment::from_secs(100);
    let rests = Verdict::Rest { until: Some(until), reason: Some("throttled".to_owned()) };
    assert_eq!(Verdict::of_rest(until, Some("throttled"), reading(101)), rests, "it may be 99 only");
    assert_eq!(Verdict::of_rest(until, Some("throttled"), reading(102)), Verdict::Rest { until: None, reason: None });
}

#[test]
fn a_closed_day_is_named_and_so_is_what_bounds_a_window() {
    let zone: crate::Zone = "Asia/Kolkata".parse().expect("a zone");
    let closures = crate::window::Closures { days: [jiff::civil::date(2026, 11, 23)].into(), holidays: Vec::new() };
    let hours = Hours::new(Timetable::always(), zone).less(closures.into());
    let part = WindowPart {
        rule: "closed_days".to_owned(),
        name: "holidays and closed days".to_owned(),
        hours: Some(vec![hours.clone()]),
    };
    let (closed, open) = (at("2026-11-23T08:30:00Z"), at("2026-11-24T08:30:00Z"));
    let opens = Some(at("2026-11-23T18:30:00Z"));
    let rule = "closed_days".to_owned();
    let named = Verdict::Window {
        part: rule.clone(),
        is_open: false,
        says: "2026-11-23 is among the closed days".to_owned(),
        opens,
    };
    assert_eq!(Verdict::of_window_part(&part, closed), named);
    let free = Verdict::Window { part: rule, is_open: true, says: "no closed day".to_owned(), opens: Some(open) };
    assert_eq!(Verdict::of_window_part(&part, open), free);

    let whole = |guard, days: &[(&str, Option<jiff::civil::Date>)]| {
        let verdict = Verdict::of_window(&mut Calendar::new(vec![hours.clone()], guard), guard, days, closed);
        assert_eq!(verdict.from(ClockReading::exact(closed)), opens);
        verdict.says(ClockReading::exact(closed), zone)
    };
    assert_eq!(whole(Span::ZERO, &[("until", None)]), "all of these at once");
    let last = Some(jiff::civil::date(2026, 12, 5));
    let bounded = "all of these at once, but not in the last 1m before closing, until 2026-12-05";
    assert_eq!(whole(Span::from_minutes(1), &[("from", None), ("until", last)]), bounded);
}
