//! What becomes of contacts that are dialled: attempts are planned, claimed, sent, recorded and
//! settled.

pub(crate) mod adopt;
pub(crate) mod bursts;
pub(crate) mod call_requests;
pub(crate) mod called;
mod calls;
pub(crate) mod claim;
mod consequences;
pub(crate) mod dial;
pub(crate) mod eligible;
mod known;
pub(crate) mod live;
mod placed;
pub(crate) mod plan;
pub(crate) mod record;
pub(crate) mod references;
pub(crate) mod relink;
pub(crate) mod review;
pub(crate) mod settle;
pub(crate) mod sweep;
pub(crate) mod take_back;
pub(crate) mod throttled;
