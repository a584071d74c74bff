//! Which events have been seen.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// The ids of the last events, as hashes: how much memory it takes does not depend on what the
/// sender makes up for ids.
#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    events: HashMap<u64, Progress>,
    /// Ids of handled events, oldest first.
    order: VecDeque<u64>,
    capacity: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ongoing,
    Done,
}

/// What is known of an event that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is new, and now being handled.
    New,
    /// It is being handled.
    Ongoing,
    /// It was handled.
    Done,
}

impl Memory {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            events: HashMap::new(),
            order: VecDeque::new(),
            capacity: capacity.max(1),
        }
    }

    /// Notes that an event is being handled.
    pub(super) fn begin(&mut self, id: &str) -> Known {
        let id = self.hasher.hash_one(id);
        match self.events.get(&id) {
            Some(Progress::Ongoing) => Known::Ongoing,
            Some(Progress::Done) => Known::Done,
            None => {
                self.events.insert(id, Progress::Ongoing);
                Known::New
            }
        }
    }

    /// Notes that an event was handled, and forgets the oldest if there are too many.
    pub(super) fn done(&mut self, id: &str) {
        let id = self.hasher.hash_one(id);
        self.events.insert(id, Progress::Done);
        self.order.push_back(id);
        while self.order.len() > self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.events.remove(&oldest);
            }
        }
    }

    /// Notes that an event was not handled, so that its next delivery is.
    pub(super) fn failed(&mut self, id: &str) {
        let id = self.hasher.hash_one(id);
        if self.events.get(&id) == Some(&Progress::Ongoing) {
            self.events.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_what_was_handled_and_no_more_than_it_may() {
        let mut memory = Memory::new(2);
        assert_eq!(memory.begin("a"), Known::New);
        assert_eq!(memory.begin("a"), Known::Ongoing);
        memory.done("a");
        assert_eq!(memory.begin("a"), Known::Done);
        for id in ["b", "c"] {
            assert_eq!(memory.begin(id), Known::New);
            memory.done(id);
        }
        assert_eq!(memory.begin("b"), Known::Done);
        assert_eq!(memory.begin("c"), Known::Done);
        assert_eq!(memory.begin("a"), Known::New);
        assert_eq!(memory.order.len(), 2);
        memory.failed("a");
        assert_eq!(memory.events.len(), 2);
    }

    #[test]
    fn a_failed_event_is_new_again_and_a_handled_one_is_not() {
        let mut memory = Memory::new(2);
        assert_eq!(memory.begin("a"), Known::New);
        memory.failed("a");
        assert_eq!(memory.begin("a"), Known::New);
        memory.done("a");
        memory.failed("a");
        assert_eq!(memory.begin("a"), Known::Done);
    }
}
