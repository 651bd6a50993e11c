//! Who is never called.

use std::str::FromStr;

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use ringfence_domain::phone::Country;
use ringfence_operations::dnc::{self, ListedNumber};
use serde::Deserialize;

use super::frame::Frame;
use super::sent::Sent;
use super::visitor::{Operator, Visitor};
use super::{Page, PageError, shown, to};

/// Rows of a page.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "pages/dnc.html")]
struct DncPage {
    frame: Frame,
    numbers: Vec<NumberLine>,
    next: String,
}

struct NumberLine {
    phone: String,
    added: String,
    source: String,
    reason: String,
}

/// From where.
#[derive(Debug, Deserialize)]
pub(crate) struct DncQuery {
    #[serde(default)]
    after: i64,
}

/// Numbers, and how to read them.
#[derive(Debug, Deserialize)]
pub(crate) struct NumbersForm {
    phones: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    reason: String,
}

impl NumbersForm {
    fn phones(&self) -> Vec<String> {
        let parts = self.phones.split(['\n', '\r', ',', ';']).map(str::trim);
        parts.filter(|phone| !phone.is_empty()).map(str::to_owned).collect()
    }

    fn country(&self) -> Result<Option<Country>, PageError> {
        let text = self.country.trim();
        let country = (!text.is_empty()).then(|| Country::from_str(text)).transpose();
        country.map_err(|error| PageError::new(StatusCode::UNPROCESSABLE_ENTITY, error))
    }
}

/// Shows the list of everyone.
pub(crate) async fn dnc_page(visitor: Visitor, Query(query): Query<DncQuery>) -> Page {
    let frame = Frame::of(&visitor, "Do not call", "/dnc").await?;
    let (rows, next) = dnc::page(&visitor.workspace, None, query.after, ROWS).await?;
    let line = |row: &ListedNumber| NumberLine {
        phone: visitor.seen(&row.phone),
        added: frame.moment(row.added_at),
        source: visitor.seen(row.source.as_deref().unwrap_or_default()),
        reason: visitor.seen(row.reason.as_deref().unwrap_or_default()),
    };
    let numbers = rows.iter().map(line).collect();
    let next = next.filter(|_| rows.len() == ROWS as usize).map(|next| format!("/dnc?after={next}"));
    Ok(shown(&DncPage { frame, numbers, next: next.unwrap_or_default() }))
}

/// Puts numbers on the list: all or none.
pub(crate) async fn add(Operator(visitor): Operator, Sent(form): Sent<NumbersForm>) -> Page {
    let (country, reason) = (form.country()?, form.reason.trim());
    let reason = (!reason.is_empty()).then_some(reason);
    dnc::add(&visitor.workspace, None, &form.phones(), country, reason).await?;
    Ok(to("/dnc"))
}

/// Takes numbers off the list.
pub(crate) async fn remove(Operator(visitor): Operator, Sent(form): Sent<NumbersForm>) -> Page {
    dnc::remove(&visitor.workspace, None, &form.phones(), form.country()?).await?;
    Ok(to("/dnc"))
}
