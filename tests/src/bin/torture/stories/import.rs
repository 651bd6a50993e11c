//! A list is held until somebody accepts it. Another one is tried with one person first, who was
//! called today already, so that the next one takes their place; later the limit that held them is
//! taken away.

use ringfence_tests::project;

use super::RULES;
use crate::behaviours::Happens;
use crate::stage::Stage;

const CAREFUL: &str = r#"
[limits]
per_number = ["1/day"]

[safety]
min_contacts = 2
canary = 1
"#;

pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    stage.write_campaign(&[RULES, CAREFUL].concat());
    stage.write("contacts.csv", &project::contacts(0..1));
    let dial = ["run", "spring.toml", "--until", "done", "--max-time", "4s"];
    stage.insist(&["apply", "spring.toml", "--yes"], &[0]).await?;
    stage.insist(&["import", "spring", "contacts.csv"], &[4]).await?;
    stage.insist(&["resume", "spring", "--accept"], &[0, 1]).await?;
    stage.insist(&dial, &[0, 3, 4]).await?;
    stage.write("contacts.csv", &project::contacts(0..3));
    let again = ["run", "spring.toml", "--fresh", "again", "--until", "done", "--max-time", "8s"];
    stage.insist(&again, &[0, 3, 4]).await?;
    stage.write_campaign(&[RULES, "[limits]\nper_number = [\"9/day\"]\n"].concat());
    stage.insist(&["apply", "spring.toml", "--yes"], &[0]).await?;
    stage.insist(&["resume", "spring", "--accept"], &[0, 1]).await?;
    // A call of the first run whose fate is unknown holds its number until somebody has said.
    stage.insist(&["review", "settle", "all", "placed"], &[0, 1]).await?;
    stage.finish(3).await
}
