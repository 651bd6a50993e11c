//! Receiving a body of any honest size: to disk, with a limit on how slow it may be instead of one
//! on how long it may take.

use std::io::Write;
use std::path::Path;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use bytes::Bytes;
use ringfence_intake::Http;
use ringfence_intake::json_table::{JsonForm, to_csv};
use ringfence_intake::table::LONGEST_ROW;
use ringfence_operations::uploads;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::kind;
use super::pace::Pace;
use crate::problem::{Problem, ProblemKind, WrongPlace};

/// The largest upload, unless the configuration names another. In megabytes; a million rows have
/// some hundred.
const LARGEST_MB: u32 = 1024;
/// Free room on the disk that is left to others. In bytes.
const LEFT_FREE: u64 = 256 << 20;

/// A body that is on disk, as CSV.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) file: NamedTempFile,
    /// What the client calls the file.
    pub(crate) name: Option<String>,
    /// SHA-256 of the body.
    pub(crate) digest: Vec<u8>,
}

/// Receives the body of a request.
pub(crate) async fn receive(request: Request, folder: &Path, http: &Http) -> Result<Received, Problem> {
    let largest = u64::from(http.largest_upload_mb.unwrap_or(LARGEST_MB)) << 20;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > largest) {
        return Err(too_large(largest));
    }
    has_room(folder, length.unwrap_or_default())?;
    let kind = kind(request.headers());
    match kind.as_str() {
        "text/csv" | "text/plain" | "text/tab-separated-values" => {
            plain(request, Writer::begin(folder, largest)?).await
        }
        "multipart/form-data" => form(request, Writer::begin(folder, largest)?).await,
        "application/json" => rows(request, Writer::begin(folder, largest)?, folder, JsonForm::Array).await,
        "application/x-ndjson" | "application/jsonl" => {
            rows(request, Writer::begin(folder, largest)?, folder, JsonForm::Lines).await
        }
        _ => Err(Problem::new(ProblemKind::Unsupported, format!("`{kind}` is no form of contacts"))
            .hint("send Content-Type: text/csv, multipart/form-data, application/json or application/x-ndjson")),
    }
}

fn too_large(largest: u64) -> Problem {
    Problem::new(ProblemKind::TooLarge, format!("the file has more than {largest} bytes"))
        .hint("send it in parts; parts of a list of contacts with ?partial=true")
}

fn has_room(folder: &Path, wanted: u64) -> Result<(), Problem> {
    let free = rustix::fs::statvfs(folder).map(|disk| disk.f_bavail * disk.f_frsize);
    if free.is_ok_and(|free| free < wanted + LEFT_FREE) {
        return Err(Problem::new(ProblemKind::Failed, "the disk has too little room for this file").retry_after(60));
    }
    Ok(())
}

async fn plain(request: Request, writer: Writer) -> Result<Received, Problem> {
    let mut writer = writer.refusing_long_rows();
    let mut body = request.into_body().into_data_stream();
    let mut pace = Pace::begin();
    while let Some(chunk) = pace.next(&mut body).await? {
        writer.write(chunk).await?;
    }
    let (file, digest) = writer.end()?;
    Ok(Received { file, name: None, digest })
}

async fn form(request: Request, writer: Writer) -> Result<Received, Problem> {
    let broken = |error: &dyn std::fmt::Display| {
        Problem::new(ProblemKind::Malformed, format!("the form cannot be read: {error}"))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| broken(&error))?;
    let mut pace = Pace::begin();
    while let Some(mut field) = pace.within(form.next_field()).await?.map_err(|error| broken(&error))? {
        if field.file_name().is_none() && field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().map(str::to_owned);
        let mut writer = writer.refusing_long_rows();
        while let Some(chunk) = pace.within(field.chunk()).await?.map_err(|error| broken(&error))? {
            pace.count(chunk.len())?;
            writer.write(chunk).await?;
        }
        let (file, digest) = writer.end()?;
        return Ok(Received { file, name, digest });
    }
    Err(Problem::new(ProblemKind::Invalid, "the form has no file").hint("send the contact file as the field `file`"))
}

