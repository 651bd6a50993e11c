//! How often one client, and one token, may ask. A token is 256 random bits, which nobody guesses;
//! the limits protect the log and the machine.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ringfence_domain::TokenId;

use super::peer::Peer;
use crate::Server;
use crate::problem::{Problem, ProblemKind};

const fn times(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("more than none")
}

/// Requests a second of one client, and how many at once.
const OF_PEER: Quota = Quota::per_second(times(200)).allow_burst(times(1_000));
/// Requests a second of one token, and how many at once.
const OF_TOKEN: Quota = Quota::per_second(times(100)).allow_burst(times(500));
/// Wrong tokens a minute of one client.
const WRONG: Quota = Quota::per_minute(times(10)).allow_burst(times(20));
/// Reports a second to one lane: a vendor sends a few for each call.
const OF_LANE: Quota = Quota::per_second(times(500)).allow_burst(times(5_000));

/// The limits of all clients, tokens and lanes.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    peers: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    tokens: Arc<DefaultKeyedRateLimiter<TokenId>>,
    wrong: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    lanes: Arc<DefaultKeyedRateLimiter<String>>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self {
            peers: Arc::new(RateLimiter::keyed(OF_PEER)),
            tokens: Arc::new(RateLimiter::keyed(OF_TOKEN)),
            wrong: Arc::new(RateLimiter::keyed(WRONG)),
            lanes: Arc::new(RateLimiter::keyed(OF_LANE)),
        }
    }

    /// Counts a request of a token.
    pub(crate) fn token(&self, token: TokenId) -> Result<(), Problem> {
        check(&self.tokens, &token)
    }

    /// Counts a wrong token of a client.
    pub(crate) fn wrong(&self, peer: Peer) -> Result<(), Problem> {
        check(&self.wrong, &peer.counted())
    }

    /// Counts a report to a lane.
    pub(crate) fn lane(&self, lane: &str) -> Result<(), Problem> {
        check(&self.lanes, &lane.to_owned())
    }

    /// Forgets who has not asked for a while.
    pub(crate) fn forget_the_quiet(&self) {
        self.peers.retain_recent();
        self.tokens.retain_recent();
        self.wrong.retain_recent();
        self.lanes.retain_recent();
    }
}

fn check<K: Clone + std::hash::Hash + Eq>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        Problem::new(ProblemKind::TooMany, "too many requests came from you").retry_after(wait.as_secs() + 1)
    })
}

/// Counts a request of a client. Vendors that report have a limit for each lane instead: all of
/// their calls come from few addresses.
pub(crate) async fn of_peer(State(server): State<Server>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    if let Some(peer) = peer.filter(|peer| !peer.is_here() && !request.uri().path().starts_with("/callbacks/"))
        && let Err(problem) = check(&server.limits.peers, &peer.counted())
    {
        return problem.into_response();
    }
    next.run(request).await
}
