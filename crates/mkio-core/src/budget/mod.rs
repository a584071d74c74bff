//! The rate budget: waiting for a turn instead of earning a 429.

mod clock;
mod key;
mod queue;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub(crate) use key::project;
pub(crate) use queue::RateQueue;

use crate::sync::lock;

/// How many keys are kept before unused ones are dropped.
const MANY: usize = 256;

/// How many requests per minute a client allows itself, for each project, and for everything
/// outside projects (the organization).
///
/// The service allows 2,000 reads (GET) and 1,000 writes (everything else) per minute; these are
/// the defaults. A client sends at most that many in any 60 s; redirects do not count. A burst may
/// have a tenth of them; the rest is spread evenly. A 429 pauses the path that got it. A 429 for a
/// second path during that pause pauses all reads, or all writes, of that project.
///
/// Two processes that share a token share the limits of the service, so each gets a part:
///
/// ```
/// use mkio_core::RateBudget;
///
/// let half = RateBudget::default().reads(1_000).writes(500);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateBudget(Option<Limits>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    reads: u32,
    writes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads: 2000,
            writes: 1000,
        }
    }
}

impl Default for RateBudget {
    /// 2,000 reads and 1,000 writes per minute.
    fn default() -> Self {
        Self(Some(Limits::default()))
    }
}

impl RateBudget {
    /// Reads (GET) per minute; 0 counts as 1. A budget that is [`off`](Self::off) is on again.
    #[must_use]
    pub fn reads(mut self, per_minute: u32) -> Self {
        self.0.get_or_insert_default().reads = per_minute.max(1);
        self
    }

    /// Writes (everything but GET) per minute; 0 counts as 1. A budget that is [`off`](Self::off) is
    /// on again.
    #[must_use]
    pub fn writes(mut self, per_minute: u32) -> Self {
        self.0.get_or_insert_default().writes = per_minute.max(1);
        self
    }

    /// Turns the budget off: no call waits for a turn, and a 429 pauses no other call.
    pub fn off() -> Self {
        Self(None)
    }
}

/// The budget of a client, shared by all its clones.
pub(crate) struct Budget {
    limits: Option<Limits>,
    reads: Queues,
    writes: Queues,
}

/// Queues by project; that of the organization has no name.
type Queues = Mutex<BTreeMap<String, Arc<RateQueue>>>;

impl Budget {
    pub(crate) fn new(budget: RateBudget) -> Self {
        Self {
            limits: budget.0,
            reads: Mutex::default(),
            writes: Mutex::default(),
        }
    }

    /// The queue for requests of this kind; `None` when the budget is off.
    pub(crate) fn queue(&self, path: &str, read: bool) -> Option<Arc<RateQueue>> {
        let limits = self.limits?;
        let (queues, per_minute) = if read {
            (&self.reads, limits.reads)
        } else {
            (&self.writes, limits.writes)
        };
        let project = project(path).unwrap_or_default();
        let mut queues = lock(queues);
        if let Some(queue) = queues.get(project) {
            return Some(Arc::clone(queue));
        }
        if queues.len() >= MANY {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1 || !queue.is_idle());
        }
        let queue = Arc::new(RateQueue::new(per_minute));
        queues.insert(project.to_owned(), Arc::clone(&queue));
        Some(queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn unused_keys_do_not_pile_up() {
        let budget = Budget::new(RateBudget::default());
        for n in 0..10 * MANY {
            let queue = budget.queue(&format!("/projects/{n}/x"), true).unwrap();
            queue.acquire(crate::Priority::Foreground, "/x").await;
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
        }
        assert!(lock(&budget.reads).len() <= MANY);
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_keys_those_that_may_still_count_are_kept() {
        let budget = Budget::new(RateBudget::default());
        let queue = |name: &str| budget.queue(&format!("/projects/{name}/x"), true).unwrap();
        let minute = std::time::Duration::from_secs(60);
        let held = queue("held");
        queue("paused").pause("/x", |_| 3 * minute);
        for n in 0..MANY - 4 {
            queue(&n.to_string());
        }
        tokio::time::advance(minute / 60).await;
        queue("used-a-minute-ago");
        tokio::time::advance(minute).await;
        queue("used-now");
        assert_eq!(lock(&budget.reads).len(), MANY);
        queue("one-more");
        let reads = lock(&budget.reads);
        let kept: Vec<_> = reads.keys().collect();
        assert_eq!(
            kept,
            [
                "held",
                "one-more",
                "paused",
                "used-a-minute-ago",
                "used-now"
            ]
        );
        assert!(Arc::ptr_eq(&held, &reads["held"]));
    }

    #[test]
    fn keys_share_nothing_and_equal_keys_share_all() {
        let budget = Budget::new(RateBudget::default());
        let queue = |path, read| budget.queue(path, read).unwrap();
        let a = queue("/api/v1/projects/a/media/assets", true);
        assert!(Arc::ptr_eq(&a, &queue("/api/v1/projects/a/live/x", true)));
        assert!(!Arc::ptr_eq(&a, &queue("/api/v1/projects/a/live/x", false)));
        assert!(!Arc::ptr_eq(&a, &queue("/api/v1/projects/b/live/x", true)));
        assert!(Budget::new(RateBudget::off()).queue("/", true).is_none());
    }
}
