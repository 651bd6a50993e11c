//! A campaign file becomes the rules of its campaign.

use std::path::{Component, Path};
use std::sync::Arc;

use ringfence_domain::{Campaign, Moment, PausedBy, Zone};
use ringfence_intake::ConfigLane;
use ringfence_store::{Applied, Begin, CampaignRow, Database, Expected, StoreError};
use serde::Serialize;

use super::show::file_of;
use crate::cautions;
use crate::differences::{Difference, differences};
use crate::error::Error;
use crate::input_file::in_background;
use crate::workspace::{self, Needs, Place, Workspace};

/// What applying a file would change on the running system.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Plan {
    /// The campaign.
    pub campaign: String,
    /// Whether it is new, changed or unchanged.
    pub change: Change,
    /// The keys whose values differ.
    pub differences: Vec<Difference>,
    /// The contacts that go by the new rules.
    pub contacts: PlanContacts,
    /// Whether the lane's settings differ from those in the database.
    pub lane_differs: bool,
    /// Whether the campaign in the database is a draft.
    #[serde(skip)]
    pub is_draft: bool,
    /// Why the rules in the database cannot be read, if they cannot.
    #[serde(skip)]
    pub unreadable: Option<String>,
}

/// How a campaign file differs from the campaign in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The database does not have it.
    New,
    /// Something differs.
    Changed,
    /// It is as in the file.
    Unchanged,
}

/// The contacts of a campaign that a change reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlanContacts {
    /// Those who wait: the change holds from their very next call.
    pub waiting: i64,
    /// Those whose call is planned or out: it keeps what it has.
    pub active: i64,
}

