//! Knovvu Virtual Agent (Sestek): calls into IVR scenarios.
//!
//! Source: the page "Outbound Call Trigger API" (docs.knovvu.com), which is all there is. What it
//! leaves open is taken the pessimistic way:
//!
//! - It documents no error: any answer without a `UniqueId` may be a call, and nobody is dialled
//!   again for it.
//! - There is no key against double requests, no list of calls and no search: a call whose
//!   `UniqueId` was lost can only be told by the vendor, at the address that `ResultDestination`
//!   gives. What it sends there is not documented either; any `UniqueId` in it is a reason to ask.
//! - `/v2/callresult` shows no credentials, so none are sent there. A call that it does not list,
//!   or lists without a known state, is under way.
//! - The example writes the header `Project` without a value; a lane may send its project's name,
//!   nothing, or no such header.

mod results;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use ringfence_domain::lane::LaneLimits;
use ringfence_domain::phone::Country;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement, Rate};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use self::results::{RESULT, TOGETHER, listed};
use crate::account::{Account, Body, Free};
use crate::answer::{self, CallId, member, word};
use crate::call::{AskError, CallRequest, Candidate, Findings, LostCall, OutCall};
use crate::status_word::StatusMap;
use crate::vendor::{CampaignFacts, Capabilities, Finds, LaneSetup, Objection, SettingKey, SettingKind, Vendor};
use crate::{Budget, Checked, NumberFormat, Provider, Transport, report};

const PLACE: &str = "/v2/call";
/// The port of the page.
const PORT: u16 = 22222;

/// The description of this vendor: its settings, limits, capabilities and refusals.
pub(crate) static VENDOR: Vendor = Vendor {
    kind: "knovvu",
    settings: &[
        SettingKey { name: "project", kind: SettingKind::Text, default: None, says: "The name of the project." },
        SettingKey {
            name: "tenant",
            kind: SettingKind::Text,
            default: Some("Default"),
            says: "The name of the tenant.",
        },
        SettingKey { name: "access_token", kind: SettingKind::Secret, default: None, says: "The token of the API." },
        SettingKey {
            name: "scenario_path",
            kind: SettingKind::OptionalText,
            default: None,
            says: "The scenario of campaigns that name no agent.",
        },
        SettingKey {
            name: "orchestrator_url",
            kind: SettingKind::Text,
            default: None,
            says: "The address of the orchestrator that runs the dialogue.",
        },
        SettingKey {
            name: "locale",
            kind: SettingKind::OptionalText,
            default: None,
            says: "The language of the dialogue: tr-TR.",
        },
        SettingKey {
            name: "project_header",
            kind: SettingKind::OneOf(&["value", "empty", "omit"]),
            default: Some("value"),
            says: "What the header of the project holds.",
        },
        SettingKey {
            name: "number_format",
            kind: SettingKind::OneOf(NumberFormat::WORDS),
            default: Some("national"),
            says: "How numbers are written for the vendor.",
        },
        SettingKey {
            name: "country",
            kind: SettingKind::Country,
            default: Some("TR"),
            says: "The country of numbers that are written without one.",
        },
    ],
    campaign_settings: &[
        SettingKey {
            name: "locale",
            kind: SettingKind::OptionalText,
            default: None,
            says: "The language of the dialogue: tr-TR.",
        },
        SettingKey {
            name: "end_user",
            kind: SettingKind::Table(&["name", "email"]),
            default: None,
            says: "What the vendor is told of the contact.",
        },
        SettingKey {
            name: "send_result_immediately",
            kind: SettingKind::Flag,
            default: Some("false"),
            says: "Whether the vendor sends the result as soon as the call ends.",
        },
    ],
    base_url: None,
    limits: || LaneLimits { calls: Rate::per_second(1), requests: Rate::per_minute(60), concurrent: 5, per_day: None },
    hours: |_| None,
    can: Capabilities {
        finds: Finds::Never,
        asks_together: TOGETHER as u32,
        cancels: false,
        holds: false,
        reports: true,
        takes_metadata: false,
    },
    // The page documents no refusal.
    faults: &[],
    check: objections,
    build: |setup, transport| Ok(Arc::new(Knovvu::new(setup, transport)?)),
};

