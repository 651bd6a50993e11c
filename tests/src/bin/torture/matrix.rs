//! Every cell: a story, on a database, with what happens to it, and the point at which it dies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::behaviours::{self, Happens};
use crate::stage::{Crash, On};
use crate::stories::{End, Story, play};

/// Cells that are played at once: nearly all of their time is waiting.
const AT_ONCE: usize = 32;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) story: Story,
    pub(crate) on: On,
    pub(crate) happens: (&'static str, Happens),
    /// None: nothing dies, and what is reached is logged.
    pub(crate) point: Option<String>,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { story, on, happens, point } = self;
        write!(f, "{} {} {} {}", on.name(), story.name(), happens.0, point.as_deref().unwrap_or("alive"))
    }
}

/// What came of many cells.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By story and database: cells, kills, calls, calls on the tape, contacts in review.
    pub(crate) rows: BTreeMap<(Story, On), Row>,
    /// Points at which a process died.
    pub(crate) died_at: BTreeSet<String>,
    /// Cells that broke a promise, and how.
    pub(crate) broken: Vec<(String, String)>,
}

/// One line of the table.
#[derive(Debug, Default, Clone)]
pub(crate) struct Row {
    pub(crate) cells: u64,
    pub(crate) kills: u64,
    pub(crate) calls: u64,
    pub(crate) taped: u64,
    pub(crate) review: u64,
    pub(crate) broken: u64,
}

/// The stories as they go when nothing dies, under everything that may happen.
pub(crate) fn alive() -> Vec<Cell> {
    let mut cells = Vec::new();
    for on in On::BOTH {
        for happens in behaviours::all() {
            cells.push(Cell { story: Story::Dial, on, happens, point: None });
        }
        for story in Story::ALL.iter().copied().filter(|story| *story != Story::Dial) {
            cells.push(Cell { story, on, happens: behaviours::all()[0], point: None });
        }
    }
    cells
}

/// Plays cells, in this order, until they are done or the time is over. Tells of each that is
/// broken as it comes.
pub(crate) async fn play_all(cells: Vec<Cell>, until: Instant, tally: &mut Tally) -> Vec<(Cell, End)> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let (mut playing, mut ends) = (JoinSet::new(), Vec::new());
    let (total, began) = (cells.len(), Instant::now());
    let mut done = 0;
    let mut cells = cells.into_iter();
    loop {
        let mut permit = room.clone().try_acquire_owned().ok();
        if let Some(permit) = permit.take().filter(|_| Instant::now() < until)
            && let Some(cell) = cells.next()
        {
            playing.spawn(async move {
                let crash = cell.point.clone().map_or(Crash::Log, Crash::At);
                let playing = tokio::spawn(play(cell.story, cell.on, cell.happens.1, crash));
                let end = playing.await.unwrap_or_else(|panic| Err(format!("{panic}")));
                drop(permit);
                (cell, end)
            });
            continue;
        }
        let Some(ended) = playing.join_next().await else { return ends };
        let (cell, end) = ended.expect("a cell catches its panics");
        done += 1;
        if done % 100 == 0 {
            println!("{done} of {total} cells after {:?}", rounded(began.elapsed()));
        }
        if let Some(end) = tally.add(&cell, end) {
            ends.push((cell, end));
        }
    }
}

fn rounded(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

impl Tally {
    fn add(&mut self, cell: &Cell, end: Result<End, String>) -> Option<End> {
        let row = self.rows.entry((cell.story, cell.on)).or_default();
        row.cells += 1;
        match end {
            Err(why) => {
                row.broken += 1;
                println!("BROKEN {cell}: {why}");
                self.broken.push((cell.to_string(), why));
                None
            }
            Ok(end) => {
                let number = |name: &str| end.verified[name].as_u64().unwrap_or_default();
                row.kills += u64::from(end.crashed);
                row.calls += number("calls");
                row.taped += number("taped");
                row.review += number("review");
                if end.crashed {
                    self.died_at.extend(cell.point.clone());
                }
                Some(end)
            }
        }
    }
}
