//! A vendor that calls nobody: it takes calls, lets them ring and talk by the clock, and remembers
//! how they ended.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringfence_domain::window::Calendar;
use ringfence_domain::{Clock, Moment, Outcome, Span};
use ringfence_providers::Transport;
use serde_json::{Map, Value};

use crate::behaviour::{Behaviour, Fault, Reports, by_number};
use crate::tape::{Event, Tape, TapeEntry};

/// One simulated account.
#[derive(Debug)]
pub struct Simulator {
    behaviour: Mutex<Behaviour>,
    clock: Arc<dyn Clock>,
    tape: Arc<Tape>,
    calls: Mutex<Calls>,
    reports: Mutex<Option<Arc<dyn Transport>>>,
    /// When the simulator began, in tenths of a second. It is a part of every id, so that the next
    /// simulator on the same port gives no id twice.
    begun: u32,
}

#[derive(Debug, Default)]
struct Calls {
    by_id: HashMap<String, PlacedCall>,
    /// Ids in the order of placing.
    order: Vec<String>,
    /// Requests so far to each number.
    requests: HashMap<String, u32>,
}

/// A request that places a call, whatever wire format it came in.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The kind of provider that it was sent to.
    pub vendor: &'static str,
    /// Who is to be called, as sent.
    pub callee: String,
    /// From which number, as sent.
    pub caller: String,
    /// By which agent.
    pub agent: String,
    /// Values for the agent.
    pub inputs: Map<String, Value>,
    /// Values kept with the call.
    pub metadata: Map<String, Value>,
    /// The moment after which the call is dropped when it has not rung.
    pub ring_by: Option<Moment>,
}

/// A call that was placed.
#[derive(Debug, Clone)]
pub struct PlacedCall {
    /// The vendor's name for it.
    pub call_id: String,
    /// Its place in the order of placing, from 1.
    pub number: usize,
    /// What was asked.
    pub asked: Asked,
    /// When it was asked.
    pub placed_at: Moment,
    /// When the vendor begins to dial.
    pub rings_at: Moment,
    /// When it is over.
    pub ends_at: Moment,
    /// How it ends.
    pub outcome: Outcome,
    /// How long it is talked.
    pub talk: Span,
}

/// The vendor's result of a request.
#[derive(Debug, Clone)]
pub struct SimulatedResult {
    /// The call, if one was placed.
    pub call: Option<PlacedCall>,
    /// The fault of the answer, if any.
    pub fault: Option<Fault>,
}

/// The most calls that the list shows.
const LISTED: usize = 5_000;

impl Simulator {
    /// Makes an account with this behaviour, whose tape is `tape`.
    pub fn new(behaviour: Behaviour, clock: Arc<dyn Clock>, tape: Arc<Tape>) -> Arc<Self> {
        let begun = (clock.read().now.millis() / 100) as u32;
        Arc::new(Self {
            behaviour: Mutex::new(behaviour),
            clock,
            tape,
            calls: Mutex::default(),
            reports: Mutex::default(),
            begun,
        })
    }

    /// Returns the tape.
    pub fn tape(&self) -> &Arc<Tape> {
        &self.tape
    }

    /// Returns how long each answer takes.
    pub fn latency(&self) -> Span {
        self.behaviour.lock().expect("the simulator's lock").latency
    }

    /// Returns the values that the agent collects in an answered call to this number.
    pub fn outputs_of(&self, callee: &str) -> Map<String, Value> {
        let national = &callee[callee.len().saturating_sub(10)..];
        self.behaviour.lock().expect("the simulator's lock").outputs_of(national)
    }

