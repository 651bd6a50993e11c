//! Iqra AI: voice-AI calls from a queue at the vendor.
//!
//! Sources: the page "Initiate call" (www.mintlify.com/abdofallah/IqraAI), and the vendor's
//! published source (github.com/abdofallah/IqraAI), which contradict each other:
//!
//! - The page documents form fields (`RecipientNumber`, `NumberId`, `AgentId`, …); the source
//!   reads one form field `config` of JSON, which needs a campaign of the vendor's. A lane begins
//!   with `dialect`, and turns to the other one when the vendor's refusal proves that nothing was
//!   queued: see [`place`].
//! - The page shows names in upper case (`Success`), the source answers in lower case, with HTTP
//!   200 whatever happened, and numbers instead of words: see [`queue`].
//! - Only the source has the list of queued calls. It shows our reference, so that it is known
//!   whether a call was placed.
//! - Calls may wait in the queue. With `config` the vendor is told the moment after which it must
//!   drop them.

mod place;
mod queue;
mod since;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};
use ringfence_domain::lane::LaneLimits;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement, Rate, Span};
use secrecy::{ExposeSecret, SecretString};

use crate::account::{Account, Body, Free};
use crate::answer::UnreadRows;
use crate::call::{AskError, CallRequest, Findings, Listing, LostCall, OutCall};
use crate::status_word::StatusMap;
use crate::vendor::{CampaignFacts, Capabilities, Finds, LaneSetup, Objection, SettingKey, SettingKind, Vendor};
use crate::{Budget, Checked, Provider, Transport, report};

/// The description of this vendor: its settings, limits, capabilities and refusals.
pub(crate) static VENDOR: Vendor = Vendor {
    kind: "iqra",
    settings: &[
        SettingKey { name: "business_id", kind: SettingKind::Text, default: None, says: "The id of your business." },
        SettingKey { name: "api_key", kind: SettingKind::Secret, default: None, says: "The key of the API." },
        SettingKey {
            name: "dialect",
            kind: SettingKind::OneOf(&["docs", "config"]),
            default: Some("docs"),
            says: "Which of the two documented forms of the API this server speaks.",
        },
    ],
    campaign_settings: &[
        SettingKey {
            name: "campaign_id",
            kind: SettingKind::OptionalText,
            default: None,
            says: "The id of the campaign at the vendor.",
        },
        SettingKey {
            name: "max_wait",
            kind: SettingKind::OptionalSpan,
            default: None,
            says: "How long the vendor may keep a call in its queue.",
        },
    ],
    base_url: Some("https://api.iqra.ai/api/v1"),
    limits: || LaneLimits { calls: Rate::per_second(1), requests: Rate::per_minute(60), concurrent: 5, per_day: None },
    hours: |_| None,
    can: Capabilities {
        finds: Finds::ByReference,
        asks_together: 100,
        cancels: false,
        holds: false,
        reports: false,
        takes_metadata: true,
    },
    faults: place::FAULTS,
    check: objections,
    build: |setup, transport| Ok(Arc::new(Iqra::new(setup, transport)?)),
};

/// Returns what the campaign lacks for the dialect of this lane.
fn objections(lane: &LaneSetup, campaign: &CampaignFacts<'_>) -> Vec<Objection> {
    let all = if lane.values.get("dialect").is_some_and(|dialect| dialect == "config") {
        let missing = !campaign.vendor.contains_key("campaign_id");
        let hint = "agent and number come from a campaign there: write its id in [vendor] campaign_id";
        [missing.then(|| Objection::missing("campaign_id", hint)), None]
    } else {
        [
            campaign.needs_agent("write the AgentId that is to call"),
            campaign.needs_caller_ids("write the NumberId to call from: caller_ids = [\"…\"]"),
        ]
    };
    let wait = campaign.vendor.get("max_wait").and_then(|wait| wait.to_string().parse::<Span>().ok());
    let too_long = wait.filter(|wait| *wait > place::LONGEST_WAIT).map(|wait| {
        let hint = format!("write {} at most: then the number counts as free again", place::LONGEST_WAIT);
        Objection::new("max_wait", format!("{wait} is too long for a call to wait at the vendor"), hint)
    });
    all.into_iter().flatten().chain(too_long).collect()
}

