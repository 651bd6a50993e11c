//! How a campaign's calls went, as pictures with their numbers beside them.

use ringfence_domain::{Moment, Span, Zone};
use ringfence_operations::Error;
use ringfence_operations::charts::{self, CallerFigures, Charts};
use ringfence_operations::windows::{self, Window};

use super::visitor::Visitor;

/// Hours before now that the picture of hours begins at.
const BEFORE: i64 = 36;
/// Hours after now that it ends at.
const AFTER: i64 = 12;
/// The width of an hour, and the height of the picture, in its own units.
const WIDTH: i64 = 20;
const HEIGHT: i64 = 100;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Shades of an answer rate: none to the highest.
const SHADES: i64 = 5;

/// The pictures of a campaign.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    pub(crate) bars: Vec<Bar>,
    /// Moments below the bars, from the first to the last, at even distances.
    pub(crate) axis: Vec<String>,
    /// When the window is open: where that begins, and how wide it is.
    pub(crate) open: Vec<(i64, i64)>,
    pub(crate) now: i64,
    pub(crate) width: i64,
    pub(crate) most: i64,
    pub(crate) week: Vec<Day>,
    pub(crate) tries: Vec<TryLine>,
    pub(crate) callers: Vec<CallerLine>,
}

/// One caller id.
#[derive(Debug)]
pub(crate) struct CallerLine {
    pub(crate) id: String,
    pub(crate) calls: i64,
    pub(crate) answered: i64,
    pub(crate) share: String,
}

/// One hour.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) x: i64,
    pub(crate) height: i64,
    pub(crate) y: i64,
    pub(crate) answered: i64,
    pub(crate) answered_y: i64,
    pub(crate) at: String,
    pub(crate) calls: i64,
    pub(crate) answers: i64,
}

/// One weekday.
#[derive(Debug)]
pub(crate) struct Day {
    pub(crate) name: &'static str,
    pub(crate) hours: Vec<Cell>,
}

/// One hour of a weekday.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) shade: i64,
    pub(crate) says: String,
}

/// The first calls, the second ones and so on.
#[derive(Debug)]
pub(crate) struct TryLine {
    pub(crate) name: String,
    pub(crate) calls: i64,
    pub(crate) reached: i64,
    pub(crate) most: i64,
    pub(crate) share: String,
}

/// Draws them.
pub(crate) async fn draw(visitor: &Visitor, campaign: &str, zone: Zone) -> Result<Pictures, Error> {
    let workspace = &visitor.workspace;
    let now = workspace.now();
    let Charts { hours, week, tries, callers } = charts::charts(workspace, campaign, zone).await?;
    if hours.is_empty() {
        return Ok(Pictures::default());
    }
    let hour = Span::from_hours(1).millis();
    let begin = Moment::from_millis((now.millis() / hour - BEFORE) * hour);
    let length = Span::from_hours(BEFORE + AFTER);
    let place = |at: Moment| at.since(begin).millis() * WIDTH / hour;
    let windows = windows::ahead(workspace, Some(campaign), (begin, length), 1).await?;
    let most = hours.iter().map(|hour| hour.calls).max().unwrap_or_default().max(1);
    let shown = hours.iter().filter(|hour| hour.at >= begin);
    let bar = |one: &ringfence_store::RunHour| {
        let (height, answered) = (one.calls * HEIGHT / most, one.answered * HEIGHT / most);
        Bar {
            x: place(one.at),
            height,
            y: HEIGHT - height,
            answered,
            answered_y: HEIGHT - answered,
            at: one.at.shown_near(now, zone),
            calls: one.calls,
            answers: one.answered,
        }
    };
    let open = |window: &Window| -> Vec<(i64, i64)> {
        window.open.iter().map(|(from, until)| (place(*from), place(*until) - place(*from))).collect()
    };
    Ok(Pictures {
        bars: shown.map(bar).collect(),
        axis: (0..=3).map(|third| (begin + length.scaled(third, 3)).shown_near(now, zone)).collect(),
        open: windows.first().map(open).unwrap_or_default(),
        now: place(now),
        width: (BEFORE + AFTER) * WIDTH,
        most,
        week: week
            .iter()
            .zip(WEEKDAYS)
            .map(|(day, name)| Day { name, hours: day.iter().map(cell).collect() })
            .collect(),
        tries: try_lines(&tries),
        callers: callers.iter().map(|one| caller_line(visitor, one)).collect(),
    })
}

fn cell((calls, answered): &(i64, i64)) -> Cell {
    if *calls == 0 {
        return Cell { shade: 0, says: String::new() };
    }
    let share = answered * 100 / calls;
    Cell { shade: 1 + share * (SHADES - 1) / 100, says: format!("{share}%") }
}

fn caller_line(visitor: &Visitor, one: &CallerFigures) -> CallerLine {
    CallerLine {
        id: visitor.seen(&one.id),
        calls: one.calls,
        answered: one.answered,
        share: share(one.answered, one.calls),
    }
}

fn try_lines(tries: &[(i64, i64)]) -> Vec<TryLine> {
    let most = tries.iter().map(|(calls, _)| *calls).max().unwrap_or_default();
    let line = |(place, (calls, reached)): (usize, &(i64, i64))| TryLine {
        name: match place {
            0 => "first calls".to_owned(),
            1 => "second calls".to_owned(),
            2 => "third calls".to_owned(),
            8 => "ninth and later calls".to_owned(),
            place => format!("{}th calls", place + 1),
        },
        calls: *calls,
        reached: *reached,
        most,
        share: share(*reached, *calls),
    };
    tries.iter().enumerate().map(line).collect()
}

/// The share in percent; empty when there is nothing to have a share of.
fn share(part: i64, all: i64) -> String {
    if all == 0 { String::new() } else { format!("{}%", part * 100 / all) }
}
