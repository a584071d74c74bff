//! Lists and waits over the transport: retries, final polls and sharing as users get them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response, StatusCode};
use mkio_core::wait::{Goal, ListSource, Resource, State};
use mkio_core::{
    Dispatch, DispatchFuture, Measurement, Metrics, Operation, Page, Pages, RateBudget, Transport,
    TransportBuilder, Wait,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::Instant,
};

type Scripted = dyn Fn(usize, &reqwest::Request) -> (u16, Value) + Send + Sync;

/// Answers from a closure, which is told how many requests there were before.
#[derive(Clone)]
struct Script {
    response: Arc<Scripted>,
    paths: Arc<Mutex<Vec<String>>>,
}

impl Dispatch for Script {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let mut paths = self.paths.lock().unwrap();
        let (status, body) = (self.response)(paths.len(), &request);
        paths.push(request.url().path().to_owned());
        Box::pin(async move {
            let mut response = Response::new(body.to_string());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            Ok(response.into())
        })
    }
}

fn transport(
    response: impl Fn(usize, &reqwest::Request) -> (u16, Value) + Send + Sync + 'static,
) -> (Transport, Arc<Mutex<Vec<String>>>) {
    limited(RateBudget::default(), response)
}

fn limited(
    budget: RateBudget,
    response: impl Fn(usize, &reqwest::Request) -> (u16, Value) + Send + Sync + 'static,
) -> (Transport, Arc<Mutex<Vec<String>>>) {
    let (builder, paths) = builder(response);
    (builder.rate_budget(budget).build().unwrap(), paths)
}

fn builder(
    response: impl Fn(usize, &reqwest::Request) -> (u16, Value) + Send + Sync + 'static,
) -> (TransportBuilder, Arc<Mutex<Vec<String>>>) {
    let paths = Arc::default();
    let script = Script {
        response: Arc::new(response),
        paths: Arc::clone(&paths),
    };
    let builder = Transport::builder()
        .base_url("https://app.mk.io")
        .token("token")
        .dispatch(script);
    (builder, paths)
}

