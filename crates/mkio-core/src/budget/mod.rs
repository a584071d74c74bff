//! The rate budget: waiting for a turn instead of earning a 429.

mod clock;
mod key;
mod lane;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

pub(crate) use key::project;
pub(crate) use lane::Lane;

/// How many keys are kept before unused ones are dropped.
const MANY: usize = 256;

/// How many requests per minute a client allows itself, for each project, and for everything
/// outside projects (the organization).
///
/// The service allows 2,000 reads (GET) and 1,000 writes (everything else) per minute; these are
/// the defaults. No more than that leave within any 60 s, redirects aside. A tenth may leave at
/// once, the rest is spread evenly. A 429 that comes anyway pauses the reads or the writes of that
/// project, whichever it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateBudget(Option<Limits>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    reads: u32,
    writes: u32,
}

impl Default for RateBudget {
    /// 2,000 reads and 1,000 writes per minute.
    fn default() -> Self {
        Self::per_minute(2000, 1000)
    }
}

impl RateBudget {
    /// So many reads (GET) and writes (everything else) per minute. 0 counts as 1.
    pub fn per_minute(reads: u32, writes: u32) -> Self {
        Self(Some(Limits {
            reads: reads.max(1),
            writes: writes.max(1),
        }))
    }

    /// No waiting for turns, and no pause of other calls after a 429.
    pub fn off() -> Self {
        Self(None)
    }
}

/// The budget of a client, shared by all its clones.
pub(crate) struct Budget {
    limits: Option<Limits>,
    reads: Lanes,
    writes: Lanes,
}

/// Lanes by project; that of the organization has no name.
type Lanes = Mutex<HashMap<String, Arc<Lane>>>;

impl Budget {
    pub(crate) fn new(budget: RateBudget) -> Self {
        Self {
            limits: budget.0,
            reads: Mutex::default(),
            writes: Mutex::default(),
        }
    }

    /// The lane in which requests of this kind queue; none when the budget is off.
    pub(crate) fn lane(&self, path: &str, read: bool) -> Option<Arc<Lane>> {
        let limits = self.limits?;
        let (lanes, per_minute) = match read {
            true => (&self.reads, limits.reads),
            false => (&self.writes, limits.writes),
        };
        let project = project(path).unwrap_or_default();
        let mut lanes = lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(project) {
            return Some(Arc::clone(lane));
        }
        if lanes.len() >= MANY {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.is_idle());
        }
        let lane = Arc::new(Lane::new(per_minute));
        lanes.insert(project.to_owned(), Arc::clone(&lane));
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn unused_keys_do_not_pile_up() {
        let budget = Budget::new(RateBudget::default());
        for n in 0..10 * MANY {
            let lane = budget.lane(&format!("/projects/{n}/x"), true).unwrap();
            lane.turn(crate::Priority::Foreground).await;
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
        }
        assert!(budget.reads.lock().unwrap().len() <= MANY);
    }

    #[test]
    fn keys_share_nothing_and_equal_keys_share_all() {
        let budget = Budget::new(RateBudget::default());
        let lane = |path, read| budget.lane(path, read).unwrap();
        let a = lane("/api/v1/projects/a/media/assets", true);
        assert!(Arc::ptr_eq(&a, &lane("/api/v1/projects/a/live/x", true)));
        assert!(!Arc::ptr_eq(&a, &lane("/api/v1/projects/a/live/x", false)));
        assert!(!Arc::ptr_eq(&a, &lane("/api/v1/projects/b/live/x", true)));
        assert!(Budget::new(RateBudget::off()).lane("/", true).is_none());
    }
}
