//! What a vendor says of a call: to the request that places it, and when it is asked later.
//!
//! Every vendor answers in these words, and everybody who follows up reads them.

use serde::{Deserialize, Serialize};

use crate::{CallDetails, Outcome, Span};

/// The result of the one request that places a call, by what must follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// The vendor took the call.
    Accepted {
        /// Its name for the call.
        call_id: String,
    },
    /// Certainly not a byte of it left: it may be tried again.
    NotSent {
        /// Why.
        cause: String,
    },
    /// Refused for now: it may be tried again later.
    Throttled {
        /// What the vendor said.
        cause: String,
        /// For how long the vendor asks to be left alone, if it said so.
        retry_after: Option<Span>,
    },
    /// Certainly refused, and every other contact would be refused too: credentials, balance,
    /// agent, address.
    LaneFault {
        /// What is wrong and how to mend it.
        cause: String,
    },
    /// Certainly refused, and everyone of the campaign would be refused: its agent, its number to
    /// call from, its inputs. It pauses the campaign and not the lane, because other campaigns of
    /// the lane are fine. The pause is one by safety: a person who lifts it with `resume --accept`
    /// has looked.
    CampaignFault {
        /// What is wrong and how to mend it.
        cause: String,
    },
    /// Certainly refused, because of the form of the request. The next request has another form,
    /// and may follow at once.
    Reworded {
        /// What the vendor said.
        cause: String,
    },
    /// Certainly refused, and nobody can tell whether because of this contact or of everyone: a
    /// person must look.
    RequestFault {
        /// What the vendor said.
        cause: String,
    },
    /// Certainly refused, because this number cannot be called.
    NumberFault {
        /// What the vendor said.
        cause: String,
    },
    /// Any other answer: the call may have been placed.
    Unknown {
        /// Why that cannot be told.
        cause: String,
    },
    /// The call may have been placed, and no page of the vendor documents the answer. The lane's
    /// address or account may be wrong: when no call was taken before, or when the answer comes
    /// again and again.
    Undocumented {
        /// What was said, and what to look at.
        cause: String,
        /// Whether the answer speaks of credentials or of money: then everyone gets this answer,
        /// whatever came before.
        of_account: bool,
    },
}

/// The vendor's word on a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallStatus {
    /// The vendor says that it is under way.
    Pending,
    /// The vendor does not know the call, yet or any more, or its word cannot be understood: the
    /// call may be under way.
    Unclear,
    /// The call is over.
    Ended(Outcome, Box<CallDetails>),
}
