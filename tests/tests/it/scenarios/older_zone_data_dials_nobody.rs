//! A newer zoneinfo tree dials; a process without it dials nobody on the same database and says
//! why; with it the rest are dialled. A zone whose file cannot be read is closed.

use std::path::Path;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, output, text, write_project};
use ringfence_tests::{on_both_databases, sample, zone_tree};

async fn vendor() -> Vendor {
    let moment = Span::from_millis(10);
    Vendor::begin(Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: moment,
        talk: moment,
        ..Behaviour::default()
    })
    .await
}

/// Writes the project with so many contacts, and lets it use the tree or not.
fn write(folder: &Path, database: &str, vendor: &Vendor, contacts: usize, tree: bool) {
    write_project(folder, database, vendor, contacts, "");
    if tree {
        let path = folder.join("ringfence.toml");
        let config = std::fs::read_to_string(&path).expect("read");
        std::fs::write(path, format!("{config}\n[zones]\nfolder = \"zoneinfo\"\n")).expect("written");
    }
}

on_both_databases! {
    async fn a_process_without_the_newest_data_dials_nobody_and_says_so(database) {
        let (folder, vendor) = (database.folder(), vendor().await);
        zone_tree::write(&folder.join("zoneinfo"), "2999a");
        write(folder, &database.url, &vendor, 4, true);
        let done = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!((&done["contacts"]["done"], vendor.simulator.tape().calls().len()), (&4.into(), 4), "{done}");

        write(folder, &database.url, &vendor, 7, false);
        let held = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        let status = json(folder, &["status", "spring", "--json"]).await;
        let why = status["held_by"].as_str().unwrap_or_default();
        assert!(why.starts_with("zone data: ") && why.contains("2999a") && why.contains("[zones] folder"), "{status}");
        assert_eq!((&status["state"], &status["waiting_for"]["held"]), (&"held".into(), &3.into()), "{status}");
        let start = output(folder, &["start"]).await;
        assert!(start.status.code() == Some(4) && text(&start).contains("2999a"), "{}", text(&start));
        assert_eq!(vendor.simulator.tape().calls().len(), 4, "nobody was dialled by older data");

        write(folder, &database.url, &vendor, 7, true);
        let done = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!((&done["contacts"]["done"], vendor.simulator.tape().calls().len()), (&7.into(), 7), "{done}");
    }
}

on_both_databases! {
    async fn a_zone_whose_file_cannot_be_read_is_closed(database) {
        let (folder, vendor) = (database.folder(), vendor().await);
        let tree = folder.join("zoneinfo");
        zone_tree::write(&tree, "2999a");
        std::fs::write(tree.join("Asia/Kolkata"), "TZif, and then nothing").expect("written");
        write(folder, &database.url, &vendor, 2, true);
        let path = folder.join("spring.toml");
        let campaign = std::fs::read_to_string(&path).expect("read");
        let with_zones = campaign.replace("phone = \"phone\"", "phone = \"phone\"\ntimezone = \"tz\"");
        std::fs::write(path, with_zones).expect("written");
        let [in_kolkata, in_dubai] = [0, 1].map(|n| sample::number(n).e164().to_owned());
        let rows = format!("name,phone,tz\nA,{in_kolkata},Asia/Kolkata\nB,{in_dubai},Asia/Dubai\n");
        std::fs::write(folder.join("contacts.csv"), rows).expect("written");
        let ran = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert!(text(&ran).contains("nobody there is called: Asia/Kolkata"), "{}", text(&ran));
        // As the vendor writes numbers: without a sign, or without the country.
        let calls = vendor.simulator.tape().calls();
        let called: Vec<bool> = calls.iter().map(|call| in_dubai.ends_with(&call.callee)).collect();
        assert_eq!(called, [true], "{calls:?}");
        let why = json(folder, &["why", &in_kolkata, "--campaign", "spring", "--json"]).await;
        let hours = why["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == "hours");
        let says = hours.map(|rule| (&rule["allows"], rule["says"].as_str().unwrap_or_default()));
        assert!(says.is_some_and(|(allows, says)| allows == false && says.contains("file of Asia/Kolkata")), "{why}");

        zone_tree::write(&tree, "2999b");
        let done = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!((&done["contacts"]["done"], vendor.simulator.tape().calls().len()), (&2.into(), 2), "{done}");
    }
}
