//! The requests that would be sent for one row of a contact file. Nothing is sent.

use std::path::Path;

use ringfence_domain::template::Row;
use ringfence_domain::{Campaign, ContactId, PhoneNumber};
use ringfence_intake::{Config, ContactFile};
use ringfence_providers::Provider;
use ringfence_worker::{Wanted, request};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::Error;
use crate::input_file::{InputFile, in_background, until_left};
use crate::workspace::{self, Needs, Place, Workspace};

/// What stands where each attempt has a reference of its own.
const REFERENCE: &str = "00000000000000000000000000000000";

/// A request as it would be sent, secrets masked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreviewedRequest {
    /// Its method.
    pub method: String,
    /// Its address.
    pub url: String,
    /// Its headers, in their order.
    #[serde(serialize_with = "as_map")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Vec<(String, String)>,
    /// Its body; a text when it is no JSON.
    pub body: Value,
    /// Its body for people.
    #[serde(skip)]
    pub body_text: String,
}

fn as_map<S: Serializer>(headers: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

impl PreviewedRequest {
    fn from_request(request: &http::Request<bytes::Bytes>) -> Self {
        let shown = |value: &http::HeaderValue| {
            let text = String::from_utf8_lossy(value.as_bytes());
            if value.is_sensitive() { "***".to_owned() } else { text.into_owned() }
        };
        let text = String::from_utf8_lossy(request.body()).into_owned();
        let json = serde_json::from_slice::<Value>(request.body());
        let pretty = json.as_ref().ok().and_then(|body| serde_json::to_string_pretty(body).ok());
        Self {
            method: request.method().to_string(),
            url: request.uri().to_string(),
            headers: request.headers().iter().map(|(name, value)| (name.to_string(), shown(value))).collect(),
            body: json.unwrap_or_else(|_| Value::String(text.clone())),
            body_text: pretty.unwrap_or(text),
        }
    }
}

/// Returns the requests for one row of the contact file, one for each number of the person. `row`
/// is counted from 1 without the header; `contacts` is read instead of the campaign's own file.
pub fn preview(
    place: &Place,
    campaign: &Path,
    contacts: Option<&Path>,
    row_number: i64,
) -> Result<Vec<PreviewedRequest>, Error> {
    let (config, rules) = workspace::read_campaign(place, campaign, Needs::NoSecrets)?;
    let lane = workspace::lane(&config, &rules)?;
    let provider = workspace::provider(lane)?;
    let file = match contacts {
        Some(path) => Some(InputFile::given(path)?),
        None => InputFile::of_campaign(&rules, lane.setup.settings.timezone, workspace::wall_clock(), &place.notices)?,
    };
    let Some(file) = file else {
        return Err(Error::input("the campaign names no contact file", "name one with --contacts"));
    };
    let (numbers, fields) = row(&file, &rules, &*provider, row_number, || true)?;
    requests(&config, &rules, &*provider, &numbers, &fields, row_number)
}

/// The same for a campaign that is in the database: for a row of the contact file that it names, or
/// for one of its contacts.
pub async fn of_campaign(
    workspace: &mut Workspace,
    name: &str,
    whose: Previewed,
) -> Result<Vec<PreviewedRequest>, Error> {
    let rules = workspace.campaign(name).await?;
    let (lane, provider) = workspace.lane_of(&rules.rules)?;
    let timezone = lane.setup.settings.timezone;
    let (config, now) = (workspace.config.clone(), workspace.now());
    match whose {
        Previewed::Contact(id) => {
            let contact = workspace.store.contact(id).await?.filter(|contact| contact.run == rules.run);
            let contact = contact
                .ok_or_else(|| Error::missing(format!("{name} has no contact {id}"), "list the contacts of its run"))?;
            requests(&config, &rules.rules, &*provider, &[contact.number], &contact.fields, contact.row_number)
        }
        Previewed::Row(wanted) => {
            let file = InputFile::of_campaign_in_background(&rules.rules, timezone, now, &workspace.notices).await?;
            let file = file.ok_or_else(|| {
                Error::input("the campaign names no contact file", "name one of its contacts instead of a row")
            })?;
            in_background(move |left| {
                let (numbers, fields) = row(&file, &rules.rules, &*provider, wanted, until_left(left))?;
                requests(&config, &rules.rules, &*provider, &numbers, &fields, wanted)
            })
            .await?
        }
    }
}

/// Whose requests are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previewed {
    /// Those for a row of the contact file, counted from 1 without the header.
    Row(i64),
    /// Those for a contact.
    Contact(ContactId),
}

fn requests(
    config: &Config,
    rules: &Campaign,
    provider: &dyn Provider,
    numbers: &[PhoneNumber],
    fields: &Row,
    row_number: i64,
) -> Result<Vec<PreviewedRequest>, Error> {
    let mut shown = Vec::new();
    for number in numbers {
        let wanted = Wanted {
            to: number,
            fields,
            reference: REFERENCE,
            turn: usize::try_from(row_number - 1).unwrap_or_default(),
            at: workspace::wall_clock(),
            ring_before: None,
            report_to: config.http.public_url.as_ref().map(|url| format!("{url}/callbacks/{}/***", rules.provider)),
        };
        let call = request(rules, wanted)
            .map_err(|error| Error::input(error.to_string(), "mend the campaign's {columns}, or the contact file"))?;
        let request = provider.written(&call).map_err(|cause| Error::input(cause, "mend the campaign or the row"))?;
        shown.push(PreviewedRequest::from_request(&request));
    }
    Ok(shown)
}

/// Returns the numbers and values of one row that can be called. The file is read for as long as it
/// `is_wanted`.
pub fn row(
    file: &InputFile,
    rules: &Campaign,
    provider: &dyn Provider,
    wanted: i64,
    is_wanted: impl Fn() -> bool + Send + 'static,
) -> Result<(Vec<PhoneNumber>, Row), Error> {
    let mut rows =
        ContactFile::open(file.path(), rules, Box::new(|number| provider.can_call(number)))?.read_while(is_wanted);
    let mut last = 0;
    while let Some(row) = rows.next_row()? {
        match row {
            Ok(row) if row.row_number == wanted => return Ok((row.numbers, row.fields)),
            Err(reject) if reject.row_number == wanted => {
                let (line, reason) = (reject.line, reject.reason);
                return Err(Error::input(
                    format!("row {wanted} (line {line}) of {} cannot be called: {reason}", file.source()),
                    "mend it, or choose another --row",
                ));
            }
            Ok(row) => last = row.row_number,
            Err(reject) => last = reject.row_number,
        }
    }
    Err(Error::input(
        format!("{} has {last} rows, and none is row {wanted}", file.source()),
        "choose another --row; the header is not counted",
    ))
}
