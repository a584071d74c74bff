//! The wait that a user holds.

use std::collections::BTreeSet;
use std::future::{Future, IntoFuture, poll_fn};
use std::marker::PhantomData;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::FusedStream;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Resource;
use super::act::Action;
use super::channels::Channels;
use super::description::{WaitDescription, WrittenGoal};
use super::judge::Acted;
use super::member::{Pace, Update, YEAR};
use super::running::{Acting, Running};
use super::setup::{First, Goal, Setup};
use super::state::{Change, RawChange, State, StateName, Until, UntilTarget};
use super::target::Target;
use crate::{Error, ErrorKind, Result, Timestamp, Transport};

/// A wait for a resource to get into a state.
///
/// As a future it gives the resource in its final state, or an [`Error`] whose
/// [`WaitFailure`](super::WaitFailure) has the last state, the errors that the resource tells
/// (those of a job's outputs, for example) and the time it took. As a [`Stream`] (and with
/// [`try_next`](Self::try_next)) it gives each [`Change`] as soon as it is seen, progress included;
/// the stream ends with the wait, after which the wait can still be awaited for its outcome.
///
/// The final resource is what the look showed that saw its state: an item of the list when many
/// waits share list requests, else the answer of a read of the resource itself.
///
/// Nothing is sent before the first poll. Looks run in a task that waits of the same collection
/// share; dropping the wait takes it out. What takes futures, such as `join_all`, takes a wait's
/// [`into_future`](IntoFuture::into_future). There is always a deadline
/// ([`timeout`](Self::timeout)), and one last look at it. A 404 means that the resource is gone
/// only where that is the goal; right after a creation it is tolerated for a while
/// ([`missing_for`](Self::missing_for)). A look that fails is repeated as the retry rules say; one
/// that cannot succeed (no right to read) ends the wait.
#[must_use = "a wait does nothing until it is awaited or polled"]
pub struct Wait<T, S: StateName = State> {
    stage: Stage<S>,
    detail: bool,
    types: PhantomData<fn() -> (T, S)>,
}

pub(super) enum Stage<S> {
    New(Box<Setup<S>>),
    Acting(Acting, Box<Setup<S>>),
    Running(Running),
    Ended(Result<Value>, Result<WaitDescription>),
}

impl<T, S: StateName> Wait<T, S> {
    /// A wait for the resource with these values of its path parameters, for its default goal.
    ///
    /// Called by the generated crates. A value that cannot be part of a path is an error when the
    /// wait is polled.
    pub fn new(transport: &Transport, resource: &'static Resource, values: Vec<String>) -> Self {
        let (min, max) = resource.poll;
        let pace = Pace {
            min,
            max,
            explicit: false,
        };
        let target = Target::new(resource, values);
        Self::of(Channels::of(transport), resource, target, pace)
    }

    /// A part of a wait for the same resource.
    pub(super) fn within(channels: Channels, target: Target, pace: Pace) -> Self {
        Self::of(channels, target.resource, Ok(target), pace)
    }

    fn of(
        channels: Channels,
        resource: &'static Resource,
        target: Result<Target>,
        pace: Pace,
    ) -> Self {
        Self {
            stage: Stage::New(Box::new(Setup {
                channels,
                resource,
                target,
                goal: Goal::Default,
                timeout: resource.timeout,
                pace,
                missing_for: resource.missing_for,
                first: First::Nothing,
                acted: None,
                seen: BTreeSet::new(),
                created_after: None,
                part: None,
            })),
            detail: false,
            types: PhantomData,
        }
    }

    /// The part's goal, the time that is left for it and that has passed before, and what came
    /// before it.
    pub(super) fn part(
        self,
        goal: Goal<S>,
        left: Duration,
        acted: Option<Acted>,
        before: Duration,
    ) -> Self {
        self.with(|setup| {
            if let Goal::Leave(_) = goal {
                setup.missing_for = Duration::ZERO;
            }
            setup.goal = goal;
            setup.timeout = left;
            setup.acted = acted;
            setup.part = Some(before);
        })
    }

    /// Takes a described wait up again.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the description is of another kind
    /// of resource, or of a wait until it is gone, which has no resource to give.
    pub fn resume(
        transport: &Transport,
        resource: &'static Resource,
        description: &WaitDescription,
    ) -> Result<Self> {
        if description.is_until_gone() {
            return Err(description.takes_up("wait_until", "_gone"));
        }
        Self::taken_up(transport, resource, description)
    }

