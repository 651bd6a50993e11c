//! `ringfence plan` and `ringfence apply`

use std::path::PathBuf;

use ringfence_domain::{Campaign, PausedBy};
use ringfence_store::{Applied, Begin, CampaignRow, Database, StoreError};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::file_form::{self, Difference};
use crate::{home, screen};

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

/// What applying a file would change on the running system.
struct Plan {
    campaign: String,
    known: Option<CampaignRow>,
    differences: Vec<Difference>,
    waiting: i64,
    active: i64,
    lane_differs: bool,
    /// Why the rules that are stored cannot be read.
    unreadable: Option<String>,
}

impl Plan {
    async fn make(
        store: Option<&Database>,
        rules: &Campaign,
        lane: &ringfence_intake::ConfigLane,
    ) -> Result<Self, Failure> {
        let mut plan = Self {
            campaign: rules.name.clone(),
            known: None,
            differences: Vec::new(),
            waiting: 0,
            active: 0,
            lane_differs: false,
            unreadable: None,
        };
        let Some(store) = store else { return Ok(plan) };
        let settings = &lane.setup.settings;
        plan.lane_differs =
            store.lanes().await?.iter().any(|row| row.settings.name == settings.name && row.settings != *settings);
        plan.known = match store.campaign(rules.name.clone()).await {
            // Applying replaces what cannot be read.
            Err(error @ StoreError::Corrupt { .. }) => {
                plan.unreadable = Some(error.to_string());
                None
            }
            known => known?,
        };
        if let Some(known) = &plan.known {
            plan.differences = file_form::differences(&known.rules, rules);
            let now = store.clock().await?.read().now;
            let numbers = store.numbers(rules.name.clone(), now).await?;
            let count = |name: &str| numbers.as_ref().and_then(|numbers| numbers.counts.get(name)).copied();
            plan.waiting = count("contact:waiting").unwrap_or_default();
            plan.active = count("contact:active").unwrap_or_default();
        }
        Ok(plan)
    }

    fn change(&self) -> &'static str {
        match &self.known {
            None if self.unreadable.is_some() => "changed",
            None => "new",
            Some(_) if self.differences.is_empty() => "unchanged",
            Some(_) => "changed",
        }
    }

    fn is_draft(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.paused_by == Some(PausedBy::Draft))
    }

    fn json(&self) -> Value {
        json!({
            "campaign": self.campaign, "change": self.change(), "differences": self.differences,
            "contacts": { "waiting": self.waiting, "active": self.active }, "lane_differs": self.lane_differs,
        })
    }

    fn text(&self) -> String {
        let mut text = match (&self.known, self.differences.len()) {
            (None, _) if self.unreadable.is_some() => {
                let error = self.unreadable.as_deref().unwrap_or_default();
                format!("{}: nobody of it is dialled, and applying mends that: {error}\n", self.campaign)
            }
            (None, _) => format!("{} is new; it has no contacts yet\n", self.campaign),
            (Some(_), 0) => format!("{} is as in the file\n", self.campaign),
            (Some(_), n) => {
                let keys = if n == 1 { "1 key changes".to_owned() } else { format!("{n} keys change") };
                let mut table = screen::table(&["key", "now", "in the file"]);
                for difference in &self.differences {
                    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(nothing)".to_owned());
                    table.add_row([difference.key.clone(), shown(&difference.from), shown(&difference.to)]);
                }
                format!(
                    "{}: {keys}, for {} waiting contacts from their very next call; {} calls that are planned or out keep what they have\n{table}\n",
                    self.campaign, self.waiting, self.active
                )
            }
        };
        if self.is_draft() {
            text.push_str("it is a draft\n");
        }
        if self.lane_differs {
            text.push_str("the lane's settings differ too; they change when the process that dials it starts again\n");
        }
        text
    }
}

/// Shows what `apply` would change.
pub(super) async fn plan(common: &Common, args: &PlanArgs) -> Result<u8, Failure> {
    let (config, rules) = home::read_campaign(common, &args.campaign)?;
    let lane = home::lane(&config, &rules)?;
    home::check_contacts(&config, &rules)?;
    // A database that is not there yet has nothing to change.
    let store = match home::open_at(common, &config, false).await {
        Ok(store) => Some(store),
        Err(StoreError::Missing { .. } | StoreError::NotMade { .. }) if !common.no_create => None,
        Err(error) => return Err(error.into()),
    };
    let plan = Plan::make(store.as_deref(), &rules, lane).await?;
    if let Some(store) = store {
        store.close().await;
    }
    if common.json {
        screen::print_json(&plan.json())?;
    } else {
        screen::print(&plan.text())?;
    }
    Ok(DONE)
}

/// Stores a campaign's rules: the running system goes by them from the very next claim.
pub(super) async fn apply(common: &Common, args: &ApplyArgs) -> Result<u8, Failure> {
    let (config, rules) = home::read_campaign(common, &args.campaign)?;
    let lane = home::lane(&config, &rules)?;
    home::check_contacts(&config, &rules)?;
    let store = home::open(common, &config).await?;
    let plan = Plan::make(Some(&store), &rules, lane).await?;
    let begin = if args.draft { Begin::Draft } else { Begin::Running };
    let starts = plan.is_draft() && !args.draft;
    let something = plan.change() != "unchanged" || starts;
    if something && !args.yes && screen::can_ask() {
        screen::print(&plan.text())?;
        if !screen::confirm("apply?")? {
            return Err(Failure::held("nothing was applied", "answer y, or use --yes"));
        }
    }
    let clock = store.clock().await?;
    let now = clock.read().now;
    let row = store.register_lane(lane.setup.settings.clone(), now).await?;
    let (applied, campaign) = store.apply(rules, row.id, begin, now).await?;
    let schedules = store.schedules().await?;
    store.close().await;
    let zone = campaign.rules.own_zone(lane.setup.settings.timezone);
    let next = schedules.iter().find(|schedule| schedule.campaign == campaign.id).and_then(|schedule| schedule.next_at);
    if common.json {
        let mut value = plan.json();
        value["state"] = json!(campaign.paused_by.map_or(campaign.state.as_str(), |by| match by {
            PausedBy::Draft => "draft",
            PausedBy::Safety => "held",
            PausedBy::Person => "paused",
        }));
        value["next_at"] = json!(next);
        screen::print_json(&value)?;
        return Ok(DONE);
    }
    let name = &campaign.rules.name;
    let mut text = match applied {
        Applied::Unchanged => format!("{name} is as it was\n"),
        Applied::Created => format!("{name} is new\n"),
        Applied::Changed => format!("{name} is changed, from the very next call\n"),
    };
    match (campaign.paused_by, next) {
        (Some(by), _) => {
            let why = campaign.reason.unwrap_or_default();
            text.push_str(&format!(
                "it dials nobody: {}; `ringfence resume {name}` lets it\n",
                if by == PausedBy::Draft { "a draft".to_owned() } else { why }
            ));
        }
        (None, Some(next)) => text.push_str(&format!(
            "it begins by itself on {}, where `ringfence serve` runs\n",
            screen::moment(next, zone)
        )),
        (None, None) if applied == Applied::Created => {
            text.push_str(&format!(
                "contacts come by `ringfence import {name} FILE` or `ringfence run {}`\n",
                args.campaign.display()
            ));
        }
        (None, None) => {}
    }
    screen::print(&text)?;
    Ok(DONE)
}
