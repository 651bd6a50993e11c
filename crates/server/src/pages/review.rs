//! Calls of unknown fate, and a person's word for them.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use ringfence_domain::ContactId;
use ringfence_operations::ledger;
use ringfence_operations::review::{self, Chosen, InReview};
use ringfence_store::ReviewAnswer;
use serde::Deserialize;

use super::frame::{Frame, moment};
use super::ledger::LedgerLine;
use super::visitor::{Operator, Visitor};
use super::{Page, PageError, shown, to};

/// Rows of a page.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "pages/review.html")]
struct ReviewPage {
    frame: Frame,
    reviews: Vec<ReviewLine>,
    next: String,
}

struct ReviewLine {
    contact: i64,
    campaign: String,
    phone: String,
    sent: String,
    cause: String,
    attempt: String,
    ledger: Vec<LedgerLine>,
}

/// From where.
#[derive(Debug, Deserialize)]
pub(crate) struct ReviewQuery {
    #[serde(default)]
    after: i64,
}

/// Shows them.
pub(crate) async fn review(visitor: Visitor, Query(query): Query<ReviewQuery>) -> Page {
    let frame = Frame::of(&visitor, "Review", "/review").await?;
    let mut rows = review::page(&visitor.workspace, None, ContactId(query.after), ROWS + 1).await?;
    let has_more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let attempts = rows.iter().filter_map(|row| row.attempt).collect();
    let mut ledgers = ledger::of_attempts(&visitor.workspace, attempts, frame.zone).await?;
    let mut ledger = |row: &InReview| {
        let entries = row.attempt.and_then(|attempt| ledgers.remove(&attempt)).unwrap_or_default();
        entries.iter().map(|entry| LedgerLine::of(&visitor, entry, frame.zone)).collect()
    };
    let next = rows.last().filter(|_| has_more).map(|row| format!("/review?after={}", row.contact));
    let line = |row: &InReview| ReviewLine {
        ledger: ledger(row),
        contact: row.contact.0,
        campaign: row.campaign.clone().unwrap_or_default(),
        phone: visitor.seen(&row.phone),
        sent: row.sent_at.map(|at| moment(at, row.zone)).unwrap_or_default(),
        cause: visitor.seen(&row.cause),
        attempt: row.attempt.map(|attempt| attempt.to_string()).unwrap_or_default(),
    };
    let reviews = rows.iter().map(line).collect();
    Ok(shown(&ReviewPage { frame, reviews, next: next.unwrap_or_default() }))
}

/// Takes a person's word for some of them. The form names a contact as often as there are boxes.
pub(crate) async fn settle(Operator(visitor): Operator, body: String) -> Page {
    let wrong = |says: &str| PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let contacts = pairs.iter().filter(|(name, _)| name == "contact");
    let contacts: Result<Vec<ContactId>, _> = contacts.map(|(_, id)| id.parse().map(ContactId)).collect();
    let contacts = contacts.map_err(|_| wrong("a contact is named by its id"))?;
    if contacts.is_empty() {
        return Err(wrong("nobody was chosen: tick the calls that you know of"));
    }
    let word = pairs.iter().find(|(name, _)| name == "as").map(|(_, word)| word.as_str());
    let verdict = match word {
        Some("placed") => ReviewAnswer::Placed,
        Some("not-placed") => ReviewAnswer::NotPlaced,
        _ => return Err(wrong("say whether they were called: placed, or not-placed")),
    };
    review::settle(&visitor.workspace, None, Chosen::These(contacts), verdict).await?;
    Ok(to("/review"))
}
