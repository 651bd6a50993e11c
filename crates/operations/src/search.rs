//! Finding people: by number, by id, by the operator's own id, by any text of their row.
//!
//! Numbers and ids have an index. A text may stand anywhere in a row, so rows are looked at one
//! after the other: so many at most, and from there on when somebody asks again.

use ringfence_domain::{ContactId, ContactState, RunId};
use ringfence_store::{ContactFilter, ContactRow, ContactText};

use crate::error::Error;
use crate::workspace::{Workspace, is_listed};

/// Rows that are read at once.
const PAGE: u32 = 1_000;
/// Rows that one search looks at.
const MOST: u32 = 3_000;
/// The same where each row must be read whole, as somebody sees it who sees no numbers.
const MOST_HIDDEN: u32 = 1_000;
/// A number that not everybody sees.
const EXAMPLE: &str = "+919876543210";

/// What narrows a list of contacts beside their state and outcome.
#[derive(Debug, Clone)]
pub struct Narrow {
    /// They were called at least so often.
    pub calls: u32,
    /// A zone where they may be, or a part of its name.
    pub zone: String,
    /// A text in their number, their id or their row.
    pub text: String,
    /// A text as the reader sees it: a number that is hidden must not be found digit by digit.
    pub seen: fn(&str) -> String,
}

impl Default for Narrow {
    fn default() -> Self {
        Self { calls: 0, zone: String::new(), text: String::new(), seen: str::to_owned }
    }
}

/// Some people, and how far was looked.
#[derive(Debug, Default)]
pub struct Found {
    /// The people, by id.
    pub contacts: Vec<ContactRow>,
    /// From where to look on; none at the end of the list.
    pub next: Option<ContactId>,
    /// How many rows were looked at.
    pub looked: u32,
    /// Whether they have the very number or id that was asked for, and not only a text.
    pub is_exact: bool,
}

impl Narrow {
    /// Tells whether it lets everybody through.
    pub fn is_empty(&self) -> bool {
        self.calls == 0 && self.zone.is_empty() && self.text.is_empty()
    }

    /// Tells whether it may let somebody through, by their texts alone: what is sought may be in a key
    /// of the row, and then it is in none of its values.
    fn may_let_through(&self, text: &ContactText) -> bool {
        let sought = self.text.trim().to_lowercase();
        let in_json = serde_json::to_string(&sought).unwrap_or_default();
        let has = |text: &str| text.to_lowercase().contains(in_json.trim_matches('"'));
        text.calls >= self.calls
            && (self.hides_digits()
                || has(&text.fields)
                || text.external_id.as_deref().is_some_and(|id| id.to_lowercase().contains(&sought))
                || self.digits().is_some_and(|digits| text.number.contains(&digits)))
    }

    /// The digits of what is sought, if it may be a number: those are written with spaces and dashes.
    fn digits(&self) -> Option<String> {
        let digits: String = self.text.chars().filter(char::is_ascii_digit).collect();
        let is_number = digits.len() >= 4 && self.text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
        is_number.then_some(digits)
    }

    /// Tells whether the text may stand in a part that the reader does not see.
    fn hides_digits(&self) -> bool {
        let hidden = |c: char| c.is_numeric() || c == '*';
        self.text.contains(hidden) && (self.seen)(EXAMPLE) != EXAMPLE
    }

    /// How many rows one search looks at.
    fn most(&self) -> u32 {
        if self.hides_digits() { MOST_HIDDEN } else { MOST }
    }

    fn lets_through(&self, contact: &ContactRow) -> bool {
        let has = |text: &str, part: &str| (self.seen)(text).to_lowercase().contains(&part.to_lowercase());
        let text = self.text.trim();
        contact.calls >= self.calls
            && (self.zone.is_empty() || has(&contact.zones.to_string(), self.zone.trim()))
            && (text.is_empty()
                || self.digits().is_some_and(|digits| (self.seen)(contact.number.e164()).contains(&digits))
                || contact.external_id.as_deref().is_some_and(|id| has(id, text))
                || contact.fields.values().any(|value| has(value, text)))
    }
}

