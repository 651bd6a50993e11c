//! `ringfence preview`

use std::path::PathBuf;

use ringfence_domain::template::Row;
use ringfence_domain::{Campaign, PhoneNumber};
use ringfence_intake::ContactFile;
use ringfence_operations::{InputFile, workspace};
use ringfence_providers::Provider;
use ringfence_worker::{Wanted, request};
use serde_json::{Map, Value, json};

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::{home, screen};

/// `preview`
#[derive(Debug, clap::Args)]
pub struct PreviewArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// Of this row of the contact file, counted from 1 without the header
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub row: i64,
    /// The contact file, instead of the campaign's own; - for standard input
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
}

/// What stands where each attempt has a reference of its own.
const REFERENCE: &str = "00000000000000000000000000000000";

/// Prints the requests that would be sent for one row, one for each number of the person. Nothing is sent.
pub(super) fn preview(common: &Common, args: &PreviewArgs) -> Result<u8, Failure> {
    let (config, rules) = workspace::read_campaign(&common.place(), &args.campaign)?;
    let lane = workspace::lane(&config, &rules)?;
    let provider = home::provider(lane)?;
    let file = match &args.contacts {
        Some(path) => Some(InputFile::given(path)?),
        None => InputFile::of_campaign(
            &rules,
            lane.setup.settings.timezone,
            workspace::wall_clock(),
            &common.place().notices,
        )?,
    };
    let Some(file) = file else {
        return Err(Failure::input("the campaign names no contact file", "name one with --contacts"));
    };
    let (numbers, fields) = row(&file, &rules, &*provider, args.row)?;
    let mut shown = Vec::new();
    for number in &numbers {
        let turn = usize::try_from(args.row - 1).unwrap_or_default();
        let at = workspace::wall_clock();
        let wanted = Wanted {
            to: number,
            fields: &fields,
            reference: REFERENCE,
            turn,
            at,
            ring_before: None,
            report_to: config.http.public_url.as_ref().map(|url| format!("{url}/callbacks/{}/***", rules.provider)),
        };
        let call = request(&rules, wanted)
            .map_err(|error| Failure::input(error.to_string(), "mend the campaign's {columns}, or the contact file"))?;
        let request = provider.written(&call).map_err(|cause| Failure::input(cause, "mend the campaign or the row"))?;
        shown.push(request);
    }
    if common.json {
        let list: Vec<Value> = shown.iter().map(as_json).collect();
        screen::print_json(&list)?;
    } else {
        for request in &shown {
            screen::print(&as_text(request))?;
        }
    }
    Ok(DONE)
}

/// The numbers and values of one row that can be called.
pub(super) fn row(
    file: &InputFile,
    rules: &Campaign,
    provider: &dyn Provider,
    wanted: i64,
) -> Result<(Vec<PhoneNumber>, Row), Failure> {
    let mut rows = ContactFile::open(file.path(), rules, Box::new(|number| provider.can_call(number)))?;
    let mut last = 0;
    while let Some(row) = rows.next_row()? {
        match row {
            Ok(row) if row.row_number == wanted => return Ok((row.numbers, row.fields)),
            Err(reject) if reject.row_number == wanted => {
                let (line, reason) = (reject.line, reject.reason);
                return Err(Failure::input(
                    format!("row {wanted} (line {line}) of {} cannot be called: {reason}", file.source()),
                    "mend it, or choose another --row",
                ));
            }
            Ok(row) => last = row.row_number,
            Err(reject) => last = reject.row_number,
        }
    }
    Err(Failure::input(
        format!("{} has {last} rows, and none is row {wanted}", file.source()),
        "choose another --row; the header is not counted",
    ))
}

type Request = http::Request<bytes::Bytes>;

fn headers(request: &Request) -> Vec<(String, String)> {
    let shown = |value: &http::HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes());
        if value.is_sensitive() { "***".to_owned() } else { text.into_owned() }
    };
    request.headers().iter().map(|(name, value)| (name.to_string(), shown(value))).collect()
}

fn as_json(request: &Request) -> Value {
    let body = serde_json::from_slice(request.body())
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(request.body()).into_owned()));
    let headers: Map<String, Value> = headers(request).into_iter().map(|(name, value)| (name, json!(value))).collect();
    json!({ "method": request.method().as_str(), "url": request.uri().to_string(), "headers": headers, "body": body })
}

fn as_text(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in headers(request) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    let body = serde_json::from_slice::<Value>(request.body()).and_then(|body| serde_json::to_string_pretty(&body));
    let body = body.unwrap_or_else(|_| String::from_utf8_lossy(request.body()).into_owned());
    text.push_str(&format!("\n{body}\n\n"));
    text
}
