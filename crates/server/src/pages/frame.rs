//! What every page has around it: where one is, who one is, and STOP.

use ringfence_domain::{Moment, Scope, Zone};
use ringfence_operations::{Error, stop};

use super::visitor::Visitor;

/// What every page has around it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) who: String,
    pub(crate) scope: &'static str,
    /// Whether there are buttons for who may press them; each handler asks again.
    pub(crate) may_operate: bool,
    /// Why everything is stopped, if it is.
    pub(crate) stopped: Option<String>,
    pub(crate) now: String,
}

impl Frame {
    /// Makes the frame of a page.
    pub(crate) async fn of(visitor: &Visitor, title: &str, zone: Zone) -> Result<Self, Error> {
        Ok(Self {
            title: title.to_owned(),
            who: visitor.login.name.clone(),
            scope: visitor.login.scope.as_str(),
            may_operate: visitor.may(Scope::Operator),
            stopped: stop::why(&visitor.workspace).await?,
            now: moment(visitor.workspace.now(), zone),
        })
    }
}

/// A moment as people read it.
pub(crate) fn moment(at: Moment, zone: Zone) -> String {
    at.shown(zone)
}
