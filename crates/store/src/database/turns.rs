//! Whose turn it is to write to a SQLite file, which takes one writer at a time.
//!
//! Within a process writers are let through by urgency: stop switches, then what dialling needs,
//! then bulk work. Between processes there is only SQLite's own lock, which is no queue: who writes
//! again and again would keep it for good. So a process that waits for it shows a sign, a shared
//! lock on a file beside the database, and who has just written leaves the lock to them.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;

/// How urgent a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// It forbids calls: it comes before everything else.
    Stop,
    /// What dialling and people wait for.
    Normal,
    /// Many rows, some at a time, for which nobody waits.
    Bulk,
}

impl Urgency {
    /// How long the database is waited for.
    pub(crate) fn waits(self) -> Duration {
        match self {
            Self::Stop | Self::Bulk => Duration::from_mins(1),
            Self::Normal => Duration::from_secs(30),
        }
    }

    /// The longest pause between two tries to get SQLite's lock.
    pub(crate) fn longest_pause(self) -> Duration {
        match self {
            Self::Stop => Duration::from_millis(5),
            Self::Normal => Duration::from_millis(20),
            Self::Bulk => Duration::from_millis(100),
        }
    }

    /// How long the lock is left to others who wait for it.
    pub(crate) fn courtesy(self) -> Duration {
        match self {
            Self::Stop => Duration::ZERO,
            Self::Normal => Duration::from_millis(100),
            Self::Bulk => Duration::from_secs(2),
        }
    }
}

/// The queue before the one writing connection of this process.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    busy: bool,
    waiting: BTreeMap<(Urgency, u64), oneshot::Sender<Turn>>,
    next: u64,
}

/// The right to write. Dropped, the next in line has it.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Arc<Gate>,
}

impl Gate {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().expect("the gate's lock is never held over a panic")
    }

    /// Waits until it is our turn.
    pub(crate) async fn pass(self: &Arc<Self>, urgency: Urgency) -> Turn {
        let turn = {
            let mut line = self.line();
            if line.busy {
                let (sender, turn) = oneshot::channel();
                let place = line.next;
                line.next += 1;
                line.waiting.insert((urgency, place), sender);
                turn
            } else {
                line.busy = true;
                return Turn { gate: self.clone() };
            }
        };
        // The sender stands in the line until it is used.
        turn.await.expect("nobody is taken out of the line without a turn")
    }

    fn next(&self) -> Option<oneshot::Sender<Turn>> {
        let mut line = self.line();
        let next = line.waiting.pop_first().map(|(_, sender)| sender);
        line.busy = next.is_some();
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A writer that does not wait any more hands the turn on by dropping it.
        if let Some(next) = self.gate.next() {
            drop(next.send(Turn { gate: self.gate.clone() }));
        }
    }
}

/// Shows other processes that somebody here waits for SQLite's lock, and sees whether somebody
/// there does.
#[derive(Debug)]
pub(crate) struct WaitingSign {
    path: PathBuf,
    asked: OnceLock<Option<File>>,
}

impl WaitingSign {
    /// The sign of the database whose lock files stand in this folder.
    pub(crate) fn new(folder: &std::path::Path) -> Self {
        Self { path: folder.join("waiting"), asked: OnceLock::new() }
    }

    /// Whether another process shows it. False when that cannot be told.
    pub(crate) fn is_shown(&self) -> bool {
        let Some(file) = self.asked.get_or_init(|| self.open()) else { return false };
        match file.try_lock() {
            Ok(()) => {
                drop(file.unlock());
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
        }
    }

    /// Shows it until what is returned is dropped; none when it cannot be shown right now.
    pub(crate) fn show(&self) -> Option<File> {
        self.open().filter(|file| file.try_lock_shared().is_ok())
    }

    fn open(&self) -> Option<File> {
        std::fs::create_dir_all(self.path.parent()?).ok()?;
        File::options().create(true).truncate(false).write(true).open(&self.path).ok()
    }
}

/// The process that holds SQLite's lock for writing: its number and its command, where the machine
/// says it.
pub(crate) fn holder(database: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let mut index = database.as_os_str().to_owned();
    index.push("-shm");
    let inode = std::fs::metadata(index).ok()?.ino().to_string();
    // The lock for writing in WAL mode is byte 120 of the index. Source:
    // https://www.sqlite.org/walformat.html
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let line = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|fields| {
        fields.get(3) == Some(&"WRITE")
            && fields.get(5).and_then(|place| place.rsplit(':').next()) == Some(inode.as_str())
            && fields.get(6).is_some_and(|from| from.parse::<u64>().is_ok_and(|from| from <= 120))
            && fields.get(7).is_some_and(|to| *to == "EOF" || to.parse::<u64>().is_ok_and(|to| to >= 120))
    })?;
    let process = line.get(4)?;
    let command = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let command = command.trim_end_matches('\0').replace('\0', " ");
    let shown: String = command.chars().take(80).collect();
    Some(if shown.is_empty() { format!("process {process}") } else { format!("process {process} ({shown})") })
}

/// A short wait in real time: paused timers of tests stand still while a statement is under way.
pub(crate) async fn breathe(pause: Duration) {
    drop(tokio::task::spawn_blocking(move || std::thread::sleep(pause)).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stop_switches_come_first_and_a_writer_that_left_the_line_holds_up_nobody() {
        let gate = Arc::new(Gate::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = gate.pass(Urgency::Bulk).await;
        let mut waiting = Vec::new();
        for (name, urgency) in [
            ("bulk", Urgency::Bulk),
            ("write", Urgency::Normal),
            ("left", Urgency::Stop),
            ("stop switch", Urgency::Stop),
        ] {
            let (gate, order) = (gate.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                let turn = gate.pass(urgency).await;
                order.lock().expect("free").push(name);
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        waiting.remove(2).abort();
        tokio::task::yield_now().await;
        drop(first);
        for one in waiting {
            one.await.expect("its turn came");
        }
        assert_eq!(*order.lock().expect("free"), ["stop switch", "write", "bulk"]);
        drop(gate.pass(Urgency::Bulk).await);
    }

    #[test]
    fn another_process_sees_the_sign_while_it_is_shown() {
        let folder = std::env::temp_dir().join(format!("sign-{}", uuid::Uuid::new_v4().simple()));
        let (here, there) = (WaitingSign::new(&folder), WaitingSign::new(&folder));
        assert!(!there.is_shown());
        let shown = here.show();
        assert!(shown.is_some() && there.is_shown());
        assert!(here.show().is_some(), "several may wait");
        drop(shown);
        assert!(!there.is_shown());
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
