//! The handle that tests steer an emulator with.

use std::{
    fmt,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    base::{clock::ClockFace, error::ApiError, kind::Kind, store::Address},
    control::{
        log::{RequestLog, RequestRecord, Seen},
        state,
    },
    engine::Engine,
    faults::{Fault, FaultError, Faults, parse},
    incidents, inspect,
    platform::incidents::{Incident, JobFailure},
    seed::{self, BeginError, Beginning},
};

/// Steers a running emulator: its clock, its faults, its resources. Clones steer the same emulator.
///
/// All of it can be done over HTTP as well, below `/_emulator/`.
#[derive(Clone)]
pub struct Control {
    pub(crate) engine: Arc<Engine>,
    beginning: Arc<Beginning>,
    log: Arc<RequestLog>,
}

/// Shows only the time: the resources hold secrets.
impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

/// The sentence of a refusal.
fn detail(refusal: ApiError) -> String {
    refusal.detail
}

impl Control {
    /// The handle of a new emulator.
    ///
    /// # Errors
    /// When a part of the start is refused.
    pub(crate) fn begin(mut beginning: Beginning) -> Result<Self, BeginError> {
        let (engine, token) = beginning.begin()?;
        beginning.token = Some(token);
        Ok(Self {
            engine: Arc::new(engine),
            beginning: Arc::new(beginning),
            log: Arc::default(),
        })
    }

    /// The token that opens the emulator, also after its world is replaced.
    pub(crate) fn token(&self) -> &str {
        self.beginning.token.as_deref().unwrap_or_default()
    }

    /// The project that exists from the start.
    pub(crate) fn project(&self) -> &str {
        &self.beginning.project
    }

    /// Remembers a request.
    pub(crate) fn note(&self, seen: Seen) {
        self.log.add(seen);
    }

    /// The reading of the clock.
    pub(crate) fn clock(&self) -> ClockFace {
        self.engine.clock.face()
    }

    /// Platform time now.
    pub fn now(&self) -> DateTime<Utc> {
        self.engine.clock.now()
    }

    /// Seconds of platform time that pass in a second while it is not paused.
    pub fn time_scale(&self) -> f64 {
        self.clock().scale
    }

    /// Whether platform time is paused.
    pub fn is_paused(&self) -> bool {
        self.clock().paused
    }

    /// Lets `scale` seconds of platform time pass in each second from now on.
    pub fn set_time_scale(&self, scale: f64) {
        self.engine.clock.set_scale(scale);
    }

    /// Stops platform time; no state changes by itself.
    pub fn pause(&self) {
        self.engine.clock.pause();
    }

    /// Lets platform time pass again.
    pub fn resume(&self) {
        self.engine.clock.resume();
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        if paused {
            self.pause();
        } else {
            self.resume();
        }
    }

    /// Moves platform time ahead at once, paused or not; everything due in between happens in order.
    pub fn step(&self, by: Duration) {
        self.engine.clock.step(by);
        drop(self.engine.world());
        self.engine.woken.notify_waiters();
    }

