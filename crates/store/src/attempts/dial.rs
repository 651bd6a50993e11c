//! Watching, while a database is used, whether it is still the one that it was: every claim asks.
//!
//! A server may be promoted, put back or replaced under its connections, and a SQLite file may be
//! restored in place. Calls that were made in between are forgotten then, so nothing is claimed
//! from it, and its quarantine begins.

use ringfence_domain::quarantine::Testimony;

use super::claim::{Claimed, Withheld};
use crate::StoreError;
use crate::database::turns::Urgency;
use crate::database::{Database, Follows, Step, Written, clock};
use crate::quarantine::witness::Witness;
use crate::session::Session;

impl Database {
    /// Claims calls that are to be made. Nothing is claimed from a database that is not the one
    /// that it was, nor while its witness cannot be written; what was claimed when the witness
    /// failed is withheld.
    pub(crate) async fn dial<F>(&self, name: &'static str, claim: F) -> Result<Claimed, StoreError>
    where
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, Claimed> + Send + 'static,
    {
        let seen = self.witness().map(Witness::seen);
        let known = seen.clone();
        let claiming = self.carry_out(name, Urgency::Normal, Follows::Calls, move |session| {
            Box::pin(async move {
                let claimed = claim(session).await?;
                let suspicion =
                    claimed.server.as_ref().zip(known.as_ref()).and_then(|(server, known)| server.suspicion(known));
                suspicion.map_or(Ok(claimed), |suspicion| Err(StoreError::Suspicious(suspicion)))
            })
        });
        match claiming.await {
            Ok(Written { done: mut claimed, witnessed, .. }) => {
                if let Err(trouble) = witnessed
                    && !claimed.sending.is_empty()
                {
                    let attempts = std::mem::take(&mut claimed.sending);
                    claimed.withheld = Some(Withheld { attempts, why: trouble.to_string() });
                }
                if let Some(witness) = self.witness().filter(|_| !claimed.sending.is_empty()) {
                    if let (Some(server), Some(seen)) = (&claimed.server, seen)
                        && server.lifted > seen.lifted
                    {
                        witness.follow(self.present().await?.witnessed, server.lifted);
                    }
                    witness.dialled(claimed.server.as_ref(), clock::wall_clock());
                }
                Ok(claimed)
            }
            Err(StoreError::Suspicious(suspicion)) => {
                self.begin_quarantine(&suspicion, [&Testimony::NotAsked, &Testimony::NotAsked]).await?;
                Err(StoreError::Suspicious(suspicion))
            }
            Err(error) => Err(error),
        }
    }
}
