//! Answers that vendors' pages show: `fixtures/{kind}/*.http`, each with where it is from
//! and what it means.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Response;
use ringfence_providers::Vendor;

/// An answer that a page shows, and what it means.
pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) means: String,
    /// Status and body.
    pub(super) says: String,
    pub(super) answer: Response<Bytes>,
}

pub(super) fn fixtures(vendor: &Vendor) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(vendor.kind);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| fixture(path)).collect()
}

fn fixture(path: &Path) -> Fixture {
    let text = std::fs::read_to_string(path).expect("a fixture");
    let mut lines = text.lines();
    let mut head = |start: &str| {
        let line = lines.next().unwrap_or_default();
        line.strip_prefix(start).unwrap_or_else(|| panic!("{}: `{line}` is not `{start}…`", path.display())).to_owned()
    };
    let from = head("# from: ");
    assert!(!from.trim().is_empty(), "{}: say where it is from", path.display());
    let (means, status) = (head("# means: "), head("HTTP/1.1 "));
    let status: u16 = status[..3].parse().expect("a status");
    let (headers, body) = text.split_once("\n\n").expect("a head and a body");
    let mut response = Response::new(Bytes::from(body.trim_end().to_owned()));
    *response.status_mut() = status.try_into().expect("a status");
    for (name, value) in headers.lines().skip(3).filter_map(|line| line.split_once(": ")) {
        let name: http::HeaderName = name.parse().expect("a header");
        response.headers_mut().insert(name, value.parse().expect("a header"));
    }
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let says = format!("{status} {}", body.trim()).to_lowercase();
    Fixture { name, means, says, answer: response }
}
