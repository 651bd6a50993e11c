//! The do-not-call list, effective for the very next call.

use std::str::FromStr;

use axum::extract::{Request, State};
use ringfence_domain::phone::Country;
use ringfence_operations::dnc::{self, AddedNumbers, ImportedNumbers, ListFile, ListedNumber, RemovedNumbers};
use ringfence_operations::{InputFile, uploads};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Asked, Call, Sent, content_type, wrong};
use super::paging::{Page, Wanted};
use crate::Server;
use crate::access::Caller;
use crate::idempotency;
use crate::problem::{Problem, ProblemKind};
use crate::upload::FormFile;
use crate::upload::receive::receive;

/// The forms of a file of numbers.
const FORMS: [&str; 4] = ["text/csv", "text/plain", "text/tab-separated-values", "multipart/form-data"];
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

/// How a file of numbers is read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DncFileQuery {
    /// The own list of this campaign; without it everyone's.
    campaign: Option<String>,
    /// The column of the number. Without: the only column, or `phone`.
    column: Option<String>,
    /// How to read numbers without a country code: two letters.
    country: Option<String>,
    /// Why, where the rows do not say it themselves; 1,000 letters are kept.
    reason: Option<String>,
    /// Where the file comes from, for people.
    source: Option<String>,
}

/// What came of a file of numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DncFileAnswer {
    #[serde(flatten)]
    numbers: ImportedNumbers,
    /// Rows that cannot be read, the first of them one by one, and what else is worth knowing.
    told: Vec<String>,
}

/// Puts every number of a file on the list.
///
/// The body is a CSV file with a header, as it is or as the file of a form: any export of another
/// system. It may have millions of rows. Rows that cannot be read are told, and counted.
#[utoipa::path(post, path = "/dnc/import", tag = "dnc", security(("token" = ["operator"])), params(DncFileQuery),
    request_body(content((String = "text/csv"), (FormFile = "multipart/form-data")), description = "The numbers."),
    responses((status = 200, description = "They are on the list.", body = DncFileAnswer)))]
pub(crate) async fn import_dnc(
    State(server): State<Server>,
    axum::Extension(caller): axum::Extension<Caller>,
    Asked(query): Asked<DncFileQuery>,
    request: Request,
) -> Answer {
    let token = caller.token.id;
    let call = Call::of(&server, caller, None);
    let country = query.country.as_deref().map(Country::from_str).transpose();
    let country = country.map_err(|error| wrong("country", error.clone()))?;
    if !FORMS.contains(&content_type(request.headers()).as_str()) {
        return Err(Problem::new(ProblemKind::Unsupported, "the body is no CSV file")
            .hint("send Content-Type: text/csv, or multipart/form-data with a field `file`"));
    }
    // Before a long file is sent in vain.
    if let Some(campaign) = &query.campaign {
        call.workspace.campaign(campaign).await?;
    }
    let key = idempotency::key(request.headers())?;
    let path = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
    let received = receive(request, &uploads::folder(&call.workspace)?, &server.config.http).await?;
    let source = query.source.clone().or_else(|| received.name.clone());
    let source = source.unwrap_or_else(|| format!("upload by {}", call.caller.name())).chars().take(200).collect();
    let body = (path, received.digest.clone());
    let runtime = tokio::runtime::Handle::current();
    let work = move || {
        let file = InputFile::Uploaded { path: received.file.path().to_owned(), source };
        let reason = query.reason.map(|reason| reason.chars().take(1_000).collect::<String>());
        let (column, reason) = (query.column.as_deref(), reason.as_deref());
        let list = ListFile { file: &file, column, country, reason };
        let progress = &mut |_| {};
        let numbers = runtime.block_on(dnc::import(&call.workspace, query.campaign.as_deref(), &list, progress))?;
        call.answer(&DncFileAnswer { numbers, told: call.notices() })
    };
    let change = async move {
        // Reading millions of rows is no work for the threads that answer.
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?
    };
    idempotency::once_received(server, token, key, body, change).await
}
