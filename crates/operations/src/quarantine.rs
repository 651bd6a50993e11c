//! The quarantine of a database that may have forgotten calls: what was noticed, and its lift.

use ringfence_providers::{Finds, Pacer};
use ringfence_reconciler::inquire;
use ringfence_store::{LaneInquiry, QuarantineRow};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::{self, Workspace};

/// The quarantine, and those before it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Quarantines {
    /// The present one.
    pub quarantine: Option<QuarantineRow>,
    /// What the provider of each lane was asked.
    pub lanes: Vec<LaneInquiry>,
    /// Earlier ones.
    pub lifted: Vec<QuarantineRow>,
}

/// How a quarantine is lifted.
#[derive(Debug, Clone, Default)]
pub struct Lift {
    /// Why the database may dial again, for the record. Not empty.
    pub reason: String,
    /// Who says so, for the record.
    pub operator: String,
    /// Calls that fit nobody in the database are not ours.
    pub strangers: bool,
    /// No provider is asked.
    pub unasked: bool,
}

/// A quarantine that was lifted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Lifted {
    /// True.
    pub lifted: bool,
    /// Why.
    pub reason: String,
    /// What the provider of each lane was asked.
    pub lanes: Vec<LaneInquiry>,
}

/// Returns the quarantine, and those before it.
pub async fn show(workspace: &Workspace) -> Result<Quarantines, Error> {
    let quarantine = workspace.store.quarantine().await?;
    let lanes = match &quarantine {
        Some(quarantine) => workspace.store.inquiries(quarantine.id).await?,
        None => Vec::new(),
    };
    let mut lifted = workspace.store.quarantines().await?;
    lifted.retain(|row| row.lifted.is_some());
    Ok(Quarantines { quarantine, lanes, lifted })
}

/// Asks the providers once more, then lets the database dial again.
pub async fn lift(workspace: &mut Workspace, lift: &Lift) -> Result<Lifted, Error> {
    let Some(quarantine) = workspace.store.quarantine().await? else {
        return Err(Error::conflict(
            "there is no quarantine to lift",
            "`ringfence status` says what holds this database",
        ));
    };
    if lift.reason.trim().is_empty() {
        let hint = "say why this database may dial again: --reason \"restored on purpose\"";
        return Err(Error::input("the reason is empty", hint));
    }
    if !lift.unasked {
        ask(workspace, &quarantine, lift.strangers).await?;
    }
    let folder = workspace::folder_of(&workspace.config);
    workspace.store.lift_quarantine(folder.as_deref(), lift.operator.clone(), lift.reason.clone()).await?;
    let lanes = workspace.store.inquiries(quarantine.id).await?;
    Ok(Lifted { lifted: true, reason: lift.reason.clone(), lanes })
}

/// Asks the provider of every lane. One that could not say, or knows a call that cannot be entered
/// yet, keeps the quarantine.
async fn ask(workspace: &mut Workspace, quarantine: &QuarantineRow, strangers: bool) -> Result<(), Error> {
    let unasked =
        "`quarantine lift --unasked` lifts it all the same; people who were called meanwhile may be called again";
    let (store, now) = (workspace.store.clone(), workspace.now());
    let config = workspace.with_secrets()?;
    for row in store.lanes().await? {
        let name = &row.settings.name;
        let Some(lane) = config.lanes.get(name) else {
            return Err(Error::input(format!("{} has no [provider.{name}] to ask", config.path.display()), unasked));
        };
        let provider = workspace::provider(lane)?;
        let budget = Pacer::new(&row.settings.limits, None);
        let told = inquire(&store, quarantine, &row, &*provider, &budget, now).await?;
        if let (None, Some(trouble)) = (told.listed, &told.trouble)
            && lane.vendor.can.finds != Finds::Never
        {
            return Err(Error::work(format!("lane {name} could not be asked: {trouble}")).with_hint(unasked));
        }
        if told.waiting > 0 {
            return Err(Error::held(
                format!("lane {name} knows {} calls that can be entered once an earlier one is settled", told.waiting),
                "`ringfence run` of the campaign, or `ringfence serve`, asks how that ended, then lift it; \
                 `ringfence review` settles what it cannot find out",
            ));
        }
        if told.strange > 0 && !strangers {
            return Err(Error::held(
                format!("lane {name} lists {} calls that fit nobody who waits for one", told.strange),
                "import their list first, with `ringfence run`, which dials nobody meanwhile; or lift with --strangers \
                 when they are not yours",
            ));
        }
    }
    Ok(())
}
