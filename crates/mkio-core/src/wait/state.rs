//! States and their changes, as the caller of a wait sees them.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

use super::StateKind;

/// A typed state.
///
/// Implemented by the open enums of the generated crates: every text is a state, known or not.
pub trait StateName: Clone + fmt::Debug + Send + Sync + 'static {
    /// The state of this name.
    fn from_name(name: &str) -> Self;

    /// Name of the state as the service writes it.
    fn as_name(&self) -> &str;
}

/// A state of a resource whose states have no type of their own: its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State(String);

impl StateName for State {
    fn from_name(name: &str) -> Self {
        Self(name.to_owned())
    }

    fn as_name(&self) -> &str {
        &self.0
    }
}

impl From<&str> for State {
    fn from(name: &str) -> Self {
        Self::from_name(name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A closure of the caller that sees changes.
pub(super) type Observer<S, R> = Box<dyn FnMut(&Change<S>) -> R + Send>;

/// A state, or a step of progress, that was seen for the first time.
#[derive(Clone)]
#[non_exhaustive]
pub struct Change<S> {
    /// The state.
    pub state: S,
    /// The state that was seen before it.
    pub previous: Option<S>,
    /// The meaning of the state; `None` for a state that this version does not know. The wait goes
    /// on after such a state.
    pub kind: Option<StateKind>,
    /// Progress in percent, where the resource has it.
    pub progress: Option<u8>,
    /// Time since the wait began.
    pub elapsed: Duration,
    resource: Option<Arc<Value>>,
}

impl<S> Change<S> {
    /// The resource's JSON, when the poll that saw the change read more than the state.
    pub fn resource(&self) -> Option<&Value> {
        self.resource.as_deref()
    }
}

/// Shows no resource: it may hold secrets.
impl<S: fmt::Debug> fmt::Debug for Change<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("state", &self.state)
            .field("previous", &self.previous)
            .field("kind", &self.kind)
            .field("progress", &self.progress)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

/// A change before its states have their type.
impl Change<Arc<str>> {
    pub(super) fn new(
        state: Arc<str>,
        previous: Option<Arc<str>>,
        kind: Option<StateKind>,
        progress: Option<u8>,
        elapsed: Duration,
        resource: Option<Arc<Value>>,
    ) -> Self {
        Self {
            state,
            previous,
            kind,
            progress,
            elapsed,
            resource,
        }
    }

    pub(super) fn to_typed<S: StateName>(&self) -> Change<S> {
        Change {
            state: S::from_name(&self.state),
            previous: self.previous.as_deref().map(S::from_name),
            kind: self.kind,
            progress: self.progress,
            elapsed: self.elapsed,
            resource: self.resource.clone(),
        }
    }
}
