//! The retry budget: keeps an outage from being answered with a storm of retries.

use std::sync::Mutex;

use crate::sync::lock;

/// Retries in a full budget, unless set otherwise.
pub(crate) const DEFAULT_RETRIES: u32 = 100;
/// Units that one retry takes.
const COST: u32 = 5;
/// Units that a call which succeeds at once gives back.
const REWARD: u32 = 1;

/// A token bucket that all clones of a client share.
///
/// A retry takes 5 units, by default of 500, and gets them back when it is answered; a call that is
/// answered at once adds 1. So a client retries freely while about two calls in three are answered,
/// and stops after 100 retries without any response but faults.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    left: Mutex<u32>,
    full: u32,
}

/// The units that a retry took; given back on success.
#[derive(Debug, Default)]
pub(crate) struct Withdrawal(u32);

impl RetryBudget {
    /// A bucket that is full with so many retries.
    pub(crate) fn new(retries: u32) -> Self {
        let full = retries.saturating_mul(COST);
        Self {
            left: Mutex::new(full),
            full,
        }
    }

    /// Takes what one retry costs, if that is left.
    pub(crate) fn withdraw(&self) -> Option<Withdrawal> {
        let mut left = lock(&self.left);
        *left = left.checked_sub(COST)?;
        Some(Withdrawal(COST))
    }

    /// A call got a response; `last` is the withdrawal of its last retry.
    pub(crate) fn deposit(&self, last: Withdrawal) {
        let mut left = lock(&self.left);
        *left = left.saturating_add(last.0.max(REWARD)).min(self.full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_dry_without_success_and_recovers_with_it() {
        let budget = RetryBudget::new(DEFAULT_RETRIES);
        let retries = std::iter::from_fn(|| budget.withdraw()).count();
        assert_eq!(retries, 100);
        for _ in 0..4 {
            budget.deposit(Withdrawal::default());
        }
        assert!(budget.withdraw().is_none());
        budget.deposit(Withdrawal::default());
        let withdrawal = budget.withdraw().unwrap();
        assert!(budget.withdraw().is_none());
        budget.deposit(withdrawal);
        assert!(budget.withdraw().is_some());
    }

    #[test]
    fn none_is_none_and_many_are_many() {
        assert!(RetryBudget::new(0).withdraw().is_none());
        let budget = RetryBudget::new(0);
        budget.deposit(Withdrawal::default());
        assert!(budget.withdraw().is_none());
        let budget = RetryBudget::new(u32::MAX);
        assert!((0..1000).all(|_| budget.withdraw().is_some()));
    }

    #[test]
    fn never_holds_more_than_full() {
        let budget = RetryBudget::new(DEFAULT_RETRIES);
        budget.deposit(Withdrawal(u32::MAX));
        assert_eq!(std::iter::from_fn(|| budget.withdraw()).count(), 100);
    }
}
