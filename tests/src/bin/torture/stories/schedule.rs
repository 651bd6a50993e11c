//! A campaign begins by itself at the next full minute, and its end is told.

use std::time::Duration;

use ringfence_tests::web::Sent;
use serde_json::json;

use super::RULES;
use super::serve::{Served, admin, write_http};
use crate::behaviours::Happens;
use crate::stage::Stage;

const EVERY_MINUTE: &str = "[schedule]\ncron = \"* * * * *\"\n";

pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    stage.write_campaign(&[RULES, EVERY_MINUTE].concat());
    write_http(stage, "").await;
    stage.insist(&["apply", "spring.toml", "--yes"], &[0]).await?;
    let token = admin(stage).await?;
    let mut served = Served::start(stage, token).await?;
    served.finish(stage, "spring").await?;
    // A campaign is not finished while somebody is in review.
    served.post(stage, "/review", json!({ "as": "placed", "all": true })).await?;
    let until = tokio::time::Instant::now() + Duration::from_mins(2);
    while stage.find("SELECT kind FROM events WHERE kind = 'campaign.finished'").await.is_none() {
        if tokio::time::Instant::now() > until {
            return Err("nobody tells that the campaign is finished".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        served.ask(stage, "GET", "/api/v1/status", Sent::default()).await?;
    }
    served.end(stage).await
}
