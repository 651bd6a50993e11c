//! What `check` finds in a campaign, its contact file and its lane together: at the line of the
//! key itself, with its mend.

use std::path::Path;

use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, output, text, write_project};
use serde_json::Value;
use tempfile::TempDir;

/// The mistakes and cautions of a project whose campaign has these changes.
async fn check(folder: &Path, changes: &[(&str, &str)], csv: Option<&str>) -> (Vec<String>, Vec<String>) {
    let vendor = Vendor::begin(Behaviour::default()).await;
    write_project(folder, "sqlite://test.db", &vendor, 3, "[results]\nopt_out = { when = { opted_out = \"yes\" } }");
    let path = folder.join("spring.toml");
    let campaign = std::fs::read_to_string(&path).expect("read");
    let changed = changes.iter().fold(campaign, |text, (from, to)| text.replace(from, to));
    std::fs::write(&path, changed).expect("written");
    if let Some(csv) = csv {
        std::fs::write(folder.join("contacts.csv"), csv).expect("written");
    }
    told(folder, "spring.toml").await
}

async fn told(folder: &Path, file: &str) -> (Vec<String>, Vec<String>) {
    let told = output(folder, &["check", file, "--json"]).await;
    let json: Value = serde_json::from_slice(&told.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&told)));
    let list = |key: &str| {
        json[key].as_array().expect("a list").iter().map(|line| line.as_str().expect("a text").to_owned()).collect()
    };
    (list("mistakes"), list("cautions"))
}

#[tokio::test]
async fn a_sound_campaign_has_neither_mistakes_nor_cautions() {
    let folder = TempDir::new().expect("a folder");
    assert_eq!(check(folder.path(), &[], None).await, (vec![], vec![]));
}

#[tokio::test]
async fn wrong_columns_are_told_at_the_key_that_names_them() {
    for (change, place) in [
        (("phone = \"phone\"", "phone = \"mobile\""), "spring.toml:9:9: the contact file has no column `mobile`"),
        (("{name}", "{nmae}"), "spring.toml:13:16: the contact file has no column `nmae`"),
    ] {
        let folder = TempDir::new().expect("a folder");
        let (mistakes, _) = check(folder.path(), &[change], None).await;
        assert!(mistakes.len() == 1 && mistakes[0].contains(place), "{place}: {mistakes:?}");
    }
}

#[tokio::test]
async fn contacts_that_are_not_there_or_cannot_be_read_are_told_at_their_key() {
    let folder = TempDir::new().expect("a folder");
    let (mistakes, cautions) = check(folder.path(), &[("contacts.csv", "later.csv")], None).await;
    assert_eq!(mistakes, Vec::<String>::new());
    assert!(cautions[0].contains("spring.toml:8:8: caution") && cautions[0].contains("not there yet"), "{cautions:?}");
    std::fs::create_dir(folder.path().join("later.csv")).expect("a folder");
    let (mistakes, _) = told(folder.path(), "spring.toml").await;
    assert!(mistakes[0].contains("spring.toml:8:8: "), "{mistakes:?}");
}

#[tokio::test]
async fn double_braces_around_a_column_are_a_caution() {
    let folder = TempDir::new().expect("a folder");
    check(folder.path(), &[], None).await;
    let mustache = include_str!("../../../../crates/intake/tests/fixtures/contacts/mustache.toml");
    std::fs::write(folder.path().join("mustache.toml"), mustache).expect("written");
    std::fs::write(folder.path().join("c.csv"), "phone,name\n9820012345,Asha\n").expect("written");
    let text = mustache.replace("agent = \"123\"", "agent = \"123\"\ncaller_ids = [\"9876500000\"]");
    std::fs::write(folder.path().join("mustache.toml"), text).expect("written");
    let (mistakes, cautions) = told(folder.path(), "mustache.toml").await;
    assert_eq!(mistakes, Vec::<String>::new());
    for place in ["mustache.toml:12:12: caution: `{{name}}`", "mustache.toml:13:6: caution: `{{name}}`"] {
        assert!(cautions.iter().any(|caution| caution.contains(place)), "{place}: {cautions:?}");
    }
}

#[tokio::test]
async fn a_lane_that_calls_nobody_of_the_list_is_a_mistake() {
    let folder = TempDir::new().expect("a folder");
    let american = "name,phone\nAnn,+12125552600\nBob,+13055552601\n";
    let (mistakes, _) = check(folder.path(), &[], Some(american)).await;
    assert!(mistakes.len() == 1 && mistakes[0].contains("spring.toml:3:12: lane main calls nobody"), "{mistakes:?}");
}

#[tokio::test]
async fn a_schedule_outside_the_hours_is_a_caution_at_cron() {
    for (cron, hours, outside) in [
        ("0 7 * * *", "09:00-21:00", true),
        ("0 10 * * SUN", "Mo-Sa 09:00-21:00", true),
        ("0 10 * * *", "Mo-Sa 09:00-21:00", false),
        ("*/15 * * * *", "09:00-21:00", false),
    ] {
        let folder = TempDir::new().expect("a folder");
        let hours = format!("hours = \"{hours}\"\ntimezone = \"Asia/Kolkata\"\n[schedule]\ncron = \"{cron}\"");
        let (_, cautions) = check(folder.path(), &[("hours = \"24/7\"", &hours)], None).await;
        let told =
            cautions.iter().any(|caution| caution.contains("spring.toml:19:8: caution: ") && caution.contains(cron));
        assert_eq!(told, outside, "{cron}: {cautions:?}");
    }
}

#[tokio::test]
async fn a_database_address_that_is_none_is_told_at_its_key() {
    let folder = TempDir::new().expect("a folder");
    check(folder.path(), &[], None).await;
    let path = folder.path().join("ringfence.toml");
    let config = std::fs::read_to_string(&path).expect("read").replace("sqlite://test.db", "mysql://x");
    std::fs::write(&path, config).expect("written");
    let (mistakes, _) = told(folder.path(), "spring.toml").await;
    assert!(mistakes[0].contains("ringfence.toml:3:7: "), "{mistakes:?}");
}
