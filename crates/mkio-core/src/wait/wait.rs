//! The wait that a caller holds.

use std::{
    future::{Future, poll_fn},
    marker::PhantomData,
    mem::replace,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::{Stream, future::BoxFuture, stream::FusedStream};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ActionCall, Change, Reason, Resource, State, StateName, Until, WaitDescription, WaitFailure,
    judge::ActionResult,
    new::NewWait,
    plan::Plan,
    running::{Acting, Running},
    state::Observer,
    want::Want,
};
use crate::{
    Error, ErrorKind, Result, Timestamp, Transport,
    json::{self, Misplaced},
};

/// A wait for a resource to get into a state.
///
/// - As a [`Future`] it gives the resource in its final state, or an [`Error`] whose
///   [`WaitFailure`] has the last state, the resource's own errors (those of a job's outputs, for
///   example) and the time that passed. [`join_all`], `select!`, `timeout` and `JoinSet::spawn` take
///   it as it is.
/// - As a [`Stream`], and with [`try_next`](Self::try_next), it gives each [`Change`] as soon as it
///   is seen, progress included. The stream ends with the wait; awaiting it then gives the outcome.
/// - [`on_change`](Self::on_change) has a closure called with each change while the wait is awaited.
///
/// ```no_run
/// # use mkio_core::{Result, Wait};
/// # async fn example(wait: Wait<serde_json::Value>) -> Result<()> {
/// let job = wait
///     .on_change(|change| println!("{} {:?}", change.state, change.progress))
///     .await?;
/// # drop(job);
/// # Ok(())
/// # }
/// ```
///
/// An error says why the goal was not reached:
///
/// ```no_run
/// # use mkio_core::{Result, Wait};
/// # async fn example(wait: Wait<serde_json::Value>) -> Result<()> {
/// use std::time::Duration;
///
/// use mkio_core::{WaitFailure, wait::Reason};
///
/// // `wait` is `media.wait_for_job("h264", "job-1")`, for example.
/// match wait.timeout(Duration::from_secs(3600)).await {
///     Ok(job) => println!("finished: {job}"),
///     Err(error) => match WaitFailure::of(&error) {
///         Some(failure) if failure.reason == Reason::Timeout => {
///             println!("still {:?} after {:?}", failure.state, failure.elapsed);
///         }
///         Some(failure) => {
///             for error in &failure.errors {
///                 println!("{:?}: {:?}", error.code, error.message);
///             }
///         }
///         // A call failed: no right to read, no connection.
///         None => return Err(error),
///     },
/// }
/// # Ok(())
/// # }
/// ```
///
/// Changes one by one, and then the outcome:
///
/// ```no_run
/// # use mkio_core::{Result, Wait};
/// # async fn example(mut wait: Wait<serde_json::Value>) -> Result<()> {
/// while let Some(change) = wait.try_next().await? {
///     println!("{} {:?}", change.state, change.progress);
/// }
/// let job = wait.await?;
/// # drop(job);
/// # Ok(())
/// # }
/// ```
///
/// The final resource comes from the deciding poll: it is an item of the list when many waits share
/// list requests, else the resource itself.
///
/// # Limits
///
/// Nothing is sent before the first poll of the future or stream. There is always a deadline
/// ([`timeout`](Self::timeout)), at which the service is polled once more. A 404 means that the
/// resource is gone only where that is the goal; right after a creation it means "not there yet" for
/// a while ([`missing_for`](Self::missing_for)). A poll that fails is retried like any failed
/// call; one that cannot succeed (no right to read) ends the wait, and so do ten responses in a row
/// that cannot be read.
///
/// # Dropping a wait
///
/// Polls run in a task that waits of the same collection share. Dropping the wait stops its polls.
/// A call that it has already sent (`start_…_and_wait`, for example) is not undone: it may or may
/// not have taken effect, and no further step follows. [`describe`](Self::describe) the wait first
/// to take it up again later.
///
/// [`join_all`]: https://docs.rs/futures/latest/futures/future/fn.join_all.html
#[must_use = "a wait does nothing until it is awaited or polled"]
pub struct Wait<T, S: StateName = State> {
    stage: Stage,
    /// The caller wants to see progress.
    detail: bool,
    /// `missing_ok` was called.
    missing_ok: bool,
    on_change: Option<Observer<S, ()>>,
    types: PhantomData<fn() -> (T, S)>,
}

