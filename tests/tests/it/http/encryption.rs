//! Listening: encrypted, or for this machine alone; and a certificate that is renewed meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use ringfence_intake::config::TlsFiles;
use ringfence_intake::{Config, Http};
use ringfence_sandbox::MachineClock;
use ringfence_server::{ListenError, Server, listen};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a new certificate for this machine. Returns a client that trusts only that.
    fn renew(&self) -> TlsConnector {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        replace(&self.path("key.pem"), &signing_key.serialize_pem());
        replace(&self.path("chain.pem"), &cert.pem());
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        TlsConnector::from(Arc::new(config.expect("versions").with_root_certificates(roots).with_no_client_auth()))
    }

    fn settings(&self) -> Http {
        let files = TlsFiles { certificate: self.path("chain.pem"), key: self.path("key.pem") };
        Http { tls: Some(files), ..Http::default() }
    }
}

/// Writes a file whole, as those who renew certificates do.
fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).expect("written");
    std::fs::rename(next, path).expect("renamed");
}

/// Asks over TLS for a sign of life. Returns the first line of the answer.
async fn ask(client: &TlsConnector, port: u16) -> Result<String, std::io::Error> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut stream = client.connect(ServerName::try_from("localhost").expect("a name"), stream).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    // A server that closes without a last word is no matter here.
    let _ended = stream.read_to_string(&mut answer).await;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

async fn until_trusted(client: &TlsConnector, port: u16) {
    let asking = async {
        while ask(client, port).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), asking).await.expect("the new certificate is used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let files = Files { folder: tempfile::TempDir::new().expect("a folder") };
    let first = files.renew();
    let door = listen("127.0.0.1:0".parse().expect("an address"), &files.settings()).expect("a port");
    let url = door.url();
    let port = url.strip_prefix("https://127.0.0.1:").expect("https").parse().expect("a port");
    let stop = CancellationToken::new();
    let server = Server::new(Arc::new(Config::default()), database.store.clone(), Arc::new(MachineClock), stop.clone());
    tokio::spawn(door.looking_every(Duration::from_millis(5)).serve(server));
    let _ended = stop.drop_guard();
    assert_eq!(ask(&first, port).await.expect("an answer"), "HTTP/1.1 200 OK");
    let second = files.renew();
    until_trusted(&second, port).await;
    assert!(ask(&first, port).await.is_err(), "the old certificate is gone");
    replace(&files.path("chain.pem"), "no certificate");
    assert_eq!(ask(&second, port).await.expect("an answer"), "HTTP/1.1 200 OK");
    let third = files.renew();
    until_trusted(&third, port).await;
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ended = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "nothing is said in the clear: {}", String::from_utf8_lossy(&answer));
}

#[test]
fn nobody_listens_in_the_clear_beyond_this_machine() {
    let files = Files { folder: tempfile::TempDir::new().expect("a folder") };
    let _client = files.renew();
    for address in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
        let address = address.parse().expect("an address");
        let refused = listen(address, &Http::default()).expect_err("tokens would be read by everybody");
        assert!(matches!(refused, ListenError::Unencrypted(_)), "{refused}");
        let behind = Http { behind_tls_proxy: true, ..Http::default() };
        for settings in [files.settings(), behind] {
            match listen(address, &settings) {
                Ok(door) => drop(door),
                // A machine without IPv6.
                Err(ListenError::Address { address, .. }) => assert!(address.is_ipv6(), "{address}"),
                Err(refused) => panic!("{refused}"),
            }
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let files = Files { folder: tempfile::TempDir::new().expect("a folder") };
    let refused = |wanted: &str| {
        let refused = listen("127.0.0.1:0".parse().expect("an address"), &files.settings()).expect_err("unusable");
        assert!(refused.to_string().contains(wanted), "{refused}");
    };
    refused("chain.pem cannot be used");
    let _client = files.renew();
    replace(&files.path("chain.pem"), "no certificate");
    refused("there is no certificate in it");
    let _client = files.renew();
    replace(&files.path("key.pem"), "no key");
    refused("key.pem cannot be used");
    let _client = files.renew();
    let other = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    replace(&files.path("key.pem"), &other.signing_key.serialize_pem());
    refused("chain.pem cannot be used");
}
