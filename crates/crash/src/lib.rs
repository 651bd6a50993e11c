//! Crash points: named moments at which a test ends the process as `kill -9` does.
//!
//! A build without debug assertions, such as a release, has none of them: [`point`] is empty there.
//!
//! A point is named `part.moment`: `claim.changed` is the moment at which the transaction of the
//! claim has changed its rows and has not committed. The store has [`IN_TRANSACTIONS`] in each of its
//! transactions by itself; the others stand in [`POINTS`]. `cargo xtask torture` ends a process at
//! every one of them, and fails when it reaches one of them never.

/// The variable that names the point at which this process ends: `claim.changed`, or
/// `claim.changed#3` for the third time that it is reached.
pub const AT: &str = "RINGFENCE_CRASH_AT";

/// The variable that names a file, to which each point is appended when it is reached for the first
/// time.
pub const LOG: &str = "RINGFENCE_CRASH_LOG";

/// The moments of every transaction: all its statements are done, it has committed, and its witness
/// is written.
pub const IN_TRANSACTIONS: &[&str] = &["changed", "committed", "witnessed"];

/// Every point outside of transactions.
pub const POINTS: &[(&str, &str)] = &[
    // A call is claimed, and its request has not begun.
    ("send", "claimed"),
    // The vendor has answered, and nobody knows it yet.
    ("send", "answered"),
    // The answer is among the receipts of the process, and the recorder does not have it.
    ("send", "kept"),
    // The vendor has said what became of calls.
    ("ask", "answered"),
    // The vendor has said which of its calls may be a lost one.
    ("find", "answered"),
    // Receivers of events have answered to messages.
    ("deliver", "answered"),
    // An uploaded file is on the disk, and no import of it has begun.
    ("upload", "kept"),
    // An uploaded file is taken in, and still on the disk.
    ("upload", "taken_in"),
    // A copy of the database is complete, and does not have its name yet.
    ("backup", "copied"),
    // The tables are there, and nobody has looked whether the installation has a name.
    ("open", "migrated"),
];

/// Ends the process here if a test wants it to.
#[inline]
pub fn point(part: &str, moment: &str) {
    #[cfg(debug_assertions)]
    armed::reach(part, moment);
    #[cfg(not(debug_assertions))]
    let _ = (part, moment);
}

#[cfg(debug_assertions)]
mod armed {
    use std::collections::HashMap;
    use std::fs::File;
    use std::io::Write;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use rustix::process::{Signal, getpid, kill_process};

    struct Wanted {
        end_at: Option<(String, u32)>,
        log: Option<File>,
        reached: HashMap<String, u32>,
    }

    static WANTED: OnceLock<Option<Mutex<Wanted>>> = OnceLock::new();

    pub(super) fn reach(part: &str, moment: &str) {
        let Some(wanted) = WANTED.get_or_init(wanted) else { return };
        let name = format!("{part}.{moment}");
        let mut wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let times = wanted.reached.entry(name.clone()).or_default();
        *times += 1;
        let times = *times;
        if times == 1
            && let Some(log) = &mut wanted.log
        {
            // A test that reads the file sees what is missing in it.
            writeln!(log, "{name}").ok();
        }
        if wanted.end_at.as_ref().is_some_and(|(at, nth)| *at == name && *nth == times) {
            // Nothing runs after it: no destructor, no flush.
            kill_process(getpid(), Signal::KILL).ok();
            std::process::abort();
        }
    }

    fn wanted() -> Option<Mutex<Wanted>> {
        let end_at = std::env::var(super::AT).ok().map(|text| match text.split_once('#') {
            Some((name, nth)) => (name.to_owned(), nth.parse().expect("a number after `#`")),
            None => (text, 1),
        });
        let log = std::env::var_os(super::LOG)
            .map(|path| File::options().append(true).create(true).open(path).expect("the log of crash points opens"));
        (end_at.is_some() || log.is_some()).then(|| Mutex::new(Wanted { end_at, log, reached: HashMap::new() }))
    }
}
