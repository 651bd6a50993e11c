//! What happens in a run: one operation a line, so that a run can be written down and read again.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident $word:literal $from:literal..=$to:literal weighs $weight:literal,)+) => {
        /// Something that happens. Its number: seconds, people, or hundredths.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])* $name(u32),)+
        }

        impl fmt::Display for Operation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(n) => write!(f, concat!($word, " {}"), n),)+
                }
            }
        }

        impl FromStr for Operation {
            type Err = String;

            fn from_str(line: &str) -> Result<Self, String> {
                let (word, n) = line.split_once(' ').ok_or_else(|| format!("`{line}` has no number"))?;
                let n = n.parse().map_err(|_| format!("`{line}` has no number"))?;
                match word {
                    $($word => Ok(Self::$name(n)),)+
                    _ => Err(format!("`{word}` is no operation")),
                }
            }
        }

        const KINDS: &[(fn(u32) -> Operation, std::ops::RangeInclusive<u32>, u32)] =
            &[$((Operation::$name, $from..=$to, $weight)),+];
    };
}

operations! {
    /// Time passes, in tenths of a second.
    Wait "wait" 1..=300 weighs 30,
    /// New people come; how many.
    Import "import" 1..=20 weighs 8,
    /// Of a hundred requests so many are lost on the way.
    LoseRequests "lose_requests" 0..=60 weighs 4,
    /// Of a hundred calls so many are placed, and their answers are lost.
    LoseAnswers "lose_answers" 0..=60 weighs 6,
    /// Of a hundred requests so many are answered with an error, before or after the call is placed.
    Errors "errors" 0..=40 weighs 4,
    /// Calls stand in the vendor's list so many tenths of a second late.
    ListLate "list_late" 0..=100 weighs 3,
    /// The vendor refuses the account.
    Unauthorized "unauthorized" 0..=0 weighs 2,
    /// All is well at the vendor, and the lane is opened again.
    Mended "mended" 0..=0 weighs 5,
    /// Nobody reaches the vendor.
    LineDown "line_down" 0..=0 weighs 2,
    /// The process dies, and another one begins after so many tenths of a second.
    Crash "crash" 0..=50 weighs 8,
    /// The process stands still for so many seconds, and another one begins meanwhile.
    StandStill "stand_still" 1..=30 weighs 3,
    /// A vendor that reports its calls does so once, thrice, too early, or never.
    Reports "reports" 0..=3 weighs 4,
    /// The machine's clock is set ahead by so many seconds.
    ClockAhead "clock_ahead" 1..=50 weighs 2,
    /// The machine's clock is set back by so many seconds.
    ClockBack "clock_back" 1..=50 weighs 2,
    /// Somebody pauses the campaign.
    Pause "pause" 0..=0 weighs 3,
    /// Somebody goes on with it.
    Resume "resume" 0..=0 weighs 5,
    /// Everything is stopped.
    Stop "stop" 0..=0 weighs 2,
    /// Everything is started again.
    Start "start" 0..=0 weighs 4,
    /// A person is put on the do-not-call list.
    Forbid "forbid" 0..=60 weighs 5,
    /// From now on nobody is called more often than so.
    MaxAttempts "max_attempts" 1..=3 weighs 3,
    /// The window closes, or opens again.
    Closed "closed" 0..=1 weighs 3,
}

/// So many operations, by the seed.
pub fn random(seed: u64, count: usize) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed);
    let total: u32 = KINDS.iter().map(|(_, _, weight)| weight).sum();
    let one = |rng: &mut Rng| {
        let mut place = rng.u32(0..total);
        let kind = KINDS.iter().find(|(_, _, weight)| {
            let is_here = place < *weight;
            place = place.saturating_sub(*weight);
            is_here
        });
        let (make, range, _) = kind.expect("the weights add up to the total");
        make(rng.u32(range.clone()))
    };
    std::iter::once(Operation::Import(20)).chain((1..count).map(|_| one(&mut rng))).collect()
}

/// A run, written down. Lines that begin with `#` say what it shows.
///
/// # Errors
///
/// The first line that is none.
pub fn parse(text: &str) -> Result<Vec<Operation>, String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse).collect()
}

/// Writes a run as text.
pub fn written(operations: &[Operation]) -> String {
    operations.iter().map(|operation| format!("{operation}\n")).collect()
}
