//! Calls that change a resource, made so that a wait can follow.
//!
//! Two things can go wrong with such a call. The service refuses it (409) while the resource is on
//! its way to another state: then the call is made again when the resource has arrived. A response
//! gets lost: then the state of the resource shows whether the call was carried out, or the status
//! of a second call does (409 for what exists, 404 for what is gone).

use std::{future::poll_fn, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_core::future::BoxFuture;
use http::Method;
use serde_json::Value;
use tokio::{sync::mpsc, time::Instant};

use super::{
    Change, Goal, Reason, StateKind, WaitFailure,
    judge::ActionResult,
    plan::Plan,
    poll::{self, Channels},
    running::Running,
    seen::{created_at, date},
    settings::WaitSettings,
    target::Target,
    want::Want,
};
use crate::{Error, ErrorKind, Response, Result};

/// A call that a wait begins with, and how it may be made again. For generated code.
#[doc(hidden)]
pub struct ActionCall {
    effect: CallEffect,
    call: Box<dyn FnMut() -> BoxFuture<'static, Result<Option<Value>>> + Send>,
}

/// The effect of a call on the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallEffect {
    /// Makes it; it must not exist before.
    Creates,
    /// Brings it to this goal.
    Reaches(&'static str),
    /// Removes it.
    Deletes,
    /// Anything else; such a call is made once.
    Unknown,
}

/// Clock tolerance when deciding whether a resource was created by a call: the service has times in
/// whole seconds, and its clocks differ.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

impl ActionCall {
    /// A call that makes the resource, and whose response is the resource.
    pub fn creates<T, F>(mut call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Response<T>>> + Send + 'static,
        T: 'static,
    {
        Self {
            effect: CallEffect::Creates,
            call: Box::new(move || {
                let response = call();
                Box::pin(async move { Ok(serde_json::from_slice(response.await?.raw()).ok()) })
            }),
        }
    }

    /// A call that brings the resource to a goal that it declares.
    pub fn reaches<T, F>(goal: &'static str, call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: 'static,
    {
        Self::of(CallEffect::Reaches(goal), call)
    }

    /// A call that deletes the resource.
    pub fn deletes<T, F>(call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: 'static,
    {
        Self::of(CallEffect::Deletes, call)
    }

    /// A call that is made once, whatever it does.
    pub(super) fn once<T, F>(call: F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let mut call = Some(call);
        Self {
            effect: CallEffect::Unknown,
            call: Box::new(move || {
                let call = call.take();
                Box::pin(async move {
                    match call {
                        Some(call) => call.await.map(|_| None),
                        None => Ok(None),
                    }
                })
            }),
        }
    }

    fn of<T, F>(effect: CallEffect, mut call: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: 'static,
    {
        Self {
            effect,
            call: Box::new(move || {
                let response = call();
                Box::pin(async move { response.await.map(|_| None) })
            }),
        }
    }
}

/// Carries actions out, one after the other, each when the one before has reached its goal.
pub(super) struct ActionRun {
    target: Target,
    channels: Channels,
    settings: WaitSettings,
    /// Receives the changes.
    changes: mpsc::UnboundedSender<Change<Arc<str>>>,
    began: Instant,
    result: ActionResult,
}

impl ActionRun {
    pub(super) fn new(
        target: Target,
        channels: Channels,
        settings: WaitSettings,
        changes: mpsc::UnboundedSender<Change<Arc<str>>>,
    ) -> Self {
        Self {
            target,
            channels,
            settings,
            changes,
            began: Instant::now(),
            result: ActionResult::default(),
        }
    }

    pub(super) async fn run(mut self, actions: Vec<ActionCall>) -> Result<ActionResult> {
        self.began = Instant::now();
        let last = actions.len().saturating_sub(1);
        for (place, mut action) in actions.into_iter().enumerate() {
            self.act(&mut action).await?;
            if place < last
                && let CallEffect::Reaches(goal) = action.effect
            {
                let want = Want::goal(self.target.resource, goal)?;
                let result = self.result.clone();
                self.watch(want, Some(result)).await?;
            }
        }
        self.result.took = self.began.elapsed();
        Ok(self.result)
    }

    async fn act(&mut self, action: &mut ActionCall) -> Result<()> {
        let mut again = false;
        loop {
            let called = Instant::now();
            let error = match (action.call)().await {
                Ok(made) => {
                    self.result.created_at = made.and_then(|made| created_at(&self.target, &made));
                    return Ok(());
                }
                Err(error) => error,
            };
            let lost = error.outcome_unknown();
            let found = match action.effect {
                CallEffect::Creates if error.is_conflict() && lost => {
                    return self.check_creation(called, error).await;
                }
                CallEffect::Deletes if error.is_not_found() && lost => return Ok(()),
                CallEffect::Creates | CallEffect::Unknown => return Err(error),
                _ if error.is_conflict() => self.ask(action.effect, &error).await?,
                // A POST is sent once. The resource shows whether it arrived.
                CallEffect::Reaches(_) if lost && is_post(&error) => {
                    self.ask(action.effect, &error).await?
                }
                _ => return Err(error),
            };
            let Some((state, was_busy)) = found else {
                return if action.effect == CallEffect::Deletes {
                    Ok(())
                } else {
                    Err(error)
                };
            };
            if self.is_done(action.effect, &state) {
                return Ok(());
            }
            let goal = self.goal(action.effect);
            let hopeless = goal.is_some_and(|goal| goal.failures.contains(&&*state));
            // The state may have changed just after the refusal: once more.
            if hopeless || (again && !was_busy) {
                return Err(self.refused(error, state));
            }
            again = !was_busy;
        }
    }

    fn goal(&self, effect: CallEffect) -> Option<&'static Goal> {
        match effect {
            CallEffect::Reaches(goal) => self.target.resource.goal(goal),
            CallEffect::Creates | CallEffect::Deletes | CallEffect::Unknown => None,
        }
    }

    /// The resource is where the action was to bring it, or on the way there.
    fn is_done(&self, effect: CallEffect, state: &str) -> bool {
        if effect == CallEffect::Deletes {
            return self.target.resource.kind(state) == Some(StateKind::Deleting);
        }
        self.goal(effect).is_some_and(|goal| {
            let there = goal.min_age.is_zero() && goal.states.contains(&state);
            there || goal.on_the_way.contains(&state)
        })
    }

    /// Asks for the resource's state, once it has left those that keep it busy, and whether it was
    /// in one of these; `None` when there is no such resource.
    async fn ask(&mut self, effect: CallEffect, cause: &Error) -> Result<Option<(String, bool)>> {
        let busy = self.target.resource.busy.iter().copied();
        let on_the_way = self.goal(effect).map_or(&[][..], |goal| goal.on_the_way);
        let busy = busy.filter(|state| !on_the_way.contains(state)).collect();
        let before = self.result.state.take();
        let outcome = self.watch(Want::Leave(busy), None).await;
        match (outcome, self.result.state.clone()) {
            (Ok(states), Some(state)) => Ok(Some(((*state).to_owned(), states > 1))),
            (Ok(_), None) => Ok(None),
            (Err(error), _) => {
                self.result.state = self.result.state.take().or(before);
                let reason = WaitFailure::of(&error).map(|failure| failure.reason);
                match reason {
                    Some(Reason::NotFound | Reason::Gone) => Ok(None),
                    // Asking failed; the error of the refused call says more.
                    Some(Reason::Poll) => Err(cause.clone()),
                    _ => Err(error.with_source(cause.clone())),
                }
            }
        }
    }

    /// Waits for the rest of the time, and passes changes on; gives how many states were seen.
    async fn watch(&mut self, want: Want, after_action: Option<ActionResult>) -> Result<usize> {
        let since = Instant::now();
        let mut settings = self.settings.clone();
        settings.timeout = settings.timeout.saturating_sub(self.result.waited);
        settings.after_action = after_action.is_some();
        if matches!(want, Want::Leave(_)) {
            settings.missing_for = Duration::ZERO;
        }
        let took = self.began.elapsed();
        let after_action = after_action.map(|result| ActionResult { took, ..result });
        let (target, channels) = (self.target.clone(), self.channels.clone());
        let plan = Plan::new(target, want, channels, settings, after_action).begun_before(took);
        let mut running = Running::begin(plan)?;
        let mut states = 0;
        while let Some(change) = poll_fn(|cx| running.poll_change(cx)).await {
            if self.result.state.as_ref() != Some(&change.state) {
                states += 1;
            }
            self.result.state = Some(Arc::clone(&change.state));
            // Nobody listens when the wait is awaited.
            let _ = self.changes.send(change);
        }
        self.result.waited += since.elapsed();
        running.outcome().map(|_| states)
    }

    /// After a conflict: an attempt whose response was lost may have created the resource.
    async fn check_creation(&mut self, called: Instant, conflict: Error) -> Result<()> {
        let target = &self.target;
        let found = match poll::item(&self.channels.foreground, target).await {
            Ok(found) => found,
            // Lists and reads may lag behind; the wait tolerates that.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(_) => return Err(conflict),
        };
        let now = date(found.headers()).unwrap_or_else(Utc::now);
        let Some(created_at) = created_at(target, &found) else {
            return Ok(());
        };
        if is_older(created_at, now, called.elapsed()) {
            return Err(conflict);
        }
        self.result.created_at = Some(created_at);
        Ok(())
    }

    /// The error of a refusal, with the state in which the resource was found.
    fn refused(&self, error: Error, state: String) -> Error {
        let target = &self.target;
        error.with_value(WaitFailure {
            reason: Reason::Refused,
            resource: target.resource.name,
            name: target.name().to_owned(),
            place: target.place(),
            state: Some(state),
            progress: None,
            errors: Vec::new(),
            elapsed: self.began.elapsed(),
            json: None,
        })
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

/// A resource created then is older than a call that began so long ago.
fn is_older(created_at: DateTime<Utc>, now: DateTime<Utc>, ago: Duration) -> bool {
    let ago = TimeDelta::from_std(ago).unwrap_or(TimeDelta::MAX);
    let began = now
        .checked_sub_signed(ago)
        .and_then(|began| began.checked_sub_signed(CLOCK_TOLERANCE));
    began.is_some_and(|began| created_at < began)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_older_than_a_call_that_began_later_by_more_than_the_tolerance() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(365);
        let ago = Duration::from_secs(60);
        let began = now - TimeDelta::seconds(60);
        let tolerated = began - CLOCK_TOLERANCE;
        assert!(!is_older(began, now, ago));
        assert!(!is_older(tolerated, now, ago));
        assert!(is_older(tolerated - TimeDelta::nanoseconds(1), now, ago));
        // A call that began before time: nothing is older.
        assert!(!is_older(tolerated, now, Duration::MAX));
    }
}
