//! What the rules cost: `cargo bench --profile dist -p ringfence-tests --bench rules`
//!
//! Each line: nanoseconds a question, over a million questions; beside it the same question to the
//! library `opening-hours` where it has one.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use ringfence_domain::window::{Calendar, Closures, Holidays, Hours, Timetable};
use ringfence_domain::{Moment, NumberLimits, Outcome, PastCall, Span, Zone, ZoneSet};

const QUESTIONS: u64 = 1_000_000;

#[expect(clippy::disallowed_methods, reason = "what a question costs is measured while the machine is awake")]
fn nanoseconds<A>(questions: u64, mut ask: impl FnMut(u64) -> A) -> f64 {
    let began = Instant::now();
    (0..questions).for_each(|question| drop(black_box(ask(question))));
    began.elapsed().as_nanos() as f64 / questions as f64
}

fn calendar(parts: &[(&str, &str, &[&str])]) -> Calendar {
    let hours = parts.iter().map(|(hours, zone, holidays)| {
        let named = |name: &&str| Holidays::named(name, &BTreeMap::new()).expect("holidays");
        let closures = Closures { holidays: holidays.iter().map(named).collect(), ..Closures::default() };
        let table: Timetable = hours.parse().expect("hours");
        let zone: Zone = zone.parse().expect("a zone");
        Hours::new(table, zone).less(Arc::new(closures))
    });
    Calendar::new(hours.collect(), Span::from_secs(60))
}

#[expect(clippy::print_stdout, reason = "these lines are the result")]
fn main() {
    let start: Moment = "2026-11-20T00:00:00Z".parse().expect("a moment");
    // A dialer asks about the present again and again; here it runs through a month.
    let moment = |question: u64| start + Span::from_millis((question * 2_592) as i64);
    let windows: [(&str, Calendar); 3] = [
        ("09:00-21:00 in one zone", calendar(&[("09:00-21:00", "Asia/Kolkata", &[])])),
        (
            "France: two intervals, weekdays, holidays",
            calendar(&[
                ("Mo-Fr 10:00-13:00,14:00-20:00; Sa-Su off", "Europe/Paris", &["FR"]),
                ("09:00-21:00", "Europe/Paris", &[]),
            ]),
        ),
        (
            "four zones of the United States, holidays, vendor's hours",
            calendar(&[
                ("08:00-21:00", "America/New_York", &["US"]),
                ("08:00-21:00", "America/Chicago", &["US"]),
                ("08:00-21:00", "America/Denver", &["US"]),
                ("08:00-21:00", "America/Los_Angeles", &["US"]),
                ("Mo-Sa 09:00-23:30", "America/New_York", &[]),
            ]),
        ),
    ];
    println!("nanoseconds a question, {QUESTIONS} questions each\n");
    for (name, window) in &windows {
        let mut warm = window.clone();
        let check = nanoseconds(QUESTIONS, |question| warm.at(moment(question)));
        let mut warm = window.clone();
        let next = nanoseconds(QUESTIONS, |question| warm.next_opening(moment(question)));
        let cold = nanoseconds(QUESTIONS / 100, |question| {
            let mut fresh = window.clone();
            fresh.next_opening(moment(question * 100))
        });
        println!("{name}: open now? {check:.0}; next opening {next:.0}; next opening, nothing known {cold:.0}");
    }

    let naive =
        |question: u64| chrono::DateTime::from_timestamp(moment(question).secs(), 0).expect("a time").naive_utc();
    let peer: opening_hours::OpeningHours = "Mo-Fr 10:00-13:00,14:00-20:00; Sa-Su off".parse().expect("hours");
    let check = nanoseconds(QUESTIONS / 10, |question| peer.is_open(naive(question * 10)));
    let next = nanoseconds(QUESTIONS / 10, |question| peer.next_change(naive(question * 10)));
    println!("opening-hours, no zone, no holidays: open now? {check:.0}; next change {next:.0}");

    let zones: ZoneSet = "Asia/Kolkata".parse().expect("zones");
    let limits = NumberLimits {
        caps: ["3/day", "3/24h", "7/7d"].map(|cap| cap.parse().expect("a cap")).to_vec(),
        ..NumberLimits::default()
    };
    let call = |days: i64| PastCall {
        sent_at: start - Span::from_days(days),
        ended_at: Some(start - Span::from_days(days)),
        outcome: Some(Outcome::NoAnswer),
        refused: false,
    };
    let earlier: Vec<PastCall> = (1..6).map(call).collect();
    let caps = nanoseconds(QUESTIONS, |question| limits.allows(&earlier, moment(question), &zones));
    println!("three caps over five earlier calls: {caps:.0}");
}
