//! Lanes: who owns them, what holds or slows them, and what they have in hand.

pub(crate) mod daily_calls;
pub(crate) mod health;
pub(crate) mod hold;
pub(crate) mod lease;
pub(crate) mod ownership;
pub(crate) mod recent_calls;
pub(crate) mod rows;
pub(crate) mod slots;
pub(crate) mod tallies;
