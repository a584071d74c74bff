//! A wait, written down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, Timestamp};

/// A wait, written down: which resource, for what, until when, and what it has seen.
///
/// Made by [`Wait::describe`](super::Wait::describe). Keep it with `serde` wherever you like, and
/// take the wait up again, after a restart or in another process, with the `resume_wait_…` call of
/// the same resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitDescription {
    /// Kind of the resource, for example `media.job`.
    pub(super) resource: String,
    /// Path parameters of the resource.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) goal: WrittenGoal,
    /// When time is up.
    pub(super) deadline: DateTime<Utc>,
    /// Longest time to wait, in milliseconds: no more than that is left, whatever the clock says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<u64>,
    /// Until when a 404 is taken for "not there yet".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) missing_until: Option<DateTime<Utc>>,
    /// Shortest and longest time between looks, in milliseconds, if the user has set them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) poll_every: Option<(u64, u64)>,
    /// An action came first: what is seen may be from before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) acted: bool,
    /// States that were seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) seen: BTreeSet<String>,
    /// Only a resource created after this counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_after: Option<Timestamp>,
}

/// The goal of a described wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenGoal {
    /// One that the resource declares, by name.
    Goal(String),
    /// One of these states.
    States(Vec<String>),
    /// The resource is gone.
    Gone,
}

impl WaitDescription {
    /// Kind of the resource, for example `media.job`.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Path parameters of the resource, for example `job_name`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The wait is one until the resource is gone: a call `resume_wait_until_…_gone` takes it up
    /// again.
    pub fn is_until_gone(&self) -> bool {
        self.goal == WrittenGoal::Gone
    }

    /// For generated code: the wait is one in this project.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when it is one in another project.
    #[doc(hidden)]
    pub fn within(&self, project: &str) -> Result<&Self> {
        match self.parameter("project_name") {
            Some(other) if other != project => {
                let message = format!(
                    "the description is of a wait in the project `{other}`, not in `{project}`: \
                     take it up with a client of that project"
                );
                Err(Error::new(ErrorKind::InvalidRequest, message))
            }
            _ => Ok(self),
        }
    }

    /// The error that another call takes this wait up.
    pub(super) fn takes_up(&self, call: &str, end: &str) -> Error {
        let name = self.resource.rsplit('.').next().unwrap_or_default();
        let goal = match self.is_until_gone() {
            true => "until the resource is gone",
            false => "for a state",
        };
        let message = format!(
            "the description is of a wait {goal}: `resume_{call}_{name}{end}` takes it up again"
        );
        Error::new(ErrorKind::InvalidRequest, message)
    }

    /// When time is up.
    pub fn deadline(&self) -> DateTime<Utc> {
        self.deadline
    }

    /// Time left until the deadline; zero when it has passed. A wait that is taken up late still
    /// has one look.
    pub(super) fn left(&self) -> Duration {
        let left = until(self.deadline);
        self.timeout
            .map_or(left, |timeout| left.min(Duration::from_millis(timeout)))
    }

    /// How much longer a 404 is taken for "not there yet", if that is said.
    pub(super) fn missing_for(&self) -> Option<Duration> {
        self.missing_until.map(until)
    }
}

fn until(time: DateTime<Utc>) -> Duration {
    (time - Utc::now()).to_std().unwrap_or_default()
}

/// The point in time after this duration; the end of what RFC 3339 can write when that is later.
pub(super) fn after(duration: Duration) -> DateTime<Utc> {
    const LAST: i64 = 253_402_300_799;
    let last = DateTime::from_timestamp(LAST, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let time = Utc::now().checked_add_signed(delta);
    time.map_or(last, |time| time.min(last))
}
