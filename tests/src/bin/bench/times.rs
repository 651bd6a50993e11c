//! How long something takes that is done many times.

use std::fmt;
use std::time::Duration;

/// The middle one of many times, the one that 99 of 100 are below, and the longest.
pub(crate) struct Spread {
    middle: Duration,
    most: Duration,
    longest: Duration,
}

impl Spread {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |hundredths: usize| times[(times.len() * hundredths / 100).min(times.len() - 1)];
        Self { middle: at(50), most: at(99), longest: at(100) }
    }

    /// Returns how many times as long as the other this takes, in the middle.
    pub(crate) fn times(&self, other: &Self) -> f64 {
        self.middle.as_secs_f64() / other.middle.as_secs_f64()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let (middle, most, longest) = (millis(self.middle), millis(self.most), millis(self.longest));
        write!(f, "{middle:.1} ms (99 of 100 below {most:.1}, at most {longest:.1})")
    }
}
