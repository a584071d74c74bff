//! One wait, as the polling task sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::channels::Channels;
use super::failure::ResourceError;
use super::judge::{Held, Judge, Seen, Verdict};
use super::look::Looked;
use super::state::RawChange;
use super::target::Target;
use super::{Reason, WaitFailure, pointer};
use crate::{Error, ErrorKind, Result, token};

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

/// A wait that has begun. Shared with its handle, which can begin it again in another task when
/// the one that looks for it has ended with its runtime.
pub(super) struct Plan {
    pub(super) target: Target,
    judge: Mutex<Judge>,
    pub(super) channels: Channels,
    pub(super) pace: Pace,
    /// When looking began.
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    /// Progress is of interest.
    pub(super) detail: AtomicBool,
}

impl Plan {
    pub(super) fn new(
        target: Target,
        judge: Judge,
        channels: Channels,
        pace: Pace,
        (started, deadline): (Instant, Instant),
    ) -> Self {
        Self {
            target,
            judge: Mutex::new(judge),
            channels,
            pace,
            started,
            deadline,
            detail: AtomicBool::new(false),
        }
    }

    pub(super) fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks are to bring the whole resource, not just its state.
    pub(super) fn wants_whole(&self) -> bool {
        let resource = self.target.resource;
        let progress = !resource.progress_pointer.is_empty() && self.detail.load(Ordering::Relaxed);
        progress || self.judge().wants_whole(resource)
    }
}

/// A wait and whom to tell of its changes.
pub(super) struct Member {
    pub(super) plan: Arc<Plan>,
    pub(super) updates: mpsc::UnboundedSender<Update>,
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
    /// The next look is at it alone: what was seen elsewhere may be old.
    pub(super) alone: bool,
    /// Until when the list is not used for it, because it left the resource out.
    pub(super) unlisted: Option<Instant>,
    /// How long that lasts; doubled each time.
    distrust: Duration,
    /// Most resources in a list request that this one is part of.
    pub(super) limit: usize,
    /// Lists that showed it with this limit.
    within_limit: u8,
    /// The limit is one of the request's length.
    for_length: bool,
    /// Lists in a row that did not show it.
    unseen: u32,
    failures: u32,
    last_error: Option<Error>,
    /// When an event was taken in: a look that began before that tells nothing new.
    pub(super) news: Option<Instant>,
    /// Time of the newest event that was taken in.
    pub(super) event: Option<DateTime<Utc>>,
    /// The service's time of the newest look.
    pub(super) date: Option<DateTime<Utc>>,
}

/// How long a list is not used after it left out what exists.
pub(super) const DISTRUST: Duration = Duration::from_secs(60);

