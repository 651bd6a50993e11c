//! Lists that operators hand over: what is wrong with one is told, and nobody of it is called in
//! its place.

use std::path::Path;

use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, output, peak_memory, text, write_project};
use tempfile::TempDir;

async fn project() -> (TempDir, Vendor) {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(Behaviour::default()).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 5, "");
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/intake/tests/fixtures/tables"))
        .expect("fixtures")
    {
        let from = entry.expect("a fixture").path();
        std::fs::copy(&from, folder.path().join(from.file_name().expect("a name"))).expect("copied");
    }
    assert!(output(folder.path(), &["apply", "spring.toml", "--yes"]).await.status.success());
    (folder, vendor)
}

/// Runs a line, and fails unless it ends soon with this code and says this.
async fn ends(folder: &Path, line: &str, code: i32, says: &str) {
    let args: Vec<&str> = line.split(' ').collect();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), output(folder, &args)).await;
    let ended = ended.unwrap_or_else(|_| panic!("{line} does not end"));
    assert_eq!(ended.status.code(), Some(code), "{line}: {}", text(&ended));
    // Where a line is wrapped depends on the length of the folder's name.
    let printed = text(&ended);
    let words: Vec<&str> = printed.split_whitespace().filter(|word| *word != "│").collect();
    assert!(words.join(" ").contains(says), "{line}: {printed}");
}

fn edit(folder: &Path, from: &str, to: &str) {
    let campaign = std::fs::read_to_string(folder.join("spring.toml")).expect("read");
    assert!(campaign.contains(from), "{campaign}");
    std::fs::write(folder.join("spring.toml"), campaign.replace(from, to)).expect("written");
}

#[tokio::test]
async fn a_do_not_call_list_comes_in_whole_or_not_at_all() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    std::fs::write(folder.join("paired.csv"), "phone,note\n9876600001,\"asked\n9876600002,x\n9876600003,\"by mail\n")
        .expect("written");
    for (file, says) in [
        ("dnc_open_quote.csv", "dnc_open_quote.csv: the quote on line 2 is never closed"),
        ("dnc_cr.csv", "the quote on line 2 is never closed"),
        ("paired.csv", "lines 2 to 4 are one value of column `note`"),
    ] {
        ends(folder, &format!("dnc import {file} --country IN"), 1, says).await;
    }
    assert_eq!(json(folder, &["dnc", "list", "--json"]).await, serde_json::json!([]), "nobody, and it was said");
    ends(folder, "dnc import dnc_blank.csv --country IN", 0, "2 rows, 0 unreadable").await;
    ends(folder, "dnc import neg_formula.csv --country IN", 1, "line 2: `-9876543119`: a number below zero").await;
    ends(folder, "dnc import header_only.csv --country IN", 0, "has a header and no numbers").await;
    ends(folder, "dnc import dnc_mx.csv", 0, "1 added").await;
    ends(folder, "dnc add +525512345678", 0, "1 known").await;
    ends(folder, "dnc add +5491123456789", 0, "1 added").await;
    ends(folder, "dnc add +541123456789", 0, "1 known").await;
    ends(folder, "dnc add +19002345678", 0, "1 added").await;
    ends(folder, "dnc remove +19002345678", 0, "1 removed").await;
    ends(folder, "events", 0, "a number left the do-not-call list: +*").await;
}

#[tokio::test]
async fn a_do_not_call_list_keeps_its_dates_and_reasons_on_the_way_to_another_database() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    ends(folder, "dnc add 9820000001 --reason =asked,twice", 0, "1 added").await;
    std::fs::write(
        folder.join("other.csv"),
        "phone,reason,added_at\n9820000002,by mail,2024-05-06T07:08:09Z\n9820000002,again,\n9820000003,,2999-01-01T00:00:00Z\n9820000004,,last May\n",
    )
    .expect("written");
    ends(
        folder,
        "dnc import other.csv --country IN --reason register",
        0,
        "other.csv: rows: 1: added_at cannot be read",
    )
    .await;
    let exported = output(folder, &["dnc", "list"]).await.stdout;
    let exported = String::from_utf8(exported).expect("UTF-8");
    assert!(exported.contains("+919820000002,2024-05-06T07:08:09Z,"), "{exported}");
    assert!(exported.contains("/other.csv,by mail\n"), "{exported}");
    assert!(!exported.contains("2999-") && exported.contains(",register\n"), "{exported}");
    std::fs::write(folder.join("exported.csv"), &exported).expect("written");
    let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
    std::fs::write(folder.join("ringfence.toml"), config.replace("test.db", "second.db")).expect("written");
    ends(folder, "migrate", 0, "").await;
    ends(folder, "dnc import exported.csv", 0, "4 added").await;
    let second = String::from_utf8(output(folder, &["dnc", "list"]).await.stdout).expect("UTF-8");
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    // Each database has keys of its own, and so another order.
    assert_eq!(sorted(&second), sorted(&exported));
}

