//! Resources as the generated crates declare them, and a scripted service that has them.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Error, Operation, Result, Transport, TransportBuilder, Waits,
    page::script::{Script, Seen},
    wait::{Goal, ListSource, PRESENT, Resource, StateKind, target::Target},
};

macro_rules! operation {
    ($name:ident, $id:literal, $path:literal) => {
        pub(in crate::wait) static $name: Operation = Operation {
            id: $id,
            api: "media",
            method: Method::GET,
            path: $path,
            request_body: None,
            streams: false,
        };
    };
}

operation!(
    LIST_JOBS,
    "list_jobs",
    "/api/v1/projects/{project_name}/media/jobs"
);
operation!(
    GET_JOB,
    "get_job",
    "/api/v1/projects/{project_name}/media/transforms/{transform_name}/jobs/{job_name}"
);
operation!(
    GET_JOB_STATE,
    "get_job_state",
    "/api/v1/projects/{project_name}/media/transforms/{transform_name}/jobs/{job_name}/state"
);
operation!(
    GET_LIVE_EVENT,
    "get_live_event",
    "/api/v1/projects/{project_name}/media/liveEvents/{event_name}"
);
operation!(
    GET_LIVE_EVENT_STATE,
    "get_live_event_state",
    "/api/v1/projects/{project_name}/media/liveEvents/{event_name}/state"
);
operation!(
    LIST_BACKUPS,
    "list_backups",
    "/api/v1/projects/{project_name}/fleet/backups"
);

pub(in crate::wait) static JOB: Resource = Resource {
    name: "media.job",
    params: &["project_name", "transform_name", "job_name"],
    item: Some(&GET_JOB),
    state: Some(&GET_JOB_STATE),
    list: Some(ListSource {
        operation: &LIST_JOBS,
        name_pointer: "/name",
        name_field: Some("name"),
        scope_fields: &[("transform_name", "transform")],
        stem: false,
        id_pointer: "/id",
    }),
    state_pointer: "/properties/state",
    progress_pointer: "/properties/outputs/*/progress",
    error_pointers: &["/properties/outputs/*/error"],
    created_pointer: "/properties/created",
    states: &[
        ("Queued", StateKind::Transient),
        ("Scheduled", StateKind::Transient),
        ("Processing", StateKind::Transient),
        ("Canceling", StateKind::Transient),
        ("Finished", StateKind::Success),
        ("Error", StateKind::Failure),
        ("Canceled", StateKind::Failure),
    ],
    goals: &[Goal {
        name: "finished",
        states: &["Finished"],
        failures: &["Error", "Canceled"],
        ..Goal::DEFAULT
    }],
    timeout: Duration::from_secs(12 * 3600),
    poll: (Duration::from_secs(2), Duration::from_secs(30)),
    events: true,
    ..Resource::DEFAULT
};

pub(in crate::wait) static LIVE_EVENT: Resource = Resource {
    name: "media.live_event",
    params: &["project_name", "event_name"],
    item: Some(&GET_LIVE_EVENT),
    state: Some(&GET_LIVE_EVENT_STATE),
    state_pointer: "/properties/resourceState",
    busy: &["Creating", "Starting", "Stopping"],
    states: &[
        ("Creating", StateKind::Transient),
        ("Stopped", StateKind::Steady),
        ("Starting", StateKind::Transient),
        ("Running", StateKind::Steady),
        ("Stopping", StateKind::Transient),
        ("Deleting", StateKind::Deleting),
    ],
    goals: &[
        Goal {
            name: "running",
            states: &["Running"],
            failures: &["Deleting"],
            on_the_way: &["Starting"],
            fell_back: &["Stopped", "Stopping"],
            ..Goal::DEFAULT
        },
        Goal {
            name: "stopped",
            states: &["Stopped"],
            failures: &["Deleting"],
            on_the_way: &["Stopping"],
            ..Goal::DEFAULT
        },
        Goal {
            name: "restarted",
            states: &["Running"],
            min_age: Duration::from_secs(20),
            ..Goal::DEFAULT
        },
    ],
    ..Resource::DEFAULT
};

