//! `ringfence pause`, `ringfence resume` and `ringfence cancel`

use ringfence_operations::campaigns;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `pause`
#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// The campaign
    pub campaign: String,
    /// Why, for everyone who asks later
    #[arg(long, default_value = "paused by hand", value_name = "TEXT")]
    pub reason: String,
}

/// `resume`
#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    /// The campaign
    pub campaign: String,
    /// Accept what a safety rail holds: its import is released, its failures are forgotten
    #[arg(long)]
    pub accept: bool,
}

/// `cancel`
#[derive(Debug, clap::Args)]
pub struct CancelArgs {
    /// The campaign
    pub campaign: String,
    /// Why, for everyone who asks later
    #[arg(long, default_value = "cancelled by hand", value_name = "TEXT")]
    pub reason: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Stops new calls of a campaign.
pub async fn pause(common: &Common, args: &PauseArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let paused = campaigns::pause(&home, &args.campaign, &args.reason).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&paused)?;
    } else {
        screen::print(&format!(
            "{} is paused: {}. Calls that are out go on; no new one begins.\n",
            paused.campaign, paused.reason
        ))?;
    }
    Ok(DONE)
}

/// Lets a campaign dial again.
pub async fn resume(common: &Common, args: &ResumeArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let resumed = campaigns::resume(&home, &args.campaign, args.accept).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&resumed)?;
        return Ok(DONE);
    }
    let released = match resumed.accepted_imports.len() {
        0 => String::new(),
        n => format!("; {n} held import{} accepted", if n == 1 { " is" } else { "s are" }),
    };
    let paused = resumed.paused_lane;
    let paused =
        paused.map(|lane| format!("; but its lane is paused: `ringfence lanes resume {lane}`")).unwrap_or_default();
    screen::print(&format!("{} dials again{released}{paused}\n", resumed.campaign))?;
    Ok(DONE)
}

/// Ends a campaign for good.
pub async fn cancel(common: &Common, args: &CancelArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    home.campaign(&args.campaign).await?;
    let question = format!("cancel {} for good? Those who wait in it are never called.", args.campaign);
    if !args.yes && !screen::confirm(&question)? {
        return Err(Failure::held("nothing was cancelled", "answer y, or use --yes"));
    }
    let cancelled = campaigns::cancel(&home, &args.campaign, &args.reason).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&cancelled)?;
    } else {
        screen::print(&format!(
            "{} is cancelled; {} waiting contacts were stopped. Calls that are out go on to their end.\n",
            cancelled.campaign, cancelled.stopped
        ))?;
    }
    Ok(DONE)
}
