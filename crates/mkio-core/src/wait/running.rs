//! A wait under way: its actions, then the task that polls for it.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    Change,
    judge::ActionResult,
    plan::{Plan, Update},
    poll::Membership,
};
use crate::{Error, ErrorKind, Result};

/// Actions under way.
pub(super) struct Acting {
    pub(super) run: BoxFuture<'static, Result<ActionResult>>,
    pub(super) outcome: Option<Result<ActionResult>>,
    pub(super) changes: mpsc::UnboundedReceiver<Change<Arc<str>>>,
}

/// A wait that a task polls for.
pub(super) struct Running {
    pub(super) plan: Arc<Plan>,
    updates: mpsc::UnboundedReceiver<Update>,
    membership: Membership,
    outcome: Option<Result<Value>>,
}

impl Acting {
    /// The next change that was seen between the actions; `None` when they have come to an end.
    pub(super) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change<Arc<str>>>> {
        if self.outcome.is_none()
            && let Poll::Ready(outcome) = self.run.as_mut().poll(cx)
        {
            self.outcome = Some(outcome);
            self.run = Box::pin(std::future::pending());
        }
        self.changes.poll_recv(cx)
    }
}

impl Running {
    /// Hands the plan to the task of its collection.
    ///
    /// # Errors
    ///
    /// Kind [`Config`](ErrorKind::Config) outside a tokio runtime.
    pub(super) fn begin(plan: Plan) -> Result<Self> {
        let plan = Arc::new(plan);
        let (membership, updates) = join(&plan)?;
        Ok(Self {
            plan,
            updates,
            membership,
            outcome: None,
        })
    }

    /// The next change; `None` when the wait has ended.
    pub(super) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change<Arc<str>>>> {
        while self.outcome.is_none() {
            // Nobody may drive the runtime any more in which the task runs.
            if self.membership.is_left_behind() {
                self.updates.close();
            }
            match ready!(self.updates.poll_recv(cx)) {
                Some(Update::Change(change)) => return Poll::Ready(Some(change)),
                Some(Update::End(outcome)) => self.outcome = Some(*outcome),
                None => self.move_on(),
            }
        }
        Poll::Ready(None)
    }

    /// The task has ended without an outcome: goes on in the runtime that polls the wait.
    fn move_on(&mut self) {
        if !self.membership.is_left_behind() {
            let message = format!(
                "{}: the task that polls for this wait has ended with its tokio runtime; wait again in another runtime",
                self.plan.target
            );
            self.outcome = Some(Err(Error::new(ErrorKind::Wait, message)));
            return;
        }
        match join(&self.plan) {
            Ok(joined) => (self.membership, self.updates) = joined,
            Err(error) => self.outcome = Some(Err(error)),
        }
    }

    /// How the wait has ended.
    pub(super) fn outcome(&mut self) -> Result<Value> {
        let unfinished = || Err(Error::new(ErrorKind::Wait, "the wait has no outcome yet"));
        self.outcome.take().unwrap_or_else(unfinished)
    }
}

fn join(plan: &Arc<Plan>) -> Result<(Membership, mpsc::UnboundedReceiver<Update>)> {
    let (sender, updates) = mpsc::unbounded_channel();
    let membership = plan
        .channels
        .foreground
        .waits()
        .join(Arc::clone(plan), sender)?;
    Ok((membership, updates))
}
