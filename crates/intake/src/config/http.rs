//! `[http]`: where it is served, and how it is reached.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::{beside, check_address};
use crate::Mistake;
use crate::section::Section;

/// Where HTTP is served and reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// Where vendors reach it, without a slash at the end.
    pub public_url: Option<String>,
    /// More names that clients may reach it by.
    pub hosts: Vec<String>,
    /// The files of its certificate; without them it speaks no TLS.
    pub tls: Option<TlsFiles>,
    /// Whether a proxy in front of it does TLS.
    pub behind_tls_proxy: bool,
    /// The networks of the operator's own proxies.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether metrics need no token when another machine asks.
    pub metrics_public: bool,
    /// Megabytes (2^20 bytes) of the largest upload, where that is not the usual one.
    pub largest_upload_mb: Option<u32>,
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, as PEM.
    pub certificate: PathBuf,
    /// The private key, as PEM.
    pub key: PathBuf,
}

impl Http {
    /// The host of `public_url`, without a port.
    pub fn public_host(&self) -> Option<&str> {
        let authority = self.public_url.as_deref()?.split_once("://")?.1.split('/').next()?;
        Some(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
    }
}

pub(super) fn http(mut section: Section<'_>, path: &Path) -> Http {
    let listen = section.text("listen").and_then(|text| {
        let address = text.value.parse().ok();
        if address.is_none() {
            let message = format!("`{}` is not an address to listen on", text.value);
            section.found().add(Mistake::new(text.at, message).hint("write listen = \"127.0.0.1:8080\""));
        }
        address
    });
    let public_url = section.text("public_url").map(|url| {
        check_address(&section, &url, "what vendors report would cross the network unencrypted");
        url.value.trim_end_matches('/').to_owned()
    });
    let hosts = section.texts("hosts").unwrap_or_default();
    let hosts = hosts.into_iter().map(|host| host.value.to_ascii_lowercase()).collect();
    let http = Http {
        listen,
        public_url,
        hosts,
        tls: tls(&mut section, path),
        behind_tls_proxy: section.flag("behind_tls_proxy").unwrap_or_default(),
        trusted_proxies: networks(&mut section),
        metrics_public: section.flag("metrics_public").unwrap_or_default(),
        largest_upload_mb: section.integer("largest_upload_mb", 1..=100_000),
    };
    section.finish();
    http
}

fn tls(section: &mut Section<'_>, path: &Path) -> Option<TlsFiles> {
    let (certificate, key) = (section.text("tls_certificate"), section.text("tls_key"));
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: beside(path, &certificate.value), key: beside(path, &key.value) })
        }
        (Some(alone), None) | (None, Some(alone)) => {
            let mistake = Mistake::new(alone.at, "a certificate and its key go together, and only one is named");
            section.found().add(mistake.hint("name both: tls_certificate and tls_key"));
            None
        }
        (None, None) => None,
    }
}

fn networks(section: &mut Section<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in section.texts("trusted_proxies").unwrap_or_default() {
        let network = text.value.parse::<IpNet>().ok();
        match network.or_else(|| text.value.parse::<std::net::IpAddr>().ok().map(IpNet::from)) {
            Some(network) => networks.push(network),
            None => section.found().add(
                Mistake::new(text.at, format!("`{}` is not a network", text.value))
                    .hint("write addresses or networks: \"10.0.0.0/8\", \"192.0.2.7\""),
            ),
        }
    }
    networks
}
