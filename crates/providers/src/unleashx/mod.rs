//! UnleashX: voice-AI calls.
//!
//! Sources: the vendor's page "Make a call" (www.tryunleashx.com), and docs.unleashx.ai "Call
//! summary" for the list of executions. What they leave open is taken the pessimistic way:
//!
//! - The number to call from belongs to the agent, which must be an outbound one (`calling_type`
//!   1).
//! - There is no key against double requests. Our reference goes along in `metadata`; the list can
//!   be searched for it, and nobody documents that it is shown there.
//! - The list's rows have no documented link to the `execution_id` that placing a call returns,
//!   and their times have no zone: see [`rows`].

mod clock;
mod find;
mod place;
mod rows;
mod since;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};
use ringfence_domain::lane::LaneLimits;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement, Rate};

use self::clock::ListClock;
use crate::account::{Account, Body, Free};
use crate::answer::UnreadRows;
use crate::call::{AskError, CallRequest, Findings, Listing, LostCall, OutCall};
use crate::status_word::StatusMap;
use crate::vendor::{Capabilities, Finds, LaneSetup, Objection, SettingKey, SettingKind, Vendor};
use crate::{Budget, Checked, Provider, Transport, report};

const PLACE: &str = "/agents/call";

/// The description of this vendor: its settings, limits, capabilities and refusals.
pub(crate) static VENDOR: Vendor = Vendor {
    kind: "unleashx",
    settings: &[
        SettingKey { name: "token", kind: SettingKind::Secret, default: None, says: "The token of the API." },
        SettingKey {
            name: "auth_header",
            kind: SettingKind::OneOf(&["token", "api_access_token"]),
            default: Some("token"),
            says: "The name of the header that holds the token.",
        },
        SettingKey {
            name: "created_at_timezone",
            kind: SettingKind::OptionalZone,
            default: None,
            says: "The zone in which this account writes times.",
        },
    ],
    campaign_settings: &[],
    base_url: Some("https://www.tryunleashx.com/api/v1/global"),
    limits: || LaneLimits { calls: Rate::per_second(1), requests: Rate::per_minute(60), concurrent: 5, per_day: None },
    hours: |_| None,
    can: Capabilities {
        finds: Finds::ByNumber,
        asks_together: 200,
        cancels: false,
        holds: false,
        reports: false,
        takes_metadata: true,
    },
    faults: place::FAULTS,
    check: |_, campaign| {
        let mut objections: Vec<Objection> = Vec::new();
        objections.extend(campaign.needs_agent("write the number of the agent that is to call: agent = \"123\""));
        if let Some(agent) = campaign.agent.filter(|agent| agent.parse::<i64>().is_err()) {
            let message = format!("`{agent}` is not an UnleashX agent");
            objections.push(Objection::new("agent", message, "agents are whole numbers there: agent = \"123\""));
        }
        if !campaign.caller_ids.is_empty() {
            let message = "UnleashX takes no number to call from: it belongs to the agent";
            objections.push(Objection::new("caller_ids", message, "leave caller_ids out"));
        }
        // Both go along in one place.
        let twice = campaign.metadata.keys().find(|name| campaign.variables.contains_key(*name));
        objections.extend(twice.map(|name| {
            let message = format!("`{name}` is in [variables] and in [metadata], which UnleashX takes as one");
            Objection::new("metadata", message, "give one of them another name")
        }));
        objections
    },
    build: |setup, transport| Ok(Arc::new(UnleashX::new(setup, transport)?)),
};

/// One account.
#[derive(Debug)]
struct UnleashX {
    account: Account,
    status_map: StatusMap,
    clock: ListClock,
    /// Rotates the calls that are asked about one by one.
    turn: AtomicUsize,
    unread: UnreadRows,
}

impl UnleashX {
    fn new(setup: LaneSetup, transport: Arc<dyn Transport>) -> Result<Self, String> {
        let header = if setup.value("auth_header")? == "token" { "token" } else { "api_access_token" };
        let zone = setup.values.get("created_at_timezone").map(|name| name.parse::<ringfence_domain::Zone>());
        Ok(Self {
            account: Account::new(&setup, transport).secret_header(header, setup.secret("token")?, "token")?,
            clock: ListClock::new(zone.transpose().map_err(|error| format!("created_at_timezone: {error}"))?),
            turn: AtomicUsize::new(0),
            unread: UnreadRows::default(),
            status_map: StatusMap::new(setup.status_map),
        })
    }
}

#[async_trait]
impl Provider for UnleashX {
    fn can_call(&self, _: &PhoneNumber) -> Result<(), String> {
        Ok(())
    }

    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String> {
        self.account.request(Method::POST, PLACE, Body::Json(place::body(call)?))
    }

    async fn place(&self, call: &CallRequest) -> Placement {
        let request = place::body(call).map_err(|cause| Placement::CampaignFault { cause }).and_then(|body| {
            let request = self.account.request(Method::POST, PLACE, Body::Json(body));
            request.map_err(|cause| Placement::LaneFault { cause })
        });
        self.account.place(request, place::classify).await
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
        report::named(body, &["execution_id", "track_id"])
    }

    async fn check(&self) -> Result<Checked, AskError> {
        self.list(vec![("limit", "1".to_owned())], &Free).await.map(|_| Checked::Credentials)
    }
}
