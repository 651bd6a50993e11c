//! The list of transitions and questions: everything that anyone does to the rows is a method of
//! [`Database`]. Each one that changes something is one transaction.

mod attempts;
mod campaigns;
mod contacts;
mod dnc;
mod imports;
mod lanes;
mod reports;
mod stops;
mod tokens;
mod webhooks;

use ringfence_domain::PausedBy;

use crate::campaigns::recent_failures::Failing;
use crate::{Database, StoreError};

/// Makes methods of [`Database`], one a line, from functions of the rooms. What is logged in one
/// stands in the span `db.` and its name. The first word says how it is carried out: `write` in one
/// transaction, `stop_switch` in one that comes before all others, `bulk` in one of as many rows as
/// its second argument says, `in_parts` in as many as it takes, `read` outside any, `snapshot` as
/// of one moment, `tallied` the same with what lanes had in hand when they were counted last,
/// `then` in one transaction and what must follow it, `dial` the same for calls that are to be
/// made. The futures are boxed, or every crate that waits for one would compile all of this
/// again.
macro_rules! transitions {
    ($($(#[$doc:meta])* $kind:ident $name:ident($($arg:ident: $type:ty),*) -> $result:ty = |$($bound:ident),+| $step:expr;)+) => {
        impl crate::Database {
            $($(#[$doc])* pub fn $name(&self, $($arg: $type),*) -> crate::Answer<'_, $result> {
                let span = tracing::debug_span!(concat!("db.", stringify!($name)));
                let work = async move {
                    $crate::transitions::transitions!(@ $kind self, $name, |$($bound),+| $step)
                };
                Box::pin(tracing::Instrument::instrument(work, span))
            })+
        }

        /// The names of those that are one transaction.
        pub(super) const NAMES: &[Option<&str>] = &[$($crate::transitions::transitions!(# $kind $name)),+];
    };
    (# read $name:ident) => { None };
    (# snapshot $name:ident) => { None };
    (# tallied $name:ident) => { None };
    (# in_parts $name:ident) => { None };
    (# $kind:ident $name:ident) => { Some(stringify!($name)) };
    (@ write $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database
            .write(stringify!($name), $crate::database::turns::Urgency::Normal, move |$session| Box::pin(async move { $step.await }))
            .await
    };
    (@ stop_switch $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database
            .write(stringify!($name), $crate::database::turns::Urgency::Stop, move |$session| Box::pin(async move { $step.await }))
            .await
    };
    (@ bulk $database:ident, $name:ident, |$session:ident, $rows:ident| $step:expr) => {
        $database
            .write_some(stringify!($name), $crate::database::turns::Urgency::Bulk, move |$session, $rows| {
                Box::pin(async move { $step.await })
            })
            .await
    };
    (@ in_parts $database:ident, $name:ident, |$itself:ident| $step:expr) => {{
        let $itself = $database;
        $step.await
    }};
    (@ read $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database.read(move |$session| Box::pin(async move { $step.await })).await
    };
    (@ snapshot $database:ident, $name:ident, |$session:ident| $step:expr) => {
        $database.snapshot(move |$session| Box::pin(async move { $step.await })).await
    };
    (@ tallied $database:ident, $name:ident, |$session:ident, $tallies:ident| $step:expr) => {{
        let $tallies = $database.tallies.clone();
        $database.snapshot(move |$session| Box::pin(async move { $step.await })).await
    }};
    (@ then $database:ident, $name:ident, |$session:ident| $step:expr) => {{
        let done = $database
            .write(stringify!($name), $crate::database::turns::Urgency::Normal, move |$session| Box::pin(async move { $step.await }))
            .await?;
        $database.pause_failing(&done.failing).await?;
        Ok(done)
    }};
    (@ dial $database:ident, $name:ident, |$session:ident| $step:expr) => {{
        let done = $database.dial(stringify!($name), move |$session| Box::pin(async move { $step.await })).await?;
        $database.pause_failing(&done.failing).await?;
        Ok(done)
    }};
}
pub(crate) use transitions;

/// The transactions that larger works are made of, and those of opening and guarding a database.
const PARTS: &[&str] = &[
    "add_dnc",
    "apply",
    "apply_changes",
    "begin_quarantine",
    "complete_import",
    "enter_numbers",
    "hold_import",
    "import_chunk",
    "install",
    "lift_quarantine",
    "set_right",
    "sweep",
    "trust",
    "uncap",
];

/// Returns the name of every transaction that changes rows.
pub fn names() -> impl Iterator<Item = &'static str> {
    let rooms = [
        attempts::NAMES,
        campaigns::NAMES,
        contacts::NAMES,
        dnc::NAMES,
        imports::NAMES,
        lanes::NAMES,
        reports::NAMES,
        stops::NAMES,
        tokens::NAMES,
        webhooks::NAMES,
    ];
    rooms.into_iter().flatten().copied().flatten().chain(PARTS.iter().copied())
}

impl Database {
    /// Pauses campaigns whose last calls failed. Their claims are refused from the moment that this
    /// was known, so a crash in between dials nobody: the next refused claim comes here again.
    async fn pause_failing(&self, failing: &[Failing]) -> Result<(), StoreError> {
        for Failing { campaign, reason, now } in failing.iter().cloned() {
            tracing::error!("a campaign is paused: {reason}");
            match self.pause_campaign(campaign, PausedBy::Safety, reason, now).await {
                // Somebody cancelled it meanwhile: it dials nobody either way.
                Ok(()) | Err(StoreError::Cancelled { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