macro_rules! operation {
    ($name:ident, $id:literal, $path:literal) => {
        static $name: Operation = Operation {
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
    LIST,
    "list_jobs",
    "/api/v1/projects/{project_name}/media/jobs"
);
operation!(
    GET,
    "get_job",
    "/api/v1/projects/{project_name}/media/jobs/{job_name}"
);
operation!(
    STATE,
    "get_job_state",
    "/api/v1/projects/{project_name}/media/jobs/{job_name}/state"
);

static JOB: Resource = Resource {
    name: "media.job",
    params: &["project_name", "job_name"],
    item: Some(&GET),
    state: Some(&STATE),
    list: Some(ListSource {
        operation: &LIST,
        name_pointer: "/name",
        name_field: Some("name"),
        scope_fields: &[],
        stem: false,
        id_pointer: "",
    }),
    state_pointer: "/state",
    goals: &[Goal {
        name: "finished",
        states: &["Finished"],
        ..Goal::DEFAULT
    }],
    ..Resource::DEFAULT
};

#[derive(Deserialize)]
struct Jobs {
    value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Page for Jobs {
    type Item = Value;

    fn items(&self) -> &[Value] {
        &self.value
    }

    fn items_mut(&mut self) -> Option<&mut Vec<Value>> {
        Some(&mut self.value)
    }

    fn next_link(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

fn wait(transport: &Transport, name: &str) -> Wait<Value, State> {
    Wait::new(transport, &JOB, vec!["acme".to_owned(), name.to_owned()])
}

fn unavailable() -> (u16, Value) {
    (503, json!({"error": {"code": "Busy", "detail": "later"}}))
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_in_passing_is_read_again_by_the_transport() {
    let (transport, paths) = transport(|before, request| match (before, request.url().query()) {
        (1 | 2, _) => unavailable(),
        (_, None) => (
            200,
            json!({"value": [1], "@odata.nextLink": "/jobs?%24skiptoken=1"}),
        ),
        (_, Some(_)) => (200, json!({"value": [2]})),
    });
    let url = "https://app.mk.io/api/v1/projects/acme/media/jobs"
        .parse()
        .unwrap();
    let first = reqwest::Request::new(Method::GET, url);
    let items = Pages::<Jobs>::new(transport, &LIST, Ok(first)).items();
    let all: Vec<_> = items.try_collect().await.unwrap();
    assert_eq!(all, [1, 2]);
    assert_eq!(paths.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_is_one_request_and_the_final_poll_is_retried() {
    let (transport, paths) = transport(|before, request| {
        let state = request.url().path().ends_with("/state");
        match (before, state) {
            (0..=2, _) => unavailable(),
            (_, true) => (200, json!({"status": {"state": "Finished"}})),
            (4 | 5, false) => unavailable(),
            (_, false) => (200, json!({"name": "a", "state": "Finished"})),
        }
    });
    assert_eq!(wait(&transport, "a").await.unwrap()["name"], "a");
    let paths = paths.lock().unwrap();
    let states = paths.iter().filter(|path| path.ends_with("/state")).count();
    // Three failed polls, each once; one that saw the end; three tries of the final poll.
    assert_eq!((states, paths.len()), (4, 7));
}

/// Polls as metrics are told of them: operation and resources.
#[derive(Clone, Default)]
struct Polls(Arc<Mutex<Vec<(&'static str, usize)>>>);

impl Metrics for Polls {
    fn poll(&self, poll: &Measurement<'_>, resources: usize) {
        let mut polls = self.0.lock().unwrap();
        polls.push((poll.operation().id, resources));
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_are_told_of_every_poll() {
    let (builder, _) = builder(|before, request| {
        let state = if before > 1 { "Finished" } else { "Running" };
        if request.url().path().ends_with("/state") {
            (200, json!({"status": {"state": state}}))
        } else {
            (200, json!({"name": "a", "state": state}))
        }
    });
    let polls = Polls::default();
    let transport = builder.metrics(polls.clone()).build().unwrap();
    wait(&transport, "a").await.unwrap();
    // The last one reads what the wait gives.
    let state = ("get_job_state", 1);
    let expected = [state, state, state, ("get_job", 1)];
    assert_eq!(*polls.0.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn waits_of_clones_share_their_polls() {
    let start = tokio::time::Instant::now();
    let (transport, paths) = transport(move |_, _| {
        let state = if start.elapsed() < Duration::from_secs(60) {
            "Processing"
        } else {
            "Finished"
        };
        let job = |name| json!({"name": name, "state": state});
        (200, json!({"value": [job("a"), job("b"), job("c")]}))
    });
    let ended = tokio::join!(
        wait(&transport, "a").into_future(),
        wait(&transport.clone(), "b").into_future(),
        wait(&transport.with(mkio_core::CallOptions::new()), "c").into_future(),
    );
    assert!(ended.0.is_ok() && ended.1.is_ok() && ended.2.is_ok());
    assert!(
        paths
            .lock()
            .unwrap()
            .iter()
            .all(|path| path.ends_with("/media/jobs"))
    );
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(transport.waits().pollers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_does_not_decode_is_kept_and_not_told() {
    #[derive(Debug, Deserialize)]
    struct Job {
        #[serde(rename = "sasToken")]
        sas_token: u32,
    }
    let (transport, _) = transport(|_, request| {
        if request.url().path().ends_with("/state") {
            (200, json!({"status": {"state": "Finished"}}))
        } else {
            (200, json!({"state": "Finished", "sasToken": "hunter2"}))
        }
    });
    let names = vec!["acme".to_owned(), "job-1".to_owned()];
    let error = Wait::<Job, State>::new(&transport, &JOB, names)
        .await
        .map(|job| job.sas_token)
        .unwrap_err();
    assert_eq!(error.json_path(), Some("sasToken"), "{error}");
    assert_eq!(error.expectation(), Some("expected u32, found string"));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let body: Value = serde_json::from_slice(error.body()).unwrap();
    assert_eq!(body["sasToken"], "hunter2");
}

static ASSET: Resource = Resource {
    name: "media.asset",
    params: &["project_name", "job_name"],
    item: Some(&GET),
    state: Some(&STATE),
    goals: &[Goal {
        name: "finished",
        states: &["Finished"],
        ..Goal::DEFAULT
    }],
    ..Resource::DEFAULT
};

/// A transport with far more polls than its budget of 60 a minute has place for, for two minutes so
/// far. Resources called `late` are finished after 290 s, and no list shows them.
async fn contended() -> (Transport, JoinSet<mkio_core::Result<Value>>) {
    let start = Instant::now();
    let (transport, paths) = limited(
        RateBudget::default().reads(60).writes(60),
        move |_, request| {
            let path = request.url().path();
            if path.ends_with("/jobs") {
                return (200, json!({"value": []}));
            }
            let late = path.contains("late") && start.elapsed().as_secs() >= 290;
            let state = if late { "Finished" } else { "Processing" };
            (200, json!({"status": {"state": state}, "state": state}))
        },
    );
    let mut waits = JoinSet::new();
    for number in 0..50 {
        let names = vec!["acme".to_owned(), format!("asset-{number}")];
        let wait = Wait::<Value, State>::new(&transport, &ASSET, names);
        let second = Duration::from_secs(1);
        let wait = wait.poll_every(second..second).timeout(600 * second);
        waits.spawn(wait.into_future());
    }
    tokio::time::sleep(Duration::from_secs(120)).await;
    let polls = paths.lock().unwrap().len();
    assert!(polls > 50, "{polls} polls: the budget is not contended");
    (transport, waits)
}

/// A wait that is polled once, and at its deadline after three minutes.
fn late(
    transport: &Transport,
    resource: &'static Resource,
    name: &str,
) -> JoinHandle<mkio_core::Result<Value>> {
    let names = vec!["acme".to_owned(), name.to_owned()];
    let wait = Wait::<Value, State>::new(transport, resource, names);
    let hour = Duration::from_secs(3600);
    let wait = wait
        .timeout(Duration::from_secs(180))
        .poll_every(hour..hour);
    tokio::spawn(wait.into_future())
}

#[tokio::test(start_paused = true)]
async fn polls_yield_to_calls_that_somebody_waits_for() {
    let start = Instant::now();
    let (transport, _waits) = contended().await;
    // A poll at the deadline does not queue with the others either.
    let late = late(&transport, &ASSET, "late");
    for _ in 0..20 {
        let url = "https://app.mk.io/api/v1/projects/acme/media/jobs/a";
        let request = reqwest::Request::new(Method::GET, url.parse().unwrap());
        let start = Instant::now();
        transport.exec(request, &GET).await.unwrap();
        // One turn of the lane at most, although polls queue in it.
        let waited = start.elapsed();
        assert!(waited < Duration::from_millis(1200), "{waited:?}");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    late.await.unwrap().unwrap();
    // A turn for the poll, and one for the final poll.
    let ended = start.elapsed() - Duration::from_secs(300);
    assert!(ended < Duration::from_millis(2400), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_list_at_a_deadline_does_not_show_is_polled_at_once() {
    let start = Instant::now();
    let (transport, _waits) = contended().await;
    let late = ["late-1", "late-2"].map(|name| late(&transport, &JOB, name));
    for late in late {
        late.await.unwrap().unwrap();
    }
    // Turns for the list, two polls, and two final polls.
    let ended = start.elapsed() - Duration::from_secs(300);
    assert!(ended < Duration::from_secs(8), "{ended:?}");
}
