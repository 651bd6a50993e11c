//! Slips of the first evening: each is told with what is wrong, where, and how to mend it. After a
//! change that is meant: `INSTA_UPDATE=always cargo xtask test first_evening`, and look.

use std::path::Path;

use ringfence_tests::binary::{Vendor, output, ringfence, text, write_project};
use tempfile::TempDir;

async fn project() -> (TempDir, Vendor) {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(ringfence_sandbox::Behaviour::default()).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 3, "");
    (folder, vendor)
}

/// What a command says, with its exit code, and with names of folders and ports left out.
async fn says(folder: &Path, vendor: &Vendor, args: &[&str]) -> String {
    let output = ringfence(folder, args).env("COLUMNS", "80").output().await.expect("it starts");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let told = told.replace(&folder.display().to_string(), "FOLDER").replace(&vendor.address.to_string(), "VENDOR");
    // Logs have times; what is told does not.
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("{\"timestamp\"")).map(str::trim_end).collect();
    format!("$ ringfence {}\n{}\nexit code {}\n\n", args.join(" "), told.join("\n"), output.status.code().unwrap_or(-1))
}

#[tokio::test]
async fn hours_zones_and_moments_that_are_written_otherwise_are_told_as_they_were_meant() {
    let (folder, vendor) = project().await;
    let folder = folder.path();
    let mut told = String::new();
    for hours in [
        "9-21",
        "9am - 9pm",
        "Mo-Sa 09:00-21:00 IST",
        "Mo-Fr 09:00-13:00 14:00-18:00",
        "09:00-18:00; 2026-12-25 off",
        "mo-fr 09:00-18:00",
        "Monday to Friday 9:30 - 18",
    ] {
        told.push_str(&says(folder, &vendor, &["hours", hours, "--timezone", "Asia/Kolkata"]).await);
    }
    for zone in ["GMT+5:30", "India", "Asia/Bombay", "New York", "Asia/Kolkatta", "IST", "Nowhere"] {
        told.push_str(&says(folder, &vendor, &["hours", "09:00-21:00", "--timezone", zone]).await);
    }
    let campaign = std::fs::read_to_string(folder.join("spring.toml")).expect("read");
    for cron in ["0 9 * * MON-FRY", "0 25 * * *", "9:00"] {
        std::fs::write(folder.join("cron.toml"), format!("{campaign}\n[schedule]\ncron = \"{cron}\"\n"))
            .expect("written");
        told.push_str(&says(folder, &vendor, &["check", "cron.toml"]).await);
    }
    insta::assert_snapshot!("hours", told);
}

#[tokio::test]
async fn files_and_numbers_that_were_confused_are_told_with_the_way_out() {
    let (folder, vendor) = project().await;
    let folder = folder.path();
    let mut told = says(folder, &vendor, &["run", "contacts.csv"]).await;
    std::fs::write(folder.join("list.xlsx"), b"PK\x03\x04\x14\0\x06\0\x1b[31m").expect("written");
    told.push_str(&says(folder, &vendor, &["run", "spring.toml", "--dry-run", "--contacts", "list.xlsx"]).await);
    told.push_str(&says(folder, &vendor, &["run", "list.xlsx"]).await);
    told.push_str(&says(folder, &vendor, &["dnc", "add", "+91", "98111", "11112"]).await);
    let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
    for (from, to) in [
        ("api_secret = { env = \"TWENTY2_API_SECRET\" }", "api_secret = \"sk_live_0123456789\""),
        ("api_secret = { env = \"TWENTY2_API_SECRET\" }", "api_key_secret = \"sk_live_0123456789\""),
        ("http://", "https://user:hunter2@"),
    ] {
        std::fs::write(folder.join("slip.toml"), config.replace(from, to)).expect("written");
        told.push_str(&says(folder, &vendor, &["check", "--config", "slip.toml"]).await);
    }
    assert!(!told.contains("sk_live_0123456789") && !told.contains("hunter2"), "a secret is shown");
    told.push_str(&says(folder, &vendor, &["stop", "--database", "postgres://x@127.0.0.1:1/y"]).await);
    let slip = format!(
        "{}\n[safety]\nmin_contacts = 10\n",
        std::fs::read_to_string(folder.join("spring.toml")).expect("read")
    );
    std::fs::write(folder.join("few.toml"), slip).expect("written");
    let rows: String = (0..3).map(|n| format!("P,98200 0000{n}\n")).collect();
    let junk: String = (0..12).map(|n| format!("J,junk{n}\n")).collect();
    std::fs::write(folder.join("few.csv"), format!("name,phone\n{rows}{rows}{junk}")).expect("written");
    told.push_str(&says(folder, &vendor, &["run", "few.toml", "--dry-run", "--contacts", "few.csv"]).await);
    insta::assert_snapshot!("confused", told);
}

#[tokio::test]
async fn a_provider_that_is_down_is_named_with_its_address() {
    let (folder, vendor) = project().await;
    let folder = folder.path();
    let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
    std::fs::write(folder.join("ringfence.toml"), config.replace(&vendor.address.to_string(), "127.0.0.1:9"))
        .expect("written");
    let run = output(folder, &["run", "spring.toml", "--until", "idle", "--max-time", "3s"]).await;
    assert!(text(&run).contains("127.0.0.1:9: Connection refused"), "{}", text(&run));
}

#[tokio::test]
async fn a_number_is_read_as_the_campaigns_read_theirs() {
    let (folder, vendor) = project().await;
    let folder = folder.path();
    assert!(text(&output(folder, &["apply", "spring.toml", "--yes"]).await).contains("spring is new"));
    let added = output(folder, &["dnc", "add", "98200 12345"]).await;
    assert!(text(&added).contains("1 added"), "{}", text(&added));
    let why = says(folder, &vendor, &["why", "9820012345"]).await;
    assert!(why.contains("+919820012345 is in no campaign's current run"), "{why}");
}