    /// Changes the behaviour from now on.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().expect("the simulator's lock"));
    }

    /// Takes a request that places a call. It decides and writes the tape first; only then an
    /// answer may leave.
    pub fn place(&self, asked: Asked) -> SimulatedResult {
        let behaviour = self.behaviour.lock().expect("the simulator's lock").clone();
        let mut calls = self.calls.lock().expect("the simulator's lock");
        let request = calls.requests.entry(asked.callee.clone()).or_default();
        *request += 1;
        let request = *request;
        let chance = Chance { seed: behaviour.seed, callee: &asked.callee, request };
        let national = &asked.callee[asked.callee.len().saturating_sub(10)..];
        let fixed = by_number(national);
        let fault = match fixed {
            Some(Err(fault)) => Some(fault),
            Some(Ok(_)) => None,
            None => chance.fault(&behaviour.faults),
        };
        let at = self.clock.read().now;
        let mut entry = TapeEntry {
            at,
            vendor: asked.vendor.to_owned(),
            event: Event::Refused,
            callee: asked.callee.clone(),
            caller: asked.caller.clone(),
            agent: asked.agent.clone(),
            inputs: asked.inputs.clone(),
            metadata: asked.metadata.clone(),
            call_id: None,
            outcome: None,
            ends_at: None,
            rings_at: None,
        };
        if fault.is_some_and(|fault| !fault.places_the_call()) {
            self.tape.write(entry);
            return SimulatedResult { call: None, fault };
        }
        let rings_at = rings_at(&behaviour, at) + behaviour.queue;
        let dropped_at = asked.ring_by.filter(|by| *by < rings_at);
        let outcome = match fixed {
            _ if dropped_at.is_some() => Outcome::NotDialled,
            Some(Ok(outcome)) => outcome,
            _ => chance.outcome(&behaviour.outcomes),
        };
        let talk = match outcome {
            Outcome::Answered | Outcome::Voicemail => chance.around(behaviour.talk),
            _ => Span::ZERO,
        };
        let number = calls.order.len() + 1;
        let call = PlacedCall {
            call_id: format!("call_{:08x}{:08x}{number:08x}", self.begun, chance.number("id") as u32),
            number,
            placed_at: at,
            rings_at,
            ends_at: dropped_at.unwrap_or(rings_at + chance.around(behaviour.ring) + talk),
            outcome,
            talk,
            asked,
        };
        calls.order.push(call.call_id.clone());
        calls.by_id.insert(call.call_id.clone(), call.clone());
        entry.event = match (dropped_at, rings_at > at) {
            (Some(_), _) => Event::Dropped,
            (None, true) => Event::Held,
            (None, false) => Event::Placed,
        };
        entry.call_id = Some(call.call_id.clone());
        entry.outcome = Some(outcome);
        entry.ends_at = Some(call.ends_at);
        entry.rings_at = dropped_at.is_none().then_some(rings_at);
        self.tape.write(entry);
        SimulatedResult { call: Some(call), fault }
    }

    /// Returns a call, and whether it is over by now.
    pub fn call(&self, call_id: &str) -> Option<(PlacedCall, bool)> {
        let call = self.calls.lock().expect("the simulator's lock").by_id.get(call_id).cloned()?;
        let over = self.clock.read().now >= call.ends_at;
        Some((call, over))
    }

    /// Returns the newest calls of one kind of provider, newest first, each with whether it is over
    /// by now.
    pub fn newest(&self, vendor: &str) -> Vec<(PlacedCall, bool)> {
        let Some(listed_after) = self.behaviour().listed_after else { return Vec::new() };
        let calls = self.calls.lock().expect("the simulator's lock");
        let now = self.clock.read().now;
        let newest = calls.order.iter().rev().filter_map(|id| calls.by_id.get(id));
        let listed = newest.filter(|call| call.placed_at + listed_after <= now);
        let own = listed.filter(|call| call.asked.vendor == vendor).take(LISTED);
        own.map(|call| (call.clone(), now >= call.ends_at)).collect()
    }

    /// Returns the vendor's own time, behind ours or ahead of it.
    pub fn now(&self) -> Moment {
        self.clock.read().now
    }

    /// Returns the present behaviour.
    pub fn behaviour(&self) -> Behaviour {
        self.behaviour.lock().expect("the simulator's lock").clone()
    }

    /// Reports calls' ends by `way` from now on.
    pub fn report_by(&self, way: Arc<dyn Transport>) {
        *self.reports.lock().expect("the simulator's lock") = Some(way);
    }

    /// Sends a report of a call to an address once the call is over, if there is a way to.
    pub fn report(self: &Arc<Self>, call: &PlacedCall, address: &str, body: &Value) {
        let way = self.reports.lock().expect("the simulator's lock").clone();
        let request = http::Request::post(address).header("content-type", "application/json");
        let (Some(way), Ok(request)) = (way, request.body(bytes::Bytes::from(body.to_string()))) else { return };
        let end = call.ends_at.since(self.now()).duration();
        let waits = match self.behaviour().reports {
            Reports::Once => vec![end],
            Reports::Thrice => vec![end, Duration::ZERO, Duration::from_millis(50)],
            Reports::Early => vec![Duration::ZERO, end],
            Reports::Never => vec![],
        };
        tokio::spawn(async move {
            for wait in waits {
                tokio::time::sleep(wait).await;
                if let Err(error) = way.send(request.clone()).await {
                    tracing::warn!(%error, "a report was not taken: {error}");
                }
            }
        });
    }
}

/// Returns when a call begins: at once, or when the vendor's hours begin by its own clock.
fn rings_at(behaviour: &Behaviour, at: Moment) -> Moment {
    let Some(hours) = &behaviour.hours else { return at };
    let theirs = Moment::from_millis(at.millis() + behaviour.clock_ahead_ms);
    let mut calendar = Calendar::new(vec![hours.clone()], Span::ZERO);
    match calendar.next_opening(theirs) {
        Some(opening) if opening > theirs => Moment::from_millis(opening.millis() - behaviour.clock_ahead_ms),
        _ => at,
    }
}

/// Returns chance that depends on nothing but the seed, the callee and how often it was asked for.
struct Chance<'a> {
    seed: u64,
    callee: &'a str,
    request: u32,
}

impl Chance<'_> {
    fn number(&self, what: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, self.callee, self.request, what).hash(&mut hasher);
        hasher.finish()
    }

    /// Returns a number from 0 to 1, without 1.
    fn share(&self, what: &str) -> f64 {
        (self.number(what) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn fault(&self, faults: &[(Fault, f64)]) -> Option<Fault> {
        let mut left = self.share("fault") * 100.0;
        faults.iter().find_map(|(fault, percent)| {
            left -= percent;
            (left < 0.0).then_some(*fault)
        })
    }

    fn outcome(&self, outcomes: &[(Outcome, u32)]) -> Outcome {
        let total: u32 = outcomes.iter().map(|(_, weight)| weight).sum();
        let mut left = self.share("outcome") * f64::from(total);
        outcomes
            .iter()
            .find(|(_, weight)| {
                left -= f64::from(*weight);
                left < 0.0
            })
            .map_or(Outcome::Answered, |(outcome, _)| *outcome)
    }

    /// Returns half to one and a half of a length.
    fn around(&self, span: Span) -> Span {
        Span::from_millis((span.millis() as f64 * (0.5 + self.share("length"))) as i64)
    }
}
