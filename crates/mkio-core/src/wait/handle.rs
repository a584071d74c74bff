//! The wait that a user holds.

use std::collections::BTreeSet;
use std::future::{Future, IntoFuture, poll_fn};
use std::marker::PhantomData;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::FusedStream;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Resource;
use super::act::{Action, Course};
use super::description::{self, WaitDescription, WrittenGoal};
use super::hub::Membership;
use super::judge::{Acted, Judge, Want};
use super::links::Links;
use super::member::{Member, Pace, Plan, Update, YEAR, later};
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
/// Nothing is sent before the first poll. Looks run in a task that waits of the same collection
/// share; dropping the wait takes it out. There is always a deadline
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

enum Stage<S> {
    New(Box<Setup<S>>),
    Acting(Acting, Box<Setup<S>>),
    Running(Running),
    Ended(Result<Value>, Result<WaitDescription>),
}

/// Actions under way.
struct Acting {
    course: BoxFuture<'static, Result<Acted>>,
    outcome: Option<Result<Acted>>,
    changes: mpsc::UnboundedReceiver<RawChange>,
}

/// A wait that a task looks for.
struct Running {
    plan: Arc<Plan>,
    updates: mpsc::UnboundedReceiver<Update>,
    membership: Membership,
    description: Result<WaitDescription>,
}

/// A wait that has not begun.
struct Setup<S> {
    links: Links,
    resource: &'static Resource,
    target: Result<Target>,
    goal: Goal<S>,
    timeout: Duration,
    pace: Pace,
    missing_for: Duration,
    first: First,
    /// What an action left behind, if there was one.
    acted: Option<Acted>,
    /// States that were seen before the wait was taken up again.
    seen: BTreeSet<String>,
    /// Only what was created after this counts.
    created_after: Option<Timestamp>,
    /// The time that had passed, where this is a part of a wait.
    part: Option<Duration>,
}

/// What a wait begins with.
enum First {
    Nothing,
    Call(BoxFuture<'static, Result<()>>),
    Actions(Vec<Action>),
}

/// What a wait is to reach.
pub(super) enum Goal<S> {
    Default,
    Named(String),
    Until(UntilTarget<S>),
    Gone,
    /// Any state but these.
    Leave(Vec<&'static str>),
}

impl<T, S: StateName> Wait<T, S> {
    /// A wait for the resource with these values of its path parameters, for its default goal.
    ///
    /// Called by the generated crates. A value that cannot be part of a path is an error when the
    /// wait is polled.
    pub fn new(transport: &Transport, resource: &'static Resource, values: Vec<String>) -> Self {
        Self::over(Links::of(transport), resource, values)
    }

    pub(super) fn over(links: Links, resource: &'static Resource, values: Vec<String>) -> Self {
        let (min, max) = resource.poll;
        let pace = Pace {
            min,
            max,
            explicit: false,
        };
        Self::of(links, resource, Target::new(resource, values), pace)
    }

    /// A part of a wait for the same resource.
    pub(super) fn within(links: Links, target: Target, pace: Pace) -> Self {
        Self::of(links, target.resource, Ok(target), pace)
    }

