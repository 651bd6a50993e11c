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

/// Commands about one campaign, as they are typed for it.
fn about(campaign: &str) -> Vec<Vec<String>> {
    [
        "status {}",
        "status {} --watch",
        "export {}",
        "export {} --attempts",
        "why +919820012345 --campaign {}",
        "pause {}",
        "resume {}",
        "resume {} --accept",
        "cancel {} --yes",
        "import {} contacts.csv",
        "imports {}",
        "rejects {}",
        "contacts {}",
        "review --campaign {}",
    ]
    .iter()
    .map(|line| line.replace("{}", campaign).split(' ').map(str::to_owned).collect())
    .collect()
}

/// Commands about everything in a database.
const ABOUT_ALL: [&str; 11] = [
    "stop",
    "start",
    "status --all",
    "campaigns",
    "imports",
    "import --undo 1",
    "dnc list",
    "dnc remove +919820012345",
    "review",
    "lanes",
    "lanes resume main",
];

async fn refuses(folder: &std::path::Path, args: &[String], says: &str) {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let refused = output(folder, &args).await;
    let told = text(&refused);
    assert_eq!(refused.status.code(), Some(1), "{args:?}: {told}");
    assert!(told.contains(says) && told.contains("hint: "), "{args:?}: {told}");
    assert!(refused.stdout.is_empty(), "{args:?}: results are results only: {told}");
}

#[tokio::test]
async fn every_command_refuses_what_it_cannot_be_about() {
    let (folder, vendor) = project().await;
    let no_database = "there is no database at";
    for args in about("spring") {
        refuses(folder.path(), &args, no_database).await;
    }
    for line in ABOUT_ALL {
        refuses(folder.path(), &line.split(' ').map(str::to_owned).collect::<Vec<_>>(), no_database).await;
    }
    assert!(!folder.path().join("test.db").exists(), "asking makes no database");
    assert!(output(folder.path(), &["apply", "spring.toml", "--yes"]).await.status.success());
    for args in about("autumn") {
        refuses(folder.path(), &args, "there is no campaign `autumn`").await;
    }
    let elsewhere = TempDir::new().expect("a folder");
    for args in about("spring") {
        refuses(elsewhere.path(), &args, "no database is named").await;
    }
    assert!(vendor.simulator.tape().is_empty());
}

#[tokio::test]
async fn every_command_refuses_files_that_it_cannot_read() {
    let (folder, vendor) = project().await;
    assert!(output(folder.path(), &["apply", "spring.toml", "--yes"]).await.status.success());
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    write("empty.csv", b"");
    write("header.csv", b"name,mobile\nAsha,9820012345\n");
    write("twice.csv", b"phone,name,phone\n9820012345,Asha,1\n");
    for (line, says) in [
        ("import spring missing.csv", "missing.csv cannot be read"),
        ("import spring empty.csv", "empty.csv is empty"),
        ("import spring header.csv", "no column `phone`"),
        ("import spring twice.csv", "has two columns `phone`"),
        ("import --undo 99", "there is no import 99"),
        ("rejects spring --import 99", "has no import 99"),
        ("rejects spring", "has no import yet"),
        ("run spring.toml --contacts missing.csv", "missing.csv cannot be read"),
        ("preview spring.toml --contacts header.csv", "no column `phone`"),
        ("preview missing.toml", "there is no file missing.toml"),
        ("plan missing.toml", "there is no file missing.toml"),
        ("apply missing.toml", "there is no file missing.toml"),
        ("test-call missing.toml +919820012345", "there is no file missing.toml"),
        ("test-call spring.toml 12", "`12`: no such number"),
        ("init --kind twenty2 --contacts missing.csv", "missing.csv cannot be read"),
        ("init --kind carrier-pigeon --contacts header.csv", "is not a kind of provider"),
        ("dnc import missing.csv", "missing.csv cannot be read"),
        ("dnc import header.csv --column phone", "no column `phone`"),
        ("dnc add 98200", "none was added"),
        ("review settle 7 placed", "contact 7 is not in review"),
        ("serve --config missing.toml", "there is no missing.toml"),
    ] {
        refuses(folder.path(), &line.split(' ').map(str::to_owned).collect::<Vec<_>>(), says).await;
    }
    let imports = output(folder.path(), &["imports", "spring", "--json"]).await;
    assert_eq!(String::from_utf8_lossy(&imports.stdout).trim(), "[]", "nothing half done");
    assert!(vendor.simulator.tape().is_empty());
}

