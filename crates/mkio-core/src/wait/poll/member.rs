//! One wait, as the task that polls for it sees it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{
    faults::{is_provider_failure, is_unreadable},
    list::Listed,
    list_trust::{INCOMPLETE, Pause},
};
use crate::{
    Error, ErrorKind, Result,
    wait::{
        Reason, StateEvent,
        plan::{Plan, Update},
        seen::{self, Polled, Seen},
        settings::later,
        target::Target,
        verdict::Verdict,
    },
};

/// Waits that come in within this time share their first poll.
const GATHER: Duration = Duration::from_millis(10);

/// How much older than a poll an event may say that it is: clocks of a service differ, and its
/// responses have the time in whole seconds.
const SKEW: TimeDelta = TimeDelta::seconds(1);

/// Responses in a row that cannot be read before the wait ends with the error: as many as a call
/// has attempts by default.
const UNREADABLE: u32 = 10;

/// The step that a wait is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The next poll is due at some time.
    Idle,
    /// A poll is under way. The one at the deadline decides.
    Polling { at_deadline: bool },
    /// The wait is decided, for a failure unless it has reached its goal; the resource is read once
    /// more.
    FinalPoll {
        failure: Option<Reason>,
        at_deadline: bool,
    },
    /// The wait has its outcome.
    Ended,
}

/// When a wait is polled.
pub(super) struct Schedule {
    /// When the last poll began.
    pub(super) last_poll: Instant,
    /// Time from the last poll to the next.
    pub(super) delay: Duration,
    /// Time between polls while nothing changes, before jitter.
    pub(super) interval: Duration,
}

/// Experience with the list about one resource.
struct Trust {
    /// The next poll is one of the resource alone: a list or an event may have shown an old state.
    next_singly: bool,
    /// The list has shown the resource.
    listed: bool,
    /// A poll of the resource alone found no such resource.
    missing: bool,
    /// The list left the resource out although it exists.
    missed_by_list: Pause,
    /// Lists in a row that did not show it.
    not_shown: u32,
}

/// A wait with the state of its polls.
pub(super) struct Member {
    pub(super) plan: Arc<Plan>,
    updates: UnboundedSender<Update>,
    pub(super) phase: Phase,
    pub(super) schedule: Schedule,
    trust: Trust,
    /// Polls in a row that failed.
    failures: u32,
    /// Final polls whose response did not decode.
    unreadable_final_polls: u32,
    last_error: Option<Error>,
    /// When an event was taken in: a poll that began before that shows nothing new.
    news: Option<Instant>,
    /// Time of the newest event that was taken in.
    event: Option<DateTime<Utc>>,
    /// The service's time of the newest poll.
    date: Option<DateTime<Utc>>,
}

impl Member {
    pub(super) fn new(plan: Arc<Plan>, updates: UnboundedSender<Update>) -> Self {
        Self {
            phase: Phase::Idle,
            schedule: Schedule {
                last_poll: Instant::now(),
                delay: GATHER,
                interval: plan.pace().start,
            },
            trust: Trust {
                next_singly: false,
                listed: false,
                missing: false,
                missed_by_list: Pause::new(INCOMPLETE),
                not_shown: 0,
            },
            failures: 0,
            unreadable_final_polls: 0,
            last_error: None,
            news: None,
            event: None,
            date: None,
            plan,
            updates,
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.plan.target
    }

    /// The deadline has come.
    pub(super) fn is_late(&self) -> bool {
        self.plan.deadline <= Instant::now()
    }

    /// A poll or a read is under way.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Polling { .. } | Phase::FinalPoll { .. })
    }

    /// A read is under way, or the wait has ended.
    fn is_decided(&self) -> bool {
        matches!(self.phase, Phase::FinalPoll { .. } | Phase::Ended)
    }

    pub(super) fn is_at_deadline(&self) -> bool {
        match self.phase {
            Phase::Polling { at_deadline } | Phase::FinalPoll { at_deadline, .. } => at_deadline,
            Phase::Idle | Phase::Ended => false,
        }
    }

    /// A poll has seen the resource.
    pub(super) fn has_seen(&self) -> bool {
        self.plan.judge().state().is_some()
    }

    /// The state that was seen does not count yet, and will soon.
    pub(super) fn is_too_young(&self) -> bool {
        !self.plan.judge().min_age().is_zero()
    }