    fn of(links: Links, resource: &'static Resource, target: Result<Target>, pace: Pace) -> Self {
        Self {
            stage: Stage::New(Box::new(Setup {
                links,
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
    /// of resource.
    pub fn resume(
        transport: &Transport,
        resource: &'static Resource,
        description: &WaitDescription,
    ) -> Result<Self> {
        Self::resume_over(Links::of(transport), resource, description)
    }

    pub(super) fn resume_over(
        links: Links,
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
        let wait = Self::over(links, resource, values).timeout(description.left());
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

    /// Shortest and longest time between two looks. It begins with the shortest, grows while
    /// nothing changes, and varies a little at random; a `Retry-After` of the service counts. The
    /// default is that of the resource, stretched where many waits share their looks. Both are at
    /// least 100 ms and at most a year.
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

impl Acting {
    /// The next change that was seen between the actions; `None` when they have come to an end.
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<RawChange>> {
        if self.outcome.is_none()
            && let Poll::Ready(outcome) = self.course.as_mut().poll(cx)
        {
            self.outcome = Some(outcome);
            self.course = Box::pin(std::future::pending());
        }
        self.changes.poll_recv(cx)
    }
}

impl Running {
    /// What the task tells next; nothing more when it has ended, or runs in another runtime than
    /// the one that polls: nobody may drive that one any more.
    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        if self.membership.is_left_behind() {
            self.updates.close();
        }
        self.updates.poll_recv(cx)
    }

    /// The task tells nothing more and has told no outcome: goes on in the runtime that polls.
    fn move_on(&mut self) -> Result<()> {
        if !self.membership.is_left_behind() {
            let message = "the task that looks for this wait has ended with its tokio runtime";
            return Err(Error::new(ErrorKind::Wait, message));
        }
        let (sender, updates) = mpsc::unbounded_channel();
        let member = Member {
            plan: self.plan.clone(),
            updates: sender,
        };
        self.membership = self.plan.links.waits.join(member)?;
        self.updates = updates;
        Ok(())
    }

    fn describe(&self) -> Result<WaitDescription> {
        let judge = self.plan.judge();
        let mut description = self.description.clone()?;
        description.acted = judge.acted();
        description.seen = judge.seen().map(str::to_owned).collect();
        Ok(description)
    }
}

impl<S: StateName> Setup<S> {
    fn describe(&self) -> Result<WaitDescription> {
        let target = self.target.clone()?;
        let goal = match &self.goal {
            Goal::Default => WrittenGoal::Goal(
                self.resource
                    .goals
                    .first()
                    .map_or("", |goal| goal.name)
                    .to_owned(),
            ),
            Goal::Named(name) => WrittenGoal::Goal(name.clone()),
            Goal::Gone => WrittenGoal::Gone,
            Goal::Until(UntilTarget::States(states)) => {
                WrittenGoal::States(states.iter().map(|s| s.as_name().to_owned()).collect())
            }
            Goal::Until(UntilTarget::Test(_)) | Goal::Leave(_) => {
                let message = "a wait for a closure cannot be described; wait for states instead";
                return Err(Error::new(ErrorKind::InvalidRequest, message));
            }
        };
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Ok(WaitDescription {
            resource: self.resource.name.to_owned(),
            parameters: target
                .parameters()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            goal,
            deadline: description::after(self.timeout),
            timeout: Some(millis(self.timeout)),
            missing_until: Some(description::after(self.missing_for)),
            poll_every: self
                .pace
                .explicit
                .then(|| (millis(self.pace.min), millis(self.pace.max))),
            acted: self.acted.is_some() || !matches!(self.first, First::Nothing),
            seen: self.seen.clone(),
            created_after: self.created_after.clone(),
        })
    }

    /// Begins the actions, if there are any.
    fn act(&mut self) -> Option<Acting> {
        let (sender, changes) = mpsc::unbounded_channel();
        let course: BoxFuture<'static, _> = match std::mem::replace(&mut self.first, First::Nothing)
        {
            First::Nothing => return None,
            First::Call(call) => Box::pin(async move {
                let _listening = sender;
                let began = Instant::now();
                call.await.map(|()| Acted {
                    took: began.elapsed(),
                    ..Acted::default()
                })
            }),
            First::Actions(actions) => {
                let links = self.links.clone();
                let (pace, timeout) = (self.pace, self.timeout);
                let target = self.target.clone();
                Box::pin(async move {
                    let course = Course {
                        links,
                        target: target?,
                        pace,
                        timeout,
                        changes: sender,
                    };
                    course.run(actions).await
                })
            }
        };
        // What is described from now on has been acted upon.
        self.acted = Some(Acted::default());
        Some(Acting {
            course,
            outcome: None,
            changes,
        })
    }

    fn begin(self: Box<Self>) -> Stage<S> {
        let mut setup = *self;
        let waited = setup.acted.as_ref().map(|acted| acted.waited);
        setup.timeout = setup.timeout.saturating_sub(waited.unwrap_or_default());
        let description = setup.describe();
        let ready = match (setup.target, setup.goal.want(setup.resource)) {
            (Ok(target), Ok(want)) => Ok((target, want)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        let (target, want) = match ready {
            Ok(ready) => ready,
            Err(error) => return Stage::Ended(Err(error), description),
        };
        let (sender, updates) = mpsc::unbounded_channel();
        let started = Instant::now();
        let mut judge = Judge::new(want, setup.missing_for).after(setup.seen);
        judge.before = setup.part.unwrap_or_default();
        judge.bare = setup.part.is_some();
        judge.created_after = setup.created_after.as_ref().and_then(Timestamp::utc);
        let judge = judge.after_action(setup.acted);
        let times = (started, later(started, setup.timeout));
        let waits = setup.links.waits.clone();
        let plan = Arc::new(Plan::new(target, judge, setup.links, setup.pace, times));
        let member = Member {
            plan: plan.clone(),
            updates: sender,
        };
        match waits.join(member) {
            Ok(membership) => Stage::Running(Running {
                plan,
                updates,
                membership,
                description,
            }),
            Err(error) => Stage::Ended(Err(error), description),
        }
    }
}

impl<S: StateName> Goal<S> {
    fn want(self, resource: &'static Resource) -> Result<Want> {
        let unknown = |name: &str| {
            let known: Vec<_> = resource.goals.iter().map(|goal| goal.name).collect();
            let message = format!("{} has no goal `{name}`, only {known:?}", resource.name);
            Error::new(ErrorKind::InvalidRequest, message)
        };
        Ok(match self {
            Self::Default => Want::Goal(resource.goals.first().ok_or_else(|| unknown(""))?),
            Self::Named(name) => Want::Goal(resource.goal(&name).ok_or_else(|| unknown(&name))?),
            Self::Gone => Want::Gone,
            Self::Leave(states) => Want::Leave(states),
            Self::Until(UntilTarget::Test(mut test)) => {
                Want::Test(Box::new(move |change| test(&change.typed())))
            }
            Self::Until(UntilTarget::States(states)) => {
                let declared = match &*states {
                    [state] => resource
                        .goals
                        .iter()
                        .find(|goal| goal.states == [state.as_name()] && goal.settle.is_zero()),
                    _ => None,
                };
                match declared {
                    Some(goal) => Want::Goal(goal),
                    None => Want::States(states.iter().map(|s| s.as_name().to_owned()).collect()),
                }
            }
        })
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
