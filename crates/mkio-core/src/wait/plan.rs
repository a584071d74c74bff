//! A wait that has begun.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    Change, Reason, ResourceError, WaitDescription, WaitFailure,
    judge::{ActionResult, Judge},
    pointer,
    poll::Channels,
    settings::{WaitSettings, later},
    target::Target,
    want::Want,
};
use crate::{Error, ErrorKind, Result, sync::lock};

/// A message to a wait.
pub(super) enum Update {
    Change(Change<Arc<str>>),
    /// The end: the resource (null when there is none to give), or why not.
    End(Box<Result<Value>>),
}

/// A wait that has begun. Its handle and the task that polls share it, so that the handle can hand
/// it to another task when the first one has ended with its runtime.
pub(super) struct Plan {
    pub(super) target: Target,
    judge: Mutex<Judge>,
    pub(super) channels: Channels,
    settings: WaitSettings,
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    /// Progress is of interest.
    detail: AtomicBool,
    /// It is a part of a wait: the resource is of no interest when the goal is reached.
    is_part: bool,
}

impl Plan {
    pub(super) fn new(
        target: Target,
        want: Want,
        channels: Channels,
        settings: WaitSettings,
        after_action: Option<ActionResult>,
    ) -> Self {
        let started = Instant::now();
        Self {
            judge: Mutex::new(Judge::new(want, &settings, after_action)),
            target,
            channels,
            deadline: later(started, settings.timeout),
            settings,
            started,
            detail: AtomicBool::new(false),
            is_part: false,
        }
    }

    /// The same for a part of a wait of which so much time has passed.
    pub(super) fn begun_before(mut self, passed: Duration) -> Self {
        lock(&self.judge).start_late(passed);
        self.is_part = true;
        self
    }

    pub(super) fn judge(&self) -> MutexGuard<'_, Judge> {
        lock(&self.judge)
    }

    /// Shortest and longest time between polls.
    pub(super) fn pace(&self) -> Range<Duration> {
        self.settings.pace(self.target.resource)
    }

    pub(super) fn want_detail(&self, wanted: bool) {
        self.detail.store(wanted, Ordering::Relaxed);
    }

    /// Polls are to read the whole resource, not just its state.
    pub(super) fn wants_resource(&self) -> bool {
        let resource = self.target.resource;
        let progress = !resource.progress_pointer.is_empty() && self.detail.load(Ordering::Relaxed);
        progress || self.judge().wants_resource(resource)
    }

    /// The resource is of no interest when the goal is reached.
    pub(super) fn wants_no_resource(&self) -> bool {
        self.is_part || self.judge().wants_gone()
    }

    pub(super) fn describe(&self) -> Result<WaitDescription> {
        let judge = self.judge();
        let elapsed = self.started.elapsed();
        let settings = WaitSettings {
            timeout: self.settings.timeout.saturating_sub(elapsed),
            missing_for: self.settings.missing_for.saturating_sub(elapsed),
            after_action: judge.is_after_action(),
            seen: judge.seen().map(str::to_owned).collect(),
            ..self.settings.clone()
        };
        WaitDescription::new(&self.target, judge.want(), &settings)
    }

    /// The error of a resource that reached the goal and does not decode at this place.
    pub(super) fn undecodable(&self, path: &str, resource: &Value) -> Error {
        let mut failure = self.failure(Reason::Decode);
        failure.json = Some(resource.clone());
        let error = Error::new(ErrorKind::Decode, format!("{failure} at `{path}`"));
        let error = error.with_value(failure);
        match self.target.resource.item {
            Some(operation) => error.with_operation(operation),
            None => error,
        }
    }

    /// Why the wait failed, with all that is known.
    pub(super) fn failure(&self, reason: Reason) -> WaitFailure {
        let judge = self.judge();
        let target = &self.target;
        let json = judge.resource().cloned();
        let errors = json.as_ref().map_or_else(Vec::new, |json| {
            let pointers = target.resource.error_pointers.iter();
            pointers
                .flat_map(|at| pointer::all(json, &target.pointer(at)))
                .filter_map(ResourceError::read)
                .collect()
        });
        WaitFailure {
            reason,
            resource: target.resource.name,
            name: target.name().to_owned(),
            place: target.place(),
            state: judge.state().map(|state| (**state).to_owned()),
            progress: judge.progress(),
            errors,
            elapsed: judge.before().saturating_add(self.started.elapsed()),
            json,
        }
    }
}
