//! Calls, in the words that the engine and every vendor share.

use std::collections::BTreeMap;

use ringfence_domain::phone::Country;
use ringfence_domain::{AttemptId, Moment, PhoneNumber, Span};

/// A call to be placed.
#[derive(Debug, Clone)]
pub struct CallRequest {
    /// Our name for the attempt; sent where the vendor has a place for it.
    pub reference: String,
    /// Who is called.
    pub to: PhoneNumber,
    /// The number to call from.
    pub from: Option<String>,
    /// The vendor's name for the calling agent.
    pub agent: String,
    /// Values for the agent.
    pub variables: BTreeMap<String, String>,
    /// Values kept with the call for the operator's own systems.
    pub metadata: BTreeMap<String, String>,
    /// The campaign's own vendor settings.
    pub vendor: BTreeMap<String, String>,
    /// Where the vendor may report this call's end, if anyone listens.
    pub report_to: Option<String>,
    /// The present.
    pub at: Moment,
    /// The phone must not begin to ring at or after this moment; none when the window never closes.
    pub ring_before: Option<Moment>,
}

/// A call whose end is asked for.
#[derive(Debug, Clone)]
pub struct OutCall {
    /// Our attempt.
    pub attempt: AttemptId,
    /// The vendor's name for the call.
    pub call_id: String,
    /// Our name for the attempt.
    pub reference: String,
    /// Who is called.
    pub number: PhoneNumber,
    /// By which agent.
    pub agent: String,
    /// When it was claimed; the request left within seconds of it.
    pub sent_at: Moment,
    /// When the number was called before through the same lane, if it was.
    pub called_before: Option<Moment>,
}

/// A request whose answer was lost.
#[derive(Debug, Clone)]
pub struct LostCall {
    /// Our attempt.
    pub attempt: AttemptId,
    /// Our name for the attempt.
    pub reference: String,
    /// Who was called.
    pub number: PhoneNumber,
    /// From which number.
    pub caller_id: Option<String>,
    /// The agent that was to call.
    pub agent: String,
    /// The vendor's own settings of the campaign.
    pub vendor: BTreeMap<String, String>,
    /// When it was claimed; the request left within seconds of it.
    pub sent_at: Moment,
    /// When the number was called before through the same lane, if it was.
    pub called_before: Option<Moment>,
    /// Calls that were reported to the address of this very attempt. The report may be of anyone
    /// who knew the address.
    pub reported: Vec<String>,
}

/// The findings about lost calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Calls that may be lost ones.
    pub candidates: Vec<Candidate>,
    /// Attempts whose call certainly was not placed, and will not be.
    pub absent: Vec<AttemptId>,
    /// Attempts whose call is not out: every call of the vendor's list was read, and none can be
    /// theirs. Such a call may have been placed all the same, and be over, or be listed late.
    pub not_out: Vec<AttemptId>,
    /// Attempts that the vendor was not asked about this time, or did not answer for: nothing
    /// follows for them.
    pub unasked: Vec<AttemptId>,
}

/// A call at the vendor that may be a lost one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Our attempt.
    pub attempt: AttemptId,
    /// The vendor's name for the call.
    pub call_id: String,
    /// Whether it carries our own reference, so that there is no doubt.
    pub certain: bool,
}

/// The calls that a vendor lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The calls, in any order.
    pub calls: Vec<ListedCall>,
    /// Whether the list certainly goes back to the moment that was asked for.
    pub complete: bool,
}

/// A call on a vendor's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCall {
    /// The vendor's name for the call.
    pub call_id: String,
    /// Who was called.
    pub number: PhoneNumber,
    /// When it was called, if the list says so beyond doubt.
    pub at: Option<Moment>,
    /// The agent that called, if the list says so.
    pub agent: Option<String>,
    /// Whether `call_id` is the id that placing the call returned. Some lists name their rows
    /// otherwise.
    pub named: bool,
}

impl Listing {
    /// Reads a number as a vendor's list writes it: with or without `+`, or as in `home`. None when
    /// it is not a number.
    pub(crate) fn number(text: &str, home: Option<Country>) -> Option<PhoneNumber> {
        let text = text.trim();
        match home {
            Some(home) if !text.starts_with('+') => PhoneNumber::parse(text, Some(home)).ok(),
            _ => PhoneNumber::from_e164(&format!("+{}", text.trim_start_matches('+'))),
        }
    }
}

/// Why a question was not answered. Nothing is known then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The vendor asks to be left alone.
    #[error("{cause}")]
    Throttled {
        /// What the vendor said.
        cause: String,
        /// For how long, if it said so.
        retry_after: Option<Span>,
    },
    /// The vendor refuses us: credentials, address.
    #[error("{0}")]
    LaneFault(String),
    /// The vendor does not answer as it should.
    #[error("{0}")]
    Trouble(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_number_is_read_with_or_without_its_plus_or_as_at_home() {
        let read = |text: &str, home: Option<&str>| {
            let home = home.map(|home| home.parse().expect("a country"));
            Listing::number(text, home).map(|number| number.e164().to_owned())
        };
        let indian = Some("+919820012345".to_owned());
        for text in ["+919820012345", "919820012345", " 919820012345 "] {
            assert_eq!(read(text, None), indian, "{text}");
        }
        assert_eq!(read("9820012345", Some("IN")), indian);
        assert_eq!(read("+905321234567", Some("IN")), Some("+905321234567".to_owned()), "it names its country");
        for text in ["", "+", "withheld"] {
            assert_eq!(read(text, None), None, "{text}");
            assert_eq!(read(text, Some("IN")), None, "{text}");
        }
    }
}
