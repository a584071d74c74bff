//! Which events have been seen.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// The last events, by source and id: ids are unique within a source only. They are kept as hashes:
/// long ids of a sender take no more memory.
#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    events: HashMap<u64, Progress>,
    /// Handled events, oldest first.
    order: VecDeque<u64>,
    capacity: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ongoing,
    Done,
}

/// The handling of an event that came in.
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
    pub(super) fn begin(&mut self, source: &str, id: &str) -> Known {
        let event = self.hasher.hash_one((source, id));
        match self.events.get(&event) {
            Some(Progress::Ongoing) => Known::Ongoing,
            Some(Progress::Done) => Known::Done,
            None => {
                self.events.insert(event, Progress::Ongoing);
                Known::New
            }
        }
    }

    /// Notes that an event was handled, and forgets the oldest if there are too many.
    pub(super) fn done(&mut self, source: &str, id: &str) {
        let event = self.hasher.hash_one((source, id));
        self.events.insert(event, Progress::Done);
        self.order.push_back(event);
        while self.order.len() > self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.events.remove(&oldest);
            }
        }
    }

    /// Notes that an event was not handled, so that its next delivery is.
    pub(super) fn failed(&mut self, source: &str, id: &str) {
        let event = self.hasher.hash_one((source, id));
        if self.events.get(&event) == Some(&Progress::Ongoing) {
            self.events.remove(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_what_was_handled_and_no_more_than_it_may() {
        let mut memory = Memory::new(2);
        assert_eq!(memory.begin("s", "a"), Known::New);
        assert_eq!(memory.begin("s", "a"), Known::Ongoing);
        memory.done("s", "a");
        assert_eq!(memory.begin("s", "a"), Known::Done);
        for id in ["b", "c"] {
            assert_eq!(memory.begin("s", id), Known::New);
            memory.done("s", id);
        }
        assert_eq!(memory.begin("s", "b"), Known::Done);
        assert_eq!(memory.begin("s", "c"), Known::Done);
        assert_eq!(memory.begin("s", "a"), Known::New);
        assert_eq!(memory.order.len(), 2);
        memory.failed("s", "a");
        assert_eq!(memory.events.len(), 2);
    }

    #[test]
    fn a_failed_event_is_new_again_and_a_handled_one_is_not() {
        let mut memory = Memory::new(2);
        assert_eq!(memory.begin("s", "a"), Known::New);
        memory.failed("s", "a");
        assert_eq!(memory.begin("s", "a"), Known::New);
        memory.done("s", "a");
        memory.failed("s", "a");
        assert_eq!(memory.begin("s", "a"), Known::Done);
    }

    #[test]
    fn an_id_is_one_of_its_source() {
        let mut memory = Memory::new(9);
        for (source, id) in [
            ("a", "1"),
            ("b", "1"),
            ("a", "2"),
            ("", "1"),
            ("a1", ""),
            ("a", "b1"),
        ] {
            assert_eq!(memory.begin(source, id), Known::New, "{source} {id}");
            memory.done(source, id);
        }
        assert_eq!(memory.begin("b", "1"), Known::Done);
    }
}
