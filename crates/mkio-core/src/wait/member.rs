//! One wait, as the polling task sees it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::failure::ResourceError;
use super::judge::{Judge, Seen, Verdict};
use super::state::RawChange;
use super::target::Target;
use super::{Reason, WaitFailure, pointer};
use crate::page::Exchange;
use crate::{Error, ErrorKind, Result, RetryPolicy};

/// What a wait is told.
pub(super) enum Update {
    Change(RawChange),
    /// The end: the resource (null when it is gone), or why not.
    End(Box<Result<Value>>),
}

/// Bounds of the time between looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) min: Duration,
    pub(super) max: Duration,
    /// The user asked for it.
    pub(super) explicit: bool,
}

/// A wait with what its looks need.
pub(super) struct Member {
    pub(super) target: Target,
    pub(super) judge: Judge,
    pub(super) updates: mpsc::UnboundedSender<Update>,
    /// For looks: background priority, no repetition.
    pub(super) polls: Arc<dyn Exchange>,
    /// For the last read: as the user's own calls.
    pub(super) calls: Arc<dyn Exchange>,
    pub(super) pace: Pace,
    pub(super) retry: RetryPolicy,
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    /// Looks bring the whole resource.
    pub(super) detail: bool,
}

/// A member with the state of its looks.
pub(super) struct Watched {
    pub(super) member: Member,
    /// When the last look began.
    pub(super) last_look: Instant,
    /// Time from the last look to the next.
    pub(super) delay: Duration,
    /// Current interval, before jitter.
    interval: Duration,
    /// A look is under way.
    pub(super) looking: bool,
    /// The look at the deadline has been started.
    pub(super) last: bool,
    /// The list has shown the resource.
    pub(super) listed: bool,
    /// A look at it alone found no such resource.
    missing: bool,
    /// The wait is decided; the resource is being read for the last time.
    pub(super) finishing: bool,
    failures: u32,
    last_error: Option<Error>,
    /// Time of the newest event that was taken in.
    pub(super) event: Option<chrono::DateTime<chrono::Utc>>,
}

/// What the polling task has to do for a member next.
pub(super) enum Next {
    Nothing,
    /// The wait is over.
    Remove,
    /// Read the resource, then it is over.
    Finish(Option<Reason>),
}

impl Watched {
    pub(super) fn new(member: Member, gather: Duration) -> Self {
        Self {
            last_look: Instant::now(),
            delay: gather,
            interval: member.pace.min,
            looking: false,
            last: false,
            listed: false,
            missing: false,
            finishing: false,
            failures: 0,
            last_error: None,
            event: None,
            member,
        }
    }

