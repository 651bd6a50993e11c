//! The behaviour of simulated callees and of the simulated vendor.

use std::str::FromStr;

use ringfence_domain::window::Hours;
use ringfence_domain::{Outcome, Span};
use serde_json::{Map, Value};

/// What goes wrong with one request that places a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The call is placed and the connection breaks before the answer.
    LostAnswer,
    /// The connection breaks before anything is done.
    LostRequest,
    /// The call is placed and the answer is HTTP 500.
    ErrorAfter,
    /// HTTP 500, and nothing is placed.
    ErrorBefore,
    /// The call is placed and the answer has no call id.
    NoId,
    /// The call is placed and the answer is a page of HTML.
    Html,
    /// The call is placed and the answer ends in its middle.
    Truncated,
    /// The call is placed and the answer is larger than anyone reads.
    Oversized,
    /// The call is placed and the answer takes longer than anyone waits.
    Slow,
    /// The call is placed and the answer is HTTP 404, as of a gateway that lost its way.
    NotFound,
    /// The call is placed and the answer sends the client elsewhere.
    Redirect,
    /// The call is placed and the answer is HTTP 200 with `success: false`, in a shape that no page
    /// documents.
    Doubt,
    /// HTTP 429 with `Retry-After`.
    Throttled,
    /// HTTP 401.
    Unauthorized,
    /// The agent does not exist.
    UnknownAgent,
    /// The wallet is empty.
    NoBalance,
    /// The number does not exist.
    InvalidNumber,
}

impl Fault {
    /// Every fault with the word that options call it by.
    pub const ALL: &'static [(&'static str, Fault)] = &[
        ("lost_answer", Fault::LostAnswer),
        ("lost_request", Fault::LostRequest),
        ("error_after", Fault::ErrorAfter),
        ("error_before", Fault::ErrorBefore),
        ("no_id", Fault::NoId),
        ("html", Fault::Html),
        ("truncated", Fault::Truncated),
        ("oversized", Fault::Oversized),
        ("slow", Fault::Slow),
        ("not_found", Fault::NotFound),
        ("redirect", Fault::Redirect),
        ("doubt", Fault::Doubt),
        ("throttled", Fault::Throttled),
        ("unauthorized", Fault::Unauthorized),
        ("unknown_agent", Fault::UnknownAgent),
        ("no_balance", Fault::NoBalance),
        ("invalid_number", Fault::InvalidNumber),
    ];

    /// Tells whether the callee's phone rings all the same.
    pub fn places_the_call(self) -> bool {
        matches!(
            self,
            Fault::LostAnswer
                | Fault::ErrorAfter
                | Fault::NoId
                | Fault::Html
                | Fault::Truncated
                | Fault::Oversized
                | Fault::Slow
                | Fault::NotFound
                | Fault::Redirect
                | Fault::Doubt
        )
    }
}

/// Which requests a simulated Iqra AI understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IqraDialect {
    /// The form fields of its page, and the `config` of its source.
    #[default]
    Both,
    /// What its page documents.
    Docs,
    /// What its source reads.
    Config,
}

impl FromStr for IqraDialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "both" => Ok(Self::Both),
            "docs" => Ok(Self::Docs),
            "config" => Ok(Self::Config),
            other => Err(format!("`{other}` is none of both, docs, config")),
        }
    }
}

/// How a vendor that reports calls by itself does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reports {
    /// Once, when the call is over.
    #[default]
    Once,
    /// Three times.
    Thrice,
    /// As soon as the call is placed, before its request is answered, and once more at its end.
    Early,
    /// Not at all.
    Never,
}

/// Everything that can be set about a simulated vendor.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// How calls end, by weight.
    pub outcomes: Vec<(Outcome, u32)>,
    /// How long a call rings before it is answered or ends.
    pub ring: Span,
    /// How long an answered call lasts on the average; single calls last half to one and a half of
    /// it.
    pub talk: Span,
    /// How long each answer takes.
    pub latency: Span,
    /// What Twenty2's agent collects in answered calls.
    pub outputs: Map<String, Value>,
    /// What goes wrong, in percent of requests.
    pub faults: Vec<(Fault, f64)>,
    /// The vendor's own hours: calls outside are held until the next opening.
    pub hours: Option<Hours>,
    /// How long calls wait in the vendor's queue before they ring.
    pub queue: Span,
    /// Which requests a simulated Iqra AI understands.
    pub iqra: IqraDialect,
    /// How long after it was placed a call stands in the vendor's list; none when it never does.
    pub listed_after: Option<Span>,
    /// How the vendor reports the end of a call.
    pub reports: Reports,
    /// How far the vendor's clock is ahead of ours; behind when negative, in milliseconds.
    pub clock_ahead_ms: i64,
    /// The seed of chance: with another seed other calls end otherwise.
    pub seed: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            outcomes: vec![
                (Outcome::Answered, 60),
                (Outcome::NoAnswer, 20),
                (Outcome::Busy, 12),
                (Outcome::Unreachable, 5),
                (Outcome::Failed, 3),
            ],
            ring: Span::from_millis(500),
            talk: Span::from_secs(2),
            latency: Span::from_millis(5),
            outputs: outputs(&[("interested", "yes"), ("callback_requested", "no"), ("opted_out", "no")]),
            faults: Vec::new(),
            hours: None,
            queue: Span::ZERO,
            iqra: IqraDialect::Both,
            listed_after: Some(Span::ZERO),
            reports: Reports::Once,
            clock_ahead_ms: 0,
            seed: 0,
        }
    }
}

