//! Webhooks without sockets: requests as values, the service as a script.

mod events;
#[cfg(feature = "management")]
mod rules;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        ("/e?key=wrong&x&key=an%20other%20one", None, 204),
        ("/e?%6Bey=%61n%20other%20one", None, 204),
        ("/e?KEY=an%20other%20one", None, 401),
        ("/e?key=an%2520other%2520one", None, 401),
        ("/e?x=key=an%20other%20one", None, 401),
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
    for (kind, body, expected) in [
        ("", "not JSON", 400),
        ("", "[]", 400),
        ("", "", 400),
        ("application/json", "id=1", 400),
        ("application/cloudevents+json; charset=utf-8", "[]", 400),
        ("Application/JSON", "[]", 400),
        ("application/x-www-form-urlencoded", "id=1", 415),
        ("text/html", "<p>", 415),
        // What counts is what came.
        ("text/plain", "{}", 204),
    ] {
        let mut request = Request::post("/e").header("x-mkio-secret", SECRET);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let response = webhook.handle(request.body(body).unwrap()).await;
        assert_eq!(response.status(), expected, "{kind}: {body}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
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

/// A secret that no request can have is a mistake of the configuration, and is not shown.
#[test]
fn a_secret_that_cannot_arrive_is_refused() {
    for secret in [
        SharedSecret::header("no header", SECRET),
        SharedSecret::header("", SECRET),
        SharedSecret::header("x", format!("{SECRET} ")),
        SharedSecret::header("x", format!("{SECRET}\n")),
        SharedSecret::query("", SECRET),
    ] {
        let error = builder().secret(secret.clone()).build().unwrap_err();
        assert_eq!(error.kind(), mkio_core::ErrorKind::Config, "{secret:?}");
        assert!(!format!("{error:?}").contains("horse"), "{error:?}");
    }
    for secret in [
        SharedSecret::header("X-Mkio-Secret", "grün und 東京"),
        SharedSecret::query("key", " with spaces and\n"),
    ] {
        builder().secret(secret).build().unwrap();
    }
}

/// A plus sign means itself or a space, depending on who wrote the query.
#[tokio::test]
async fn a_secret_in_the_query_may_have_any_characters() {
    let secret = "a+b/c= &%26#ü";
    let webhook = Webhook::builder().secret(SharedSecret::query("the key", secret));
    let webhook = webhook.build().unwrap();
    for (query, expected) in [
        ("the+key=a%2Bb%2Fc%3D+%26%2526%23%C3%BC", 204),
        ("the%20key=a%2Bb/c=%20%26%2526%23%c3%bc", 204),
        ("the%20key=a+b/c=%20%26%2526%23%c3%bc", 204),
        ("the%20key=a%20b/c=%20%26%2526%23%c3%bc", 401),
        ("the%20key=a%2Bb/c=%20%26%26%23%c3%bc", 401),
        ("the%20key", 401),
        ("", 401),
    ] {
        let request = Request::post(format!("/e?{query}"));
        let request = request.body(event("").to_string()).unwrap();
        assert_eq!(webhook.handle(request).await.status(), expected, "{query}");
    }
}

#[tokio::test]
async fn an_event_is_handled_once() {
    let (webhook, count) = counting();
    for (id, handled) in [("1", 1), ("1", 1), ("2", 2), ("1", 2), ("", 3), ("", 4)] {
        let response = webhook.handle(post(&event(id))).await;
        assert_eq!(response.status(), 204);
        assert_eq!(count.load(Ordering::Relaxed), handled, "{id:?}");
    }
    // Another source has ids of its own.
    let mut other = event("1");
    other["source"] = "/api/v1/projects/zeta/media/transforms/h264/jobs/2".into();
    for _ in 0..2 {
        assert_eq!(webhook.handle(post(&other)).await.status(), 204);
        assert_eq!(count.load(Ordering::Relaxed), 5);
    }
    // An id that is not text is an id.
    for (id, handled) in [(json!(71), 6), (json!(71), 6), (json!({"a": 1}), 7)] {
        let mut event = event("");
        event["id"] = id;
        assert_eq!(webhook.handle(post(&event)).await.status(), 204);
        assert_eq!(count.load(Ordering::Relaxed), handled);
    }
}

/// The memory is bounded: what was forgotten is handled again.
#[tokio::test]
async fn no_more_events_are_remembered_than_was_said() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let webhook = builder().remember(2).on_event(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    });
    let webhook = webhook.build().unwrap();
    for (id, handled) in [("1", 1), ("2", 2), ("1", 2), ("3", 3), ("2", 3), ("1", 4)] {
        webhook.clone().handle(post(&event(id))).await;
        assert_eq!(count.load(Ordering::Relaxed), handled, "{id}");
    }
}

