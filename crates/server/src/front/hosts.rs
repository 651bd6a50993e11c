//! Which names this server is reached by. A page of a stranger whose name suddenly leads to this
//! machine (DNS rebinding) asks under its own name, and is refused.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ringfence_intake::Http;

use crate::Server;
use crate::problem::{Problem, ProblemKind};

/// The names that are ours.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn of(http: &Http) -> Self {
        let own = http.public_host().map(str::to_ascii_lowercase);
        Self(std::iter::once("localhost".to_owned()).chain(own).chain(http.hosts.iter().cloned()).collect())
    }

    /// Tells whether a Host header names us. An address instead of a name is always one of ours: it
    /// led the client here, and no name of a stranger can stand for it.
    fn know(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || self.0.contains(&name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Refuses requests to other hosts.
pub(crate) async fn check(State(server): State<Server>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(header);
    // Every browser names a host; a probe that speaks HTTP/1.0 may not.
    if host.is_none_or(|host| server.hosts.know(host)) {
        return next.run(request).await;
    }
    Problem::new(ProblemKind::WrongHost, "the Host header names no host of this server")
        .hint("name it in ringfence.toml: [http] public_url, or hosts = [\"dialer.example.com\"]")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_addresses_are_known_and_no_others() {
        let http = Http {
            public_url: Some("https://Dialer.example.com:8443/x".into()),
            hosts: vec!["dialer.lan".into()],
            ..Http::default()
        };
        let hosts = Hosts::of(&http);
        for known in [
            "localhost",
            "localhost:8080",
            "LOCALHOST:1",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "10.1.2.3",
            "dialer.example.com",
            "dialer.example.com.:443",
            "dialer.lan:80",
        ] {
            assert!(hosts.know(known), "{known}");
        }
        for strange in
            ["", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "example.com", "1.2.3"]
        {
            assert!(!hosts.know(strange), "{strange}");
        }
    }
}