enum Stage {
    New(Box<NewWait>),
    Acting(Acting, Box<NewWait>),
    Running(Running),
    Ended {
        outcome: Result<Value>,
        description: Result<WaitDescription>,
        /// The resource as last seen; nothing before the wait has begun.
        plan: Option<Arc<Plan>>,
    },
}

/// Making waits.
impl<T, S: StateName> Wait<T, S> {
    /// A wait for the resource with these values of its path parameters, for its default goal.
    ///
    /// Called by the generated crates. A value that cannot be part of a path is an error when the
    /// wait is polled.
    pub fn new(transport: &Transport, resource: &'static Resource, values: Vec<String>) -> Self {
        Self::of(NewWait::new(transport, resource, values))
    }

    fn of(new: NewWait) -> Self {
        Self {
            stage: Stage::New(Box::new(new)),
            detail: false,
            missing_ok: false,
            on_change: None,
            types: PhantomData,
        }
    }

    /// Resumes a described wait.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the description is of another kind
    /// of resource, or of a wait until the resource is gone: there is no resource to give then.
    pub fn resume(
        transport: &Transport,
        resource: &'static Resource,
        description: &WaitDescription,
    ) -> Result<Self> {
        if description.is_until_gone() {
            return Err(description.takes_up("wait_until", "_gone"));
        }
        NewWait::resume(transport, resource, description).map(Self::of)
    }

    /// Resumes a described wait until the resource is gone.
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
        NewWait::resume(transport, resource, description).map(Wait::of)
    }

    fn with(mut self, change: impl FnOnce(&mut NewWait)) -> Self {
        if let Stage::New(new) = &mut self.stage {
            change(new);
        }
        self
    }

    fn with_types<U>(self) -> Wait<U, S> {
        Wait {
            stage: self.stage,
            detail: self.detail,
            missing_ok: self.missing_ok,
            on_change: self.on_change,
            types: PhantomData,
        }
    }
}

