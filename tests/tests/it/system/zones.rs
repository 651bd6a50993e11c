//! Whose zone data commands go by, and what they say of it.

use ringfence_domain::zone_data::ZoneData;
use ringfence_tests::binary::{json, output, text};
use ringfence_tests::zone_tree;
use tempfile::TempDir;

const HAVANA: [&str; 6] = ["hours", "09:00-21:00", "--timezone", "America/Havana", "--at", "2026-11-05T12:00:00Z"];

#[tokio::test]
async fn hours_are_read_on_the_clocks_that_are_law() {
    let folder = TempDir::new().expect("a folder");
    let told = output(folder.path(), &HAVANA).await;
    assert!(told.status.success(), "{}", text(&told));
    // Cuba keeps its summer time since 2026.
    assert!(
        text(&told).contains("closed at 2026-11-05T08:00:00-04:00, opens 2026-11-05T09:00:00-04:00"),
        "{}",
        text(&told)
    );
    assert!(text(&told).contains(&format!("zone data: {}, built in", ZoneData::in_use().version())), "{}", text(&told));
    let as_json = json(folder.path(), &[&HAVANA[..], &["--json"]].concat()).await;
    assert_eq!(as_json, serde_json::json!({ "open": false, "next_change": "2026-11-05T13:00:00Z" }));
}

#[tokio::test]
async fn a_newer_folder_is_used_and_any_other_is_spoken_of() {
    let folder = TempDir::new().expect("a folder");
    let tree = folder.path().join("zoneinfo");
    std::fs::write(folder.path().join("ringfence.toml"), "[zones]\nfolder = \"zoneinfo\"\n").expect("written");
    let check = async || json(folder.path(), &["check", "--json"]).await;
    let built_in = ZoneData::in_use().version().to_string();

    let told = check().await;
    assert_eq!(told["zone_data"], serde_json::json!({ "version": built_in, "folder": null }), "{told}");
    assert!(
        told["ok"] == true && told["cautions"][0].as_str().is_some_and(|said| said.contains("No such file")),
        "{told}"
    );

    zone_tree::write(&tree, "2025b");
    let told = check().await;
    assert_eq!(told["zone_data"]["version"], *built_in, "{told}");
    assert!(told["cautions"][0].as_str().is_some_and(|said| said.contains("has release 2025b")), "{told}");

    // Newer rules hold, and zones that are new are known, also as a lane's.
    zone_tree::write(&tree, "2999a");
    std::fs::copy(tree.join("Asia/Kolkata"), tree.join("America/Havana")).expect("copied");
    std::fs::copy(tree.join("Asia/Kolkata"), tree.join("Asia/Newtown")).expect("copied");
    let config = "[zones]\nfolder = \"zoneinfo\"\n[provider.main]\nkind = \"sandbox\"\ntimezone = \"Asia/Newtown\"\n";
    std::fs::write(folder.path().join("ringfence.toml"), config).expect("written");
    let told = check().await;
    assert_eq!(
        (&told["zone_data"]["version"], &told["cautions"], &told["ok"]),
        (&"2999a".into(), &serde_json::json!([]), &true.into()),
        "{told}"
    );
    assert!(told["zone_data"]["folder"].as_str().is_some_and(|path| path.ends_with("zoneinfo")), "{told}");
    let shown = text(&output(folder.path(), &["check"]).await);
    assert!(shown.contains("zone data: 2999a, from ") && shown.contains(": fine"), "{shown}");
    let hours = text(&output(folder.path(), &HAVANA).await);
    assert!(
        hours.contains("open at 2026-11-05T17:30:00+05:30") && hours.contains("zone data: 2999a, from "),
        "{hours}"
    );

    // A file that is gone closes its zone.
    std::fs::remove_file(tree.join("America/Havana")).expect("removed");
    let told = check().await;
    assert!(
        told["cautions"][0].as_str().is_some_and(|said| said.contains("nobody there is called: America/Havana")),
        "{told}"
    );
    let hours = text(&output(folder.path(), &HAVANA).await);
    assert!(hours.contains("closed at") && hours.contains("zone file of America/Havana cannot be read"), "{hours}");
}

#[tokio::test]
async fn a_folder_that_is_not_named_is_a_mistake_at_its_place() {
    let folder = TempDir::new().expect("a folder");
    for (config, says) in
        [("[zones]\n", "`zones.folder` is missing"), ("[zones]\nfolder = \"z\"\nfile = 1\n", "`zones.file`")]
    {
        std::fs::write(folder.path().join("ringfence.toml"), config).expect("written");
        let told = output(folder.path(), &["check"]).await;
        assert!(told.status.code() == Some(1) && text(&told).contains(says), "{}", text(&told));
    }
}