fn objections(lane: &LaneSetup, campaign: &CampaignFacts<'_>) -> Vec<Objection> {
    let of_lane = lane.values.get("scenario_path").is_some_and(|path| !path.trim().is_empty());
    let scenario = campaign.agent.is_none() && !of_lane;
    let hint = "write the path of the scenario: agent = \"…\", or scenario_path in the lane's section";
    let scenario = scenario.then(|| Objection::missing("agent", hint));
    let display = campaign.needs_caller_ids("write the number to show: caller_ids = [\"200\"]");
    // These two say who is called.
    let taken = campaign.variables.keys().find(|name| OWN.contains(&name.as_str())).map(|name| {
        let hint = "caller_ids and the contact's number fill it; give your variable another name";
        Objection::new("variables", format!("`{name}` is filled by the dialer itself"), hint)
    });
    [scenario, display, taken].into_iter().flatten().collect()
}

/// The parameters that the dialer fills.
const OWN: [&str; 2] = ["_DisplayNumber", "_Destination"];

/// One project.
#[derive(Debug)]
struct Knovvu {
    account: Account,
    project: String,
    tenant: String,
    access_token: SecretString,
    scenario_path: Option<String>,
    orchestrator_url: String,
    locale: Option<String>,
    project_header: Option<HeaderValue>,
    number_format: NumberFormat,
    country: Country,
    status_map: StatusMap,
}

impl Knovvu {
    fn new(mut setup: LaneSetup, transport: Arc<dyn Transport>) -> Result<Self, String> {
        setup.base_url = with_port(&setup.base_url)?;
        let project = setup.value("project")?.to_owned();
        let header = match setup.value("project_header")? {
            "omit" => None,
            "empty" => Some(""),
            _ => Some(project.as_str()),
        };
        let header = header.map(HeaderValue::from_str).transpose();
        Ok(Self {
            account: Account::new(&setup, transport),
            project_header: header.map_err(|_| "project has characters that HTTP cannot send".to_owned())?,
            project,
            tenant: setup.value("tenant")?.to_owned(),
            access_token: setup.secret("access_token")?.clone(),
            scenario_path: setup.values.get("scenario_path").filter(|path| !path.trim().is_empty()).cloned(),
            orchestrator_url: setup.value("orchestrator_url")?.to_owned(),
            locale: setup.values.get("locale").cloned(),
            number_format: setup.number_format()?,
            country: setup.country("country")?,
            status_map: StatusMap::new(setup.status_map),
        })
    }

    /// Makes the body of `POST /v2/call`. `token` is the access token, or the text that is shown in
    /// its place.
    fn body(&self, call: &CallRequest, token: &str) -> Result<Value, Placement> {
        let campaign = |cause: &str| Placement::CampaignFault { cause: cause.to_owned() };
        let scenario = Some(call.agent.as_str()).filter(|path| !path.is_empty()).or(self.scenario_path.as_deref());
        let scenario =
            scenario.ok_or_else(|| campaign("no scenario: add agent, or scenario_path in the lane's section"))?;
        let display = call.from.as_deref().ok_or_else(|| campaign("no number to show: add caller_ids"))?;
        let destination = self.number_format.write(&call.to, self.country);
        let destination = destination.map_err(|cause| Placement::NumberFault { cause })?;
        let own = OWN.into_iter().zip([display, destination.as_str()]);
        let variables = call.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // Whatever a campaign says, these two stay what they are.
        let variables = variables.filter(|(name, _)| !OWN.contains(name));
        let inputs: Vec<Value> =
            own.chain(variables).map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        let mut body = json!({
            "Project": self.project,
            "Tenant": self.tenant,
            "ConversationId": call.reference,
            "AccessToken": token,
            "ScenarioPath": scenario,
            "OrchestratorUrl": self.orchestrator_url,
            "ScenarioInputParameters": inputs,
            "SendResultImmediately": call.vendor.get("send_result_immediately").is_some_and(|flag| flag == "true"),
        });
        let user = |key: &str| call.vendor.get(&format!("end_user.{key}")).filter(|text| !text.is_empty());
        let mut end_user: Map<String, Value> = Map::new();
        end_user.extend(user("name").map(|name| ("Name".to_owned(), json!(name))));
        end_user.extend(user("email").map(|email| ("Email".to_owned(), json!(email))));
        if !end_user.is_empty() {
            end_user.extend(call.to.national().map(|phone| ("Phone".to_owned(), json!(phone))));
            body["EndUser"] = Value::Object(end_user);
        }
        if let Some(locale) = call.vendor.get("locale").or(self.locale.as_ref()) {
            body["Locale"] = json!(locale);
        }
        if let Some(address) = &call.report_to {
            body["ResultDestination"] = json!(address);
        }
        Ok(body)
    }

