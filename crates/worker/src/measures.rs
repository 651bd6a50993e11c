//! What this process measures of its calls.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use ringfence_domain::verdict::ClaimDenied;

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfLane {
    /// Its name.
    pub lane: String,
}

/// A lane, and why a call was not made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfDenial {
    /// The lane's name.
    pub lane: String,
    /// The kind of reason.
    pub reason: &'static str,
}

/// How long after its call was due a request left. In seconds.
pub static LATENESS: LazyLock<Family<OfLane, Histogram>> = LazyLock::new(|| {
    Family::new_with_constructor(|| Histogram::new([0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]))
});

/// Planned calls that the claim did not let go.
pub static DENIALS: LazyLock<Family<OfDenial, Counter>> = LazyLock::new(Family::default);

/// The word for the kind of a denial.
pub(crate) const fn reason(why: ClaimDenied) -> &'static str {
    match why {
        ClaimDenied::NotOpen => "not_open",
        ClaimDenied::PlanAgain => "plan_again",
        ClaimDenied::Held => "held",
        ClaimDenied::Dnc => "dnc",
        ClaimDenied::Capped(_) => "contact_cap",
        ClaimDenied::AttemptsUsed => "attempts_used",
    }
}
