//! Every command that changes something, each repeated when it dies.

use super::RULES;
use crate::behaviours::Happens;
use crate::stage::{On, Stage};

pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    let (fine, done): (&[i32], &[i32]) = (&[0], &[0, 1]);
    stage.write("more.csv", "name,phone\nAsha K,+919810000000\nJaya,+919810000003\n");
    stage.write("dnc.csv", "phone\n9800000201\n9800000202\n");
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
    let token = stage.id("SELECT CAST(id AS TEXT) FROM tokens ORDER BY id DESC LIMIT 1").await?;
    stage.insist(&["token", "revoke", &token], done).await?;
    stage.insist(&["resume", "spring", "--accept"], done).await?;
    stage.finish(3).await?;
    stage.insist(&["import", "spring", "more.csv", "--partial"], fine).await?;
    let import = stage.id("SELECT CAST(id AS TEXT) FROM imports ORDER BY id DESC LIMIT 1").await?;
    stage.insist(&["import", "--undo", &import], done).await?;
    stage.insist(&["test-call", "spring.toml", "+919800000444"], fine).await?;
    stage.insist(&["run", "spring.toml", "--fresh", "again", "--until", "done", "--max-time", "4s"], &[0, 3]).await?;
    if stage.on == On::Sqlite {
        stage.insist(&["backup", "copy.db"], done).await?;
    }
    // The vendor's links to recordings are over after a week.
    let week = "UPDATE attempts SET recording_expires_at = 1 WHERE recording_expires_at IS NOT NULL";
    stage.change(week).await;
    stage.insist(&["export", "spring", "--refresh"], fine).await?;
    stage.write_campaign(&RULES.replace("max_attempts = 3", "max_attempts = 2"));
    stage.insist(&["apply", "spring.toml", "--yes"], fine).await?;
    stage.insist(&["cancel", "spring", "--yes"], done).await?;
    Ok(())
}
