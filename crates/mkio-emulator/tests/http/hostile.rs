//! Hostile input: responses are 4xx, and the emulator keeps running.

use crate::common::Caller;
use futures::StreamExt;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends bytes and reads all that comes back until the connection closes.
async fn exchange(caller: &Caller, request: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(caller.emulator.address())
        .await
        .expect("a connection");
    // The peer may close before it has read everything; the bytes until then count.
    let _ = stream.write_all(request).await;
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response).await;
    String::from_utf8_lossy(&response).into_owned()
}

/// Sends bytes and reads the status of the response; none when the connection just closes.
async fn raw(caller: &Caller, request: &[u8]) -> Option<u16> {
    exchange(caller, request)
        .await
        .split(' ')
        .nth(1)?
        .parse()
        .ok()
}

fn request(caller: &Caller, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        caller.token,
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn odd_requests_answer_4xx() {
    let caller = Caller::start().await;
    let put = "/api/v1/projects/demo/media/assets/a";
    let deep = "[".repeat(100_000);
    let nested = format!("{}{}", r#"{"properties":"#.repeat(120), "1");
    for (name, bytes) in [
        ("deep arrays", request(&caller, "PUT", put, deep.as_bytes())),
        (
            "deep objects",
            request(&caller, "PUT", put, nested.as_bytes()),
        ),
        (
            "no UTF-8",
            request(&caller, "PUT", put, b"{\"properties\":\"\xff\xfe\"}"),
        ),
        (
            "huge number",
            request(
                &caller,
                "PUT",
                put,
                br#"{"properties":{"storageAccountName":1e999999}}"#,
            ),
        ),
        (
            "long digits",
            request(
                &caller,
                "PUT",
                put,
                format!(r#"{{"properties":{}}}"#, "9".repeat(50_000)).as_bytes(),
            ),
        ),
        (
            "bad escape",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets/%ff%fe",
                b"",
            ),
        ),
        (
            "bad query escape",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets?$filter=%ff",
                b"",
            ),
        ),
        (
            "escaped slash",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets/a%2F..%2Fb",
                b"",
            ),
        ),
        (
            "dots",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets/../../../../etc/passwd",
                b"",
            ),
        ),
        (
            "deep filter",
            request(
                &caller,
                "GET",
                &format!(
                    "/api/v1/projects/demo/media/assets?$filter={}",
                    "(".repeat(10_000)
                ),
                b"",
            ),
        ),
        (
            "bad cursor",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets?$cursor=AAAA",
                b"",
            ),
        ),
        (
            "no escape in a path",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets/%zz",
                b"",
            ),
        ),
        (
            "half an escape in a query",
            request(
                &caller,
                "GET",
                "/api/v1/projects/demo/media/assets?$filter=name%20eq%20'%2'",
                b"",
            ),
        ),
        ("no path", request(&caller, "OPTIONS", "*", b"")),
        ("no resource", request(&caller, "CONNECT", "a:443", b"")),
        (
            "a body that is no body",
            format!("PUT {put} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", caller.token)
                .into_bytes(),
        ),
        (
            "a length that is no length",
            format!("PUT {put} HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n").into_bytes(),
        ),
        (
            "an endless path",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000)).into_bytes(),
        ),
        (
            "no host",
            b"GET /api/ready HTTP/1.1\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        (
            "two hosts",
            b"GET /api/ready HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        (
            "not a host",
            b"GET /api/ready HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        (
            "a header that is no text",
            b"GET /api/ready HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n".to_vec(),
        ),
        ("strange method", request(&caller, "BREW", put, b"")),
        (
            "too large",
            request(&caller, "PUT", put, &vec![b' '; 3 * 1024 * 1024]),
        ),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec()),
    ] {
        let status = raw(&caller, &bytes).await;
        assert!(
            status.is_none_or(|status| (400..500).contains(&status)),
            "{name}: {status:?}"
        );
        if name != "no HTTP" && name != "too large" {
            assert!(status.is_some(), "{name}: no response");
        }
    }
    let flood: String = (0..1_000)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect();
    let flood = format!("GET /api/ready HTTP/1.1\r\nhost: x\r\n{flood}\r\n");
    let huge = format!(
        "GET /api/ready HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(2_000_000)
    );
    for headers in [flood, huge] {
        let status = raw(&caller, headers.as_bytes()).await;
        assert!(status.is_none_or(|status| status == 431), "{status:?}");
    }
    caller.get("media/assets").await.expect(200);
}

