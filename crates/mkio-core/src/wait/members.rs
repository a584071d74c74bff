//! The waits of one task, by their resources.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::member::Watched;
use super::target::Target;

/// Waits by number, and numbers by resource: waits of the same resource share its looks.
#[derive(Default)]
pub(super) struct Members {
    waits: BTreeMap<u64, Watched>,
    resources: HashMap<Vec<String>, BTreeSet<u64>>,
}

impl Members {
    pub(super) fn insert(&mut self, id: u64, watched: Watched) {
        let key = watched.target().values().to_vec();
        self.resources.entry(key).or_default().insert(id);
        self.waits.insert(id, watched);
    }

    pub(super) fn remove(&mut self, id: u64) {
        let Some(watched) = self.waits.remove(&id) else {
            return;
        };
        let key = watched.target().values();
        if let Some(ids) = self.resources.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.resources.remove(key);
            }
        }
    }

    pub(super) fn get(&self, id: u64) -> Option<&Watched> {
        self.waits.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Watched> {
        self.waits.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Watched)> {
        self.waits.iter().map(|(id, watched)| (*id, watched))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Watched)> {
        self.waits.iter_mut().map(|(id, watched)| (*id, watched))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// How many resources there are.
    pub(super) fn resources(&self) -> usize {
        self.resources.len()
    }

    pub(super) fn first(&self) -> Option<&Watched> {
        self.waits.values().next()
    }

    /// These waits by resource, in the order in which the resources come first, and with them all
    /// others of the same resources that no look is under way for.
    pub(super) fn by_resource(&self, ids: &[u64]) -> Vec<(Target, Vec<u64>)> {
        let mut done = BTreeSet::new();
        let mut found = Vec::new();
        for id in ids {
            let Some(watched) = self.waits.get(id).filter(|_| !done.contains(id)) else {
                continue;
            };
            let all = self.resources.get(watched.target().values());
            let idle = |id: &&u64| self.waits.get(id).is_some_and(|other| !other.looking);
            let all: Vec<u64> = all.into_iter().flatten().filter(idle).copied().collect();
            done.extend(all.iter().copied());
            if !all.is_empty() {
                found.push((watched.target().clone(), all));
            }
        }
        found
    }
}
