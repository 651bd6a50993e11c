//! `ringfence why`

mod campaign;
mod outlook;
mod rules;

use ringfence_domain::{CampaignId, ContactId, ContactState, Moment, PhoneNumber, Span, Zone};
use ringfence_store::{AttemptRow, ContactRow, DncRow, RunFigures};
use serde::Serialize;

use self::outlook::{Outlook, Step};
use self::rules::Rule;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::screen;

/// One contact, explained.
#[derive(Debug, Serialize)]
struct Explanation {
    campaign: String,
    /// Whose clocks people read it on.
    #[serde(skip)]
    clock: ringfence_domain::Zone,
    phone: String,
    state: &'static str,
    reason: Option<String>,
    calls: u32,
    zones: String,
    #[serde(skip)]
    short_zones: String,
    zone_source: &'static str,
    may_dial_now: bool,
    rules: Vec<Rule>,
    next_dial_at: Option<Moment>,
    /// The rule that holds it for longest until then.
    set_by: Option<String>,
    /// Each rule that holds it until then, one after the other.
    steps: Vec<Step>,
    /// Rules that never leave time together, so that it is never dialled.
    never: Vec<String>,
    /// What the callee asked for last, and how it was understood.
    callback: Option<CallbackSaid>,
    history: Vec<Past>,
}

/// A callback that somebody asked for.
#[derive(Debug, Serialize)]
struct CallbackSaid {
    words: String,
    understood: bool,
    at: Moment,
}

/// One attempt.
#[derive(Debug, Serialize)]
struct Past {
    at: Moment,
    state: &'static str,
    outcome: Option<&'static str>,
    talk_seconds: Option<i64>,
    call_id: Option<String>,
    cause: Option<String>,
}

/// `why`
#[derive(Debug, clap::Args)]
pub struct WhyArgs {
    /// The number, with + and country code; without it, why contacts of the campaign wait
    #[arg(required_unless_present = "campaign")]
    pub phone: Option<String>,
    /// The campaign [default: every campaign that has the number]
    #[arg(long)]
    pub campaign: Option<String>,
}

/// What happened to a number so far, may it be dialled now, and if not, why not and until when.
pub(super) async fn why(common: &Common, args: &WhyArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let Some(phone) = &args.phone else {
        return whole(common, &home, args.campaign.as_deref().unwrap_or_default()).await;
    };
    let number = PhoneNumber::parse(phone, None).map_err(|error| {
        Failure::input(format!("`{phone}`: {error}"), "write it with + and country code: +919876543210")
    })?;
    let (store, now) = (&home.store, home.now());
    let key = store.hasher().key(&number);
    let names = match &args.campaign {
        Some(name) => vec![home.campaign(name).await?.rules.name],
        None => store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect(),
    };
    let attempts = store.attempts_at(key).await?;
    let brake = home::brake(&home.config).pulled();
    let (dnc, in_review) = (store.dnc_entries(key).await?, store.waiting_for_review(key).await?);
    let found = Found { attempts, dnc, brake, in_review, now };
    let mut explanations = Vec::new();
    for name in names.into_iter().filter(|name| home::is_listed(name)) {
        let Some(numbers) = store.numbers(name, now).await? else { continue };
        if let Some(contact) = store.contact_by_number(numbers.campaign.run, key).await? {
            explanations.push(explain(&numbers, &contact, &found));
        }
    }
    store.close().await;
    if explanations.is_empty() && args.campaign.is_none() && (!found.dnc.is_empty() || !found.attempts.is_empty()) {
        return outside(common, &number, &found);
    }
    if explanations.is_empty() {
        let hint = match args.campaign {
            Some(_) => "leave --campaign out; or it was rejected on import: `ringfence rejects` lists those",
            None => "it may have been rejected on import: `ringfence rejects` lists those",
        };
        return Err(Failure::input(format!("no campaign has the number {number}"), hint));
    }
    match (common.json, explanations.as_slice()) {
        (true, [only]) => screen::print_json(only)?,
        (true, several) => screen::print_json(&several)?,
        (false, all) => {
            for explanation in all {
                screen::print(&text(explanation))?;
            }
        }
    }
    Ok(DONE)
}

