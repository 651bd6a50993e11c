//! HTTP inwards: the reports of vendors.
//!
//! Adding a route: a file here with its handler, and one line in [`router`].

mod callbacks;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use ringfence_domain::Clock;
use ringfence_store::Database;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The things that every handler may use.
#[derive(Debug, Clone)]
pub struct Server {
    /// The rows.
    pub store: Arc<Database>,
    /// Their clock.
    pub clock: Arc<dyn Clock>,
}

/// Every route.
pub fn router(server: Server) -> Router {
    // No page says how vendors send their reports: as GET, POST or PUT.
    let report = post(callbacks::receive).get(callbacks::receive).put(callbacks::receive);
    Router::new().route("/callbacks/{lane}/{secret}", report).with_state(server)
}

/// Listens at an address. Returns the address that it listens at in the end.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers until told to stop, and finishes answers that have begun.
pub async fn serve(server: Server, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener, router(server)).with_graceful_shutdown(stop.cancelled_owned()).await
}
