//! What a person decides of single contacts, or of all whom a filter lets through.

use ringfence_domain::ContactId;
use ringfence_store::{ContactFilter, ContactRow};

use crate::dnc;
use crate::error::Error;
use crate::search::{self, Narrow};
use crate::workspace::Workspace;

/// The most contacts that one decision is about.
const MOST: usize = 10_000;
/// The most that are looked at to find them.
const LOOKED: u32 = 200_000;
/// How many are read at once, and changed in one transaction.
const PAGE: u32 = 500;

/// Returns everybody in a campaign's current run whom both filters let through. Too many are an
/// error.
pub async fn matching(
    workspace: &Workspace,
    campaign: &str,
    filters: (ContactFilter, &Narrow),
) -> Result<Vec<ContactRow>, Error> {
    let (mut found, mut after, mut looked) = (Vec::new(), Some(ContactId(0)), 0);
    while let Some(from) = after {
        let page = search::narrowed(workspace, campaign, filters, from, PAGE).await?;
        looked += page.looked;
        found.extend(page.contacts);
        after = page.next;
        if found.len() > MOST {
            let hint = "narrow them down; `cancel` ends a campaign, `import --undo` a file";
            return Err(Error::conflict(format!("more than {MOST} contacts match"), hint));
        }
        if looked > LOOKED {
            let says = format!("among the first {LOOKED} contacts {} match, and there are more", found.len());
            return Err(Error::conflict(says, "narrow them down by state or outcome, too"));
        }
    }
    Ok(found)
}

/// Stops contacts, and returns how many were: who is finished stays so, and who has a call out goes
/// on with it.
pub async fn stop(workspace: &Workspace, contacts: &[ContactId], reason: &str) -> Result<u32, Error> {
    let mut stopped = 0;
    for some in contacts.chunks(PAGE as usize) {
        stopped += workspace.store.stop_by_hand(some.to_vec(), reason.to_owned(), workspace.now()).await?;
    }
    Ok(stopped)
}

/// Puts every number of these contacts on everyone's do-not-call list. Returns how many numbers they
/// have.
pub async fn forbid(workspace: &Workspace, contacts: &[ContactId], reason: Option<&str>) -> Result<usize, Error> {
    let mut forbidden = 0;
    for some in contacts.chunks(PAGE as usize) {
        let numbers = workspace.store.numbers_of(some.to_vec()).await?;
        let numbers: Vec<String> = numbers.iter().map(|number| number.e164().to_owned()).collect();
        dnc::add(workspace, None, &numbers, None, reason).await?;
        forbidden += numbers.len();
    }
    Ok(forbidden)
}

/// Has a contact called before everybody who was not called yet, as soon as every rule allows it.
pub async fn call_next(workspace: &Workspace, contact: ContactId) -> Result<(), Error> {
    if workspace.store.call_next(contact, workspace.now()).await? {
        return Ok(());
    }
    Err(Error::conflict(
        format!("contact {contact} does not wait to be called, or its import is held"),
        "`ringfence why` says what holds it",
    ))
}
