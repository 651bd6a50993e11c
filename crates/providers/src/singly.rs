//! Questions about calls that are asked one by one, several at once.

use futures::{StreamExt, stream};

use crate::Budget;
use crate::call::AskError;

/// The most questions that are out at once. Where an answer takes 200 ms, that is 80 questions a second.
/// A vendor that allows few questions a second is asked one after the other.
const AT_ONCE: usize = 16;

/// Asks about each, and hands the answers to `heard`, in the order of the questions, until the vendor
/// refuses to answer more. Returns what was not answered.
pub(crate) async fn ask_singly<T, A, F: Future<Output = Result<A, AskError>>>(
    all: impl IntoIterator<Item = T>,
    budget: &dyn Budget,
    ask: impl FnMut(T) -> F,
    mut heard: impl FnMut(A),
) -> Unanswered {
    let mut unanswered = Unanswered::default();
    let mut answers = stream::iter(all).map(ask).buffered(budget.questions_a_second().clamp(1, AT_ONCE));
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(answer) => heard(answer),
            Err(error) => {
                if !unanswered.note(error) {
                    break;
                }
            }
        }
    }
    unanswered
}

/// The failures of questions that are asked one by one: a failed question takes nothing away from
/// the others, nor does a refusal take away what was answered before it.
#[derive(Debug, Default)]
pub(crate) struct Unanswered {
    first: Option<AskError>,
    refusal: Option<AskError>,
    count: usize,
}

impl Unanswered {
    /// The most failures in one round: each may take as long as an answer is waited for.
    const MOST: usize = 3;

    /// Notes a failure. Returns whether the next question may be asked. An answer that refuses us,
    /// or asks to be left alone, ends the round at once.
    fn note(&mut self, error: AskError) -> bool {
        if !matches!(error, AskError::Trouble(_)) {
            self.refusal = Some(error);
            return false;
        }
        self.first.get_or_insert(error);
        self.count += 1;
        self.count < Self::MOST
    }

    /// Ends the round. Returns the refusal, or the first failure, when nothing was `learned` beside it;
    /// a refusal beside news is for the budget.
    pub(crate) fn end(self, learned: bool, budget: &dyn Budget) -> Result<(), AskError> {
        match (self.refusal, self.first) {
            (Some(refusal), _) if learned => budget.cut_short(refusal),
            (Some(error), _) | (None, Some(error)) if !learned => return Err(error),
            _ => {}
        }
        Ok(())
    }
}
