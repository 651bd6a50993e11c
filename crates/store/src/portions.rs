//! How many rows a bulk transition takes at once, so that no transaction holds SQLite's writer for long.
//!
//! The right number depends on the machine, the rows and the size of the tables; it follows from how long the last
//! portions took.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// A portion is to hold the writer for so long; half of what it may, as the next one may be slower.
const WANTED: Duration = Duration::from_millis(20);
/// To begin with, and at least.
const FIRST: usize = 200;
const LEAST: usize = 10;
/// At most.
const MOST: usize = 10_000;

/// The sizes of portions, by what is done with them.
#[derive(Debug, Default)]
pub(crate) struct Portions {
    rows: Mutex<HashMap<&'static str, usize>>,
}

impl Portions {
    /// How many rows to take next.
    pub(crate) fn next(&self, work: &'static str) -> usize {
        *self.rows.lock().expect("never held over a panic").entry(work).or_insert(FIRST)
    }

    /// `did` of at most `rows` rows took this long. A portion that was not full says nothing about larger ones.
    pub(crate) fn took(&self, work: &'static str, rows: usize, did: usize, held: Duration) {
        let most = if did * 2 < rows { 1.0 } else { 1.5 };
        let scale = (WANTED.as_secs_f64() / held.as_secs_f64().max(0.000_1)).clamp(0.2, most);
        let next = (rows as f64 * scale) as usize;
        self.rows.lock().expect("never held over a panic").insert(work, next.clamp(LEAST, MOST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_grow_on_a_fast_machine_and_shrink_at_once_on_a_slow_one() {
        let portions = Portions::default();
        for _ in 0..30 {
            let rows = portions.next("import");
            portions.took("import", rows, rows, Duration::from_micros(rows as u64 * 10));
        }
        let fast = portions.next("import");
        assert!((1_900..=2_100).contains(&fast), "{fast} rows of 10 µs are 20 ms");
        portions.took("import", fast, fast, Duration::from_millis(200));
        assert!(portions.next("import") <= fast / 4);
        assert_eq!(portions.next("other"), FIRST);
        for _ in 0..10 {
            let rows = portions.next("other");
            portions.took("other", rows, rows, Duration::from_secs(9));
        }
        assert_eq!(portions.next("other"), LEAST);
        portions.took("other", LEAST, 1, Duration::from_micros(1));
        assert_eq!(portions.next("other"), LEAST, "one row is no sign that ten are quick");
    }
}
