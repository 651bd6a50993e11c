//! The request that places a call, in both dialects, and what its answer means.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use ringfence_domain::{Moment, Placement, Span};
use serde_json::{Value, json};

use crate::answer::{self, CallId, Rejection, member};
use crate::call::CallRequest;
use crate::fault::{Cause, Fault, fault};

/// The name that our reference has in the metadata.
pub(super) const REFERENCE: &str = "ringfence_attempt";
/// The time after which a call that is still queued is dropped, unless the campaign sets another.
const MAX_WAIT: Span = Span::from_secs(60);
/// The longest wait that a campaign may set: the number counts as free again an hour after.
pub(super) const LONGEST_WAIT: Span = Span::from_minutes(10);

/// Returns how long the vendor may keep a call in its queue.
pub(super) fn max_wait(vendor: &BTreeMap<String, String>) -> Result<Span, String> {
    let wait = match vendor.get("max_wait") {
        Some(span) => span.parse::<Span>().map_err(|error| format!("max_wait: {error}"))?,
        None => MAX_WAIT,
    };
    if wait > LONGEST_WAIT {
        return Err(format!("max_wait: {wait} is longer than {LONGEST_WAIT}"));
    }
    Ok(wait)
}

/// Returns the fields of `POST /business/{id}/call/initiate`.
pub(super) fn fields(call: &CallRequest, config: bool) -> Result<Vec<(String, String)>, String> {
    if config { as_config(call) } else { as_documented(call) }
}

/// Returns the fields of the page. `ScheduledTime` is left out, so that the call is queued at
/// once. The page has no field for the latest moment: only `config` has one.
fn as_documented(call: &CallRequest) -> Result<Vec<(String, String)>, String> {
    let from = call.from.clone().ok_or("the campaign names no NumberId to call from: add caller_ids")?;
    if call.agent.is_empty() {
        return Err("the campaign names no AgentId: add agent".to_owned());
    }
    let mut fields = vec![
        ("RecipientNumber".to_owned(), call.to.e164().to_owned()),
        ("NumberId".to_owned(), from),
        ("AgentId".to_owned(), call.agent.clone()),
    ];
    fields.extend(call.vendor.get("campaign_id").map(|id| ("CampaignId".to_owned(), id.clone())));
    let all = |map: &str, values: Vec<(&String, &String)>| {
        values.into_iter().map(|(name, value)| (format!("{map}[{name}]"), value.clone())).collect::<Vec<_>>()
    };
    let metadata = metadata(call);
    fields.extend(all("DynamicVariables", call.variables.iter().collect()));
    fields.extend(all("Metadata", metadata.iter().collect()));
    Ok(fields)
}

/// Returns the fields that the source reads: one field of JSON, with the moment after which the
/// queue drops the call.
fn as_config(call: &CallRequest) -> Result<Vec<(String, String)>, String> {
    let campaign = call.vendor.get("campaign_id");
    let campaign = campaign.ok_or("this vendor needs one of its campaigns: add campaign_id to [vendor]")?;
    let until = call.at + max_wait(&call.vendor)?;
    let until = call.ring_before.map_or(until, |before| until.min(before));
    let utc = |at: Moment| at.to_string();
    let config = json!({
        "campaignId": campaign,
        "number": { "type": 0, "toNumber": call.to.e164() },
        "schedule": { "dateTimeUTC": utc(call.at), "maxDateTimeUTC": utc(until) },
        "dynamicVariables": call.variables,
        "metadata": metadata(call),
    });
    Ok(vec![("config".to_owned(), config.to_string())])
}

fn metadata(call: &CallRequest) -> BTreeMap<String, String> {
    let mut metadata = call.metadata.clone();
    metadata.insert(REFERENCE.to_owned(), call.reference.clone());
    metadata
}

