//! Webhooks without sockets: requests as values, the service as a script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use mkio_core::glue::reqwest;
use mkio_core::wait::{Goal, Resource, State, Wait};
use mkio_core::{Dispatch, DispatchFuture, Operation, Transport};
use serde_json::{Value, json};

use super::{Event, EventType, SharedSecret, Webhook, WebhookBuilder};

const SECRET: &str = "correct horse battery staple";

fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "type": "MediaKind.JobFinished",
        "source": "/api/v1/projects/acme/transforms/h264/jobs/job-1",
        "time": "2026-03-01T10:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "projectName": "acme",
            "previousState": "Processing",
            "state": "Finished",
            "resource": {"name": "job-1", "properties": {"state": "Finished"}},
        },
    })
}

fn post(event: &Value) -> Request<String> {
    Request::post("/events")
        .header("X-Mkio-Secret", SECRET)
        .body(event.to_string())
        .unwrap()
}

fn builder() -> WebhookBuilder {
    Webhook::builder().secret(SharedSecret::header("x-mkio-secret", SECRET))
}

/// A webhook that counts the events it hands on.
fn counting() -> (Webhook, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let webhook = builder().on_event(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    });
    (webhook.build().unwrap(), count)
}

#[test]
fn reads_each_of_the_ten_types_and_those_to_come() {
    assert_eq!(EventType::KNOWN.len(), 10);
    for name in EventType::KNOWN.iter().chain(&["MediaKind.JobPaused"]) {
        let mut json = event("1");
        json["type"] = json!(name);
        json["traceparent"] = json!("00-1");
        json["data"]["reason"] = json!({"code": 7});
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(event.kind.as_str(), *name);
        assert_eq!(event.data.state.as_deref(), Some("Finished"));
        assert_eq!(event.extensions["traceparent"], "00-1");
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
    }
}

#[test]
fn reads_what_lacks_nearly_everything() {
    for text in ["{}", r#"{"data": null}"#, r#"{"data": {"resource": null}}"#] {
        let event = Event::from_json(text.as_bytes()).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("", ""));
        assert!(event.resource().unwrap().is_none());
    }
    let error = Event::from_json(br#"{"id": "1", "data": {"state": 7}}"#).unwrap_err();
    assert!(
        error
            .json_path()
            .is_some_and(|path| path.starts_with("data")),
        "{error:?}"
    );
}

#[cfg(all(feature = "media", feature = "live"))]
#[test]
fn the_resource_has_its_type() {
    use super::EventResource;

    let read = |kind: &str, source: &str| {
        let mut json = event("1");
        json["type"] = json!(kind);
        json["source"] = json!(format!("/api/v1/projects/acme/{source}"));
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        event.resource().unwrap().unwrap()
    };
    let EventResource::Job(job) = read("MediaKind.JobFinished", "transforms/h264/jobs/j") else {
        panic!("not a job");
    };
    assert_eq!(job.name.as_deref(), Some("job-1"));
    assert!(matches!(
        read(
            "MediaKind.StreamingLocatorCreated",
            "media/streamingLocators/l"
        ),
        EventResource::StreamingLocator(_)
    ));
    assert!(matches!(
        read(
            "MediaKind.ScheduledOperationError",
            "live/liveEvents/e/scheduledOperations/o"
        ),
        EventResource::ScheduledOperation(_)
    ));
    let channel = |source| read("MediaKind.ChannelInstanceStarted", source);
    assert!(matches!(
        channel("live/liveChannels/c"),
        EventResource::Flow(_)
    ));
    assert!(matches!(
        channel("live/liveEvents/e"),
        EventResource::Flow(_)
    ));
    assert!(matches!(
        channel("media/liveEvents/e"),
        EventResource::LiveEvent(_)
    ));
    assert!(matches!(channel("somewhere/else"), EventResource::Other(_)));
}

