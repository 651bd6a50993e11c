//! Questions about calls that are asked one by one, several at once.

use futures::{StreamExt, stream};

use crate::Budget;
use crate::call::AskError;

/// The most questions that are out at once. Where an answer takes 200 ms, that is 80 questions a second.
/// A vendor that allows few questions a second is asked one after the other.
const AT_ONCE: usize = 16;

/// Asks about each, and hands the answers to `heard`, in the order of the questions. Returns what was
/// not answered.
pub(crate) async fn ask_singly<T, A, F: Future<Output = Result<A, AskError>>>(
    all: impl IntoIterator<Item = T>,
    budget: &dyn Budget,
    ask: impl FnMut(T) -> F,
    mut heard: impl FnMut(A),
) -> Result<Unanswered, AskError> {
    let mut unanswered = Unanswered::default();
    let mut answers = stream::iter(all).map(ask).buffered(budget.questions_a_second().clamp(1, AT_ONCE));
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(answer) => heard(answer),
            Err(error) => {
                if !unanswered.note(error)? {
                    break;
                }
            }
        }
    }
    Ok(unanswered)
}

/// The failures of questions that are asked one by one: a failed question takes nothing away from
/// the others.
#[derive(Debug, Default)]
pub(crate) struct Unanswered {
    first: Option<AskError>,
    count: usize,
}

impl Unanswered {
    /// The most failures in one round: each may take as long as an answer is waited for.
    const MOST: usize = 3;

    /// Notes a failure. Returns whether the next question may be asked. An answer that refuses us,
    /// or asks to be left alone, ends the round at once.
    fn note(&mut self, error: AskError) -> Result<bool, AskError> {
        if !matches!(error, AskError::Trouble(_)) {
            return Err(error);
        }
        self.first.get_or_insert(error);
        self.count += 1;
        Ok(self.count < Self::MOST)
    }

    /// Ends the round. Returns the first failure when nothing was `learned` beside it.
    pub(crate) fn end(self, learned: bool) -> Result<(), AskError> {
        self.first.filter(|_| !learned).map_or(Ok(()), Err)
    }
}
