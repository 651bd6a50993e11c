//! The do-not-call list, effective for the very next call.

use std::str::FromStr;

use ringfence_domain::phone::Country;
use ringfence_operations::dnc::{self, AddedNumbers, ListedNumber, RemovedNumbers};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Asked, Call, Sent, wrong};
use super::paging::{Page, Wanted};

/// Numbers of one request.
const MOST: usize = 10_000;

/// Which numbers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DncQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// The own list of this campaign; without it everyone's.
    campaign: Option<String>,
}

/// Lists numbers that must not be called.
#[utoipa::path(get, path = "/dnc", tag = "dnc", params(DncQuery), security(("token" = ["viewer"])),
    responses((status = 200, description = "The numbers.", body = Page<ListedNumber>)))]
pub(crate) async fn list_dnc(call: Call, Asked(query): Asked<DncQuery>) -> Answer {
    let wanted = Wanted::of(query.limit, query.cursor.as_deref(), &query.campaign)?;
    let after = wanted.after_number()?.unwrap_or(i64::MIN);
    let (rows, last) = dnc::page(&call.workspace, query.campaign.as_deref(), after, wanted.limit).await?;
    let is_full = rows.len() == wanted.limit as usize;
    let next_cursor = last.filter(|_| is_full).map(|last| wanted.cursor(&last.to_string()));
    call.answer(&Page { data: rows, next_cursor, updated_until: None })
}

/// Numbers to put on the list, or to take off it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumbersRequest {
    /// The numbers, with + and country code unless `country` is given.
    #[schema(min_items = 1, max_items = 10000)]
    phones: Vec<String>,
    /// The own list of this campaign; without it everyone's.
    #[serde(default)]
    campaign: Option<String>,
    /// How to read numbers without a country code: two letters.
    #[serde(default)]
    country: Option<String>,
    /// Why, for the record.
    #[serde(default)]
    reason: Option<String>,
}

impl NumbersRequest {
    fn country(&self) -> Answer<Option<Country>> {
        if self.phones.is_empty() || self.phones.len() > MOST {
            return Err(wrong("/phones", format!("name 1 to {MOST} numbers")));
        }
        let country = self.country.as_deref().map(Country::from_str).transpose();
        country.map_err(|error| wrong("/country", error.clone()))
    }
}

/// Puts numbers on the list: all or none.
#[utoipa::path(post, path = "/dnc", tag = "dnc", security(("token" = ["operator"])), request_body = NumbersRequest,
    responses((status = 200, description = "They are on the list.", body = AddedNumbers)))]
pub(crate) async fn add_dnc(call: Call, Sent(sent): Sent<NumbersRequest>) -> Answer {
    let country = sent.country()?;
    let (campaign, reason) = (sent.campaign.as_deref(), sent.reason.as_deref());
    call.answer(&dnc::add(&call.workspace, campaign, &sent.phones, country, reason).await?)
}

/// Takes numbers off the list.
#[utoipa::path(post, path = "/dnc/remove", tag = "dnc", security(("token" = ["operator"])), request_body = NumbersRequest,
    responses((status = 200, description = "They are off the list.", body = RemovedNumbers)))]
pub(crate) async fn remove_dnc(call: Call, Sent(sent): Sent<NumbersRequest>) -> Answer {
    let country = sent.country()?;
    call.answer(&dnc::remove(&call.workspace, sent.campaign.as_deref(), &sent.phones, country).await?)
}