#[test]
fn a_resource_that_does_not_decode_is_not_lost() {
    #[derive(Debug, serde::Deserialize)]
    struct Mine {
        #[serde(rename = "name")]
        _name: u32,
    }
    let event = Event::from_json(event("1").to_string().as_bytes()).unwrap();
    let error = event.resource_as::<Mine>().unwrap_err();
    assert_eq!(error.json_path(), Some("data.resource.name"));
    assert_eq!(
        event.resource_as::<Value>().unwrap().unwrap()["name"],
        "job-1"
    );
}

#[tokio::test]
async fn lets_in_nobody_without_the_secret() {
    let other = SharedSecret::query("key", "an other one");
    let webhook = builder().secret(other).build().unwrap();
    let status = async |uri: &str, header: Option<&str>| {
        let mut request = Request::post(uri);
        if let Some(secret) = header {
            request = request.header("x-mkio-secret", secret);
        }
        let request = request.body(event("").to_string()).unwrap();
        webhook.handle(request).await.status()
    };
    for (uri, header, expected) in [
        ("/e", Some(SECRET), 204),
        ("/e?key=an%20other+one", None, 204),
        ("/e?key=wrong", Some(SECRET), 204),
        ("/e", None, 401),
        ("/e", Some(""), 401),
        ("/e", Some("correct horse battery stapl"), 401),
        ("/e", Some("correct horse battery staplf"), 401),
        ("/e", Some("correct horse battery staple "), 401),
        ("/e", Some("an other one"), 401),
        ("/e?key=", None, 401),
        ("/e?key=correct%20horse%20battery%20staple", None, 401),
    ] {
        assert_eq!(status(uri, header).await, expected, "{uri} {header:?}");
    }
}

#[tokio::test]
async fn refuses_before_reading_the_body() {
    let (webhook, count) = counting();
    let request = Request::post("/e").body("not JSON").unwrap();
    assert_eq!(webhook.handle(request).await.status(), 401);
    let request = Request::get("/e")
        .header("x-mkio-secret", SECRET)
        .body("")
        .unwrap();
    let response = webhook.handle(request).await;
    assert_eq!(
        (response.status(), &response.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap())
    );
    for (body, expected) in [("not JSON", 400), ("[]", 400), ("", 400)] {
        let request = Request::post("/e")
            .header("x-mkio-secret", SECRET)
            .body(body)
            .unwrap();
        assert_eq!(webhook.handle(request).await.status(), expected, "{body}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_body_has_its_limit() {
    let webhook = builder().largest_body(100).build().unwrap();
    assert_eq!(webhook.handle(post(&event("1"))).await.status(), 413);
}

#[test]
fn a_webhook_needs_a_secret_or_says_that_it_wants_none() {
    let error = Webhook::builder().build().unwrap_err();
    assert!(error.to_string().contains("accept_unverified"), "{error}");
    let empty = Webhook::builder().secret(SharedSecret::header("x", ""));
    assert!(empty.build().unwrap_err().to_string().contains("empty"));
    Webhook::builder().accept_unverified().build().unwrap();
}

#[tokio::test]
async fn an_event_is_handled_once() {
    let (webhook, count) = counting();
    for (id, handled) in [("1", 1), ("1", 1), ("2", 2), ("1", 2), ("", 3), ("", 4)] {
        let response = webhook.handle(post(&event(id))).await;
        assert_eq!(response.status(), 204);
        assert_eq!(count.load(Ordering::Relaxed), handled, "{id:?}");
    }
}

#[tokio::test]
async fn an_event_that_was_not_handled_is_taken_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let webhook = builder().on_event(move |_| {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                Err("the database is down".into())
            } else {
                Ok(())
            }
        }
    });
    let webhook = webhook.build().unwrap();
    let response = webhook.handle(post(&event("1"))).await;
    assert_eq!(response.status(), 500);
    assert!(!response.body().contains("database"));
    for _ in 0..2 {
        assert_eq!(webhook.handle(post(&event("1"))).await.status(), 204);
    }
    assert_eq!(tries.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_repetition_meanwhile_is_put_off_and_a_dropped_handling_does_not_count() {
    let webhook = builder().on_event(|_| async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    });
    let webhook = webhook.build().unwrap();
    let first = webhook.handle(post(&event("1")));
    let second = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        webhook.handle(post(&event("1"))).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (204, 503)
    );
    assert!(second.headers().contains_key("retry-after"));

    let abandoned = webhook.handle(post(&event("2")));
    tokio::time::timeout(Duration::from_secs(1), abandoned)
        .await
        .unwrap_err();
    assert_eq!(webhook.handle(post(&event("2"))).await.status(), 204);
}

