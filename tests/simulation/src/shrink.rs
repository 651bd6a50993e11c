//! Makes a run that breaks a promise smaller, as long as it still breaks one.

use crate::operation::Operation;

/// The smallest run that is found to break a promise by leaving operations out of one that does:
/// larger parts first, then smaller ones, until none can go. `breaks`: whether a run does.
pub fn shrink(mut operations: Vec<Operation>, mut breaks: impl FnMut(&[Operation]) -> bool) -> Vec<Operation> {
    let mut part = operations.len().div_ceil(2);
    loop {
        let mut place = 0;
        let mut is_smaller = false;
        while place < operations.len() {
            let end = (place + part).min(operations.len());
            let without: Vec<Operation> = [&operations[..place], &operations[end..]].concat();
            if breaks(&without) {
                operations = without;
                is_smaller = true;
            } else {
                place = end;
            }
        }
        if part == 1 && !is_smaller {
            return operations;
        }
        part = part.div_ceil(2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_goes() {
        let all: Vec<Operation> = (1..=100).map(Operation::Wait).collect();
        let needed = [Operation::Wait(17), Operation::Wait(64)];
        let breaks = |part: &[Operation]| needed.iter().all(|one| part.contains(one));
        assert_eq!(shrink(all, breaks), needed);
    }
}
