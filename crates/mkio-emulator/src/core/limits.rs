//! The published rate limits: reads and writes a minute, per project or organization.

use std::collections::HashMap;
use std::time::Duration;

use http::Method;
use tokio::time::Instant;

use super::error::ApiError;

const WINDOW: Duration = Duration::from_secs(60);
const READS: u32 = 2_000;
const WRITES: u32 = 1_000;
// Only existing projects have buckets, so this is a backstop.
const MOST_BUCKETS: usize = 10_000;

#[derive(Debug)]
struct Bucket {
    since: Instant,
    used: u32,
}

/// Counts requests of each minute. Minutes are tokio's, not the platform's: a faster platform is not a more patient one.
#[derive(Debug, Default)]
pub struct Limits {
    buckets: HashMap<(String, bool), Bucket>,
}

impl Limits {
    /// Counts a request to a project, or to the organization when the name is empty.
    ///
    /// # Errors
    /// 429 when the minute's share is used up.
    pub fn take(&mut self, project: &str, method: &Method, tell: bool) -> Result<(), ApiError> {
        let now = Instant::now();
        let write = !matches!(*method, Method::GET | Method::HEAD);
        let most = if write { WRITES } else { READS };
        if self.buckets.len() >= MOST_BUCKETS {
            self.buckets
                .retain(|_, bucket| now.saturating_duration_since(bucket.since) < WINDOW);
        }
        let bucket = self
            .buckets
            .entry((project.to_owned(), write))
            .or_insert(Bucket {
                since: now,
                used: 0,
            });
        if now.saturating_duration_since(bucket.since) >= WINDOW {
            *bucket = Bucket {
                since: now,
                used: 0,
            };
        }
        if bucket.used >= most {
            let left = WINDOW
                .saturating_sub(now.saturating_duration_since(bucket.since))
                .as_secs()
                .max(1);
            let what = if write { "writes" } else { "reads" };
            return Err(ApiError::too_many(
                format!("more than {most} {what} in a minute"),
                tell.then_some(left),
            ));
        }
        bucket.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_and_writes_and_projects_are_counted_apart_and_a_minute_helps() {
        let mut limits = Limits::default();
        let mut count = |project: &str, method: Method, times: u32| {
            (0..times)
                .filter(|_| limits.take(project, &method, true).is_ok())
                .count()
        };
        assert_eq!(count("a", Method::GET, 2_100), 2_000);
        assert_eq!(count("a", Method::PUT, 1_100), 1_000);
        assert_eq!(count("b", Method::DELETE, 10), 10);
        assert_eq!(count("", Method::GET, 10), 10);
        tokio::time::advance(Duration::from_secs(59)).await;
        let Err(error) = limits.take("a", &Method::GET, true) else {
            panic!("still over the limit")
        };
        assert_eq!((error.status.as_u16(), error.retry_after), (429, Some(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(limits.take("a", &Method::GET, false).is_ok());
    }
}
