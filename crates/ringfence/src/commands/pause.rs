//! `ringfence pause`, `ringfence resume` and `ringfence cancel`

use ringfence_domain::campaign::Missing;
use ringfence_domain::{ImportState, LaneState, PausedBy, StopReason};
use ringfence_intake::contacts::is_rejects;
use ringfence_store::{Resumed, StopOrder, Whom};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::{importing, screen};

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
pub(super) async fn pause(common: &Common, args: &PauseArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = home.campaign(&args.campaign).await?;
    home.store.pause_campaign(campaign.id, PausedBy::Person, args.reason.clone(), home.now()).await?;
    let now = home.campaign(&args.campaign).await?;
    home.store.close().await;
    let reason = now.reason.unwrap_or_default();
    if common.json {
        screen::print_json(&json!({ "campaign": args.campaign, "state": now.state, "reason": reason }))?;
    } else {
        screen::print(&format!(
            "{} is paused: {reason}. Calls that are out go on; no new one begins.\n",
            args.campaign
        ))?;
    }
    Ok(DONE)
}

/// Lets a campaign dial again.
pub(super) async fn resume(common: &Common, args: &ResumeArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = home.campaign(&args.campaign).await?;
    let accepted = match home.store.resume_campaign(campaign.id, args.accept, home.now()).await? {
        Resumed::Running { accepted } => accepted,
        Resumed::NeedsAccept { reason } => {
            return Err(Failure::held(
                format!("{} is held by a safety rail: {reason}", args.campaign),
                format!("look at it, then `ringfence resume {} --accept`, or `ringfence import --undo`", args.campaign),
            ));
        }
    };
    let lanes = home.store.lanes().await?;
    let lane = lanes.iter().find(|lane| lane.id == campaign.lane && lane.state == LaneState::Paused);
    let lane = lane.map(|lane| lane.settings.name.clone());
    for id in &accepted {
        let Some(import) = home.store.import(*id).await? else { continue };
        if import.state == ImportState::Held {
            let stops = campaign.rules.contacts.missing == Missing::Stop && !is_rejects(&import.columns);
            match importing::release(&home.store, &*home.clock, &campaign.rules, &import, stops).await {
                Ok(()) | Err(Failure::Over) => {}
                Err(failure) => return Err(failure),
            }
        } else {
            home.store.release_import(import.run, *id, home.now()).await?;
        }
    }
    home.store.close().await;
    if common.json {
        screen::print_json(&json!({ "campaign": args.campaign, "state": "running", "accepted_imports": accepted }))?;
    } else {
        let released = match accepted.len() {
            0 => String::new(),
            n => format!("; {n} held import{} accepted", if n == 1 { " is" } else { "s are" }),
        };
        let paused =
            lane.map(|lane| format!("; but its lane is paused: `ringfence lanes resume {lane}`")).unwrap_or_default();
        screen::print(&format!("{} dials again{released}{paused}\n", args.campaign))?;
    }
    Ok(DONE)
}

/// Ends a campaign for good.
pub(super) async fn cancel(common: &Common, args: &CancelArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = home.campaign(&args.campaign).await?;
    let question = format!("cancel {} for good? Whoever waits in it is never called.", args.campaign);
    if !args.yes && !screen::confirm(&question)? {
        return Err(Failure::held("nothing was cancelled", "answer y, or use --yes"));
    }
    let run = home.store.cancel_campaign(campaign.id, args.reason.clone(), home.now()).await?;
    let order = StopOrder::new(run, Whom::All, StopReason::Cancelled, home.now());
    let stopped = order.carry_out(&*home.store).await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&json!({ "campaign": args.campaign, "state": "cancelled", "stopped": stopped }))?;
    } else {
        screen::print(&format!(
            "{} is cancelled; {stopped} waiting contacts were stopped. Calls that are out go on to their end.\n",
            args.campaign
        ))?;
    }
    Ok(DONE)
}
