//! Why a contact, or a campaign's contacts, are not dialled.

mod campaign;
mod contact;
mod outlook;

use std::collections::BTreeMap;

use ringfence_domain::verdict::{Verdict, because_of_contact};
use ringfence_domain::{
    CampaignId, ClockReading, ContactId, ContactState, Moment, NumberKey, Outcome, PhoneNumber, RunId, Span, Zone,
};
use ringfence_engine::stop_switches;
use ringfence_store::{AttemptRow, ContactRow, Database, DncRow, RunConditions};
use serde::Serialize;

pub use self::campaign::{Reason, WhyCampaign};
pub use self::outlook::Step;

use self::outlook::Outlook;
use crate::error::Error;
use crate::summary::Asker;
use crate::workspace::{Workspace, is_listed};

/// One rule and its verdict.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Rule {
    /// The rule.
    pub rule: String,
    /// Whether it allows a call.
    pub allows: bool,
    /// What it was answered from.
    pub says: String,
    /// When it will allow, if it does not now and that is known.
    pub from: Option<Moment>,
}

/// One contact, explained.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The campaign.
    pub campaign: String,
    /// Whose clocks people read it on.
    #[serde(skip)]
    pub clock: Zone,
    /// The number.
    pub phone: String,
    /// The contact's state.
    pub state: ContactState,
    /// Why it was stopped.
    pub reason: Option<String>,
    /// Counted calls.
    pub calls: u32,
    /// Where it may be.
    pub zones: String,
    /// The same, shortened.
    #[serde(skip)]
    pub short_zones: String,
    /// What decided where it is.
    pub zone_source: &'static str,
    /// Whether every rule allows a call now.
    pub may_dial_now: bool,
    /// Why it is not dialled, in one sentence; none when it may be, or when nothing is left to do.
    pub because: Option<String>,
    /// Every rule.
    pub rules: Vec<Rule>,
    /// When it may be dialled next; none when only a person lets it go.
    pub next_dial_at: Option<Moment>,
    /// The rule that holds it for longest until then.
    pub set_by: Option<String>,
    /// Each rule that holds it until then, one after the other.
    pub steps: Vec<Step>,
    /// Rules that never leave time together, so that it is never dialled.
    pub never: Vec<String>,
    /// Rules that only a person, or the end of a call, satisfies.
    #[serde(skip)]
    pub held_by: Vec<String>,
    /// What the callee asked for last, and how it was understood.
    pub callback: Option<CallbackWords>,
    /// Every attempt at the number, in all runs of all campaigns, oldest first.
    pub history: Vec<Past>,
}

/// A callback that somebody asked for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallbackWords {
    /// The words.
    pub words: String,
    /// Whether they name a time for certain.
    pub understood: bool,
    /// When the call is made.
    pub at: Moment,
}

/// One attempt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Past {
    /// Its campaign; none for a test call.
    pub campaign: Option<String>,
    /// The campaign's run, counted from 1.
    pub run: i64,
    /// When it was sent, or planned.
    pub at: Moment,
    /// Its state.
    pub state: &'static str,
    /// How its call ended.
    pub outcome: Option<&'static str>,
    /// Seconds talked.
    pub talk_seconds: Option<i64>,
    /// The vendor's name for the call.
    pub call_id: Option<String>,
    /// Why it was not sent, refused, or is unknown.
    pub cause: Option<String>,
}

/// A number that is in no campaign's current run: of a test call, of a run that is over, or only on
/// the do-not-call list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Outside {
    /// None.
    pub campaign: Option<String>,
    /// The number.
    pub phone: String,
    /// False.
    pub may_dial_now: bool,
    /// What the do-not-call list says of it.
    pub dnc: Option<String>,
    /// Its attempts, oldest first.
    pub history: Vec<Past>,
}

/// What is known of a number.
#[derive(Debug)]
pub enum WhyNumber {
    /// Its contacts, one for each campaign.
    Contacts(Vec<Explanation>),
    /// It is nobody's now.
    Outside(Box<Outside>),
}

/// Of the do-not-call list, or of those who wait, as many are gone through while a person waits.
const COUNTED: i64 = 50_000;

/// Explains a number in one campaign, or in all.
pub async fn number(workspace: &Workspace, phone: &str, campaign: Option<&str>) -> Result<WhyNumber, Error> {
    let number = workspace.number(phone).await?;
    let name = match campaign {
        Some(name) => Some(workspace.campaign(name).await?.rules.name),
        None => None,
    };
    let reading = workspace.clock.read();
    let key = workspace.store.hasher().key(&number);
    let known =
        Known::gather(&workspace.store, key, stop_switches::stop_file(&workspace.config.path).active(), reading)
            .await?;
    let explanations = of_contacts(&workspace.store, key, &known, name.as_deref()).await?;
    if !explanations.is_empty() {
        return Ok(WhyNumber::Contacts(explanations));
    }
    if campaign.is_none() && (!known.dnc.is_empty() || !known.attempts.is_empty()) {
        let history = known.history();
        let (phone, dnc) = (number.e164().to_owned(), known.dnc_says(None));
        return Ok(WhyNumber::Outside(Box::new(Outside { campaign: None, phone, may_dial_now: false, dnc, history })));
    }
    let hint = match campaign {
        Some(_) => "leave --campaign out; or it was rejected on import: `ringfence rejects` lists those",
        None => "it may have been rejected on import: `ringfence rejects` lists those",
    };
    Err(Error::missing(format!("no campaign has the number {number}"), hint))
}