operation!(
    GET_DEVICE,
    "get_device",
    "/api/v1/projects/{project_name}/fleet/devices/{name}"
);

pub(in crate::wait) static DEVICE_SOFTWARE: Resource = Resource {
    name: "fleets.device_software",
    params: &["project_name", "name", "version"],
    name_param: "name",
    item: Some(&GET_DEVICE),
    state_pointer: "/status/softwareUpgradeState",
    states: &[
        ("Idle", StateKind::Steady),
        ("Switching", StateKind::Transient),
        ("SwitchFailed", StateKind::Failure),
    ],
    goals: &[Goal {
        name: "switched",
        states: &["Idle"],
        failures: &["SwitchFailed"],
        requires: &[("/status/currentSoftwareVersion", "{version}")],
        ..Goal::DEFAULT
    }],
    ..Resource::DEFAULT
};

pub(in crate::wait) static DEVICE_PRELOAD: Resource = Resource {
    name: "fleets.device_preload",
    state_pointer: "/status/preloadedSoftware/version={version}/state",
    progress_pointer: "/status/preloadedSoftware/version={version}/precentProgress",
    states: &[
        ("Downloading", StateKind::Transient),
        ("Downloaded", StateKind::Steady),
    ],
    goals: &[Goal {
        name: "downloaded",
        states: &["Downloaded"],
        ..Goal::DEFAULT
    }],
    params: &["project_name", "name", "version"],
    name_param: "name",
    item: Some(&GET_DEVICE),
    ..Resource::DEFAULT
};

pub(in crate::wait) static BACKUP: Resource = Resource {
    name: "fleets.backup",
    params: &["project_name", "backup_name"],
    list: Some(ListSource {
        operation: &LIST_BACKUPS,
        name_pointer: "/metadata/name",
        name_field: None,
        scope_fields: &[],
        stem: true,
        id_pointer: "",
    }),
    created_pointer: "/metadata/created",
    presence: true,
    goals: &[Goal {
        name: "present",
        states: &[PRESENT],
        ..Goal::DEFAULT
    }],
    ..Resource::DEFAULT
};

pub(in crate::wait) fn job(transform: &str, job: &str) -> Target {
    let values = ["acme", transform, job].map(str::to_owned).to_vec();
    Target::new(&JOB, values).unwrap()
}

/// A moment in the life of a scripted resource: from when, its JSON; `None` when it is gone.
type Life = Vec<(Duration, Option<Value>)>;

/// Which requests are answered with another body.
type Garble = Box<dyn Fn(&Seen) -> Option<String> + Send + Sync>;

/// Which requests fail, and how.
type Fault = Box<dyn Fn(&Seen) -> Option<Error> + Send + Sync>;

/// Resources whose JSON changes with time, behind the operations above.
#[derive(Clone)]
pub(in crate::wait) struct Service {
    pub(in crate::wait) script: Arc<Script>,
    world: Arc<World>,
    pub(in crate::wait) transport: Transport,
}

struct World {
    start: Instant,
    resources: Mutex<BTreeMap<String, Life>>,
    page: Mutex<usize>,
    hidden: Mutex<Vec<String>>,
    nameless: Mutex<bool>,
    fault: Mutex<Option<Fault>>,
    garble: Mutex<Option<Garble>>,
}

impl Service {
    pub(in crate::wait) fn new() -> Self {
        Self::with(|builder| builder.token("token"))
    }

    /// A service behind a transport with these settings as well.
    pub(in crate::wait) fn with(
        settings: impl FnOnce(TransportBuilder) -> TransportBuilder,
    ) -> Self {
        let world = Arc::new(World {
            start: Instant::now(),
            resources: Mutex::default(),
            page: Mutex::new(1000),
            hidden: Mutex::default(),
            nameless: Mutex::default(),
            fault: Mutex::default(),
            garble: Mutex::default(),
        });
        let served = world.clone();
        let latency = Duration::from_millis(5);
        let script = Script::slow(latency, move |seen| served.respond(seen));
        Self {
            transport: settings(script.builder()).build().unwrap(),
            script,
            world,
        }
    }

