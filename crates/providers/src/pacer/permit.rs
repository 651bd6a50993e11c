//! The right to send one request.

use std::sync::Arc;

use ringfence_domain::CampaignId;
use tokio::time::{Instant, sleep_until};

use super::Pacer;

/// What a request is for; that decides which limits it counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It places a call of a campaign that may have a limit of its own.
    Call(Option<CampaignId>),
    /// It asks the vendor something.
    Question,
}

/// The right to send one request, from its moment on. A permit that is dropped unspent is given
/// back.
#[derive(Debug)]
pub struct Permit {
    pacer: Arc<Pacer>,
    purpose: Purpose,
    at: Instant,
    spent: bool,
}

impl Permit {
    pub(super) fn new(pacer: Arc<Pacer>, purpose: Purpose, at: Instant) -> Self {
        Self { pacer, purpose, at, spent: false }
    }

    /// Waits for the permit's moment and spends it: the request leaves when this returns.
    pub async fn spend(mut self) {
        if self.at > Instant::now() {
            sleep_until(self.at).await;
        }
        self.pacer.lock().spend(self.purpose, Instant::now());
        self.spent = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.spent {
            self.pacer.lock().give_back(self.purpose);
        }
    }
}
