//! What happened, as others are told of it: over a stream of events, and by webhooks.

use std::collections::BTreeMap;

use ringfence_domain::event::{Event, EventKind};
use ringfence_domain::{AttemptId, Campaign, ContactId, Moment, RunId};
use ringfence_store::{AttemptRow, ContactRow, Database};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::amount::amount;
use crate::error::Error;

/// What others are told of one event.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Message {
    /// The same for the same event, however often it is told.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When.
    pub timestamp: Moment,
    /// What it happened to, and how.
    pub data: Value,
    /// The number of its event.
    #[serde(skip)]
    pub event: i64,
}

/// Makes the messages of events. `include_phone`: with the numbers that were called.
pub async fn messages(store: &Database, events: &[Event], include_phone: bool) -> Result<Vec<Message>, Error> {
    let contacts: Vec<ContactId> = distinct(events.iter().filter_map(|event| event.contact));
    let attempts: Vec<AttemptId> = distinct(events.iter().filter_map(|event| event.attempt));
    let (mut known, mut calls, mut runs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    if !contacts.is_empty() {
        known.extend(store.contacts_by_ids(contacts).await?.into_iter().map(|contact| (contact.id, contact)));
    }
    if !attempts.is_empty() {
        calls.extend(store.attempts_by_ids(attempts).await?.into_iter().map(|attempt| (attempt.id, attempt)));
    }
    let of_runs: Vec<RunId> = distinct(events.iter().filter_map(|event| event.run));
    if !of_runs.is_empty() {
        runs = store.run_names(of_runs).await?;
    }
    let mut campaigns: BTreeMap<String, Option<Campaign>> = BTreeMap::new();
    let of_calls = events.iter().filter(|event| event.contact.is_some());
    for name in distinct(of_calls.filter_map(|event| event.campaign.clone())) {
        // A campaign whose rules cannot be read has no metadata.
        let rules = store.campaign(name.clone()).await.ok().flatten().map(|row| row.rules);
        campaigns.insert(name, rules);
    }
    let known = Known { contacts: known, calls, runs, campaigns, include_phone };
    Ok(events.iter().map(|event| known.message(event)).collect())
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<std::collections::BTreeSet<T>>().into_iter().collect()
}

struct Known {
    contacts: BTreeMap<ContactId, ContactRow>,
    calls: BTreeMap<AttemptId, AttemptRow>,
    runs: BTreeMap<RunId, (String, i64)>,
    campaigns: BTreeMap<String, Option<Campaign>>,
    include_phone: bool,
}

impl Known {
    fn message(&self, event: &Event) -> Message {
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                data.insert(name.to_owned(), value);
            }
        };
        put("campaign", json!(event.campaign));
        put("lane", json!(event.lane));
        put("run", json!(event.run.and_then(|run| self.runs.get(&run)).map(|(_, number)| number)));
        put("contact", json!(event.contact));
        put("attempt", json!(event.attempt));
        if event.kind == EventKind::CallEnded {
            put("outcome", json!(event.cause));
        } else {
            put("cause", json!(event.cause));
        }
        if event.contact.is_none() {
            put("who", json!(event.who));
        }
        if let Some(contact) = event.contact.and_then(|id| self.contacts.get(&id)) {
            put("external_id", json!(contact.external_id));
            put("metadata", self.metadata(event, contact));
            if event.kind != EventKind::CallEnded {
                put("state", json!(contact.state));
                put("last_outcome", json!(contact.last_outcome));
                put("reached", json!(contact.reached));
                put("calls", json!(contact.calls));
            }
            if self.include_phone && event.attempt.is_none() {
                put("phone", json!(contact.number.e164()));
            }
        }
        if let Some(call) = event.attempt.and_then(|id| self.calls.get(&id)) {
            put("call_id", json!(call.call_id));
            put("sent_at", json!(call.sending_at));
            put("duration_s", json!(call.talk_seconds));
            put("cost", json!(call.cost_micros.map(amount)));
            put("currency", json!(call.currency));
            put("outputs", json!(call.outputs));
            put("recording_url", json!(call.recording_url));
            put("transcript_url", json!(call.transcript_url));
            if self.include_phone {
                put("phone", json!(call.number.as_ref().map(ringfence_domain::PhoneNumber::e164)));
            }
        }
        Message {
            id: format!("evt_{}", event.id),
            kind: event.kind,
            timestamp: event.at,
            data: data.into(),
            event: event.id,
        }
    }

    /// The metadata of the campaign, filled with the values of the contact.
    fn metadata(&self, event: &Event, contact: &ContactRow) -> Value {
        let rules = event.campaign.as_ref().and_then(|name| self.campaigns.get(name)?.as_ref());
        let filled = rules.iter().flat_map(|rules| &rules.metadata);
        let filled =
            filled.filter_map(|(name, template)| Some((name.clone(), json!(template.render(&contact.fields).ok()?))));
        let filled: Map<String, Value> = filled.collect();
        if filled.is_empty() { Value::Null } else { filled.into() }
    }
}
