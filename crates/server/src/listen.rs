//! Listening: http, or https with the operator's certificate; how long a client may take for its
//! headers; and an end in time, whoever is still connected.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use ringfence_intake::Http;
use ringfence_intake::config::TlsFiles;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use crate::{Server, router, tending};

/// A client has this long for the headers of a request.
const HEADERS: Duration = Duration::from_secs(10);
/// At the end, answers that have begun may take this long.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How often the files of the certificate are looked at.
const LOOK: Duration = Duration::from_secs(30);
/// Headers of a request, and bytes that they may have.
const MOST_HEADERS: usize = 100;
const HEADER_BYTES: usize = 64 * 1024;

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Tokens would cross the network for everybody to read.
    #[error("{0} is beyond this machine, and nothing encrypts what goes there")]
    Unencrypted(SocketAddr),
    /// The address cannot be used.
    #[error("{address} cannot be listened on: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate, or its key, cannot be used.
    #[error("{0}")]
    Certificate(String),
}

impl ListenError {
    /// How to mend it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unencrypted(_) => {
                "name a certificate in [http] tls_certificate and tls_key; or say behind_tls_proxy = true when a proxy of yours encrypts"
            }
            Self::Address { .. } => "name another address with --listen",
            Self::Certificate(_) => "mend [http] tls_certificate and tls_key; both are PEM",
        }
    }
}

/// An open door, which nobody has been let through yet.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    tls: Option<Renewed>,
}

/// A certificate that may be renewed while it is in use.
#[derive(Debug, Clone)]
struct Renewed {
    config: RustlsConfig,
    files: TlsFiles,
    /// When the files that are in use were written.
    written: [Option<SystemTime>; 2],
    /// How often the files are looked at.
    look: Duration,
}

/// Listens at an address, encrypted when the configuration names a certificate.
pub fn listen(address: SocketAddr, http: &Http) -> Result<Door, ListenError> {
    if !address.ip().to_canonical().is_loopback() && http.tls.is_none() && !http.behind_tls_proxy {
        return Err(ListenError::Unencrypted(address));
    }
    let tls = http.tls.clone().map(Renewed::read).transpose()?;
    let listener = TcpListener::bind(address).map_err(|source| ListenError::Address { address, source })?;
    Ok(Door { listener, tls })
}

impl Door {
    /// The address in the end, as people write it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = self.listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string());
        format!("{scheme}://{address}")
    }

    /// The address in the end: a free port was found, if it was left open.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Looks at the files of the certificate this often; every 30 s unless it is said.
    #[must_use]
    pub fn looking_every(mut self, look: Duration) -> Self {
        if let Some(tls) = &mut self.tls {
            tls.look = look;
        }
        self
    }

    /// Answers until told to stop. Streams end at once then, answers that have begun in a few
    /// seconds, and everybody else is cut off.
    pub async fn serve(self, server: Server) -> std::io::Result<()> {
        let stop = server.stop.clone();
        let handle = Handle::new();
        let ending = handle.clone();
        let watch = async move {
            stop.cancelled().await;
            ending.graceful_shutdown(Some(LAST_ANSWERS));
        };
        tokio::spawn(watch);
        let tending = tokio::spawn(tending::tend(server.clone()));
        let service = router(&server).into_make_service_with_connect_info::<SocketAddr>();
        let served = match self.tls {
            None => {
                let mut serving =
                    axum_server::from_tcp(self.listener)?.handle(handle).first_request_timeout(HEADERS).http1_only();
                careful(serving.http_builder());
                serving.serve(service).await
            }
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls.config.clone()).handshake_timeout(HEADERS);
                tokio::spawn(tls.renew(server.stop.clone()));
                let serving = axum_server::from_tcp(self.listener)?.handle(handle).first_request_timeout(HEADERS);
                let mut serving = serving.http1_only().acceptor(acceptor);
                careful(serving.http_builder());
                serving.serve(service).await
            }
        };
        tending.abort();
        served
    }
}

/// Both limits are off unless they are asked for.
fn careful(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().header_read_timeout(HEADERS).max_headers(MOST_HEADERS).max_buf_size(HEADER_BYTES);
}

/// Reads a certificate and its key.
fn certificate(files: &TlsFiles) -> Result<Arc<ServerConfig>, ListenError> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        ListenError::Certificate(format!("{} cannot be used: {error}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(&files.certificate, &error))?;
    if chain.is_empty() {
        return Err(unreadable(&files.certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|error| unreadable(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Renewed {
    fn read(files: TlsFiles) -> Result<Self, ListenError> {
        // Before they are read: what is written meanwhile is read again.
        let written = written(&files);
        Ok(Self { config: RustlsConfig::from_config(certificate(&files)?), files, written, look: LOOK })
    }

    /// Uses a certificate that was renewed, without a restart. One that cannot be read leaves the
    /// one in use.
    async fn renew(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.look) => {}
            }
            let now = written(&self.files);
            if now == self.written {
                continue;
            }
            self.written = now;
            match certificate(&self.files) {
                Ok(new) => {
                    self.config.reload_from_config(new);
                    tracing::info!("the certificate was renewed");
                }
                Err(error) => tracing::error!(%error, "the certificate stays as it was: {error}"),
            }
        }
    }
}

fn written(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
}
