//! How a call ended.

use crate::words::words;

words! {
    /// How a call ended, in the words of this field rather than of any one vendor.
    Outcome {
        /// Someone picked up.
        Answered = "answered",
        /// A machine picked up.
        Voicemail = "voicemail",
        /// Engaged.
        Busy = "busy",
        /// It rang and nobody picked up.
        NoAnswer = "no_answer",
        /// The callee declined the call.
        Rejected = "rejected",
        /// Switched off, out of coverage or temporarily unavailable.
        Unreachable = "unreachable",
        /// No such number.
        InvalidNumber = "invalid_number",
        /// The provider or its carrier failed.
        Failed = "failed",
        /// The vendor took the call and dropped it without dialling: not counted as a call.
        NotDialled = "not_dialled",
        /// Placed and never heard of again: counted as a call.
        Unknown = "unknown",
    }
}

impl Outcome {
    /// Tells whether the person's phone may have rung, so that the call uses up one of the
    /// permitted ones.
    pub const fn is_counted(self) -> bool {
        !matches!(self, Self::NotDialled)
    }
}
