//! News of a resource that came without a poll.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    seen::{self, Seen},
    target::Target,
};
use crate::Timestamp;

/// A change of state that the service reported, as its webhook events do.
///
/// Given to [`Waits::notify`](super::Waits::notify).
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct StateEvent {
    /// Path of the resource (`source` of the event). The one of jobs lacks its API's part
    /// (`/media`); that is understood.
    pub source: String,
    /// The state that the resource has now (`data.state`).
    pub state: Option<String>,
    /// When that was (`time`). An event that is older than one before it is ignored.
    pub time: Option<Timestamp>,
    /// The resource as a GET gives it (`data.resource`).
    pub resource: Option<Value>,
}

impl StateEvent {
    /// An event about the resource at this path.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            ..Self::default()
        }
    }

    /// Adds the state that the resource has now.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Adds when the change was.
    #[must_use]
    pub fn time(mut self, time: impl Into<Timestamp>) -> Self {
        self.time = Some(time.into());
        self
    }

    /// Adds the resource as a GET gives it.
    #[must_use]
    pub fn resource(mut self, resource: Value) -> Self {
        self.resource = Some(resource);
        self
    }

    pub(super) fn utc(&self) -> Option<DateTime<Utc>> {
        self.time.as_ref()?.utc()
    }

    /// The event is about this resource.
    pub(super) fn is_about(&self, target: &Target) -> bool {
        path(target).is_some_and(|path| path.is(&Path::read(&self.source)))
    }

    /// The event is about a resource of this kind and project.
    pub(super) fn same_kind(&self, target: &Target) -> bool {
        path(target).is_some_and(|path| path.is_like(&Path::read(&self.source)))
    }

    /// The resource as the event shows it; `None` when the event has no state.
    pub(super) fn seen(&self, target: &Target) -> Option<Seen> {
        let shown = self
            .resource
            .clone()
            .map(|item| seen::resource(target, item));
        match (shown, &self.state) {
            (Some(Seen::There { resource, .. }), Some(state)) => Some(Seen::There {
                state: Some(state.clone()),
                resource,
            }),
            (None, Some(state)) => Some(Seen::There {
                state: Some(state.clone()),
                resource: None,
            }),
            (Some(seen @ Seen::There { state: Some(_), .. }), None) => Some(seen),
            _ => None,
        }
    }
}

/// Shows no resource: it may hold secrets.
impl std::fmt::Debug for StateEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateEvent")
            .field("source", &self.source)
            .field("state", &self.state)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

fn path(target: &Target) -> Option<Path> {
    Some(Path::read(&target.path(target.resource.item?)))
}

/// The path of a resource within its project.
#[derive(Debug, PartialEq, Eq)]
struct Path {
    project: Option<String>,
    /// Part of the API (`media`, `live`); events of jobs leave it out.
    api: Option<String>,
    /// Collections and names.
    rest: Vec<String>,
}

impl Path {
    fn read(path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let mut segments: Vec<_> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let project = segments.iter().position(|segment| segment == "projects");
        let project = project.filter(|at| *at + 1 < segments.len()).map(|at| {
            let rest = segments.split_off(at + 2);
            let project = segments.pop();
            segments = rest;
            project
        });
        // A resource is collections and names in turn, so an odd first one is the API's.
        let api = (segments.len() % 2 == 1).then(|| segments.remove(0));
        Self {
            project: project.flatten(),
            api,
            rest: segments,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.same_place(other) && self.rest == other.rest
    }

    fn is_like(&self, other: &Self) -> bool {
        let collections =
            |path: &Self| -> Vec<String> { path.rest.iter().step_by(2).cloned().collect() };
        self.same_place(other) && collections(self) == collections(other)
    }

    fn same_place(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a == b || a.is_none() || b.is_none();
        self.project == other.project && same(&self.api, &other.api)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::tests::service::job;

    #[test]
    fn knows_the_resource_with_and_without_its_api() {
        let job = job("h264", "my job");
        for (source, about, same_kind) in [
            (
                "/api/v1/projects/acme/media/transforms/h264/jobs/my%20job",
                true,
                true,
            ),
            (
                "/api/v1/projects/acme/transforms/h264/jobs/my%20job",
                true,
                true,
            ),
            (
                "/api/v1/projects/acme/transforms/h264/jobs/my job",
                true,
                true,
            ),
            (
                "https://app.mk.io/api/v1/projects/acme/transforms/h264/jobs/my%20job",
                true,
                true,
            ),
            (
                "/api/v1/projects/acme/transforms/h264/jobs/other",
                false,
                true,
            ),
            (
                "/api/v1/projects/acme/transforms/h265/jobs/my%20job",
                false,
                true,
            ),
            (
                "/api/v1/projects/acme/live/transforms/h264/jobs/my%20job",
                false,
                false,
            ),
            (
                "/api/v1/projects/other/transforms/h264/jobs/my%20job",
                false,
                false,
            ),
            (
                "/api/v1/projects/acme/media/streamingLocators/my%20job",
                false,
                false,
            ),
            ("/transforms/h264/jobs/my%20job", false, false),
            ("", false, false),
        ] {
            let event = StateEvent::new(source);
            assert_eq!(event.is_about(&job), about, "{source}");
            assert_eq!(event.same_kind(&job), same_kind, "{source}");
        }
    }
}
