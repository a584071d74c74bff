//! Tokens stay at the service they are for.

use mkio_core::{ErrorKind, Transport};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::*;

fn redirect(status: u16, to: &str) -> Scripted {
    Scripted::Response(status, vec![("location", to.to_owned())], String::new())
}

#[tokio::test(start_paused = true)]
async fn a_request_to_another_origin_is_not_sent() {
    let script = Script::new([]);
    let transport = transport(&script);
    for url in [
        "https://evil.example/x?sig=hunter2",
        "http://app.mk.io/x",
        "https://app.mk.io:8443/x",
        "https://api.mk.io/x",
    ] {
        let request = transport.http().get(url).build().unwrap();
        let error = transport.exec(request, &GET).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Origin, 0));
        assert!(!error.to_string().contains("hunter2"));
        assert!(error.to_string().contains("nothing was sent"), "{error}");
    }
    assert_eq!(script.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn links_are_followed_within_the_service_only() {
    let script = Script::new([]);
    let transport = transport(&script);
    for link in [
        "https://app.mk.io/api/v1/x?%24skiptoken=2",
        "/api/v1/x?%24skiptoken=2",
    ] {
        transport.fetch::<Value>(&GET, link).await.unwrap();
        assert_eq!(
            script.seen().last().unwrap().url.as_str(),
            "https://app.mk.io/api/v1/x?%24skiptoken=2"
        );
    }
    for (link, kind) in [
        ("https://evil.example/api/v1/x", ErrorKind::Origin),
        ("//evil.example/api/v1/x", ErrorKind::InvalidRequest),
        ("javascript:alert(1)", ErrorKind::Origin),
        ("x", ErrorKind::InvalidRequest),
    ] {
        let error = transport.fetch::<Value>(&GET, link).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{link}: {error}");
        assert_eq!(error.operation_id(), Some("GET"));
    }
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn redirects_within_the_service_are_followed_with_the_token() {
    for (operation, status) in [
        (&GET, 301),
        (&GET, 302),
        (&GET, 307),
        (&PUT, 307),
        (&POST, 308),
    ] {
        let script = Script::new([redirect(status, "/moved?x=1"), Scripted::ok()]);
        call(&transport(&script), operation).await.unwrap();
        let seen = script.seen();
        assert_eq!(seen[1].url.as_str(), "https://app.mk.io/moved?x=1");
        assert_eq!(seen[1].bearer(), Some("canary"));
        assert_eq!(seen[1].method, operation.method);
        assert_eq!(seen[1].body, seen[0].body);
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_elsewhere_are_refused() {
    for to in [
        "https://evil.example/x?hunter2",
        "http://app.mk.io/x",
        "//evil.example",
        "https://app.mk.io@evil.example/",
    ] {
        let script = Script::new([redirect(307, to)]);
        let error = call(&transport(&script), &GET).await.unwrap_err();
        assert_eq!(
            (error.kind(), script.count()),
            (ErrorKind::Origin, 1),
            "{to}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_would_turn_a_write_into_a_read_is_an_error() {
    for status in [301, 302, 303] {
        let script = Script::new([redirect(status, "/moved")]);
        let error = call(&transport(&script), &POST).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_do_not_go_round_for_ever() {
    let script = Script::new([redirect(307, "/again")]);
    let error = call(&transport(&script), &GET).await.unwrap_err();
    assert!(
        error.to_string().contains("redirected more than"),
        "{error}"
    );
    assert_eq!(script.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn the_cloud_token_never_goes_to_a_device() {
    let script = Script::new([]);
    let builder = || builder(&script).api_base_url("channels", "http://10.0.0.5:8080/");
    let path = "/api/channel-system/";
    let plain = builder().build().unwrap();
    plain
        .request(http::Method::GET, path)
        .api("channels")
        .send()
        .await
        .unwrap();
    plain.request(http::Method::GET, path).send().await.unwrap();
    let own = builder()
        .api_token("channels", "device-token")
        .allow_plain_http(true)
        .build()
        .unwrap();
    own.request(http::Method::GET, path)
        .api("channels")
        .send()
        .await
        .unwrap();
    let seen = script.seen();
    assert_eq!(
        seen[0].url.as_str(),
        "http://10.0.0.5:8080/api/channel-system/"
    );
    assert_eq!(seen[0].bearer(), None);
    assert_eq!(
        seen[1].url.as_str(),
        "https://app.mk.io/api/channel-system/"
    );
    assert_eq!(seen[1].bearer(), Some("canary"));
    assert_eq!(seen[2].bearer(), Some("device-token"));
    assert_eq!(own.base_url("channels"), "http://10.0.0.5:8080");
    assert_eq!(own.base_url("media"), "https://app.mk.io");
}

#[tokio::test(start_paused = true)]
async fn without_a_cloud_token_only_the_device_is_reachable() {
    let script = Script::new([]);
    let transport = Transport::builder()
        .api_base_url("channels", "http://10.0.0.5")
        .dispatch(script.clone())
        .build()
        .unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert!(error.to_string().contains("media API"), "{error}");
    assert_eq!(script.count(), 0);
}

#[test]
fn tokens_do_not_travel_unencrypted() {
    let build = |url: &str| Transport::builder().token("t").base_url(url).build();
    let error = build("http://mkio.example").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("allow_plain_http"), "{error}");
    for url in [
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "https://h",
    ] {
        build(url).unwrap();
    }
    let open = Transport::builder().base_url("http://mkio.example");
    open.clone()
        .token("t")
        .allow_plain_http(true)
        .build()
        .unwrap();
    open.anonymous().build().unwrap();
    let device = Transport::builder()
        .token("t")
        .api_base_url("channels", "http://10.0.0.5");
    device.clone().build().unwrap();
    let error = device.api_token("channels", "d").build().unwrap_err();
    assert!(error.to_string().contains("channels"), "{error}");
}

/// Serves one canned response per connection and gives the requests it got.
async fn serve(responses: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for response in responses {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut buffer = [0; 1024];
                let count = socket.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            socket.write_all(response.as_bytes()).await.unwrap();
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    (address, served)
}

fn moved(to: &str) -> String {
    format!(
        "HTTP/1.1 307 Moved\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

const DONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

#[tokio::test]
async fn over_real_connections_redirects_stay_within_the_service() {
    let (address, served) = serve(vec![moved("/there"), DONE.to_owned()]).await;
    let transport = Transport::builder()
        .token("t")
        .base_url(address)
        .build()
        .unwrap();
    let request = request(&transport, &GET);
    transport.send_as::<Value>(request, &GET).await.unwrap();
    let requests = served.await.unwrap();
    assert!(
        requests[1].starts_with("GET /there HTTP/1.1"),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].contains("authorization: Bearer t"),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].contains("user-agent: mkio-rust/"),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn a_client_that_follows_redirects_by_itself_does_not_bring_foreign_responses() {
    let (foreign, served) = serve(vec![DONE.to_owned()]).await;
    let (address, _) = serve(vec![moved(&foreign)]).await;
    let transport = Transport::builder()
        .token("t")
        .base_url(address)
        .http_client(super::network::following())
        .build()
        .unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Origin);
    let requests = served.await.unwrap();
    assert!(!requests[0].contains("Bearer"), "{}", requests[0]);
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let policy = mkio_core::RetryPolicy::default()
        .max_attempts(3)
        .initial_backoff(std::time::Duration::from_millis(1));
    let transport = Transport::builder()
        .token("t")
        .base_url(address)
        .retry(policy)
        .build()
        .unwrap();
    let error = call(&transport, &POST).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 3));
    assert!(!error.outcome_unknown(), "{error}");
}
