//! Contacts: their rows, their numbers and their moves from state to state.

pub(crate) mod attempt_rows;
pub(crate) mod next_number;
pub(crate) mod rows;
pub(crate) mod set_back;
pub(crate) mod snapshot;
pub(crate) mod transitions;
