//! One person: whether they may be called, every rule, every call, and what the agent collected.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use ringfence_domain::{ContactId, ContactState, Moment, Span, Zone};
use ringfence_operations::attempts::ListedAttempt;
use ringfence_operations::ledger::{self, Entry};
use ringfence_operations::why::{self, Explanation, Past, WhyNumber};
use ringfence_operations::{Error, Workspace, by_hand, contacts, windows};
use serde::Deserialize;

use super::campaigns::part;
use super::day::{self, Day};
use super::frame::{Frame, moment};
use super::ledger::LedgerLine;
use super::sent::Sent;
use super::visitor::{Operator, Visitor};
use super::{Page, PageError, shown, to};

/// How far ahead the end of a window is looked for.
const DAY: Span = Span::from_hours(24);

#[derive(Template)]
#[template(path = "pages/contact.html")]
struct ContactPage {
    frame: Frame,
    id: i64,
    name: String,
    phone: String,
    state: &'static str,
    is_over: bool,
    waits: bool,
    fields: Vec<(String, String)>,
    explained: Vec<Explained>,
    day: Option<Day>,
    attempts: Vec<AttemptLine>,
}

/// Whether the person may be called, in one campaign.
struct Explained {
    campaign: String,
    path: String,
    state: &'static str,
    because: String,
    may_now: bool,
    next: String,
    /// When the window closes in which it may be called; empty when that is far off.
    until: String,
    set_by: String,
    zones: String,
    zone_source: &'static str,
    clock: String,
    rules: Vec<RuleLine>,
    never: Vec<String>,
    callback: Option<(String, bool, String)>,
    history: Vec<PastLine>,
}

struct RuleLine {
    rule: String,
    allows: bool,
    says: String,
    from: String,
}

struct PastLine {
    at: String,
    of: String,
    says: String,
}

/// One call at the person, with what was heard.
struct AttemptLine {
    id: i64,
    at: String,
    state: &'static str,
    outcome: String,
    says: String,
    cost: String,
    call_id: String,
    outputs: Vec<(String, String)>,
    recording: Option<Medium>,
    transcript: Option<Medium>,
    ledger: Vec<LedgerLine>,
}

/// Something that the vendor keeps, while it does.
struct Medium {
    url: String,
    expires: String,
    is_over: bool,
}

/// Shows the person.
pub(crate) async fn contact(visitor: Visitor, Path(id): Path<i64>) -> Page {
    let (workspace, id) = (&visitor.workspace, ContactId(id));
    let contact = contacts::one(workspace, id).await?;
    let frame = Frame::of(&visitor, &format!("Contact {id}"), "/contacts").await?.live();
    let explanations = match why::of_contact(workspace, id).await? {
        WhyNumber::Contacts(all) => all,
        WhyNumber::Outside(_) => Vec::new(),
    };
    let now = workspace.now();
    let clock = explanations.first().map_or(frame.zone, |one| one.clock);
    let calls = ledger::of_contact(workspace, id, clock).await?;
    let day = match explanations.first() {
        Some(one) => day::draw(workspace, id, (one.clock, one.next_dial_at), &calls).await?,
        None => None,
    };
    let until = match explanations.first() {
        Some(one) => closes(workspace, id, one).await?,
        None => None,
    };
    let mut explained: Vec<Explained> = explanations.iter().map(|one| explain(&visitor, one)).collect();
    if let (Some(first), Some(until)) = (explained.first_mut(), until) {
        first.until = moment(until, clock);
    }
    let page = ContactPage {
        id: id.0,
        name: contact.external_id.as_deref().map_or(format!("Contact {id}"), |name| visitor.seen(name)),
        phone: visitor.seen(&contact.phone),
        state: contact.state.as_str(),
        is_over: matches!(contact.state, ContactState::Done | ContactState::Stopped),
        waits: contact.state == ContactState::Waiting,
        fields: contact.fields.iter().map(|(key, value)| (visitor.seen(key), visitor.seen(value))).collect(),
        explained,
        day,
        attempts: calls.iter().rev().map(|one| attempt(&visitor, one, (now, clock))).collect(),
        frame,
    };
    Ok(shown(&page))
}

fn explain(visitor: &Visitor, one: &Explanation) -> Explained {
    let clock = one.clock;
    let at = |at: Option<Moment>| at.map(|at| moment(at, clock)).unwrap_or_default();
    Explained {
        campaign: one.campaign.clone(),
        path: part(&one.campaign),
        state: one.state.as_str(),
        because: visitor.seen(one.because.as_deref().unwrap_or_default()),
        may_now: one.may_dial_now,
        next: at(one.next_dial_at),
        until: String::new(),
        set_by: visitor.seen(one.set_by.as_deref().unwrap_or_default()),
        zones: one.short_zones.clone(),
        zone_source: one.zone_source,
        clock: visitor.workspace.now().shown(clock),
        rules: one
            .rules
            .iter()
            .map(|rule| RuleLine {
                rule: rule.rule.clone(),
                allows: rule.allows,
                says: visitor.seen(&rule.says),
                from: at(rule.from),
            })
            .collect(),
        never: one.never.iter().map(|text| visitor.seen(text)).collect(),
        callback: one
            .callback
            .as_ref()
            .map(|asked| (visitor.seen(&asked.words), asked.understood, moment(asked.at, clock))),
        history: one.history.iter().rev().map(|past| past_line(visitor, past, clock)).collect(),
    }
}

