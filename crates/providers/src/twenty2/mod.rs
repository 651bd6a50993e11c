//! Twenty2: voice-AI calls in India.
//!
//! Sources: the vendor's pages "Initiate a Call" and "Quick Start" (api.twentytwo.in), "List
//! calls", "Get call details" and both error pages at twentytwo.documentationai.com. They
//! contradict one another. Then every documented form is understood, and a point that none of them
//! settles is taken the pessimistic way.
//!
//! - The vendor places calls from 09:00 to 21:00 IST and holds others until 09:00 by itself.
//! - There is no key against double requests. `[vendor] reference = "ref"` sends our reference as
//!   an input parameter that the agent must define; call details give it back.
//! - 60 requests a minute and 3 calls at once, polls included.

mod find;
mod place;
mod since;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use bytes::Bytes;
use http::{Method, Request};
use ringfence_domain::lane::LaneLimits;
use ringfence_domain::phone::Country;
use ringfence_domain::window::{Calendar, Hours};
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement, Rate, Span};
use secrecy::{ExposeSecret, SecretString};

use crate::account::{Account, Body, Free};
use crate::answer::UnreadRows;
use crate::call::{AskError, CallRequest, Findings, Listing, LostCall, OutCall};
use crate::status_word::StatusMap;
use crate::vendor::{CampaignFacts, Capabilities, Finds, LaneSetup, Objection, SettingKey, SettingKind, Vendor};
use crate::{Budget, Checked, NumberFormat, Provider, Transport, report};

const BASE_URL: &str = "https://api.twentytwo.in/api";
const PLACE: &str = "/agent/trigger-outbound-call";

/// The description of this vendor: its settings, limits, capabilities and refusals.
pub static VENDOR: Vendor = Vendor {
    kind: "twenty2",
    settings: SETTINGS,
    campaign_settings: CAMPAIGN_SETTINGS,
    base_url: Some(BASE_URL),
    limits: default_limits,
    hours: |base_url| base_url.contains("api.twentytwo.in").then_some(("09:00-21:00", "Asia/Kolkata")),
    can: CAN,
    faults: place::FAULTS,
    check: objections,
    build: |setup, transport| Ok(Arc::new(Twenty2::new(setup, transport)?)),
};

const CALLER_IDS: &str = "write your numbers at the vendor: caller_ids = [\"9876543210\"]";

fn objections(lane: &LaneSetup, campaign: &CampaignFacts<'_>) -> Vec<Objection> {
    let agent = campaign.needs_agent("write the id of the agent that is to call");
    let missing = campaign.needs_caller_ids(CALLER_IDS);
    // A simulated account takes numbers of any country.
    let format = lane.number_format().unwrap_or(NumberFormat::E164);
    let wrong = campaign.caller_ids.iter().enumerate().filter_map(|(place, text)| {
        let cause = caller(format, text).err()?;
        Some(Objection::new("caller_ids", format!("`{text}`: {cause}"), CALLER_IDS).at_item(place))
    });
    [agent, missing].into_iter().flatten().chain(wrong).collect()
}

/// Returns a number to call from as the vendor wants it.
fn caller(format: NumberFormat, text: &str) -> Result<String, String> {
    format.write_caller(text, india()).and_then(|written| of_ten_digits(format, written))
}

/// Checks a number to call from. Without its country code a number has ten digits there. Toll-free
/// ones have eleven, which the vendor cannot dial.
fn of_ten_digits(format: NumberFormat, written: String) -> Result<String, String> {
    let digits = match format {
        NumberFormat::National => written.len(),
        NumberFormat::ZeroNational => written.len() - 1,
        _ => return Ok(written),
    };
    if digits == 10 {
        Ok(written)
    } else {
        Err(format!("the vendor takes numbers of ten digits, without country code; this one has {digits}"))
    }
}

/// Settings of a lane.
pub const SETTINGS: &[SettingKey] = &[
    SettingKey { name: "workspace_id", kind: SettingKind::Text, default: None, says: "The id of your workspace." },
    SettingKey { name: "api_key", kind: SettingKind::Secret, default: None, says: "The key of the API." },
    SettingKey { name: "api_secret", kind: SettingKind::Secret, default: None, says: "The secret of the API." },
    SettingKey {
        name: "agent_field",
        kind: SettingKind::OneOf(&["agent_id", "assistant_id"]),
        default: Some("agent_id"),
        says: "The name of the field that holds the agent.",
    },
    SettingKey {
        name: "number_format",
        kind: SettingKind::OneOf(NumberFormat::WORDS),
        default: Some("national"),
        says: "How numbers are written for the vendor.",
    },
];

const CAN: Capabilities = Capabilities {
    finds: Finds::ByNumber,
    asks_together: 200,
    cancels: false,
    holds: true,
    reports: false,
    takes_metadata: false,
};