/// Explains one contact. Of a run that is over there is only its history.
pub async fn of_contact(workspace: &Workspace, id: ContactId) -> Result<WhyNumber, Error> {
    let contact = workspace.store.contact(id).await?;
    let contact = contact.ok_or_else(|| Error::missing(format!("there is no contact {id}"), "list them"))?;
    let stop_switch = stop_switches::stop_file(&workspace.config.path).active();
    let known = Known::gather(&workspace.store, contact.number_key, stop_switch, workspace.clock.read()).await?;
    let current = workspace.store.contacts_of_number(contact.number_key, known.reading.now).await?;
    if let Some((run, contact)) = current.iter().find(|(_, other)| other.id == id) {
        return Ok(WhyNumber::Contacts(vec![explain(run, contact, &known)]));
    }
    let (phone, dnc) = (contact.number.e164().to_owned(), known.dnc_says(None));
    let history = known.history();
    Ok(WhyNumber::Outside(Box::new(Outside { campaign: None, phone, may_dial_now: false, dnc, history })))
}

/// Explains every contact with a number in the current run of a campaign, or of all. A thousand
/// campaigns take as many questions as one.
pub async fn contacts(
    store: &Database,
    number: &PhoneNumber,
    stop_switch: Option<String>,
    reading: ClockReading,
) -> Result<Vec<Explanation>, Error> {
    let key = store.hasher().key(number);
    let known = Known::gather(store, key, stop_switch, reading).await?;
    of_contacts(store, key, &known, None).await
}

async fn of_contacts(
    store: &Database,
    key: NumberKey,
    known: &Known,
    campaign: Option<&str>,
) -> Result<Vec<Explanation>, Error> {
    let contacts = store.contacts_of_number(key, known.reading.now).await?;
    let asked = contacts.iter().filter(|(run, _)| match campaign {
        Some(name) => run.campaign.rules.name == name,
        None => is_listed(&run.campaign.rules.name),
    });
    Ok(asked.map(|(run, contact)| explain(run, contact, known)).collect())
}

/// Explains for which reasons the contacts of a campaign wait, and how many for each.
pub async fn campaign(workspace: &Workspace, name: &str) -> Result<WhyCampaign, Error> {
    let reading = workspace.clock.read();
    let name = workspace.campaign(name).await?.rules.name;
    let figures = workspace.store.numbers_shown(name.clone(), reading.now).await?;
    let figures = figures.ok_or_else(|| Error::work(format!("the campaign {name} has vanished")))?;
    let on_dnc = workspace.store.waiting_on_dnc(figures.conditions.campaign.run, COUNTED).await?;
    let asker = Asker { stop_switch: stop_switches::stop_file(&workspace.config.path).active(), is_dialling: false };
    Ok(campaign::explain(&figures, &asker, on_dnc, reading))
}

/// What is known beside the contact itself.
struct Known {
    attempts: Vec<AttemptRow>,
    dnc: Vec<DncRow>,
    stop_switch: Option<String>,
    /// Contacts that wait for a call of an earlier run to be settled.
    in_review: Vec<ContactId>,
    /// The runs of the attempts: the campaign's name, and the run's number.
    runs: BTreeMap<RunId, (String, i64)>,
    reading: ClockReading,
}

impl Known {
    async fn gather(
        store: &Database,
        key: NumberKey,
        stop_switch: Option<String>,
        reading: ClockReading,
    ) -> Result<Self, Error> {
        let (attempts, dnc) = (store.attempts_at(key).await?, store.dnc_entries(key).await?);
        let runs = store.run_names(attempts.iter().map(|attempt| attempt.run).collect()).await?;
        Ok(Self { attempts, dnc, stop_switch, in_review: store.waiting_for_review(key).await?, runs, reading })
    }

    fn history(&self) -> Vec<Past> {
        self.attempts.iter().map(|attempt| past(attempt, self.runs.get(&attempt.run))).collect()
    }

