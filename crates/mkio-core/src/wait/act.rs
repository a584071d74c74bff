//! Calls that change a resource, made so that a wait can follow.
//!
//! Two things stand between such a call and what its user wants. The service refuses it (409) while
//! the resource is on its way to another state: then the call is made again when the resource has
//! arrived. And an answer can get lost: then the resource tells whether the call has been carried
//! out, or a second one says so (409 for what exists, 404 for what is gone).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_core::future::BoxFuture;
use http::Method;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::channels::Channels;
use super::judge::{Acted, born};
use super::member::Pace;
use super::setup::Goal as Wanted;
use super::state::RawChange;
use super::target::Target;
use super::{Goal, Reason, State, StateKind, Wait, WaitFailure, look};
use crate::{Error, ErrorKind, Response, Result};

/// A call that a wait begins with, and how it may be made again. For generated code.
#[doc(hidden)]
pub struct Action {
    effect: Effect,
    call: Box<dyn FnMut() -> BoxFuture<'static, Result<Option<Value>>> + Send>,
}

/// What a call does to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Makes it; it must not exist before.
    Creates,
    /// Brings it to this goal.
    Reaches(&'static str),
    /// Removes it.
    Deletes,
}

/// How much older than its call a resource may look that the call has made: the service tells the
/// time in whole seconds, and its clocks differ.
const SLACK: TimeDelta = TimeDelta::seconds(5);

