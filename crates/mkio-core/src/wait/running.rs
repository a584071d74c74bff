//! A wait under way: its actions, then the task that looks for it.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;
use tokio::sync::mpsc;

use super::WaitDescription;
use super::hub::Membership;
use super::judge::Acted;
use super::member::{Member, Plan, Update};
use super::state::RawChange;
use crate::{Error, ErrorKind, Result};

/// Actions under way.
pub(super) struct Acting {
    pub(super) course: BoxFuture<'static, Result<Acted>>,
    pub(super) outcome: Option<Result<Acted>>,
    pub(super) changes: mpsc::UnboundedReceiver<RawChange>,
}

/// A wait that a task looks for.
pub(super) struct Running {
    pub(super) plan: Arc<Plan>,
    pub(super) updates: mpsc::UnboundedReceiver<Update>,
    pub(super) membership: Membership,
    pub(super) description: Result<WaitDescription>,
}

impl Acting {
    /// The next change that was seen between the actions; `None` when they have come to an end.
    pub(super) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<RawChange>> {
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
    pub(super) fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        if self.membership.is_left_behind() {
            self.updates.close();
        }
        self.updates.poll_recv(cx)
    }

    /// The task tells nothing more and has told no outcome: goes on in the runtime that polls.
    pub(super) fn move_on(&mut self) -> Result<()> {
        if !self.membership.is_left_behind() {
            let message = "the task that looks for this wait has ended with its tokio runtime";
            return Err(Error::new(ErrorKind::Wait, message));
        }
        let (sender, updates) = mpsc::unbounded_channel();
        let member = Member {
            plan: self.plan.clone(),
            updates: sender,
        };
        self.membership = self.plan.channels.waits().join(member)?;
        self.updates = updates;
        Ok(())
    }

    pub(super) fn describe(&self) -> Result<WaitDescription> {
        let judge = self.plan.judge();
        let mut description = self.description.clone()?;
        description.acted = judge.acted();
        description.seen = judge.seen().map(str::to_owned).collect();
        Ok(description)
    }
}