/// How many contacts of a campaign wait for which reason.
async fn whole(common: &Common, home: &Home, name: &str) -> Result<u8, Failure> {
    let now = home.now();
    let name = home.campaign(name).await?.rules.name;
    let Some(numbers) = home.store.numbers(name, now).await? else { return Ok(DONE) };
    let on_dnc = home.store.waiting_on_dnc(numbers.campaign.run).await?;
    home.store.close().await;
    let waiting = campaign::of(&numbers, home::brake(&home.config).pulled(), on_dnc, now);
    if common.json {
        screen::print_json(&waiting)?;
    } else {
        screen::print(&campaign::text(&waiting))?;
    }
    Ok(DONE)
}

/// A number that is no campaign's: of a test call, of a run that is over, or only on the do-not-call list.
fn outside(common: &Common, number: &PhoneNumber, found: &Found) -> Result<u8, Failure> {
    let history: Vec<Past> = found.attempts.iter().map(past).collect();
    let dnc = found.dnc_says(None);
    if common.json {
        screen::print_json(&serde_json::json!({
            "campaign": null, "phone": number.e164(), "may_dial_now": false, "dnc": dnc, "history": history,
        }))?;
        return Ok(DONE);
    }
    let mut text = format!("{} is in no campaign's current run\n", number.e164());
    text.push_str(&format!("{}\n", dnc.unwrap_or_else(|| "not on the do-not-call list".to_owned())));
    for past in &history {
        let outcome = past.outcome.or(past.cause.as_deref()).unwrap_or_default();
        text.push_str(&format!("  {} {} {outcome}\n", past.at, past.state));
    }
    screen::print(&text)?;
    Ok(DONE)
}

/// What is known beside the contact itself.
struct Found {
    attempts: Vec<AttemptRow>,
    dnc: Vec<DncRow>,
    brake: Option<String>,
    /// Contacts that wait for a call of an earlier run to be settled.
    in_review: Vec<ContactId>,
    now: Moment,
}

impl Found {
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
        let since = list.added_at.local(Zone::utc()).strftime("%d %b %Y %H:%M UTC");
        Some(format!("on {whose} do-not-call list since {since}{reason}, {source}"))
    }
}

/// Whether time alone satisfies a rule, if anything ever does.
fn of_time(rule: &Rule) -> bool {
    matches!(rule.rule.as_str(), "hours" | "closed_days" | "vendor_hours" | "window") || rule.rule.starts_with("preset")
}

fn explain(numbers: &RunFigures, contact: &ContactRow, found: &Found) -> Explanation {
    let campaign = &numbers.campaign.rules;
    let rules = rules::of(numbers, contact, found);
    let waiting = contact.state == ContactState::Waiting;
    // What only a person lets go has no moment.
    let held = rules.iter().any(|rule| !rule.allows && rule.from.is_none() && !of_time(rule));
    let outlook = if waiting { outlook::of(numbers, contact, found) } else { Outlook::default() };
    let fixed = || campaign.zones_for(contact.zones.clone());
    let zones = if campaign.needs_own_zone() { contact.zones.clone() } else { fixed() };
    let history = found.attempts.iter().filter(|attempt| attempt.contact == contact.id);
    Explanation {
        campaign: campaign.name.clone(),
        clock: campaign.own_zone(numbers.lane.settings.timezone),
        phone: contact.number.e164().to_owned(),
        state: contact.state.as_str(),
        reason: contact.stop_reason.map(|reason| reason.to_string()),
        calls: contact.calls,
        zones: zones.to_string(),
        short_zones: zones.short(),
        zone_source: rules::zone_source(campaign, contact),
        may_dial_now: rules.iter().all(|rule| rule.allows),
        rules,
        set_by: outlook.set_by(found.now),
        next_dial_at: outlook.at.filter(|_| !held),
        steps: outlook.steps,
        never: outlook.never,
        callback: callback(numbers, contact, found),
        history: history.map(past).collect(),
    }
}