/// Setting waits up, before they begin.
impl<T, S: StateName> Wait<T, S> {
    /// Waits for this state, for one of these states, or until the closure accepts a change, instead
    /// of the resource's default goal.
    ///
    /// A state for which the resource declares a goal has that goal's failure states. For other
    /// states, and for a closure, every state after which no other comes is a failure.
    ///
    /// A state given as text that the resource does not have is an error of kind
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) before anything is sent. A closure that panics
    /// ends its wait with an error of kind [`Wait`](ErrorKind::Wait).
    pub fn until(self, goal: impl Until<S>) -> Self {
        self.with(|new| new.want = goal.into_want(new.resource))
    }

    /// As [`until`](Self::until) with a closure, whose parameter's type need not be written.
    pub fn until_fn(self, test: impl FnMut(&Change<S>) -> bool + Send + 'static) -> Self {
        self.until(test)
    }

    /// Waits for a goal that the resource declares, by name, for example `running`.
    pub fn goal(self, name: &str) -> Self {
        self.with(|new| new.want = Want::goal(new.resource, name))
    }

    /// Waits until the resource is gone; there is nothing to return then.
    pub fn until_gone(self) -> Wait<(), S> {
        self.with(|new| new.want = Ok(Want::Gone)).with_types()
    }

    /// Treats a missing resource as success: the outcome is `None` when the resource does not exist,
    /// or disappears. Without this, a missing resource is an error unless the goal
    /// is that it is gone.
    ///
    /// ```no_run
    /// # use mkio_core::{Result, Wait};
    /// # async fn example(stop_and_wait: Wait<serde_json::Value>) -> Result<()> {
    /// match stop_and_wait.missing_ok().await? {
    ///     Some(event) => println!("stopped: {event}"),
    ///     None => println!("there is no such live event"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn missing_ok(mut self) -> Wait<Option<T>, S> {
        self.missing_ok = true;
        self.with_types()
    }

    /// Has the closure called with each [`Change`], progress included, while the wait is awaited or
    /// read as a stream. A second closure replaces the first.
    ///
    /// To also end the wait by a change, see [`until_fn`](Self::until_fn).
    pub fn on_change(mut self, observe: impl FnMut(&Change<S>) + Send + 'static) -> Self {
        self.on_change = Some(Box::new(observe));
        self
    }

    /// Longest time to wait, counted from the first poll. The calls of an action that the wait
    /// begins with do not count; waiting between them does. The default is that of the resource.
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(|new| new.settings.timeout = limit)
    }

    /// Shortest and longest time between two polls. The time begins with the shortest and grows
    /// while nothing changes. The default is that of the resource. Both are at least 100 ms and at
    /// most a year.
    ///
    /// Polls are up to a tenth early, at random, so that many waits do not poll at once, and up to
    /// half early when they share a list request. They are late while webhook events arrive
    /// ([`Waits::poll_every_with_events`](super::Waits::poll_every_with_events)) and after a `Retry-After` of the service.
    ///
    /// The list requests of a collection stay under 60 a minute unless the longest time asks for
    /// more: waits whose names do not fit into so few requests send as many as it takes.
    pub fn poll_every(self, range: Range<Duration>) -> Self {
        self.with(|new| new.settings.poll_every(range))
    }

    /// How long a 404 means "not there yet" while the resource has not been seen. The default is
    /// that of the resource, usually 30 s.
    pub fn missing_for(self, limit: Duration) -> Self {
        self.with(|new| new.settings.missing_for = limit)
    }

    /// Only a resource that was created after this time (by the service's clock) counts. An earlier
    /// one of the same name is as good as absent: yesterday's backup, for example.
    ///
    /// Of effect where the resource has a time of creation: jobs, backups, support packages.
    pub fn created_after(self, time: impl Into<Timestamp>) -> Self {
        let time = time.into();
        self.with(|new| new.settings.created_after = Some(time))
    }

    /// Awaits this call first, when the wait is polled for the first time; its error ends the wait.
    /// The calls that act and wait in one do more: they carry the action out again where that helps.
    ///
    /// A failure state that is there from the beginning counts only after 10 s (or the time that
    /// the goal gives it), because it may predate the action.
    pub fn after<R>(self, action: impl Future<Output = Result<R>> + Send + 'static) -> Self {
        self.with(|new| new.actions = vec![ActionCall::once(action)])
    }

    /// Carries these out first, each when the one before has reached its goal. For generated code.
    #[doc(hidden)]
    pub fn acting(self, actions: impl Into<Vec<ActionCall>>) -> Self {
        self.with(|new| new.actions = actions.into())
    }
}