#[tokio::test]
async fn old_callers_and_impatient_ones_are_served() {
    let caller = Caller::with(|builder| builder.seed(3)).await;
    let get = |version: &str, headers: &str| {
        format!(
            "GET /api/v1/projects/demo/media/assets?$top=1 HTTP/{version}\r\nauthorization: Bearer {}\r\n{headers}\r\n",
            caller.token
        )
    };
    // Without a Host the link leads to where the request came in.
    let old = exchange(&caller, get("1.0", "").as_bytes()).await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
    let link = format!(
        "\"{}/api/v1/projects/demo/media/assets?",
        caller.emulator.base_url()
    );
    assert!(old.contains(&link), "{old}");
    // Three requests before the first response is read.
    let three = format!(
        "{}{}{}",
        get("1.1", "host: x\r\n"),
        get("1.1", "host: x\r\n"),
        get("1.1", "host: x\r\nconnection: close\r\n")
    );
    let responses = exchange(&caller, three.as_bytes()).await;
    assert_eq!(responses.matches("HTTP/1.1 200").count(), 3, "{responses}");
    assert_eq!(responses.matches("\"asset-1\"").count(), 3, "{responses}");
}

#[tokio::test]
async fn whoever_sends_slowly_is_not_waited_for() {
    let patience = std::time::Duration::from_millis(100);
    let caller =
        Caller::with(|builder| builder.settings(|settings| settings.read_timeout = Some(patience)))
            .await;
    // Neither the head nor the body ever ends; the emulator ends the connection.
    let head = "GET /api/ready HTTP/1.1\r\nhost: x\r\nx-slow: ";
    let ended = exchange(&caller, head.as_bytes());
    tokio::time::timeout(std::time::Duration::from_secs(30), ended)
        .await
        .expect("it does not wait for the rest of the head");
    let body = format!(
        "PUT /api/v1/projects/demo/media/assets/a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 100\r\n\r\n{{",
        caller.token
    );
    let ended = exchange(&caller, body.as_bytes());
    let response = tokio::time::timeout(std::time::Duration::from_secs(30), ended)
        .await
        .expect("it does not wait for the rest of the body");
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
    // Of a body over the limit, the rest changes nothing.
    let over = body.replace("content-length: 100", "content-length: 9999999");
    let ended = exchange(&caller, over.as_bytes());
    let response = tokio::time::timeout(std::time::Duration::from_secs(30), ended)
        .await
        .expect("it does not wait for the rest of the body");
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
    caller.get("media/assets").await.expect(200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let caller =
        Caller::with(|builder| builder.settings(|settings| settings.body_limit = 1_000)).await;
    let body = |size: usize| {
        let text = json!({ "properties": { "storageAccountName": "storage1", "description": "" } });
        let filler = size - text.to_string().len();
        json!({ "properties": { "storageAccountName": "storage1", "description": "x".repeat(filler) } })
    };
    caller.put("media/assets/a", body(1_000)).await.expect(201);
    caller.put("media/assets/b", body(1_001)).await.expect(413);
    // The response arrives although the caller sends far more before it reads, with a length and without one.
    caller
        .put("media/assets/b", body(8 * 1024 * 1024))
        .await
        .expect(413);
    let pieces =
        futures::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 65_536])));
    let url = format!(
        "{}/api/v1/projects/demo/media/assets/b",
        caller.emulator.base_url()
    );
    let chunked = caller
        .http
        .put(url)
        .bearer_auth(&caller.token)
        .body(reqwest::Body::wrap_stream(pieces))
        .send()
        .await
        .expect("a response");
    assert_eq!(chunked.status().as_u16(), 413);
    // A client that asks first is answered before it sends.
    let asking = format!(
        "PUT /api/v1/projects/demo/media/assets/b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n",
        caller.token
    );
    assert_eq!(raw(&caller, asking.as_bytes()).await, Some(413));
    // More than would be read to its end is answered as it is announced, although none of it ever comes.
    let announced = format!(
        "PUT /api/v1/projects/demo/media/assets/b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 99999999\r\n\r\n{{",
        caller.token
    );
    assert_eq!(raw(&caller, announced.as_bytes()).await, Some(413));
    caller.get("media/assets/b").await.expect(404);
}

#[tokio::test]
async fn memory_is_bounded_per_kind() {
    let caller =
        Caller::with(|builder| builder.settings(|settings| settings.resource_limit = 10)).await;
    for number in 0..10 {
        caller.asset(&format!("a{number}")).await;
    }
    caller
        .put(
            "media/assets/more",
            json!({ "properties": { "storageAccountName": "storage1" } }),
        )
        .await
        .expect(409);
}

