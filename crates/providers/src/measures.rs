//! What this process measures of its requests.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// The host that was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfAnswer {
    /// The host.
    pub host: String,
    /// `2xx` to `5xx`, or `none`.
    pub status: &'static str,
}

/// How long answers to requests take. In seconds.
pub static ANSWERS: LazyLock<Family<OfAnswer, Histogram>> =
    LazyLock::new(|| Family::new_with_constructor(|| Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 15.0])));

/// The word for a status.
pub(crate) fn class(status: Option<http::StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16() / 100) {
        Some(2) => "2xx",
        Some(3) => "3xx",
        Some(4) => "4xx",
        Some(5) => "5xx",
        Some(_) => "other",
        None => "none",
    }
}
