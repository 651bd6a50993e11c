//! `ringfence why`

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::{CampaignState, ContactState, ImportState, LaneState, Moment, PhoneNumber, ZoneSet};
use ringfence_store::{AttemptRow, ContactRow, DncRow, Numbers, Store};
use serde::Serialize;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::screen;
use crate::summary::tomorrow;

/// One contact, explained.
#[derive(Debug, Serialize)]
struct Explanation {
    campaign: String,
    /// Whose clocks people read it on.
    #[serde(skip)]
    clock: chrono_tz::Tz,
    phone: String,
    state: &'static str,
    reason: Option<String>,
    calls: u32,
    zones: String,
    zone_source: &'static str,
    may_dial_now: bool,
    rules: Vec<Rule>,
    next_dial_at: Option<Moment>,
    set_by: Option<&'static str>,
    history: Vec<Past>,
}

/// One rule and its verdict.
#[derive(Debug, Serialize)]
struct Rule {
    rule: &'static str,
    allows: bool,
    says: String,
    /// When it will allow, if it does not now and that is known.
    from: Option<Moment>,
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
    /// The number, with + and country code
    pub phone: String,
    /// The campaign [default: every campaign that has the number]
    #[arg(long)]
    pub campaign: Option<String>,
}

/// What happened to a number so far, may it be dialled now, and if not, why not and until when.
pub(super) async fn why(common: &Common, args: &WhyArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let number = PhoneNumber::parse(&args.phone, None).map_err(|error| {
        Failure::input(format!("`{}`: {error}", args.phone), "write it with + and country code: +919876543210")
    })?;
    let (store, now) = (&home.store, home.now());
    let key = store.hasher().key(&number);
    let names = match &args.campaign {
        Some(name) => vec![home.campaign(name).await?.rules.name],
        None => store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect(),
    };
    let attempts = store.attempts_at(key).await?;
    let found = Found { attempts, dnc: store.dnc_entry(key).await?, brake: home::brake(&home.config).pulled(), now };
    let mut explanations = Vec::new();
    for name in names.into_iter().filter(|name| home::is_listed(name)) {
        let Some(numbers) = store.numbers(name, now).await? else { continue };
        if let Some(contact) = store.contact_by_number(numbers.campaign.run, key).await? {
            explanations.push(explain(&numbers, &contact, &found));
        }
    }
    store.close().await;
    if explanations.is_empty() && args.campaign.is_none() && (found.dnc.is_some() || !found.attempts.is_empty()) {
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

/// A number that is no campaign's: of a test call, of a run that is over, or only on the do-not-call list.
fn outside(common: &Common, number: &PhoneNumber, found: &Found) -> Result<u8, Failure> {
    let history: Vec<Past> = found.attempts.iter().map(past).collect();
    let dnc = found.dnc_says();
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
    dnc: Option<DncRow>,
    brake: Option<String>,
    now: Moment,
}

impl Found {
    fn dnc_says(&self) -> Option<String> {
        let entry = self.dnc.as_ref()?;
        let reason = entry.reason.as_ref().map(|reason| format!(" because {reason}")).unwrap_or_default();
        let source = entry.source.as_deref().unwrap_or("by hand");
        Some(format!("on the do-not-call list since {}{reason}, from {source}", entry.added_at))
    }
}

fn explain(numbers: &Numbers, contact: &ContactRow, found: &Found) -> Explanation {
    let now = found.now;
    let campaign = &numbers.campaign.rules;
    let zones = campaign.zones_for(contact.zones.clone());
    let source = match (campaign.calling.timezone, &campaign.contacts.timezone) {
        (CallingZone::Fixed(_), _) => "the campaign's timezone",
        (CallingZone::Contact, Some(column))
            if contact.fields.get(column).is_some_and(|zone| !zone.trim().is_empty()) =>
        {
            "the contact's column"
        }
        (CallingZone::Contact, _) => "the number's prefix",
    };
    let rules = rules(numbers, contact, found, &zones);
    let waiting = contact.state == ContactState::Waiting;
    let may_dial_now = rules.iter().all(|rule| rule.allows);
    // The next moment is the first open one after the last refusal.
    let held = rules.iter().any(|rule| !rule.allows && rule.from.is_none());
    let latest =
        rules.iter().filter(|rule| !rule.allows).filter_map(|rule| rule.from.map(|from| (from, rule.rule))).max();
    let mut calendar = campaign.calendar(&zones, numbers.lane.settings.vendor_hours().as_ref());
    let (next_dial_at, set_by) = match (waiting && !held, latest) {
        (false, _) => (None, None),
        (true, None) => (Some(now), None),
        (true, Some((from, rule))) => match calendar.next_opening(from) {
            Some(opening) if opening > from => (Some(opening), Some("window")),
            opening => (opening, Some(rule)),
        },
    };
    Explanation {
        campaign: campaign.name.clone(),
        clock: campaign.own_zone(numbers.lane.settings.timezone),
        phone: contact.number.e164().to_owned(),
        state: contact.state.as_str(),
        reason: contact.stop_reason.map(|reason| reason.to_string()),
        calls: contact.calls,
        zones: zones.to_string(),
        zone_source: source,
        may_dial_now,
        rules,
        next_dial_at,
        set_by,
        history: found.attempts.iter().filter(|attempt| attempt.contact == contact.id).map(past).collect(),
    }
}

fn rules(numbers: &Numbers, contact: &ContactRow, found: &Found, zones: &ZoneSet) -> Vec<Rule> {
    let now = found.now;
    let campaign = &numbers.campaign.rules;
    let lane = &numbers.lane;
    let mut rules = Vec::new();
    let mut rule = |rule, allows: bool, says: String, from: Option<Moment>| {
        rules.push(Rule { rule, allows, says, from: from.filter(|_| !allows) });
    };
    let stop = found.brake.clone().or(numbers.stop.as_ref().map(|stop| stop.reason.clone()));
    rule("stop", stop.is_none(), stop.unwrap_or_else(|| "nothing is stopped".to_owned()), None);
    let listed = found.dnc_says();
    rule("dnc", listed.is_none(), listed.unwrap_or_else(|| "not on the do-not-call list".to_owned()), None);
    let state = match contact.state {
        ContactState::Waiting => "it waits for its call".to_owned(),
        ContactState::Active => "a call is under way".to_owned(),
        ContactState::Done => "it is finished".to_owned(),
        ContactState::Stopped => {
            format!("it was stopped: {}", contact.stop_reason.map(|reason| reason.to_string()).unwrap_or_default())
        }
        ContactState::Review => "nobody can say whether its last call was placed".to_owned(),
    };
    rule("contact", contact.state == ContactState::Waiting, state, None);
    let due = contact.due_at <= now;
    let says = if due { "it is due".to_owned() } else { format!("its {} is not due yet", contact.class) };
    rule("due", due, says, Some(contact.due_at));
    let mut calendar = campaign.calendar(zones, lane.settings.vendor_hours().as_ref());
    let window = calendar.at(now);
    let mut says = format!(
        "{} in {}",
        campaign.calling.hours,
        if zones.is_empty() { "no known zone".to_owned() } else { zones.to_string() }
    );
    if let Some(hours) = &lane.settings.hours {
        says.push_str(&format!(", and the lane's {hours} in {}", lane.settings.timezone));
    }
    if !campaign.calling.guard.millis().eq(&0) {
        says.push_str(&format!(", {} before closing excepted", campaign.calling.guard));
    }
    for (word, date) in [("from", campaign.schedule.starts), ("up to", campaign.schedule.ends)] {
        if let Some(date) = date {
            says.push_str(&format!(", {word} {date}"));
        }
    }
    rule("window", window.open, says, window.next_change);
    for cap in &campaign.limits.per_number {
        let counted: Vec<Moment> = found
            .attempts
            .iter()
            .filter(|attempt| attempt.outcome.is_none_or(ringfence_domain::Outcome::is_counted))
            .filter(|attempt| {
                !matches!(attempt.state.as_str(), "not_sent" | "refused" | "not_placed" | "lapsed" | "open")
            })
            .filter_map(|attempt| attempt.sending_at)
            .collect();
        let free = cap.allows(&counted, now, if contact.zones.is_empty() { zones } else { &contact.zones });
        rule("per_number", free.is_ok(), format!("{cap}, over all campaigns"), free.err());
    }
    let running = numbers.campaign.state == CampaignState::Running;
    let says = numbers.campaign.reason.clone().unwrap_or_else(|| numbers.campaign.state.to_string());
    rule("campaign", running, says, None);
    let import = numbers.last_import.as_ref().filter(|import| import.id == contact.import);
    let says = match (contact.staged, import.map(|import| (import.state, import.held_for.clone()))) {
        (false, _) if numbers.run.ready => "its import is complete".to_owned(),
        (_, Some((ImportState::Held, reason))) => format!("its import is held: {}", reason.unwrap_or_default()),
        (_, Some((ImportState::Canary, _))) => "its import waits for the outcomes of the first calls".to_owned(),
        _ => "its import is not complete".to_owned(),
    };
    rule("import", numbers.run.ready && !contact.staged, says, None);
    let failing = campaign.safety.judge_recent(&numbers.run.recent);
    rule("safety", failing.is_none(), failing.unwrap_or_else(|| "few of the last calls failed".to_owned()), None);
    let says = lane.reason.clone().unwrap_or_else(|| format!("lane {} is {}", lane.settings.name, lane.state));
    rule("lane", lane.state == LaneState::Open, says, None);
    let slowed = lane.slowed_until > now;
    let says = lane.slowed_reason.clone().filter(|_| slowed).unwrap_or_else(|| "not slowed".to_owned());
    rule("pace", !slowed, says, Some(lane.slowed_until));
    if let Some(left) = numbers.left_today {
        let says = format!("{left} calls left today");
        rule("lane_day", left > 0, says, Some(tomorrow(now, lane.settings.timezone)));
    }
    rules
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
            rule.rule.to_owned(),
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
        explanation.zones,
        explanation.zone_source
    );
    let next = match (explanation.may_dial_now, explanation.next_dial_at, explanation.set_by) {
        (true, ..) => "it may be dialled now".to_owned(),
        (false, Some(at), Some(rule)) => format!("it may be dialled from {} on, by the rule {rule}", when(at)),
        (false, Some(at), None) => format!("it may be dialled from {} on", when(at)),
        (false, None, _) if explanation.state == ContactState::Waiting.as_str() => {
            let held = explanation.rules.iter().filter(|rule| !rule.allows && rule.from.is_none());
            let names: Vec<&str> = held.map(|rule| rule.rule).collect();
            format!("it waits until this lets it go: {}", names.join(", "))
        }
        (false, None, _) => "it is not dialled again by itself".to_owned(),
    };
    text.push_str(&format!("{next}\n"));
    for past in &explanation.history {
        let outcome = past.outcome.or(past.cause.as_deref()).unwrap_or_default();
        text.push_str(&format!("  {} {} {outcome}\n", when(past.at), past.state));
    }
    text
}