impl Action {
    /// A call that makes the resource, and whose answer is the resource.
    pub fn creates<T, F>(mut call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Response<T>>> + Send + 'static,
        T: 'static,
    {
        Self {
            effect: Effect::Creates,
            call: Box::new(move || {
                let answer = call();
                Box::pin(async move { Ok(serde_json::from_slice(answer.await?.raw()).ok()) })
            }),
        }
    }

    /// A call that brings the resource to a goal that it declares.
    pub fn reaches<T, F>(goal: &'static str, call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: 'static,
    {
        Self::of(Effect::Reaches(goal), call)
    }

    /// A call that deletes the resource.
    pub fn deletes<T, F>(call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: 'static,
    {
        Self::of(Effect::Deletes, call)
    }

    fn of<T, F>(effect: Effect, mut call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: 'static,
    {
        Self {
            effect,
            call: Box::new(move || {
                let answer = call();
                Box::pin(async move { answer.await.map(|_| None) })
            }),
        }
    }
}

/// Carries actions out, one after the other, each when the one before has reached its goal.
pub(super) struct Course {
    pub(super) channels: Channels,
    pub(super) target: Target,
    pub(super) pace: Pace,
    /// Longest time to wait in between.
    pub(super) timeout: Duration,
    /// Whom to tell of changes.
    pub(super) changes: mpsc::UnboundedSender<RawChange>,
}

/// A course under way.
struct Steps {
    course: Course,
    began: Instant,
    acted: Acted,
}

/// What a question about the resource brought.
enum Found {
    /// It is in this state; the flag says that it was in a state that keeps it busy before.
    State(String, bool),
    Absent,
}

impl Course {
    pub(super) async fn run(self, actions: Vec<Action>) -> Result<Acted> {
        let mut steps = Steps {
            course: self,
            began: Instant::now(),
            acted: Acted::default(),
        };
        let last = actions.len().saturating_sub(1);
        for (place, mut action) in actions.into_iter().enumerate() {
            steps.act(&mut action).await?;
            if place < last
                && let Effect::Reaches(goal) = action.effect
            {
                steps.wait(Wanted::Named(goal.to_owned()), true).await?;
            }
        }
        steps.acted.took = steps.began.elapsed();
        Ok(steps.acted)
    }
}

impl Steps {
    async fn act(&mut self, action: &mut Action) -> Result<()> {
        let mut again = false;
        loop {
            let called = Instant::now();
            let error = match (action.call)().await {
                Ok(answer) => {
                    let born = answer.and_then(|answer| born(&self.course.target, &answer));
                    self.acted.born = born;
                    return Ok(());
                }
                Err(error) => error,
            };
            let lost = error.outcome_unknown();
            let found = match action.effect {
                Effect::Creates if error.is_conflict() && lost => {
                    return self.made(called, error).await;
                }
                Effect::Creates => return Err(error),
                Effect::Deletes if error.is_not_found() && lost => return Ok(()),
                _ if error.is_conflict() => self.ask(action.effect, &error).await?,
                // A POST is sent once. Whether it arrived, the resource tells.
                Effect::Reaches(_) if lost && is_post(&error) => {
                    self.ask(action.effect, &error).await?
                }
                _ => return Err(error),
            };
            let Found::State(state, was_busy) = found else {
                return match action.effect {
                    Effect::Deletes => Ok(()),
                    _ => Err(error),
                };
            };
            if self.done(action.effect, &state) {
                return Ok(());
            }
            let hopeless = match self.goal(action.effect) {
                Some(goal) => goal.failures.contains(&&*state),
                None => false,
            };
            // The state may have changed just after the refusal: once more.
            if hopeless || (again && !was_busy) {
                return Err(self.refused(error, state));
            }
            again = !was_busy;
        }
    }

    fn goal(&self, effect: Effect) -> Option<&'static Goal> {
        match effect {
            Effect::Reaches(goal) => self.course.target.resource.goal(goal),
            Effect::Creates | Effect::Deletes => None,
        }
    }

    /// The resource is where the action was to bring it, or on the way there.
    fn done(&self, effect: Effect, state: &str) -> bool {
        match effect {
            Effect::Deletes => self.course.target.resource.kind(state) == Some(StateKind::Deleting),
            effect => self.goal(effect).is_some_and(|goal| {
                let there = goal.settle.is_zero() && goal.states.contains(&state);
                there || goal.via.contains(&state)
            }),
        }
    }

    /// Asks for the resource's state, once it has left those that keep it busy.
    async fn ask(&mut self, effect: Effect, cause: &Error) -> Result<Found> {
        let busy = self.course.target.resource.busy.iter().copied();
        let via = self.goal(effect).map_or(&[][..], |goal| goal.via);
        let busy = busy.filter(|state| !via.contains(state)).collect();
        let before = self.acted.state.take();
        let mut states = 0usize;
        let outcome = self.watch(Wanted::Leave(busy), false, &mut states).await;
        match (outcome, self.acted.state.clone()) {
            (Ok(_), Some(state)) => Ok(Found::State((*state).to_owned(), states > 1)),
            (Ok(_), None) => Ok(Found::Absent),
            (Err(error), _) => {
                self.acted.state = self.acted.state.take().or(before);
                let reason = WaitFailure::of(&error).map(|failure| failure.reason);
                match reason {
                    Some(Reason::NotFound | Reason::Gone) => Ok(Found::Absent),
                    // Asking failed; what was refused in the first place tells more.
                    Some(Reason::Look) => Err(cause.clone()),
                    _ => Err(error.with_source(cause.clone())),
                }
            }
        }
    }

    async fn wait(&mut self, goal: Wanted<State>, acted: bool) -> Result<()> {
        self.watch(goal, acted, &mut 0).await
    }

    /// Waits with what is left of the time; counts changes of state and passes them on.
    async fn watch(&mut self, goal: Wanted<State>, acted: bool, states: &mut usize) -> Result<()> {
        let course = &self.course;
        let left = course.timeout.saturating_sub(self.acted.waited);
        let since = Instant::now();
        let acted = acted.then(|| Acted {
            took: self.began.elapsed(),
            ..self.acted.clone()
        });
        let wait = Wait::<IgnoredAny, State>::within(
            course.channels.clone(),
            course.target.clone(),
            course.pace,
        );
        let mut wait = wait.part(goal, left, acted, self.began.elapsed());
        while let Some(change) = std::future::poll_fn(|cx| wait.poll_change(cx)).await {
            if self.acted.state.as_ref() != Some(&change.state) {
                *states += 1;
            }
            self.acted.state = Some(Arc::clone(&change.state));
            // Nobody listens when the wait is awaited.
            let _ = self.course.changes.send(change);
        }
        self.acted.waited += since.elapsed();
        wait.into_outcome().map(drop)
    }

    /// After a conflict: an attempt whose answer was lost may have made the resource.
    async fn made(&mut self, called: Instant, conflict: Error) -> Result<()> {
        let target = &self.course.target;
        let found = match look::item(&self.course.channels.foreground, target).await {
            Ok(found) => found,
            // Lists and reads may lag behind; the wait tolerates that.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(_) => return Err(conflict),
        };
        let now = look::date(found.headers()).unwrap_or_else(Utc::now);
        let Some(born) = born(target, &found) else {
            return Ok(());
        };
        if is_older(born, now, called.elapsed()) {
            return Err(conflict);
        }
        self.acted.born = Some(born);
        Ok(())
    }

    /// The error of a refusal, with the state in which the resource was found.
    fn refused(&self, error: Error, state: String) -> Error {
        let target = &self.course.target;
        let failure = WaitFailure {
            reason: Reason::Refused,
            resource: target.resource.name,
            name: target.name().to_owned(),
            state: Some(state),
            progress: None,
            errors: Vec::new(),
            elapsed: self.began.elapsed(),
            json: None,
        };
        error.with_value(failure)
    }
}

fn is_post(error: &Error) -> bool {
    let operation = error.operation();
    operation.is_some_and(|operation| operation.method == Method::POST)
        && matches!(
            error.kind(),
            ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Api
        )
}

/// What was made then is older than a call that began so long ago.
fn is_older(born: DateTime<Utc>, now: DateTime<Utc>, ago: Duration) -> bool {
    let ago = TimeDelta::from_std(ago).unwrap_or(TimeDelta::MAX);
    let began = now
        .checked_sub_signed(ago)
        .and_then(|began| began.checked_sub_signed(SLACK));
    began.is_some_and(|began| born < began)
}
