//! The states of contacts, attempts, campaigns and lanes. `ARCHITECTURE.md` draws the transitions.

use crate::words::words;

words! {
    /// The state of a contact in its run.
    ContactState {
        /// To be dialled at its due moment.
        Waiting = "waiting",
        /// Has a live attempt.
        Active = "active",
        /// Nothing more to do: it ended as the campaign wants.
        Done = "done",
        /// Given up, for the reason beside it.
        Stopped = "stopped",
        /// The fate of its last call is unknown; a person or the provider must decide.
        Review = "review",
    }
}

words! {
    /// The state of an attempt.
    AttemptState {
        /// May be dialled inside its interval.
        Open = "open",
        /// Claimed: the point of no return is behind it.
        Sending = "sending",
        /// The provider took the call and named it.
        Placed = "placed",
        /// The call is over and its outcome recorded.
        Ended = "ended",
        /// Its interval passed before anyone claimed it.
        Lapsed = "lapsed",
        /// It was claimed, and it is certain that no request left.
        NotSent = "not_sent",
        /// It is certain that the provider refused it.
        Refused = "refused",
        /// It may or may not have been placed.
        Unknown = "unknown",
        /// It was unknown and turned out never to have been placed.
        NotPlaced = "not_placed",
    }
}

impl AttemptState {
    /// Tells whether an attempt in this state holds its contact and its number.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Sending | Self::Placed | Self::Unknown)
    }
}

words! {
    /// The reason that a contact was given up.
    StopReason {
        /// All permitted calls were made.
        AttemptsUsed = "attempts_used",
        /// The number is on the do-not-call list.
        Dnc = "dnc",
        /// The provider says that the number does not exist.
        InvalidNumber = "invalid_number",
        /// A newer complete file no longer has it.
        Missing = "missing",
        /// A fresh run took over.
        Superseded = "superseded",
        /// The campaign's last day is over.
        CampaignEnded = "campaign_ended",
        /// The campaign was cancelled.
        Cancelled = "cancelled",
        /// A person stopped it.
        ByHand = "by_hand",
        /// The import that brought it was undone. Another import brings such a contact back to
        /// waiting: else a person who stood in a wrong file, and in the right one after it, would
        /// never be called.
        Undone = "import_undone",
    }
}

words! {
    /// The state of a campaign.
    CampaignState {
        /// Applied and free to dial.
        Running = "running",
        /// Not to be dialled for now; [`PausedBy`] names who decided that.
        Paused = "paused",
        /// Ended for good.
        Cancelled = "cancelled",
    }
}

words! {
    /// The one who paused a campaign, and so may let it go on.
    PausedBy {
        /// A person.
        Person = "person",
        /// A safety rail: a person must look and accept.
        Safety = "safety",
        /// Nobody has started it yet.
        Draft = "draft",
    }
}

words! {
    /// The state of a contact file that is taken in.
    ImportState {
        /// It is being read.
        Loading = "loading",
        /// It was read, and a safety rail holds it: none of its contacts is dialled.
        Held = "held",
        /// All of it is in, and a few of its contacts are dialled first.
        Canary = "canary",
        /// All of it is in.
        Complete = "complete",
        /// It was undone: its contacts that were not dialled are stopped.
        Undone = "undone",
    }
}

words! {
    /// Whether a lane may dial.
    LaneState {
        /// It may.
        Open = "open",
        /// It may not, until a person resumes it.
        Paused = "paused",
    }
}

words! {
    /// The reason that a contact is due, which is also its order within a priority.
    DialClass {
        /// The callee asked to be called at a time.
        Callback = "callback",
        /// An earlier call did not reach it.
        Retry = "retry",
        /// A cap on its number put it off; dialled among the retries.
        Capped = "capped",
        /// It was never called in this run.
        First = "first",
    }
}

impl DialClass {
    /// Returns the place in the order within one priority, lowest first.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Callback => 0,
            Self::Retry | Self::Capped => 1,
            Self::First => 2,
        }
    }
}

words! {
    /// Where a message to a webhook stands.
    MessageState {
        /// It is sent, or sent again.
        Waiting = "waiting",
        /// Its receiver took it.
        Delivered = "delivered",
        /// It was given up.
        Dead = "dead",
    }
}
