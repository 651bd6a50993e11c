//! The bytes of a table as UTF-8, whatever Unicode encoding the file has. They are counted and
//! hashed on their way.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Take};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use sha2::{Digest, Sha256};

use super::error::Problem;
use crate::regular;

const BUFFER: usize = 1 << 16;

/// The first bytes of other files that people take for CSV.
const OTHERS: [(&[u8], &str); 6] = [
    (b"PK\x03\x04", "a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old kind"),
    (b"\x1f\x8b", "compressed"),
    (b"%PDF", "a PDF"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
];

/// The text of a file, and what was read of it.
pub(super) struct Source {
    pub(super) text: BufReader<Box<dyn Read + Send>>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    bytes: u64,
    hash: Sha256,
}

impl Source {
    /// Opens a regular file. It is read as far as it goes now: one that grows meanwhile ends all
    /// the same.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let file = regular::open(path)?;
        let length = file.metadata()?.len();
        let seen = Arc::default();
        let mut file = Watched { file: file.take(length), seen: Arc::clone(&seen) };
        let mut start = Vec::with_capacity(4);
        Read::by_ref(&mut file).take(4).read_to_end(&mut start)?;
        if let Some((_, what)) = OTHERS.iter().find(|(sign, _)| start.starts_with(sign)) {
            return Err(Problem::NotCsv(what));
        }
        let unmarked = unmarked_utf_16(&start);
        let mut decoded = DecodeReaderBytesBuilder::new()
            .encoding(unmarked)
            .utf8_passthru(unmarked.is_none())
            .strip_bom(true)
            .bom_override(true)
            .build(Cursor::new(start).chain(file));
        // One whole buffer at first, for the code that guesses from it.
        let mut start = Vec::with_capacity(BUFFER);
        Read::by_ref(&mut decoded).take(BUFFER as u64).read_to_end(&mut start)?;
        let text: Box<dyn Read + Send> = Box::new(Cursor::new(start).chain(decoded));
        Ok(Self { text: BufReader::with_capacity(BUFFER, text), seen })
    }

    /// Returns how many bytes of the file were read.
    pub(super) fn bytes(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Returns the SHA-256 of these bytes.
    pub(super) fn hash(&self) -> Sha256 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).hash.clone()
    }
}

/// Recognises UTF-16 without a mark at its beginning, by the zero bytes of two Latin letters.
fn unmarked_utf_16(start: &[u8]) -> Option<&'static Encoding> {
    match start.iter().map(|byte| *byte == 0).collect::<Vec<_>>()[..] {
        [false, true, false, true] => Some(UTF_16LE),
        [true, false, true, false] => Some(UTF_16BE),
        _ => None,
    }
}

/// A file whose bytes are counted and hashed as they are read.
struct Watched {
    file: Take<File>,
    seen: Arc<Mutex<Seen>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.bytes += read as u64;
        seen.hash.update(&buffer[..read]);
        Ok(read)
    }
}
