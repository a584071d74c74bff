//! A wait that has not begun.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Resource;
use super::act::{Action, Course};
use super::channels::Channels;
use super::description::{self, WaitDescription, WrittenGoal};
use super::handle::Stage;
use super::judge::{Acted, Judge, Want};
use super::member::{Member, Pace, Plan, later};
use super::running::{Acting, Running};
use super::state::{StateName, UntilTarget};
use super::target::Target;
use crate::{Error, ErrorKind, Result, Timestamp};

/// A wait that has not begun.
pub(super) struct Setup<S> {
    pub(super) channels: Channels,
    pub(super) resource: &'static Resource,
    pub(super) target: Result<Target>,
    pub(super) goal: Goal<S>,
    pub(super) timeout: Duration,
    pub(super) pace: Pace,
    pub(super) missing_for: Duration,
    pub(super) first: First,
    /// What an action left behind, if there was one.
    pub(super) acted: Option<Acted>,
    /// States that were seen before the wait was taken up again.
    pub(super) seen: BTreeSet<String>,
    /// Only what was created after this counts.
    pub(super) created_after: Option<Timestamp>,
    /// The time that had passed, where this is a part of a wait.
    pub(super) part: Option<Duration>,
}

/// What a wait begins with.
pub(super) enum First {
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

impl<S: StateName> Setup<S> {
    pub(super) fn describe(&self) -> Result<WaitDescription> {
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
    pub(super) fn act(&mut self) -> Option<Acting> {
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
                let channels = self.channels.clone();
                let (pace, timeout) = (self.pace, self.timeout);
                let target = self.target.clone();
                Box::pin(async move {
                    let course = Course {
                        channels,
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

    pub(super) fn begin(self: Box<Self>) -> Stage<S> {
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
        let waits = setup.channels.waits().clone();
        let plan = Arc::new(Plan::new(target, judge, setup.channels, setup.pace, times));
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
    pub(super) fn want(self, resource: &'static Resource) -> Result<Want> {
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