    /// The interval while nothing changes.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    fn elapsed(&self) -> Duration {
        self.member.started.elapsed()
    }

    /// Takes in what a look saw.
    pub(super) fn see(&mut self, seen: Seen, retry_after: Option<Duration>) -> Next {
        self.failures = 0;
        self.last_error = None;
        self.missing = matches!(seen, Seen::Absent);
        let before = self.member.judge.state.clone();
        let elapsed = self.elapsed();
        let (change, verdict) = self.member.judge.see(&self.member.target, seen, elapsed);
        if let Some(change) = change {
            if change.kind.is_none() && before.as_ref() != Some(&change.state) {
                tracing::warn!(
                    resource = self.member.target.resource.name,
                    name = self.member.target.name(),
                    state = &*change.state,
                    "unknown state: the wait goes on"
                );
            }
            self.tell(Update::Change(change));
        }
        if before == self.member.judge.state {
            self.interval = self.interval.mul_f64(1.5).min(self.member.pace.max);
        } else {
            self.interval = self.member.pace.min;
        }
        let asked = retry_after.map(|asked| self.member.retry.wait(1, false, Some(asked)));
        self.schedule(asked.unwrap_or_default().max(self.spread()));
        match verdict {
            Verdict::GoOn if self.last => self.fail(Reason::Timeout, None),
            Verdict::GoOn => Next::Nothing,
            Verdict::Reached => self.reached(),
            Verdict::Panicked => {
                let target = &self.member.target;
                let (resource, name) = (target.resource.name, target.name());
                let message = format!("{resource} `{name}`: the closure given to `until` panicked");
                self.end(Err(Error::new(ErrorKind::Wait, message)));
                Next::Remove
            }
            Verdict::Failed(reason) => match (self.member.judge.current(), reason) {
                // The resource may say more than its state.
                (None, Reason::State | Reason::Undone) => self.finish(Some(reason)),
                _ => self.fail(reason, None),
            },
        }
    }

    fn reached(&mut self) -> Next {
        if self.member.judge.wants_gone() {
            self.end(Ok(Value::Null));
            return Next::Remove;
        }
        let current = self.member.judge.current().cloned();
        match current {
            Some(resource) => {
                self.end(Ok(resource));
                Next::Remove
            }
            None => self.finish(None),
        }
    }

    fn finish(&mut self, reason: Option<Reason>) -> Next {
        if self.member.target.resource.item.is_none() {
            // There is nothing more to read than what the looks brought.
            return match reason {
                Some(reason) => self.fail(reason, None),
                None => {
                    self.end(Ok(Value::Null));
                    Next::Remove
                }
            };
        }
        self.looking = true;
        self.finishing = true;
        Next::Finish(reason)
    }

    /// Neither the list nor, before that, a look at it alone has shown the resource, and it has
    /// time left to appear.
    pub(super) fn still_missing(&self) -> bool {
        self.missing
            && !self.last
            && self.member.judge.state.is_none()
            && self.elapsed() < self.member.judge.missing_for()
    }

    /// The last look failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// That a list does not show the resource is enough to know that it is not there.
    pub(super) fn absence_counts(&self) -> bool {
        let was_listed = self.listed && self.member.judge.wants_gone();
        was_listed || self.member.target.resource.presence
    }

    /// A look that told nothing.
    pub(super) fn no_news(&mut self) -> Next {
        self.interval = self.interval.mul_f64(1.5).min(self.member.pace.max);
        self.schedule(self.spread());
        Next::Nothing
    }

    /// Takes in a look that failed.
    pub(super) fn look_failed(&mut self, error: Error) -> Next {
        self.failures = self.failures.saturating_add(1);
        if !error.is_retryable() {
            return self.fail(Reason::Look, Some(error));
        }
        let wait =
            self.member
                .retry
                .wait(self.failures, error.is_rate_limited(), error.retry_after());
        self.schedule(wait.max(self.member.pace.min));
        self.last_error = Some(error);
        match self.last {
            true => self.fail(Reason::Timeout, None),
            false => Next::Nothing,
        }
    }

    /// Takes in the last read.
    pub(super) fn finished(&mut self, reason: Option<Reason>, read: Result<Value>) -> Next {
        match (reason, read) {
            (None, Ok(resource)) => {
                self.end(Ok(resource));
                Next::Remove
            }
            (None, Err(error)) if error.is_not_found() => self.fail(Reason::Gone, Some(error)),
            (None, Err(error)) => {
                // The goal was reached; a read that failed in passing does not undo that.
                self.finishing = false;
                self.member.detail = true;
                self.look_failed(error)
            }
            (Some(reason), read) => {
                if let Ok(resource) = read {
                    self.member.judge.resource = Some(Arc::new(resource));
                }
                self.fail(reason, None)
            }
        }
    }

    pub(super) fn fail(&mut self, reason: Reason, source: Option<Error>) -> Next {
        let target = &self.member.target;
        let judge = &self.member.judge;
        let json = judge.resource.as_deref().cloned();
        let errors = json.as_ref().map_or_else(Vec::new, |json| {
            let pointers = target.resource.error_pointers.iter();
            pointers
                .flat_map(|at| pointer::all(json, &target.pointer(at)))
                .filter_map(ResourceError::read)
                .collect()
        });
        let failure = WaitFailure {
            reason,
            resource: target.resource.name,
            name: target.name().to_owned(),
            state: judge.state.as_deref().map(str::to_owned),
            progress: judge.progress,
            errors,
            elapsed: self.elapsed(),
            json,
        };
        let source = source.or_else(|| self.last_error.take());
        self.end(Err(failure.into_error(source)));
        Next::Remove
    }

    fn end(&mut self, outcome: Result<Value>) {
        self.tell(Update::End(Box::new(outcome)));
    }

    fn tell(&self, update: Update) {
        // A wait that was dropped has sent its leave.
        let _ = self.member.updates.send(update);
    }

    /// The current interval, a little less so that many waits do not look at once.
    fn spread(&self) -> Duration {
        let settle = self.member.judge.settle();
        let left = settle.saturating_sub(self.elapsed());
        let interval = match left.is_zero() {
            true => self.interval,
            false => self.interval.min(left.max(Duration::from_millis(100))),
        };
        interval.mul_f64(0.9 + 0.1 * fastrand::f64())
    }

    fn schedule(&mut self, delay: Duration) {
        self.looking = false;
        self.delay = delay;
    }
}
