//! The tape of a vendor: what it was asked to do, one JSON document a line.
//!
//! `ringfence sandbox --tape FILE` writes one. Any list of calls does: `at` and `callee` are needed,
//! `event` other than `placed` or `held` is no call, `call_id`, `rings_at` and `ends_at` make the
//! verification sharper.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ringfence_domain::{AttemptState, LaneId, Moment, PhoneNumber, Span};
use ringfence_store::ClaimedAttempt;
use serde::Deserialize;

use super::{Broken, Verified};
use crate::error::Error;

/// A request arrives this long after its claim at the latest: the sending limit, connecting, and
/// some room.
const ARRIVES_WITHIN: Span = Span::from_secs(30);
/// Two clocks that differ by less are the same one.
const SAME_CLOCK: Span = Span::from_secs(2);

/// One line.
#[derive(Debug, Clone, Deserialize)]
struct Line {
    at: Moment,
    callee: String,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    rings_at: Option<Moment>,
    #[serde(default)]
    ends_at: Option<Moment>,
}

/// A call on the tape.
#[derive(Debug, Clone)]
pub(super) struct TapedCall {
    /// When the request arrived.
    pub(super) at: Moment,
    /// When the phone rang, where the tape says so.
    pub(super) rings_at: Option<Moment>,
    ends_at: Option<Moment>,
    callee: String,
    call_id: Option<String>,
    /// The line of the file, from 1.
    line: usize,
    /// The lane of its attempt, once one accounts for it.
    lane: Option<LaneId>,
}

/// The calls of a tape.
#[derive(Debug)]
pub(super) struct VendorTape {
    calls: Vec<TapedCall>,
    by_id: HashMap<String, usize>,
    /// By the digits of the callee, as sent.
    by_number: HashMap<String, Vec<usize>>,
    /// Its first and its last line, calls or not.
    lasts: Option<(Moment, Moment)>,
}

impl VendorTape {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |line: usize, why: &dyn std::fmt::Display| {
            let hint =
                "a tape has one JSON document a line, with `at` and `callee`, as `ringfence sandbox --tape` writes it";
            Error::input(format!("{}:{line}: {why}", path.display()), hint)
        };
        let file = File::open(path).map_err(|error| {
            Error::input(format!("{}: {error}", path.display()), "name the file that `ringfence sandbox --tape` writes")
        })?;
        let mut tape = Self { calls: Vec::new(), by_id: HashMap::new(), by_number: HashMap::new(), lasts: None };
        for (at, line) in BufReader::new(file).lines().enumerate() {
            let text = line.map_err(|error| wrong(at + 1, &error))?;
            if text.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&text).map_err(|error| wrong(at + 1, &error))?;
            let (first, last) = tape.lasts.unwrap_or((line.at, line.at));
            tape.lasts = Some((first.min(line.at), last.max(line.at)));
            if line.event.as_deref().is_none_or(|event| matches!(event, "placed" | "held")) {
                tape.add(line, at + 1);
            }
        }
        Ok(tape)
    }

    fn add(&mut self, line: Line, number: usize) {
        let place = self.calls.len();
        if let Some(id) = &line.call_id {
            self.by_id.insert(id.clone(), place);
        }
        self.by_number.entry(digits(&line.callee)).or_default().push(place);
        let Line { at, callee, call_id, rings_at, ends_at, .. } = line;
        self.calls.push(TapedCall { at, rings_at, ends_at, callee, call_id, line: number, lane: None });
    }

    /// How many calls are on it.
    pub(super) fn calls(&self) -> u64 {
        self.calls.len() as u64
    }

    /// Takes the call of an attempt off the tape; none when it is not on it.
    pub(super) fn take(&mut self, attempt: &ClaimedAttempt) -> Option<&TapedCall> {
        let by_id = attempt.call_id.as_ref().and_then(|id| self.by_id.get(id).copied());
        let place = by_id.or_else(|| self.by_moment(attempt))?;
        let call = &mut self.calls[place];
        if call.lane.is_some() {
            return None;
        }
        call.lane = Some(attempt.lane);
        Some(call)
    }

    /// The call to the number of an attempt whose own call has no name.
    fn by_moment(&self, attempt: &ClaimedAttempt) -> Option<usize> {
        let is_nameless = matches!(attempt.state, AttemptState::Sending | AttemptState::Unknown | AttemptState::Ended);
        if attempt.call_id.is_some() || !is_nameless {
            return None;
        }
        let from = attempt.sending_at - SAME_CLOCK;
        let until = attempt.sending_at + ARRIVES_WITHIN;
        let own = self.of_number(attempt.number.as_ref()?);
        own.into_iter().find(|place| {
            let call = &self.calls[*place];
            call.lane.is_none() && (from..until).contains(&call.at)
        })
    }

    /// The calls to a number, in whichever form it was sent.
    fn of_number(&self, number: &PhoneNumber) -> Vec<usize> {
        let forms = [Some(digits(number.e164())), number.national().map(|national| digits(&national))];
        let forms = forms.into_iter().flatten().filter_map(|form| self.by_number.get(&form));
        forms.flatten().copied().collect()
    }

    /// Whether a call that began then would be on it.
    pub(super) fn covers(&self, at: Moment) -> bool {
        self.lasts.is_some_and(|(first, last)| first <= at && at + ARRIVES_WITHIN <= last)
    }

    /// Calls that no attempt accounts for, and calls to one number at one time.
    pub(super) fn left_over(&self, found: &mut Verified) {
        for call in self.calls.iter().filter(|call| call.lane.is_none()) {
            let TapedCall { at, callee, line, call_id, .. } = call;
            let id = call_id.as_deref().unwrap_or("without a name");
            found.add(Broken::Duplicated, 1, || {
                format!(
                    "line {line} of the tape: {callee} was called at {at} (call {id}), and no attempt accounts for it"
                )
            });
        }
        let numbers: BTreeMap<&String, &Vec<usize>> = self.by_number.iter().collect();
        for (number, places) in numbers {
            let mut calls: Vec<&TapedCall> = places.iter().map(|place| &self.calls[*place]).collect();
            calls.sort_by_key(|call| call.at);
            for pair in calls.windows(2) {
                if pair[0].ends_at.is_some_and(|end| pair[1].at < end) {
                    found.add(Broken::Duplicated, 1, || {
                        let (first, second) = (pair[0].line, pair[1].line);
                        format!(
                            "lines {first} and {second} of the tape: {number} was called while a call to it was out"
                        )
                    });
                }
            }
        }
    }

    /// When calls arrived, for each lane, in order.
    pub(super) fn arrivals(&self) -> BTreeMap<LaneId, Vec<Moment>> {
        let mut arrivals: BTreeMap<LaneId, Vec<Moment>> = BTreeMap::new();
        for call in &self.calls {
            if let Some(lane) = call.lane {
                arrivals.entry(lane).or_default().push(call.at);
            }
        }
        for moments in arrivals.values_mut() {
            moments.sort_unstable();
        }
        arrivals
    }
}

fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}
