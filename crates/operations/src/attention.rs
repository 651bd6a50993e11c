//! What needs a person: everything that stands still, why, since when, and what to type.

mod kind;

use ringfence_domain::event::EventKind;
use ringfence_domain::summary::Summary;
use ringfence_domain::verdict::{StoppedBy, Verdict};
use ringfence_domain::zone_data::MEND;
use ringfence_domain::{CampaignState, ClockReading, ImportId, ImportState, LaneState, Moment, PausedBy, Span, Zone};
use ringfence_engine::stop_switches;
use ringfence_store::{LaneRow, RunFigures, ScheduleRow, Subject};
use serde::Serialize;

pub use self::kind::Kind;
use crate::error::Error;
use crate::status;
use crate::summary::{Asker, summarize};
use crate::workspace::Workspace;

/// A lane on which people are due may be without a process for this long.
const MISSED: Span = Span::from_minutes(5);

/// How much something matters, as monitoring probes know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing is wrong.
    Ok,
    /// Somebody should look; dialling goes on, or stands still on purpose.
    Warning,
    /// People wait who are not dialled, against the operator's will.
    Critical,
}

/// Where a person mends something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere that has a name here.
    Elsewhere,
    /// A campaign.
    Campaign(String),
    /// A lane.
    Lane(String),
    /// An import.
    Import(ImportId),
    /// The list of calls of unknown fate.
    Review,
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// Where it is mended.
    #[serde(skip)]
    pub place: Place,
    /// What is the matter, as a word for programs.
    pub kind: Kind,
    /// How much it matters.
    pub level: Level,
    /// What it is about: `everything`, `lane main`, `diwali`.
    pub about: String,
    /// What is the matter, in one sentence.
    pub what: String,
    /// Since when, as far as that is known.
    pub since: Option<Moment>,
    /// What to type, or to do.
    pub mend: String,
}

/// How everything stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// The worst level of the findings.
    pub level: Level,
    /// Every finding, the worst first.
    pub findings: Vec<Finding>,
    /// The campaigns that are not over.
    pub campaigns: usize,
    /// Calls in the last minute.
    pub calls_per_min: i64,
    /// The zone whose clocks people read.
    #[serde(skip)]
    pub zone: Option<Zone>,
}

impl Health {
    /// The health of a database that cannot be asked.
    pub fn unknown(error: Error) -> Self {
        let Error { message, hint, .. } = error;
        let (about, mend) = ("everything".to_owned(), hint.unwrap_or_default());
        let (place, kind) = (Place::Elsewhere, Kind::Database);
        let finding = Finding { place, kind, level: kind.level(), about, what: message, since: None, mend };
        Self { level: kind.level(), findings: vec![finding], campaigns: 0, calls_per_min: 0, zone: None }
    }
}

/// Looks at everything on the database, or at one campaign and what it needs.
pub async fn look(workspace: &Workspace, campaign: Option<&str>) -> Result<Health, Error> {
    Ok(look_closely(workspace, campaign).await?.0)
}

/// Looks at everything on the database, and returns the summary of every campaign beside it, each
/// with the zone whose clocks its people read.
pub async fn look_with_summaries(workspace: &Workspace) -> Result<(Health, Vec<(Summary, Zone)>), Error> {
    look_closely(workspace, None).await
}

async fn look_closely(workspace: &Workspace, campaign: Option<&str>) -> Result<(Health, Vec<(Summary, Zone)>), Error> {
    let store = &workspace.store;
    let asker = Asker { stop_switch: stop_switches::stop_file(&workspace.config.path).active(), is_dialling: false };
    let mut look = Look { workspace, reading: workspace.clock.read(), findings: Vec::new() };
    look.stops(asker.stop_switch.as_deref()).await?;
    look.unreadable(campaign).await?;
    let schedules = store.schedules().await?;
    let (mut campaigns, mut calls_per_min, mut runs, mut over, mut zone) = (0, 0, Vec::new(), Vec::new(), None);
    for figures in status::figures(workspace, campaign, look.reading.now).await? {
        let (row, summary) = (&figures.conditions.campaign, summarize(&figures, &asker, look.reading));
        if row.state == CampaignState::Cancelled {
            over.push((figures, summary));
            continue;
        }
        let schedule = schedules.iter().find(|schedule| schedule.campaign == row.id);
        look.campaign(&figures, &summary, schedule).await?;
        zone = zone.or(Some(figures.conditions.clock()));
        calls_per_min += figures.last_minute;
        campaigns += usize::from(summary.state != "done");
        runs.push((figures, summary));
    }
    for lane in store.lanes().await? {
        let on_it: Vec<&Summary> =
            runs.iter().filter(|(figures, _)| figures.conditions.lane.id == lane.id).map(|(_, one)| one).collect();
        if campaign.is_none() || !on_it.is_empty() {
            look.lane(&lane, &on_it).await?;
        }
    }
    let mut findings = look.findings;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let level = findings.first().map_or(Level::Ok, |finding| finding.level);
    let health = Health { level, findings, campaigns, calls_per_min, zone };
    let all = runs.into_iter().chain(over);
    Ok((health, all.map(|(figures, summary)| (summary, figures.conditions.clock())).collect()))
}

