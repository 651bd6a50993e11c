//! What is counted per run, and under which name it is kept.

use std::fmt;
use std::str::FromStr;

use ringfence_domain::{AttemptState, ContactState, Outcome, StopReason};

/// Names one count of a run. `Display` writes the name that the count has in `run_counts`, and
/// `FromStr` reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Contacts in a state.
    Contact(ContactState),
    /// Attempts in a state.
    Attempt(AttemptState),
    /// Calls that ended so.
    Outcome(Outcome),
    /// Contacts that were stopped for a reason.
    Stopped(StopReason),
    /// Contacts that were reached, as their campaign defines it.
    Reached,
    /// Seconds talked.
    TalkSeconds,
    /// Charges in a currency, in millionths of it.
    Cost(String),
    /// Contacts that alone were refused for now.
    RefusedAlone,
    /// Calls in which a later call was asked for, at a time that was understood.
    CallbackUnderstood,
    /// Calls in which a later call was asked for, at a time that was not understood.
    CallbackNotUnderstood,
    /// Calls in which somebody wanted no more calls.
    OptedOut,
    /// Calls in which somebody said no.
    Refused,
    /// Calls in which an output, before `=`, had a value that may or may not mean an opt-out.
    UnclearOptOut(String),
    /// Calls with an output that speaks of opting out and that the campaign does not read.
    Unheeded(String),
    /// The same, where its value means yes.
    UnheededYes(String),
    /// Answered calls with an output that the campaign asks for.
    Heard(String),
    /// Calls that have an output of this name.
    Output(String),
    /// Calls that were somebody's first, second and so on; the ninth and later ones together.
    Try(u32),
    /// Those of them that reached the person.
    TryReached(u32),
    /// Calls that showed this caller id and were made.
    Caller(String),
    /// Those of them that were answered.
    CallerAnswered(String),
}

impl Counter {
    /// Whether the same can be counted afresh from contacts and attempts.
    pub(crate) fn counts_rows(&self) -> bool {
        matches!(self, Self::Contact(_) | Self::Attempt(_) | Self::Outcome(_) | Self::Stopped(_) | Self::Reached)
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(state) => write!(out, "contact:{state}"),
            Self::Attempt(state) => write!(out, "attempt:{state}"),
            Self::Outcome(outcome) => write!(out, "outcome:{outcome}"),
            Self::Stopped(reason) => write!(out, "stopped:{reason}"),
            Self::Reached => out.write_str("reached"),
            Self::TalkSeconds => out.write_str("talk_seconds"),
            Self::Cost(currency) => write!(out, "cost:{currency}"),
            Self::RefusedAlone => out.write_str("refused_alone"),
            Self::CallbackUnderstood => out.write_str("callback:understood"),
            Self::CallbackNotUnderstood => out.write_str("callback:not_understood"),
            Self::OptedOut => out.write_str("said:opted_out"),
            Self::Refused => out.write_str("said:refused"),
            Self::UnclearOptOut(what) => write!(out, "said:unclear:{what}"),
            Self::Unheeded(output) => write!(out, "said:unheeded:{output}"),
            Self::UnheededYes(output) => write!(out, "said:unheeded_yes:{output}"),
            Self::Heard(output) => write!(out, "heard:{output}"),
            Self::Output(name) => write!(out, "output:{name}"),
            Self::Try(n) => write!(out, "try:{n}"),
            Self::TryReached(n) => write!(out, "try_reached:{n}"),
            Self::Caller(id) => write!(out, "caller:{id}"),
            Self::CallerAnswered(id) => write!(out, "caller_answered:{id}"),
        }
    }
}

/// No count has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no count has the name {0:?}")]
pub struct UnknownCounter(String);

impl FromStr for Counter {
    type Err = UnknownCounter;

    fn from_str(name: &str) -> Result<Self, UnknownCounter> {
        let unknown = || UnknownCounter(name.to_owned());
        let (kind, what) = name.split_once(':').unwrap_or((name, ""));
        Ok(match (kind, what) {
            ("contact", state) => Self::Contact(state.parse().map_err(|_| unknown())?),
            ("attempt", state) => Self::Attempt(state.parse().map_err(|_| unknown())?),
            ("outcome", outcome) => Self::Outcome(outcome.parse().map_err(|_| unknown())?),
            ("stopped", reason) => Self::Stopped(reason.parse().map_err(|_| unknown())?),
            ("reached", "") => Self::Reached,
            ("talk_seconds", "") => Self::TalkSeconds,
            ("cost", currency) => Self::Cost(currency.to_owned()),
            ("refused_alone", "") => Self::RefusedAlone,
            ("callback", "understood") => Self::CallbackUnderstood,
            ("callback", "not_understood") => Self::CallbackNotUnderstood,
            ("said", "opted_out") => Self::OptedOut,
            ("said", "refused") => Self::Refused,
            ("said", other) => match other.split_once(':') {
                Some(("unclear", what)) => Self::UnclearOptOut(what.to_owned()),
                Some(("unheeded", output)) => Self::Unheeded(output.to_owned()),
                Some(("unheeded_yes", output)) => Self::UnheededYes(output.to_owned()),
                _ => return Err(unknown()),
            },
            ("heard", output) => Self::Heard(output.to_owned()),
            ("output", name) => Self::Output(name.to_owned()),
            ("try", n) => Self::Try(n.parse().map_err(|_| unknown())?),
            ("try_reached", n) => Self::TryReached(n.parse().map_err(|_| unknown())?),
            ("caller", id) => Self::Caller(id.to_owned()),
            ("caller_answered", id) => Self::CallerAnswered(id.to_owned()),
            _ => return Err(unknown()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_what_was_written() {
        let all = [
            Counter::Contact(ContactState::Waiting),
            Counter::Attempt(AttemptState::NotSent),
            Counter::Outcome(Outcome::NoAnswer),
            Counter::Stopped(StopReason::Undone),
            Counter::Reached,
            Counter::TalkSeconds,
            Counter::Cost("INR".into()),
            Counter::RefusedAlone,
            Counter::CallbackUnderstood,
            Counter::CallbackNotUnderstood,
            Counter::OptedOut,
            Counter::Refused,
            Counter::UnclearOptOut("opt:out=maybe: later".into()),
            Counter::Unheeded("stop:calls".into()),
            Counter::UnheededYes("stop_calls".into()),
            Counter::Heard("a:b".into()),
            Counter::Output("out:come".into()),
            Counter::Try(1),
            Counter::TryReached(9),
            Counter::Caller("desk:2".into()),
            Counter::CallerAnswered("+919876543210".into()),
        ];
        for counter in all {
            assert_eq!(counter.to_string().parse(), Ok(counter));
        }
        assert_eq!(Counter::Contact(ContactState::Waiting).to_string(), "contact:waiting");
        assert!("contact:nowhere".parse::<Counter>().is_err());
        assert!("said:unclear".parse::<Counter>().is_err());
    }
}
