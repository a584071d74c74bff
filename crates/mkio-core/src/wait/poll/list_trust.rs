//! Whether a collection's list can be used.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Error, ErrorKind,
    wait::{poll::faults::is_provider_failure, settings::later},
};

/// How long a list is off that leaves out what exists; doubled each time.
pub(super) const INCOMPLETE: Duration = Duration::from_secs(60);

/// How long a list is off that the service refuses; doubled each time.
const REFUSED: Duration = Duration::from_secs(120);

/// Resources shown by lists that are remembered in full.
const MEMORY: usize = 10_000;

/// A time for which something is off, twice as long each time.
pub(super) struct Pause {
    until: Option<Instant>,
    next: Duration,
}

impl Pause {
    pub(super) fn new(first: Duration) -> Self {
        Self {
            until: None,
            next: first,
        }
    }

    pub(super) fn begin(&mut self) {
        if !self.lasts() {
            self.until = Some(later(Instant::now(), self.next));
            self.next = self.next.saturating_mul(2);
        }
    }

    pub(super) fn lasts(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }
}

/// Experience with a list as a whole.
pub(super) struct ListTrust {
    /// The service refuses the list.
    refused: Pause,
    /// The list leaves out what exists.
    incomplete: Pause,
    /// Resources that the list showed, and those that it left out although they exist.
    shown: usize,
    missed: usize,
    /// Lists in a row that could not be read.
    unreadable: u32,
}

impl ListTrust {
    pub(super) fn new() -> Self {
        Self {
            refused: Pause::new(REFUSED),
            incomplete: Pause::new(INCOMPLETE),
            shown: 0,
            missed: 0,
            unreadable: 0,
        }
    }

    pub(super) fn usable(&self) -> bool {
        !self.refused.lasts() && !self.incomplete.lasts()
    }

    /// Takes in a list that showed so many resources, and what cut it short. True when the list
    /// cannot be used like this: anything but a passing fault.
    pub(super) fn observe(&mut self, shown: usize, cut: Option<&Error>) -> bool {
        let unreadable = cut.is_some_and(|error| error.kind() == ErrorKind::Decode);
        self.unreadable = if unreadable { self.unreadable + 1 } else { 0 };
        let refused = cut.is_some_and(|error| {
            let passing = error.is_retryable() || is_provider_failure(error);
            !passing && self.unreadable != 1
        });
        if refused {
            self.refused.begin();
        }
        self.shown += shown;
        if self.missed > self.shown {
            self.incomplete.begin();
            (self.shown, self.missed) = (0, 0);
        } else if self.shown > MEMORY {
            // Old lists say little about the list as it is now.
            (self.shown, self.missed) = (self.shown / 2, self.missed / 2);
        }
        refused
    }

    /// Takes in that the list left out a resource that exists.
    pub(super) fn note_missed(&mut self) {
        self.missed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miss(trust: &mut ListTrust, count: usize) {
        (0..count).for_each(|_| trust.note_missed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_leaves_out_more_than_it_shows_is_off() {
        let mut trust = ListTrust::new();
        miss(&mut trust, 3);
        trust.observe(3, None);
        assert!(trust.usable());
        miss(&mut trust, 1);
        trust.observe(0, None);
        assert!(!trust.usable());
        tokio::time::sleep(INCOMPLETE).await;
        assert!(trust.usable());
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_remembered_in_full() {
        let mut trust = ListTrust::new();
        miss(&mut trust, 1);
        trust.observe(MEMORY, None);
        miss(&mut trust, MEMORY - 1);
        trust.observe(0, None);
        assert!(trust.usable());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_long_ago_counts_half() {
        let mut trust = ListTrust::new();
        miss(&mut trust, 30);
        trust.observe(MEMORY + 2, None);
        miss(&mut trust, MEMORY / 2 + 1 - 15);
        trust.observe(0, None);
        assert!(trust.usable());
        miss(&mut trust, 1);
        trust.observe(0, None);
        assert!(!trust.usable());
    }
}
