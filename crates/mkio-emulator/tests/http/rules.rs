//! Rules for all operations: tokens, permissions, limits, checks, fixed fields, time.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::Caller;

#[tokio::test]
async fn every_request_needs_a_token_that_is_known_live_and_not_revoked() {
    let mut caller = Caller::start().await;
    let organization = caller
        .get("/api/v1/organization")
        .await
        .expect(200)
        .text("/metadata/id");
    let full = caller.token.clone();
    for token in ["", "nonsense"] {
        caller.token = token.to_owned();
        caller.get("media/assets").await.expect(401);
    }
    caller.token = full.clone();
    let short = json!({ "type": "login", "organizationId": organization });
    let made = caller.post("/api/v1/user/tokens", short).await.expect(201);
    let id = made.text("/metadata/id");
    caller.token = made.text("/metadata/JWT");
    caller.get("media/assets").await.expect(200);
    assert_eq!(
        caller
            .get(&format!("/api/v1/user/tokens/{id}"))
            .await
            .expect(200)
            .body["metadata"]
            .get("JWT"),
        None
    );
    caller.step(3_601);
    caller.get("media/assets").await.expect(401);
    caller.token = full.clone();
    let far = (caller.emulator.control().now() + chrono::TimeDelta::days(400))
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    caller
        .post(
            "/api/v1/user/tokens",
            json!({ "type": "full-access", "organizationId": organization, "expireDate": far }),
        )
        .await
        .expect(400);
    let made = caller
        .post(
            "/api/v1/user/tokens",
            json!({ "type": "full-access", "organizationId": organization }),
        )
        .await
        .expect(201);
    let id = made.text("/metadata/id");
    caller
        .delete(&format!("/api/v1/organization/tokens/{id}"))
        .await
        .expect(204);
    caller.token = made.text("/metadata/JWT");
    caller.get("media/assets").await.expect(401);
    assert_eq!(
        caller
            .get("/.well-known/revoked.json")
            .await
            .expect(200)
            .body["revokedTokens"],
        json!([id])
    );
    caller.token = full;
    caller.delete("/api/v1/user/tokens").await.expect(200);
    caller.get("media/assets").await.expect(401);
}

#[tokio::test]
async fn a_restricted_token_is_held_to_its_permissions() {
    let mut caller = Caller::start().await;
    let organization = caller
        .get("/api/v1/organization")
        .await
        .text("/metadata/id");
    let project = caller
        .get("/api/v1/projects/demo")
        .await
        .text("/metadata/id");
    let token = |permissions: Value| json!({ "type": "restricted", "organizationId": organization, "permissions": permissions });
    let wide = json!({ "core.project": { &project: { "ams.asset": ["get", "fly"] } } });
    assert!(
        caller
            .post("/api/v1/user/tokens", token(wide))
            .await
            .expect(400)
            .detail()
            .contains("fly")
    );
    caller
        .post(
            "/api/v1/user/tokens",
            json!({ "type": "restricted", "organizationId": organization }),
        )
        .await
        .expect(400);
    let narrow = json!({ "core.project": { &project: { "ams.asset": ["get"] } } });
    caller.token = caller
        .post("/api/v1/user/tokens", token(narrow.clone()))
        .await
        .expect(201)
        .text("/metadata/JWT");
    caller.get("media/assets").await.expect(200);
    caller
        .put(
            "media/assets/a",
            json!({ "properties": { "storageAccountName": "storage1" } }),
        )
        .await
        .expect(403);
    caller.get("media/transforms").await.expect(403);
    caller.get("/api/v1/organization").await.expect(403);
    caller
        .post("/api/v1/user/tokens", token(narrow))
        .await
        .expect(403);
}

#[tokio::test]
async fn limits_are_counted_per_project_and_verb() {
    let caller = Caller::with(|builder| {
        builder
            .rate_limit(true)
            .settings(|settings| settings.retry_after = true)
    })
    .await;
    for _ in 0..1_000 {
        caller.delete("media/assets/nothing").await.expect(204);
    }
    let refused = caller.delete("media/assets/nothing").await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
    caller.get("media/assets").await.expect(200);
    caller
        .patch("/api/v1/user/profile", json!({ "spec": { "name": "N" } }))
        .await
        .expect(200);
    // A step of the clock is time that passes.
    caller.step(59);
    let refused = caller.delete("media/assets/nothing").await.expect(429);
    assert_eq!(refused.headers["retry-after"], "1");
    caller.step(1);
    caller.delete("media/assets/nothing").await.expect(204);
}

