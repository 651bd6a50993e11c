//! Wrong input: exit 1, one clear sentence, a hint, and nothing dialled or left behind.

use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, output, ringfence, text, write_project};
use tempfile::TempDir;

async fn project() -> (TempDir, Vendor) {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(Behaviour::default()).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 5, "");
    (folder, vendor)
}

#[tokio::test]
async fn mistakes_are_refused_before_anything_is_dialled() {
    let (folder, vendor) = project().await;
    let campaign = std::fs::read_to_string(folder.path().join("spring.toml")).expect("read");
    for (from, to, says) in [
        ("priority", "priorty", ""),
        ("phone = \"phone\"", "phone = \"mobile\"", "no column `mobile`"),
        ("provider = \"main\"", "provider = \"other\"", "no [provider.other]"),
        ("hours = \"24/7\"", "hours = \"24/7\"\ntimezone = \"Asia/Nowhere\"", "wrong.toml:17:12"),
        ("agent =", "agnet =", "did you mean `agent`?"),
        ("file = \"contacts.csv\"", "file = \"missing.csv\"", "missing.csv cannot be read"),
    ] {
        if !campaign.contains(from) {
            continue;
        }
        std::fs::write(folder.path().join("wrong.toml"), campaign.replace(from, to)).expect("written");
        let refused = output(folder.path(), &["run", "wrong.toml"]).await;
        assert_eq!(refused.status.code(), Some(1), "{to}: {}", text(&refused));
        let told = text(&refused);
        assert!(told.contains(says), "{to}: {told}");
        assert!(!folder.path().join("test.db").exists(), "{to}: nothing is left behind");
    }
    assert!(vendor.simulator.tape().is_empty());
}

#[tokio::test]
async fn a_missing_secret_names_the_variable() {
    let (folder, vendor) = project().await;
    let refused = ringfence(folder.path(), &["run", "spring.toml"])
        .env_remove("TWENTY2_API_SECRET")
        .output()
        .await
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("`TWENTY2_API_SECRET` is not set"), "{}", text(&refused));
    assert!(text(&refused).contains("export TWENTY2_API_SECRET"), "{}", text(&refused));
    assert!(vendor.simulator.tape().is_empty());
}

#[tokio::test]
async fn check_tells_everything_at_once_and_touches_nothing() {
    let (folder, _vendor) = project().await;
    let campaign = std::fs::read_to_string(folder.path().join("spring.toml")).expect("read");
    std::fs::write(folder.path().join("wrong.toml"), campaign.replace("agent", "agnet").replace("24/7", "25/7"))
        .expect("written");
    let fine = output(folder.path(), &["check", "spring.toml"]).await;
    assert!(fine.status.success(), "{}", text(&fine));
    let wrong = output(folder.path(), &["check", "spring.toml", "wrong.toml", "--json"]).await;
    assert_eq!(wrong.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&wrong.stdout).expect("JSON");
    assert_eq!(told["mistakes"].as_array().expect("a list").len(), 3, "{told}");
    assert!(!folder.path().join("test.db").exists());
}

#[tokio::test]
async fn no_database_no_campaign_no_number() {
    let (folder, _vendor) = project().await;
    for (args, says) in [
        (&["status", "spring"][..], "there is no database at"),
        (&["export", "spring"], "there is no database at"),
        (&["lanes"], "there is no database at"),
        (&["run", "spring.toml", "--no-create"], "there is no database at"),
        (&["run", "nothing.toml"], "there is no file nothing.toml"),
        (&["status", "spring", "--config", "nothing.toml"], "there is no nothing.toml"),
        (&["status", "spring", "--database", "mysql://x"], "is not a database address"),
    ] {
        let refused = output(folder.path(), args).await;
        assert_eq!(refused.status.code(), Some(1), "{args:?}: {}", text(&refused));
        assert!(text(&refused).contains(says), "{args:?}: {}", text(&refused));
    }
    assert!(output(folder.path(), &["migrate"]).await.status.success());
    for (args, says) in [
        (&["status", "autumn"][..], "there is no campaign `autumn`"),
        (&["why", "+919876543210"], "no campaign has the number +91******3210"),
        (&["why", "98765"], "no country code"),
        (&["lanes", "pause", "other"], "there is no lane `other`"),
    ] {
        let refused = output(folder.path(), args).await;
        assert_eq!(refused.status.code(), Some(1), "{args:?}: {}", text(&refused));
        assert!(text(&refused).contains(says), "{args:?}: {}", text(&refused));
        assert!(text(&refused).contains("hint: "), "{args:?}: {}", text(&refused));
    }
}

#[tokio::test]
async fn an_unreachable_database_is_exit_2() {
    let (folder, _vendor) = project().await;
    let refused =
        output(folder.path(), &["status", "spring", "--database", "postgres://nobody:hidden@127.0.0.1:1/x"]).await;
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(!text(&refused).contains("hidden"), "{}", text(&refused));
}
