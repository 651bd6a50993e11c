//! The best peer: a dialer on graphile-worker, as its users would write it. It claims a job, posts the
//! call and updates the contact: one write a dial, nothing is checked, and a crash repeats the call.

use std::path::Path;

use tokio::process::Command;

const PROGRAM: &str = include_str!("peer.js");

/// Returns how many dials a second there were.
pub(crate) async fn measure(folder: &Path, url: &str, vendor: &str, dials: usize) -> f64 {
    let folder = folder.join("peer");
    if !folder.exists() {
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("package.json"), "{ \"private\": true }").expect("written");
        std::fs::write(folder.join("peer.js"), PROGRAM).expect("written");
        let wanted = ["install", "--no-audit", "--no-fund", "--silent", "graphile-worker@0.17", "pg@8", "undici@7"];
        let installed = Command::new("npm").args(wanted).current_dir(&folder).status().await.expect("npm");
        assert!(installed.success(), "the peer's packages cannot be had");
    }
    let run = Command::new("node")
        .args(["peer.js", &dials.to_string(), vendor])
        .env("PGURL", url)
        .current_dir(&folder)
        .output()
        .await
        .expect("node");
    let said = String::from_utf8_lossy(&run.stdout);
    let rate = said.trim().parse();
    rate.unwrap_or_else(|_| panic!("the peer said: {said}{}", String::from_utf8_lossy(&run.stderr)))
}
