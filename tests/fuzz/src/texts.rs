//! Short texts that people, vendors and agents write.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use ringfence_domain::callback as callbacks;
use ringfence_domain::cap::Cap;
use ringfence_domain::phone::{Country, PhoneNumber, PlannedNumber, mask_numbers, written_digits};
use ringfence_domain::place::Place;
use ringfence_domain::safety::OutcomeWindow;
use ringfence_domain::schedule::Cron;
use ringfence_domain::template::Template;
use ringfence_domain::window::{Calendar, Closures, Hours, Timetable};
use ringfence_domain::{Moment, Percent, Rate, Share, Span, Zone, ZoneSet, date};
use ringfence_samples::noon;

use crate::text;

/// The furthest that hours are looked ahead, in days.
const DAYS: i64 = 800;

fn zones() -> [Zone; 3] {
    ["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"].map(|name| name.parse().expect("a zone"))
}

/// The hours of a window.
pub(crate) fn hours(input: &[u8]) {
    let Some(table) = text(input).and_then(|text| text.parse::<Timetable>().ok()) else { return };
    for zone in zones() {
        let mut calendar = Calendar::new(vec![Hours::new(table.clone(), zone)], Span::from_minutes(1));
        let at = noon();
        if let Some(opening) = calendar.next_opening(at) {
            assert!(opening >= at, "it opens before it is asked");
            assert!(calendar.at(opening).open, "{opening} is an opening, and it is closed");
        }
    }
    again::<Timetable>(&table);
    let until = noon() + Span::from_days(DAYS);
    let intervals = table.intervals(zones()[0], noon(), until, &Closures::default());
    assert!(intervals.windows(2).all(|pair| pair[0].end <= pair[1].start), "{table} overlaps itself");
}

/// A phone number.
pub(crate) fn number(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for country in [None, Country::from_str("IN").ok(), Country::from_str("US").ok(), Country::from_str("MX").ok()] {
        let strict = PhoneNumber::parse(text, country);
        if let Ok(number) = &strict {
            let digits = number.e164().strip_prefix('+').expect("a plus");
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{number:?}");
            assert!((5..=15).contains(&digits.len()), "{number:?}");
            assert_eq!(PhoneNumber::parse(number.e164(), None).as_ref(), Ok(number), "read again");
        }
        if let Ok(planned) = PlannedNumber::parse(text, country) {
            drop(planned);
        }
    }
    drop(written_digits(text));
    drop(mask_numbers(text));
}

/// A cron line.
pub(crate) fn cron(input: &[u8]) {
    let Some(cron) = text(input).and_then(|text| text.parse::<Cron>().ok()) else { return };
    for zone in zones() {
        let mut at = noon();
        for _ in 0..3 {
            let Some(next) = cron.next(at, zone) else { break };
            assert!(next > at, "{next} is not after {at}");
            at = next;
        }
    }
}

/// The words of somebody who wants to be called back.
pub(crate) fn callback(input: &[u8]) {
    let Some(words) = text(input) else { return };
    let now = noon();
    for zone in zones() {
        if let Some(at) = callbacks::parse(words, now, zone) {
            assert!(at > now && at <= now + Span::from_days(60), "{words}: {at}");
        }
    }
    let zones = ZoneSet::one(zones()[0]);
    let callback = callbacks::Callback { from: "time".to_owned(), when: None, otherwise: Span::from_hours(1) };
    let outputs = BTreeMap::from([("time".to_owned(), words.into())]);
    if let Some(asked) = callback.asked(&outputs, now, &zones) {
        assert!(asked.at > now, "{words}: {}", asked.at);
    }
}

/// A text with places for columns.
pub(crate) fn template(input: &[u8]) {
    let Some(template) = text(input).and_then(|text| text.parse::<Template>().ok()) else { return };
    let row: BTreeMap<String, String> =
        template.columns().map(|column| (column.to_owned(), "a value {phone}".to_owned())).collect();
    assert!(template.render(&row).is_ok(), "every column has a value");
    again::<Template>(&template);
}

/// Spans, rates, shares, moments, zones and what else stands in a field.
pub(crate) fn amounts(input: &[u8]) {
    let Some(text) = text(input) else { return };
    both::<Span>(text);
    both::<Percent>(text);
    both::<Rate>(text);
    both::<Cap>(text);
    both::<Share>(text);
    both::<Moment>(text);
    both::<Zone>(text);
    both::<ZoneSet>(text);
    drop(text.parse::<Place>());
    both::<OutcomeWindow>(text);
    let _ = date::parse(text);
}

/// What is read is written so that it is read the same.
fn both<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        again(&value);
    }
}

fn again<T: FromStr + Display + PartialEq>(value: &T) {
    let written = value.to_string();
    let is_same = written.parse::<T>().is_ok_and(|read| read == *value);
    assert!(is_same, "`{written}` is not read as what it was written from");
}