#[tokio::test]
async fn a_row_that_is_not_utf_8_is_named_and_the_others_are_taken() {
    let (folder, _vendor) = project().await;
    assert!(output(folder.path(), &["apply", "spring.toml", "--yes"]).await.status.success());
    let bytes = b"phone,name\n9820012345,Asha\n9820012346,Ren\xe9\n9820012347,Ravi\n";
    std::fs::write(folder.path().join("mixed.csv"), bytes).expect("written");
    let import = output(folder.path(), &["import", "spring", "mixed.csv"]).await;
    assert!(text(&import).contains("3 rows: 2 accepted, 1 rejected"), "{}", text(&import));
    let rejects = text(&output(folder.path(), &["rejects", "spring"]).await);
    assert!(rejects.contains("3,column `name` is not UTF-8"), "{rejects}");
}

#[tokio::test]
async fn a_wrong_flag_is_exit_1_for_every_command() {
    let folder = TempDir::new().expect("a folder");
    let help = text(&output(folder.path(), &["--help"]).await);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()) {
        let refused = output(folder.path(), &[command, "--no-such-flag"]).await;
        assert_eq!(refused.status.code(), Some(1), "{command}: {}", text(&refused));
    }
}

#[tokio::test]
async fn files_that_would_hurt_are_refused_before_anything_is_imported() {
    let (folder, _vendor) = project().await;
    assert!(output(folder.path(), &["apply", "spring.toml", "--yes"]).await.status.success());
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "name,phone\nAsha,9820012345\n\"Ravi,9820012346\nMeera,9820012347\n").expect("written");
    for (line, says) in [
        ("import spring list.csv", "the quote on line 3 is never closed"),
        ("run spring.toml --contacts list.csv", "the quote on line 3 is never closed"),
        ("import spring contacts.csv --rejects contacts.csv", "it is the contact file itself"),
        ("import spring contacts.csv --rejects nowhere/rejects.csv", "nowhere/rejects.csv cannot be written"),
        ("run spring.toml --rejects contacts.csv", "it is the contact file itself"),
        ("init --kind sandbox --contacts contacts.csv --name My_Camp", "is not a campaign name"),
        ("init --kind sandbox --contacts contacts.csv --name other", "its [provider.main] is of kind twenty2"),
    ] {
        refuses(folder.path(), &line.split(' ').map(str::to_owned).collect::<Vec<_>>(), says).await;
    }
    let imports = output(folder.path(), &["imports", "spring", "--json"]).await;
    assert_eq!(String::from_utf8_lossy(&imports.stdout).trim(), "[]", "nothing half done");
    let fine = "name,phone\n\"Asha\nRao\",9820012345\n5\" pipe,9820012346\n";
    std::fs::write(&list, fine).expect("written");
    let import = output(folder.path(), &["import", "spring", "list.csv"]).await;
    assert!(text(&import).contains("2 rows: 2 accepted"), "{}", text(&import));
    std::fs::write(&list, "name,phone\nRen\u{fffd},9820012349\n").expect("written");
    let lost = output(folder.path(), &["import", "spring", "list.csv"]).await;
    assert!(text(&lost).contains("1 rows: 1 rejected"), "{}", text(&lost));
}

#[tokio::test]
async fn an_empty_postgres_is_not_taken_for_a_database_by_whoever_may_make_none() {
    let (folder, vendor) = project().await;
    let url = ringfence_tests::TestDatabase::empty_postgres().await;
    for line in ["status spring", "dnc list", "run spring.toml --no-create", "stop"] {
        let line = format!("{line} --database {url}");
        refuses(
            folder.path(),
            &line.split(' ').map(str::to_owned).collect::<Vec<_>>(),
            "there is no database of Ringfence at",
        )
        .await;
    }
    assert!(vendor.simulator.tape().is_empty());
    let missing = format!("{url}x");
    let refused = output(folder.path(), &["status", "spring", "--database", &missing]).await;
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(text(&refused).contains("does not exist") && text(&refused).contains("hint: "), "{}", text(&refused));
}

#[tokio::test]
async fn a_lane_that_its_vendor_does_not_understand_is_told_by_check() {
    let folder = TempDir::new().expect("a folder");
    let config =
        "[database]\nurl = \"sqlite://x.db\"\n\n[provider.main]\nkind = \"sandbox\"\noutcomes = \"failed=100%\"\n";
    std::fs::write(folder.path().join("ringfence.toml"), config).expect("written");
    let told = output(folder.path(), &["check", "--json"]).await;
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told).contains("ringfence.toml:4:1") && text(&told).contains("is not a weight"), "{}", text(&told));
}
