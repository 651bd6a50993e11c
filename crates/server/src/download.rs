//! Files that are made while they are sent. Writing waits for the client, in a thread that may
//! wait; a file that cannot be finished is cut off, so that nobody takes a part for the whole.

use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::future::BoxFuture;
use ringfence_operations::Error;
use tokio::sync::mpsc;

use crate::Server;
use crate::api::call::Answer;
use crate::problem::{Problem, ProblemKind};

/// Pieces that wait for a slow client.
const PIECES: usize = 8;
/// Bytes of a piece.
const PIECE: usize = 1 << 16;

/// Sends what `write` writes as a file of this type and name.
pub(crate) fn download<W>(server: &Server, (kind, name): (&'static str, &str), write: W) -> Answer
where
    W: FnOnce(Pieces) -> BoxFuture<'static, Result<(), Error>> + Send + 'static,
{
    let place = server.exports.clone().try_acquire_owned().map_err(|_| {
        Problem::new(ProblemKind::TooMany, format!("{} exports are under way", crate::EXPORTS)).retry_after(10)
    })?;
    let (pieces, lines) = mpsc::channel(PIECES);
    let (runtime, stop) = (tokio::runtime::Handle::current(), server.stop.clone());
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let out = Pieces { to: pieces.clone(), piece: Vec::with_capacity(PIECE) };
        let written = runtime.block_on(async {
            tokio::select! {
                written = write(out) => written,
                // The end of the process waits for this thread.
                () = stop.cancelled() => Err(Error::work("the process is stopping")),
            }
        });
        if let Err(error) = written {
            tracing::debug!(%error, "a download broke off: {error}");
            drop(futures::executor::block_on(pieces.send(Err(std::io::Error::other(error.to_string())))));
        }
    });
    let stream = futures::stream::unfold(lines, |mut lines| async { Some((lines.recv().await?, lines)) });
    let mut response: Response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Passes what is written on, piece by piece.
#[derive(Debug)]
pub(crate) struct Pieces {
    to: mpsc::Sender<std::io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE)));
        futures::executor::block_on(self.to.send(Ok(piece))).map_err(|_| std::io::Error::other("the client left"))
    }
}
