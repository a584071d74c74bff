//! How the states of resources go on. The states and moves themselves are in `states`, which the generator makes of `spec/states.yaml`.

use std::time::Duration;

use crate::base::store::{Event, Step};

/// The meaning of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It passes by itself.
    Transient,
    /// It stays until somebody acts.
    Steady,
    /// The end, and a good one.
    Success,
    /// The end, or a standstill, and no good one.
    Failure,
    /// On the way out.
    Deleting,
}

/// A way from one state to another.
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
    /// For a way that leads back to where it began: milliseconds until then.
    pub back: Option<u64>,
}

impl Move {
    /// Whether a state allows it.
    pub fn allowed_in(&self, state: &str) -> bool {
        self.from.is_empty() || self.from.contains(&state)
    }

    /// The state that it comes to rest in.
    pub fn rest(&self) -> Option<&'static str> {
        self.at(Duration::MAX).map(|(state, _)| state)
    }

    /// The state that it has led to after a while, and how much of its time in it is over, in percent.
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
    /// The way of a new one.
    pub create: Option<&'static Move>,
    /// The way out; without one it goes at once.
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