/// Returns the next people of a campaign's current run after `after` whom both filters let through,
/// `limit` at most.
pub async fn narrowed(
    workspace: &Workspace,
    campaign: &str,
    (filter, narrow): (ContactFilter, &Narrow),
    after: ContactId,
    limit: u32,
) -> Result<Found, Error> {
    let run = workspace.campaign(campaign).await?.run;
    in_run(workspace, run, (filter, narrow), after, limit).await
}

async fn in_run(
    workspace: &Workspace,
    run: RunId,
    (filter, narrow): (ContactFilter, &Narrow),
    after: ContactId,
    limit: u32,
) -> Result<Found, Error> {
    // Everybody with an outcome is found by an index, and everybody in a state; not both at once.
    let both = filter.state.filter(|_| filter.outcome.is_some());
    let filter = ContactFilter { state: filter.state.filter(|_| both.is_none()), ..filter };
    let lets_through =
        |contact: &ContactRow| both.is_none_or(|state| contact.state == state) && narrow.lets_through(contact);
    let mut found = Found { next: Some(after), ..Found::default() };
    while let Some(after) = found.next {
        let (page, last, is_last) = if narrow.is_empty() && both.is_none() {
            let page = workspace.store.contacts(run, filter, after, limit).await?;
            found.looked += page.len() as u32;
            let (last, is_last) = (page.last().map(|contact| contact.id), page.len() < limit as usize);
            (page, last, is_last)
        } else {
            let texts = workspace.store.contact_texts(run, filter, after, PAGE).await?;
            found.looked += texts.len() as u32;
            let (last, is_last) = (texts.last().map(|text| text.id), texts.len() < PAGE as usize);
            let likely = texts.iter().filter(|text| narrow.may_let_through(text)).map(|text| text.id).collect();
            (workspace.store.contacts_by_ids(likely).await?, last, is_last)
        };
        for contact in page {
            if lets_through(&contact) {
                found.contacts.push(contact);
                if found.contacts.len() == limit as usize {
                    found.next =
                        found.contacts.last().map(|contact| contact.id).filter(|id| !is_last || Some(*id) != last);
                    return Ok(found);
                }
            }
        }
        found.next = last.filter(|_| !is_last);
        if found.looked >= narrow.most() {
            break;
        }
    }
    Ok(found)
}

/// Returns the people that a few words may mean: everyone with that number, id or own id, and
/// otherwise the first with that text, as `seen`, in the current run of each campaign, `limit` at most.
pub async fn anybody(workspace: &Workspace, words: &str, seen: fn(&str) -> String, limit: u32) -> Result<Found, Error> {
    let (store, words) = (&workspace.store, words.trim());
    if words.is_empty() {
        return Ok(Found::default());
    }
    let mut found = Found::default();
    if let Ok(number) = workspace.number(words).await {
        let key = store.hasher().key(&number);
        found.contacts.extend(store.contacts_of_number(key, workspace.now()).await?.into_iter().map(|(_, row)| row));
    }
    if let Some(id) = words.strip_prefix('#').unwrap_or(words).parse().ok().filter(|id: &i64| *id > 0) {
        found.contacts.extend(store.contact(ContactId(id)).await?);
    }
    found.contacts.extend(store.contacts_named(words.to_owned(), i64::from(limit)).await?);
    found.is_exact = !found.contacts.is_empty();
    if !found.is_exact {
        let narrow = Narrow { text: words.to_owned(), seen, ..Narrow::default() };
        for campaign in store.campaigns().await?.into_iter().filter(|row| is_listed(&row.rules.name)) {
            let left = limit.saturating_sub(found.contacts.len() as u32);
            if left == 0 || found.looked >= MOST {
                break;
            }
            let some = in_run(workspace, campaign.run, (ContactFilter::default(), &narrow), ContactId(0), left).await?;
            found.looked += some.looked;
            found.next = found.next.or(some.next);
            found.contacts.extend(some.contacts);
        }
    }
    found.contacts.sort_by_key(|contact| (contact.state == ContactState::Done, contact.id));
    found.contacts.dedup_by_key(|contact| contact.id);
    Ok(found)
}