    pub(in crate::wait) fn waits(&self) -> &Waits {
        self.transport.waits()
    }

    /// A resource at this path that has these states from these seconds on; `""` is gone.
    pub(in crate::wait) fn at(&self, path: &str, states: &[(u64, &str)]) {
        let life = states.iter().map(|(second, state)| {
            let json = (!state.is_empty()).then(|| resource(path, state));
            (Duration::from_secs(*second), json)
        });
        self.life(path, life.collect());
    }

    pub(in crate::wait) fn life(&self, path: &str, life: Life) {
        let path = format!("/api/v1/projects/acme/{path}");
        self.world.resources.lock().unwrap().insert(path, life);
    }

    /// Items of one page of a list.
    pub(in crate::wait) fn page_size(&self, size: usize) {
        *self.world.page.lock().unwrap() = size;
    }

    /// Leaves resources with this part of a path out of the lists.
    pub(in crate::wait) fn hide(&self, part: &str) {
        self.world.hidden.lock().unwrap().push(part.to_owned());
    }

    /// Items of lists have no id.
    pub(in crate::wait) fn without_ids(&self) {
        *self.world.nameless.lock().unwrap() = true;
    }

    /// Items of lists have their ids again.
    pub(in crate::wait) fn with_ids(&self) {
        *self.world.nameless.lock().unwrap() = false;
    }

    /// Answers requests for which this gives an error with the error.
    pub(in crate::wait) fn fault(
        &self,
        fault: impl Fn(&Seen) -> Option<Error> + Send + Sync + 'static,
    ) {
        *self.world.fault.lock().unwrap() = Some(Box::new(fault));
    }

    /// Answers requests for which this gives a body with that body.
    pub(in crate::wait) fn garble(
        &self,
        garble: impl Fn(&Seen) -> Option<String> + Send + Sync + 'static,
    ) {
        *self.world.garble.lock().unwrap() = Some(Box::new(garble));
    }

    /// Paths of the requests so far, after the project, with the seconds since the start.
    pub(in crate::wait) fn log(&self) -> Vec<(f64, String)> {
        let calls = self.script.log().into_iter().map(|seen| {
            let second = (seen.at - self.world.start).as_secs_f64();
            (
                second,
                seen.path
                    .trim_start_matches("/api/v1/projects/acme/")
                    .to_owned(),
            )
        });
        calls.collect()
    }

    /// Most requests in any minute.
    pub(in crate::wait) fn busiest_minute(&self) -> usize {
        let times: Vec<_> = self.log().into_iter().map(|(second, _)| second).collect();
        let minute = |from: &f64| {
            times
                .iter()
                .filter(|at| (0.0..60.0).contains(&(*at - from)))
                .count()
        };
        times.iter().map(minute).max().unwrap_or(0)
    }
}