    pub(super) fn taken_up(
        transport: &Transport,
        resource: &'static Resource,
        description: &WaitDescription,
    ) -> Result<Self> {
        if description.resource != resource.name {
            let message = format!(
                "the description is of a wait for {}, not for {}",
                description.resource, resource.name
            );
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let value = |param: &&str| {
            description.parameters.get(*param).cloned().ok_or_else(|| {
                let message = format!("the description of the wait lacks `{param}`");
                Error::new(ErrorKind::InvalidRequest, message)
            })
        };
        let values = resource.params.iter().map(value).collect::<Result<_>>()?;
        let wait = Self::new(transport, resource, values).timeout(description.left());
        let wait = match description.poll_every {
            Some((min, max)) => {
                wait.poll_every(Duration::from_millis(min)..Duration::from_millis(max))
            }
            None => wait,
        };
        let wait = match description.missing_for() {
            Some(left) => wait.missing_for(left),
            None => wait,
        };
        let wait = wait.with(|setup| {
            setup.acted = description.acted.then(Acted::default);
            setup.seen.clone_from(&description.seen);
            setup.created_after.clone_from(&description.created_after);
        });
        Ok(match &description.goal {
            WrittenGoal::Goal(name) => wait.goal(name),
            WrittenGoal::Gone => wait.with(|setup| setup.goal = Goal::Gone),
            WrittenGoal::States(states) => {
                let states = states.iter().map(|state| S::from_name(state)).collect();
                wait.with(|setup| setup.goal = Goal::Until(UntilTarget::States(states)))
            }
        })
    }

    /// Takes a described wait until the resource is gone up again.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the description is of another kind
    /// of resource or of a wait for something else.
    pub fn resume_until_gone(
        transport: &Transport,
        resource: &'static Resource,
        description: &WaitDescription,
    ) -> Result<Wait<(), S>> {
        if !description.is_until_gone() {
            return Err(description.takes_up("wait_for", ""));
        }
        Wait::taken_up(transport, resource, description)
    }

    fn with(mut self, change: impl FnOnce(&mut Setup<S>)) -> Self {
        if let Stage::New(setup) = &mut self.stage {
            change(setup);
        }
        self
    }

    /// Waits for this state, one of these states, or until the closure accepts a change, instead
    /// of the resource's default goal.
    ///
    /// A state that the resource declares a goal for takes that goal's failure states; for others,
    /// and for a closure, every state after which no other comes is a failure.
    /// A closure that panics ends its wait with an error of kind [`Wait`](ErrorKind::Wait).
    pub fn until(self, goal: impl Until<S>) -> Self {
        self.with(|setup| setup.goal = Goal::Until(goal.into_target()))
    }

    /// As [`until`](Self::until) with a closure, whose parameter's type need not be written.
    pub fn until_fn(self, test: impl FnMut(&Change<S>) -> bool + Send + 'static) -> Self {
        self.until(test)
    }

    /// Waits for a goal that the resource declares, by name, for example `running`.
    pub fn goal(self, name: &str) -> Self {
        self.with(|setup| setup.goal = Goal::Named(name.to_owned()))
    }

    /// Waits until the resource is gone; there is nothing to return then.
    pub fn until_gone(self) -> Wait<(), S> {
        let wait = self.with(|setup| setup.goal = Goal::Gone);
        Wait {
            stage: wait.stage,
            detail: wait.detail,
            types: PhantomData,
        }
    }

    /// Longest time to wait, counted from the first poll. The calls of an action that the wait
    /// begins with do not count; waiting between them does. The default is that of the resource.
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(|setup| setup.timeout = limit)
    }

    /// About the shortest and the longest time between two looks. It begins with the shortest and
    /// grows while nothing changes. Looks come up to a tenth earlier, at random, so that many waits
    /// do not look at once, and up to half earlier when they share a list request with others; they
    /// come later while webhook events arrive ([`Waits::events`](super::Waits::events)) and where a
    /// `Retry-After` of the service says so. The default is that of the resource. Both are at least
    /// 100 ms and at most a year.
    ///
    /// The longest time also wins over the rule that the list requests of a collection stay under
    /// 60 a minute: waits whose names do not fit into so few requests send as many as it takes.
    pub fn poll_every(self, range: Range<Duration>) -> Self {
        let shortest = Duration::from_millis(100);
        let min = range.start.clamp(shortest, YEAR);
        let max = range.end.clamp(min, YEAR);
        self.with(|setup| {
            setup.pace = Pace {
                min,
                max,
                explicit: true,
            }
        })
    }

    /// How long a 404 is taken for "not there yet" while the resource has not been seen. The
    /// default is that of the resource, usually 30 s.
    pub fn missing_for(self, limit: Duration) -> Self {
        self.with(|setup| setup.missing_for = limit)
    }

    /// Only a resource that was created after this time (by the service's clock) counts. An earlier
    /// one of the same name is as good as absent: yesterday's backup, for example.
    ///
    /// Of effect where the resource tells when it was created: jobs, backups, support packages.
    pub fn created_after(self, time: impl Into<Timestamp>) -> Self {
        let time = time.into();
        self.with(|setup| setup.created_after = Some(time))
    }

    /// Does this first, when the wait is polled for the first time; its error ends the wait.
    /// The calls that act and wait in one do more: they act again where that helps.
    ///
    /// A failure state that is there from the beginning counts only after 10 s (or the time that
    /// the goal gives it), for it may be from before the action.
    pub fn after<R>(self, action: impl Future<Output = Result<R>> + Send + 'static) -> Self {
        let action = Box::pin(async move { action.await.map(drop) });
        self.with(|setup| setup.first = First::Call(action))
    }