struct Look<'w> {
    workspace: &'w Workspace,
    reading: ClockReading,
    findings: Vec<Finding>,
}

impl Look<'_> {
    fn found(&mut self, kind: Kind, place: Place, what: String, since: Option<Moment>, mend: String) {
        let about = match &place {
            Place::Campaign(name) => name.clone(),
            Place::Lane(name) => format!("lane {name}"),
            _ => "everything".to_owned(),
        };
        self.findings.push(Finding { place, kind, level: kind.level(), about, what, since, mend });
    }

    /// Says that what was found last is mended there, and not where it was found.
    fn mended_at(&mut self, place: Place) {
        if let Some(finding) = self.findings.last_mut() {
            finding.place = place;
        }
    }

    /// Says that nobody waits for what was found last.
    fn nobody_waits(&mut self) {
        if let Some(finding) = self.findings.last_mut() {
            finding.level = Level::Warning;
        }
    }

    async fn since(&self, kind: EventKind, subject: Subject) -> Result<Option<Moment>, Error> {
        Ok(self.workspace.store.last_event(kind, subject).await?.map(|event| event.at))
    }

    /// What stops everything.
    async fn stops(&mut self, file: Option<&str>) -> Result<(), Error> {
        if let Some(reason) = file {
            let mend = "remove the file STOP beside ringfence.toml".to_owned();
            self.found(Kind::Stopped, Place::Elsewhere, format!("everything is stopped: {reason}"), None, mend);
        }
        let Some(stop) = self.workspace.store.stop().await? else { return Ok(()) };
        let (kind, what, mend) = match stop.by {
            StoppedBy::File | StoppedBy::Person => {
                (Kind::Stopped, format!("everything is stopped: {}", stop.reason), "ringfence start".to_owned())
            }
            StoppedBy::Quarantine => (
                Kind::Quarantine,
                format!("the database is in quarantine: {}", stop.reason),
                "ringfence quarantine".to_owned(),
            ),
            StoppedBy::ZoneData => (Kind::ZoneData, stop.reason, MEND.to_owned()),
        };
        self.found(kind, Place::Elsewhere, what, Some(stop.at), mend);
        Ok(())
    }

    async fn unreadable(&mut self, campaign: Option<&str>) -> Result<(), Error> {
        let unreadable = self.workspace.store.unreadable_campaigns().await?.into_iter();
        for (name, error) in unreadable.filter(|(name, _)| campaign.is_none_or(|campaign| campaign == name)) {
            let mend = "ringfence apply of its file".to_owned();
            self.found(Kind::Rules, Place::Campaign(name), format!("its rules cannot be read: {error}"), None, mend);
        }
        Ok(())
    }

    async fn campaign(
        &mut self,
        figures: &RunFigures,
        summary: &Summary,
        schedule: Option<&ScheduleRow>,
    ) -> Result<(), Error> {
        let row = &figures.conditions.campaign;
        let (name, subject) = (&summary.campaign, Subject::Campaign(row.id));
        let of_campaign = || Place::Campaign(name.clone());
        let reason = row.reason.clone().unwrap_or_default();
        match (row.state, row.paused_by) {
            (CampaignState::Paused, Some(PausedBy::Safety)) => {
                let since = self.since(EventKind::CampaignPaused, subject).await?;
                let mend = format!("look, then ringfence resume {name} --accept");
                self.found(Kind::Safety, of_campaign(), format!("a safety rail paused it: {reason}"), since, mend);
            }
            (CampaignState::Paused, Some(PausedBy::Person)) => {
                let since = self.since(EventKind::CampaignPaused, subject).await?;
                self.found(
                    Kind::Paused,
                    of_campaign(),
                    format!("it is paused: {reason}"),
                    since,
                    format!("ringfence resume {name}"),
                );
            }
            _ => {}
        }
        if let Some(import) = figures.conditions.last_import.as_ref() {
            let (id, at) = (import.id, import.completed_at);
            if import.state == ImportState::Held {
                let since = self.since(EventKind::ImportHeld, subject).await?;
                let what = format!("import {id} is held: {}", import.held_for.clone().unwrap_or_default());
                let mend =
                    format!("ringfence rejects {name}; then ringfence resume {name} --accept, or import --undo {id}");
                self.found(Kind::ImportHeld, of_campaign(), what, since, mend);
                self.mended_at(Place::Import(id));
            } else if let Some(line) = crate::importing::nobody_line(import) {
                let what = line.trim_start_matches("caution: ").to_owned();
                self.found(Kind::Nobody, of_campaign(), what, at, format!("ringfence rejects {name}"));
                self.mended_at(Place::Import(id));
            }
        }
        if let Some(schedule) = schedule.filter(|schedule| schedule.last_failed) {
            let why = schedule.last_result.clone().unwrap_or_default();
            let what = format!("its list did not come: {why}");
            let mend = format!("ringfence import {name} FILE; the next moment reads again");
            self.found(Kind::NoList, of_campaign(), what, schedule.last_at, mend);
        }
        if summary.contacts.review > 0 {
            let what = match summary.contacts.review {
                1 => "1 contact in review waits for a person".to_owned(),
                n => format!("{n} contacts in review wait for a person"),
            };
            self.found(Kind::Review, of_campaign(), what, None, format!("ringfence review --campaign {name}"));
            self.mended_at(Place::Review);
        }
        if let Some((ahead, priority)) = &figures.conditions.foremost
            && *priority < i64::from(row.rules.priority)
            && summary.limited_by.is_some()
        {
            let what = format!(
                "it waits behind {ahead} (priority {priority}), {} people of it are due",
                summary.waiting_for.pace
            );
            let mend = format!("give it a lower number in priority, or ringfence pause {ahead}");
            self.found(Kind::Behind, of_campaign(), what, None, mend);
        }
        Ok(())
    }

    async fn lane(&mut self, lane: &LaneRow, on_it: &[&Summary]) -> Result<(), Error> {
        let (name, reading) = (&lane.settings.name, self.reading);
        let about = Place::Lane(name.clone());
        let waiting: i64 = on_it.iter().map(|summary| summary.contacts.waiting).sum();
        if lane.state == LaneState::Paused {
            let since = self.since(EventKind::LanePaused, Subject::Lane(lane.id)).await?;
            let what = format!("it is paused: {}", lane.reason.clone().unwrap_or_default());
            self.found(Kind::LanePaused, about, what, since, format!("mend that, then ringfence lanes resume {name}"));
            if waiting == 0 {
                self.nobody_waits();
            }
            return Ok(());
        }
        let due: i64 =
            on_it.iter().filter(|summary| summary.held_by.is_none()).map(|summary| summary.waiting_for.pace).sum();
        let live: i64 = on_it.iter().map(|summary| summary.contacts.active).sum();
        let load = self.workspace.store.lane_load_shown(lane.id, reading.now).await?;
        let (verdicts, clock) = (load.verdicts(None, reading), lane.settings.timezone);
        for verdict in verdicts.iter().filter(|verdict| !verdict.allows(reading)) {
            match verdict {
                // Between two runs of a timer nobody is missed.
                Verdict::Process { last, .. } if due + live > 0 && reading.now.since(lane.lease_until) > MISSED => {
                    let since = last.as_ref().map(|(_, until)| *until);
                    let what = last.as_ref().map_or_else(
                        || "no process has ever dialled it".to_owned(),
                        |(host, _)| format!("no process dials it; {host} did"),
                    );
                    let what = format!("{what}, and {due} people are due");
                    self.found(Kind::NoProcess, about.clone(), what, since, "ringfence serve".to_owned());
                }
                Verdict::Rest { .. } | Verdict::UnknownUse { .. } if waiting > 0 => {
                    let since = self.since(EventKind::LaneSlowed, Subject::Lane(lane.id)).await?;
                    let what = format!("it rests: {}", verdict.says(reading, clock));
                    self.found(
                        Kind::Rests,
                        about.clone(),
                        what,
                        since,
                        "it is tried again by itself; ringfence lanes --check asks it now".to_owned(),
                    );
                }
                Verdict::Slots(_) if waiting > 0 => {
                    let what = verdict.says(reading, clock);
                    self.found(Kind::Slots, about.clone(), what, None, "ringfence review".to_owned());
                    self.mended_at(Place::Review);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
