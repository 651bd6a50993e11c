//! The windows of those who wait, as bars over one day.

use ringfence_domain::{Moment, Span, Zone};
use ringfence_operations::windows::{self, Window};
use ringfence_operations::{Error, Workspace};

/// How far the bars reach.
const DAY: Span = Span::from_hours(24);
/// Bars on one page.
const MOST: usize = 12;
/// The width of a bar, in its own units: minutes.
const WIDTH: i64 = 24 * 60;

/// One bar.
#[derive(Debug)]
pub(crate) struct WindowLine {
    pub(crate) zones: String,
    pub(crate) campaign: String,
    pub(crate) waiting: i64,
    /// What is open: where it begins and how wide it is.
    pub(crate) open: Vec<(i64, i64)>,
    /// The same in words.
    pub(crate) says: String,
}

/// The bars of all campaigns, or of one, and from when to when they reach.
pub(crate) async fn bars(
    workspace: &Workspace,
    campaign: Option<&str>,
    zone: Zone,
) -> Result<(Vec<WindowLine>, (String, String)), Error> {
    let now = workspace.now();
    let found = windows::ahead(workspace, campaign, (now, DAY), MOST).await?;
    let span = (now.shown_near(now, zone), (now + DAY).shown_near(now, zone));
    Ok((found.into_iter().map(|window| line(window, now, zone)).collect(), span))
}

fn line(window: Window, now: Moment, zone: Zone) -> WindowLine {
    let place = |at: Moment| at.since(now).millis() / 60_000;
    let part = |(from, until): &(Moment, Moment)| (place(*from), (place(*until) - place(*from)).max(1));
    let says = match (window.is_open, window.next_change) {
        (true, Some(at)) => format!("open until {}", at.shown_near(now, zone)),
        (true, None) => "always open".to_owned(),
        (false, Some(at)) => format!("opens {}", at.shown_near(now, zone)),
        (false, None) => "never opens".to_owned(),
    };
    WindowLine {
        open: window.open.iter().map(part).map(|(x, width)| (x, width.min(WIDTH - x))).collect(),
        zones: window.zones,
        campaign: window.campaign,
        waiting: window.waiting,
        says,
    }
}
