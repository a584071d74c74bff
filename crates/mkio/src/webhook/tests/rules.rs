//! Rules of the service.

use std::sync::Mutex;

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
        rule().query_param("from", "mkio"),
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
    let transport = transport(|_| (403, json!({"error": {"code": "Forbidden", "detail": "no"}})));
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

/// A rule without secrets has none afterwards, as far as the service lets one see.
#[tokio::test(start_paused = true)]
async fn secrets_that_a_rule_should_not_have_are_removed() {
    let found = |authentication: Value| {
        let mut found = json!({"metadata": {"name": "jobs"}, "spec": {
            "enabled": true,
            "events": ["MediaKind.JobStarted", "MediaKind.JobFinished"],
            "url": "https://example.com/events",
            "headers": {"x-from": "mkio"},
            "queryParams": {"team": "news"},
        }});
        if !authentication.is_null() {
            found["spec"]["authentication"] = authentication;
        }
        found
    };
    for (authentication, requests) in [
        (json!(null), 1),
        (json!({}), 1),
        (json!({"headers": {}, "queryParams": {}}), 1),
        (json!({"headers": {"x-mkio-secret": "********"}}), 2),
        (json!({"queryParams": {"key": "********"}}), 2),
    ] {
        let (client, log) = service(Some(found(authentication.clone())));
        let wanted = rule().header("x-from", "mkio").query_param("team", "news");
        wanted.ensure(&client).await.unwrap();
        let log = log.lock().unwrap().clone();
        assert_eq!(log.len(), requests, "{authentication}");
        if let Some((method, _, body)) = log.get(1) {
            assert_eq!(method, Method::PUT);
            assert_eq!(body["spec"], found(json!(null))["spec"]);
        }
    }
}

/// The types of events are those that the document lets rules have.
#[test]
fn the_types_of_events_are_those_of_the_document() {
    let sorted = |names: &[&'static str]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    let document = crate::management::types::WebhookEventType::KNOWN;
    assert_eq!(sorted(EventType::KNOWN), sorted(document));
}
