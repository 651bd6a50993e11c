//! The words, states and pure rules of a dialer.
//!
//! This crate does no I/O and reads no clock: the time, and whatever must look random, arrive as
//! arguments. Everything else in the workspace speaks in the types defined here.
//!
//! Adding a calling rule: a file here that answers from its arguments alone, and one variant in
//! [`verdict`] or one part in [`window`]. Adding an outcome: a variant in [`Outcome`]; the
//! compiler then shows every place that must decide.

pub mod call;
pub mod callback;
pub mod campaign;
pub mod cap;
pub mod clock;
pub mod condition;
pub mod cool_off;
mod cron;
mod cron_fields;
pub mod date;
pub mod decision;
pub mod empty_words;
mod english;
pub mod event;
pub mod harmless;
pub mod heard;
pub mod ids;
pub mod lane;
pub mod lane_effect;
pub mod moment;
pub mod number_limits;
pub mod number_zones;
pub mod outcome;
pub mod phone;
pub mod place;
pub mod placement;
pub mod preset;
pub mod quantity;
pub mod quarantine;
pub mod report;
pub mod safety;
pub mod schedule;
pub mod secret;
mod share;
pub mod states;
pub mod stop_switch;
pub mod summary;
pub mod template;
pub mod token;
pub mod transitions;
pub mod verdict;
pub mod window;
pub mod words;
mod written;
pub mod zone;
pub mod zone_data;
pub mod zones;

pub use call::{CallDetails, PastCall};
pub use campaign::Campaign;
pub use clock::{Clock, ClockReading};
pub use ids::{AttemptId, BucketId, CampaignId, ContactId, ImportId, LaneId, LoginId, RunId, TokenId};
pub use lane_effect::{LaneAnswers, LaneEffect};
pub use moment::Moment;
pub use number_limits::NumberLimits;
pub use outcome::Outcome;
pub use phone::{NumberKey, PhoneNumber};
pub use placement::{CallStatus, Placement};
pub use quantity::{Percent, Rate, Span};
pub use report::{ReportAddress, ReportKey};
pub use share::Share;
pub use states::{
    AttemptState, CampaignState, ContactState, DialClass, ImportState, LaneState, MessageState, PausedBy, StopReason,
};
pub use stop_switch::StopSwitch;
pub use token::Scope;
pub use verdict::Verdict;
pub use zone::Zone;
pub use zones::ZoneSet;
