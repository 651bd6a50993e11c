//! What a vendor, or the way to it, does with the first request of everybody.

use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::fault_proxy::Break;

/// One thing that happens to every request that places a call, until the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happens {
    /// All is well, and calls end so.
    Ends(Outcome),
    /// A fault of the vendor.
    Vendor(Fault),
    /// The way to the vendor breaks.
    Way(Break),
    /// The way breaks for questions about calls.
    Asking(Break),
    /// The call is placed, its answer is lost, and it stands in the list this much later; none when it
    /// never does.
    Listed(Option<Span>),
}

/// Everything, each with its name.
pub(crate) fn all() -> Vec<(&'static str, Happens)> {
    let ends = [("answered", Outcome::Answered), ("busy", Outcome::Busy), ("voicemail", Outcome::Voicemail)];
    let mut all: Vec<_> = ends.into_iter().map(|(name, outcome)| (name, Happens::Ends(outcome))).collect();
    all.extend(Fault::ALL.iter().map(|(name, fault)| (*name, Happens::Vendor(*fault))));
    all.extend([
        ("listed_late", Happens::Listed(Some(Span::from_secs(6)))),
        ("never_listed", Happens::Listed(None)),
        ("latency", Happens::Way(Break::Latency(Duration::from_millis(400)))),
        ("cut_request", Happens::Way(Break::CutRequest(120))),
        ("cut_answer", Happens::Way(Break::CutAnswer(60))),
        ("reset_answer", Happens::Way(Break::ResetAnswer)),
        ("trickle", Happens::Way(Break::Trickle(Duration::from_millis(200)))),
        ("black_hole", Happens::Way(Break::BlackHole)),
        ("half_open", Happens::Way(Break::HalfOpen)),
        ("closed", Happens::Way(Break::Closed)),
        ("asked_in_vain", Happens::Asking(Break::ResetAnswer)),
    ]);
    all
}

impl Happens {
    /// How the vendor behaves then.
    pub(crate) fn behaviour(self) -> Behaviour {
        let well = well();
        match self {
            Self::Ends(outcome) => Behaviour { outcomes: vec![(outcome, 1)], ..well },
            Self::Vendor(fault) => Behaviour { faults: vec![(fault, 100.0)], ..well },
            Self::Way(_) | Self::Asking(_) => well,
            Self::Listed(listed_after) => Behaviour { faults: vec![(Fault::LostAnswer, 100.0)], listed_after, ..well },
        }
    }
}

/// A vendor with which all is well.
pub(crate) fn well() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 3), (Outcome::Busy, 1)],
        ring: Span::from_millis(50),
        talk: Span::from_millis(150),
        latency: Span::from_millis(20),
        ..Behaviour::default()
    }
}
