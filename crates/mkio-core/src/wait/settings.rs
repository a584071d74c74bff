//! The settings of a wait.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use tokio::time::Instant;

use super::Resource;
use crate::Timestamp;

/// The settings of a wait, for its caller, its plan and its description.
#[derive(Debug, Clone)]
pub(super) struct WaitSettings {
    /// Longest time to wait.
    pub(super) timeout: Duration,
    /// Shortest and longest time between polls, if the caller set them.
    pub(super) poll_every: Option<Range<Duration>>,
    /// How long a 404 means "not there yet".
    pub(super) missing_for: Duration,
    /// Only a resource that was created after this counts.
    pub(super) created_after: Option<Timestamp>,
    /// An action came first: the state of the resource may be from before it.
    pub(super) after_action: bool,
    /// States that were seen before the wait was taken up again.
    pub(super) seen: BTreeSet<String>,
}

impl WaitSettings {
    pub(super) fn of(resource: &Resource) -> Self {
        Self {
            timeout: resource.timeout,
            poll_every: None,
            missing_for: resource.missing_for,
            created_after: None,
            after_action: false,
            seen: BTreeSet::new(),
        }
    }

    /// Shortest and longest time between polls of this resource.
    pub(super) fn pace(&self, resource: &Resource) -> Range<Duration> {
        let (min, max) = resource.poll;
        self.poll_every.clone().unwrap_or(min..max)
    }

    /// Sets the time between polls, within sensible limits.
    pub(super) fn poll_every(&mut self, range: Range<Duration>) {
        let min = range.start.clamp(SHORTEST, YEAR);
        self.poll_every = Some(min..range.end.clamp(min, YEAR));
    }
}

/// Shortest time between two polls.
const SHORTEST: Duration = Duration::from_millis(100);

/// As good as never.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// `delay` after `time`; never is a year from then.
pub(super) fn later(time: Instant, delay: Duration) -> Instant {
    time.checked_add(delay).unwrap_or(time + YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_a_year_from_then() {
        let now = Instant::now();
        assert_eq!(
            later(now, Duration::from_secs(1)),
            now + Duration::from_secs(1)
        );
        assert_eq!(later(now, Duration::MAX), now + YEAR);
    }
}
