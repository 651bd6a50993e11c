//! The status of a call by a vendor's status word.

use std::collections::BTreeMap;

use ringfence_domain::{CallDetails, CallStatus, Outcome};

/// Returns a status word without case, spaces, dashes and underscores.
pub(crate) fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The status of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusWord {
    Pending,
    Over(Outcome),
    /// A word that no page shows.
    Strange,
}

impl StatusWord {
    /// Returns the news of a call with these details.
    pub(crate) fn news(self, details: impl FnOnce() -> CallDetails) -> CallStatus {
        match self {
            Self::Over(outcome) => CallStatus::Ended(outcome, Box::new(details())),
            Self::Pending => CallStatus::Pending,
            Self::Strange => CallStatus::Unclear,
        }
    }
}

/// The operator's own words for outcomes, beyond the known ones.
#[derive(Debug, Clone)]
pub(crate) struct StatusMap(BTreeMap<String, Outcome>);

impl StatusMap {
    pub(crate) fn new(map: BTreeMap<String, Outcome>) -> Self {
        Self(map.into_iter().map(|(word, outcome)| (bare(&word), outcome)).collect())
    }

    /// Returns the outcome that the operator gives to a word.
    pub(crate) fn outcome(&self, word: &str) -> Option<Outcome> {
        self.0.get(&bare(word)).copied()
    }

    /// Reads a status word: the operator's own map first, then the words of vendors' pages and of
    /// other vendors in the field.
    pub(crate) fn status_of(&self, word: &str) -> StatusWord {
        if let Some(outcome) = self.outcome(word) {
            return StatusWord::Over(outcome);
        }
        match bare(word).as_str() {
            "initiated" | "queued" | "scheduled" | "pending" | "processing" | "dialing" | "dialling" | "ringing"
            | "inprogress" | "ongoing" | "active" | "started" | "connected" => StatusWord::Pending,
            "completed" | "ended" | "answered" | "success" => StatusWord::Over(Outcome::Answered),
            "voicemail" | "machine" | "answeringmachine" => StatusWord::Over(Outcome::Voicemail),
            "busy" => StatusWord::Over(Outcome::Busy),
            "noanswer" | "notanswered" | "unanswered" | "missed" => StatusWord::Over(Outcome::NoAnswer),
            "rejected" | "declined" => StatusWord::Over(Outcome::Rejected),
            "unreachable" | "notreachable" | "notconnected" | "switchedoff" | "temporarilyunavailable" => {
                StatusWord::Over(Outcome::Unreachable)
            }
            "invalidnumber" => StatusWord::Over(Outcome::InvalidNumber),
            // A call that was given up may have rung before.
            "failed" | "error" | "cancelled" | "canceled" | "expired" => StatusWord::Over(Outcome::Failed),
            _ => StatusWord::Strange,
        }
    }

    /// Reads a status word as [`StatusMap::status_of`] does, and warns the operator of a word that
    /// nobody documents.
    pub(crate) fn standing_at(&self, vendor: &str, word: &str) -> StatusWord {
        let status = self.status_of(word);
        if status == StatusWord::Strange {
            tracing::warn!(
                vendor_status = word,
                "{vendor} uses a status word that is not known; the call may be under way. Name its outcome in the lane's \
                 status_map"
            );
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(word: &str) -> StatusWord {
        StatusMap::new(BTreeMap::new()).status_of(word)
    }

    #[test]
    fn every_word_of_vendors_pages_and_of_the_field_has_its_status() {
        let over = [
            (Outcome::Answered, "completed ended answered success"),
            (Outcome::Voicemail, "voicemail machine answering_machine"),
            (Outcome::Busy, "busy"),
            (Outcome::NoAnswer, "no-answer not_answered unanswered missed"),
            (Outcome::Rejected, "rejected declined"),
            (Outcome::Unreachable, "unreachable not_reachable not-connected switched_off temporarily_unavailable"),
            (Outcome::InvalidNumber, "invalid_number"),
            (Outcome::Failed, "failed error cancelled canceled expired"),
        ];
        for (outcome, words) in over {
            for word in words.split(' ') {
                assert_eq!(status_of(word), StatusWord::Over(outcome), "{word}");
            }
        }
        let pending = "initiated queued scheduled pending processing dialing dialling ringing in_progress ongoing active \
                       started connected";
        for word in pending.split(' ') {
            assert_eq!(status_of(word), StatusWord::Pending, "{word}");
        }
        for word in ["", "done", "busybusy", "hangup", "transferred"] {
            assert_eq!(status_of(word), StatusWord::Strange, "{word}");
        }
        assert_eq!(status_of(" No Answer "), StatusWord::Over(Outcome::NoAnswer), "however it is spaced");
    }

    #[test]
    fn the_operators_own_words_come_first_and_strange_ones_are_told() {
        let map =
            StatusMap::new([("Hung-Up".to_owned(), Outcome::Rejected), ("busy".to_owned(), Outcome::Failed)].into());
        let standing = |word: &str| {
            let mut standing = StatusWord::Pending;
            let log = crate::logged::logged(|| standing = map.standing_at("Vendor", word));
            (standing, log.contains("Vendor uses a status word that is not known"))
        };
        assert_eq!(standing("hung up"), (StatusWord::Over(Outcome::Rejected), false));
        assert_eq!(standing("BUSY"), (StatusWord::Over(Outcome::Failed), false));
        assert_eq!(standing("queued"), (StatusWord::Pending, false));
        assert_eq!(standing("transferred"), (StatusWord::Strange, true));
    }
}
