//! How many rows a bulk transition takes at once, so that no transaction holds SQLite's writer for
//! long.
//!
//! The right number depends on the machine, the rows and the size of the tables; it follows from
//! how long the last portions took.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// A portion is to hold the writer for so long: well below what it may, as the next one may be
/// slower.
const WANTED: Duration = Duration::from_millis(15);

/// To begin with, and at least.
const FIRST: usize = 50;

const LEAST: usize = 10;

/// At most.
const MOST: usize = 10_000;

/// What the last portion weighs against all before it: now and then one takes longer for a reason
/// of its own, as when SQLite moves its log into the file.
const WEIGHT: f64 = 0.25;

/// What is known of a kind of work.
#[derive(Debug, Clone, Copy)]
struct Known {
    rows: usize,
    /// Seconds for each row, as an average that forgets.
    cost: Option<f64>,
}

/// The sizes of portions, by what is done with them.
#[derive(Debug, Default)]
pub(crate) struct Portions {
    known: Mutex<HashMap<&'static str, Known>>,
}

impl Portions {
    /// How many rows to take next.
    pub(crate) fn next(&self, work: &'static str) -> usize {
        self.known.lock().expect("never held over a panic").get(work).map_or(FIRST, |known| known.rows)
    }

    /// `did` of at most `rows` rows took this long. A portion that was not full says nothing about
    /// larger ones.
    pub(crate) fn took(&self, work: &'static str, rows: usize, did: usize, held: Duration) {
        let mut known = self.known.lock().expect("never held over a panic");
        let known = known.entry(work).or_insert(Known { rows: FIRST, cost: None });
        let full = did * 2 >= rows;
        if !full && held <= WANTED {
            return;
        }
        let now = held.as_secs_f64() / did.max(1) as f64;
        let cost = known.cost.map_or(now, |before| before * (1.0 - WEIGHT) + now * WEIGHT).max(1e-9);
        known.cost = Some(cost);
        let fitting = (WANTED.as_secs_f64() / cost) as usize;
        let most = if full { rows * 2 } else { rows };
        known.rows = fitting.min(most).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_grow_on_a_fast_machine_and_shrink_on_a_slow_one() {
        let portions = Portions::default();
        let work = |micros_a_row: u64| {
            let rows = portions.next("import");
            portions.took("import", rows, rows, Duration::from_micros(rows as u64 * micros_a_row));
        };
        (0..30).for_each(|_| work(10));
        let fast = portions.next("import");
        assert!((1_400..=1_600).contains(&fast), "{fast} rows of 10 µs are 15 ms");
        work(40);
        assert!((700..fast).contains(&portions.next("import")), "one slow portion: {}", portions.next("import"));
        (0..30).for_each(|_| work(100));
        assert!((140..=160).contains(&portions.next("import")), "{}", portions.next("import"));
        (0..30).for_each(|_| work(1_000_000));
        assert_eq!(portions.next("import"), LEAST);
        assert_eq!(portions.next("other"), FIRST);
        portions.took("other", FIRST, 1, Duration::from_micros(1));
        assert_eq!(portions.next("other"), FIRST, "one row is no sign that many are quick");
    }
}
