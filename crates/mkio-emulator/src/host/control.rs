//! The handle that tests steer an emulator with.

use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    engine::Engine,
    faults::{Fault, FaultError, parse},
    incidents, inspect,
    platform::incidents::{Incident, JobFailure},
};

/// Steers a running emulator: its clock, its faults, what it knows. Clones steer the same emulator.
#[derive(Clone)]
pub struct Control {
    pub(crate) engine: Arc<Engine>,
}

/// Shows the time and nothing of what the emulator keeps: that has secrets.
impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Platform time now.
    pub fn now(&self) -> DateTime<Utc> {
        self.engine.clock.now()
    }

    /// Lets `scale` seconds of platform time pass in each second from now on.
    pub fn set_time_scale(&self, scale: f64) {
        self.engine.clock.set_scale(scale);
    }

    /// Stops platform time; states stand still.
    pub fn pause(&self) {
        self.engine.clock.pause();
    }

    /// Lets platform time pass again.
    pub fn resume(&self) {
        self.engine.clock.resume();
    }

    /// Moves platform time ahead at once, paused or not; everything due in between happens in order.
    pub fn step(&self, by: Duration) {
        self.engine.clock.step(by);
        drop(self.engine.world());
        self.engine.woken.notify_waiters();
    }

    /// Adds a fault. Of several that meet a request, the one added first counts.
    ///
    /// # Errors
    /// When it could never meet a request, or would do nothing; it is not added then.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        fault.check()?;
        self.add([fault]);
        Ok(())
    }

    fn add(&self, new: impl IntoIterator<Item = Fault>) {
        let mut faults = self
            .engine
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        new.into_iter().for_each(|fault| faults.add(fault));
    }

    /// Adds faults given as text, as on the command line.
    ///
    /// # Errors
    /// The rule that does not parse; none is added then.
    pub fn faults(&self, text: &str) -> Result<(), FaultError> {
        self.add(parse(text)?);
        Ok(())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.engine
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Lets a job that has not ended fail half way through its processing.
    ///
    /// # Errors
    /// When there is no such job, or it has ended.
    pub fn fail_job(
        &self,
        project: &str,
        transform: &str,
        job: &str,
        failure: &JobFailure,
    ) -> Result<(), String> {
        let done = incidents::fail_job(&self.engine, project, transform, job, failure);
        self.engine.woken.notify_waiters();
        done
    }

    /// Lets something happen to the resource at a path below `/api/v1/projects/{project}/`, such as `fleet/devices/beam`, or at
    /// a path from the root, such as `/api/channels/one/`.
    ///
    /// # Errors
    /// When there is no such resource, or the incident cannot happen to it, or not in its state.
    pub fn cause(&self, project: &str, path: &str, incident: &Incident) -> Result<(), String> {
        let done = incidents::happen(&self.engine, project, path, incident);
        self.engine.woken.notify_waiters();
        done
    }

    /// What GET answers for a path below `/api/v1/projects/{project}/`, without permissions, limits and faults:
    /// `media/assets/intro`. None when there is no such resource.
    pub fn inspect(&self, project: &str, path: &str) -> Option<Value> {
        inspect::get(&self.engine, project, path)
    }
}
