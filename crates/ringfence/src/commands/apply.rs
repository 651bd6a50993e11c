//! `ringfence plan` and `ringfence apply`

use std::path::PathBuf;

use ringfence_domain::PausedBy;
use ringfence_operations::campaigns::{self, AppliedCampaign, Change, Plan, Proposal};
use ringfence_store::{Applied, Begin, Expected};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// `plan`
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The campaign file
    pub campaign: PathBuf,
}

/// `apply`
#[derive(Debug, clap::Args)]
pub struct ApplyArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// Do not ask; without a terminal nobody is asked
    #[arg(long, short)]
    pub yes: bool,
    /// A new campaign dials nobody until it is applied without --draft, resumed or run
    #[arg(long)]
    pub draft: bool,
}

/// Shows what `apply` would change.
pub async fn plan(common: &Common, args: &PlanArgs) -> Result<u8, Failure> {
    let plan = campaigns::plan(&common.place(), &args.campaign).await?;
    if common.json {
        screen::print_json(&plan)?;
    } else {
        screen::print(&plan_text(&plan))?;
    }
    Ok(DONE)
}

/// Stores a campaign's rules: the running system goes by them from the very next claim.
pub async fn apply(common: &Common, args: &ApplyArgs) -> Result<u8, Failure> {
    let proposal = Proposal::open(&common.place(), &args.campaign).await?;
    let begin = if args.draft { Begin::Draft } else { Begin::Running };
    if proposal.changes_something(begin) && !args.yes && screen::can_ask() {
        screen::print(&plan_text(&proposal.plan))?;
        if !screen::confirm("apply?")? {
            return Err(Failure::held("nothing was applied", "answer y, or use --yes"));
        }
    }
    let store = proposal.store.clone();
    let applied = proposal.apply(begin, Expected::Anything).await;
    store.close().await;
    let applied = applied?;
    if common.json {
        screen::print_json(&applied)?;
    } else {
        screen::print(&applied_text(&applied, args))?;
    }
    Ok(DONE)
}

fn plan_text(plan: &Plan) -> String {
    let name = &plan.campaign;
    let mut text = match (plan.change, &plan.unreadable) {
        (_, Some(error)) => format!("{name}: nobody of it is dialled, and applying mends that: {error}\n"),
        (Change::New, _) => format!("{name} is new; it has no contacts yet\n"),
        (Change::Unchanged, _) => format!("{name} is as in the file\n"),
        (Change::Changed, _) => {
            let n = plan.differences.len();
            let keys = if n == 1 { "1 key changes".to_owned() } else { format!("{n} keys change") };
            let mut table = screen::table(&["key", "now", "in the file"]);
            for difference in &plan.differences {
                let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(nothing)".to_owned());
                table.add_row([difference.key.clone(), shown(&difference.from), shown(&difference.to)]);
            }
            format!(
                "{name}: {keys}, for {} waiting contacts from their very next call; {} calls that are planned or out keep what they have\n{table}\n",
                plan.contacts.waiting, plan.contacts.active
            )
        }
    };
    if plan.is_draft {
        text.push_str("it is a draft\n");
    }
    if plan.lane_differs {
        text.push_str("the lane's settings differ too; they change when the process that dials it starts again\n");
    }
    text
}

fn applied_text(campaign: &AppliedCampaign, args: &ApplyArgs) -> String {
    let name = &campaign.plan.campaign;
    let mut text = match campaign.applied {
        Applied::Unchanged => format!("{name} is as it was\n"),
        Applied::Created => format!("{name} is new\n"),
        Applied::Changed => format!("{name} is changed, from the very next call\n"),
    };
    match (&campaign.held, campaign.next_at) {
        (Some((by, why)), _) => {
            let why = if *by == PausedBy::Draft { "a draft" } else { why };
            text.push_str(&format!("it dials nobody: {why}; `ringfence resume {name}` lets it\n"));
        }
        (None, Some(next)) => text
            .push_str(&format!("it begins by itself on {}, where `ringfence serve` runs\n", next.shown(campaign.zone))),
        (None, None) if campaign.applied == Applied::Created => {
            text.push_str(&format!(
                "contacts come by `ringfence import {name} FILE` or `ringfence run {}`\n",
                args.campaign.display()
            ));
        }
        (None, None) => {}
    }
    text
}
