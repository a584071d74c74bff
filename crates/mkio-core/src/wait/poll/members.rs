//! The waits of one task, by their resources.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::member::{Member, Phase};
use crate::wait::target::Target;

/// Waits by number, and numbers by resource: waits of the same resource share its polls.
#[derive(Default)]
pub(super) struct Members {
    waits: BTreeMap<u64, Member>,
    resources: HashMap<Vec<String>, BTreeSet<u64>>,
}

impl Members {
    pub(super) fn insert(&mut self, id: u64, member: Member) {
        let key = member.target().values().to_vec();
        self.resources.entry(key).or_default().insert(id);
        self.waits.insert(id, member);
    }

    pub(super) fn remove(&mut self, id: u64) {
        let Some(member) = self.waits.remove(&id) else {
            return;
        };
        let key = member.target().values();
        if let Some(ids) = self.resources.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.resources.remove(key);
            }
        }
    }

    pub(super) fn get(&self, id: u64) -> Option<&Member> {
        self.waits.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Member> {
        self.waits.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Member)> {
        self.waits.iter().map(|(id, member)| (*id, member))
    }

    /// The numbers of those for which this holds.
    pub(super) fn ids(&self, holds: impl Fn(&Member) -> bool) -> Vec<u64> {
        let found = self.iter().filter(|(_, member)| holds(member));
        found.map(|(id, _)| id).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// How many resources there are.
    pub(super) fn resources(&self) -> usize {
        self.resources.len()
    }

    pub(super) fn first(&self) -> Option<&Member> {
        self.waits.values().next()
    }

    /// These waits by resource, in the order in which the resources come first, and with them all
    /// others of the same resources that are idle.
    pub(super) fn by_resource(&self, ids: &[u64]) -> Vec<(Target, Vec<u64>)> {
        let mut done = BTreeSet::new();
        let mut found = Vec::new();
        for id in ids {
            let Some(member) = self.waits.get(id).filter(|_| !done.contains(id)) else {
                continue;
            };
            let all = self.resources.get(member.target().values());
            let idle = |id: &&u64| self.waits.get(id).is_some_and(|m| m.phase == Phase::Idle);
            let all: Vec<u64> = all.into_iter().flatten().filter(idle).copied().collect();
            done.extend(all.iter().copied());
            if !all.is_empty() {
                found.push((member.target().clone(), all));
            }
        }
        found
    }
}
