//! Twenty2: voice-AI calls in India.
//!
//! Sources: the vendor's pages "Initiate a Call" and "Quick Start" (api.twentytwo.in), "List calls", "Get call
//! details" and both error pages at twentytwo.documentationai.com. They contradict one another; wherever they do,
//! every documented form is understood, and what none of them settles is taken the pessimistic way.
//!
//! - The vendor places calls from 09:00 to 21:00 IST and holds others until 09:00 by itself.
//! - There is no key against double requests. `[vendor] reference = "ref"` sends our reference as an input parameter
//!   that the agent must define; call details give it back.
//! - 60 requests a minute and 3 calls at once, polls included.

mod find;
mod place;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use ringfence_domain::lane::LaneLimits;
use ringfence_domain::window::{Calendar, Hours};
use ringfence_domain::{AttemptId, Moment, Outcome, PhoneNumber, Rate, Span};

use crate::call::{AskError, CallRequest, Candidate, LostCall, News, OutCall, Placing};
use crate::vendor::{LaneSetup, SettingKey, SettingKind, Vendor};
use crate::{Budget, Provider, Transport, WireError};

const BASE_URL: &str = "https://api.twentytwo.in/api";
const PLACE: &str = "/agent/trigger-outbound-call";

/// What configuration files may say about it.
pub static VENDOR: Vendor = Vendor {
    kind: "twenty2",
    settings: SETTINGS,
    campaign_settings: CAMPAIGN_SETTINGS,
    base_url: Some(BASE_URL),
    limits: default_limits,
    hours: |base_url| base_url.contains("api.twentytwo.in").then_some(("09:00-21:00", "Asia/Kolkata")),
    needs_caller_id: true,
    build: |setup, transport| Ok(Arc::new(Twenty2::new(setup, transport)?)),
};

/// Settings of a lane.
pub const SETTINGS: &[SettingKey] = &[
    SettingKey { name: "workspace_id", kind: SettingKind::Text, default: None },
    SettingKey { name: "api_key", kind: SettingKind::Secret, default: None },
    SettingKey { name: "api_secret", kind: SettingKind::Secret, default: None },
    SettingKey {
        name: "agent_field",
        kind: SettingKind::OneOf(&["agent_id", "assistant_id"]),
        default: Some("agent_id"),
    },
    SettingKey { name: "number_format", kind: SettingKind::OneOf(&["national", "e164"]), default: Some("national") },
];

/// Settings of a campaign.
pub const CAMPAIGN_SETTINGS: &[SettingKey] =
    &[SettingKey { name: "reference", kind: SettingKind::OptionalText, default: None }];

/// 1 call a second, 60 requests a minute, 3 calls at once: the vendor's published limits.
pub fn default_limits() -> LaneLimits {
    LaneLimits { calls: Rate::per_second(1), requests: Rate::per_minute(60), concurrent: 3, per_day: None }
}

/// One account.
pub struct Twenty2 {
    transport: Arc<dyn Transport>,
    base_url: String,
    headers: HeaderMap,
    agent_field: String,
    national: bool,
    status_map: BTreeMap<String, Outcome>,
    hours: Option<Hours>,
}

/// Without headers: they hold the credentials.
impl std::fmt::Debug for Twenty2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twenty2").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Twenty2 {
    /// An account with these settings, reached by `transport`.
    pub fn new(setup: LaneSetup, transport: Arc<dyn Transport>) -> Result<Self, String> {
        let pair = format!("{}:{}", setup.secret("api_key")?.reveal(), setup.secret("api_secret")?.reveal());
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let mut authorization =
            HeaderValue::from_str(&basic).map_err(|_| "the credentials have characters that HTTP cannot send")?;
        authorization.set_sensitive(true);
        let workspace = HeaderValue::from_str(setup.value("workspace_id")?)
            .map_err(|_| "workspace_id has characters that HTTP cannot send")?;
        let mut headers = HeaderMap::new();
        headers.insert(http::header::AUTHORIZATION, authorization);
        headers.insert("x-workspace-id", workspace);
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(Self {
            transport,
            headers,
            agent_field: setup.value("agent_field")?.to_owned(),
            national: setup.value("number_format")? == "national",
            hours: setup.settings.vendor_hours(),
            base_url: setup.base_url,
            status_map: setup.status_map.into_iter().map(|(word, outcome)| (wire::bare(&word), outcome)).collect(),
        })
    }

    fn request(&self, method: Method, path: &str, body: Option<&serde_json::Value>) -> Result<Request<Bytes>, String> {
        let bytes = body.map(|json| Bytes::from(json.to_string())).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .body(bytes)
            .map_err(|error| format!("base_url is not an address: {error}"))?;
        request.headers_mut().extend(self.headers.clone());
        if body.is_some() {
            request.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(request)
    }

    async fn get(&self, path: &str, budget: &dyn Budget) -> Result<Response<Bytes>, AskError> {
        budget.take().await;
        let request = self.request(Method::GET, path, None).map_err(AskError::LaneFault)?;
        let answer = self.transport.send(request).await.map_err(|error| AskError::Trouble(error.to_string()))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 | 404 => Ok(answer),
            401 | 403 => Err(AskError::LaneFault(wire::refusal(&answer))),
            429 => Err(AskError::Throttled { cause: wire::refusal(&answer), retry_after: wire::retry_after(&answer) }),
            300..=399 => Err(AskError::LaneFault(format!("HTTP {status}: base_url leads elsewhere"))),
            _ => Err(AskError::Trouble(wire::refusal(&answer))),
        }
    }

    /// The number as the vendor wants it.
    fn as_dialled(&self, number: &PhoneNumber) -> Result<String, String> {
        if !self.national {
            return Ok(number.e164().to_owned());
        }
        match number.national() {
            Some(national) if number.country_code() == Some(91) && national.len() == 10 => Ok(national),
            _ => Err("Twenty2 calls ten-digit Indian numbers only; set number_format = \"e164\" if yours calls others"
                .to_owned()),
        }
    }
}

/// A call that the vendor holds close to its closing may wait for the next day.
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
        self.request(Method::POST, PLACE, Some(&self.call_body(call)?))
    }

    async fn place(&self, call: &CallRequest) -> Placing {
        let body = match self.call_body(call) {
            Ok(body) => body,
            Err(cause) => return Placing::NumberFault { cause },
        };
        let request = match self.request(Method::POST, PLACE, Some(&body)) {
            Ok(request) => request,
            Err(cause) => return Placing::LaneFault { cause },
        };
        match self.transport.send(request).await {
            Ok(answer) => place::classify(&answer, &self.agent_field),
            Err(WireError::NotSent(cause)) => Placing::NotSent { cause },
            Err(WireError::Broken(cause)) => Placing::Unknown { cause },
        }
    }

    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, News)>, AskError> {
        self.ask_all(calls, budget).await
    }

    async fn find(&self, lost: &[LostCall], budget: &dyn Budget) -> Result<Vec<Candidate>, AskError> {
        self.find_all(lost, budget).await
    }

    async fn check(&self) -> Result<(), AskError> {
        struct Free;
        #[async_trait]
        impl Budget for Free {
            async fn take(&self) {}
        }
        self.get("/call/logs", &Free).await.map(drop)
    }
}
