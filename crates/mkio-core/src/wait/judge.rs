//! Decides when a wait has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::state::RawChange;
use super::target::Target;
use super::{Goal, PRESENT, Reason, StateKind, pointer};

/// What a wait is for.
pub(super) enum Want {
    /// A goal that the resource declares.
    Goal(&'static Goal),
    /// One of these states.
    States(Vec<String>),
    /// Whatever the closure accepts.
    Test(Box<dyn FnMut(&RawChange) -> bool + Send>),
    /// The resource is gone.
    Gone,
}

/// What a look saw.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// The resource, by its state and, depending on the look, as a whole.
    There {
        state: Option<String>,
        resource: Option<Value>,
    },
    /// No such resource.
    Absent,
}

/// What follows from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    Reached,
    Failed(Reason),
    /// The user's closure panicked.
    Panicked,
}

/// How long a failure from before an action does not count, where the goal says nothing.
const GRACE: Duration = Duration::from_secs(10);

/// The memory of a wait, and its rules.
pub(super) struct Judge {
    want: Want,
    missing_for: Duration,
    pub(super) state: Option<Arc<str>>,
    pub(super) progress: Option<u8>,
    pub(super) resource: Option<Arc<Value>>,
    /// The last look brought the resource.
    whole: bool,
    /// A state other than those of the goal was seen.
    elsewhere: bool,
    /// A state on the way to the goal was seen.
    via: bool,
    /// The wait begins with an action.
    acted: bool,
    /// A state other than the first was seen.
    moved: bool,
    /// The last look saw a failure that may be from before the wait.
    doubted: bool,
}

impl Judge {
    pub(super) fn new(want: Want, missing_for: Duration) -> Self {
        Self {
            want,
            missing_for,
            state: None,
            progress: None,
            resource: None,
            whole: false,
            elsewhere: false,
            via: false,
            acted: false,
            moved: false,
            doubted: false,
        }
    }

    /// Says that the wait begins with an action: what it shows first may be from before that.
    pub(super) fn after_action(self, acted: bool) -> Self {
        Self { acted, ..self }
    }

    /// A closure decides, which may ask for more than the state.
    pub(super) fn tests(&self) -> bool {
        matches!(self.want, Want::Test(_))
    }

    pub(super) fn wants_gone(&self) -> bool {
        matches!(self.want, Want::Gone)
    }

    pub(super) fn missing_for(&self) -> Duration {
        self.missing_for
    }

    /// How long a failure that was there from the beginning does not count.
    fn grace(&self) -> Duration {
        match &self.want {
            Want::Goal(goal) if !goal.settle.is_zero() => goal.settle,
            _ if self.acted => GRACE,
            _ => Duration::ZERO,
        }
    }

    /// How long what was there from the beginning does not count by itself.
    pub(super) fn settle(&self) -> Duration {
        match &self.want {
            _ if self.doubted => self.grace(),
            Want::Goal(goal) if !self.elsewhere => goal.settle,
            _ => Duration::ZERO,
        }
    }

    /// The resource, if the last look brought it.
    pub(super) fn current(&self) -> Option<&Value> {
        self.resource.as_deref().filter(|_| self.whole)
    }

