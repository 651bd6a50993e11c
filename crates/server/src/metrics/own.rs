//! What a process measures of itself.

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use ringfence_domain::zone_data::ZoneData;
use ringfence_providers::measures::ANSWERS;
use ringfence_store::measures::TRANSACTIONS;
use ringfence_worker::measures::{DENIALS, LATENESS};

use crate::Server;

/// The class of a status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStatus {
    status: &'static str,
}

/// Answers over HTTP, by the class of their status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Family<OfStatus, Counter>);

impl Answers {
    pub(crate) fn count(&self, status: StatusCode) {
        let status = match status.as_u16() / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.0.get_or_create(&OfStatus { status }).inc();
    }
}

pub(super) fn register(registry: &mut Registry, server: &Server) {
    let version = vec![("version", env!("CARGO_PKG_VERSION")), ("zone_data", zone_data())];
    registry.register("process", "The program and its time zone data", Info::new(version));
    registry.register("http_answers", "Answers over HTTP, by the class of their status", server.answers.0.clone());
    let streams: Gauge = Gauge::default();
    streams.set(server.streams.open() as i64);
    registry.register("event_streams", "Open streams of events", streams);
    let outage: Gauge = Gauge::default();
    outage.set(i64::from(server.store.outage().is_some()));
    registry.register("database_outage", "1 while the database cannot be used", outage);
    let help = "How long transactions of this process take";
    registry.register_with_unit("database_transaction", help, Unit::Seconds, TRANSACTIONS.clone());
    let help = "How long answers of providers and receivers of webhooks take, by host and class of status";
    registry.register_with_unit("provider_answer", help, Unit::Seconds, ANSWERS.clone());
    let help = "How long after its call was due a request left";
    registry.register_with_unit("dial_lateness", help, Unit::Seconds, LATENESS.clone());
    registry.register("claims_denied", "Planned calls that the claim did not let go, by reason", DENIALS.clone());
}

/// The release of the zones is settled at the start of the process.
fn zone_data() -> &'static str {
    static VERSION: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| ZoneData::in_use().to_string());
    &VERSION
}
