//! The fault behind a refusal: who must mend it, by the vendor's words.

use ringfence_domain::Placement;

/// Who must mend what a refusal complains of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Credentials, balance, address: everyone on the lane would be refused.
    Lane,
    /// The agent, the number called from, the inputs: everyone of the campaign would be refused.
    Campaign,
    /// The number that was to be called.
    Contact,
    /// Something of this request, and nobody can tell whether of this contact or of all.
    Request,
    /// Too much at once.
    Pace,
    /// The vendor says that something went wrong, and does not say that nothing was placed.
    Unknown,
    /// The vendor would take the same call in another form.
    Wording,
}

/// One line of a vendor's fault table.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The vendor's code, or words of its message.
    pub says: &'static str,
    /// The HTTP statuses that the vendor's page shows with it; none where it shows no status.
    pub statuses: &'static [u16],
    /// Whose fault that is.
    pub cause: Cause,
}

/// Makes a line of a fault table.
pub(crate) const fn fault(says: &'static str, statuses: &'static [u16], cause: Cause) -> Fault {
    Fault { says, statuses, cause }
}

impl Cause {
    /// Returns the result for the attempt and the lane; `words` are the vendor's.
    pub(crate) fn placement(self, words: String) -> Placement {
        match self {
            Self::Lane => Placement::LaneFault { cause: words },
            Self::Campaign => Placement::CampaignFault { cause: words },
            Self::Contact => Placement::NumberFault { cause: words },
            Self::Request => Placement::RequestFault { cause: words },
            Self::Pace => Placement::Throttled { cause: words, retry_after: None },
            Self::Unknown => Placement::Unknown { cause: words },
            Self::Wording => Placement::Reworded { cause: words },
        }
    }
}
