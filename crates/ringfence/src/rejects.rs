//! Rows that were not taken in, written so that they can be mended and imported again: as they stood in the file, with their
//! line and the reason after them.

use std::io::Write;
use std::path::Path;

use ringfence_store::{Database, ImportRow, Reject, Store};

use crate::failure::Failure;

const PAGE: u32 = 5_000;

/// Writes the rows of an import that were not taken in to a file.
pub async fn to_file(store: &Database, import: &ImportRow, path: &Path) -> Result<(), Failure> {
    let file = std::fs::File::create(path).map_err(|error| {
        Failure::input(format!("{} cannot be written: {error}", path.display()), "name another file with --rejects")
    })?;
    to(store, import, std::io::BufWriter::new(file)).await
}

/// Writes them as CSV.
pub async fn to(store: &Database, import: &ImportRow, out: impl Write) -> Result<(), Failure> {
    let failed = |error: csv::Error| Failure::work(format!("the rejected rows cannot be written: {error}"));
    let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
    // A file of mended rejects has these columns already.
    let own = |name: &str| import.columns.iter().position(|column| column == name);
    let kept: Vec<usize> =
        (0..import.columns.len()).filter(|place| ![own("line"), own("reason")].contains(&Some(*place))).collect();
    let header = kept.iter().map(|place| import.columns[*place].as_str());
    csv.write_record(header.chain(["line", "reason"])).map_err(failed)?;
    each(store, import, |reject| {
        let value = |place: &usize| reject.record.get(*place).cloned().unwrap_or_default();
        let extra = reject.record.iter().skip(import.columns.len()).cloned();
        let row = kept.iter().map(value).chain([reject.line.to_string(), reject.reason.clone()]).chain(extra);
        csv.write_record(row).map_err(failed)
    })
    .await?;
    csv.flush()?;
    Ok(())
}

/// Every row of an import that was not taken in, in the order of the file.
pub async fn each(
    store: &Database,
    import: &ImportRow,
    mut each: impl FnMut(&Reject) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = store.rejects(import.id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.row_number;
        page.iter().try_for_each(&mut each)?;
    }
}
