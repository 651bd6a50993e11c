//! Changes of state that people ask about later: what happened, to which campaign or lane, by
//! whom and why.

use std::fmt;

use serde::Serialize;

use crate::words::words;
use crate::{AttemptId, ContactId, Moment, RunId};

words! {
    /// The kind of a change, as `ringfence events` names it.
    EventKind {
        /// A process began to dial, or to stand by.
        ProcessStarted = "process.started",
        /// A process left in good order.
        ProcessEnded = "process.ended",
        /// A process began to dial a lane.
        LaneTaken = "lane.taken",
        /// A process gave a lane back.
        LaneGivenBack = "lane.given_back",
        /// A person, or a fault of the account, paused a lane.
        LanePaused = "lane.paused",
        /// A lane rests: its vendor asked for it, or does not answer as it should.
        LaneSlowed = "lane.slowed",
        /// A lane that was paused, or in trouble, works again.
        LaneOpen = "lane.open",
        /// A campaign was created, or its rules changed.
        CampaignApplied = "campaign.applied",
        /// A person, or a safety rail, paused a campaign.
        CampaignPaused = "campaign.paused",
        /// A campaign may dial again.
        CampaignResumed = "campaign.resumed",
        /// A campaign ended for good.
        CampaignCancelled = "campaign.cancelled",
        /// A fresh run began.
        RunBegan = "run.began",
        /// A run is over: nobody in it goes back to waiting.
        RunClosed = "run.closed",
        /// The people of a run that is over are erased.
        RunErased = "run.erased",
        /// A contact file began to be taken in.
        ImportBegan = "import.began",
        /// A contact file could not be taken in.
        ImportFailed = "import.failed",
        /// A safety rail holds an import.
        ImportHeld = "import.held",
        /// The contacts of an import may be dialled, the canary first if there is one.
        ImportReleased = "import.released",
        /// A person undid an import.
        ImportUndone = "import.undone",
        /// A person stopped contacts.
        ContactsStopped = "contacts.stopped",
        /// A person had a contact called before others.
        ContactPreferred = "contact.preferred",
        /// Numbers came onto the do-not-call list.
        DncAdded = "dnc.added",
        /// Numbers left the do-not-call list.
        DncRemoved = "dnc.removed",
        /// A scheduled moment was worked at.
        ScheduleDone = "schedule.done",
        /// A scheduled moment passed while nothing ran, and is let go.
        ScheduleMissed = "schedule.missed",
        /// A scheduled moment could not be worked at.
        ScheduleFailed = "schedule.failed",
        /// Everything was stopped.
        Stopped = "stopped",
        /// The stop was lifted.
        Started = "started",
        /// The database may have forgotten calls: nobody is dialled.
        QuarantineNoticed = "quarantine.noticed",
        /// A person lifted the quarantine.
        QuarantineLifted = "quarantine.lifted",
        /// A person settled a call of unknown fate.
        ReviewSettled = "review.settled",
        /// A call is over.
        CallEnded = "call.ended",
        /// A contact was reached, or is not called any more.
        ContactFinished = "contact.finished",
        /// Nobody knows the fate of a call: a person must look.
        ReviewOpened = "review.opened",
        /// Everybody in a run was called, or is not called any more.
        CampaignFinished = "campaign.finished",
        /// A safety rail holds a campaign, or a list of it.
        CampaignHeld = "campaign.held",
        /// Nobody is dialled though people wait.
        CampaignStalled = "campaign.stalled",
        /// A token was made.
        TokenCreated = "token.created",
        /// A token does not hold any more.
        TokenRevoked = "token.revoked",
        /// A browser was logged in.
        LoginBegun = "login.begun",
        /// A browser was logged out.
        LoginEnded = "login.ended",
        /// A copy of the database was written.
        BackupWritten = "backup.written",
        /// A webhook gets no more events: its receiver said so, or could not be reached for long.
        WebhookDisabled = "webhook.disabled",
        /// A webhook gets events again.
        WebhookEnabled = "webhook.enabled",
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Event {
    /// Its number; a later event has a higher one.
    pub id: i64,
    /// When.
    pub at: Moment,
    /// What happened.
    pub kind: EventKind,
    /// The name of the campaign that it happened to, if it was one.
    pub campaign: Option<String>,
    /// The name of the lane that it happened to, if it was one.
    pub lane: Option<String>,
    /// The run that it happened in, if it was one.
    pub run: Option<RunId>,
    /// The contact that the call was to reach, if it is about a call.
    pub contact: Option<ContactId>,
    /// The attempt of that call.
    pub attempt: Option<AttemptId>,
    /// The user and machine, the token, or the process, that did it.
    pub who: String,
    /// Where a person asked for it: a command line, or the address of a client. None when a process
    /// did it by itself.
    pub origin: Option<String>,
    /// Why, or what else is to be said of it.
    pub cause: Option<String>,
    /// What it changed, as it was before.
    pub before: Option<serde_json::Value>,
    /// What it changed, as it is since then.
    pub after: Option<serde_json::Value>,
}

impl EventKind {
    /// Tells whether somebody should look.
    pub const fn is_trouble(self) -> bool {
        matches!(
            self,
            Self::LanePaused
                | Self::LaneSlowed
                | Self::CampaignPaused
                | Self::ImportFailed
                | Self::ImportHeld
                | Self::ScheduleMissed
                | Self::ScheduleFailed
                | Self::Stopped
                | Self::QuarantineNoticed
                | Self::CampaignStalled
                | Self::WebhookDisabled
        )
    }

    /// Tells whether it is about one call: of these there are many, and they are kept for a day.
    pub const fn is_of_call(self) -> bool {
        matches!(self, Self::CallEnded | Self::ContactFinished | Self::ReviewOpened)
    }

    /// What happened, after the name of what it happened to.
    const fn happened(self) -> &'static str {
        match self {
            Self::ProcessStarted => "a process started",
            Self::ProcessEnded => "a process ended",
            Self::LaneTaken => "is dialled by this process",
            Self::LaneGivenBack => "was given back",
            Self::LanePaused | Self::CampaignPaused => "was paused",
            Self::LaneSlowed => "rests",
            Self::LaneOpen => "works again",
            Self::CampaignApplied => "was applied",
            Self::CampaignResumed => "may dial again",
            Self::CampaignCancelled => "was cancelled",
            Self::RunBegan => "began a fresh run",
            Self::RunClosed => "closed its run",
            Self::RunErased => "erases the people of a run",
            Self::ImportBegan => "takes in a contact file",
            Self::ImportFailed => "could not take in a contact file",
            Self::ImportHeld => "holds an import",
            Self::ImportReleased => "released an import",
            Self::ImportUndone => "undid an import",
            Self::ContactsStopped => "stops contacts by hand",
            Self::ContactPreferred => "calls a contact before others",
            Self::DncAdded => "numbers came onto the do-not-call list",
            Self::DncRemoved => "a number left the do-not-call list",
            Self::ScheduleDone => "worked at its scheduled moment",
            Self::ScheduleMissed => "missed its scheduled moment",
            Self::ScheduleFailed => "could not begin at its scheduled moment",
            Self::Stopped => "everything was stopped",
            Self::Started => "the stop was lifted",
            Self::QuarantineNoticed => "nobody is dialled: the database may have forgotten calls",
            Self::QuarantineLifted => "the quarantine was lifted",
            Self::ReviewSettled => "a call of unknown fate was settled",
            Self::CallEnded => "ended a call",
            Self::ContactFinished => "is done with a contact",
            Self::ReviewOpened => "does not know the fate of a call",
            Self::CampaignFinished => "is done with everybody",
            Self::CampaignHeld => "is held by a safety rail",
            Self::CampaignStalled => "dials nobody though people wait",
            Self::TokenCreated => "a token was made",
            Self::TokenRevoked => "a token was revoked",
            Self::LoginBegun => "a browser was logged in",
            Self::LoginEnded => "a browser was logged out",
            Self::BackupWritten => "a copy of the database was written",
            Self::WebhookDisabled => "a webhook gets no more events",
            Self::WebhookEnabled => "a webhook gets events again",
        }
    }
}

/// Writes it as one sentence: `lane main was paused: HTTP 401`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.campaign, &self.lane) {
            (Some(campaign), _) => write!(f, "campaign {campaign} ")?,
            (None, Some(lane)) => write!(f, "lane {lane} ")?,
            (None, None) => {}
        }
        f.write_str(self.kind.happened())?;
        // Who did it is told beside, and is no second reason.
        let by = format!("by {}", self.who);
        self.cause.iter().filter(|cause| **cause != by).try_for_each(|cause| write!(f, ": {cause}"))
    }
}
