//! Requests that no document describes.

use http::Method;
use mkio_core::ErrorKind;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_raw_request_takes_the_same_way() {
    let script = Script::new([
        Scripted::status(503),
        Scripted::json(200, r#"{"value":[1]}"#).with("x-new", "yes"),
    ]);
    let response = transport(&script)
        .request(Method::GET, "/api/v1/new/things")
        .query("$filter", "name eq 'a&b'")
        .query("$top", 5)
        .header("x-own", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(response["value"][0], 1);
    assert_eq!(response.headers()["x-new"], "yes");
    assert_eq!(response.call().attempts, 2);
    let seen = &script.seen()[1];
    let query: Vec<_> = seen.url.query_pairs().into_owned().collect();
    assert_eq!(query[0], ("$filter".to_owned(), "name eq 'a&b'".to_owned()));
    assert_eq!(query[1], ("$top".to_owned(), "5".to_owned()));
    assert_eq!(seen.headers["accept"], "application/json");
    assert_eq!(seen.headers["x-own"], "1");
    assert!(seen.headers["x-own"].is_sensitive());
    assert_eq!(seen.bearer(), Some("canary"));
}

#[test]
fn a_raw_request_can_be_looked_at() {
    let script = Script::new([Scripted::ok()]);
    let transport = transport(&script);
    let request = transport
        .request(Method::PUT, "/api/v1/new/things")
        .query("$top", 5)
        .header("x-own", "1")
        .json(&json!({"a": 1}))
        .into_request()
        .unwrap();
    let base = transport.base_url("");
    let url = format!("{base}/api/v1/new/things?%24top=5");
    assert_eq!(request.url().as_str(), url);
    assert_eq!(request.headers()["x-own"], "1");
    assert_eq!(request.headers()["accept"], "application/json");
    assert!(!request.headers().contains_key("authorization"));
    let body = request.body().and_then(reqwest::Body::as_bytes);
    assert_eq!(body, Some(&br#"{"a":1}"#[..]));
    let outside = transport.request(Method::GET, "/a/../b").into_request();
    assert_eq!(outside.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(script.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn bodies_and_their_retries() {
    for (method, body, attempts) in [
        (Method::PUT, json!({"a":1}), 2),
        (Method::PATCH, json!({"a":1}), 2),
        (Method::PATCH, json!([{"op":"add"}]), 1),
        (Method::POST, json!({"a":1}), 1),
    ] {
        let script = Script::new([Scripted::status(500), Scripted::ok()]);
        let result = transport(&script)
            .request(method.clone(), "/api/v1/x")
            .json(&body)
            .send()
            .await;
        assert_eq!(
            (script.count(), result.is_ok()),
            (attempts, attempts == 2),
            "{method}"
        );
        assert_eq!(script.seen()[0].body, body.to_string());
        assert_eq!(script.seen()[0].headers["content-type"], "application/json");
    }
    let script = Script::new([Scripted::status(500), Scripted::ok()]);
    transport(&script)
        .request(Method::PATCH, "/api/v1/x")
        .body("{}", "application/json-patch+json; charset=utf-8")
        .send()
        .await
        .unwrap_err();
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn responses_as_they_are_wanted() {
    let script = Script::new([Scripted::json(200, "[1,2]")]);
    let transport = transport(&script);
    let get = || transport.request(Method::GET, "/api/v1/x");
    assert_eq!(
        get().send_as::<Vec<u8>>().await.unwrap().into_inner(),
        [1, 2]
    );
    assert_eq!(*get().send_bytes().await.unwrap(), "[1,2]");
    let stream = get().send_stream().await.unwrap().into_inner();
    assert_eq!(stream.bytes().await.unwrap(), "[1,2]");
    let error = get().send_as::<String>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let empty = Script::new([Scripted::Response(204, vec![], String::new())]);
    let response = crate::support::transport(&empty)
        .request(Method::DELETE, "/api/v1/x")
        .send()
        .await
        .unwrap();
    assert_eq!(*response, Value::Null);
    let delete = || crate::support::transport(&empty).request(Method::DELETE, "/api/v1/x");
    delete().send_as::<()>().await.unwrap();
    assert_eq!(*delete().send_as::<Option<u8>>().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn unusable_arguments_are_named_and_nothing_is_sent() {
    let script = Script::new([]);
    let transport = transport(&script);
    let get = |path: &str| transport.request(Method::GET, path);
    for (request, names) in [
        (get("api/v1/x"), "`api/v1/x`"),
        (get("@evil.example/x?hunter2"), "`@evil.example/x`"),
        (get("//evil.example/x"), "`//evil.example/x`"),
        (get("https://evil.example/x"), "`https://evil.example/x`"),
        (get("/projects/../x"), "`..`"),
        (get("/projects/%2E%2e/x"), "`..`"),
        (get("/projects/.\\x"), "`..`"),
        (get("/x").header("bad name", "hunter2"), "`bad name`"),
        (get("/x").header("x-own", "hunter2\n"), "`x-own`"),
        (get("/x").body("", "\n"), "media type"),
        (
            get("/x").json(&std::collections::HashMap::from([((), ())])),
            "JSON",
        ),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains(names) && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    assert_eq!(script.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_ones_own_is_left_alone() {
    let script = Script::new([Scripted::status(401)]);
    transport(&script)
        .request(Method::GET, "/api/v1/x")
        .header("authorization", "Bearer other")
        .send()
        .await
        .unwrap_err();
    assert_eq!(script.count(), 1);
    assert_eq!(script.seen()[0].bearer(), Some("other"));
}

#[tokio::test(start_paused = true)]
async fn the_base_url_may_have_a_path() {
    let script = Script::new([]);
    let transport = builder(&script)
        .base_url("https://gw.example/mkio/")
        .build()
        .unwrap();
    transport
        .request(Method::GET, "/api/v1/x")
        .send()
        .await
        .unwrap();
    transport
        .fetch::<Value>(&GET, "/mkio/api/v1/x?a=1")
        .await
        .unwrap();
    transport.fetch::<Value>(&GET, "/api/v1/x").await.unwrap();
    let urls: Vec<_> = script
        .seen()
        .iter()
        .map(|seen| seen.url.to_string())
        .collect();
    assert_eq!(
        urls,
        [
            "https://gw.example/mkio/api/v1/x",
            "https://gw.example/mkio/api/v1/x?a=1",
            "https://gw.example/mkio/api/v1/x"
        ]
    );
}
