//! The commands, a file each.

mod check;
mod demo;
mod export;
mod hours;
mod lanes;
mod migrate;
mod run;
mod sandbox;
mod status;
mod why;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Does what was asked and returns the exit code.
pub async fn dispatch(cli: Cli) -> Result<u8, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Demo(args) => demo::demo(common, args).await,
        Command::Run(args) => run::run(common, args).await,
        Command::Check(args) => check::check(common, args),
        Command::Status(args) => status::status(common, args).await,
        Command::Why(args) => why::why(common, args).await,
        Command::Hours(args) => hours::hours(common, args),
        Command::Lanes(args) => lanes::lanes(common, args).await,
        Command::Export(args) => export::export(common, args).await,
        Command::Sandbox(args) => sandbox::sandbox(args).await,
        Command::Migrate => migrate::migrate(common).await,
    }
}

/// The campaign of this name, or a failure that says which there are.
async fn known_campaign(
    store: &dyn ringfence_store::Store,
    name: &str,
) -> Result<ringfence_store::CampaignRow, Failure> {
    if let Some(campaign) = store.campaign(name.to_owned()).await? {
        return Ok(campaign);
    }
    let names: Vec<String> = store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect();
    let hint = if names.is_empty() {
        "this database has none yet; `ringfence run campaign.toml` brings one".to_owned()
    } else {
        format!("known: {}", names.join(", "))
    };
    Err(Failure::input(format!("there is no campaign `{name}`"), hint))
}
