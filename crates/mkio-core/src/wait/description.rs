//! A wait, written down.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Resource, settings::WaitSettings, target::Target, want::Want};
use crate::{Error, ErrorKind, Result, Timestamp};

/// A wait, written down: its resource, goal, deadline, and the states that it has seen.
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
    /// Until when a 404 means "not there yet".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) missing_until: Option<DateTime<Utc>>,
    /// Shortest and longest time between polls, in milliseconds, if the user has set them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) poll_every: Option<(u64, u64)>,
    /// An action came first: the state of the resource may be from before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) after_action: bool,
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
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the wait is for a closure.
    pub(super) fn new(target: &Target, want: &Want, settings: &WaitSettings) -> Result<Self> {
        let goal = match want {
            Want::Goal(goal) => WrittenGoal::Goal(goal.name.to_owned()),
            Want::States(states) => WrittenGoal::States(states.clone()),
            Want::Gone => WrittenGoal::Gone,
            Want::Test(_) | Want::Leave(_) => {
                let message = format!(
                    "{target}: a wait for a closure cannot be described; wait for states instead"
                );
                return Err(Error::new(ErrorKind::InvalidRequest, message));
            }
        };
        let parameters = target.parameters();
        let pace = settings.poll_every.as_ref();
        Ok(Self {
            resource: target.resource.name.to_owned(),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            goal,
            deadline: after(settings.timeout),
            timeout: Some(millis(settings.timeout)),
            missing_until: Some(after(settings.missing_for)),
            poll_every: pace.map(|pace| (millis(pace.start), millis(pace.end))),
            after_action: settings.after_action,
            seen: settings.seen.clone(),
            created_after: settings.created_after.clone(),
        })
    }

    /// The values of the resource's parameters.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the description is of another kind
    /// of resource, or lacks a parameter.
    pub(super) fn values(&self, resource: &Resource) -> Result<Vec<String>> {
        let refuse = |message: String| Error::new(ErrorKind::InvalidRequest, message);
        if self.resource != resource.name {
            return Err(refuse(format!(
                "the description is of a wait for {}, not for {}",
                self.resource, resource.name
            )));
        }
        let lacks = |param| refuse(format!("the description of the wait lacks `{param}`"));
        let value = |param: &&str| self.parameters.get(*param).cloned();
        let params = resource.params.iter();
        params
            .map(|param| value(param).ok_or_else(|| lacks(param)))
            .collect()
    }

    pub(super) fn want(&self, resource: &'static Resource) -> Result<Want> {
        match &self.goal {
            WrittenGoal::Goal(name) => Want::goal(resource, name),
            WrittenGoal::States(states) => Ok(Want::states(resource, states.clone())),
            WrittenGoal::Gone => Ok(Want::Gone),
        }
    }

    pub(super) fn settings(&self, resource: &Resource) -> WaitSettings {
        let missing_for = self.missing_until.map_or(resource.missing_for, until);
        let mut settings = WaitSettings {
            timeout: self.left(),
            poll_every: None,
            missing_for,
            created_after: self.created_after.clone(),
            after_action: self.after_action,
            seen: self.seen.clone(),
        };
        if let Some(pace) = self.pace() {
            settings.poll_every(pace);
        }
        settings
    }

    fn pace(&self) -> Option<Range<Duration>> {
        let (min, max) = self.poll_every?;
        Some(Duration::from_millis(min)..Duration::from_millis(max))
    }

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
    pub fn check_project(&self, project: &str) -> Result<&Self> {
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

    /// The error of a call that cannot take this wait up; it names the one that can.
    pub(super) fn takes_up(&self, call: &str, end: &str) -> Error {
        let name = self.resource.rsplit('.').next().unwrap_or_default();
        let goal = if self.is_until_gone() {
            "until the resource is gone"
        } else {
            "for a state"
        };
        let message = format!(
            "the description is of a wait {goal}: resume it with `resume_{call}_{name}{end}`"
        );
        Error::new(ErrorKind::InvalidRequest, message)
    }

    /// When time is up.
    pub fn deadline(&self) -> DateTime<Utc> {
        self.deadline
    }

    /// Time left until the deadline; zero when it has passed. A wait that is taken up late still
    /// has one poll.
    fn left(&self) -> Duration {
        let left = until(self.deadline);
        self.timeout
            .map_or(left, |timeout| left.min(Duration::from_millis(timeout)))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn until(time: DateTime<Utc>) -> Duration {
    (time - Utc::now()).to_std().unwrap_or_default()
}

/// The point in time after this duration; the end of what RFC 3339 can write when that is later.
fn after(duration: Duration) -> DateTime<Utc> {
    const LAST: i64 = 253_402_300_799;
    let last = DateTime::from_timestamp(LAST, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let time = Utc::now().checked_add_signed(delta);
    time.map_or(last, |time| time.min(last))
}