/// When the window closes in which the person may be called next, if that is within a day.
async fn closes(workspace: &Workspace, id: ContactId, one: &Explanation) -> Result<Option<Moment>, Error> {
    let from = if one.may_dial_now { Some(workspace.now()) } else { one.next_dial_at };
    let Some(from) = from else { return Ok(None) };
    let open = windows::of_contact(workspace, id, (from, DAY)).await?.unwrap_or_default();
    let first = open.first().filter(|(begin, _)| *begin == from);
    Ok(first.map(|(_, end)| *end).filter(|end| *end < from + DAY))
}

fn past_line(visitor: &Visitor, past: &Past, clock: Zone) -> PastLine {
    let outcome = past.outcome.unwrap_or(past.state).replace('_', " ");
    let talk =
        past.talk_seconds.filter(|seconds| *seconds > 0).map(|seconds| format!(", {seconds} s")).unwrap_or_default();
    let cause = past.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
    let of = past.campaign.clone().map_or("a test call".to_owned(), |name| format!("{name}, run {}", past.run));
    PastLine { at: moment(past.at, clock), of, says: visitor.seen(&format!("{outcome}{talk}{cause}")) }
}

fn attempt(
    visitor: &Visitor,
    (one, entries): &(ListedAttempt, Vec<Entry>),
    (now, zone): (Moment, Zone),
) -> AttemptLine {
    let medium = |url: &Option<String>, expires: Option<Moment>| {
        // An address that is none of the web would be a way to run something.
        let url = url.clone().filter(|url| url.starts_with("https://") || url.starts_with("http://"))?;
        let is_over = expires.is_some_and(|at| at <= now);
        Some(Medium { url, expires: expires.map(|at| moment(at, zone)).unwrap_or_default(), is_over })
    };
    let talk = one.duration_s.filter(|seconds| *seconds > 0).map(|seconds| format!("talked {seconds} s"));
    let vendor = one.vendor_status.as_ref().map(|word| format!("the vendor says {word}"));
    let says: Vec<String> = [talk, vendor, one.cause.clone()].into_iter().flatten().collect();
    let cost = one.cost.as_ref().map(|cost| format!("{cost} {}", one.currency.as_deref().unwrap_or_default()));
    let value = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    AttemptLine {
        id: one.id.0,
        at: moment(one.sent_at.unwrap_or(one.opened_at), zone),
        state: one.state.as_str(),
        outcome: one.outcome.map(|outcome| outcome.as_str().replace('_', " ")).unwrap_or_default(),
        says: visitor.seen(&says.join(", ")),
        cost: cost.unwrap_or_default(),
        call_id: one.call_id.clone().unwrap_or_default(),
        outputs: one.out.iter().map(|(name, said)| (visitor.seen(name), visitor.seen(&value(said)))).collect(),
        recording: medium(&one.recording_url, one.recording_expires_at),
        transcript: medium(&one.transcript_url, one.transcript_expires_at),
        ledger: entries.iter().map(|entry| LedgerLine::of(visitor, entry, zone)).collect(),
    }
}

/// Why, for the record.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ReasonForm {
    #[serde(default)]
    reason: String,
}

/// Stops the person: they are not called any more in this run.
pub(crate) async fn stop(Operator(visitor): Operator, Path(id): Path<i64>, Sent(form): Sent<ReasonForm>) -> Page {
    let reason = form.reason.trim();
    let reason = if reason.is_empty() { format!("by {}", visitor.name()) } else { reason.to_owned() };
    if by_hand::stop(&visitor.workspace, &[ContactId(id)], &reason).await? == 0 {
        return Err(PageError::new(
            StatusCode::CONFLICT,
            format!("contact {id} is finished: nobody calls it any more"),
        ));
    }
    Ok(to(&format!("/contacts/{id}")))
}

/// Has the person called before everybody who was not called yet, as soon as every rule allows it.
pub(crate) async fn call_next(Operator(visitor): Operator, Path(id): Path<i64>) -> Page {
    by_hand::call_next(&visitor.workspace, ContactId(id)).await?;
    Ok(to(&format!("/contacts/{id}")))
}

/// Puts all numbers of the person on everyone's do-not-call list.
pub(crate) async fn forbid(Operator(visitor): Operator, Path(id): Path<i64>, Sent(form): Sent<ReasonForm>) -> Page {
    let reason = form.reason.trim();
    let reason = (!reason.is_empty()).then_some(reason);
    if by_hand::forbid(&visitor.workspace, &[ContactId(id)], reason).await? == 0 {
        return Err(PageError::new(StatusCode::NOT_FOUND, format!("there is no contact {id}")));
    }
    Ok(to(&format!("/contacts/{id}")))
}