    /// What the list says of the number: to everyone, or to this campaign.
    fn dnc_says(&self, campaign: Option<CampaignId>) -> Option<String> {
        let holds = |entry: &&DncRow| entry.list.campaign.is_none() || entry.list.campaign == campaign;
        let list = &self.dnc.iter().find(holds)?.list;
        let whose = if list.campaign.is_some() { "the campaign's own" } else { "the" };
        let reason = list.reason.as_ref().map(|reason| format!(" because {reason}")).unwrap_or_default();
        let source = match list.source.as_deref() {
            None | Some("by hand") => "by hand".to_owned(),
            Some(source) => format!("from {source}"),
        };
        let since = list.added_at.shown(Zone::utc());
        Some(format!("on {whose} do-not-call list since {since}{reason}, {source}"))
    }
}

fn explain(run: &RunConditions, contact: &ContactRow, known: &Known) -> Explanation {
    let (campaign, clock, reading) = (&run.campaign.rules, run.clock(), known.reading);
    let verdicts = contact::verdicts(run, contact, known);
    let waiting = contact.state == ContactState::Waiting;
    // Who is being called, or is finished, needs none.
    let needs_reason = !matches!(contact.state, ContactState::Active | ContactState::Done);
    let forbids = || verdicts.iter().filter(|verdict| verdict.forbids(reading));
    // What has no moment is let go by a person, or by an end that nobody knows. A window that never
    // opens is told by the outlook.
    let held = |verdict: &&Verdict| verdict.from(reading).is_none() && !matches!(verdict, Verdict::Window { .. });
    let held_by: Vec<String> = forbids().filter(held).map(|verdict| verdict.rule().into_owned()).collect();
    let outlook = if waiting { outlook::of(run, contact, known, &verdicts) } else { Outlook::default() };
    let zones =
        if campaign.needs_own_zone() { contact.zones.clone() } else { campaign.zones_for(contact.zones.clone()) };
    let next_dial_at = outlook.at.filter(|_| held_by.is_empty());
    Explanation {
        campaign: campaign.name.clone(),
        clock,
        phone: contact.number.e164().to_owned(),
        state: contact.state,
        reason: contact.stop_reason.map(|reason| reason.to_string()),
        calls: contact.calls,
        zones: zones.to_string(),
        short_zones: zones.short(),
        zone_source: contact::zone_source(campaign, contact),
        may_dial_now: forbids().next().is_none(),
        because: needs_reason.then(|| because(&verdicts, next_dial_at, reading, clock)).flatten(),
        rules: verdicts
            .iter()
            .map(|verdict| Rule {
                rule: verdict.rule().into_owned(),
                allows: verdict.allows(reading),
                says: verdict.says(reading, clock),
                from: verdict.from(reading),
            })
            .collect(),
        set_by: outlook.set_by(reading.now),
        next_dial_at,
        steps: outlook.steps,
        never: outlook.never,
        held_by,
        callback: callback(run, contact, known),
        history: known.history(),
    }
}

/// Why a waiting contact is not dialled: what only a person lets go, else the rule that holds it
/// for longest.
fn because(verdicts: &[Verdict], next_at: Option<Moment>, reading: ClockReading, clock: Zone) -> Option<String> {
    let forbids = || verdicts.iter().filter(|verdict| verdict.forbids(reading));
    // A contact that does not wait is not called whatever lets the others go.
    let own = || forbids().find(|verdict| matches!(verdict, Verdict::Contact { .. }));
    let first = own().or_else(|| forbids().find(|verdict| !verdict.is_of_time()));
    let last = || forbids().rev().max_by_key(|verdict| verdict.from(reading).unwrap_or(Moment::NEVER));
    // Where every rule allows it, that nobody dials is the reason.
    let verdict = first.or_else(last).or_else(|| verdicts.iter().find(|verdict| !verdict.allows(reading)))?;
    Some(because_of_contact(verdict, next_at, reading, clock))
}

/// What the callee asked for last, read as it was when that call ended.
fn callback(run: &RunConditions, contact: &ContactRow, known: &Known) -> Option<CallbackWords> {
    let campaign = &run.campaign.rules;
    let rule = campaign.callback.as_ref()?;
    let place = campaign.place_of(&contact.zones);
    let mut own = known.attempts.iter().rev().filter(|attempt| attempt.contact == contact.id);
    let asked = own.find_map(|attempt| {
        let talked = Span::from_secs(attempt.talk_seconds.unwrap_or_default());
        rule.asked(&attempt.outputs, attempt.sending_at? + talked, &place)
    })?;
    Some(CallbackWords { words: asked.words, understood: asked.understood, at: asked.at })
}

fn past(attempt: &AttemptRow, run: Option<&(String, i64)>) -> Past {
    Past {
        campaign: run.map(|(name, _)| name.clone()).filter(|name| is_listed(name)),
        run: run.map(|(_, number)| *number).unwrap_or_default(),
        at: attempt.sending_at.unwrap_or(attempt.opened_at),
        state: attempt.state.as_str(),
        outcome: attempt.outcome.map(Outcome::as_str),
        talk_seconds: attempt.talk_seconds,
        call_id: attempt.call_id.clone(),
        cause: attempt.cause.clone(),
    }
}
