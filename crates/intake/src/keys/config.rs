//! The keys of `ringfence.toml`.

use super::{Holds, Key};

/// Every key outside of the lanes.
pub const CONFIG: &[Key] = &[
    key("database.url", Holds::Text, "Where rows are kept: sqlite://ringfence.db or postgres://user@host/name."),
    key("http.listen", Holds::Text, "The address to listen on: 127.0.0.1:8080."),
    key("http.public_url", Holds::Address, "The address at which vendors reach it."),
    key("http.hosts", Holds::Texts, "More names that clients may reach it by, beside that of public_url."),
    key(
        "http.tls_certificate",
        Holds::File,
        "The certificate chain for https, as PEM; read again when the file changes.",
    ),
    key("http.tls_key", Holds::File, "The private key of the certificate, as PEM."),
    key(
        "http.behind_tls_proxy",
        Holds::Flag,
        "Listen beyond this machine without TLS, because a proxy in front of it does that.",
    ),
    key(
        "http.trusted_proxies",
        Holds::Texts,
        "Networks of your own proxies, as in 10.0.0.0/8: only what they forward tells who asks.",
    ),
    key("http.metrics_public", Holds::Flag, "Whether /metrics needs no token when it is asked from other machines."),
    Key {
        default: Some("1024"),
        ..key(
            "http.largest_upload_mb",
            Holds::Whole(1, 100_000),
            "Megabytes of the largest contact file that is taken over HTTP.",
        )
    },
    key(
        "retention.people",
        Holds::Span,
        "How long people and calls of a run that is over are kept; without it they are kept for good.",
    ),
    key("zones.folder", Holds::File, "A zoneinfo tree, used when it is newer than the zones that are built in."),
    key("holidays", Holds::Names, "Files of your own holidays, by the names that campaigns know them by."),
];

/// Every key of a webhook, in `[[webhook]]`.
pub const WEBHOOK: &[Key] = &[
    key("url", Holds::Address, "Where messages are sent."),
    key("secret", Holds::Secret, "What they are signed with: whsec_ and 24 to 64 bytes in base64."),
    key("old_secret", Holds::Secret, "The secret before it, until the receiver knows the new one: both sign."),
    key("events", Holds::Texts, "The kinds of events that it is told."),
    key("include_phone", Holds::Flag, "Whether it is told the numbers that were called."),
    key("allow_private", Holds::Flag, "Whether it may be on this machine or in a private network."),
];

/// Every key of a lane, in `[provider.NAME]`, beside the settings of its vendor.
pub const LANE: &[Key] = &[
    key("kind", Holds::Text, "The vendor."),
    key("base_url", Holds::Address, "The address of the vendor's API."),
    key("limits.calls", Holds::Rate, "New calls in any stretch of time: 1/s."),
    key("limits.requests", Holds::Rate, "Requests of any kind, questions about calls included: 60/m."),
    key("limits.concurrent", Holds::Whole(1, 100_000), "Calls at the same time."),
    key("limits.per_day", Holds::Whole(1, u32::MAX), "Calls in one day of the lane's zone."),
    key("hours", Holds::Hours, "The vendor's own hours; the narrowest of all hours wins."),
    key("timezone", Holds::Zone, "Whose clocks the lane's hours and days are read on."),
    key(
        "lower_priorities",
        Holds::Percent,
        "The share of the lane for campaigns of lower priorities while a higher one has somebody to call: 10%.",
    ),
    key("ca_file", Holds::File, "Certificates to trust in place of the usual ones."),
    key("status_map", Holds::Names, "Outcomes for words of the vendor that Ringfence does not know."),
];

const fn key(path: &'static str, holds: Holds, says: &'static str) -> Key {
    Key { path, holds, default: None, says }
}
