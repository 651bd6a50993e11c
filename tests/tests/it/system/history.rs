//! What was done before: runs, their contacts and attempts, and a number's calls in all of them.

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, output, text, write_project};
use ringfence_tests::database::execute;
use ringfence_tests::on_both_databases;

fn answered() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(50),
        ring: Span::from_millis(10),
        ..Behaviour::default()
    }
}

on_both_databases! {
    async fn earlier_runs_are_listed_and_exported(database) {
        let vendor = Vendor::begin(answered()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 2, "timezone = \"Asia/Kolkata\"\n");
        json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        // Another list in the second run, with its columns in another order than the alphabet's.
        let second = ringfence_tests::sample::number(7);
        std::fs::write(folder.join("contacts.csv"), format!("zone,phone,name,age\nx,{},Late,7\n", second.e164())).expect("written");
        json(folder, &["run", "spring.toml", "--fresh", "december", "--until", "done", "--json"]).await;

        let runs = json(folder, &["runs", "spring", "--json"]).await;
        let seen = |n: usize| ["number", "reached", "calls"].map(|key| runs[n][key].as_i64().expect("a number"));
        assert_eq!((seen(0), seen(1)), ([1, 2, 2], [2, 1, 1]), "{runs}");
        assert_eq!((&runs[1]["key"], &runs[1]["current"]), (&"december".into(), &true.into()));

        let export = async |args: &[&str]| {
            let done = output(folder, &[&["export", "spring"], args].concat()).await;
            assert!(done.status.success(), "{}", text(&done));
            String::from_utf8(done.stdout).expect("UTF-8")
        };
        let current = export(&[]).await;
        assert!(current.lines().next().expect("a header").contains(",in.zone,in.phone,in.name,in.age,out."), "{current}");
        assert_eq!(current.lines().count(), 2, "{current}");
        assert!(current.contains("+05:30"), "times are the campaign's: {current}");
        let first = export(&["--run", "1"]).await;
        assert_eq!(first.lines().count(), 3, "{first}");
        assert!(first.contains("Person 0") && !first.contains("Late"), "{first}");
        assert!(export(&["--bom"]).await.starts_with("\u{feff}id,"));
        assert_eq!(export(&["--attempts", "--only", "reached", "--run", "1"]).await.lines().count(), 3);
        assert_eq!(export(&["--attempts", "--only", "unreached"]).await.lines().count(), 1, "a header alone");
        let none = output(folder, &["export", "spring", "--run", "9"]).await;
        assert_eq!(none.status.code(), Some(1), "{}", text(&none));
        assert!(text(&none).contains("name one from 1 to 2"), "{}", text(&none));

        let number = ringfence_tests::sample::number(0);
        let why = text(&output(folder, &["why", number.e164()]).await);
        assert!(why.contains("spring, run 1: ended answered"), "{why}");
    }
}

on_both_databases! {
    async fn an_old_run_is_erased_and_its_counts_are_still_told(database) {
        let vendor = Vendor::begin(answered()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 2, "timezone = \"Asia/Kolkata\"\n");
        json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        json(folder, &["run", "spring.toml", "--fresh", "december", "--until", "done", "--json"]).await;
        let erase = async |args: &[&str], code| {
            let done = output(folder, &[&["erase"], args].concat()).await;
            assert_eq!(done.status.code(), Some(code), "{}", text(&done));
            text(&done)
        };
        assert!(erase(&[], 1).await.contains("[retention] people = \"180d\""));
        let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
        std::fs::write(folder.join("ringfence.toml"), format!("{config}\n[retention]\npeople = \"90d\"\n")).expect("written");
        assert!(erase(&["--yes"], 0).await.contains("nobody is to be erased"));
        execute(&database.url, "UPDATE runs SET last_dial_at = last_dial_at - 8640000000 WHERE number = 1").await;
        assert!(erase(&["--older-than", "200d", "--yes"], 0).await.contains("nobody is to be erased"));
        let shown = erase(&["--dry-run"], 0).await;
        assert!(shown.contains("spring") && shown.contains("nothing was erased: --dry-run"), "{shown}");
        assert!(erase(&[], 1).await.contains("say --yes"), "nobody can be asked");
        assert_eq!(json(folder, &["runs", "spring", "--json"]).await[0]["erased_at"], serde_json::Value::Null);
        assert!(erase(&["--yes"], 0).await.contains("erased: 2 contacts of 1 run"));

        let runs = json(folder, &["runs", "spring", "--json"]).await;
        assert!(runs[0]["erased_at"].is_string(), "{runs}");
        assert_eq!((&runs[0]["reached"], &runs[1]["erased_at"]), (&2.into(), &serde_json::Value::Null));
        let gone = output(folder, &["export", "spring", "--run", "1"]).await;
        assert_eq!(gone.status.code(), Some(1), "{}", text(&gone));
        assert!(text(&gone).contains("the people of run 1 of spring were erased"), "{}", text(&gone));
        let verified = output(folder, &["verify"]).await;
        assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
    }
}
