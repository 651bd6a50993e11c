//! The people of a run that is over are erased, wherever the eraser dies, and those of the next run are called.

use crate::behaviours::Happens;
use crate::stage::Stage;

const LEFT: &str =
    "SELECT CAST((SELECT count(*) FROM runs WHERE erased) AS TEXT) || ' ' || (SELECT count(*) FROM contacts)";

pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    stage.insist(&["apply", "spring.toml", "--draft", "--yes"], &[0]).await?;
    stage.insist(&["import", "spring", "contacts.csv"], &[0]).await?;
    // Nobody of the first run is called: what is erased cannot be compared with the tape.
    let fresh = ["run", "spring.toml", "--fresh", "december", "--until", "idle", "--max-time", "1s"];
    stage.insist(&fresh, &[0, 3, 4]).await?;
    stage.insist(&["resume", "spring"], &[0, 1]).await?;
    stage.finish(3).await?;
    stage.change("UPDATE runs SET started_at = started_at - 8640000000 WHERE number = 1").await;
    stage.insist(&["erase", "--older-than", "90d", "--yes"], &[0]).await?;
    match stage.find(LEFT).await.as_deref() {
        Some("1 3") => Ok(()),
        left => Err(format!("one run is erased, and three people are left: {left:?}")),
    }
}