/// An option that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BehaviourError(String);

impl Behaviour {
    /// Reads `answered=60,no_answer=40`.
    pub fn set_outcomes(&mut self, text: &str) -> Result<(), BehaviourError> {
        self.outcomes = pairs(text)?
            .into_iter()
            .map(|(word, weight)| {
                let outcome = Outcome::from_str(word).map_err(|error| BehaviourError(error.to_string()))?;
                let weight = weight.parse().map_err(|_| BehaviourError(format!("`{weight}` is not a weight")))?;
                Ok((outcome, weight))
            })
            .collect::<Result<_, BehaviourError>>()?;
        if self.outcomes.iter().all(|(_, weight)| *weight == 0) {
            return Err(BehaviourError("all weights are zero".to_owned()));
        }
        Ok(())
    }

    /// Reads `lost_answer=2%,error_before=0.5%`.
    pub fn set_faults(&mut self, text: &str) -> Result<(), BehaviourError> {
        self.faults = pairs(text)?
            .into_iter()
            .map(|(word, percent)| {
                let fault = Fault::ALL.iter().find(|(name, _)| *name == word).ok_or_else(|| {
                    let known: Vec<&str> = Fault::ALL.iter().map(|(name, _)| *name).collect();
                    BehaviourError(format!("`{word}` is none of {}", known.join(", ")))
                })?;
                let share: f64 = percent
                    .trim_end_matches('%')
                    .parse()
                    .map_err(|_| BehaviourError(format!("`{percent}` is not a percentage")))?;
                if !(0.0..=100.0).contains(&share) {
                    return Err(BehaviourError(format!("`{percent}` is not between 0% and 100%")));
                }
                Ok((fault.1, share))
            })
            .collect::<Result<_, BehaviourError>>()?;
        Ok(())
    }
}

fn pairs(text: &str) -> Result<Vec<(&str, &str)>, BehaviourError> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.split_once('=')
                .map(|(word, value)| (word.trim(), value.trim()))
                .ok_or_else(|| BehaviourError(format!("`{part}` lacks its `=`")))
        })
        .collect()
}

/// Returns how a number behaves that behaves in a fixed way, whatever the options say: calls to
/// national numbers `7000000xyz` end or fail by the last two digits.
pub fn by_number(national: &str) -> Option<Result<Outcome, Fault>> {
    let tail = national.strip_prefix("7000000").filter(|tail| tail.len() == 3)?;
    Some(match &tail[1..] {
        "10" | "17" | "18" | "19" => Ok(Outcome::Answered),
        "11" => Ok(Outcome::Voicemail),
        "12" => Ok(Outcome::Busy),
        "13" => Ok(Outcome::NoAnswer),
        "14" => Ok(Outcome::Rejected),
        "15" => Ok(Outcome::Unreachable),
        "16" => Ok(Outcome::Failed),
        "50" => Err(Fault::LostAnswer),
        "51" => Err(Fault::LostRequest),
        "52" => Err(Fault::ErrorAfter),
        "53" => Err(Fault::ErrorBefore),
        "54" => Err(Fault::NoId),
        "55" => Err(Fault::Html),
        "56" => Err(Fault::Slow),
        "57" => Err(Fault::Throttled),
        "58" => Err(Fault::Unauthorized),
        "59" => Err(Fault::UnknownAgent),
        "60" => Err(Fault::NoBalance),
        "61" => Err(Fault::InvalidNumber),
        "62" => Err(Fault::Truncated),
        "63" => Err(Fault::Oversized),
        "64" => Err(Fault::NotFound),
        "65" => Err(Fault::Redirect),
        "66" => Err(Fault::Doubt),
        _ => return None,
    })
}

fn outputs(pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

impl Behaviour {
    /// Returns the values that the agent collects from a national number: some of those that behave
    /// in a fixed way ask to be called back, opt out, or say no.
    pub fn outputs_of(&self, national: &str) -> Map<String, Value> {
        let tail = national.strip_prefix("7000000").filter(|tail| tail.len() == 3).map(|tail| &tail[1..]);
        match tail {
            Some("17") => outputs(&[("callback_requested", "yes"), ("callback_time", "Tomorrow 11am")]),
            Some("18") => outputs(&[("opted_out", "yes")]),
            Some("19") => outputs(&[("interested", "no")]),
            _ => self.outputs.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused_with_a_reason() {
        let mut behaviour = Behaviour::default();
        behaviour.set_outcomes("answered=1, busy=3").expect("weights");
        assert_eq!(behaviour.outcomes, [(Outcome::Answered, 1), (Outcome::Busy, 3)]);
        behaviour.set_faults("lost_answer=2%,error_before=0.5").expect("faults");
        assert_eq!(behaviour.faults, [(Fault::LostAnswer, 2.0), (Fault::ErrorBefore, 0.5)]);
        for (text, says) in [("sick=1", "none of"), ("busy", "lacks"), ("busy=x", "weight"), ("busy=0", "zero")] {
            let error = behaviour.set_outcomes(text).expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(behaviour.set_faults("lost_answer=200%").is_err());
        assert!(behaviour.set_faults("gremlins=1%").is_err());
    }
}
