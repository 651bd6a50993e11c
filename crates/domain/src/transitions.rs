//! The arrows from each state of contacts and attempts. The databases' triggers refuse every other
//! arrow, and the diagrams of `ARCHITECTURE.md` are drawn from here.

use crate::{AttemptState, ContactState};

impl AttemptState {
    /// Returns the states that an attempt may be in after this one. None: it has ended and does not
    /// change.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Sending, Self::Lapsed],
            Self::Sending => &[Self::Placed, Self::NotSent, Self::Refused, Self::Unknown],
            Self::Placed => &[Self::Ended],
            Self::Unknown => &[Self::Placed, Self::NotPlaced, Self::Ended],
            Self::Ended | Self::Lapsed | Self::NotSent | Self::Refused | Self::NotPlaced => &[],
        }
    }
}

impl ContactState {
    /// Returns the states that a contact may be in after this one. One arrow is missing here: a
    /// contact that was stopped because its import was undone, and was never called, may wait
    /// again.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Waiting => &[Self::Active, Self::Stopped],
            Self::Active => &[Self::Waiting, Self::Done, Self::Stopped, Self::Review],
            Self::Review => &[Self::Waiting, Self::Active, Self::Done, Self::Stopped],
            Self::Done | Self::Stopped => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_holds_its_contact_for_as_long_as_it_can_change() {
        for state in AttemptState::ALL {
            assert_eq!(state.is_live(), !state.next().is_empty(), "{state}");
        }
    }
}
