//! Every command explains itself, and every example of its help runs as it stands there.

use std::path::Path;
use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, output, ringfence, text, write_project, write_tape};
use tempfile::TempDir;

pub(crate) async fn commands(folder: &Path) -> Vec<String> {
    let all = text(&output(folder, &["--help"]).await);
    let listed = all.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A description that is wrapped begins further in.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The lines of a help that show a whole command.
fn examples(help: &str) -> Vec<Vec<String>> {
    let after = help.split_once("Example").map(|(_, after)| after).unwrap_or_default();
    let lines = after.lines().map(str::trim).filter_map(|line| line.strip_prefix("ringfence "));
    lines.map(words).collect()
}

/// Splits a line as a shell does, as far as examples need it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("a word").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A campaign `survey` that was run, of which somebody waits, and the files that examples name.
pub(super) async fn project() -> (TempDir, Vendor) {
    let folder = TempDir::new().expect("a folder");
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(100),
        ring: Span::from_millis(20),
        ..Behaviour::default()
    };
    let vendor = Vendor::begin(behaviour).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 0, "");
    let campaign = std::fs::read_to_string(folder.path().join("spring.toml")).expect("read");
    std::fs::write(folder.path().join("survey.toml"), campaign.replace("spring", "survey")).expect("written");
    std::fs::write(folder.path().join("contacts.csv"), "name,phone\nAsha,+919820012310\nRavi,+919820012311\n")
        .expect("written");
    std::fs::write(folder.path().join("dnc.csv"), "phone\n9820012355\n").expect("written");
    let run = output(folder.path(), &["run", "survey.toml", "--until", "done"]).await;
    assert!(run.status.success(), "{}", text(&run));
    write_tape(&folder.path().join("tape.jsonl"), &vendor.simulator.tape().entries());
    (folder, vendor)
}

#[tokio::test]
async fn every_command_has_help_whose_examples_run() {
    let folder = TempDir::new().expect("a folder");
    let commands = commands(folder.path()).await;
    assert!(commands.len() >= 30, "{commands:?}");
    let (original, _vendor) = project().await;
    for command in commands {
        let help = output(folder.path(), &[&command, "--help"]).await;
        assert!(help.status.success());
        let examples = examples(&text(&help));
        assert!(!examples.is_empty(), "{command} has no example: {}", text(&help));
        for example in examples {
            assert_eq!(example[0], command, "{example:?}");
            let project = copy(original.path());
            if command != "quarantine" {
                // A copied project dials nobody before an operator says so.
                let lifted =
                    output(project.path(), &["quarantine", "lift", "--strangers", "--reason", "a copy for a test"])
                        .await;
                assert!(lifted.status.success(), "{}", text(&lifted));
            }
            if command == "init" {
                std::fs::remove_file(project.path().join("ringfence.toml")).expect("removed");
            }
            if command == "login" {
                let file = project.path().join("ringfence.toml");
                let config = std::fs::read_to_string(&file).expect("a configuration");
                std::fs::write(&file, format!("{config}\n[http]\nlisten = \"127.0.0.1:8080\"\n")).expect("written");
            }
            // Somebody else may have the port that an example names.
            let example: Vec<String> = example.iter().map(|word| word.replace(":8080", ":0")).collect();
            let args: Vec<&str> = example.iter().map(String::as_str).collect();
            let child = ringfence(project.path(), &args).spawn().expect("it starts");
            if ["serve", "sandbox"].contains(&command.as_str()) || args.contains(&"--watch") {
                ends_when_told(child, &args).await;
                continue;
            }
            let ended = tokio::time::timeout(Duration::from_mins(1), child.wait_with_output()).await;
            let ended = ended.unwrap_or_else(|_| panic!("{args:?} does not end")).expect("it ends");
            // In quarantine `quarantine` itself says by its exit code that one holds.
            let held = args == ["quarantine"] && ended.status.code() == Some(4);
            assert!(ended.status.success() || held, "{args:?}: {}", text(&ended));
        }
    }
}

/// The same project for one example alone.
fn copy(original: &Path) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for entry in std::fs::read_dir(original).expect("the project") {
        let entry = entry.expect("a file");
        if entry.file_type().expect("a type").is_file() {
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
        }
    }
    folder
}

/// A command that goes on until it is told to stop says first that it has begun.
async fn ends_when_told(mut child: tokio::process::Child, args: &[&str]) {
    use tokio::io::AsyncReadExt;
    let (mut out, mut err) = (child.stdout.take().expect("its output"), child.stderr.take().expect("its errors"));
    let (mut first, mut other) = ([0; 1], [0; 1]);
    let began = async {
        tokio::select! {
            read = out.read(&mut first) => read,
            read = err.read(&mut other) => read,
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(30), began).await.expect("it says something").expect("read");
    assert_eq!(read, 1, "{args:?} ended without a word");
    let id = child.id().map(|id| id.to_string());
    if let Some(id) = id {
        drop(tokio::process::Command::new("kill").args(["-INT", &id]).status().await);
    }
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait()).await.expect("it ends").expect("it ends");
    assert!(matches!(ended.code(), Some(0 | 130)), "{args:?}: {ended:?}");
}

#[tokio::test]
async fn what_is_not_there_is_unknown() {
    let folder = TempDir::new().expect("a folder");
    for args in [&["forecast"][..], &["run"], &["hours", "09:00-21:00"], &["run", "x.toml", "--until", "tomorrow"]] {
        let refused = output(folder.path(), args).await;
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(text(&refused).contains("--help"), "{}", text(&refused));
    }
}
