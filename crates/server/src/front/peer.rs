//! Who asks: the address of the client, through the operator's own proxies and no others.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::Server;

/// The client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether somebody passed the request on: then an address of this machine may be a proxy's.
    passed_on: bool,
}

impl Peer {
    /// Tells whether the client is on this machine.
    pub(crate) fn is_here(self) -> bool {
        self.address.to_canonical().is_loopback() && !self.passed_on
    }

    /// A client of whom nothing is known.
    pub(crate) const fn unknown() -> Self {
        Self { address: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), passed_on: true }
    }

    /// The client, as limits count it: an IPv6 network is one customer's.
    pub(crate) fn counted(self) -> IpAddr {
        match self.address.to_canonical() {
            IpAddr::V6(address) => IpAddr::from((address.to_bits() >> 64 << 64).to_be_bytes()),
            address @ IpAddr::V4(_) => address,
        }
    }
}

/// Finds out who asks.
pub(crate) async fn find(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let direct = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let direct = direct.unwrap_or(Peer::unknown().address);
    let address = behind(direct, request.headers(), &server.config.http.trusted_proxies);
    let passed_on = ["forwarded", "x-forwarded-for", "via"].iter().any(|name| request.headers().contains_key(*name));
    request.extensions_mut().insert(Peer { address, passed_on });
    next.run(request).await
}

/// Each proxy adds at the right whom it heard. So from the right, the first who is no proxy of ours
/// is the client; what stands further left anybody may have written.
fn behind(direct: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
    let mut client = direct;
    if !is_ours(&client) {
        return client;
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = address(hop.trim()) else { return client };
        client = address;
        if !is_ours(&client) {
            return client;
        }
    }
    client
}

/// Some proxies write the port, too.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(hop, |(address, _)| address);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(direct: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().expect("a header"));
        }
        behind(direct.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn only_what_our_own_proxies_heard_counts() {
        assert_eq!(client("192.0.2.9", &["198.51.100.7"]), "192.0.2.9", "not our proxy: anybody may write it");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.5, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.5", "198.51.100.7"]), "198.51.100.7", "lines go on");
        assert_eq!(client("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let counted = |text: &str| Peer { address: text.parse().expect("an address"), passed_on: false }.counted();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2:ffff::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("::ffff:192.0.2.1"), counted("192.0.2.1"));
    }
}
