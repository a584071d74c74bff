//! How often and at what distance to retry.

use std::time::Duration;

/// Whether waits between attempts are spread out at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything between zero and the full backoff, so that many clients do not return at once.
    #[default]
    Full,
    /// Exactly the backoff.
    None,
}

/// How often and at what distance a failed attempt is retried.
///
/// Which failures are retried is fixed:
///
/// | Failure | GET, PUT, DELETE, merge PATCH | POST, JSON Patch |
/// |---|---|---|
/// | not sent: no connection | yes | yes |
/// | 429, 503 | yes | yes |
/// | 408, 500, 502, 504, timeout, broken connection | yes | no |
/// | anything else | no | no |
///
/// The service answers 429 and 503 before it does any work. A gateway in front of it may answer 503
/// after it has passed a request on: a POST that meets this takes effect twice, or its retry is
/// refused with 409. In either case [`Error::outcome_unknown`](crate::Error::outcome_unknown) is
/// true for an error that follows. Where that matters, make the POST with [`RetryPolicy::none`] or
/// give each resource a name of its own.
///
/// The wait before attempt *n* + 1 is drawn from zero to `initial_backoff` · 2ⁿ⁻¹, at most
/// `max_backoff`. After a 429 without `Retry-After` it starts from `throttled_backoff` instead,
/// because the service counts requests per minute. A `Retry-After` is followed, up to
/// `max_retry_after`, unless the backoff is longer. All calls together are bounded by
/// [`retry_budget`](crate::TransportBuilder::retry_budget).
///
/// A service that cannot be reached at all is tried as often as one that fails: with the defaults it
/// takes about a minute until the error comes. Programs that a person waits for want fewer attempts:
///
/// ```
/// use std::time::Duration;
///
/// use mkio_core::RetryPolicy;
///
/// let policy = RetryPolicy::default()
///     .max_attempts(3)
///     .max_backoff(Duration::from_secs(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    pub(super) max_attempts: u32,
    pub(super) initial_backoff: Duration,
    pub(super) throttled_backoff: Duration,
    pub(super) max_backoff: Duration,
    pub(super) max_retry_after: Duration,
    pub(super) jitter: Jitter,
}

impl Default for RetryPolicy {
    /// 10 attempts; backoff from 0.5 s (1 s when throttled) to 30 s with full jitter;
    /// `Retry-After` up to 120 s.
    fn default() -> Self {
        Self {
            max_attempts: 10,
            initial_backoff: Duration::from_millis(500),
            throttled_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(120),
            jitter: Jitter::Full,
        }
    }
}

impl RetryPolicy {
    /// One attempt, no retry.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Attempts in all, the first one included. Default 10; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Upper end of the first wait. Default 0.5 s.
    #[must_use]
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = backoff;
        self
    }

    /// Upper end of the first wait after a 429 without `Retry-After`. Default 1 s.
    #[must_use]
    pub fn throttled_backoff(mut self, backoff: Duration) -> Self {
        self.throttled_backoff = backoff;
        self
    }

    /// Upper end of every wait that the service did not ask for. Default 30 s.
    #[must_use]
    pub fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// Longest `Retry-After` that is followed; a longer one is cut to this. Default 120 s.
    #[must_use]
    pub fn max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    /// How waits are spread. Default [`Jitter::Full`].
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    pub(crate) fn allows(&self, attempts: u32) -> bool {
        attempts < self.max_attempts
    }

    /// The wait after this many attempts, the last of which failed.
    pub(crate) fn wait(
        &self,
        attempts: u32,
        throttled: bool,
        retry_after: Option<Duration>,
    ) -> Duration {
        let first = if throttled {
            self.throttled_backoff
        } else {
            self.initial_backoff
        };
        let factor = 2u32.saturating_pow(attempts.saturating_sub(1));
        let ceiling = first.saturating_mul(factor).min(self.max_backoff);
        let backoff = match self.jitter {
            Jitter::Full => ceiling.mul_f64(fastrand::f64()),
            Jitter::None => ceiling,
        };
        match retry_after {
            // A wait of nothing would be a busy loop.
            Some(wait) => wait.min(self.max_retry_after).max(backoff),
            None => backoff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn doubles_up_to_the_ceiling() {
        let policy = RetryPolicy::default().jitter(Jitter::None);
        let waits: Vec<_> = (1..=8)
            .map(|n| policy.wait(n, false, None).as_secs_f64())
            .collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        assert_eq!(policy.wait(1, true, None), SECOND);
        assert_eq!(policy.wait(u32::MAX, true, None), 30 * SECOND);
    }

    #[test]
    fn full_jitter_fills_the_range() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (0..2000).map(|_| policy.wait(3, false, None)).collect();
        assert!(waits.iter().all(|wait| *wait <= 2 * SECOND));
        assert!(waits.iter().any(|wait| *wait < SECOND / 4));
        assert!(waits.iter().any(|wait| *wait > SECOND * 7 / 4));
    }

    #[test]
    fn the_service_may_ask_for_a_wait_within_limits() {
        let policy = RetryPolicy::default().jitter(Jitter::None);
        assert_eq!(policy.wait(1, true, Some(7 * SECOND)), 7 * SECOND);
        assert_eq!(policy.wait(1, true, Some(9999 * SECOND)), 120 * SECOND);
        for short in [Duration::ZERO, Duration::from_micros(1), SECOND / 4] {
            assert_eq!(policy.wait(1, false, Some(short)), SECOND / 2);
            assert_eq!(policy.wait(3, true, Some(short)), 4 * SECOND);
        }
    }

    #[test]
    fn at_least_one_attempt() {
        assert!(RetryPolicy::none().max_attempts(0).allows(0));
        assert!(!RetryPolicy::none().allows(1));
    }
}
