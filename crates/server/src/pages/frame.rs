//! What every page has around it: where one is, who one is, and STOP.

use askama::Template;
use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::{ContactId, Moment, Scope, Zone};
use ringfence_operations::{Error, events, stop};

use super::visitor::Visitor;
use super::{Page, assets, shown};

/// The pages that stand above all others: address, name, and the key that leads there after `g`.
const PAGES: &[(&str, &str, &str)] = &[
    ("/", "Overview", "o"),
    ("/campaigns", "Campaigns", "c"),
    ("/contacts", "Contacts", "p"),
    ("/lanes", "Lanes", "l"),
    ("/review", "Review", "r"),
    ("/dnc", "Do not call", "d"),
    ("/schedules", "Schedules", "s"),
    ("/changes", "Changes", "h"),
    ("/settings", "Settings", "e"),
];

/// More reviews than this are not counted for the frame.
const REVIEWS: u32 = 100;

#[derive(Template)]
#[template(path = "pages/frame.html")]
struct FramePage {
    frame: Frame,
}

/// Shows what is around every page, for pages that are not asked for again themselves.
pub(crate) async fn around(visitor: Visitor) -> Page {
    Ok(shown(&FramePage { frame: Frame::of(&visitor, "Ringfence", "").await? }))
}

/// What every page has around it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    /// The address of this page, which is asked for again when something has changed.
    pub(crate) address: String,
    /// Whether what the page shows is asked for again, and not only what is around it.
    pub(crate) is_live: bool,
    pub(crate) links: Vec<Link>,
    pub(crate) who: String,
    pub(crate) scope: &'static str,
    /// Whether there are buttons for who may press them; each handler asks again.
    pub(crate) may_operate: bool,
    pub(crate) stop: Option<Stopped>,
    /// How many calls are out.
    pub(crate) out: i64,
    /// Whose clocks the moments of the frame are read on.
    pub(crate) zone: Zone,
    pub(crate) now: String,
    pub(crate) style: String,
    pub(crate) script: String,
}

/// A page above all others.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) is_here: bool,
    /// What waits there for a person; empty when nothing does.
    pub(crate) count: String,
}

/// Why everything is stopped.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) reason: String,
    /// Whether a button lifts it: what stops the database besides a person is no matter of a page.
    pub(crate) by_person: bool,
}

impl Frame {
    /// Makes the frame of a page that belongs to `here`, one of [`PAGES`].
    pub(crate) async fn of(visitor: &Visitor, title: &str, here: &str) -> Result<Self, Error> {
        let workspace = &visitor.workspace;
        let stop = stop::why(workspace)
            .await?
            .map(|(by, reason)| Stopped { reason: visitor.seen(&reason), by_person: by == StoppedBy::Person });
        let reviews = workspace.store.reviews(None, ContactId(0), REVIEWS).await?.len();
        let reviews = match reviews as u32 {
            0 => String::new(),
            REVIEWS => format!("{}+", REVIEWS - 1),
            few => few.to_string(),
        };
        let link = |(path, name, key): &(&'static str, &'static str, &'static str)| Link {
            path,
            name,
            key,
            is_here: *path == here,
            count: if *path == "/review" { reviews.clone() } else { String::new() },
        };
        let zone = events::clock(workspace).await?;
        Ok(Self {
            title: title.to_owned(),
            address: visitor.address.clone(),
            is_live: false,
            links: PAGES.iter().map(link).collect(),
            who: visitor.login.name.clone(),
            scope: visitor.login.scope.as_str(),
            may_operate: visitor.may(Scope::Operator),
            stop,
            out: stop::calls_out(workspace).await?,
            zone,
            now: workspace.now().shown_second(zone),
            style: assets::address(assets::STYLE),
            script: assets::address(assets::SCRIPT),
        })
    }

    /// Says that what the page shows is asked for again whenever something has changed: it must be
    /// cheap to ask for, and stand in the block `live`.
    pub(crate) fn live(mut self) -> Self {
        self.is_live = !self.address.is_empty();
        self
    }

    /// A moment on the clocks of the frame.
    pub(crate) fn moment(&self, at: Moment) -> String {
        moment(at, self.zone)
    }
}

/// A moment as people read it.
pub(crate) fn moment(at: Moment, zone: Zone) -> String {
    at.shown(zone)
}