/// What the callee asked for last, read as it was when that call ended.
fn callback(numbers: &RunFigures, contact: &ContactRow, found: &Found) -> Option<CallbackSaid> {
    let campaign = &numbers.campaign.rules;
    let rule = campaign.callback.as_ref()?;
    let place = campaign.place_of(&contact.zones);
    let mut own = found.attempts.iter().rev().filter(|attempt| attempt.contact == contact.id);
    let asked = own.find_map(|attempt| {
        let talked = Span::from_secs(attempt.talk_seconds.unwrap_or_default());
        rule.asked(&attempt.outputs, attempt.sending_at? + talked, &place)
    })?;
    Some(CallbackSaid { words: asked.words, understood: asked.understood, at: asked.at })
}

fn past(attempt: &AttemptRow) -> Past {
    Past {
        at: attempt.sending_at.unwrap_or(attempt.opened_at),
        state: attempt.state.as_str(),
        outcome: attempt.outcome.map(ringfence_domain::Outcome::as_str),
        talk_seconds: attempt.talk_seconds,
        call_id: attempt.call_id.clone(),
        cause: attempt.cause.clone(),
    }
}

fn text(explanation: &Explanation) -> String {
    let when = |at: Moment| screen::moment(at, explanation.clock);
    let mut table = screen::table(&["rule", "", "says", "allows from"]);
    for rule in &explanation.rules {
        table.add_row(vec![
            rule.rule.clone(),
            if rule.allows { "yes" } else { "NO" }.to_owned(),
            rule.says.clone(),
            rule.from.map(when).unwrap_or_default(),
        ]);
    }
    let mut text = format!(
        "{} in {}: {}, {} calls; zone {} from {}\n{table}\n",
        explanation.phone,
        explanation.campaign,
        explanation.state,
        explanation.calls,
        explanation.short_zones,
        explanation.zone_source
    );
    let next = match (explanation.may_dial_now, explanation.next_dial_at, &explanation.set_by) {
        (true, ..) => "it may be dialled now".to_owned(),
        (false, Some(at), Some(rule)) => format!("it may be dialled from {} on, by the rule {rule}", when(at)),
        (false, Some(at), None) => format!("it may be dialled from {} on", when(at)),
        (false, None, _) if !explanation.never.is_empty() => {
            format!("it is never dialled: {} leave no time to call", explanation.never.join(" and "))
        }
        (false, None, _) if explanation.state == ContactState::Waiting.as_str() => {
            let held = explanation.rules.iter().filter(|rule| !rule.allows && rule.from.is_none() && !of_time(rule));
            let names: Vec<&str> = held.map(|rule| rule.rule.as_str()).collect();
            format!("it waits until this lets it go: {}", names.join(", "))
        }
        (false, None, _) => "it is not dialled again by itself".to_owned(),
    };
    text.push_str(&format!("{next}\n"));
    if !explanation.may_dial_now && explanation.next_dial_at.is_some() {
        for step in &explanation.steps {
            text.push_str(&format!("  {} until {}: {}\n", step.rule, when(step.until), step.says));
        }
    }
    if let Some(asked) = &explanation.callback {
        let at = when(asked.at);
        let read = if asked.understood { "understood as" } else { "not understood, so not before" };
        text.push_str(&format!("asked to be called back: \"{}\", {read} {at}\n", asked.words));
    }
    for past in &explanation.history {
        let outcome = past.outcome.or(past.cause.as_deref()).unwrap_or_default();
        text.push_str(&format!("  {} {} {outcome}\n", when(past.at), past.state));
    }
    text
}
