//! The kinds of findings.

use serde::Serialize;

use super::Level;

/// What is the matter, as a word for programs. The documentation has a page for each, of the same
/// name with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FindingKind)]
pub enum Kind {
    /// A person or a file stops every call.
    Stopped,
    /// The database lacks calls that were made.
    Quarantine,
    /// This process has older time zones than one before it.
    ZoneData,
    /// The rules of a campaign cannot be read.
    Rules,
    /// A safety rail paused a campaign.
    Safety,
    /// A person paused a campaign.
    Paused,
    /// An import waits for a person.
    ImportHeld,
    /// Nobody of a list can be called.
    Nobody,
    /// A schedule found no list.
    NoList,
    /// Contacts wait for a person.
    Review,
    /// Another campaign goes first.
    Behind,
    /// A lane is paused.
    LanePaused,
    /// No process dials a lane.
    NoProcess,
    /// A lane rests.
    Rests,
    /// Unknown calls hold every slot of a lane.
    Slots,
    /// The database cannot be asked.
    Database,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Stopped,
        Self::Quarantine,
        Self::ZoneData,
        Self::Rules,
        Self::Safety,
        Self::Paused,
        Self::ImportHeld,
        Self::Nobody,
        Self::NoList,
        Self::Review,
        Self::Behind,
        Self::LanePaused,
        Self::NoProcess,
        Self::Rests,
        Self::Slots,
        Self::Database,
    ];

    /// How much it matters.
    pub const fn level(self) -> Level {
        match self {
            Self::Quarantine
            | Self::ZoneData
            | Self::Rules
            | Self::Safety
            | Self::ImportHeld
            | Self::NoList
            | Self::LanePaused
            | Self::NoProcess
            | Self::Slots
            | Self::Database => Level::Critical,
            Self::Stopped | Self::Paused | Self::Nobody | Self::Review | Self::Behind | Self::Rests => Level::Warning,
        }
    }
}