/// The codes of the page and of the source. A code of the vendor is a chain; a line fits the end
/// of it, and the first line that fits decides.
pub(super) const FAULTS: &[Fault] = &[
    fault("INSUFFICIENT_BALANCE", &[], Cause::Lane),
    fault("PERMISSION_DENIED", &[], Cause::Lane),
    fault("BUSINESS_DISABLED", &[], Cause::Lane),
    fault("INVALID_NUMBER", &[], Cause::Contact),
    fault("INVALID_AGENT", &[], Cause::Campaign),
    fault("INVALID_NUMBER_ID", &[], Cause::Campaign),
    fault("EXCEPTION", &[], Cause::Unknown),
    fault("KEY_NOT_FOUND", &[], Cause::Lane),
    fault("BUSINESS_NUMBER_VOICE_DISABLED", &[], Cause::Campaign),
    fault("CONFIG_NUMBER_TO_NUMBER_INVALID", &[], Cause::Contact),
    fault("FORM_DATA_CONFIG_NOT_FOUND", &[], Cause::Wording),
    fault("FORM_DATA_CONFIG_EMPTY", &[], Cause::Wording),
    // The call was queued before this went wrong.
    fault("ForwardSingleCallToRegionProxy:2", &[], Cause::Unknown),
];

/// Returns whose fault a code is. Some whole stages of the source come before anything is queued.
fn cause(code: &str) -> Cause {
    // By then the call is queued, whatever goes wrong.
    if code.split(':').any(|stage| stage == "ForwardSingleCallToRegionProxy") {
        return Cause::Unknown;
    }
    let ends = |says: &str| code == says || code.ends_with(&format!(":{says}"));
    if let Some(known) = FAULTS.iter().find(|fault| ends(fault.says)) {
        return known.cause;
    }
    let last = code.rsplit(':').next().unwrap_or_default();
    if code.split(':').any(|stage| stage == "ValidateUserAPIAndBusinessWithPermissions") {
        Cause::Lane
    } else if last.starts_with("CONFIG_") || last.starts_with("FORM_DATA_") {
        // Of the form: its variables may be this contact's.
        Cause::Request
    } else {
        Cause::Unknown
    }
}

/// The page's words for fields that a request lacks. The source has none of them: a vendor that
/// answers them to a `config` did not read the `config`.
const FIELDS: [&str; 3] =
    ["InitiateCall:INVALID_NUMBER", "InitiateCall:INVALID_AGENT", "InitiateCall:INVALID_NUMBER_ID"];

/// Reads the answer to the request that places a call. Both dialects answer refusals with
/// HTTP 200.
pub(super) fn classify(reply: &Response<Bytes>, config: bool) -> Placement {
    let body = answer::json(reply).unwrap_or_default();
    let first = member(&body, "Data").and_then(Value::as_array).and_then(|list| list.first());
    let call_id = first.map_or(CallId::Absent, CallId::of);
    answer::judge(reply, refusal(reply), call_id, refused(&body, reply, config))
}

/// Returns the refusal of an answer: `Success: false` with a code that the page or the source has,
/// or HTTP 401 with the documented `detail` of a wrong token.
fn refused(body: &Value, reply: &Response<Bytes>, config: bool) -> Option<Rejection> {
    let text = |name: &str| member(body, name).and_then(Value::as_str);
    let words = refusal(reply);
    match (member(body, "Success"), reply.status().as_u16()) {
        (Some(Value::Bool(false)), 200..=299 | 400..=404 | 422) => {
            let code = text("Code").unwrap_or_default();
            let unread = config && FIELDS.contains(&code);
            Some((if unread { Cause::Wording } else { cause(code) }, words))
        }
        (None, 401) => {
            text("detail").filter(|detail| detail.to_lowercase().contains("token")).map(|_| (Cause::Lane, words))
        }
        _ => None,
    }
}

/// Returns the words of an answer for a person.
pub(super) fn refusal(reply: &Response<Bytes>) -> String {
    let body = answer::json(reply).unwrap_or_default();
    let text = |name: &str| member(&body, name).and_then(Value::as_str).filter(|text| !text.is_empty());
    answer::words(reply, &[text("Code"), text("Message").or(text("detail"))])
}
