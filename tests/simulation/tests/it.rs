//! Runs of the dialer in virtual time, each in a process of its own.

use std::path::Path;
use std::process::Command;

/// What a run says; it fails when a promise was broken.
fn ran(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence-simulation")).args(args).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{args:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn the_same_seed_is_the_same_run() {
    let log = |seed| ran(&["--seed", seed, "--steps", "25", "--log"]);
    let first = log("11");
    assert!(first.contains("Placed"), "nobody was called: {first}");
    assert_eq!(first, log("11"));
    // The same vendor, other operations.
    assert_ne!(first, log("15"));
}

#[test]
fn whatever_broke_a_promise_once_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reproductions");
    let mut files = 0;
    for file in std::fs::read_dir(folder).expect("the folder") {
        ran(&["--file", &file.expect("a file").path().display().to_string()]);
        files += 1;
    }
    assert!(files > 0);
}

/// One test for each vendor: the seed says which.
fn seeds_hold(vendor: u64) {
    for nth in 0..3 {
        ran(&["--seed", &(1_000 + 4 * nth + vendor).to_string(), "--steps", "40"]);
    }
}

#[test]
fn every_promise_holds_on_twenty2() {
    seeds_hold(0);
}

#[test]
fn every_promise_holds_on_knovvu() {
    seeds_hold(1);
}

#[test]
fn every_promise_holds_on_unleashx() {
    seeds_hold(2);
}

#[test]
fn every_promise_holds_on_iqra() {
    seeds_hold(3);
}
