//! The published rate limits: reads and writes a minute, per project or organization.

use std::{collections::HashMap, time::Duration};

use uuid::Uuid;

use crate::base::error::ApiError;

const WINDOW: Duration = Duration::from_secs(60);
const READS: u32 = 2_000;
const WRITES: u32 = 1_000;
// Only existing projects and organizations have buckets, so this is a backstop.
const MOST_BUCKETS: usize = 10_000;

/// The owner of a count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// A project, by name.
    Project(String),
    /// Requests of an organization outside of projects; the nil id for those without a token.
    Organization(Uuid),
}

#[derive(Debug)]
struct Minute {
    since: Duration,
    used: u32,
}

/// Counts requests of each minute. Minutes are those of [`Clock::counted`](super::clock::Clock::counted): a scaled clock does not
/// raise the limits.
#[derive(Debug, Default)]
pub struct Limits {
    minutes: HashMap<(Bucket, bool), Minute>,
}

impl Limits {
    /// Counts a read or a write.
    ///
    /// # Errors
    /// 429 when the minute's share is used up; `tell` adds `Retry-After`.
    pub fn take(
        &mut self,
        bucket: Bucket,
        write: bool,
        now: Duration,
        tell: bool,
    ) -> Result<(), ApiError> {
        let (most, what) = if write {
            (WRITES, "writes")
        } else {
            (READS, "reads")
        };
        if self.minutes.len() >= MOST_BUCKETS {
            self.minutes
                .retain(|_, minute| now.saturating_sub(minute.since) < WINDOW);
        }
        let fresh = Minute {
            since: now,
            used: 0,
        };
        let minute = self.minutes.entry((bucket, write)).or_insert(fresh);
        if now.saturating_sub(minute.since) >= WINDOW {
            *minute = Minute {
                since: now,
                used: 0,
            };
        }
        if minute.used >= most {
            let left = WINDOW.saturating_sub(now.saturating_sub(minute.since));
            // Rounded up, so that the next minute has begun by then.
            let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            return Err(ApiError::too_many(
                format!("more than {most} {what} in a minute"),
                tell.then_some(seconds),
            ));
        }
        minute.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_and_projects_are_counted_apart_and_a_minute_helps() {
        let mut limits = Limits::default();
        let project = |name: &str| Bucket::Project(name.to_owned());
        let start = Duration::from_secs(7);
        let mut count = |bucket: Bucket, write: bool, times: u32| {
            (0..times)
                .filter(|_| limits.take(bucket.clone(), write, start, true).is_ok())
                .count()
        };
        assert_eq!(count(project("a"), false, 2_100), 2_000);
        assert_eq!(count(project("a"), true, 1_100), 1_000);
        assert_eq!(count(project("b"), true, 10), 10);
        for organization in [Uuid::nil(), Uuid::from_u128(1)] {
            let bucket = Bucket::Organization(organization);
            assert_eq!(count(bucket, false, 2_001), 2_000);
        }
        let late = start + Duration::from_millis(58_500);
        let Err(error) = limits.take(project("a"), false, late, true) else {
            panic!("still over the limit")
        };
        assert_eq!((error.status.as_u16(), error.retry_after), (429, Some(2)));
        let Err(error) = limits.take(project("a"), false, late, false) else {
            panic!("still over the limit")
        };
        assert_eq!(error.retry_after, None);
        let next = start + Duration::from_secs(60);
        assert!(limits.take(project("a"), false, next, false).is_ok());
    }
}
