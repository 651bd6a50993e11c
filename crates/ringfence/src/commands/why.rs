//! `ringfence why`

use ringfence_domain::{ContactState, Moment, Zone};
use ringfence_operations::why::{self, Explanation, Outside, Past, WhyCampaign, WhyNumber};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen::{self, plural};

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
pub async fn why(common: &Common, args: &WhyArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let Some(phone) = &args.phone else {
        let waiting = why::campaign(&home, args.campaign.as_deref().unwrap_or_default()).await;
        home.store.close().await;
        let waiting = waiting?;
        if common.json {
            screen::print_json(&waiting)?;
        } else {
            screen::print(&campaign(&waiting))?;
        }
        return Ok(DONE);
    };
    let answer = why::number(&home, phone, args.campaign.as_deref()).await;
    home.store.close().await;
    match (common.json, answer?) {
        (true, WhyNumber::Contacts(contacts)) => match contacts.as_slice() {
            [only] => screen::print_json(only)?,
            several => screen::print_json(&several)?,
        },
        (true, WhyNumber::Outside(number)) => screen::print_json(&number)?,
        (false, WhyNumber::Contacts(contacts)) => {
            for explanation in &contacts {
                screen::print(&text(explanation))?;
            }
        }
        (false, WhyNumber::Outside(number)) => screen::print(&outside(&number))?,
    }
    Ok(DONE)
}

fn outside(number: &Outside) -> String {
    let listed = number.dnc.as_deref().unwrap_or("not on the do-not-call list");
    let mut text = format!("{} is in no campaign's current run\n{listed}\n", number.phone);
    for past in &number.history {
        text.push_str(&attempt(past, &past.at.shown(Zone::utc())));
    }
    text
}

/// One attempt, in a line.
fn attempt(past: &Past, at: &str) -> String {
    let outcome = past.outcome.or(past.cause.as_deref()).unwrap_or_default();
    let whose = match &past.campaign {
        Some(campaign) => format!("{campaign}, run {}", past.run),
        None => "a test call".to_owned(),
    };
    format!("  {at} {whose}: {} {outcome}\n", past.state)
}

fn text(explanation: &Explanation) -> String {
    let when = |at: Moment| at.shown(explanation.clock);
    let mut table = screen::table(&["rule", "", "says", "allows from"]);
    for rule in &explanation.rules {
        table.add_row(vec![
            rule.rule.clone(),
            if rule.allows { "yes" } else { "NO" }.to_owned(),
            rule.says.clone(),
            rule.from.map(when).unwrap_or_default(),
        ]);
    }
    let head = format!(
        "{} in {}: {}, {}; zone {} from {}",
        explanation.phone,
        explanation.campaign,
        explanation.state,
        plural(explanation.calls, "call"),
        explanation.short_zones,
        explanation.zone_source
    );
    let mut text = format!("{}\n{table}\n", screen::wrapped(&head));
    let next = match (explanation.may_dial_now, explanation.next_dial_at, &explanation.set_by) {
        (true, ..) if explanation.rules.iter().any(|rule| !rule.allows) => "it would be dialled now, but:".to_owned(),
        (true, ..) => "it may be dialled now".to_owned(),
        (false, Some(at), Some(rule)) => format!("it may be dialled from {} on, by the rule {rule}", when(at)),
        (false, Some(at), None) => format!("it may be dialled from {} on", when(at)),
        (false, None, _) if !explanation.never.is_empty() => {
            format!("it is never dialled: {} leave no time to call", explanation.never.join(" and "))
        }
        (false, None, _) if explanation.state == ContactState::Waiting => {
            format!("it waits until this lets it go: {}", explanation.held_by.join(", "))
        }
        (false, None, _) => "it is not dialled again by itself".to_owned(),
    };
    text.push_str(&format!("{}\n", screen::wrapped(&next)));
    if let Some(because) = &explanation.because {
        text.push_str(&format!("{}\n", screen::wrapped(because)));
    }
    if !explanation.may_dial_now && explanation.next_dial_at.is_some() {
        for step in &explanation.steps {
            let step = format!("  {} until {}: {}", step.rule, when(step.until), step.says);
            text.push_str(&format!("{}\n", screen::wrapped(&step)));
        }
    }
    if let Some(asked) = &explanation.callback {
        let at = when(asked.at);
        let read = if asked.understood { "understood as" } else { "not understood, so not before" };
        text.push_str(&format!("asked to be called back: \"{}\", {read} {at}\n", asked.words));
    }
    for past in &explanation.history {
        text.push_str(&attempt(past, &when(past.at)));
    }
    text
}

fn campaign(waiting: &WhyCampaign) -> String {
    let mut table = screen::table(&["rule", "contacts", "says", "from"]);
    for reason in &waiting.reasons {
        let from = reason.from.map(|at| at.shown(waiting.clock)).unwrap_or_default();
        table.add_row(vec![reason.rule.clone(), reason.contacts.to_string(), reason.says.clone(), from]);
    }
    let mut text = format!(
        "{}: {} waiting, {} active, {} done, {} in review\n",
        waiting.campaign, waiting.waiting, waiting.active, waiting.done, waiting.review
    );
    if let Some(because) = &waiting.because {
        text.push_str(&format!("{}\n", screen::wrapped(because)));
    }
    if !waiting.reasons.is_empty() {
        text.push_str(&format!("{table}\n"));
    }
    if let Some(says) = waiting.dnc_says() {
        text.push_str(&format!("{says}\n"));
    }
    if !waiting.stopped_for.is_empty() {
        let parts: Vec<String> =
            waiting.stopped_for.iter().map(|(reason, n)| format!("{n} {}", reason.replace('_', " "))).collect();
        text.push_str(&format!("stopped: {}\n", parts.join(", ")));
    }
    text
}