impl Plan {
    async fn make(store: Option<&Database>, rules: &Campaign, lane: &ConfigLane) -> Result<Self, Error> {
        let mut plan = Self {
            campaign: rules.name.clone(),
            change: Change::New,
            differences: Vec::new(),
            contacts: PlanContacts::default(),
            lane_differs: false,
            is_draft: false,
            unreadable: None,
        };
        let Some(store) = store else { return Ok(plan) };
        let settings = &lane.setup.settings;
        plan.lane_differs =
            store.lanes().await?.iter().any(|row| row.settings.name == settings.name && row.settings != *settings);
        match store.campaign(rules.name.clone()).await {
            Ok(Some(known)) => plan.compare(store, &known, rules).await?,
            Ok(None) => {}
            // Applying replaces what cannot be read.
            Err(error @ StoreError::Corrupt { .. }) => {
                plan.change = Change::Changed;
                plan.unreadable = Some(error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(plan)
    }

    async fn compare(&mut self, store: &Database, known: &CampaignRow, rules: &Campaign) -> Result<(), Error> {
        self.differences = differences(&known.rules, rules);
        self.change = if self.differences.is_empty() { Change::Unchanged } else { Change::Changed };
        self.is_draft = known.paused_by == Some(PausedBy::Draft);
        let now = store.clock().await?.read().now;
        let numbers = store.numbers(rules.name.clone(), now).await?;
        let count = |name: &str| numbers.as_ref().and_then(|numbers| numbers.counts.get(name)).copied();
        let (waiting, active) = (count("contact:waiting"), count("contact:active"));
        self.contacts = PlanContacts { waiting: waiting.unwrap_or_default(), active: active.unwrap_or_default() };
        Ok(())
    }
}

/// Says what applying this file would change. Changes nothing.
pub async fn plan(place: &Place, file: &Path) -> Result<Plan, Error> {
    let (config, rules) = workspace::read_campaign(place, file, Needs::NoSecrets)?;
    let lane = workspace::lane(&config, &rules)?;
    workspace::check_contacts(&config, &rules)?;
    // A database that is not there yet has nothing to change.
    let store = match workspace::open_at(place, &config, false).await {
        Ok(store) => Some(store),
        Err(StoreError::Missing { .. } | StoreError::NotMade { .. }) if !place.no_create => None,
        Err(error) => return Err(error.into()),
    };
    let plan = Plan::make(store.as_deref(), &rules, lane).await?;
    if let Some(store) = store {
        store.close().await;
    }
    Ok(plan)
}

/// A campaign file that was read and compared, and that changes nothing before it is applied.
#[derive(Debug)]
pub struct Proposal {
    /// What it would change.
    pub plan: Plan,
    /// The database.
    pub store: Arc<Database>,
    rules: Campaign,
    lane: ConfigLane,
}

/// A campaign whose file was applied.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AppliedCampaign {
    /// What was changed.
    #[serde(flatten)]
    pub plan: Plan,
    /// Whether it dials; else what holds it.
    pub state: &'static str,
    /// The number of its rules and state.
    #[serde(skip)]
    pub revision: i64,
    /// When it begins by itself.
    pub next_at: Option<Moment>,
    /// Whether its row is new, changed or as it was.
    #[serde(skip)]
    pub applied: Applied,
    /// Who holds it, and why.
    #[serde(skip)]
    pub held: Option<(PausedBy, String)>,
    /// Whose clocks people read its moments on.
    #[serde(skip)]
    pub zone: Zone,
}

impl Proposal {
    /// Reads the file and compares it with the database, which is made when it is not there.
    pub async fn open(place: &Place, file: &Path) -> Result<Self, Error> {
        let (config, rules) = workspace::read_campaign(place, file, Needs::NoSecrets)?;
        let lane = workspace::lane(&config, &rules)?.clone();
        workspace::check_contacts(&config, &rules)?;
        let store = workspace::open(place, &config).await?;
        let plan = Plan::make(Some(&store), &rules, &lane).await?;
        Ok(Self { plan, store, rules, lane })
    }

    /// The same of a text that came from elsewhere. A contact file that it names must be in the
    /// folder of the configuration: who may send campaigns may not read the rest of the machine.
    pub async fn of_text(workspace: &Workspace, text: &str) -> Result<Self, Error> {
        let config = &*workspace.config;
        // Without a configuration file there is no folder, and nothing is in it.
        let folder = std::path::absolute(&config.path).ok().and_then(|path| path.parent().map(Path::to_owned));
        let folder = folder.unwrap_or_else(|| Path::new("/dev/null").to_owned());
        let rules = ringfence_intake::campaign::parse(&folder.join(SENT), text, config, workspace.now())?;
        if let Some(file) = &rules.contacts.file
            && !is_within(Path::new(file), &folder)
        {
            let what = format!("contacts.file leads out of {}", folder.display());
            return Err(Error::input(what, "name a file below that folder, or send the contacts themselves"));
        }
        let lane = workspace::lane(config, &rules)?.clone();
        let (own, of_file) = (workspace.config.clone(), rules.clone());
        in_background(move |_| workspace::check_contacts(&own, &of_file)).await??;
        for caution in cautions::about(&rules, lane.setup.settings.vendor_hours().as_ref(), workspace.now()) {
            workspace.notices.tell(&caution);
        }
        let plan = Plan::make(Some(&workspace.store), &rules, &lane).await?;
        Ok(Self { plan, store: workspace.store.clone(), rules, lane })
    }

    /// Its rules.
    pub(crate) fn rules(&self) -> &Campaign {
        &self.rules
    }

    /// The campaign as a file, with every default.
    pub fn file(&self) -> Result<String, Error> {
        file_of(&self.rules)
    }

    /// The name of the campaign.
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// Whether applying it changes anything.
    pub fn changes_something(&self, begin: Begin) -> bool {
        self.plan.change != Change::Unchanged || (self.plan.is_draft && begin != Begin::Draft)
    }

    /// Stores the rules, if the campaign is what it is expected to be: the running system goes by
    /// them from the very next claim.
    pub async fn apply(self, begin: Begin, expected: Expected) -> Result<AppliedCampaign, Error> {
        let Self { plan, store, rules, lane } = self;
        let now = store.clock().await?.read().now;
        let settings = lane.setup.settings;
        let zone = settings.timezone;
        let row = store.register_lane(settings, now).await?;
        let (applied, campaign) = store.apply_if(rules, row.id, begin, expected, now).await?;
        let schedules = store.schedules().await?;
        let schedule = schedules.iter().find(|schedule| schedule.campaign == campaign.id);
        Ok(AppliedCampaign {
            plan,
            state: state_of(&campaign),
            revision: campaign.revision,
            next_at: schedule.and_then(|schedule| schedule.next_at),
            applied,
            held: campaign.paused_by.map(|by| (by, campaign.reason.clone().unwrap_or_default())),
            zone: campaign.rules.own_zone(zone),
        })
    }
}

/// Whether a campaign dials; else what holds it.
fn state_of(campaign: &CampaignRow) -> &'static str {
    campaign.paused_by.map_or(campaign.state.as_str(), |by| match by {
        PausedBy::Draft => "draft",
        PausedBy::Safety => "held",
        PausedBy::Person => "paused",
    })
}

/// Where a campaign would stand that came without a file: paths in it are relative to this.
const SENT: &str = "campaigns/sent.toml";

/// Tells whether a path stays below a folder, read as it is written: a link may lead elsewhere, and
/// links in that folder are the operator's own.
fn is_within(path: &Path, folder: &Path) -> bool {
    let mut depth: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(depth.pop()),
            Component::CurDir => {}
            part => depth.push(part),
        }
    }
    depth.iter().collect::<std::path::PathBuf>().starts_with(folder)
}
