//! What an editor completes and checks the files by, beside the campaign.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use ringfence_intake::keys::schema;
use serde_json::Value;

use crate::error::Error;
use crate::workspace;

/// The folder of them, beside the campaign.
pub(super) const FOLDER: &str = ".ringfence";
pub(super) const CONFIG: &str = "ringfence.schema.json";
pub(super) const CAMPAIGN: &str = "campaign.schema.json";

/// Writes the two schemas of this version of the program, over those of an earlier one: the keys
/// that an editor knows are those that this program reads.
pub(super) fn write(folder: &Path) -> Result<(), Error> {
    let vendors = workspace::vendors();
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for (name, schema) in [(CONFIG, schema::config(&vendors)), (CAMPAIGN, schema::campaign(&vendors))] {
        let path = folder.join(name);
        replace(&path, &schema).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

fn replace(path: &Path, schema: &Value) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{schema:#}")?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::input(format!("{} cannot be written: {error}", path.display()), "choose a folder that you may write to")
}

/// The first line of a file, by which an editor finds its schema. The path is relative to the file:
/// <https://taplo.tamasfe.dev/configuration/directives.html>
pub(super) fn line(file: &Path, folder: &Path, schema: &str) -> String {
    format!("#:schema {}\n", seen_from(file, &folder.join(schema)).display())
}

/// A path as it is written in a file that stands elsewhere.
fn seen_from(file: &Path, other: &Path) -> PathBuf {
    let [from, to] = [file, other].map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let from: Vec<Component<'_>> = from.parent().into_iter().flat_map(Path::components).collect();
    let to: Vec<Component<'_>> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    up.chain(to[shared..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_the_file_sees_it() {
        for (file, other, written) in [
            ("list.toml", ".ringfence/a.json", ".ringfence/a.json"),
            ("/calls/list.toml", "/calls/.ringfence/a.json", ".ringfence/a.json"),
            ("/calls/2026/may/list.toml", "/calls/.ringfence/a.json", "../../.ringfence/a.json"),
            ("/calls/list.toml", "/etc/ringfence/.ringfence/a.json", "../etc/ringfence/.ringfence/a.json"),
        ] {
            assert_eq!(seen_from(Path::new(file), Path::new(other)), Path::new(written), "{file}");
        }
    }
}
