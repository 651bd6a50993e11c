//! Pages with commands work as they are written: the commands are run in their order, and what they
//! print is what the page says.

use std::path::Path;

use ringfence_tests::binary;

/// A block of commands, and what it prints.
#[derive(Default)]
struct Step {
    commands: String,
    prints: Vec<String>,
}

/// The steps of the guide.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = "";
    for line in guide.lines() {
        match (inside, line) {
            ("", "```sh") => {
                inside = "sh";
                steps.push(Step::default());
            }
            ("", "```text") => inside = "text",
            ("", line) if line.starts_with("```") => inside = "other",
            (_, "```") => inside = "",
            ("sh", line) => steps.last_mut().expect("a step").commands.push_str(&format!("{line}\n")),
            ("text", line) => steps.last_mut().expect("a step").prints.push(line.to_owned()),
            _ => {}
        }
    }
    steps
}

/// Whether the parts of a line, between its …, stand in the text one after the other.
fn says(text: &str, line: &str) -> bool {
    let mut rest = text;
    line.split('…').filter(|part| !part.is_empty()).all(|part| match rest.find(part) {
        Some(place) => {
            rest = &rest[place + part.len()..];
            true
        }
        None => false,
    })
}

/// Runs a page of `docs/` in a folder of its own.
async fn play(page: &str, least: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let guide = std::fs::read_to_string(&path).expect("it is there");
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let steps = steps(&guide.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}")));
    assert!(steps.len() >= least, "{} steps", steps.len());
    let mut script = String::from("set -m\n");
    for (n, step) in steps.iter().enumerate() {
        script.push_str(&format!("{{\n{}\n}} 2>&1; echo; echo '@@@ {n}'\n", step.commands));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let own = binary::path().parent().expect("a folder").display().to_string();
    let path = format!("{own}:{}", std::env::var("PATH").expect("a path"));
    let output = tokio::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("COLUMNS", "160")
        .env_remove("RINGFENCE_CONFIG")
        .env_remove("RINGFENCE_DATABASE_URL")
        .kill_on_drop(true)
        .output()
        .await
        .expect("bash is there");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = std::fs::read_to_string(folder.path().join("serve.log")).unwrap_or_default();
    let mut rest = printed.as_str();
    for (n, step) in steps.iter().enumerate() {
        let (own, after) =
            rest.split_once(&format!("@@@ {n}\n")).unwrap_or_else(|| panic!("step {n} did not end:\n{printed}\n{log}"));
        rest = after;
        for line in &step.prints {
            let is_said = own.lines().any(|printed| says(printed, line));
            assert!(is_said, "step {n}:\n{}\nprinted:\n{own}\nand not:\n{line}\n{log}", step.commands);
        }
    }
}

#[tokio::test]
async fn the_guide_of_the_api_works_as_it_is_written() {
    play("api.md", 10).await;
}

#[tokio::test]
async fn the_tutorial_works_as_it_is_written() {
    play("tutorial.md", 15).await;
}
