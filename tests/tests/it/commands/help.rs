//! Every command explains itself, with an example.

use ringfence_tests::binary::{output, text};
use tempfile::TempDir;

const COMMANDS: [&str; 10] =
    ["demo", "run", "check", "status", "why", "hours", "lanes", "export", "sandbox", "migrate"];

#[tokio::test]
async fn every_command_has_help_with_an_example() {
    let folder = TempDir::new().expect("a folder");
    let all = text(&output(folder.path(), &["--help"]).await);
    for command in COMMANDS {
        assert!(all.contains(&format!("  {command}")), "{command} in {all}");
        let help = output(folder.path(), &[command, "--help"]).await;
        assert!(help.status.success());
        assert!(text(&help).contains(&format!("ringfence {command}")), "{}", text(&help));
        assert!(text(&help).contains("Example"), "{}", text(&help));
    }
}

#[tokio::test]
async fn what_is_not_there_is_unknown() {
    let folder = TempDir::new().expect("a folder");
    for args in [&["forecast"][..], &["run"], &["hours", "09:00-21:00"], &["run", "x.toml", "--until", "tomorrow"]] {
        let refused = output(folder.path(), args).await;
        assert!(!refused.status.success(), "{args:?}");
        assert!(text(&refused).contains("--help"), "{}", text(&refused));
    }
}
