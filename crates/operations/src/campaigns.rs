//! Campaigns: what their files would change, and what a person does to them.

mod apply;
mod cancel;
mod list;
mod pause;
mod resume;
mod show;
mod start;

pub use apply::{AppliedCampaign, Change, Plan, PlanContacts, Proposal, plan};
pub use cancel::{CancelledCampaign, cancel};
pub(crate) use list::say_missing_lists;
pub use list::{Listed, Scheduled, list};
pub use pause::{PausedCampaign, pause};
pub use resume::{ResumedCampaign, accept_import, resume};
pub use show::{Shown, show};
pub use start::{StartedCampaign, start};