    /// The list is of no use for this one now.
    pub(super) fn polls_singly(&self) -> bool {
        let list = self.target().resource.list.as_ref();
        let listable = list.is_some_and(|list| self.target().is_listable(list));
        !listable || self.trust.next_singly || self.trust.missed_by_list.lasts()
    }

    /// A poll begins.
    pub(super) fn begin_poll(&mut self, at_deadline: bool) {
        let at_deadline = self.is_at_deadline() || (at_deadline && self.is_late());
        self.phase = Phase::Polling { at_deadline };
        self.trust.next_singly = false;
        self.schedule.last_poll = Instant::now();
    }

    /// A poll ends; whether it was the one at the deadline.
    fn end_poll(&mut self) -> bool {
        let at_deadline = self.is_at_deadline();
        self.phase = Phase::Idle;
        at_deadline
    }

    /// A poll that ends now brings news: the wait is not decided, and the poll began after the last
    /// event. After a poll that began before it, the wait is polled again.
    pub(super) fn takes_poll(&mut self) -> bool {
        if self.is_decided() {
            return false;
        }
        let news = self.news.is_none_or(|news| news <= self.schedule.last_poll);
        if !news {
            self.phase = Phase::Idle;
        }
        news
    }

    /// Takes in a poll of the resource alone.
    pub(super) fn take_single(&mut self, polled: Result<Polled>) {
        match polled {
            Ok(polled) => {
                self.date = polled.date.max(self.date);
                self.trust.missing = matches!(polled.seen, Seen::Absent);
                self.take_poll(polled.seen, polled.retry_after, true);
            }
            Err(error) => self.poll_failed(error),
        }
    }

    /// Takes in a list, which showed this item of it, or none. False when the list does not show
    /// whether the resource exists, so that it needs a poll of its own; `may_check` says whether
    /// one can be had. The service may have `refused` the list.
    pub(super) fn take_list(
        &mut self,
        item: Option<&Value>,
        listed: &Listed,
        refused: bool,
        may_check: bool,
    ) -> bool {
        match (item, &listed.cut) {
            (Some(item), _) => {
                self.trust.listed = true;
                self.trust.missing = false;
                self.date = listed.date.max(self.date);
                let seen = seen::resource(self.target(), item.clone());
                self.take_poll(seen, listed.retry_after, false);
            }
            (None, Some(_)) if refused => return false,
            // A list that keeps breaking off must not hide its late items.
            (None, Some(_)) if self.failures > 0 && may_check => return false,
            (None, Some(error)) => self.poll_failed(error.clone()),
            (None, None) => return self.take_absence(listed, may_check),
        }
        true
    }

    fn take_absence(&mut self, listed: &Listed, may_check: bool) -> bool {
        self.trust.not_shown = self.trust.not_shown.saturating_add(1);
        if self.absence_counts(listed) {
            self.trust.missing = true;
            self.take_poll(Seen::Absent, listed.retry_after, false);
        } else if self.absence_may_count() && !listed.ambiguous {
            // Another list will tell.
            self.end_poll();
            self.schedule.delay = Duration::ZERO;
        } else if self.is_still_missing() || !(may_check || self.is_at_deadline()) {
            self.end_poll();
            self.nothing_new();
        } else {
            return false;
        }
        true
    }

    /// That the list does not show the resource is enough to know that it is not there.
    fn absence_counts(&self, listed: &Listed) -> bool {
        let presence = self.target().resource.presence;
        if !self.plan.judge().wants_gone() {
            return presence;
        }
        // A deletion while pages are read moves later items to pages that were read before.
        let sure = listed.pages <= 1 || self.trust.not_shown > 1;
        sure && !listed.ambiguous && (self.trust.listed || presence)
    }

    /// Another list will show whether the resource is gone.
    fn absence_may_count(&self) -> bool {
        let presence = self.target().resource.presence;
        self.plan.judge().wants_gone() && (self.trust.listed || presence)
    }

    /// Neither the list nor, before that, a poll of it alone has shown the resource, and it has time
    /// left to appear.
    fn is_still_missing(&self) -> bool {
        let judge = self.plan.judge();
        self.trust.missing
            && !self.is_at_deadline()
            && judge.state().is_none()
            && self.plan.started.elapsed() < judge.missing_for()
    }