#[test]
fn whatever_comes_is_answered_and_never_with_500() {
    use bytes::Bytes;
    use mkio_emulator::{Settings, engine::Engine, seed};
    let engine = Engine::new(Settings::default(), chrono::DateTime::UNIX_EPOCH, 1.0);
    let token = seed::start(&engine, "demo", 3, Some("T")).expect("the seed fits");
    let path = prop_oneof![
        "/api/v1/projects/demo/media/(assets|transforms|liveEvents|streamingLocators)/[a-z%]{0,6}",
        "/api/v1/projects/demo/(live|fleet|infra|templating)/[a-zA-Z]{0,12}(/[a-z]{1,3})?",
        "/[ -~]{0,30}",
    ];
    let query = prop_oneof![
        "\\$filter=[a-z()' %0-9]{0,30}",
        "\\$(top|skiptoken|orderby|label)=[ -~]{0,10}",
        "[ -~]{0,20}"
    ];
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        r#"\{"(properties|spec|metadata)":(\{"[a-zA-Z]{0,12}":(-?[0-9]{1,30}|null|\[\]|"[a-z]{0,4}")\}|null|[0-9])\}"#.prop_map(String::into_bytes),
    ];
    let method = prop::sample::select(vec!["GET", "PUT", "POST", "PATCH", "DELETE"]);
    let mut runner = TestRunner::new(Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(
        &(method, path, query, body),
        |(method, path, query, body)| {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("{path}?{query}"))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(Bytes::from(body));
            let Ok(request) = request else { return Ok(()) };
            let response = engine.plain(&request);
            prop_assert!(
                response.status.as_u16() < 500,
                "{method} {path}?{query}: {}",
                response.status
            );
            Ok(())
        },
    );
    assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_by_64_connections() {
    let caller = Caller::with(|builder| builder.seed(100)).await;
    let assets = format!(
        "{}/api/v1/projects/demo/media/assets",
        caller.emulator.base_url()
    );
    let send = async |request: reqwest::RequestBuilder| {
        let response = request.bearer_auth(&caller.token).send().await;
        response.map_or(0, |response| response.status().as_u16())
    };
    // Each makes its own asset, reads it, reads a page, and deletes it: 2,500 times 4 requests, 64 at a time.
    let body = json!({ "properties": { "storageAccountName": "storage1" } });
    let (send, body, assets, http) = (&send, &body, &assets, &caller.http);
    let statuses: Vec<[u16; 4]> = futures::stream::iter(0..2_500)
        .map(|number| async move {
            let own = format!("{assets}/own-{number}");
            [
                send(http.put(&own).json(body)).await,
                send(http.get(&own)).await,
                send(http.get(format!("{assets}?$top=10"))).await,
                send(http.delete(&own)).await,
            ]
        })
        .buffer_unordered(64)
        .collect()
        .await;
    let wrong: Vec<&[u16; 4]> = statuses
        .iter()
        .filter(|statuses| **statuses != [201, 200, 200, 200])
        .collect();
    assert_eq!((statuses.len(), wrong), (2_500, vec![]));
}

fn transform(description: usize) -> Value {
    let preset = json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p" });
    json!({ "properties": { "description": "x".repeat(description), "outputs": [{ "preset": preset }] } })
}

fn job(asset: &str, data: Value) -> Value {
    json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": asset },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": asset }],
        "correlationData": data } })
}

#[tokio::test]
async fn bodies_of_very_many_values_are_413() {
    let caller = Caller::start().await;
    let asset = |lists: usize| json!({ "properties": { "storageAccountName": "storage1" }, "labels": { "x": vec![json!([0]); lists] } });
    let refused = caller
        .put("media/assets/a", asset(490_000))
        .await
        .expect(413);
    assert!(
        refused.detail().contains("at most 20000 values"),
        "{}",
        refused.body
    );
    // Many characters are no matter, and archives are not looked into.
    caller.asset("in").await;
    caller
        .put("media/transforms/t", transform(1))
        .await
        .expect(201);
    let path = "media/transforms/t/jobs/j";
    let text = json!({ "k": "[,{".repeat(50_000) });
    caller.put(path, job("in", text)).await.expect(201);
    let archive = [&[0x1f, 0x8b][..], "[,{".repeat(50_000).as_bytes()].concat();
    let url = format!(
        "{}/api/v1/projects/demo/fleet/uploadBackup?name=n",
        caller.emulator.base_url()
    );
    let sent = caller
        .http
        .post(url)
        .bearer_auth(&caller.token)
        .header("content-type", "application/gzip")
        .body(archive)
        .send()
        .await
        .expect("a response");
    assert_eq!(sent.status().as_u16(), 201);
}

#[tokio::test]
async fn memory_is_bounded_over_all_kinds() {
    let caller = Caller::with(|builder| {
        builder
            .seed(1)
            .settings(|settings| settings.memory_limit = 1_000_000)
    })
    .await;
    let big = |size: usize| job("asset-1", json!({ "k": "x".repeat(size) }));
    let own = "media/transforms/t";
    // Twice, so that what is deleted makes room again; many times, so that what is replaced is seen not to count.
    for _ in 0..2 {
        caller.put(own, transform(1)).await.expect(201);
        for _ in 0..400 {
            caller.put(own, transform(1_000)).await.expect(200);
        }
        for name in ["a", "b"] {
            let path = format!("{own}/jobs/{name}");
            caller.put(&path, big(200_000)).await.expect(201);
        }
        let more = format!("{own}/jobs/c");
        let refused = caller.put(&more, big(500_000)).await.expect(409);
        assert!(
            refused.detail().contains("at most 1000000 bytes"),
            "{}",
            refused.body
        );
        caller.get(&more).await.expect(404);
        // What is below goes with it.
        for name in ["a", "b"] {
            let path = format!("{own}/jobs/{name}");
            caller.post(&format!("{path}/cancelJob"), json!(null)).await;
        }
        caller.step(600);
        caller.delete(own).await.expect(200);
        caller.get(own).await.expect(404);
    }
}
