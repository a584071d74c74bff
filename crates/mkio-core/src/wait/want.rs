//! The goal of a wait, as its caller gives it.

use std::sync::Arc;

use super::{Change, Goal, PRESENT, Resource, State, StateName, state::Observer};
use crate::{Error, ErrorKind, Result};

/// The goal of a wait. Made by [`Until`].
#[doc(hidden)]
#[non_exhaustive]
pub enum Want {
    /// A goal that the resource declares.
    Goal(&'static Goal),
    /// One of these states.
    States(Vec<String>),
    /// Whatever the closure accepts.
    Test(Observer<Arc<str>, bool>),
    /// The resource is gone.
    Gone,
    /// Any state but these.
    Leave(Vec<&'static str>),
}

impl Want {
    /// The resource's default goal.
    pub(super) fn default_of(resource: &'static Resource) -> Result<Self> {
        let goal = resource.goals.first();
        goal.map(Self::Goal).ok_or_else(|| no_goal(resource, ""))
    }

    /// The goal of this name.
    pub(super) fn goal(resource: &'static Resource, name: &str) -> Result<Self> {
        let goal = resource.goal(name);
        goal.map(Self::Goal).ok_or_else(|| no_goal(resource, name))
    }

    /// One of these states. A single one for which the resource declares a goal is that goal, with
    /// its failure states.
    pub fn states(resource: &'static Resource, states: Vec<String>) -> Self {
        let declared = |state: &String| {
            let reaches = |goal: &&Goal| goal.states == [state] && goal.min_age.is_zero();
            resource.goals.iter().find(reaches)
        };
        match &*states {
            [state] => declared(state).map_or(Self::States(states), Self::Goal),
            _ => Self::States(states),
        }
    }
}

fn no_goal(resource: &Resource, name: &str) -> Error {
    let known: Vec<_> = resource.goals.iter().map(|goal| goal.name).collect();
    let message = format!("{} has no goal `{name}`, only {known:?}", resource.name);
    Error::new(ErrorKind::InvalidRequest, message)
}

/// What [`Wait::until`](super::Wait::until) takes: a state, several, or a closure.
///
/// The closure is called with every change and ends the wait when it returns `true`.
///
/// A state given as text must be one that the resource declares, so that a misspelt one is an error
/// at once. A state that this version does not know goes as its type:
/// `JobState::from("NewState")`.
pub trait Until<S> {
    /// The goal of the wait.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the resource has no such state.
    #[doc(hidden)]
    fn into_want(self, resource: &'static Resource) -> Result<Want>;
}

impl<S: StateName, F: FnMut(&Change<S>) -> bool + Send + 'static> Until<S> for F {
    fn into_want(mut self, _: &'static Resource) -> Result<Want> {
        Ok(Want::Test(Box::new(move |change| self(&change.to_typed()))))
    }
}

impl Until<Self> for State {
    fn into_want(self, resource: &'static Resource) -> Result<Want> {
        Ok(Want::states(resource, vec![self.as_name().to_owned()]))
    }
}

impl<S: StateName> Until<S> for &str {
    fn into_want(self, resource: &'static Resource) -> Result<Want> {
        let present = resource.presence && self == PRESENT;
        if resource.kind(self).is_none() && !present {
            let known = resource.states.iter().map(|(name, _)| *name);
            let known: Vec<_> = known.chain(resource.presence.then_some(PRESENT)).collect();
            let message = format!("{} has no state `{self}`, only {known:?}", resource.name);
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        Ok(Want::states(resource, vec![self.to_owned()]))
    }
}

impl<S: StateName> Until<S> for Vec<S> {
    fn into_want(self, resource: &'static Resource) -> Result<Want> {
        let names = self.iter().map(|state| state.as_name().to_owned());
        Ok(Want::states(resource, names.collect()))
    }
}

impl<S: StateName, const N: usize> Until<S> for [S; N] {
    fn into_want(self, resource: &'static Resource) -> Result<Want> {
        Vec::from(self).into_want(resource)
    }
}

/// Makes open enums states that waits understand. For generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! state_names {
    ($($state:ty),* $(,)?) => {$(
        impl $crate::wait::StateName for $state {
            fn from_name(name: &str) -> Self {
                Self::from(name)
            }

            fn as_name(&self) -> &str {
                self.as_str()
            }
        }

        impl $crate::wait::Until<Self> for $state {
            fn into_want(
                self,
                resource: &'static $crate::wait::Resource,
            ) -> $crate::Result<$crate::wait::Want> {
                let name = $crate::wait::StateName::as_name(&self).to_owned();
                ::std::result::Result::Ok($crate::wait::Want::states(resource, ::std::vec![name]))
            }
        }
    )*};
}