async fn rows(request: Request, mut writer: Writer, folder: &Path, form: JsonForm) -> Result<Received, Problem> {
    let mut body = request.into_body().into_data_stream();
    let mut pace = Pace::begin();
    while let Some(chunk) = pace.next(&mut body).await? {
        writer.write(chunk).await?;
    }
    let (sent, digest) = writer.end()?;
    let csv = uploads::begin(folder)?;
    let work = tokio::task::spawn_blocking(move || {
        let json = sent.reopen().map_err(|error| Problem::new(ProblemKind::Failed, error.to_string()))?;
        let out = std::io::BufWriter::new(csv.as_file());
        to_csv(json, form, out).map_err(|error| {
            let place = WrongPlace { pointer: error.pointer.clone(), detail: error.message.clone(), hint: None };
            Problem::new(ProblemKind::Invalid, error.message).places(vec![place])
        })?;
        Ok::<_, Problem>(csv)
    });
    let file = work.await.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))??;
    Ok(Received { file, name: None, digest })
}

/// The file that a body is written to.
struct Writer {
    file: Option<NamedTempFile>,
    digest: Sha256,
    written: u64,
    largest: u64,
    since_line_end: usize,
    longest_row: usize,
}

impl Writer {
    fn begin(folder: &Path, largest: u64) -> Result<Self, Problem> {
        let (file, digest) = (Some(uploads::begin(folder)?), Sha256::new());
        Ok(Self { file, digest, written: 0, largest, since_line_end: 0, longest_row: usize::MAX })
    }

    /// A row that does not end is refused before it fills the disk. In UTF-16 a row has twice its
    /// bytes.
    fn refusing_long_rows(self) -> Self {
        Self { longest_row: 2 * LONGEST_ROW, ..self }
    }

    async fn write(&mut self, chunk: Bytes) -> Result<(), Problem> {
        self.written += chunk.len() as u64;
        if self.written > self.largest {
            return Err(too_large(self.largest));
        }
        let last = chunk.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        self.since_line_end = last.map_or(self.since_line_end + chunk.len(), |last| chunk.len() - last - 1);
        if self.since_line_end > self.longest_row {
            return Err(
                Problem::new(ProblemKind::Invalid, "a row is longer than 1 MB").hint("send a contact file as CSV")
            );
        }
        self.digest.update(&chunk);
        let file = self.file.take();
        let work = tokio::task::spawn_blocking(move || {
            let mut file = file?;
            Some(file.write_all(&chunk).map(|()| file))
        });
        let failed = |error: &dyn std::fmt::Display| {
            Problem::new(ProblemKind::Failed, format!("the upload cannot be kept: {error}"))
        };
        match work.await {
            Ok(Some(Ok(file))) => self.file = Some(file),
            Ok(Some(Err(error))) => return Err(failed(&error)),
            Ok(None) => return Err(failed(&"its file is gone")),
            Err(error) => return Err(failed(&error)),
        }
        Ok(())
    }

    fn end(self) -> Result<(NamedTempFile, Vec<u8>), Problem> {
        let file = self.file.ok_or_else(|| Problem::new(ProblemKind::Failed, "the upload is gone"))?;
        Ok((file, self.digest.finalize().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use futures::StreamExt;

    use super::*;

    const KINDS: [&str; 4] =
        ["text/csv", "multipart/form-data; boundary=x", "application/json", "application/x-ndjson"];

    /// Receives a body of which a line comes every `pause`, `lines` times, and then nothing.
    /// Returns why it was refused.
    async fn slowly(kind: &str, pause: Duration, lines: usize) -> String {
        let folder = tempfile::TempDir::new().expect("a folder");
        let head = "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n";
        let first = futures::stream::iter(kind.starts_with("multipart").then(|| Bytes::from(head)));
        let rest = futures::stream::iter(0..lines).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Bytes::from("9876543210\n")
        });
        let body = first.chain(rest).map(Ok::<_, std::io::Error>).chain(futures::stream::pending());
        let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(Body::from_stream(body));
        let received = receive(request.expect("a request"), folder.path(), &Http::default()).await;
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "it leaves nothing");
        received.expect_err("it never ends").to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_falls_silent_is_refused() {
        for kind in KINDS {
            assert_eq!(slowly(kind, Duration::from_secs(1), 5).await, "nothing came for 30 seconds", "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_in_drops_is_refused() {
        for kind in KINDS {
            let refused = slowly(kind, Duration::from_secs(20), usize::MAX).await;
            assert_eq!(refused, "less than 8 kB a second came for a minute", "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_hours_at_an_honest_rate() {
        let mut pace = Pace::begin();
        for _ in 0..10_000 {
            pace.within(tokio::time::sleep(Duration::from_secs(29))).await.expect("something came");
            pace.count(8 * 1024 * 30).expect("8 kB a second");
        }
    }
}