    /// Takes in what a look saw: the change, if it is one, and what follows.
    pub(super) fn see(
        &mut self,
        target: &Target,
        seen: Seen,
        elapsed: Duration,
    ) -> (Option<RawChange>, Verdict) {
        let (state, resource) = match seen {
            Seen::Absent => return (None, self.absent(target, elapsed)),
            Seen::There { state, resource } => (state, resource.map(Arc::new)),
        };
        let declared = target.resource;
        self.whole = resource.is_some();
        let state: Arc<str> = match state {
            Some(state) => state.into(),
            None if declared.presence => PRESENT.into(),
            // Readable, but it does not tell its state: as good as no news.
            None => return (None, self.stateless(resource)),
        };
        let progress = match &resource {
            Some(resource) if !declared.progress_pointer.is_empty() => {
                pointer::percent(resource, &target.pointer(declared.progress_pointer))
            }
            _ => self
                .progress
                .filter(|_| self.state.as_ref() == Some(&state)),
        };
        let previous = self.state.replace(state.clone());
        let changed = previous.as_ref() != Some(&state) || self.progress != progress;
        self.progress = progress;
        if resource.is_some() {
            self.resource.clone_from(&resource);
        }
        let kind = declared.kind(&state);
        let change = RawChange::new(state, previous, kind, progress, elapsed, resource);
        let same = |previous: &Arc<str>| *previous == change.state;
        self.moved |= !change.previous.as_ref().is_none_or(same);
        let mut verdict = self.judge(target, &change);
        let leaving = change.kind == Some(StateKind::Deleting) || &*change.state == "Deleted";
        self.doubted = verdict == Verdict::Failed(Reason::State)
            && !leaving
            && !self.moved
            && elapsed < self.grace();
        if self.doubted {
            verdict = Verdict::GoOn;
        }
        (changed.then_some(change), verdict)
    }

    fn absent(&self, target: &Target, elapsed: Duration) -> Verdict {
        if self.wants_gone() {
            Verdict::Reached
        } else if self.state.is_some() {
            Verdict::Failed(Reason::Gone)
        } else if target.resource.presence || elapsed < self.missing_for {
            Verdict::GoOn
        } else {
            Verdict::Failed(Reason::NotFound)
        }
    }

    fn stateless(&mut self, resource: Option<Arc<Value>>) -> Verdict {
        if resource.is_some() {
            self.resource = resource;
        }
        Verdict::GoOn
    }

    fn judge(&mut self, target: &Target, change: &RawChange) -> Verdict {
        let state = &*change.state;
        if let Want::Gone = self.want {
            // Reads give 404 by then; the documents name the state all the same.
            return if state == "Deleted" {
                Verdict::Reached
            } else {
                Verdict::GoOn
            };
        }
        let failed_elsewhere = change.resource().is_some_and(|resource| {
            target.resource.failed_when.iter().any(|(at, values)| {
                pointer::text(resource, at).is_some_and(|found| values.contains(&found))
            })
        });
        if failed_elsewhere {
            return Verdict::Failed(Reason::State);
        }
        match &mut self.want {
            Want::Gone => Verdict::GoOn,
            // A panic would take all waits of the collection with it.
            Want::Test(test) => match catch_unwind(AssertUnwindSafe(|| test(change))) {
                Ok(true) => Verdict::Reached,
                Ok(false) => end(change),
                Err(_) => Verdict::Panicked,
            },
            Want::States(states) => match states.iter().any(|wanted| wanted == state) {
                true => Verdict::Reached,
                false => end(change),
            },
            Want::Goal(goal) => {
                if goal.states.contains(&state) {
                    let settled = self.elsewhere || change.elapsed >= goal.settle;
                    return match settled && fulfilled(goal, target, change.resource()) {
                        true => Verdict::Reached,
                        false => Verdict::GoOn,
                    };
                }
                self.elsewhere = true;
                self.via |= goal.via.contains(&state);
                if goal.failures.contains(&state) {
                    Verdict::Failed(Reason::State)
                } else if self.via && goal.undone.contains(&state) {
                    Verdict::Failed(Reason::Undone)
                } else {
                    Verdict::GoOn
                }
            }
        }
    }
}

/// A state after which no other comes is the end of every wait.
fn end(change: &RawChange) -> Verdict {
    match change.kind {
        Some(StateKind::Success | StateKind::Failure | StateKind::Deleting) => {
            Verdict::Failed(Reason::State)
        }
        _ => Verdict::GoOn,
    }
}

/// The resource has the values that the goal requires besides its state.
fn fulfilled(goal: &Goal, target: &Target, resource: Option<&Value>) -> bool {
    goal.requires.iter().all(|(at, value)| {
        let found = resource.and_then(|resource| pointer::text(resource, &target.pointer(at)));
        found == Some(&target.text(value))
    })
}
