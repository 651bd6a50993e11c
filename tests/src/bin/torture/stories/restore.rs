//! A database is put back as it was before its last calls, or lost: nobody is called twice, and
//! nobody is forgotten.

use ringfence_tests::project;

use crate::behaviours::Happens;
use crate::stage::Stage;

pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    stage.write("contacts.csv", &project::contacts(0..2));
    stage.finish(2).await?;
    stage.database.keep().await;
    stage.write("contacts.csv", &project::contacts(0..4));
    stage.finish(4).await?;
    stage.database.put_back().await;
    recover(stage).await?;
    stage.database.lose().await;
    stage.database.begin_anew().await;
    recover(stage).await
}

/// Nobody is dialled until the vendor was asked and somebody has said so.
async fn recover(stage: &mut Stage) -> Result<(), String> {
    let calls = stage.vendor.simulator.tape().calls().len();
    stage.insist(&["run", "spring.toml", "--until", "done", "--max-time", "5s"], &[4]).await?;
    if stage.vendor.simulator.tape().calls().len() != calls {
        return Err("somebody was called in quarantine".to_owned());
    }
    stage.insist(&["quarantine", "lift", "--reason", "put back"], &[0, 1]).await?;
    stage.finish(4).await
}
