//! `ringfence status`

use ringfence_store::Store;

use super::known_campaign;
use crate::cli::{Common, StatusArgs};
use crate::failure::{DONE, Failure};
use crate::{home, screen, summary::summarize};

/// The summary of one campaign, or of all.
pub(super) async fn status(common: &Common, args: &StatusArgs) -> Result<u8, Failure> {
    let store = home::open_existing(common).await?;
    let clock = store.clock().await?;
    let names = match &args.campaign {
        Some(name) => vec![known_campaign(&*store, name).await?.rules.name],
        None => store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect(),
    };
    let mut summaries = Vec::new();
    for name in names {
        let now = clock.read().now;
        if let Some(numbers) = store.numbers(name, now).await? {
            summaries.push(summarize(&numbers, now));
        }
    }
    store.close().await;
    match (common.json, args.all) {
        (true, true) => screen::print_json(&summaries)?,
        (true, false) => screen::print_json(&summaries.first())?,
        (false, _) if summaries.is_empty() => screen::print("no campaigns yet\n")?,
        (false, _) => {
            for summary in &summaries {
                screen::print(&screen::summary(summary))?;
            }
        }
    }
    Ok(DONE)
}
