//! What an operator does, from an empty database until everybody was called. Wherever a process
//! dies, it is started again.

use serde_json::Value;

use crate::behaviours::{Happens, well};
use crate::served;
use crate::stage::{Crash, On, Stage};

/// One story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Story {
    /// Somebody dials a list.
    Dial,
    /// Somebody uses every command that changes something.
    Operate,
    /// Programs and browsers ask a `serve`.
    Serve,
}

impl Story {
    pub(crate) const ALL: [Self; 3] = [Self::Dial, Self::Operate, Self::Serve];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::Operate => "operate",
            Self::Serve => "serve",
        }
    }
}

/// How a story ended.
#[derive(Debug)]
pub(crate) struct End {
    /// A process died in it.
    pub(crate) crashed: bool,
    /// What `verify` says.
    pub(crate) verified: Value,
    /// The points that were reached, when they were logged.
    pub(crate) points: Vec<String>,
}

/// Plays a story. An error is a broken promise, or something that hangs.
pub(crate) async fn play(story: Story, on: On, happens: Happens, crash: Crash) -> Result<End, String> {
    let behaviour = if story == Story::Dial { happens.behaviour() } else { well() };
    let mut stage = Stage::set(on, behaviour, crash).await;
    write_project(&stage);
    match story {
        Story::Dial => dial(&mut stage, happens).await?,
        Story::Operate => operate(&mut stage).await?,
        Story::Serve => served::play(&mut stage).await?,
    }
    let verified = stage.verify().await?;
    let end = End { crashed: stage.crashed, verified, points: stage.points() };
    stage.database.drop_it().await;
    Ok(end)
}

/// Everybody gets a call, whatever happens to the first requests.
async fn dial(stage: &mut Stage, happens: Happens) -> Result<(), String> {
    if let Happens::Way(how) = happens {
        stage.way.break_by(how, b"POST ");
    }
    let ended = stage.run(&["run", "spring.toml", "--until", "done", "--max-time", "12s"]).await?;
    if ended.status.code().is_some_and(|code| !matches!(code, 0 | 3 | 4)) {
        return Err(format!("run ended with {:?}: {}", ended.status.code(), crate::stage::last_words(&ended)));
    }
    stage.way.heal();
    stage.vendor.simulator.change(|behaviour| *behaviour = well());
    // What the vendor said may have paused the lane, or the campaign.
    stage.insist(&["lanes", "resume", "main"], &[0, 1, 4]).await?;
    stage.insist(&["resume", "spring", "--accept"], &[0, 1, 4]).await?;
    let summary = stage.finish().await?;
    if summary["contacts"]["total"] != 3 {
        return Err(format!("somebody is missing: {summary}"));
    }
    Ok(())
}

/// Every command that changes something, each repeated when it dies.
async fn operate(stage: &mut Stage) -> Result<(), String> {
    let (fine, done): (&[i32], &[i32]) = (&[0], &[0, 1]);
    let on_sqlite = stage.database.url.starts_with("sqlite");
    stage.insist(&["migrate"], fine).await?;
    stage.insist(&["apply", "spring.toml", "--draft", "--yes"], fine).await?;
    stage.insist(&["import", "spring", "contacts.csv"], fine).await?;
    stage.insist(&["resume", "spring"], done).await?;
    stage.insist(&["pause", "spring", "--reason", "a look"], fine).await?;
    stage.insist(&["dnc", "add", "+919800000001", "--reason", "asked"], fine).await?;
    stage.insist(&["dnc", "remove", "+919800000001"], done).await?;
    stage.insist(&["dnc", "import", "dnc.csv", "--country", "IN"], fine).await?;
    stage.insist(&["lanes", "pause", "main"], fine).await?;
    stage.insist(&["lanes", "resume", "main"], fine).await?;
    stage.insist(&["stop", "--reason", "a look"], fine).await?;
    stage.insist(&["start"], fine).await?;
    stage.insist(&["token", "create", "--scope", "viewer", "--name", "tests"], done).await?;
    stage.insist(&["token", "revoke", "1"], done).await?;
    stage.insist(&["resume", "spring", "--accept"], done).await?;
    stage.finish().await?;
    stage.insist(&["import", "spring", "more.csv", "--partial"], fine).await?;
    stage.insist(&["import", "--undo", "2"], done).await?;
    stage.insist(&["test-call", "spring.toml", "+919800000444"], fine).await?;
    stage.insist(&["run", "spring.toml", "--fresh", "again", "--until", "done", "--max-time", "4s"], &[0, 3]).await?;
    if on_sqlite {
        stage.insist(&["backup", "copy.db"], done).await?;
    }
    let rules = std::fs::read_to_string(stage.folder().join("spring.toml")).expect("the campaign");
    stage.write("spring.toml", &rules.replace("max_attempts = 3", "max_attempts = 2"));
    stage.insist(&["apply", "spring.toml", "--yes"], fine).await?;
    stage.insist(&["cancel", "spring", "--yes"], done).await?;
    Ok(())
}

fn write_project(stage: &Stage) {
    let config = format!(
        r#"
[database]
url = "{}"

[provider.main]
kind = "twenty2"
base_url = "http://{}/api"
workspace_id = "tests"
api_key = {{ env = "TWENTY2_API_KEY" }}
api_secret = {{ env = "TWENTY2_API_SECRET" }}
limits = {{ calls = "50/s", requests = "500/s", concurrent = 10 }}
"#,
        stage.database.url, stage.way.address
    );
    stage.write("ringfence.toml", &config);
    stage.write(
        "spring.toml",
        r#"
name = "spring"
provider = "main"
agent = "69de483c68b23495c853b43a"
caller_ids = ["9876500000"]

[contacts]
file = "contacts.csv"
phone = "phone"
country = "IN"

[variables]
customerName = "{name}"

[calling]
hours = "24/7"

[retry]
busy = "1s"
voicemail = "1s"
max_attempts = 3

[on_unknown]
ask_for = "8s"
"#,
    );
    stage.write("contacts.csv", "name,phone\nAsha,+919800000101\nRavi,+919800000102\nMira,+919800000103\n");
    stage.write("more.csv", "name,phone\nAsha K,+919800000101\nJaya,+919800000104\n");
    stage.write("dnc.csv", "phone\n9800000201\n9800000202\n");
}