/// Where news of a resource come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A look at it alone.
    Look,
    /// A list or an event, which may be older than what was seen before.
    Elsewhere,
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
            interval: member.plan.pace.min,
            looking: false,
            last: false,
            listed: false,
            missing: false,
            finishing: false,
            alone: false,
            unlisted: None,
            distrust: DISTRUST,
            limit: usize::MAX,
            within_limit: 0,
            for_length: false,
            unseen: 0,
            failures: 0,
            last_error: None,
            news: None,
            event: None,
            date: None,
            member,
        }
    }

    /// The interval while nothing changes.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.member.plan
    }

    pub(super) fn target(&self) -> &Target {
        &self.member.plan.target
    }

    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.member.plan.judge()
    }

    /// Time since looking began.
    fn elapsed(&self) -> Duration {
        self.plan().started.elapsed()
    }

    /// The deadline has come.
    pub(super) fn is_late(&self) -> bool {
        self.plan().deadline <= Instant::now()
    }

    /// What was seen does not count yet, and will soon.
    pub(super) fn settles(&self) -> bool {
        !self.judge().settle().is_zero()
    }

    /// A look is about to begin.
    pub(super) fn looks(&mut self) {
        self.looking = true;
        self.alone = false;
        self.last_look = Instant::now();
    }

    /// The look that ends now began before the last event; it is put off if so.
    pub(super) fn knows_better(&mut self) -> bool {
        let better = self.news.is_some_and(|news| news > self.last_look);
        if better {
            self.looking = false;
            self.last = false;
        }
        better
    }

    /// Takes in what a look at the resource alone saw.
    pub(super) fn look(&mut self, looked: Looked<Seen>) -> Next {
        self.date = looked.date.max(self.date);
        self.see(looked.seen, looked.retry_after, Source::Look)
    }

    /// Takes in what was seen.
    pub(super) fn see(
        &mut self,
        seen: Seen,
        retry_after: Option<Duration>,
        source: Source,
    ) -> Next {
        self.failures = 0;
        self.unseen = 0;
        self.last_error = None;
        self.missing = matches!(seen, Seen::Absent);
        let elapsed = self.elapsed();
        let plan = self.member.plan.clone();
        let mut judge = plan.judge();
        let before = judge.state.clone();
        let direct = source == Source::Look;
        let (change, verdict) = judge.see(&plan.target, seen, elapsed, direct);
        let same = before == judge.state;
        let current = judge.current().is_some();
        drop(judge);
        if let Some(change) = change {
            if change.kind.is_none() && before.as_ref() != Some(&change.state) {
                tracing::warn!(
                    resource = plan.target.resource.name,
                    name = plan.target.name(),
                    state = &*change.state,
                    "unknown state: the wait goes on"
                );
            }
            self.tell(Update::Change(change));
        }
        if same {
            self.grow();
        } else {
            self.interval = plan.pace.min;
        }
        let asked = retry_after.map(|asked| plan.channels.retry().wait(1, false, Some(asked)));
        self.schedule(asked.unwrap_or_default().max(self.spread()));
        match verdict {
            Verdict::Doubtful => {
                self.alone = true;
                self.last = false;
                self.schedule(Duration::ZERO);
                Next::Nothing
            }
            Verdict::GoOn if self.last => self.fail(Reason::Timeout, None),
            Verdict::GoOn => Next::Nothing,
            Verdict::Reached => self.reached(),
            Verdict::Panicked => {
                let (resource, name) = (plan.target.resource.name, plan.target.name());
                let message = format!("{resource} `{name}`: the closure given to `until` panicked");
                self.end(Err(Error::new(ErrorKind::Wait, message)));
                Next::Remove
            }
            Verdict::Failed(reason) => match (current, reason) {
                // The resource may say more than its state.
                (false, Reason::State | Reason::Undone) => self.finish(Some(reason)),
                _ => self.fail(reason, None),
            },
        }
    }

    fn reached(&mut self) -> Next {
        if self.judge().wants_no_resource() {
            self.end(Ok(Value::Null));
            return Next::Remove;
        }
        let current = self.judge().current().cloned();
        match current {
            Some(resource) => {
                self.end(Ok(resource));
                Next::Remove
            }
            None => self.finish(None),
        }
    }

    fn finish(&mut self, reason: Option<Reason>) -> Next {
        if self.target().resource.item.is_none() {
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
        let judge = self.judge();
        self.missing && !self.last && judge.state.is_none() && self.elapsed() < judge.missing_for()
    }

    /// The service refused a list request for as many as twice this: for its length, or for
    /// something in it.
    pub(super) fn limit(&mut self, limit: usize, for_length: bool) {
        self.limit = limit;
        self.for_length = for_length;
        self.within_limit = 0;
    }

    /// A list showed it. What else was refused is not it, so it goes with all others again; a
    /// length is as bad the next time, so that limit grows back slowly.
    pub(super) fn was_listed(&mut self) {
        self.listed = true;
        self.within_limit = self.within_limit.saturating_add(1);
        if !self.for_length {
            self.limit = usize::MAX;
        } else if self.within_limit == 8 {
            self.limit(self.limit.saturating_mul(2), true);
        }
    }

    /// A look has shown the resource.
    fn has_seen(&self) -> bool {
        self.judge().state.is_some()
    }

    /// The last look failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// That a list of so many pages does not show the resource is enough to know that it is not
    /// there.
    pub(super) fn absence_counts(&mut self, pages: usize) -> bool {
        self.unseen = self.unseen.saturating_add(1);
        // What is deleted while pages are read moves later items to pages that were read before.
        let sure = pages <= 1 || self.unseen > 1;
        let presence = self.target().resource.presence;
        match self.judge().wants_gone() {
            true => sure && (self.listed || presence),
            false => presence,
        }
    }

    /// Another list will tell whether the resource is gone.
    pub(super) fn absence_may_count(&self) -> bool {
        self.judge().wants_gone() && (self.listed || self.target().resource.presence)
    }

    /// The list left out the resource, which exists.
    pub(super) fn left_out(&mut self) {
        self.unlisted = Some(later(Instant::now(), self.distrust));
        self.distrust = self.distrust.saturating_mul(2);
    }

    /// A look that told nothing; the next one follows as soon as it may.
    pub(super) fn again(&mut self) -> Next {
        self.last = false;
        self.schedule(Duration::ZERO);
        Next::Nothing
    }

    /// A look that told nothing.
    pub(super) fn no_news(&mut self) -> Next {
        self.grow();
        self.schedule(self.spread());
        Next::Nothing
    }

    fn grow(&mut self) {
        self.interval = self.interval.mul_f64(1.5).min(self.plan().pace.max);
    }

    /// Takes in a look that failed.
    pub(super) fn look_failed(&mut self, error: Error) -> Next {
        self.failures = self.failures.saturating_add(1);
        // A provider that has given tokens before will do so again.
        let passing = error.is_retryable() || (is_provider_failure(&error) && self.has_seen());
        if !passing {
            return self.fail(Reason::Look, Some(error));
        }
        let retry = self.plan().channels.retry();
        let wait = retry.wait(self.failures, error.is_rate_limited(), error.retry_after());
        self.schedule(wait.max(self.plan().pace.min));
        self.last_error = Some(error);
        match self.last {
            true => self.fail(Reason::Timeout, None),
            false => Next::Nothing,
        }
    }

    /// Takes in the last read.
    pub(super) fn finished(&mut self, reason: Option<Reason>, read: Result<Value>) -> Next {
        let plan = self.member.plan.clone();
        match (reason, read) {
            (_, Ok(resource)) if plan.judge().is_outdated(&plan.target, &resource) => {
                // The state was that of an earlier resource of the same name.
                self.finishing = false;
                match self.last {
                    true => self.fail(Reason::Timeout, None),
                    false => self.no_news(),
                }
            }
            (None, Ok(resource)) => {
                let held = plan.judge().holds(&plan.target, &resource);
                match held {
                    Held::Yes => {
                        self.end(Ok(resource));
                        Next::Remove
                    }
                    Held::Failed => {
                        plan.judge().read(&plan.target, resource);
                        self.fail(Reason::State, None)
                    }
                    // The state was not that of the resource, or the read is behind it.
                    Held::No if self.last => self.fail(Reason::Timeout, None),
                    Held::No => {
                        self.finishing = false;
                        self.alone = true;
                        self.no_news()
                    }
                }
            }
            (None, Err(error)) if error.is_not_found() => self.fail(Reason::Gone, Some(error)),
            (None, Err(error)) => {
                // The goal was reached; a read that failed in passing does not undo that.
                self.finishing = false;
                self.look_failed(error)
            }
            (Some(reason), read) => {
                if let Ok(resource) = read {
                    plan.judge().resource = Some(Arc::new(resource));
                }
                self.fail(reason, None)
            }
        }
    }

    pub(super) fn fail(&mut self, reason: Reason, source: Option<Error>) -> Next {
        let plan = self.member.plan.clone();
        let (target, judge) = (&plan.target, plan.judge());
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
            elapsed: judge.before.saturating_add(self.elapsed()),
            json,
        };
        drop(judge);
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
        let settle = self.judge().settle();
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

/// The token provider failed, at first or when the service refused the token that it gave before.
pub(super) fn is_provider_failure(error: &Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<Error>())
        .any(token::gave_none)
}

/// As good as never.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// `delay` after `time`; never is a year from then.
pub(super) fn later(time: Instant, delay: Duration) -> Instant {
    time.checked_add(delay).unwrap_or(time + YEAR)
}