#[test]
fn debug_shows_no_secret_and_no_resource() {
    let mut json = event("1");
    json["data"]["resource"]["accessToken"] = json!("hunter2");
    json["token"] = json!("hunter2");
    let event = Event::from_json(json.to_string().as_bytes()).unwrap();
    let mut shown = format!("{event:?} {:?} {:?}", event.state_event(), builder());
    shown += &format!("{:?}", builder().build().unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("horse"),
        "{shown}"
    );
}

/// Status and body for a request.
type Answers = dyn Fn(&reqwest::Request) -> (u16, Value) + Send + Sync;

/// Answers from a closure instead of the network.
#[derive(Clone)]
struct Script(Arc<Answers>);

impl Dispatch for Script {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let (status, body) = (self.0)(&request);
        Box::pin(async move {
            let mut response = Response::new(body.to_string());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            Ok(response.into())
        })
    }
}

fn transport(
    answer: impl Fn(&reqwest::Request) -> (u16, Value) + Send + Sync + 'static,
) -> Transport {
    Transport::builder()
        .base_url("https://app.mk.io")
        .token("token")
        .dispatch(Script(Arc::new(answer)))
        .build()
        .unwrap()
}

static GET_JOB: Operation = Operation {
    id: "get_job",
    api: "media",
    method: Method::GET,
    path: "/api/v1/projects/{project_name}/media/transforms/{transform_name}/jobs/{job_name}",
    request_body: None,
    streams: false,
};

static JOB: Resource = Resource {
    name: "media.job",
    params: &["project_name", "transform_name", "job_name"],
    item: Some(&GET_JOB),
    state_pointer: "/properties/state",
    goals: &[Goal {
        name: "finished",
        states: &["Finished"],
        ..Goal::DEFAULT
    }],
    events: true,
    ..Resource::DEFAULT
};

