//! From bodies to values, and what is said when that fails.

use http::StatusCode;
use mkio_core::{Error, ErrorKind, glue::RequestBuilder};
use serde::Deserialize;

use crate::support::*;

#[derive(Debug, Clone, Deserialize)]
struct List {
    value: Vec<Asset>,
}

#[derive(Debug, Clone, Deserialize)]
struct Asset {
    name: Option<String>,
    size: Option<u32>,
}

async fn list(scripted: Scripted) -> mkio_core::Result<mkio_core::Response<List>> {
    let script = Script::new([scripted]);
    let transport = transport(&script);
    let request = request(&transport, &GET);
    transport.send_as(request, &GET).await
}

#[tokio::test(start_paused = true)]
async fn a_response_keeps_status_headers_and_raw_body() {
    let body = r#"{"value":[{"name":"intro","size":7,"new":true}]}"#;
    let response = list(Scripted::json(201, body).with("x-ref", "r-1"))
        .await
        .unwrap();
    assert_eq!(response.value[0].name.as_deref(), Some("intro"));
    assert_eq!(response.value[0].size, Some(7));
    assert_eq!(response.http_status(), StatusCode::CREATED);
    assert_eq!(response.headers()["x-ref"], "r-1");
    assert_eq!(response.raw(), body);
    assert_eq!(response.call().attempts, 1);
    let (_, status, headers, raw) = response.clone().map(drop).into_parts();
    assert_eq!((status, &raw[..]), (StatusCode::CREATED, body.as_bytes()));
    assert_eq!(headers["x-ref"], "r-1");
    assert_eq!(response.map(|list| list.value.len()).into_inner(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_decode_is_located_and_kept() {
    let body = r#"{"value":[{"size":7},{"size":"hunter2"}]}"#;
    let error = list(Scripted::json(200, body)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.status(), Some(StatusCode::OK));
    assert_eq!(error.json_path(), Some("value[1].size"));
    assert_eq!(error.expectation(), Some("expected u32, found string"));
    assert_eq!(error.body(), body);
    assert_eq!((error.attempts(), error.operation_id()), (1, Some("GET")));
    assert!(!error.is_retryable());
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("value[1].size") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_no_json() {
    for (body, path, expected) in [
        ("", "$", "empty body"),
        ("<html>", "$", "expected value"),
        (r#"{"value":[]} x"#, "$", "trailing characters"),
        (r#"{"value":[{"name":"#, "value[0].name", "EOF"),
        ("{}", "$", "missing field `value`"),
    ] {
        let error = list(Scripted::Response(200, vec![], body.to_owned()))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.json_path(), Some(path), "{body}");
        assert!(error.expectation().unwrap().contains(expected), "{error}");
        assert_eq!(error.body(), body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_is_said_to_be_what_it_is() {
    let page = Scripted::Response(
        200,
        vec![("content-type", "text/html; charset=utf-8".to_owned())],
        "<!doctype html><title>Sign in</title>".to_owned(),
    );
    let line = list(page).await.unwrap_err().to_string();
    assert!(
        line.contains("text/html") && line.contains("<!doctype html>"),
        "{line}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark_is_no_part_of_the_body() {
    let body = "\u{feff}{\"value\":[{\"name\":\"intro\"}]}";
    let response = list(Scripted::json(200, body)).await.unwrap();
    assert_eq!(response.value[0].name.as_deref(), Some("intro"));
    let error = list(Scripted::json(
        409,
        "\u{feff}{\"error\":{\"code\":\"Taken\"},\"ref\":\"r-1\"}",
    ));
    let error = error.await.unwrap_err();
    assert_eq!(
        (error.code(), error.reference()),
        (Some("Taken"), Some("r-1"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_success_with_an_error_body_is_an_error() {
    let body = r#"{"error":{"code":"NotFound","detail":"no asset"},"status":404,"ref":"r-1"}"#;
    for operation in [&GET, &PUT, &DELETE, &POST] {
        let script = Script::new([Scripted::json(200, body)]);
        let error = call(&transport(&script), operation).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api);
        assert_eq!(
            (error.code(), error.reference()),
            (Some("NotFound"), Some("r-1"))
        );
        assert_eq!(error.status(), Some(StatusCode::OK));
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_has_a_limit() {
    let large = format!("[\"{}\"]", "x".repeat(2000));
    let pieces = &["[", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", ",1", "]"];
    for (scripted, size) in [
        (Scripted::json(200, &large), large.len()),
        (Scripted::Pieces(pieces), pieces.concat().len()),
    ] {
        let script = Script::new([scripted]);
        let transport = builder(&script).response_limit(20).build().unwrap();
        let error = call(&transport, &POST).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.to_string().contains("`response_limit`"), "{error}");
        assert!(error.outcome_unknown());
        assert_eq!(script.count(), 1);
        let enough = mkio_core::CallOptions::new().response_limit(size as u64);
        call(&transport.with(enough), &POST).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn responses_without_a_body() {
    for scripted in [
        Scripted::Response(204, vec![], String::new()),
        Scripted::json(200, r#"{"ignored":1}"#),
    ] {
        let script = Script::new([scripted]);
        let transport = transport(&script);
        let request = request(&transport, &DELETE);
        let response = transport.send_empty(request, &DELETE).await.unwrap();
        assert_eq!(*response, ());
        assert_eq!(response.raw().is_empty(), response.http_status() == 204);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_keep_what_the_service_said() {
    let script = Script::new([Scripted::status(404)]);
    let transport = transport(&script);
    let request = request(&transport, &GET);
    let result = transport.send_as::<List>(request, &GET).await;
    let error = result.unwrap_err();
    assert_eq!(error.status().unwrap(), 404);
    assert!(error.is_not_found());
    assert_eq!(error.code(), Some("E404"));
    assert_eq!(error.detail(), Some("no luck"));
    assert_eq!(error.reference(), Some("r-404"));
    assert_eq!(error.headers()["content-type"], "application/json");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_built_is_an_error_of_its_operation() {
    let mut request = RequestBuilder::new(&transport(&Script::new([])), &GET, &["acme", "a"]);
    request.header("no name", "value");
    let error = request.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.operation_id(), Some("GET"));
    assert!(error.to_string().contains("`no name`"), "{error}");
}

#[test]
fn errors_can_carry_what_must_not_be_lost() {
    let error = Error::new(ErrorKind::Wait, "the job ended in Error").with_value(vec![1, 2]);
    assert_eq!(error.clone().value::<Vec<i32>>(), Some(&vec![1, 2]));
    assert_eq!(error.value::<String>(), None);
}

#[tokio::test(start_paused = true)]
async fn a_body_in_pieces_is_put_together() {
    let pieces = &["{\"value\":[{\"name\"", ":\"in", "tro\"}]}"];
    let response = list(Scripted::Pieces(pieces)).await.unwrap();
    assert_eq!(response.value[0].name.as_deref(), Some("intro"));
    assert_eq!(response.raw(), pieces.concat().as_str());
}

#[tokio::test(start_paused = true)]
async fn a_response_that_was_not_decoded_is_whole() {
    let script = Script::new([Scripted::json(201, "{}").with("x-ref", "r-1")]);
    let transport = transport(&script);
    let request = request(&transport, &GET);
    let response = transport.exec(request, &GET).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["x-ref"], "r-1");
    assert_eq!(response.url().path(), PATH);
    assert_eq!(response.bytes().await.unwrap(), "{}");
}
