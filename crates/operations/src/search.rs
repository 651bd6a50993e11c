//! Finding people: by number, by id, by the operator's own id, by any text of their row.
//!
//! Numbers and ids have an index. A text may stand anywhere in a row, so rows are looked at one
//! after the other: so many at most, and from there on when somebody asks again.

use ringfence_domain::{ContactId, ContactState, RunId};
use ringfence_store::{ContactFilter, ContactRow};

use crate::error::Error;
use crate::workspace::{Workspace, is_listed};

/// Rows that are read at once.
const PAGE: u32 = 500;
/// Rows that one search looks at.
const MOST: u32 = 5_000;

/// What narrows a list of contacts beside their state and outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// They were called at least so often.
    pub calls: u32,
    /// A zone where they may be, or a part of its name.
    pub zone: String,
    /// A text in their number, their id or their row.
    pub text: String,
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
}

impl Narrow {
    /// Tells whether it lets everybody through.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn lets_through(&self, contact: &ContactRow) -> bool {
        let has = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
        let text = self.text.trim();
        // Numbers are written with spaces and dashes.
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_number = digits.len() >= 4 && text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
        contact.calls >= self.calls
            && (self.zone.is_empty() || has(&contact.zones.to_string(), self.zone.trim()))
            && (text.is_empty()
                || (is_number && contact.number.e164().contains(&digits))
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
    let mut found = Found { next: Some(after), ..Found::default() };
    while let Some(after) = found.next {
        let size = if narrow.is_empty() { limit } else { PAGE };
        let page = workspace.store.contacts(run, filter, after, size).await?;
        let is_last = page.len() < size as usize;
        let last = page.last().map(|contact| contact.id);
        found.looked += page.len() as u32;
        for contact in page {
            if narrow.lets_through(&contact) {
                found.contacts.push(contact);
                if found.contacts.len() == limit as usize {
                    found.next =
                        found.contacts.last().map(|contact| contact.id).filter(|id| !is_last || Some(*id) != last);
                    return Ok(found);
                }
            }
        }
        found.next = last.filter(|_| !is_last);
        if found.looked >= MOST {
            break;
        }
    }
    Ok(found)
}

/// Returns the people that a few words may mean: everyone with that number, id or own id, and
/// otherwise the first with that text in the current run of each campaign, `limit` at most.
pub async fn anybody(workspace: &Workspace, words: &str, limit: u32) -> Result<Found, Error> {
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
    if found.contacts.is_empty() {
        let narrow = Narrow { text: words.to_owned(), ..Narrow::default() };
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