#[tokio::test(start_paused = true)]
async fn an_event_ends_a_wait() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let transport = transport(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        (
            200,
            json!({"name": "job-1", "properties": {"state": "Processing"}}),
        )
    });
    let values = ["acme", "h264", "job-1"].map(str::to_owned).to_vec();
    let mut wait = Wait::<Value, State>::new(&transport, &JOB, values);
    wait.try_next().await.unwrap();
    let webhook = builder().waits(transport.waits()).build().unwrap();
    let before = calls.load(Ordering::Relaxed);
    assert_eq!(webhook.handle(post(&event("1"))).await.status(), 204);
    let start = tokio::time::Instant::now();
    assert_eq!(wait.await.unwrap()["properties"]["state"], "Finished");
    assert_eq!(
        (calls.load(Ordering::Relaxed), start.elapsed()),
        (before, Duration::ZERO)
    );
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn serves_through_axum() {
    use axum::body::Body;
    use tower::ServiceExt;

    let (webhook, count) = counting();
    let router = webhook.router("/mkio/events");
    let send = async |request: Request<String>| {
        let response = router
            .clone()
            .oneshot(request.map(Body::from))
            .await
            .unwrap();
        response.status().as_u16()
    };
    let to = |path: &str, body: String| {
        Request::post(path)
            .header("x-mkio-secret", SECRET)
            .body(body)
            .unwrap()
    };
    assert_eq!(send(to("/mkio/events", event("1").to_string())).await, 204);
    assert_eq!(send(to("/mkio/events", event("1").to_string())).await, 204);
    assert_eq!(send(to("/elsewhere", event("2").to_string())).await, 404);
    assert_eq!(send(to("/mkio/events", " ".repeat(5 << 20))).await, 413);
    let get = Request::get("/mkio/events").body(String::new()).unwrap();
    assert_eq!(send(get).await, 405);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[cfg(feature = "management")]
mod rules {
    use super::*;
    use crate::webhook::{Rule, deliveries};

    type Requests = Arc<Mutex<Vec<(Method, String, Value)>>>;

    /// A service with the rule `found`, or none.
    fn service(found: Option<Value>) -> (crate::management::ProjectClient, Requests) {
        let requests = Requests::default();
        let log = requests.clone();
        let transport = transport(move |request| {
            let body = request
                .body()
                .and_then(reqwest::Body::as_bytes)
                .unwrap_or(b"null");
            let body: Value = serde_json::from_slice(body).unwrap();
            let path = request.url().path().to_owned();
            log.lock()
                .unwrap()
                .push((request.method().clone(), path, body.clone()));
            match (request.method(), &found) {
                (&Method::PUT, _) => (
                    201,
                    json!({"metadata": {"name": "jobs"}, "spec": body["spec"]}),
                ),
                (_, Some(found)) => (200, found.clone()),
                (_, None) => (
                    404,
                    json!({"error": {"code": "NotFound", "detail": "no rule"}}),
                ),
            }
        });
        let client = crate::management::Client::new(transport).project("acme");
        (client, requests)
    }

    fn rule() -> Rule {
        Rule::new("jobs", "https://example.com/events")
            .events([EventType::JobStarted, EventType::JobFinished])
    }

    const PATH: &str = "/api/v1/projects/acme/webhook/rules/jobs";

    #[tokio::test(start_paused = true)]
    async fn a_missing_rule_is_made_and_a_right_one_left_alone() {
        let (client, requests) = service(None);
        let made = rule().ensure(&client).await.unwrap();
        let log = requests.lock().unwrap().clone();
        assert_eq!(log.len(), 2);
        assert_eq!((&log[1].0, log[1].1.as_str()), (&Method::PUT, PATH));
        assert_eq!(
            log[1].2["spec"],
            json!({
                "enabled": true,
                "events": ["MediaKind.JobStarted", "MediaKind.JobFinished"],
                "url": "https://example.com/events",
            })
        );
        assert_eq!(made.spec.unwrap().enabled, Some(true));

        let mut found = json!({"metadata": {"name": "jobs"}, "spec": log[1].2["spec"]});
        found["spec"]["events"] = json!(["MediaKind.JobFinished", "MediaKind.JobStarted"]);
        found["spec"]["headers"] = json!({});
        let (client, requests) = service(Some(found.clone()));
        rule().ensure(&client).await.unwrap();
        assert_eq!(requests.lock().unwrap().len(), 1);

        for changed in [
            rule().enabled(false),
            rule().header("x-from", "mkio"),
            rule().events([EventType::JobFinished]),
            Rule::new("jobs", "https://example.com/elsewhere")
                .events([EventType::JobStarted, EventType::JobFinished]),
        ] {
            let (client, requests) = service(Some(found.clone()));
            changed.ensure(&client).await.unwrap();
            assert_eq!(requests.lock().unwrap().len(), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_with_secrets_is_always_written() {
        let (client, requests) = service(Some(json!({"spec": {}})));
        rule()
            .secret(SharedSecret::header("x-mkio-secret", SECRET))
            .secret(SharedSecret::query("key", "other"))
            .ensure(&client)
            .await
            .unwrap();
        let log = requests.lock().unwrap().clone();
        assert_eq!(log.len(), 1);
        assert_eq!(
            log[0].2["spec"]["authentication"],
            json!({"headers": {"x-mkio-secret": SECRET}, "queryParams": {"key": "other"}})
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_that_cannot_be_read_is_not_written() {
        let transport =
            transport(|_| (403, json!({"error": {"code": "Forbidden", "detail": "no"}})));
        let client = crate::management::Client::new(transport).project("acme");
        assert!(rule().ensure(&client).await.unwrap_err().is_denied());
    }

    #[tokio::test(start_paused = true)]
    async fn deliveries_are_a_list() {
        let (client, requests) = service(Some(
            json!({"value": [{"status": "Sent"}, {"status": "Failed"}]}),
        ));
        let all: Vec<_> = deliveries(&client, "jobs").try_collect().await.unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(requests.lock().unwrap()[0].1, format!("{PATH}/events"));
    }
}