    fn request(&self, body: Value) -> Result<Request<Bytes>, String> {
        let mut request = self.account.request(Method::POST, PLACE, Body::Json(body))?;
        let project = self.project_header.iter().map(|value| ("project", value.clone()));
        request
            .headers_mut()
            .extend(project.map(|(name, value)| (http::HeaderName::from_static(name), value)).collect::<HeaderMap>());
        Ok(request)
    }
}

/// Returns the address with the page's port, unless it names one.
fn with_port(base_url: &str) -> Result<String, String> {
    let uri: http::Uri = base_url.parse().map_err(|error| format!("base_url is not an address: {error}"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("base_url is not an address: write https://host".to_owned());
    };
    if authority.port().is_some() {
        return Ok(base_url.to_owned());
    }
    Ok(format!("{scheme}://{authority}:{PORT}{}", uri.path().trim_end_matches('/')))
}

/// Reads the answer to the request that places a call. No refusal is documented: any answer
/// without an id may be a call.
fn classify(reply: &Response<Bytes>) -> Placement {
    let body = answer::json(reply).unwrap_or_default();
    let call_id = member(&body, "UniqueId").map_or(CallId::Absent, CallId::of);
    answer::judge(reply, refusal(reply), call_id, None)
}

fn refusal(reply: &Response<Bytes>) -> String {
    let body = answer::json(reply).unwrap_or_default();
    let said = ["Message", "Error", "title"].iter().find_map(|name| member(&body, name).and_then(word));
    answer::words(reply, &[said.as_deref()])
}

#[async_trait]
impl Provider for Knovvu {
    fn can_call(&self, number: &PhoneNumber) -> Result<(), String> {
        self.number_format.write(number, self.country).map(drop)
    }

    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String> {
        let body = self.body(call, "***").map_err(|refused| match refused {
            Placement::CampaignFault { cause } | Placement::NumberFault { cause } => cause,
            other => format!("{other:?}"),
        })?;
        self.request(body)
    }

    async fn place(&self, call: &CallRequest) -> Placement {
        let request = self
            .body(call, self.access_token.expose_secret())
            .and_then(|body| self.request(body).map_err(|cause| Placement::LaneFault { cause }));
        self.account.place(request, classify).await
    }

    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        let ids: Vec<&str> = calls.iter().map(|call| call.call_id.as_str()).collect();
        let results = self.results(&ids, budget).await?;
        let state =
            |call: &OutCall| results.iter().find(|(id, _)| *id == call.call_id).map(|(_, state)| self.news(state));
        Ok(calls.iter().filter_map(|call| Some((call.attempt, state(call)?))).collect())
    }

    /// Finds only calls that the vendor itself reported for an attempt, and then confirms.
    async fn find(&self, lost: &[LostCall], _: Moment, budget: &dyn Budget) -> Result<Findings, AskError> {
        let ids: Vec<&str> = lost.iter().flat_map(|one| one.reported.iter().map(String::as_str)).collect();
        if ids.is_empty() {
            return Ok(Findings::default());
        }
        let results = self.results(&ids, budget).await?;
        let confirmed = |id: &str| results.iter().any(|(known, state)| known == id && self.outcome(state).is_some());
        // Two calls reported for one attempt, or one for two, prove nothing.
        let only = |one: &LostCall| match one.reported.iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()[..]
        {
            [id] if lost.iter().filter(|other| other.reported.contains(id)).count() == 1 => Some(id.clone()),
            _ => None,
        };
        let candidates = lost.iter().filter_map(|one| {
            let call_id = only(one).filter(|id| confirmed(id))?;
            Some(Candidate { attempt: one.attempt, call_id, certain: true })
        });
        Ok(Findings { candidates: candidates.collect(), ..Findings::default() })
    }

    fn reported(&self, body: &[u8]) -> Option<String> {
        report::named(body, &["UniqueId"])
    }

    /// Asks an empty question. The answer shows that the vendor is there; it does not show whether
    /// the credentials are right.
    async fn check(&self) -> Result<Checked, AskError> {
        self.account
            .ask(Method::POST, RESULT, Body::Json(json!({ "UniqueIds": [] })), &Free, refusal)
            .await
            .and_then(|reply| listed(&reply))
            .map(|_| Checked::Address)
    }
}
