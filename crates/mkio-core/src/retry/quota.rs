//! The retry budget: keeps an outage from being answered with a storm of repetitions.

use std::sync::Mutex;

/// Units in a full bucket.
const FULL: u32 = 500;
/// Units that one repetition takes.
const COST: u32 = 5;
/// Units that a call which succeeds at once gives back.
const REWARD: u32 = 1;

/// A token bucket that all clones of a client share.
///
/// A repetition takes 5 of 500 units and gets them back when it succeeds; a call that succeeds at
/// once adds 1. So a client repeats freely while about two calls in three succeed, and stops after
/// 100 repetitions without any success.
#[derive(Debug)]
pub(crate) struct Quota(Mutex<u32>);

/// What a repetition took; given back on success.
#[derive(Debug, Default)]
pub(crate) struct Ticket(u32);

impl Default for Quota {
    fn default() -> Self {
        Self(Mutex::new(FULL))
    }
}

impl Quota {
    /// Takes what one repetition costs, if that is left.
    pub(crate) fn take(&self) -> Option<Ticket> {
        let mut left = self.lock();
        *left = left.checked_sub(COST)?;
        Some(Ticket(COST))
    }

    /// A call ended well; `last` is the ticket of its last repetition.
    pub(crate) fn succeeded(&self, last: Ticket) {
        let mut left = self.lock();
        *left = (*left + last.0.max(REWARD)).min(FULL);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_dry_without_success_and_recovers_with_it() {
        let quota = Quota::default();
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
    fn never_holds_more_than_full() {
        let quota = Quota::default();
        quota.succeeded(Ticket(FULL));
        assert_eq!(std::iter::from_fn(|| quota.take()).count(), 100);
    }
}