#[tokio::test]
async fn rows_that_quotes_have_swallowed_hold_the_import_until_a_person_accepts() {
    let (folder, vendor) = project().await;
    let folder = folder.path();
    let says = "lines 12 to 32 are one value of column `note`";
    edit(folder, "file = \"contacts.csv\"", "file = \"quotes_last_column.csv\"");
    ends(folder, "check spring.toml", 1, says).await;
    ends(folder, "run spring.toml --dry-run", 4, says).await;
    ends(folder, "run spring.toml --until done", 4, says).await;
    ends(folder, "run spring.toml --until done", 4, says).await;
    assert!(vendor.simulator.tape().is_empty(), "nobody is dialled");
    ends(folder, "import spring lf_openq_lastrow.csv", 1, "the quote on line 3 is never closed").await;
    ends(folder, "events --campaign spring", 0, "campaign spring could not take in a contact file: ").await;
    ends(folder, "resume spring --accept", 0, "").await;
    let waiting = json(folder, &["contacts", "spring", "--json"]).await;
    assert_eq!(waiting.as_array().map(Vec::len), Some(20), "{waiting}");
}

#[tokio::test]
async fn a_list_without_people_is_told_and_a_rail_can_hold_it() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    ends(folder, "import spring header_only.csv", 0, "it has a header and no people").await;
    ends(folder, "run spring.toml --contacts header_only.csv --until idle", 0, "it has a header and no people").await;
    std::fs::write(folder.join("bad.csv"), "phone,name\n98200-ABCDE,A\n-9820012345,B\n").expect("written");
    ends(folder, "import spring bad.csv", 0, "all of its 2 rows were rejected").await;
    ends(folder, "rejects spring", 0, "2,`98200-ABCDE`: letters in a number").await;
    edit(folder, "[calling]", "[safety]\nmin_contacts = 6\n\n[calling]");
    ends(folder, "run spring.toml --contacts header_only.csv --dry-run", 4, "0 people in it can be called").await;
    ends(folder, "run spring.toml --until idle", 4, "5 people in it can be called; safety.min_contacts is 6").await;
}

#[tokio::test]
async fn numbers_that_nobody_meant_to_call_are_rejected_unless_they_are_named() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    std::fs::write(
        folder.join("world.csv"),
        "phone,name\n+19002345678,A\n+881612345678,B\n+14165552600,C\n9820012345,D\n",
    )
    .expect("written");
    // The lane of the test calls numbers of India only; a sandbox takes all.
    std::fs::write(
        folder.join("ringfence.toml"),
        "[database]\nurl = \"sqlite://two.db\"\n[provider.main]\nkind = \"sandbox\"\n",
    )
    .expect("written");
    edit(folder, "file = \"contacts.csv\"", "file = \"world.csv\"");
    edit(folder, "[calling]", "[calling]\ntimezone = \"Asia/Kolkata\"");
    ends(
        folder,
        "run spring.toml --dry-run",
        0,
        "`+19002345678`: it is a premium-rate number; contacts.allow = [\"premium\"]",
    )
    .await;
    ends(folder, "run spring.toml --dry-run", 0, "2 can be called, 2 cannot").await;
    edit(folder, "country = \"IN\"", "country = \"IN\"\ncountries = [\"IN\"]\nallow = [\"satellite\"]");
    ends(
        folder,
        "run spring.toml --dry-run",
        0,
        "`+14165552600`: it is a number of CA, which contacts.countries does not have",
    )
    .await;
    ends(folder, "run spring.toml --dry-run", 0, "2 can be called, 2 cannot").await;
    ends(folder, "test-call spring.toml +19002345678", 1, "a premium-rate number").await;
    ends(folder, "check spring.toml --show-defaults", 0, "countries = [\"IN\"]").await;
}

