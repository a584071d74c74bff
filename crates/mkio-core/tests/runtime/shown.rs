//! What `Debug` shows of what programs may write to a log: enough to tell one thing from another,
//! and no secret.

use http::Method;
use mkio_core::{Response, Secret, Timestamp, Token, TokenCommand, Transport, token_fn};
use serde_json::json;

use crate::support::*;

#[test]
fn a_builder_shows_its_settings() {
    let builder: mkio_core::TransportBuilder = Transport::builder()
        .token("hunter2")
        .base_url("https://gw.example/hunter2")
        .profile("stage");
    let debug = format!("{builder:?}");
    for part in [
        "TransportBuilder {",
        "base_url: Some(\"https://gw.example\")",
        "token: Some(Token {",
        "profile: Some(\"stage\")",
    ] {
        assert!(debug.contains(part), "{part}: {debug}");
    }
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_transport_shows_its_addresses_and_where_tokens_come_from() {
    let script = Script::new([]);
    let builder = || Transport::builder().dispatch(script.clone());
    let provider = token_fn(|| async { Ok(Token::new("hunter2")) });
    for (builder, kind) in [
        (builder().token("hunter2"), "fixed"),
        (builder().token_provider(provider), "provider"),
    ] {
        let debug = format!("{:?}", builder.project("acme").build().unwrap());
        let token = format!("token: Some(TokenSource {{ kind: \"{kind}\", .. }})");
        for part in [
            "Transport {",
            "Route { base: \"https://app.mk.io\"",
            &token,
            "project: Some(\"acme\")",
        ] {
            assert!(debug.contains(part), "{part}: {debug}");
        }
        assert!(!debug.contains("hunter2"), "{debug}");
    }
}

#[test]
fn a_raw_request_shows_its_method_and_path() {
    let request = transport(&Script::new([]))
        .request(Method::PUT, "/api/v1/x?sig=hunter2")
        .json(&json!("hunter2"));
    assert_eq!(
        format!("{request:?}"),
        "RawRequest { method: PUT, path: \"/api/v1/x\", .. }"
    );
}

#[tokio::test(start_paused = true)]
async fn a_response_shows_its_status_and_value_and_a_stream_whether_it_has_ended() {
    let headers = [("x-key", "hunter2")].map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()));
    let headers = http::HeaderMap::from_iter::<[_; 1]>(headers);
    let response = Response::new(7, http::StatusCode::CREATED, headers, "hunter2".into());
    assert_eq!(
        format!("{response:?}"),
        "Response { status: 201, value: 7, .. }"
    );
    let script = Script::new([Scripted::Pieces(&["hunter2"])]);
    let transport = transport(&script);
    let request = request(&transport, &STREAM);
    let opened = transport.send_stream(request, &STREAM).await.unwrap();
    let mut stream = opened.into_inner();
    let shown = |ended| format!("ByteStream {{ operation: \"STREAM\", ended: {ended}, .. }}");
    assert_eq!(format!("{stream:?}"), shown(false));
    while futures::StreamExt::next(&mut stream).await.is_some() {}
    assert_eq!(format!("{stream:?}"), shown(true));
}

#[test]
fn tokens_and_secrets_show_that_they_are_there() {
    assert_eq!(
        format!("{:?}", Token::new("hunter2")),
        "Token { secret: \"[redacted]\", expires: None }"
    );
    assert_eq!(
        format!("{:?}", TokenCommand::new("vault", ["read", "hunter2"])),
        "TokenCommand { program: \"vault\", arguments: 2 }"
    );
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
    assert_eq!(format!("{:?}", Timestamp::from("soon")), "\"soon\"");
}
