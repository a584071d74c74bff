//! The retry budget: keeps an outage from being answered with a storm of repetitions.

use std::sync::Mutex;

/// Repetitions in a full bucket, unless told otherwise.
pub(crate) const REPETITIONS: u32 = 100;
/// Units that one repetition takes.
const COST: u32 = 5;
/// Units that a call which succeeds at once gives back.
const REWARD: u32 = 1;

/// A token bucket that all clones of a client share.
///
/// A repetition takes 5 units, by default of 500, and gets them back when it is answered; a call
/// that is answered at once adds 1. So a client repeats freely while about two calls in three are,
/// and stops after 100 repetitions without any answer but faults.
#[derive(Debug)]
pub(crate) struct Quota {
    left: Mutex<u32>,
    full: u32,
}

/// What a repetition took; given back on success.
#[derive(Debug, Default)]
pub(crate) struct Ticket(u32);

impl Quota {
    /// A bucket that is full with so many repetitions.
    pub(crate) fn new(repetitions: u32) -> Self {
        let full = repetitions.saturating_mul(COST);
        Self {
            left: Mutex::new(full),
            full,
        }
    }

    /// Takes what one repetition costs, if that is left.
    pub(crate) fn take(&self) -> Option<Ticket> {
        let mut left = self.lock();
        *left = left.checked_sub(COST)?;
        Some(Ticket(COST))
    }

    /// A call ended well; `last` is the ticket of its last repetition.
    pub(crate) fn succeeded(&self, last: Ticket) {
        let mut left = self.lock();
        *left = left.saturating_add(last.0.max(REWARD)).min(self.full);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        self.left
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_dry_without_success_and_recovers_with_it() {
        let quota = Quota::new(REPETITIONS);
        let tickets = std::iter::from_fn(|| quota.take()).count();
        assert_eq!(tickets, 100);
        for _ in 0..4 {
            quota.succeeded(Ticket::default());
        }
        assert!(quota.take().is_none());
        quota.succeeded(Ticket::default());
        let ticket = quota.take().unwrap();
        assert!(quota.take().is_none());
        quota.succeeded(ticket);
        assert!(quota.take().is_some());
    }

    #[test]
    fn none_is_none_and_many_are_many() {
        assert!(Quota::new(0).take().is_none());
        let quota = Quota::new(0);
        quota.succeeded(Ticket::default());
        assert!(quota.take().is_none());
        let quota = Quota::new(u32::MAX);
        assert!((0..1000).all(|_| quota.take().is_some()));
    }

    #[test]
    fn never_holds_more_than_full() {
        let quota = Quota::new(REPETITIONS);
        quota.succeeded(Ticket(u32::MAX));
        assert_eq!(std::iter::from_fn(|| quota.take()).count(), 100);
    }
}