#[tokio::test]
async fn the_operator_is_not_limited() {
    let seed: Vec<Value> = (0..1_001)
        .map(|number| json!({ "path": format!("media/content/c{number}"), "body": { "metadata": { "displayName": "C" } } }))
        .collect();
    let caller = Caller::with(|builder| {
        builder
            .rate_limit(true)
            .seed_requests(json!(seed).to_string())
            .faults("* * status=500")
    })
    .await;
    let control = caller.emulator.control();
    for _ in 0..2_001 {
        assert!(control.inspect("demo", "media/content/c1000").is_some());
    }
    control.clear_faults();
    caller.get("media/content/c0").await.expect(200);
    caller.delete("media/content/c0").await.expect(200);
    assert_eq!(control.inspect("demo", "media/content/c0"), None);
    // Nothing that it does leaves a trace in the lists of tokens.
    let tokens = caller.get("/api/v1/user/tokens").await.expect(200);
    assert_eq!(tokens.body["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_cannot_work_is_told_at_the_start_and_secrets_are_not_shown() {
    let start = |builder: mkio_emulator::EmulatorBuilder| async move {
        builder
            .start()
            .await
            .expect_err("it cannot work")
            .to_string()
    };
    let builder = mkio_emulator::Emulator::builder;
    for (refused, named) in [
        (builder().token("a b"), "token"),
        (builder().token(""), "token"),
        (builder().project("My Project"), "project"),
        (builder().time_scale(f64::NAN), "time scale"),
        (builder().time_scale(-1.0), "time scale"),
        (builder().page_size(0, 10), "page size"),
        (builder().page_size(10, 0), "page size"),
        (
            builder().settings(|settings| settings.job_slots = 0),
            "job slots",
        ),
        (
            builder().settings(|settings| settings.webhook_attempts = 0),
            "webhook attempts",
        ),
        (
            builder()
                .settings(|settings| settings.resource_limit = 5)
                .seed(6),
            "at most 5",
        ),
    ] {
        let told = start(refused).await;
        assert!(told.contains(named), "{told}");
    }
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = taken.local_addr().expect("an address");
    let error: std::io::Error = builder()
        .listen(address)
        .start()
        .await
        .expect_err("the port is in use")
        .into();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let hidden = builder().token("hush-hush");
    let shown = format!("{hidden:?}");
    let emulator = hidden.start().await.expect("it starts");
    let shown = format!("{shown} {emulator:?} {:?}", emulator.control());
    assert!(!shown.contains("hush"), "{shown}");
}

#[tokio::test]
async fn a_stop_lets_requests_be_answered_and_then_nobody_listens() {
    let caller = Caller::with(|builder| builder.faults("PUT * delay=300")).await;
    let url = format!(
        "{}/api/v1/projects/demo/media/content/c",
        caller.emulator.base_url()
    );
    let body = json!({ "metadata": { "displayName": "C" } });
    let request = caller.http.put(&url).bearer_auth(&caller.token).json(&body);
    let under_way = tokio::spawn(request.send());
    let control = caller.emulator.control();
    while control.inspect("demo", "media/content/c").is_none() {
        tokio::task::yield_now().await;
    }
    let address = caller.emulator.address();
    caller.emulator.stop(Duration::from_secs(30)).await;
    let response = under_way.await.expect("no panic").expect("a response");
    assert_eq!(response.status().as_u16(), 201);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn paths_methods_and_bodies_are_checked_and_the_field_is_named() {
    let caller = Caller::start().await;
    // Its path ends in a slash, and is known without.
    let missing = caller.get("media/assets/a/storage").await.expect(404);
    assert!(
        missing.detail().contains("no asset named 'a'"),
        "{}",
        missing.detail()
    );
    let wrong = caller
        .call(Method::POST, "media/assets", None)
        .await
        .expect(405);
    assert_eq!(wrong.headers["allow"], "GET");
    caller
        .get("/api/v1/projects/other/media/assets")
        .await
        .expect(404);
    for (body, named) in [
        (json!({}), "properties"),
        (json!({ "properties": {} }), "storageAccountName"),
        (
            json!({ "properties": { "storageAccountName": 5 } }),
            "properties.storageAccountName",
        ),
        (
            json!({ "properties": { "storageAccountName": "storage1", "container": "UPPER" } }),
            "properties.container",
        ),
        (
            json!({ "properties": { "storageAccountName": "storage1", "containerDeletionPolicy": "Burn" } }),
            "containerDeletionPolicy",
        ),
        (
            json!({ "properties": { "storageAccountName": "nothing" } }),
            "properties.storageAccountName",
        ),
        (
            json!({ "labels": { "a": 1 }, "properties": { "storageAccountName": "storage1" } }),
            "labels.a",
        ),
    ] {
        let refused = caller.put("media/assets/a", body).await.expect(400);
        assert!(refused.detail().contains(named), "{}", refused.detail());
    }
    caller
        .call(Method::PUT, "media/assets/a", None)
        .await
        .expect(400);
    caller
        .put(
            "media/assets/a%3Cb",
            json!({ "properties": { "storageAccountName": "storage1" } }),
        )
        .await
        .expect(400);
    let secret = json!({ "spec": { "type": "AWS.S3", "bucketName": "bucket", "credential": { "accessKeyId": "AKIA0000000000000000", "secretAccessKey": "my secret" } } });
    let refused = caller.put("media/storage/s", secret).await.expect(400);
    assert!(
        !refused.body.to_string().contains("my secret"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn what_is_immutable_refuses_change_and_what_is_read_only_is_ignored() {
    let caller = Caller::start().await;
    let asset = |container: &str, description: &str| json!({ "id": "mine", "properties": { "storageAccountName": "storage1", "container": container, "description": description, "assetId": "x" } });
    let made = caller
        .put("media/assets/a", asset("first", "1"))
        .await
        .expect(201);
    assert_ne!(made.text("/id"), "mine");
    caller
        .put("media/assets/a", asset("second", "2"))
        .await
        .expect(400);
    let changed = caller
        .put(
            "media/assets/a",
            json!({ "properties": { "storageAccountName": "storage1", "description": "2" } }),
        )
        .await
        .expect(200);
    assert_eq!(
        (
            changed.text("/properties/container"),
            changed.text("/properties/description")
        ),
        ("first".to_owned(), "2".to_owned())
    );
    assert_eq!(
        changed.text("/properties/containerDeletionPolicy"),
        "Retain"
    );
    caller
        .put("media/assets/b", asset("first", "1"))
        .await
        .expect(409);
    let source = json!({ "metadata": { "displayName": "S", "labels": { "a": "1" } }, "spec": { "transport": { "type": "SRTCaller", "url": "srt://127.0.0.1:1", "latency": 1.0 } } });
    caller.put("media/sources/s", source).await.expect(201);
    caller
        .patch(
            "media/sources/s",
            json!({ "spec": { "transport": { "allowList": ["1.2.3.4"] } } }),
        )
        .await
        .expect(400);
    let patched = caller.patch("media/sources/s", json!({ "metadata": { "displayName": "T" }, "spec": { "transport": { "url": "srt://127.0.0.1:2" } } })).await.expect(200);
    assert_eq!(patched.body["metadata"]["labels"], json!({ "a": "1" }));
    assert_eq!(
        (
            patched.text("/metadata/displayName"),
            patched.text("/spec/transport/url")
        ),
        ("T".to_owned(), "srt://127.0.0.1:2".to_owned())
    );
    caller.asset("film").await;
    let locator = |more: Value| {
        let mut body = json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
        for (name, value) in more.as_object().into_iter().flatten() {
            body["properties"][name] = value.clone();
        }
        body
    };
    let first = caller
        .put("media/streamingLocators/l", locator(json!({})))
        .await
        .expect(201);
    caller
        .put(
            "media/streamingLocators/l",
            locator(json!({ "filters": ["x"] })),
        )
        .await
        .expect(400);
    let second = caller
        .put(
            "media/streamingLocators/l",
            locator(json!({ "suppressed": true })),
        )
        .await
        .expect(200);
    assert_eq!(second.body["properties"]["suppressed"], true);
    assert_eq!(
        first.text("/properties/streamingLocatorId"),
        second.text("/properties/streamingLocatorId")
    );
    assert_eq!(second.text("/properties/resourceState"), "Updating");
}

#[tokio::test]
async fn an_endpoint_scales_and_returns_to_where_it_was() {
    let caller = Caller::start().await;
    caller.put("media/streamingEndpoints/ep", json!({ "location": "eastus", "properties": { "scaleUnits": 0, "publicName": "front" } })).await.expect(201);
    caller.put("media/streamingEndpoints/other", json!({ "location": "eastus", "properties": { "scaleUnits": 0, "publicName": "front" } })).await.expect(409);
    assert_eq!(
        caller.state("media/streamingEndpoints/ep").await,
        "Creating"
    );
    caller.step(5);
    caller
        .post(
            "media/streamingEndpoints/ep/scale",
            json!({ "scaleUnits": 2 }),
        )
        .await
        .expect(400);
    caller
        .post(
            "media/streamingEndpoints/ep/scale",
            json!({ "scaleUnit": 2 }),
        )
        .await
        .expect(200);
    let scaling = caller.get("media/streamingEndpoints/ep").await.expect(200);
    assert_eq!(
        (
            scaling.text("/properties/resourceState"),
            scaling.text("/properties/provisioningState")
        ),
        ("Scaling".to_owned(), "InProgress".to_owned())
    );
    caller.step(15);
    let scaled = caller.get("media/streamingEndpoints/ep").await.expect(200);
    assert_eq!(
        (
            scaled.text("/properties/resourceState"),
            scaled.text("/properties/sku/name")
        ),
        ("Stopped".to_owned(), "Premium".to_owned())
    );
    caller
        .get("media/streamingEndpoints/ep/skus")
        .await
        .expect(400);
}

#[tokio::test]
async fn time_passes_by_itself_as_fast_as_told() {
    let caller = Caller::with(|builder| builder.time_scale(10_000.0)).await;
    caller.emulator.control().resume();
    caller.asset("a").await;
    let ready = async {
        while caller.state("media/assets/a").await != "Ready" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ready)
        .await
        .expect("it is ready");
}

#[tokio::test]
async fn two_emulators_share_nothing() {
    let (first, mut second) = tokio::join!(Caller::start(), Caller::start());
    first.asset("only-here").await;
    second.get("media/assets/only-here").await.expect(404);
    second.token = first.token.clone();
    second.get("media/assets").await.expect(401);
    assert_eq!(
        first
            .emulator
            .control()
            .inspect("demo", "media/assets/only-here")
            .map(|asset| asset["name"].clone()),
        Some(json!("only-here"))
    );
    assert_eq!(
        second
            .emulator
            .control()
            .inspect("demo", "media/assets/only-here"),
        None
    );
    let url = first.emulator.base_url().to_owned();
    drop(first);
    let gone = async { while reqwest::get(format!("{url}/api/ready")).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .expect("a dropped emulator stops");
}

#[tokio::test]
async fn seeds_are_made_or_refused() {
    let seed = r#"[{"path":"media/content/news","body":{"metadata":{"displayName":"News"}}},{"method":"POST","path":"/api/v1/organization","body":{"spec":{"name":"Second"}}}]"#;
    let caller = Caller::with(|builder| builder.seed_requests(seed)).await;
    caller.get("media/content/news").await.expect(200);
    let refused = mkio_emulator::Emulator::builder()
        .seed_requests(r#"[{"path":"media/content/news","body":{}}]"#)
        .start()
        .await;
    assert!(refused.is_err_and(|error| error.to_string().contains("metadata")));
}

#[tokio::test]
async fn responses_tell_platform_time() {
    let caller = Caller::start().await;
    caller.step(86_400 * 400);
    let response = caller.get("/api/v1/locations").await;
    let date = response.headers["date"].to_str().expect("text");
    let now = caller.emulator.control().now();
    assert_eq!(date, now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
}
