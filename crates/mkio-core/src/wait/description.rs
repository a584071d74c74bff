//! A wait, written down.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A wait, written down: which resource, for what, until when.
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
    /// Shortest and longest time between looks, in milliseconds, if the user has set them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) poll_every: Option<(u64, u64)>,
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

    /// When time is up.
    pub fn deadline(&self) -> DateTime<Utc> {
        self.deadline
    }

    /// Time left until the deadline; zero when it has passed. A wait that is taken up late still
    /// has one look.
    pub(super) fn left(&self) -> Duration {
        (self.deadline - Utc::now()).to_std().unwrap_or_default()
    }
}
