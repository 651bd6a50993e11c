//! Against the plain reading of a wall clock and a calendar on the wall: hours past midnight,
//! closed days, off days, several zones, guards.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use ringfence_domain::campaign::{Redial, RetryRules};
use ringfence_domain::decision::{CallResult, Decision, decide};
use ringfence_domain::window::{Calendar, Closures, Hours, Timetable};
use ringfence_domain::{DialClass, Moment, Outcome, Span, Zone};

use super::{Dice, WEEKDAYS, new_year, ours};

/// What a rule says, before it is written.
struct Plain {
    /// Minutes of the day for each weekday, Monday first; the end may lie past midnight.
    week: Vec<Option<(u32, u32)>>,
    closed: Vec<NaiveDate>,
    zone: Zone,
}

impl Plain {
    fn random(dice: &mut Dice, near: i64) -> Self {
        let week = (0..7).map(|_| {
            let start = dice.roll(96) as u32 * 15;
            let length = (1 + dice.roll(96)) as u32 * 15;
            (dice.roll(5) > 0).then_some((start, start + length.min(1440)))
        });
        let week = week.collect();
        let zones: Vec<Zone> = Zone::all().collect();
        let day =
            |offset: u64| DateTime::from_timestamp(near + offset as i64 * 86_400, 0).expect("a time").date_naive();
        let closed = (0..dice.roll(3)).map(|_| day(dice.roll(6))).collect();
        Self { week, closed, zone: *dice.pick(&zones) }
    }

    fn written(&self) -> String {
        let at = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let day = |(name, hours): (&&str, &Option<(u32, u32)>)| match hours {
            Some((start, end)) => format!("{name} {}-{}", at(*start), at(*end)),
            None => format!("{name} off"),
        };
        WEEKDAYS.iter().zip(&self.week).map(day).collect::<Vec<_>>().join("; ")
    }

    fn calendar_part(&self) -> Hours {
        let table: Timetable = self.written().parse().unwrap_or_else(|error| panic!("{}: {error}", self.written()));
        let closures =
            Closures { days: self.closed.iter().filter_map(|day| ours(*day)).collect(), ..Closures::default() };
        Hours::new(table, self.zone).less(Arc::new(closures))
    }

    fn hours_of(&self, date: NaiveDate) -> Option<(u32, u32)> {
        let hours = self.week[date.weekday().num_days_from_monday() as usize];
        hours.filter(|_| !self.closed.contains(&date))
    }

    fn is_open(&self, at: i64) -> bool {
        let ahead = self.zone.offset_at(Moment::from_secs(at));
        let local = DateTime::from_timestamp(at + ahead, 0).expect("a time");
        let (date, minute) = (local.date_naive(), local.hour() * 60 + local.minute());
        // A day without hours of its own is closed to the evening before.
        let Some((start, end)) = self.hours_of(date) else { return false };
        let evening = self.hours_of(date.pred_opt().expect("a date"));
        (start..end).contains(&minute) || evening.is_some_and(|(start, end)| (start..end).contains(&(minute + 1440)))
    }
}

/// Whatever the outcome, the delays and the window: a retry is due no earlier than its delay says,
/// and is dialled when the window is open and at no earlier moment at which it was.
#[test]
fn retries_of_all_outcomes_are_dialled_inside_the_window() {
    let mut dice = Dice::of(11);
    let mut dialled = 0;
    for _ in 0..3_000 {
        let near = new_year(1970) + dice.roll(2_140_000_000) as i64;
        let part = Plain::random(&mut dice, near);
        let mut calendar = Calendar::new(vec![part.calendar_part()], Span::ZERO);
        let now = Moment::from_secs(near);
        let delay = Span::from_minutes(1 + dice.roll(3_000) as i64);
        let mut rules = RetryRules::default();
        rules.after.values_mut().for_each(|redial| *redial = Redial::After(vec![delay]));
        let case = CallResult {
            outcome: *dice.pick(Outcome::ALL),
            calls: 1,
            same_outcome: 1,
            class: DialClass::First,
            now,
            seed: dice.roll(u64::MAX),
            callback: (dice.roll(2) == 0).then(|| now + delay),
            opted_out: false,
        };
        let Decision::Redial { due_at, .. } = decide(&case, &rules) else { continue };
        assert!(due_at >= now + delay.min(Span::from_minutes(5)) || case.outcome == Outcome::NotDialled, "{case:?}");
        let Some(dial_at) = calendar.next_opening(due_at) else { continue };
        dialled += 1;
        assert!(dial_at >= due_at && part.is_open(dial_at.secs()), "{case:?}: {dial_at}");
        let first_minute = due_at.secs() - due_at.secs().rem_euclid(60) + 60;
        let earlier = (first_minute..dial_at.secs()).step_by(60).take(2_000).find(|at| part.is_open(*at));
        assert_eq!(earlier, None, "{case:?}: it was open before {dial_at}");
    }
    assert!(dialled > 1_000, "{dialled}");
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was compared is part of what the test says")]
fn windows_of_several_zones_open_and_close_as_clocks_and_calendars_on_the_wall_say() {
    let mut dice = Dice::of(2026);
    let (mut compared, mut openings) = (0_u64, 0_u64);
    for round in 0..2_000 {
        let near = new_year(1970) + dice.roll(2_140_000_000) as i64;
        let parts: Vec<Plain> = (0..=dice.roll(2)).map(|_| Plain::random(&mut dice, near)).collect();
        let guard = Span::from_minutes(dice.roll(3) as i64 * 10);
        let mut calendar = Calendar::new(parts.iter().map(Plain::calendar_part).collect(), guard);
        let open = |at: i64| parts.iter().all(|part| part.is_open(at));
        // Open, and still open when the guard is over: no call begins that close to the end.
        let may_dial = |at: i64| (0..=guard.secs()).step_by(60).all(|ahead| open(at + ahead));
        let told = |at: i64| {
            let texts: Vec<String> = parts
                .iter()
                .map(|part| format!("{} in {}, closed {:?}", part.written(), part.zone, part.closed))
                .collect();
            format!("round {round}, {} ({at}), guard {guard}: {texts:#?}", Moment::from_secs(at))
        };
        let start = near - near.rem_euclid(60);
        let mut at = start;
        let mut expected_open = calendar.next_opening(Moment::from_secs(start)).map(Moment::secs);
        while at < start + 4 * 86_400 {
            compared += 1;
            assert_eq!(calendar.at(Moment::from_secs(at)).open, may_dial(at), "{}", told(at));
            if expected_open.is_some_and(|opening| opening <= at) {
                let opening = expected_open.take().expect("an opening");
                openings += 1;
                assert!(may_dial(opening), "the opening is open: {}", told(opening));
            }
            assert!(expected_open.is_none() || !may_dial(at), "the opening is the first: {}", told(at));
            at += 60;
        }
        // Asking later never names an earlier opening.
        let mut last = Moment::from_secs(start);
        for later in 0..20 {
            let from = Moment::from_secs(start + later * 7_777);
            if let Some(opening) = calendar.next_opening(from) {
                assert!(opening >= last && opening >= from, "{}", told(from.secs()));
                last = opening;
            }
        }
    }
    println!("{compared} minutes, {openings} openings, 0 differences");
    assert!(compared > 10_000_000 && openings > 1_000, "{compared} minutes, {openings} openings");
}