    /// The list left out the resource, which exists.
    pub(super) fn was_missed(&mut self) {
        self.trust.missed_by_list.begin();
    }

    /// Takes in an event about the resource.
    pub(super) fn take_event(&mut self, event: &StateEvent) {
        let time = event.utc();
        if self.is_decided() || time.is_some_and(|time| Some(time) < self.event) {
            return;
        }
        self.event = time.or(self.event);
        self.news = Some(Instant::now());
        // Events come late and out of order; polls have seen more since.
        let late = time
            .zip(self.date)
            .is_some_and(|(time, poll)| poll - time > SKEW);
        match event.seen(self.target()).filter(|_| !late) {
            Some(seen) => {
                let verdict = self.see(seen, None, false);
                self.follow(verdict, self.is_at_deadline());
            }
            None => self.schedule.delay = Duration::ZERO,
        }
    }

    /// Takes in a poll.
    fn take_poll(&mut self, seen: Seen, retry_after: Option<Duration>, direct: bool) {
        let at_deadline = self.end_poll();
        let verdict = self.see(seen, retry_after, direct);
        if at_deadline && verdict == Verdict::GoOn {
            self.fail(Reason::Timeout, None);
        } else {
            self.follow(verdict, at_deadline);
        }
    }

    /// Takes in a state, reports changes, and sets the time of the next poll. A state from a list
    /// or an event is not `direct` and may be old.
    fn see(&mut self, seen: Seen, retry_after: Option<Duration>, direct: bool) -> Verdict {
        self.failures = 0;
        self.last_error = None;
        if matches!(seen, Seen::There { .. }) {
            self.trust.not_shown = 0;
            self.trust.missing = false;
        }
        let plan = Arc::clone(&self.plan);
        let elapsed = plan.started.elapsed();
        let mut judge = plan.judge();
        let before = judge.state().cloned();
        let (change, verdict) = judge.see(&plan.target, seen, elapsed, direct);
        let moved = before.as_ref() != judge.state();
        drop(judge);
        if let Some(change) = change {
            if change.kind.is_none() && moved {
                tracing::warn!(
                    resource = plan.target.resource.name,
                    name = plan.target.name(),
                    state = &*change.state,
                    "unknown state: the wait goes on"
                );
            }
            self.send(Update::Change(change));
        }
        if moved {
            self.schedule.interval = plan.pace().start;
        } else {
            self.slow_down();
        }
        let asked = retry_after.map(|asked| plan.channels.retry().wait(1, false, Some(asked)));
        self.schedule.delay = asked.unwrap_or_default().max(self.next_delay());
        verdict
    }

    fn follow(&mut self, verdict: Verdict, at_deadline: bool) {
        match verdict {
            Verdict::GoOn => {}
            Verdict::Doubtful => {
                self.trust.next_singly = true;
                self.schedule.delay = Duration::ZERO;
            }
            Verdict::Reached => self.reached(at_deadline),
            Verdict::Panicked => {
                let message = format!("{}: the closure given to `until` panicked", self.target());
                self.finish(Err(Error::new(ErrorKind::Wait, message)));
            }
            Verdict::Failed(reason) => {
                let has_resource = self.plan.judge().current().is_some();
                // The resource may say more than its state.
                if !has_resource && matches!(reason, Reason::State | Reason::FellBack) {
                    self.begin_final_poll(Some(reason), at_deadline);
                } else {
                    self.fail(reason, None);
                }
            }
        }
    }

    fn reached(&mut self, at_deadline: bool) {
        if self.plan.wants_no_resource() {
            return self.finish(Ok(Value::Null));
        }
        let current = self.plan.judge().current().cloned();
        match current {
            Some(resource) => self.finish(Ok(resource)),
            None => self.begin_final_poll(None, at_deadline),
        }
    }

    /// Has the resource read once more.
    fn begin_final_poll(&mut self, failure: Option<Reason>, at_deadline: bool) {
        if self.target().resource.item.is_some() {
            self.phase = Phase::FinalPoll {
                failure,
                at_deadline,
            };
            return;
        }
        // A read would bring no more than the polls did.
        match failure {
            Some(reason) => self.fail(reason, None),
            None => self.finish(Ok(Value::Null)),
        }
    }

