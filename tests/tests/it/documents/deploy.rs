//! What `deploy/` tells systemd and cron to run is run here as they would: from `/`, with hardly
//! any environment.

use std::path::Path;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{self, Vendor, text, write_project};
use tempfile::TempDir;
use tokio::process::Command;

fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The value of a key of a unit file.
fn value(unit: &str, key: &str) -> String {
    let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{key}=")));
    line.unwrap_or_else(|| panic!("{key} in {unit}")).to_owned()
}

/// A machine on which everything stands where the files say, under another root.
struct Machine {
    root: TempDir,
    vendor: Vendor,
}

impl Machine {
    async fn set() -> Self {
        let root = TempDir::new().expect("a folder");
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 1)],
            talk: Span::from_millis(100),
            ring: Span::from_millis(20),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let etc = root.path().join("etc/ringfence");
        std::fs::create_dir_all(etc.join("campaigns")).expect("made");
        write_project(&etc, "sqlite://ringfence.db", &vendor, 6, "");
        for (from, to) in
            [("spring.toml", "campaigns/payment-reminder.toml"), ("contacts.csv", "campaigns/contacts.csv")]
        {
            std::fs::rename(etc.join(from), etc.join(to)).expect("moved");
        }
        for (key, secret) in [("TWENTY2_API_KEY", "key"), ("TWENTY2_API_SECRET", "canary-secret")] {
            let path = etc.join(key);
            std::fs::write(&path, secret).expect("written");
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .expect("closed to others");
        }
        let config = std::fs::read_to_string(etc.join("ringfence.toml")).expect("read");
        std::fs::write(etc.join("ringfence.toml"), config.replace("{ env =", "{ file =")).expect("written");
        Self { root, vendor }
    }

    /// A line of a file as this machine has to run it, from the root folder and with nothing but a
    /// path.
    fn shell(&self, line: &str) -> Command {
        let line = line
            .replace("/usr/local/bin/ringfence", &binary::path().display().to_string())
            .replace("/etc/ringfence", &self.root.path().join("etc/ringfence").display().to_string())
            .replace("%i", "payment-reminder");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line]).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/").kill_on_drop(true);
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    }

    async fn migrate(&self) {
        let line = "/usr/local/bin/ringfence migrate --config /etc/ringfence/ringfence.toml";
        let migrated = self.shell(line).output().await.expect("it runs");
        assert!(migrated.status.success(), "{}", text(&migrated));
    }
}

#[tokio::test]
async fn the_timers_service_never_makes_a_database_and_finds_the_same_one_each_night() {
    let machine = Machine::set().await;
    let unit = deployed("ringfence-run@.service");
    assert!(value(&unit, "SuccessExitStatus").split(' ').any(|code| code == "3"));
    let start = value(&unit, "ExecStart");
    let refused = machine.shell(&start).output().await.expect("it runs");
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("there is no database at"), "{}", text(&refused));
    machine.migrate().await;
    for night in 1..=2 {
        let ran = machine.shell(&start).output().await.expect("it runs");
        assert!(ran.status.success(), "night {night}: {}", text(&ran));
        assert_eq!(machine.vendor.simulator.tape().len(), 6, "night {night}");
    }
    let timer = deployed("ringfence-run@.timer");
    assert!(value(&timer, "OnCalendar").contains("Asia/Kolkata"));
}

#[tokio::test]
async fn the_crontab_line_runs_from_any_folder_with_no_environment() {
    let machine = Machine::set().await;
    machine.migrate().await;
    let crontab = deployed("ringfence.crontab");
    let line = crontab.lines().find(|line| !line.is_empty() && !line.starts_with('#')).expect("a line");
    // Five fields of time, then the user, then the command.
    let command = line.split_whitespace().skip(6).collect::<Vec<_>>().join(" ");
    assert!(command.contains("--no-create"), "{command}");
    // The system's log may not run here; what is written to it is.
    let command = command.replace("logger -t ringfence", "cat");
    let ran = machine.shell(&command).output().await.expect("it runs");
    assert_eq!(machine.vendor.simulator.tape().len(), 6, "{}", text(&ran));
    assert!(!text(&ran).contains("canary-secret"));
    let elsewhere = TempDir::new().expect("a folder");
    let again = machine.shell(&command).current_dir(elsewhere.path()).output().await.expect("it runs");
    assert_eq!(machine.vendor.simulator.tape().len(), 6, "the same database: {}", text(&again));
}

#[tokio::test]
async fn the_service_serves_and_stops_in_good_order() {
    let machine = Machine::set().await;
    machine.migrate().await;
    let unit = deployed("ringfence.service");
    assert!(value(&unit, "SuccessExitStatus").split(' ').any(|code| code == "143"));
    let child = machine.shell(&format!("exec {}", value(&unit, "ExecStart"))).spawn().expect("it starts");
    let import = "/usr/local/bin/ringfence apply --yes --config /etc/ringfence/ringfence.toml /etc/ringfence/campaigns/payment-reminder.toml \
                  && /usr/local/bin/ringfence import spring /etc/ringfence/campaigns/contacts.csv --config /etc/ringfence/ringfence.toml";
    let imported = machine.shell(import).output().await.expect("it runs");
    assert!(imported.status.success(), "{}", text(&imported));
    let dialled = async {
        while machine.vendor.simulator.tape().len() < 6 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), dialled).await.expect("it dials");
    let id = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
    let ended = child.wait_with_output().await.expect("it ends");
    assert_eq!(ended.status.code(), Some(143), "{}", text(&ended));
}

/// A list of words of the file that makes the image, after this key.
fn words(containerfile: &str, key: &str) -> Vec<String> {
    let line = containerfile.lines().rev().find_map(|line| line.strip_prefix(&format!("{key} "))).expect(key);
    serde_json::from_str(line).expect("a list of words")
}

#[tokio::test]
async fn the_image_serves_its_folder_beyond_the_container_and_stops_in_good_order() {
    let machine = Machine::set().await;
    let image = deployed("Containerfile");
    let line = [words(&image, "ENTRYPOINT"), words(&image, "CMD")].concat().join(" ");
    let (name, listen) = image
        .lines()
        .find_map(|line| line.strip_prefix("ENV ")?.split_once('='))
        .expect("where it listens, as the environment says it");
    assert!(listen.starts_with("0.0.0.0:"), "a container's own 127.0.0.1 is reached by nobody: {listen}");
    let data = machine.root.path().join("etc/ringfence");
    let mut serve = machine.shell(&format!("exec {line}"));
    let mut serve = serve.env(name, "0.0.0.0:0").current_dir(&data).spawn().expect("it starts");
    let address = binary::listening(&mut serve).await.unwrap_or_else(|said| panic!("{said:?}"));
    assert!(address.starts_with("0.0.0.0:"), "{address}");
    let id = serve.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
    assert_eq!(serve.wait().await.expect("it ends").code(), Some(143));
    assert!(data.join("ringfence.db").exists(), "the database is kept in the folder that is mounted");
}