/// Settings of a campaign.
pub const CAMPAIGN_SETTINGS: &[SettingKey] = &[SettingKey {
    name: "reference",
    kind: SettingKind::OptionalText,
    default: None,
    says: "The input parameter of the agent that gets our reference of the call.",
}];

/// 1 call a second, 60 requests a minute, 3 calls at once: the vendor's published limits.
pub fn default_limits() -> LaneLimits {
    LaneLimits { calls: Rate::per_second(1), requests: Rate::per_minute(60), concurrent: 3, per_day: None }
}

/// One account.
#[derive(Debug)]
pub struct Twenty2 {
    account: Account,
    agent_field: String,
    number_format: NumberFormat,
    status_map: StatusMap,
    hours: Option<Hours>,
    unread: UnreadRows,
    /// Numbers to call from as they were written before: there are few, and each call has one.
    callers: Mutex<HashMap<String, Result<String, String>>>,
}

/// Numbers to call from that are remembered.
const CALLERS: usize = 1_000;

impl Twenty2 {
    /// Makes an account with these settings, reached by `transport`.
    pub fn new(setup: LaneSetup, transport: Arc<dyn Transport>) -> Result<Self, String> {
        let (key, secret) = (setup.secret("api_key")?, setup.secret("api_secret")?);
        let pair = SecretString::from(format!("{}:{}", key.expose_secret(), secret.expose_secret()));
        let basic = base64::engine::general_purpose::STANDARD.encode(pair.expose_secret());
        let basic = SecretString::from(format!("Basic {basic}"));
        Ok(Self {
            account: Account::new(&setup, transport)
                .secret_header("authorization", &basic, "the credentials")?
                .header("x-workspace-id", setup.value("workspace_id")?, "workspace_id")?,
            agent_field: setup.value("agent_field")?.to_owned(),
            number_format: setup.number_format()?,
            hours: setup.settings.vendor_hours(),
            status_map: StatusMap::new(setup.status_map),
            unread: UnreadRows::default(),
            callers: Mutex::default(),
        })
    }

    /// Returns the number as the vendor wants it.
    fn as_dialled(&self, number: &PhoneNumber) -> Result<String, String> {
        self.number_format.write(number, india()).and_then(|written| of_ten_digits(self.number_format, written))
    }

    /// Returns a number to call from as the vendor wants it.
    fn as_caller(&self, text: &str) -> Result<String, String> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = callers.get(text) {
            return known.clone();
        }
        if callers.len() >= CALLERS {
            callers.clear();
        }
        let written = caller(self.number_format, text);
        callers.insert(text.to_owned(), written.clone());
        written
    }
}

fn india() -> Country {
    "IN".parse().expect("India is a country")
}

/// The time before its closing from which on the vendor may hold a call until the next day.
const NEAR_CLOSING: Span = Span::from_minutes(15);

#[async_trait]
impl Provider for Twenty2 {
    fn can_call(&self, number: &PhoneNumber) -> Result<(), String> {
        self.as_dialled(number).map(drop)
    }

    fn held_until(&self, at: Moment) -> Moment {
        let Some(hours) = self.hours.clone() else { return at };
        let mut calendar = Calendar::new(vec![hours], Span::ZERO);
        let now = calendar.at(at);
        let opening = match now.next_change {
            Some(change) if !now.open => Some(change),
            Some(closing) if closing.since(at) <= NEAR_CLOSING => calendar.next_opening(closing),
            _ => None,
        };
        opening.unwrap_or(at)
    }

    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String> {
        let body = self.call_body(call).map_err(|refused| match refused {
            Placement::CampaignFault { cause } | Placement::NumberFault { cause } => cause,
            other => format!("{other:?}"),
        })?;
        self.account.request(Method::POST, PLACE, Body::Json(body))
    }

    async fn place(&self, call: &CallRequest) -> Placement {
        let request = self.call_body(call).and_then(|body| {
            let request = self.account.request(Method::POST, PLACE, Body::Json(body));
            request.map_err(|cause| Placement::LaneFault { cause })
        });
        self.account.place(request, |answer| place::classify(answer, &self.agent_field)).await
    }

    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        self.ask_all(calls, budget).await
    }

    async fn find(&self, lost: &[LostCall], _: Moment, budget: &dyn Budget) -> Result<Findings, AskError> {
        self.find_all(lost, budget).await
    }

    async fn calls_since(&self, since: Moment, budget: &dyn Budget) -> Result<Option<Listing>, AskError> {
        self.listed_since(since, budget).await.map(Some)
    }

    fn reported(&self, body: &[u8]) -> Option<String> {
        report::named(body, &["call_id"])
    }

    async fn check(&self) -> Result<Checked, AskError> {
        self.get("/call/logs", &Free).await.map(|_| Checked::Credentials)
    }
}