    /// Adds a fault. Of several that match a request, the one added first counts.
    ///
    /// # Errors
    /// When it could never match a request, or would do nothing; it is not added then.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        fault.check()?;
        self.add([fault]);
        Ok(())
    }

    fn armed(&self) -> MutexGuard<'_, Faults> {
        let faults = self.engine.faults.lock();
        faults.unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, new: impl IntoIterator<Item = Fault>) {
        let mut faults = self.armed();
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

    /// The faults in force, in the order in which they were added, with the number of requests that each changed.
    pub fn list_faults(&self) -> Vec<(Fault, u64)> {
        let armed = self.armed();
        armed
            .counted()
            .map(|(fault, _, met)| (fault.clone(), met))
            .collect()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.armed().clear();
    }

    /// Fails a job that has not ended, half way through its processing.
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

    /// Causes an incident of the resource at a path below `/api/v1/projects/{project}/`, such as `fleet/devices/beam`, or at a path from
    /// the root, such as `/api/channels/one/`.
    ///
    /// # Errors
    /// When there is no such resource, or the incident cannot happen to it, or not in its state.
    pub fn cause(&self, project: &str, path: &str, incident: &Incident) -> Result<(), String> {
        let done = incidents::happen(&self.engine, project, path, incident);
        self.engine.woken.notify_waiters();
        done
    }

    /// The response of GET for a path below `/api/v1/projects/{project}/`, such as `media/assets/intro`, or for one from the root, without
    /// permissions, limits and faults. None when there is no such resource.
    pub fn inspect(&self, project: &str, path: &str) -> Option<Value> {
        inspect::get(&self.engine, project, path)
    }

    /// Kind, name and state of everything in a project, in the order of kinds and of creation.
    pub fn resources(&self, project: &str) -> Vec<Value> {
        inspect::list(&self.engine, project, usize::MAX).0
    }

    /// The newest deliveries of webhooks, at most `most`, oldest first.
    pub fn deliveries(&self, most: usize) -> Vec<Value> {
        self.engine.world().outbox.newest(most)
    }

    /// The last requests, oldest first: at most 1,000, and as many as have bodies of 16 MiB in all. Secrets are masked. Requests to
    /// `/_emulator/` are not among them.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.requests_since(0, usize::MAX)
    }

    /// The requests after number `number`, oldest first; the newest `most` of them.
    pub fn requests_since(&self, number: u64, most: usize) -> Vec<RequestRecord> {
        self.log.since(number, most)
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.log.clear();
    }

    /// Starts again: world, clock and faults are as they were at the start, and no request is remembered. The token stays the same. A state
    /// that was loaded at the start is not loaded again.
    ///
    /// # Errors
    /// When a part of the emulator's start is refused this time.
    pub fn reset(&self) -> Result<(), String> {
        let (engine, _) = self.beginning.begin().map_err(|error| error.to_string())?;
        let faults =
            std::mem::take(&mut *engine.faults.lock().unwrap_or_else(PoisonError::into_inner));
        self.engine.replace(engine);
        *self.armed() = faults;
        self.log.clear();
        Ok(())
    }

    /// Adds assets named `asset-1` to `asset-<count>` to a project, all of them `Ready`. Existing ones stay as they are.
    ///
    /// # Errors
    /// When there is no such project, or there are more than may be kept; none is added then.
    pub fn seed(&self, project: &str, count: usize) -> Result<(), String> {
        let mut world = self.engine.world();
        let known = Address::new("", Kind::PROJECT, project);
        world.find(&known).map_err(detail)?;
        seed::assets(&mut world, project, count).map_err(detail)
    }

    /// Makes requests, without limits and faults: a JSON array of `{"path", "method", "body"}`, as in a seed file. The first that is
    /// refused ends it.
    ///
    /// # Errors
    /// Which request was refused, and why.
    pub fn make(&self, project: &str, requests: &str) -> Result<(), String> {
        seed::make_requests(&self.engine, project, requests)
    }

    /// The whole platform as JSON: resources with their ids, states and next steps, the clock, deliveries, stored files. It holds tokens
    /// as digests, and all other secrets as the callers sent them. Faults and the log of requests are left out. So are files in folders of
    /// [`Settings::files`](crate::Settings::files): they stay where they are.
    pub fn state(&self) -> String {
        state::save(&self.engine)
    }

    /// Restores the platform that [`state`](Self::state) wrote. The token of this emulator opens it as well.
    ///
    /// # Errors
    /// The text is not a state; everything stays as it is then.
    pub fn restore(&self, state: &str) -> Result<(), String> {
        let engine = state::load(&self.engine, state)?;
        let mut world = engine.world();
        let own = Address::new("", Kind::PROJECT, self.project());
        if !world.has(&own) {
            let known = world.all("", Kind::PROJECT);
            let known: Vec<_> = known.map(|(_, project)| &*project.name).collect();
            let way_out = match known.join(", ") {
                none if none.is_empty() => "it has none at all".to_owned(),
                known => format!("start with one of its projects: --project {known}"),
            };
            let project = self.project();
            return Err(format!("this state has no project '{project}'; {way_out}"));
        }
        seed::admit(&mut world, self.token()).map_err(detail)?;
        drop(world);
        self.engine.replace(engine);
        Ok(())
    }
}
