//! The questions and requests that every vendor understands.

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ringfence_domain::{AttemptId, CallStatus, Moment, PhoneNumber, Placement};

use crate::call::{AskError, CallRequest, Findings, Listing, LostCall, OutCall};

/// The lane's budget of requests. Each request waits here for its turn, except the one that places
/// a call.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Returns when one more request may be sent.
    async fn take(&self);

    /// Returns how many questions a second there is room for, beside the calls; 0 when not even one a
    /// second is certain.
    fn questions_a_second(&self) -> usize {
        0
    }

    /// Is told that the vendor refused to answer more, after some answers that stand.
    fn cut_short(&self, _refusal: AskError) {}
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The vendor takes the credentials.
    Credentials,
    /// An answer came as the vendor gives it; only a call shows whether the credentials are right.
    Address,
}

/// One account at one vendor.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Tells whether the vendor can call this number, or why it cannot.
    fn can_call(&self, number: &PhoneNumber) -> Result<(), String>;

    /// Returns the latest moment at which a call accepted at `at` may begin, for vendors that hold
    /// calls.
    fn held_until(&self, at: Moment) -> Moment {
        at
    }

    /// Returns the request that [`Provider::place`] would send, with everything secret in it marked
    /// as sensitive.
    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String>;

    /// Sends exactly one request that places a call, and never a second one.
    async fn place(&self, call: &CallRequest) -> Placement;

    /// Asks how calls stand, with as few requests as the vendor allows. Calls that are not in the
    /// answer are pending.
    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, CallStatus)>, AskError>;

    /// Returns how many calls are asked about together at most.
    fn asks_together(&self) -> usize {
        200
    }

    /// Looks for calls whose answer was lost. A call that is not found may be out all the same,
    /// unless the findings name it absent.
    async fn find(&self, lost: &[LostCall], now: Moment, budget: &dyn Budget) -> Result<Findings, AskError>;

    /// Returns all calls of the account since a moment, and a little before it; none when this
    /// vendor has no list.
    async fn calls_since(&self, _since: Moment, _budget: &dyn Budget) -> Result<Option<Listing>, AskError> {
        Ok(None)
    }

    /// Returns the call that a report from the vendor speaks of. A report proves nothing; it is a
    /// reason to ask.
    fn reported(&self, report: &[u8]) -> Option<String>;

    /// Ends a call that is out. Returns false when this vendor has no way to do so.
    async fn cancel(&self, _call_id: &str) -> Result<bool, AskError> {
        Ok(false)
    }

    /// Tries address and credentials without calling anyone.
    async fn check(&self) -> Result<Checked, AskError>;
}