/// Waits under way.
impl<T, S: StateName> Wait<T, S> {
    /// The wait, to be written down and taken up again later, also in another process: with the
    /// `resume_wait_for_…` method of the resource.
    ///
    /// ```no_run
    /// # fn example(wait: mkio_core::Wait<serde_json::Value>) -> Result<(), Box<dyn std::error::Error>> {
    /// use mkio_core::WaitDescription;
    ///
    /// let text = serde_json::to_string(&wait.describe()?)?;
    /// let description: WaitDescription = serde_json::from_str(&text)?;
    /// // let job = media.resume_wait_for_job(&description)?.await?;
    /// # drop(description);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Deadline and [`missing_for`](Self::missing_for) are written down as points in time. The
    /// states seen so far are part of the description, so describe the wait again from time to
    /// time. An action that it begins with and a closure given to [`on_change`](Self::on_change) are
    /// not.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the goal is a closure, which cannot
    /// be written down, or the resource's name or the goal is unusable.
    pub fn describe(&self) -> Result<WaitDescription> {
        match &self.stage {
            Stage::New(new) | Stage::Acting(_, new) => new.describe(),
            Stage::Running(running) => running.plan.describe(),
            Stage::Ended { description, .. } => description.clone(),
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
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change<S>>> {
        let change = loop {
            match &mut self.stage {
                Stage::New(new) => match new.act() {
                    Some(acting) => self.advance(|new| Stage::Acting(acting, new)),
                    None => self.advance(|new| begin(*new, None)),
                },
                Stage::Acting(acting, _) => {
                    if let Some(change) = ready!(acting.poll_change(cx)) {
                        break change;
                    }
                    let outcome = acting.outcome.take();
                    self.advance(|new| match outcome {
                        Some(Err(error)) => ended(Err(error), new.describe(), None),
                        outcome => begin(*new, outcome.and_then(Result::ok)),
                    });
                }
                Stage::Running(running) => {
                    running.plan.want_detail(self.detail);
                    if let Some(change) = ready!(running.poll_change(cx)) {
                        break change;
                    }
                    let (outcome, plan) = (running.outcome(), Arc::clone(&running.plan));
                    self.stage = ended(outcome, plan.describe(), Some(plan));
                }
                Stage::Ended { .. } => return Poll::Ready(None),
            }
        };
        let change = change.to_typed();
        if let Some(observe) = &mut self.on_change {
            observe(&change);
        }
        Poll::Ready(Some(change))
    }

    fn advance(&mut self, next: impl FnOnce(Box<NewWait>) -> Stage) {
        let lost = Error::new(ErrorKind::Wait, "the wait panicked when it began");
        let placeholder = ended(Err(lost.clone()), Err(lost), None);
        self.stage = match replace(&mut self.stage, placeholder) {
            Stage::New(new) | Stage::Acting(_, new) => next(new),
            other => other,
        };
    }

    /// How the wait has ended.
    fn outcome(&self) -> Result<&Value> {
        match &self.stage {
            Stage::Ended {
                outcome: Ok(resource),
                ..
            } => Ok(resource),
            Stage::Ended {
                outcome: Err(error),
                ..
            } => {
                if self.missing_ok && is_missing(error) {
                    Ok(&Value::Null)
                } else {
                    Err(error.clone())
                }
            }
            _ => Err(Error::new(ErrorKind::Wait, "the wait has no outcome yet")),
        }
    }
}

fn begin(new: NewWait, after_action: Option<ActionResult>) -> Stage {
    let description = new.describe();
    match new.begin(after_action) {
        Ok(running) => Stage::Running(running),
        Err(error) => ended(Err(error), description, None),
    }
}

fn ended(
    outcome: Result<Value>,
    description: Result<WaitDescription>,
    plan: Option<Arc<Plan>>,
) -> Stage {
    Stage::Ended {
        outcome,
        description,
        plan,
    }
}

/// The error says that there is no such resource.
fn is_missing(error: &Error) -> bool {
    let reason = WaitFailure::of(error).map(|failure| failure.reason);
    error.is_not_found() || matches!(reason, Some(Reason::NotFound | Reason::Gone))
}

impl<T, S: StateName> Unpin for Wait<T, S> {}

impl<T, S: StateName> Stream for Wait<T, S> {
    type Item = Result<Change<S>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Stage::Ended { .. } = this.stage {
            return Poll::Ready(None);
        }
        this.detail = true;
        let change = ready!(this.poll_change(cx));
        Poll::Ready(match change {
            Some(change) => Some(Ok(change)),
            None => this.outcome().err().map(Err),
        })
    }
}

impl<T, S: StateName> FusedStream for Wait<T, S> {
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Ended { .. })
    }
}

impl<T: DeserializeOwned, S: StateName> Future for Wait<T, S> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = self.get_mut();
        this.detail = this.on_change.is_some();
        while ready!(this.poll_change(cx)).is_some() {}
        Poll::Ready(this.resource())
    }
}

impl<T: DeserializeOwned, S: StateName> Wait<T, S> {
    /// The wait as a future and nothing else. A wait is a future and a stream; where both
    /// `FutureExt` and `StreamExt` are imported, methods of the same name need to know which is
    /// meant.
    pub fn into_future(self) -> BoxFuture<'static, Result<T>>
    where
        T: 'static,
    {
        Box::pin(self)
    }

    /// The resource that was waited for.
    fn resource(&self) -> Result<T> {
        let resource = self.outcome()?;
        json::read_value(resource).map_err(|Misplaced { path, error }| {
            let reason = error.to_string();
            let body = resource.to_string().into();
            let error = match &self.stage {
                Stage::Ended {
                    plan: Some(plan), ..
                } => plan.undecodable(&path, resource),
                _ => Error::new(ErrorKind::Decode, "the resource does not decode"),
            };
            error
                .with_response(http::HeaderMap::new(), body)
                .with_json_path(path, reason)
        })
    }
}

impl<T, S: StateName> std::fmt::Debug for Wait<T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stage = match &self.stage {
            Stage::New(_) => "new",
            Stage::Acting(..) => "acting",
            Stage::Running(_) => "running",
            Stage::Ended { .. } => "ended",
        };
        f.debug_struct("Wait")
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