    /// Takes in the final poll.
    pub(super) fn take_final_poll(&mut self, read: Result<Value>) {
        let Phase::FinalPoll {
            failure,
            at_deadline,
        } = self.phase
        else {
            return;
        };
        self.phase = Phase::Idle;
        let plan = Arc::clone(&self.plan);
        match (failure, read) {
            (_, Ok(resource)) if plan.judge().is_outdated(&plan.target, &resource, true) => {
                // The state was that of an earlier resource of the same name.
                self.go_on(at_deadline);
            }
            (None, Ok(resource)) => {
                let verdict = plan.judge().check_final_poll(&plan.target, &resource);
                match verdict {
                    Verdict::Reached => self.finish(Ok(resource)),
                    Verdict::Failed(reason) => {
                        plan.judge().take_final_poll(&plan.target, resource);
                        self.fail(reason, None);
                    }
                    // The state was not that of the resource, or the read is behind it.
                    _ => {
                        self.trust.next_singly = true;
                        self.go_on(at_deadline);
                    }
                }
            }
            (None, Err(error)) if error.is_not_found() => self.fail(Reason::Gone, Some(error)),
            // The goal was reached; a read that failed in passing does not undo that.
            (None, Err(error)) => {
                self.unreadable_final_polls += u32::from(is_unreadable(&error));
                self.failed(error, at_deadline);
            }
            (Some(reason), read) => {
                if let Ok(resource) = read {
                    plan.judge().take_resource(resource);
                }
                self.fail(reason, None);
            }
        }
    }

    fn go_on(&mut self, at_deadline: bool) {
        if at_deadline {
            self.fail(Reason::Timeout, None);
        } else {
            self.nothing_new();
        }
    }

    /// A poll showed nothing.
    fn nothing_new(&mut self) {
        self.slow_down();
        self.schedule.delay = self.next_delay();
    }

    fn slow_down(&mut self) {
        let longest = self.plan.pace().end;
        self.schedule.interval = self.schedule.interval.mul_f64(1.5).min(longest);
    }

    /// Takes in a poll that failed.
    pub(super) fn poll_failed(&mut self, error: Error) {
        let at_deadline = self.end_poll();
        self.failed(error, at_deadline);
    }

    fn failed(&mut self, error: Error, at_deadline: bool) {
        self.failures = self.failures.saturating_add(1);
        // A provider that has given tokens before will do so again.
        let passing = error.is_retryable()
            || (is_provider_failure(&error) && self.has_seen())
            || (is_unreadable(&error)
                && self.failures.max(self.unreadable_final_polls) < UNREADABLE);
        if !passing {
            return self.fail(Reason::Poll, Some(error));
        }
        let retry = self.plan.channels.retry();
        let wait = retry.wait(self.failures, error.is_rate_limited(), error.retry_after());
        self.schedule.delay = wait.max(self.plan.pace().start);
        self.last_error = Some(error);
        if at_deadline {
            self.fail(Reason::Timeout, None);
        }
    }

    pub(super) fn fail(&mut self, reason: Reason, source: Option<Error>) {
        let source = source.or_else(|| self.last_error.take());
        self.finish(Err(self.plan.failure(reason).into_error(source)));
    }

    fn finish(&mut self, outcome: Result<Value>) {
        self.phase = Phase::Ended;
        self.send(Update::End(Box::new(outcome)));
    }

    fn send(&self, update: Update) {
        // A wait that was dropped has sent its leave.
        let _ = self.updates.send(update);
    }

    /// The current interval, a little less so that many waits do not poll at once.
    fn next_delay(&self) -> Duration {
        let min_age = self.plan.judge().min_age();
        let left = min_age.saturating_sub(self.plan.started.elapsed());
        let interval = if left.is_zero() {
            self.schedule.interval
        } else {
            let soon = left.max(Duration::from_millis(100));
            self.schedule.interval.min(soon)
        };
        interval.mul_f64(0.9 + 0.1 * fastrand::f64())
    }

    /// When the next poll is due by its own schedule.
    pub(super) fn due(&self, at_least: Duration) -> Instant {
        let delay = self.schedule.delay.max(at_least);
        later(self.schedule.last_poll, delay).min(self.plan.deadline)
    }
}
