//! Decides when a wait has ended.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::state::RawChange;
use super::target::Target;
use super::{Goal, PRESENT, Reason, StateKind, pointer};
use crate::Timestamp;

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
    /// Any state but these.
    Leave(Vec<&'static str>),
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
    /// The resource seems to have fallen back, but what says so may be old.
    Doubtful,
    /// The user's closure panicked.
    Panicked,
}

/// What the last read says of the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
    Failed,
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
    /// The action has made the resource: nothing that it shows is from before.
    made: bool,
    /// A state other than the first was seen.
    moved: bool,
    /// The last look saw a failure that may be from before the wait.
    doubted: bool,
    /// All states that were seen, also before the wait was taken up again.
    seen: BTreeSet<Arc<str>>,
    /// When the resource was created that the wait is about.
    born: Option<DateTime<Utc>>,
    /// Time from the beginning of the wait to the first look: that of an action.
    pub(super) before: Duration,
    /// Only what was created after this counts.
    pub(super) created_after: Option<DateTime<Utc>>,
    /// Nobody wants the resource when the goal is reached.
    pub(super) bare: bool,
}

/// What an action leaves behind for the wait that follows.
#[derive(Debug, Clone, Default)]
pub(super) struct Acted {
    /// The last state that was seen.
    pub(super) state: Option<Arc<str>>,
    /// When the resource was created, if the action did that.
    pub(super) born: Option<DateTime<Utc>>,
    /// How long it took.
    pub(super) took: Duration,
    /// How much of that was waiting for the resource.
    pub(super) waited: Duration,
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
            made: false,
            moved: false,
            doubted: false,
            seen: BTreeSet::new(),
            born: None,
            before: Duration::ZERO,
            created_after: None,
            bare: false,
        }
    }

    /// Says that there was an action: what the resource shows first may be from before that.
    pub(super) fn after_action(mut self, acted: Option<Acted>) -> Self {
        if let Some(acted) = acted {
            self.acted = true;
            if let (Want::Goal(goal), Some(state)) = (&self.want, &acted.state) {
                self.via = goal.via.contains(&&**state);
            }
            self.state = acted.state;
            self.made = acted.born.is_some();
            self.born = acted.born;
            self.before = acted.took;
        }
        self
    }

    /// Says which states were seen before the wait was taken up again.
    pub(super) fn after(mut self, seen: impl IntoIterator<Item = String>) -> Self {
        for state in seen {
            if let Want::Goal(goal) = &self.want {
                self.elsewhere |= !goal.states.contains(&&*state);
                self.via |= goal.via.contains(&&*state);
            }
            self.seen.insert(state.into());
        }
        self.moved = self.seen.len() > 1;
        self
    }

    /// All states that were seen.
    pub(super) fn seen(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(|state| &**state)
    }

    pub(super) fn acted(&self) -> bool {
        self.acted
    }

    /// The state alone is not enough to decide.
    pub(super) fn wants_whole(&self, resource: &super::Resource) -> bool {
        match &self.want {
            // It may ask for anything.
            Want::Test(_) => true,
            Want::Goal(goal) => !goal.requires.is_empty() || !resource.failed_when.is_empty(),
            Want::States(_) => !resource.failed_when.is_empty(),
            Want::Gone | Want::Leave(_) => false,
        }
    }

    /// What ends the wait is of no interest beyond its state.
    pub(super) fn wants_no_resource(&self) -> bool {
        self.bare || self.wants_gone()
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
            _ if self.made => Duration::ZERO,
            Want::Goal(goal) if !goal.settle.is_zero() || !goal.grace.is_zero() => {
                goal.settle.max(goal.grace)
            }
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

    /// The resource is an earlier one of the same name. Remembers the newest one.
    pub(super) fn is_outdated(&mut self, target: &Target, resource: &Value) -> bool {
        let Some(born) = born(target, resource) else {
            return false;
        };
        // Some answers tell the time in whole seconds.
        let older = |newest: DateTime<Utc>| born.timestamp() < newest.timestamp();
        let outdated =
            self.born.is_some_and(older) || self.created_after.is_some_and(|after| born <= after);
        self.born = self.born.max(Some(born));
        outdated
    }

    /// What the last read says, after a state that reached the goal. A resource that has moved on
    /// from there was there all the same; one that is still where it was before was not, and
    /// neither was one that is not in a final state.
    pub(super) fn holds(&self, target: &Target, resource: &Value) -> Held {
        let declared = target.resource;
        let Some(state) = text(target, resource) else {
            return Held::Yes;
        };
        let final_state = self.state.as_deref().is_some_and(|state| {
            matches!(
                declared.kind(state),
                Some(StateKind::Success | StateKind::Failure)
            )
        });
        let reached = match &self.want {
            Want::Goal(goal) => goal.states.contains(&state),
            Want::States(states) => states.iter().any(|wanted| wanted == state),
            Want::Test(_) => self.state.as_deref() == Some(state),
            Want::Gone | Want::Leave(_) => true,
        };
        let failed = matches!(&self.want, Want::Goal(goal) if goal.failures.contains(&state));
        if reached {
            Held::Yes
        } else if failed {
            Held::Failed
        } else if final_state || self.seen.contains(state) {
            Held::No
        } else {
            Held::Yes
        }
    }

    /// Takes in the last read of a resource that has failed.
    pub(super) fn read(&mut self, target: &Target, resource: Value) {
        if let Some(state) = text(target, &resource) {
            self.state = Some(state.into());
        }
        self.resource = Some(Arc::new(resource));
    }

    /// The goal does not come any more after this state, as far as one can tell.
    fn falls_back(&self, state: &str) -> bool {
        match &self.want {
            Want::Goal(goal) => self.via && goal.undone.contains(&state),
            _ => false,
        }
    }

    /// Takes in what a look saw, `elapsed` after the first: the change, if it is one, and what
    /// follows. What did not come from the resource itself is not `direct` and may be old.
    pub(super) fn see(
        &mut self,
        target: &Target,
        seen: Seen,
        elapsed: Duration,
        direct: bool,
    ) -> (Option<RawChange>, Verdict) {
        let (state, resource) = match seen {
            Seen::Absent => return (None, self.absent(target, elapsed)),
            Seen::There { state, resource } => (state, resource.map(Arc::new)),
        };
        if let Some(resource) = &resource
            && self.is_outdated(target, resource)
        {
            return (None, Verdict::GoOn);
        }
        if !direct && state.as_deref().is_some_and(|state| self.falls_back(state)) {
            return (None, Verdict::Doubtful);
        }
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
        self.seen.insert(state.clone());
        let total = self.before.saturating_add(elapsed);
        let change = RawChange::new(state, previous, kind, progress, total, resource);
        let same = |previous: &Arc<str>| *previous == change.state;
        self.moved |= !change.previous.as_ref().is_none_or(same);
        let mut verdict = self.judge(target, &change, elapsed);
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
        } else if self.state.is_some() || !self.seen.is_empty() {
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

    fn judge(&mut self, target: &Target, change: &RawChange, elapsed: Duration) -> Verdict {
        let state = &*change.state;
        if let Want::Leave(states) = &self.want {
            return match states.contains(&state) {
                true => Verdict::GoOn,
                false => Verdict::Reached,
            };
        }
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
            Want::Gone | Want::Leave(_) => Verdict::GoOn,
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
                    let settled = self.elsewhere || elapsed >= goal.settle;
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

/// The resource's state, as its JSON tells.
fn text<'a>(target: &Target, resource: &'a Value) -> Option<&'a str> {
    let at = target.resource.state_pointer;
    pointer::text(resource, &target.pointer(at)).filter(|_| !at.is_empty())
}

/// When the resource was created, as its JSON tells.
pub(super) fn born(target: &Target, resource: &Value) -> Option<DateTime<Utc>> {
    let at = target.resource.born_pointer;
    let text = pointer::text(resource, at).filter(|_| !at.is_empty())?;
    Timestamp::from(text).utc()
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
