//! What happens in a run: one operation a line, so that a run can be written down and read again.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident $word:literal $from:literal..=$to:literal $kind:ident weighs $weight:literal,)+) => {
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

        impl Operation {
            fn kind(self) -> Kind {
                match self {
                    $(Self::$name(_) => Kind::$kind,)+
                }
            }
        }

        const ALL: &[(fn(u32) -> Operation, std::ops::RangeInclusive<u32>, Kind, u32)] =
            &[$((Operation::$name, $from..=$to, Kind::$kind, $weight)),+];
    };
}

/// What an operation may do to what is known of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing: how every call ended is learned all the same.
    Calm,
    /// A call may be left of which nobody can say what became of it.
    Rough,
}

operations! {
    /// Time passes, in tenths of a second.
    Wait "wait" 1..=300 Calm weighs 30,
    /// New people come; how many.
    Import "import" 1..=20 Calm weighs 8,
    /// Requests are lost on the way: so many of a hundred.
    LoseRequests "lose_requests" 0..=60 Rough weighs 3,
    /// Calls are placed and their answers are lost: so many of a hundred.
    LoseAnswers "lose_answers" 0..=60 Rough weighs 4,
    /// Answers do not name the call that was placed: so many of a hundred.
    NoId "no_id" 0..=40 Rough weighs 3,
    /// Answers are errors, and nothing is placed: so many of a hundred.
    ErrorsBefore "errors_before" 0..=40 Rough weighs 3,
    /// Answers are errors, and the call is placed: so many of a hundred.
    ErrorsAfter "errors_after" 0..=40 Rough weighs 3,
    /// Requests are told to come later: so many of a hundred.
    Throttled "throttled" 0..=60 Calm weighs 3,
    /// Calls stand in the vendor's list so many tenths of a second late.
    ListLate "list_late" 0..=100 Rough weighs 3,
    /// The vendor refuses the account.
    Unauthorized "unauthorized" 0..=0 Rough weighs 2,
    /// The account is empty.
    NoBalance "no_balance" 0..=0 Rough weighs 1,
    /// All is well at the vendor.
    Well "well" 0..=0 Calm weighs 3,
    /// All is well at the vendor, and the lane is opened again.
    Mended "mended" 0..=0 Calm weighs 6,
    /// Nobody reaches the vendor.
    LineDown "line_down" 0..=0 Calm weighs 2,
    /// The process that calls dies, and another one begins after so many tenths of a second.
    Crash "crash" 0..=50 Rough weighs 4,
    /// The process that calls dies when so many of its statements are done and not answered, and
    /// another one begins.
    CrashIn "crash_in" 1..=60 Rough weighs 6,
    /// The process that calls leaves in good order, and another one begins.
    Leave "leave" 0..=0 Calm weighs 4,
    /// The process that calls stands still for so many seconds, and another one begins meanwhile.
    StandStill "stand_still" 1..=30 Rough weighs 3,
    /// The database does not answer the process that calls for so many seconds, and another one
    /// begins meanwhile.
    CutOff "cut_off" 1..=30 Rough weighs 3,
    /// A vendor that reports its calls does so once, thrice, too early, or never.
    Reports "reports" 0..=3 Rough weighs 4,
    /// The machine's clock is set ahead by so many seconds.
    ClockAhead "clock_ahead" 1..=50 Rough weighs 2,
    /// The machine's clock is set back by so many seconds.
    ClockBack "clock_back" 1..=50 Rough weighs 2,
    /// Somebody pauses the campaign.
    Pause "pause" 0..=0 Calm weighs 2,
    /// Somebody goes on with it.
    Resume "resume" 0..=0 Calm weighs 6,
    /// Somebody pauses the lane.
    PauseLane "pause_lane" 0..=0 Calm weighs 1,
    /// Everything is stopped.
    Stop "stop" 0..=0 Calm weighs 1,
    /// Everything is started again.
    Start "start" 0..=0 Calm weighs 5,
    /// A person is put on the do-not-call list.
    Forbid "forbid" 0..=60 Calm weighs 5,
    /// From now on nobody is called more often than so.
    MaxAttempts "max_attempts" 1..=3 Calm weighs 3,
    /// The window closes with a one, and opens with all else.
    Closed "closed" 0..=3 Calm weighs 4,
    /// Somebody looks into the vendor's own list and says what became of the calls in review.
    Settle "settle" 0..=0 Calm weighs 3,
}

/// So many operations, by the seed. Of each fifth seed all are calm ones.
pub fn random(seed: u64, count: usize) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed);
    let is_calm = seed.is_multiple_of(5);
    let kinds: Vec<_> = ALL.iter().filter(|(_, _, kind, _)| !is_calm || *kind == Kind::Calm).collect();
    let total: u32 = kinds.iter().map(|(_, _, _, weight)| weight).sum();
    let one = |rng: &mut Rng| {
        let mut place = rng.u32(0..total);
        let kind = kinds.iter().find(|(_, _, _, weight)| {
            let is_here = place < *weight;
            place = place.saturating_sub(*weight);
            is_here
        });
        let (make, range, _, _) = kind.expect("the weights add up to the total");
        make(rng.u32(range.clone()))
    };
    std::iter::once(Operation::Import(20)).chain((1..count).map(|_| one(&mut rng))).collect()
}

/// Whether how every call ended must have been learned.
pub(crate) fn are_calm(operations: &[Operation]) -> bool {
    operations.iter().all(|operation| operation.kind() == Kind::Calm)
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
