//! How the states of resources change. The states and moves themselves are in `states`, which the generator makes of `spec/states.yaml`.

use std::time::Duration;

use crate::base::store::{Event, Step};

/// The meaning of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It passes by itself.
    Transient,
    /// It stays until somebody acts.
    Steady,
    /// The end, with success.
    Success,
    /// The end or a standstill, after a failure.
    Failure,
    /// Being deleted.
    Deleting,
}

/// A move from one state to another.
#[derive(Debug)]
pub struct Move {
    /// Its name: `start`.
    pub name: &'static str,
    /// States in which it is allowed; all when empty.
    pub from: &'static [&'static str],
    /// The state that it leads to at once; none where it only says when something is allowed.
    pub to: Option<&'static str>,
    /// The steps that follow by themselves.
    pub steps: &'static [Step],
    /// For a move that ends in the state it began in: milliseconds until then.
    pub back: Option<u64>,
}

impl Move {
    /// Whether a state allows it.
    pub fn allowed_in(&self, state: &str) -> bool {
        self.from.is_empty() || self.from.contains(&state)
    }

    /// The last state of the move.
    pub fn rest(&self) -> Option<&'static str> {
        self.at(Duration::MAX).map(|(state, _)| state)
    }

    /// The state after `elapsed`, and the part of the time in that state that has passed, in percent.
    pub fn at(&self, mut elapsed: Duration) -> Option<(&'static str, u64)> {
        let mut state = self.to?;
        for step in self.steps {
            let Event::Enter(next) = step.event else {
                break;
            };
            let Some(left) = elapsed.checked_sub(step.after) else {
                let percent = elapsed.as_secs() * 100 / step.after.as_secs().max(1);
                return Some((state, percent));
            };
            (state, elapsed) = (next, left);
        }
        Some((state, 100))
    }
}

/// The states of a kind.
#[derive(Debug)]
pub struct Life {
    /// Each state that it can be in, with its meaning.
    pub states: &'static [(&'static str, Class)],
    /// The move of a new resource.
    pub create: Option<&'static Move>,
    /// The move of a deletion; without one the resource is removed at once.
    pub delete: Option<&'static Move>,
}

impl Life {
    /// The life of a kind without states.
    pub const NONE: Self = Self {
        states: &[],
        create: None,
        delete: None,
    };

    /// Whether a state is an end.
    pub fn is_end(&self, state: &str) -> bool {
        let ends = |class| matches!(class, Class::Success | Class::Failure);
        self.states
            .iter()
            .any(|(other, class)| *other == state && ends(*class))
    }
}
