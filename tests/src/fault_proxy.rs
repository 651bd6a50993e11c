//! A way over TCP that breaks on purpose, between a dialer and its vendor or its database.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Whatever passes takes this long, each way.
    Latency(Duration),
    /// This many bytes of what is asked arrive; then both ends are closed.
    CutRequest(usize),
    /// This many bytes of the answer arrive; then both ends are closed.
    CutAnswer(usize),
    /// The connection is reset in place of the answer.
    ResetAnswer,
    /// The answer comes a byte at a time, with this pause before each.
    Trickle(Duration),
    /// What is asked goes nowhere, and nothing comes back.
    BlackHole,
    /// What is asked arrives, and nothing comes back.
    HalfOpen,
    /// A connection is closed as soon as it is there.
    Closed,
}

#[derive(Debug, Default)]
struct Setting {
    how: Option<Break>,
    /// Only what begins with these bytes breaks, and what follows it on its connection.
    only: &'static [u8],
}

/// A listener that passes everything on to one address.
#[derive(Debug)]
pub struct FaultProxy {
    /// Where it listens.
    pub address: SocketAddr,
    setting: Arc<Mutex<Setting>>,
    cut: watch::Sender<u64>,
}

impl FaultProxy {
    /// Begins to listen before `target`, and breaks nothing.
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let setting = Arc::<Mutex<Setting>>::default();
        let (cut, _) = watch::channel(0);
        let (own, cuts) = (setting.clone(), cut.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (setting, mut cuts) = (own.clone(), cuts.clone());
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    if is_closed(&setting) {
                        return;
                    }
                    let Ok(server) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        () = pass(client, server, &setting) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { address, setting, cut }
    }

    /// Breaks, from now on, whatever begins with `only`; everything when that is empty.
    pub fn break_by(&self, how: Break, only: &'static [u8]) {
        *self.setting.lock().unwrap_or_else(PoisonError::into_inner) = Setting { how: Some(how), only };
    }

    /// Breaks nothing any more; a connection that is broken stays so.
    pub fn heal(&self) {
        *self.setting.lock().unwrap_or_else(PoisonError::into_inner) = Setting::default();
    }

    /// Closes every connection there is.
    pub fn cut(&self) {
        self.cut.send_modify(|times| *times += 1);
    }
}

fn is_closed(setting: &Mutex<Setting>) -> bool {
    setting.lock().unwrap_or_else(PoisonError::into_inner).how == Some(Break::Closed)
}

/// Passes bytes both ways until either end is closed or the way breaks.
async fn pass(mut client: TcpStream, mut server: TcpStream, setting: &Mutex<Setting>) {
    let broken = Mutex::new(None);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        () = ask(from_client, to_server, setting, &broken) => {}
        () = answer(from_server, to_client, &broken) => {}
    }
}

/// Passes what is asked. `broken`: how this connection breaks, once it does.
async fn ask(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, setting: &Mutex<Setting>, broken: &Mutex<Option<Break>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let piece = &buffer[..n];
        let how = {
            let setting = setting.lock().unwrap_or_else(PoisonError::into_inner);
            let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
            if setting.how.is_some() && piece.starts_with(setting.only) {
                *broken = setting.how;
            }
            *broken
        };
        let passed = match how {
            Some(Break::BlackHole) => &[],
            Some(Break::CutRequest(most)) => &piece[..most.min(n)],
            _ => piece,
        };
        if let Some(Break::Latency(pause)) = how {
            tokio::time::sleep(pause).await;
        }
        if to.write_all(passed).await.is_err() || matches!(how, Some(Break::CutRequest(_))) {
            return;
        }
    }
}

/// Passes the answers.
async fn answer(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, broken: &Mutex<Option<Break>>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(n @ 1..) = from.read(&mut buffer).await else {
            let silent = matches!(*broken.lock().unwrap_or_else(PoisonError::into_inner), Some(Break::HalfOpen));
            if silent {
                // The other end never learns that it is over.
                std::future::pending::<()>().await;
            }
            return;
        };
        let how = *broken.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = match how {
            Some(Break::HalfOpen | Break::BlackHole) => Ok(()),
            Some(Break::ResetAnswer) => {
                // Closed with nothing left to wait for, it is reset.
                drop(to.as_ref().set_zero_linger());
                return;
            }
            Some(Break::CutAnswer(most)) => {
                drop(to.write_all(&buffer[..most.min(n)]).await);
                return;
            }
            Some(Break::Trickle(pause)) => {
                let mut sent = Ok(());
                for byte in &buffer[..n] {
                    tokio::time::sleep(pause).await;
                    sent = sent.and(to.write_all(&[*byte]).await);
                }
                sent
            }
            Some(Break::Latency(pause)) => {
                tokio::time::sleep(pause).await;
                to.write_all(&buffer[..n]).await
            }
            _ => to.write_all(&buffer[..n]).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