#[tokio::test]
async fn numbers_are_written_as_the_vendor_takes_them() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    std::fs::write(folder.join("free.csv"), "phone,name\n1800 123 4567,A\n9820012345,B\n").expect("written");
    edit(folder, "file = \"contacts.csv\"", "file = \"free.csv\"");
    edit(folder, "\"9876500000\"", "\"+91 98765 00000\"");
    ends(folder, "run spring.toml --dry-run", 0, "`1800 123 4567`: the vendor takes numbers of ten digits").await;
    ends(folder, "preview spring.toml --row 2", 0, "\"caller_phone\": \"9876500000\"").await;
    edit(folder, "\"+91 98765 00000\"", "\"1800 123 4567\"");
    ends(folder, "check spring.toml", 1, "this one has 11").await;
}

#[tokio::test]
async fn what_never_ends_is_refused_by_its_name() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().expect("mkfifo");
    assert!(made.success());
    for (name, what) in [("pipe", "it is a named pipe"), (".", "it is a folder"), ("/dev/zero", "it is a device")] {
        for line in [
            "import spring {}",
            "run spring.toml --contacts {}",
            "dnc import {}",
            "init --kind sandbox --contacts {} --name x",
        ] {
            ends(folder, &line.replace("{}", name), 1, what).await;
        }
    }
    ends(folder, "check pipe", 1, "it is a named pipe").await;
    ends(folder, "run pipe", 1, "there is no file pipe").await;
    edit(folder, "file = \"contacts.csv\"", "file = \"pipe\"");
    ends(folder, "check spring.toml", 1, "it is a named pipe").await;
    ends(folder, "run spring.toml", 1, "it is a named pipe").await;
    edit(folder, "file = \"pipe\"", "file = \"/**\"");
    ends(folder, "run spring.toml", 1, "/**").await;
    let zeros = std::fs::File::create(folder.join("zeros.csv")).expect("a file");
    zeros.set_len(64 << 20).expect("a hole");
    std::fs::write(folder.join("wide.csv"), format!("phone{}\n", ",x".repeat(600))).expect("written");
    ends(folder, "import spring zeros.csv", 1, "the row on line 1 is longer than 1 MB").await;
    ends(folder, "import spring wide.csv", 1, "the row on line 1 has more than 500 columns").await;
}

#[tokio::test]
async fn standard_input_that_never_ends_a_row_is_refused() {
    let (folder, _vendor) = project().await;
    let zeros = std::fs::File::open("/dev/zero").expect("zeros");
    let mut command = ringfence_tests::binary::ringfence(folder.path(), &["import", "spring", "-"]);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), command.stdin(zeros).output()).await;
    let ended = ended.expect("it ends").expect("it runs");
    assert_eq!(ended.status.code(), Some(1), "{}", text(&ended));
    assert!(text(&ended).contains("longer than 1 MB"), "{}", text(&ended));
}

/// The limit is 100 MB; a debug build has some 20 MB more of its own.
const MOST_MEMORY: u64 = 120 * 1024;

#[tokio::test]
async fn rows_of_a_megabyte_take_little_memory_new_changed_and_known() {
    let (folder, _vendor) = project().await;
    let folder = folder.path();
    let write = |name: &str, text: &str| {
        let rows = (0..80).map(|n| format!("987660{n:04},Person,{n},{text}\n")).collect::<String>();
        std::fs::write(folder.join(name), format!("phone,name,amount_due,note\n{rows}")).expect("written");
    };
    write("long.csv", &"x".repeat(1_000_000));
    write("changed.csv", &"y".repeat(1_000_000));
    write("short.csv", "z");
    for file in ["long.csv", "changed.csv", "short.csv"] {
        let peak = peak_memory(folder, &["import", "spring", file]).await;
        assert!((10_000..MOST_MEMORY).contains(&peak), "{file}: {peak} KiB");
    }
    let imports = json(folder, &["imports", "spring", "--json"]).await;
    let updated: i64 = imports.as_array().expect("a list").iter().filter_map(|row| row["updated"].as_i64()).sum();
    assert_eq!(updated, 160, "{imports}");
}