/// JSON of a resource in a state; `Processing 40` is one with progress.
pub(in crate::wait) fn resource(path: &str, state: &str) -> Value {
    let (state, progress) = match state.split_once(' ') {
        Some((state, progress)) => (state, progress.parse::<u8>().ok()),
        None => (state, None),
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let error = (state == "Error").then(|| {
        json!({"category": "Download", "code": "DownloadNotAccessible", "message": "no such file",
               "retry": "MayRetry"})
    });
    json!({
        "id": format!("/subscriptions/1/{path}"),
        "name": name,
        "metadata": {"name": name},
        "properties": {
            "state": state,
            "resourceState": state,
            "outputs": [{"progress": progress, "error": error}],
        },
    })
}

impl World {
    fn respond(&self, seen: &Seen) -> Result<String> {
        if let Some(fault) = &*self.fault.lock().unwrap_or_else(|fault| fault.into_inner())
            && let Some(error) = fault(seen)
        {
            return Err(error);
        }
        if let Some(garble) = &*self.garble.lock().unwrap()
            && let Some(body) = garble(seen)
        {
            return Ok(body);
        }
        let response = if seen.path.ends_with("/media/jobs") || seen.path.ends_with("/backups") {
            self.list(seen)
        } else if let Some(path) = seen.path.strip_suffix("/state") {
            let json = self.now(path)?;
            json!({"status": {"state": json["properties"]["state"]}})
        } else {
            self.now(&seen.path)?
        };
        Ok(response.to_string())
    }

    fn now(&self, path: &str) -> Result<Value> {
        let resources = self.resources.lock().unwrap();
        let elapsed = self.start.elapsed();
        let life = resources.get(path).map_or(&[][..], Vec::as_slice);
        life.iter()
            .rfind(|(from, _)| *from <= elapsed)
            .and_then(|(_, json)| json.clone())
            .ok_or_else(|| status(404))
    }

    /// The list, filtered by the names and transforms in the filter, page by page.
    fn list(&self, seen: &Seen) -> Value {
        let paths: Vec<_> = self.resources.lock().unwrap().keys().cloned().collect();
        let filter = seen.parameter("$filter");
        let wanted = filter.map(wanted);
        let skip: usize = seen
            .parameter("$skiptoken")
            .map_or(0, |skip| skip.parse().unwrap());
        let hidden = self.hidden.lock().unwrap().clone();
        let all: Vec<_> = paths
            .iter()
            .filter(|path| !hidden.iter().any(|hidden| path.contains(hidden)))
            .filter(|path| {
                path.starts_with(
                    seen.path
                        .trim_end_matches("/jobs")
                        .trim_end_matches("/backups"),
                )
            })
            .filter(|path| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(&parts(path)))
            })
            .filter_map(|path| self.now(path).ok())
            .map(|mut item| {
                if *self.nameless.lock().unwrap() {
                    item["id"] = Value::Null;
                }
                item
            })
            .collect();
        let page = *self.page.lock().unwrap();
        let items: Vec<_> = all.iter().skip(skip).take(page).collect();
        let mut response = json!({"value": items});
        if skip + page < all.len() {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(filter.map(|filter| ("$filter", filter)))
                .append_pair("$skiptoken", &(skip + page).to_string())
                .finish();
            response["@odata.nextLink"] = format!("?{query}").into();
        }
        response
    }
}

/// Reads the filters that waits write, and no others: transforms with names.
fn wanted(filter: &str) -> HashSet<(String, String)> {
    let scopes = match filter.strip_prefix('(') {
        Some(many) => many.trim_end_matches(')').split(") or (").collect(),
        None => vec![filter],
    };
    let text = |text: &str| {
        let text = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        let text = text.unwrap_or_else(|| panic!("unexpected filter {filter}"));
        text.replace("''", "'")
    };
    let mut wanted = HashSet::new();
    for scope in scopes {
        let (transform, names) = scope
            .strip_prefix("transform eq ")
            .and_then(|scope| scope.split_once(" and "))
            .unwrap_or_else(|| panic!("unexpected filter {filter}"));
        let names = names.trim_start_matches('(').trim_end_matches(')');
        for condition in names.split(" or ") {
            let name = condition.strip_prefix("name eq ").unwrap();
            wanted.insert((text(transform), text(name)));
        }
    }
    wanted
}

/// Transform and name of a job.
fn parts(path: &str) -> (String, String) {
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let transform = parent.trim_end_matches("/jobs").rsplit('/').next().unwrap();
    (transform.to_owned(), name.to_owned())
}

/// The error of a response with this status.
pub(in crate::wait) fn status(status: u16) -> Error {
    let status = http::StatusCode::from_u16(status).unwrap();
    Error::from_response(status, http::HeaderMap::new(), bytes::Bytes::new())
}