#[tokio::test]
async fn an_event_whose_handling_panics_is_taken_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let webhook = builder().on_event(move |_| {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            assert!(!first, "the first time");
            Ok(())
        }
    });
    let webhook = webhook.build().unwrap();
    let first = webhook.clone();
    let first = tokio::spawn(async move { first.handle(post(&event("1"))).await });
    assert_eq!(first.await.unwrap().status(), 500);
    assert_eq!(webhook.handle(post(&event("1"))).await.status(), 204);
    assert_eq!(tries.load(Ordering::Relaxed), 2);
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
async fn a_second_delivery_meanwhile_is_put_off_and_a_dropped_handling_does_not_count() {
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

/// Status and body for a request.
type Responses = dyn Fn(&reqwest::Request) -> (u16, Value) + Send + Sync;

/// Answers from a closure instead of the network.
#[derive(Clone)]
struct Script(Arc<Responses>);

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
    response: impl Fn(&reqwest::Request) -> (u16, Value) + Send + Sync + 'static,
) -> Transport {
    Transport::builder()
        .base_url("https://app.mk.io")
        .token("token")
        .dispatch(Script(Arc::new(response)))
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

/// A body that comes in pieces, and counts those that were read.
struct Pieces {
    left: std::collections::VecDeque<Result<&'static [u8], &'static str>>,
    read: Arc<AtomicUsize>,
}

impl http_body::Body for Pieces {
    type Data = &'static [u8];
    type Error = &'static str;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let next = self.left.pop_front();
        self.read
            .fetch_add(usize::from(next.is_some()), Ordering::Relaxed);
        std::task::Poll::Ready(next.map(|piece| piece.map(http_body::Frame::data)))
    }
}

#[tokio::test]
async fn serves_bodies_that_are_still_to_come() {
    let (_, count) = counting();
    let counted = count.clone();
    let webhook = builder().largest_body(64).on_event(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    });
    let webhook = webhook.build().unwrap();
    let long: &[u8] = &[b' '; 60];
    for (secret, pieces, expected, read) in [
        (SECRET, vec![Ok(&br#"{"id": "#[..]), Ok(br#""1"}"#)], 204, 2),
        (SECRET, vec![Ok(&br#"{"id": "1"}"#[..])], 204, 1),
        (SECRET, vec![Ok(long), Ok(long), Ok(long)], 413, 2),
        (SECRET, vec![Ok(b"{"), Err("reset")], 400, 2),
        (SECRET, vec![], 400, 0),
        // Nothing is read from strangers.
        ("wrong", vec![Ok(&br#"{"id": "2"}"#[..])], 401, 0),
    ] {
        let pieces = Pieces {
            left: pieces.into(),
            read: Arc::default(),
        };
        let pulled = pieces.read.clone();
        let request = Request::post("/events").header("x-mkio-secret", secret);
        let response = webhook.serve(request.body(pieces).unwrap()).await;
        assert_eq!(response.status(), expected);
        assert_eq!(pulled.load(Ordering::Relaxed), read, "{expected}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let webhook = builder().largest_body(64).build().unwrap();
    for (length, expected, read) in [("65", 413, 0), ("9999999999999", 413, 0), ("64", 204, 1)] {
        let pieces = Pieces {
            left: vec![Ok(&br#"{"id": "1"}"#[..])].into(),
            read: Arc::default(),
        };
        let pulled = pieces.read.clone();
        let request = Request::post("/events")
            .header("x-mkio-secret", SECRET)
            .header("content-length", length);
        let response = webhook.serve(request.body(pieces).unwrap()).await;
        assert_eq!(response.status(), expected, "{length}");
        assert_eq!(pulled.load(Ordering::Relaxed), read, "{length}");
    }
    // A body that knows its length announces it too.
    let body = http_body_util::Full::new(mkio_core::bytes::Bytes::from(vec![b' '; 65]));
    let request = Request::post("/events").header("x-mkio-secret", SECRET);
    let response = webhook.serve(request.body(body).unwrap()).await;
    assert_eq!(response.status(), 413);
}

/// What a server's connection asks of the future and of the response.
#[test]
fn fits_into_a_server() {
    fn sent<T: Send>(_: &T) {}
    fn body<T: http_body::Body + Send + 'static>(_: impl Future<Output = Response<T>>) {}
    let webhook = builder().build().unwrap();
    let request = || Request::new(http_body_util::Full::new(&b"{}"[..]));
    sent(&webhook.serve(request()));
    body(webhook.serve(request()));
    sent(&webhook.handle(Request::new(Vec::new())));
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
