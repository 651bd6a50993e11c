//! Rows that were rejected, written so that they can be mended and imported again: line and reason
//! first, then the row as it stood in the file, so that a row that is too short stays too short.

use std::io::Write;
use std::path::{Path, PathBuf};

use ringfence_intake::contacts::is_rejects;
use ringfence_store::{Database, ImportRow, Reject};
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::input_file::InputFile;

/// Rows that are read at once: each may have 1 MB.
const PAGE: u32 = 32;
/// The kind of reason of rows that are no mistake: their number stands in the file already.
const DUPLICATE: &str = "duplicate";

/// A file for rejected rows, which takes its place only once it is written.
#[derive(Debug)]
pub struct RejectsFile {
    path: PathBuf,
    written: NamedTempFile,
}

impl RejectsFile {
    /// Makes sure that the file can be written, before anything else happens.
    pub fn prepare(path: &Path, input: Option<&InputFile>) -> Result<Self, Error> {
        let hint = "name another file with --rejects";
        let refused = |error: &dyn std::fmt::Display| {
            Error::input(format!("{} cannot be written: {error}", path.display()), hint)
        };
        let same = |input: &InputFile| {
            path.canonicalize().ok().is_some_and(|own| input.path().canonicalize().ok() == Some(own))
        };
        if input.is_some_and(same) {
            return Err(refused(&"it is the contact file itself"));
        }
        if path.is_dir() {
            return Err(refused(&"it is a folder"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = NamedTempFile::new_in(folder).map_err(|error| refused(&error))?;
        Ok(Self { path: path.to_owned(), written })
    }

    /// Writes the rejected rows of an import.
    pub async fn write(self, store: &Database, import: &ImportRow) -> Result<(), Error> {
        to(store, import, Kind::Rejected, std::io::BufWriter::new(&self.written)).await?;
        self.written.persist(&self.path).map_err(|error| Error::work(error.to_string()))?;
        Ok(())
    }
}

/// Which rows that were not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Those that cannot be called.
    Rejected,
    /// Those whose number stood elsewhere.
    Duplicate,
}

/// The columns that come before the file's own, under names that it does not have.
pub fn own_columns(columns: &[String]) -> [String; 2] {
    ["line", "reason"].map(|name| {
        let mut name = name.to_owned();
        while columns.contains(&name) {
            name.insert_str(0, "reject_");
        }
        name
    })
}

/// Writes rows of an import that were not taken in as CSV.
pub async fn to(store: &Database, import: &ImportRow, kind: Kind, out: impl Write) -> Result<(), Error> {
    let failed = |error: csv::Error| Error::work(format!("the rejected rows cannot be written: {error}"));
    let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
    // Of mended rejects that were rejected again, the last reason counts.
    let ours = if is_rejects(&import.columns) { 2 } else { 0 };
    let columns = import.columns.get(ours..).unwrap_or_default();
    csv.write_record(own_columns(columns).iter().chain(columns)).map_err(failed)?;
    for_each(store, import, |reject| {
        if (reject.code == DUPLICATE) != (kind == Kind::Duplicate) {
            return Ok(());
        }
        let own = [reject.line.to_string(), reject.reason.clone()];
        csv.write_record(own.iter().chain(reject.record.iter().skip(ours))).map_err(failed)
    })
    .await?;
    csv.flush()?;
    Ok(())
}

/// Every row of an import that was not taken in, in the order of the file.
pub async fn for_each(
    store: &Database,
    import: &ImportRow,
    mut each: impl FnMut(&Reject) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let page = store.rejects(import.id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.row_number;
        page.iter().try_for_each(&mut each)?;
    }
}
