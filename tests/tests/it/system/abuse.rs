//! Who sends what nobody should send gets an answer or is cut off, and costs little memory.

use std::path::Path;

use ringfence_tests::binary;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Child;

/// The most memory that the server may have, in KiB.
const MOST: u64 = 150 * 1024;

const CONFIG: &str = "[database]\nurl = \"sqlite://abuse.db\"\n\n[http]\nlisten = \"127.0.0.1:0\"\nlargest_upload_mb = 16\n\n\
    [provider.main]\nkind = \"sandbox\"\n";

const CAMPAIGN: &str = "name = \"spring\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n\
    [contacts]\nphone = \"mobile\"\ncountry = \"IN\"\n";

struct Served {
    child: Child,
    address: String,
    token: String,
}

async fn serve(folder: &Path) -> Served {
    std::fs::write(folder.join("ringfence.toml"), CONFIG).expect("written");
    let made = binary::json(folder, &["token", "create", "--scope", "operator", "--json"]).await;
    let token = made["token"].as_str().expect("a token").to_owned();
    let mut child = binary::ringfence(folder, &["serve"]).spawn().expect("it starts");
    let address = binary::listening(&mut child).await.expect("it listens");
    Served { child, address, token }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.expect("a connection")
    }

    /// The beginning of a request.
    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let token = &self.token;
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{more}\r\n")
    }

    /// Sends a request, in pieces of a body that may have no end, until something is answered.
    async fn ask(&self, head: &str, mut piece: impl FnMut() -> Option<Vec<u8>>) -> String {
        let stream = self.connect().await;
        let (mut reader, mut writer) = stream.into_split();
        let mut answer = vec![0; 4096];
        writer.write_all(head.as_bytes()).await.expect("sent");
        let sending = async {
            while let Some(piece) = piece() {
                if writer.write_all(&piece).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            read = reader.read(&mut answer) => {
                answer.truncate(read.unwrap_or_default());
                String::from_utf8_lossy(&answer).into_owned()
            }
            () = sending => unreachable!("it never ends"),
        }
    }

    fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().expect("it runs"));
        let status = std::fs::read_to_string(status).expect("it lives");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak.expect("a peak")
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_stays_small_whatever_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut served = serve(folder.path()).await;
    let length = CAMPAIGN.len();
    let head = served.head(
        "POST",
        "/api/v1/campaigns",
        &format!("content-type: application/toml\r\ncontent-length: {length}\r\n"),
    );
    let mut body = Some(CAMPAIGN.as_bytes().to_vec());
    let made = served.ask(&head, || body.take()).await;
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    // A thousand who say nothing.
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        silent.push(served.connect().await);
    }
    let contacts = "/api/v1/campaigns/spring/contacts";
    let csv = |more: &str| served.head("POST", contacts, &format!("content-type: text/csv\r\n{more}"));
    let chunked = "transfer-encoding: chunked\r\n";
    // Ten gigabytes by its own word.
    let answer = served.ask(&csv("content-length: 10737418240\r\n"), || None).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // A list without an end.
    let rows = chunk("9876543210,Asha\n".repeat(4_096).as_bytes());
    let answer = served.ask(&csv(chunked), || Some(rows.clone())).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // A row without an end, and a million columns.
    let row = chunk(&vec![b'9'; 65_536]);
    let answer = served.ask(&csv(chunked), || Some(row.clone())).await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    let mut columns = 0..20;
    let answer = served
        .ask(&csv(chunked), || match columns.next() {
            Some(19) => Some(b"1\r\n\n\r\n0\r\n\r\n".to_vec()),
            Some(_) => Some(chunk("c,".repeat(50_000).as_bytes())),
            None => None,
        })
        .await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    // Bodies and headers without an end, where none are taken.
    let head = served.head("POST", "/api/v1/stop", &format!("content-type: application/json\r\n{chunked}"));
    let answer = served.ask(&head, || Some(row.clone())).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let answer = served
        .ask("GET /healthz HTTP/1.1\r\nhost: localhost\r\n", || Some(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".to_vec()))
        .await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    // Whoever asks as they should is answered all the while.
    let answer = served.ask(&served.head("GET", "/api/v1/status", ""), || None).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let peak = served.memory();
    assert!(peak < MOST, "{peak} KiB");
    drop(silent);
    served.child.start_kill().expect("it ends");
}