/// One business.
#[derive(Debug)]
struct Iqra {
    account: Account,
    /// `/business/{id}`
    business: String,
    /// Whether the dialect `config` is spoken. It is learned in memory only: after a restart the
    /// first attempt may be refused once more, which costs nobody a call. The log says which line
    /// to write.
    config: AtomicBool,
    /// Whether the dialect was changed once already.
    turned: AtomicBool,
    status_map: StatusMap,
    /// The last call that was taken. A lost call is taken for absent only by a list that shows this
    /// one.
    control: Mutex<Option<Control>>,
    unread: UnreadRows,
}

/// A call that certainly is in the vendor's list.
#[derive(Debug, Clone)]
struct Control {
    number: PhoneNumber,
    reference: String,
    at: Moment,
}

impl Iqra {
    fn new(setup: LaneSetup, transport: Arc<dyn Transport>) -> Result<Self, String> {
        let business = setup.value("business_id")?;
        if business.is_empty() || !business.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(format!("business_id: `{business}` is not the id of a business"));
        }
        let token = SecretString::from(format!("Token {}", setup.secret("api_key")?.expose_secret()));
        Ok(Self {
            account: Account::new(&setup, transport).secret_header("authorization", &token, "api_key")?,
            business: format!("/business/{business}"),
            config: AtomicBool::new(setup.value("dialect")? == "config"),
            turned: AtomicBool::new(false),
            status_map: StatusMap::new(setup.status_map),
            control: Mutex::default(),
            unread: UnreadRows::default(),
        })
    }

    fn path(&self) -> String {
        format!("{}/call/initiate", self.business)
    }

    /// Turns once to the other dialect than the refused one. A second refusal is for a person to
    /// mend.
    fn reword(&self, was_config: bool, words: String) -> Placement {
        if self.config.load(Ordering::SeqCst) != was_config {
            return Placement::Reworded { cause: words };
        }
        if self.turned.swap(true, Ordering::SeqCst) {
            return Placement::LaneFault {
                cause: format!("{words}; neither dialect is understood: is base_url right?"),
            };
        }
        self.config.store(!was_config, Ordering::SeqCst);
        let other = if was_config { "docs" } else { "config" };
        tracing::warn!(
            "Iqra AI wants the other dialect: write dialect = \"{other}\" in the lane's section, to begin with it"
        );
        Placement::Reworded { cause: words }
    }
}

#[async_trait]
impl Provider for Iqra {
    fn can_call(&self, _: &PhoneNumber) -> Result<(), String> {
        Ok(())
    }

    fn held_until(&self, at: Moment) -> Moment {
        // The page promises no end to the queue; with `config` the vendor drops what waits past the
        // maximum that it is told.
        at + if self.config.load(Ordering::SeqCst) { place::LONGEST_WAIT } else { Span::from_hours(1) }
    }

    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String> {
        let fields = place::fields(call, self.config.load(Ordering::SeqCst))?;
        self.account.request(Method::POST, &self.path(), Body::Form(fields))
    }

    async fn place(&self, call: &CallRequest) -> Placement {
        let config = self.config.load(Ordering::SeqCst);
        let request =
            place::fields(call, config).map_err(|cause| Placement::CampaignFault { cause }).and_then(|fields| {
                let request = self.account.request(Method::POST, &self.path(), Body::Form(fields));
                request.map_err(|cause| Placement::LaneFault { cause })
            });
        match self.account.place(request, |reply| place::classify(reply, config)).await {
            Placement::Reworded { cause } => self.reword(config, cause),
            Placement::Accepted { call_id } => {
                let control = Control { number: call.to.clone(), reference: call.reference.clone(), at: call.at };
                *self.control.lock().expect("never held over a panic") = Some(control);
                Placement::Accepted { call_id }
            }
            other => other,
        }
    }

    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        self.ask_all(calls, budget).await
    }

    async fn find(&self, lost: &[LostCall], now: Moment, budget: &dyn Budget) -> Result<Findings, AskError> {
        self.find_all(lost, now, budget).await
    }

    async fn calls_since(&self, since: Moment, budget: &dyn Budget) -> Result<Option<Listing>, AskError> {
        self.listed_since(since, budget).await.map(Some)
    }

    fn reported(&self, body: &[u8]) -> Option<String> {
        report::named(body, &["queueId"])
    }

    async fn check(&self) -> Result<Checked, AskError> {
        self.queued(&serde_json::json!({ "limit": 1 }), &Free).await.map(|_| Checked::Credentials)
    }
}