    /// Carries these out first, each when the one before has reached its goal. For generated code.
    #[doc(hidden)]
    pub fn acting<const N: usize>(self, actions: [Action; N]) -> Self {
        self.with(|setup| setup.first = First::Actions(actions.into()))
    }

    /// The wait, to be written down and taken up again later.
    ///
    /// Deadline and [`missing_for`](Self::missing_for) are written down as points in time. What the
    /// wait has seen so far is part of the description, so describe it again from time to time; an
    /// action that it begins with is not.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the goal is a closure, which cannot
    /// be written down, or the resource's name is unusable.
    pub fn describe(&self) -> Result<WaitDescription> {
        match &self.stage {
            Stage::New(setup) | Stage::Acting(_, setup) => setup.describe(),
            Stage::Running(running) => running.describe(),
            Stage::Ended(_, description) => description.clone(),
        }
    }

    /// The next change; `None` when the wait has ended.
    ///
    /// # Errors
    ///
    /// That of the wait, once; awaiting the wait gives it again.
    pub async fn try_next(&mut self) -> Result<Option<Change<S>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
            .await
            .transpose()
    }

    /// The next change, or that the wait has ended.
    pub(super) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<RawChange>> {
        loop {
            match &mut self.stage {
                Stage::New(_) => self.change(|mut setup| match setup.act() {
                    Some(acting) => Stage::Acting(acting, setup),
                    None => setup.begin(),
                }),
                Stage::Acting(acting, _) => {
                    if let Some(change) = ready!(acting.poll_change(cx)) {
                        return Poll::Ready(Some(change));
                    }
                    let outcome = acting.outcome.take();
                    self.change(|mut setup| match outcome {
                        Some(Err(error)) => Stage::Ended(Err(error), setup.describe()),
                        outcome => {
                            setup.acted = outcome.and_then(Result::ok);
                            setup.begin()
                        }
                    });
                }
                Stage::Running(running) => match ready!(running.poll_update(cx)) {
                    Some(Update::Change(change)) => return Poll::Ready(Some(change)),
                    Some(Update::End(outcome)) => {
                        let description = running.describe();
                        self.stage = Stage::Ended(*outcome, description);
                    }
                    None => {
                        if let Err(error) = running.move_on() {
                            let description = running.describe();
                            self.stage = Stage::Ended(Err(error), description);
                        }
                    }
                },
                Stage::Ended(..) => return Poll::Ready(None),
            }
            if let Stage::Running(running) = &self.stage {
                running.plan.detail.store(self.detail, Ordering::Relaxed);
            }
        }
    }

    fn change(&mut self, next: impl FnOnce(Box<Setup<S>>) -> Stage<S>) {
        let lost = Error::new(ErrorKind::Wait, "the wait panicked when it began");
        let placeholder = Stage::Ended(Err(lost.clone()), Err(lost));
        match std::mem::replace(&mut self.stage, placeholder) {
            Stage::New(setup) | Stage::Acting(_, setup) => self.stage = next(setup),
            other => self.stage = other,
        }
    }

    fn want_detail(&mut self, wanted: bool) {
        self.detail = wanted;
        if let Stage::Running(running) = &self.stage {
            running.plan.detail.store(wanted, Ordering::Relaxed);
        }
    }

    /// How the wait has ended.
    pub(super) fn into_outcome(self) -> Result<Value> {
        match self.stage {
            Stage::Ended(outcome, _) => outcome,
            _ => Err(Error::new(ErrorKind::Wait, "the wait has no outcome")),
        }
    }
}

impl<T, S: StateName> Unpin for Wait<T, S> {}

impl<T, S: StateName> Stream for Wait<T, S> {
    type Item = Result<Change<S>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Stage::Ended(..) = this.stage {
            return Poll::Ready(None);
        }
        this.want_detail(true);
        Poll::Ready(match ready!(this.poll_change(cx)) {
            Some(change) => Some(Ok(change.typed())),
            None => match &this.stage {
                Stage::Ended(Err(error), _) => Some(Err(error.clone())),
                _ => None,
            },
        })
    }
}

impl<T, S: StateName> FusedStream for Wait<T, S> {
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Ended(..))
    }
}

impl<T: DeserializeOwned + 'static, S: StateName> IntoFuture for Wait<T, S> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            self.want_detail(false);
            while poll_fn(|cx| self.poll_change(cx)).await.is_some() {}
            let resource = self.into_outcome()?;
            serde_path_to_error::deserialize(&resource).map_err(|error| {
                let path = error.path().to_string();
                let reason = error.into_inner().to_string();
                Error::new(
                    ErrorKind::Decode,
                    "the resource that was waited for does not decode",
                )
                .with_answer(HeaderMap::new(), resource.to_string().into())
                .with_json_path(path, reason)
            })
        })
    }
}

impl<T, S: StateName> std::fmt::Debug for Wait<T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stage = match &self.stage {
            Stage::New(_) => "new",
            Stage::Acting(..) => "acting",
            Stage::Running(_) => "running",
            Stage::Ended(..) => "ended",
        };
        f.debug_struct("Wait")
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
