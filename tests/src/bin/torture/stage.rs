//! One project of an operator, its database and its vendor, on which a story is played.

use std::path::Path;
use std::process::{ExitStatus, Output};
use std::time::Duration;

use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, ringfence, text, write_tape};
use ringfence_tests::database::{Throwaway, execute, text_of};
use ringfence_tests::fault_proxy::FaultProxy;
use ringfence_tests::project;
use serde_json::Value;

use crate::stories;

/// A command that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(3);

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

impl On {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What tests tell a process about crash points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Crash {
    /// It ends at this one.
    At(String),
    /// It writes down which ones it reaches.
    Log,
    /// Nothing.
    Never,
}

/// The stage.
pub(crate) struct Stage {
    pub(crate) on: On,
    pub(crate) database: Throwaway,
    pub(crate) vendor: Vendor,
    /// The way to the vendor.
    pub(crate) way: FaultProxy,
    crash: Crash,
    /// It has happened.
    pub(crate) crashed: bool,
}

impl Stage {
    pub(crate) async fn set(on: On, behaviour: Behaviour, crash: Crash) -> Self {
        let database = match on {
            On::Sqlite => Throwaway::sqlite(),
            On::Postgres => Throwaway::postgres().await,
        };
        let vendor = Vendor::begin(behaviour).await;
        let way = FaultProxy::before(vendor.address).await;
        Self { on, database, vendor, way, crash, crashed: false }
    }

    /// Writes what an operator begins with: a lane, the campaign `spring` with these rules, and three
    /// people.
    pub(crate) fn write_project(&self, rules: &str) {
        let lane = project::lane("main", self.way.address, 50, 10);
        self.write("ringfence.toml", &[project::database(&self.database.url), lane].concat());
        self.write_campaign(rules);
        self.write("contacts.csv", &project::contacts(0..3));
    }

    /// Writes the campaign `spring` with these rules.
    pub(crate) fn write_campaign(&self, rules: &str) {
        self.write("spring.toml", &project::campaign("spring", "main", Some("contacts.csv"), rules));
    }

    pub(crate) fn folder(&self) -> &Path {
        self.database.folder()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).expect("written");
    }

    /// A command that dies as it is wanted, unless something has died already.
    pub(crate) fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = ringfence(self.folder(), args);
        stories::environment(&mut command);
        match &self.crash {
            Crash::At(point) if !self.crashed => command.env(ringfence_crash::AT, point),
            Crash::Log => command.env(ringfence_crash::LOG, self.folder().join("points")),
            Crash::At(_) | Crash::Never => &mut command,
        };
        command
    }

    /// Runs a command to its end, and notes whether it died.
    pub(crate) async fn run(&mut self, args: &[&str]) -> Result<Output, String> {
        let running = self.command(args).output();
        let ended = tokio::time::timeout(PATIENCE, running).await.map_err(|_| format!("{args:?} does not end"))?;
        let output = ended.map_err(|error| format!("{args:?}: {error}"))?;
        self.note(output.status).map_err(|error| format!("{args:?}: {error}: {}", last_words(&output)))?;
        Ok(output)
    }

    /// Notes that a process died, or did not.
    pub(crate) fn note(&mut self, status: ExitStatus) -> Result<(), String> {
        use std::os::unix::process::ExitStatusExt;
        match status.signal() {
            Some(9) if !self.crashed => self.crashed = true,
            None => {}
            Some(signal) => return Err(format!("it ended by signal {signal}")),
        }
        Ok(())
    }

    /// Runs a command, once more if it died, until it ends with one of these codes.
    pub(crate) async fn insist(&mut self, args: &[&str], codes: &[i32]) -> Result<Output, String> {
        let mut output = self.run(args).await?;
        if output.status.code().is_none() {
            output = self.run(args).await?;
        }
        match output.status.code() {
            Some(code) if codes.contains(&code) => Ok(output),
            code => Err(format!("{args:?} ended with {code:?}: {}", last_words(&output))),
        }
    }

    /// Dials until all of so many people are finished or in review.
    pub(crate) async fn finish(&mut self, people: usize) -> Result<(), String> {
        let summary = self.dial_on().await?;
        if summary["contacts"]["total"] == people {
            return Ok(());
        }
        Err(format!("they are not {people}: {summary}"))
    }

    /// Dials until nobody waits any more.
    pub(crate) async fn dial_on(&mut self) -> Result<Value, String> {
        let args = ["run", "spring.toml", "--until", "done", "--max-time", "100s", "--json"];
        let mut again = 0;
        for _ in 0..200 {
            let output = self.run(&args).await?;
            let summary: Value = match serde_json::from_slice(&output.stdout) {
                Ok(summary) => summary,
                Err(_) if output.status.code().is_none() => continue,
                Err(_) => return Err(format!("{args:?}: {}", last_words(&output))),
            };
            // A server needs a moment to see that somebody is dead.
            if summary["already_running"] != false {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let contacts = &summary["contacts"];
            // A machine that is very busy needs longer.
            if contacts["waiting"] != 0 && output.status.code() == Some(0) && again < 2 {
                again += 1;
                continue;
            }
            if contacts["waiting"] != 0 || contacts["active"] != 0 {
                return Err(format!("somebody is not finished, exit {:?}: {summary}", output.status.code()));
            }
            return Ok(summary);
        }
        Err("another run never ended".to_owned())
    }

    /// Goes through every call again, with the vendor's tape. A broken promise is an error.
    pub(crate) async fn verify(&mut self) -> Result<Value, String> {
        write_tape(&self.folder().join("tape.jsonl"), &self.vendor.simulator.tape().entries());
        let output = self.run(&["verify", "--tape", "tape.jsonl", "--json"]).await?;
        let verified: Value =
            serde_json::from_slice(&output.stdout).map_err(|_| format!("verify: {}", last_words(&output)))?;
        let broken =
            ["duplicated", "lost", "out_of_window", "over_limit"].into_iter().find(|kind| verified[*kind] != 0);
        match broken {
            Some(kind) => Err(format!("{kind}: {}", verified["findings"])),
            None => Ok(verified),
        }
    }

    /// The text that a question to the rows finds.
    pub(crate) async fn find(&self, question: &'static str) -> Option<String> {
        text_of(&self.database.url, question).await
    }

    /// The id that a question to the rows finds. A transaction that was undone by a crash may have
    /// used one up: on Postgres the next one gets another.
    pub(crate) async fn id(&self, question: &'static str) -> Result<String, String> {
        self.find(question).await.ok_or_else(|| format!("nothing is found by {question}"))
    }

    /// Does to the rows what time, or nobody's command, does. The table must be there.
    pub(crate) async fn change(&self, statement: &'static str) {
        execute(&self.database.url, statement).await;
    }

    /// The points that were reached, when they are logged.
    pub(crate) fn points(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder().join("points")).unwrap_or_default();
        let mut points: Vec<String> = text.lines().map(str::to_owned).collect();
        points.sort();
        points.dedup();
        points
    }
}

/// The end of what a command said.
pub(crate) fn last_words(output: &Output) -> String {
    let text = text(output);
    let start = text.char_indices().rev().nth(1_500).map_or(0, |(at, _)| at);
    text[start..].to_owned()
}
