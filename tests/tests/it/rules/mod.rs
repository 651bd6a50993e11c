//! When windows are open, against readings that are not ours: their dates are counted by `chrono`,
//! which nothing else here uses.

mod agrees_with_another_library;
mod agrees_with_plain_reading;
mod limits_hold_in_every_history;
mod zones_by_number_agree_with_other_sources;

/// Numbers that look random and are the same every time.
#[derive(Clone)]
struct Dice(fastrand::Rng);

impl Dice {
    fn of(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0.u64(..sides)
    }

    /// One of these.
    fn pick<'p, T>(&mut self, of: &'p [T]) -> &'p T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

const WEEKDAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// `09:00-12:30,14:00-21:00`: up to three intervals of one day, in quarters of an hour or in
/// minutes.
fn intervals(dice: &mut Dice) -> String {
    let step = *dice.pick(&[1, 15, 15, 30]);
    let count = 1 + dice.roll(3) as usize;
    let mut ends: Vec<u64> = (0..2 * count).map(|_| dice.roll(1440 / step + 1) * step).collect();
    ends.sort_unstable();
    ends.dedup();
    let written = |minute: u64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let pairs = ends.chunks_exact(2).map(|pair| format!("{}-{}", written(pair[0]), written(pair[1])));
    let text = pairs.collect::<Vec<_>>().join(",");
    if text.is_empty() { "09:00-21:00".to_owned() } else { text }
}

/// The same day for the code that is tested; none outside its years.
fn ours(day: chrono::NaiveDate) -> Option<jiff::civil::Date> {
    ringfence_domain::date::parse(&day.to_string())
}

/// Seconds since 1970 of the first second of this year.
fn new_year(year: i32) -> i64 {
    chrono::NaiveDate::from_ymd_opt(year, 1, 1).expect("a date").and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}
