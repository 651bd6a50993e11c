//! The budget of one round of questions, and the refusal that ended it early.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ringfence_providers::{AskError, Budget, Pacer};

/// Requests for one round of questions.
pub(crate) struct Round {
    pacer: Arc<Pacer>,
    refusal: Mutex<Option<AskError>>,
}

impl Round {
    pub(crate) fn new(pacer: &Arc<Pacer>) -> Self {
        Self { pacer: pacer.clone(), refusal: Mutex::default() }
    }

    /// What the vendor said when it refused to answer more.
    pub(crate) fn refusal(self) -> Option<AskError> {
        self.refusal.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Budget for Round {
    async fn take(&self) {
        self.pacer.take().await;
    }

    fn questions_a_second(&self) -> usize {
        self.pacer.questions_a_second()
    }

    fn cut_short(&self, refusal: AskError) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
    }
}
