//! Steering over HTTP, and the same in the process.

use mkio_emulator::Incident;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Caller, Response, checked};
use crate::media::{encoder, job};

impl Caller {
    /// A request below `/_emulator/`, without a token.
    async fn steer(&self, method: Method, path: &str, body: &str) -> Response {
        let url = format!("{}/_emulator/{path}", self.emulator.base_url());
        let request = self.http.request(method.clone(), url).body(body.to_owned());
        checked(&method, request.send().await.expect("a response")).await
    }
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_read_and_moved() {
    let caller = Caller::start().await;
    let clock = caller.steer(Method::GET, "clock", "").await.expect(200);
    assert_eq!(clock.body["paused"], true);
    let changed = caller
        .steer(Method::PATCH, "clock", r#"{"scale": 2, "paused": false}"#)
        .await
        .expect(200);
    assert_eq!(
        (&changed.body["scale"], &changed.body["paused"]),
        (&json!(2.0), &json!(false))
    );
    let control = caller.emulator.control();
    assert_eq!((control.time_scale(), control.is_paused()), (2.0, false));
    caller
        .steer(Method::PATCH, "clock", r#"{"paused": true}"#)
        .await;
    let before = control.now();
    caller
        .steer(Method::POST, "clock/step", r#"{"seconds": 90.5}"#)
        .await
        .expect(200);
    assert_eq!((control.now() - before).num_milliseconds(), 90_500);
    for (method, path, body) in [
        (Method::PATCH, "clock", r#"{"scale": -1}"#),
        (Method::PATCH, "clock", r#"{"pause": true}"#),
        (Method::POST, "clock/step", r#"{"seconds": -1}"#),
        (Method::POST, "clock/step", r#"{"seconds": 1e300}"#),
        (Method::POST, "clock/step", ""),
    ] {
        let refused = caller.steer(method, path, body).await.expect(400);
        assert!(!refused.detail().is_empty(), "{body}");
    }
}

#[tokio::test]
async fn faults_are_added_listed_seen_and_removed() {
    let caller = Caller::start().await;
    let rules = "GET */media/assets status=500 times=1; PUT * delay=1";
    caller
        .steer(Method::POST, "faults", rules)
        .await
        .expect(201);
    let one = r#"{"method": "GET", "path": "*/transforms", "status": 500}"#;
    caller.steer(Method::POST, "faults", one).await.expect(201);
    let refused = caller
        .steer(Method::POST, "faults", "GET /a")
        .await
        .expect(400);
    assert!(refused.detail().contains("it does nothing"));
    caller.get("media/assets").await.expect(500);
    let listed = caller.steer(Method::GET, "faults", "").await.expect(200);
    let fault = |at: usize| &listed.body["value"][at];
    assert_eq!(
        fault(0),
        &json!({ "fault": { "method": "GET", "path": "*/media/assets", "times": 1, "status": 500 }, "met": 1 })
    );
    assert_eq!((&fault(1)["met"], &fault(2)["met"]), (&json!(0), &json!(0)));
    assert_eq!(caller.emulator.control().list_faults().len(), 3);
    let logged = &caller.emulator.control().requests()[0];
    assert_eq!(logged.fault.as_ref(), Some(&fault(0)["fault"]));
    assert_eq!(
        (logged.status, logged.operation),
        (500, Some("list_assets"))
    );
    caller.steer(Method::DELETE, "faults", "").await.expect(204);
    caller.get("media/transforms").await.expect(200);
}

#[tokio::test]
async fn requests_are_told_with_their_bodies_and_without_their_secrets() {
    let caller = Caller::start().await;
    caller.asset("a").await;
    let refused = caller
        .get("media/assets/none?$top=1&token=hush")
        .await
        .expect(404);
    let storage = json!({ "spec": { "type": "Microsoft.Storage", "url": "https://x.blob.core.windows.net", "credential": {
        "sasToken": "?sv=2024&sig=hush" } } });
    caller.put("media/storage/s", storage).await.expect(201);
    let told = caller.steer(Method::GET, "requests", "").await.expect(200);
    assert!(!told.body.to_string().contains("hush"), "{}", told.body);
    let at = |index: usize, pointer: &str| told.body["value"][index].pointer(pointer).cloned();
    assert_eq!(at(0, "/number"), Some(json!(1)));
    assert_eq!(at(0, "/method"), Some(json!("PUT")));
    assert_eq!(
        at(0, "/path"),
        Some(json!("/api/v1/projects/demo/media/assets/a"))
    );
    assert_eq!(
        at(0, "/request/properties/container"),
        Some(json!("container-a"))
    );
    assert_eq!(at(0, "/response/name"), Some(json!("a")));
    assert_eq!(at(1, "/query"), Some(json!("$top=1&token=****")));
    assert_eq!(at(1, "/ref"), Some(refused.body["ref"].clone()));
    assert_eq!(at(1, "/status"), Some(json!(404)));
    assert_eq!(
        at(2, "/request/spec/credential/sasToken"),
        Some(json!("****"))
    );
    let since = caller
        .steer(Method::GET, "requests?since=1&last=1", "")
        .await
        .expect(200);
    assert_eq!(since.body["value"][0]["number"], 3);
    assert_eq!(since.body["value"].as_array().map(Vec::len), Some(1));
    caller
        .steer(Method::DELETE, "requests", "")
        .await
        .expect(204);
    assert!(caller.emulator.control().requests().is_empty());
    caller
        .steer(Method::GET, "requests?last=x", "")
        .await
        .expect(400);
}

#[tokio::test]
async fn incidents_are_caused() {
    let caller = Caller::start().await;
    caller.asset("in").await;
    caller
        .put("media/transforms/t", encoder())
        .await
        .expect(201);
    caller
        .put("media/transforms/t/jobs/j", job("in", "out"))
        .await
        .expect(201);
    let cause = |incident: Value| {
        json!({ "path": "media/transforms/t/jobs/j", "incident": incident }).to_string()
    };
    let failure = json!({ "type": "JobFails", "detail": { "code": "ContentMalformed" } });
    caller
        .steer(Method::POST, "incidents", &cause(failure))
        .await
        .expect(204);
    caller.step(3_600);
    let failed = caller.get("media/transforms/t/jobs/j").await.expect(200);
    assert_eq!(
        failed.text("/properties/outputs/0/error/code"),
        "ContentMalformed"
    );
    for (incident, status) in [
        (json!({ "type": "JobFails" }), 409),
        (json!({ "type": "GoesOffline" }), 409),
        (json!({ "type": "Explodes" }), 400),
        (json!({ "type": "StartFails" }), 400),
    ] {
        caller
            .steer(Method::POST, "incidents", &cause(incident))
            .await
            .expect(status);
    }
}

#[test]
fn incidents_are_written_as_the_document_says() {
    let document: Value =
        serde_json::from_str(include_str!("../../data/emulator.json")).expect("JSON");
    let listed = &document["components"]["schemas"]["Incident"]["properties"]["type"]["enum"];
    let details = [
        Value::Null,
        json!("text"),
        json!(3),
        json!(true),
        json!({}),
        json!({ "state": "Failed", "code": "c", "detail": "d" }),
        json!({ "name": "n", "severity": "Major" }),
    ];
    for name in listed.as_array().expect("a list") {
        let fits = details.iter().any(|detail| {
            let incident = match detail {
                Value::Null => json!({ "type": name }),
                detail => json!({ "type": name, "detail": detail }),
            };
            let read = serde_json::from_value::<Incident>(incident.clone());
            read.is_ok_and(|read| serde_json::to_value(read).expect("JSON")["type"] == *name)
        });
        assert!(fits, "{name}");
    }
}

#[tokio::test]
async fn a_reset_begins_anew_and_a_seed_adds() {
    let caller = Caller::with(|builder| builder.seed(2)).await;
    caller.asset("mine").await;
    caller
        .steer(Method::POST, "faults", "GET * status=503")
        .await;
    caller.steer(Method::POST, "reset", "").await.expect(204);
    assert!(caller.emulator.control().requests().is_empty());
    let total = async || {
        caller.get("media/assets").await.expect(200).body["supplemental"]["pagination"]["total"]
            .clone()
    };
    assert_eq!(total().await, 2);
    let seed = json!({ "assets": 4, "requests": [{ "path": "media/content/news", "body": { "metadata": { "displayName": "News" }, "spec": {} } }] });
    caller
        .steer(Method::POST, "seed", &seed.to_string())
        .await
        .expect(204);
    assert_eq!(total().await, 4);
    caller.get("media/content/news").await.expect(200);
    for (seed, status) in [
        (json!({ "project": "none", "assets": 1 }), 409),
        (json!({ "asset": 1 }), 400),
        (json!({ "requests": [{ "path": "media/nothing/a" }] }), 409),
    ] {
        let refused = caller.steer(Method::POST, "seed", &seed.to_string()).await;
        assert_eq!(refused.status, status, "{seed}");
    }
}

/// Something of most kinds, some of it on its way to another state.
async fn busy() -> Caller {
    let caller = Caller::with(|builder| builder.token("T").seed(5)).await;
    let seed = include_str!("../schemathesis/seed.json");
    let control = caller.emulator.control();
    assert_eq!(control.make("demo", seed), Ok(()));
    let rule = json!({ "spec": { "url": "http://127.0.0.1:9/hook", "enabled": true, "events": ["MediaKind.JobFinished"] } });
    caller.put("webhook/rules/busy", rule).await.expect(201);
    let locator = json!({ "properties": { "assetName": "asset-1", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    caller
        .put("media/streamingLocators/l", locator)
        .await
        .expect(201);
    caller.step(10);
    let access = caller.post("media/assets/asset-1/getFileAccessInfo", Value::Null);
    access.await.expect(200);
    caller
        .post("media/streamingEndpoints/default/start", Value::Null)
        .await
        .expect(200);
    caller.asset("late").await;
    let stored = format!(
        "{}/blobs/demo/storage1/container-late/stored.bin{}",
        caller.emulator.base_url(),
        mkio_emulator::STORAGE_SAS
    );
    let stored = caller.http.put(stored).body("some bytes").send().await;
    assert_eq!(stored.expect("a response").status(), 201);
    caller
}

#[tokio::test]
async fn a_state_is_taken_up_by_another_emulator_to_the_last_bit() {
    let first = busy().await;
    let state = first.emulator.control().state();
    let second = Caller::with(|builder| builder.token("T").state(&state)).await;
    assert_eq!(second.emulator.control().state(), state);
    let kinds: Value = serde_json::from_str(&state).expect("JSON");
    assert_eq!(kinds["world"]["files"][0]["path"], "stored.bin");
    let tables = kinds["world"]["tables"].as_array().map_or(0, Vec::len);
    assert!(tables > 15, "{tables} tables");
    // Moves under way end in both, and waiting deliveries are tried in both.
    for caller in [&first, &second] {
        assert_eq!(
            caller.state("media/streamingEndpoints/default").await,
            "Starting"
        );
        caller.step(3_600);
        assert_eq!(
            caller.state("media/streamingEndpoints/default").await,
            "Running"
        );
        assert_eq!(caller.state("media/assets/late").await, "Ready");
        assert_eq!(caller.emulator.control().deliveries(9).len(), 2);
    }
    let shown = |caller: &Caller| -> Vec<Value> {
        let all = caller.emulator.control().resources("demo");
        // A backup gets its id when it is done.
        let same = all.iter().filter(|one| one["kind"] != "backup");
        same.cloned().collect()
    };
    assert_eq!(shown(&first), shown(&second));
}

#[tokio::test]
async fn a_state_is_put_back_and_the_token_of_the_emulator_stays() {
    let other = busy().await;
    let caller = Caller::start().await;
    let state = other.steer(Method::GET, "state", "").await.expect(200);
    caller
        .steer(Method::PUT, "state", &state.body.to_string())
        .await
        .expect(204);
    caller.get("media/assets/late").await.expect(200);
    let with = |change: fn(&mut Value)| {
        let mut broken = state.body.clone();
        change(&mut broken);
        broken.to_string()
    };
    for (body, reason) in [
        ("nonsense".to_owned(), "not a state of an emulator"),
        (with(|state| state["version"] = json!(2)), "version 2"),
        (
            with(|state| state["world"]["tables"][0]["kind"] = json!("toaster")),
            "toaster",
        ),
        (
            with(|state| state["world"]["tables"][0]["resources"][0]["state"] = json!("Odd")),
            "Odd",
        ),
        (
            with(|state| state["world"]["counter"] = json!(1)),
            "out of order",
        ),
    ] {
        let refused = caller.steer(Method::PUT, "state", &body).await.expect(400);
        assert!(refused.detail().contains(reason), "{}", refused.detail());
    }
    caller.get("media/assets/late").await.expect(200);
}

#[tokio::test]
async fn resources_are_listed_and_looked_at() {
    let caller = busy().await;
    let all = caller.steer(Method::GET, "resources", "").await.expect(200);
    let found = all.body["value"].as_array().expect("a list");
    let late = found
        .iter()
        .find(|one| one["name"] == "late")
        .expect("it is listed");
    assert_eq!(
        (&late["kind"], &late["state"], &late["path"]),
        (
            &json!("asset"),
            &json!("Pending"),
            &json!("media/assets/late")
        )
    );
    caller.step(3_600);
    let later = caller.steer(Method::GET, "resources", "").await.expect(200);
    assert_eq!(later.body["deliveries"][1]["rule"], "busy");
    let one = caller
        .steer(Method::GET, "resources?path=media/assets/late", "")
        .await
        .expect(200);
    assert_eq!(one.body["name"], "late");
    let storage = caller
        .steer(Method::GET, "resources?path=media/storage/storage1", "")
        .await
        .expect(200);
    let base = caller.emulator.base_url();
    assert!(
        storage.text("/spec/url").starts_with(base),
        "{}",
        storage.body
    );
    let device = caller
        .steer(Method::GET, "resources?path=/api/channel-system/", "")
        .await
        .expect(200);
    assert!(device.body["data"].is_object(), "{}", device.body);
    caller
        .steer(Method::GET, "resources?path=media/assets/none", "")
        .await
        .expect(404);
}

#[tokio::test]
async fn foreign_hosts_and_origins_do_not_steer_even_where_any_name_is_allowed() {
    let caller = Caller::with(|builder| builder.allow_host("*").allow_host("ci.example")).await;
    let status = async |path: &str, name: &str, value: &str| {
        let url = format!("{}{path}", caller.emulator.base_url());
        let response = caller.http.get(url).header(name, value).send().await;
        response.expect("a response").status().as_u16()
    };
    for path in ["/", "/_emulator/clock", "/_emulator/state"] {
        assert_eq!(
            status(path, "host", "attacker.example").await,
            403,
            "{path}"
        );
        assert_eq!(
            status(path, "origin", "https://attacker.example").await,
            403,
            "{path}"
        );
        assert_eq!(status(path, "origin", "null").await, 403, "{path}");
        assert_eq!(status(path, "host", "ci.example").await, 200, "{path}");
        assert_eq!(
            status(path, "origin", "http://localhost:3000").await,
            200,
            "{path}"
        );
    }
    assert_eq!(status("/api/ready", "host", "attacker.example").await, 200);
}

#[tokio::test]
async fn what_there_is_not_is_told() {
    let caller = Caller::start().await;
    let lost = caller.steer(Method::GET, "clok", "").await.expect(404);
    assert!(lost.detail().contains("openapi.json"));
    let wrong = caller.steer(Method::PUT, "clock", "").await.expect(405);
    assert_eq!(wrong.headers["allow"], "GET, HEAD, PATCH, OPTIONS");
    let asked = caller.steer(Method::OPTIONS, "state", "").await.expect(204);
    assert_eq!(asked.headers["allow"], "GET, HEAD, PUT, OPTIONS");
    let document = caller
        .steer(Method::GET, "openapi.json", "")
        .await
        .expect(200);
    assert_eq!(document.body["openapi"], "3.0.3");
    let index = caller.steer(Method::GET, "", "").await.expect(200);
    assert_eq!(index.body["project"], "demo");
}

#[tokio::test]
async fn bodies_that_say_nothing_are_refused() {
    let caller = Caller::start().await;
    for body in ["", " ", "[]", "# nothing"] {
        caller.steer(Method::POST, "faults", body).await.expect(400);
    }
    for (method, path, body) in [
        (Method::PATCH, "clock", "[]"),
        (Method::POST, "clock/step", "[5]"),
        (Method::POST, "seed", "[null, 1, []]"),
    ] {
        caller.steer(method, path, body).await.expect(400);
    }
}

#[tokio::test]
async fn states_that_leave_no_platform_are_refused() {
    let caller = Caller::start().await;
    caller.asset("a").await;
    let good: Value = serde_json::from_str(&caller.emulator.control().state()).expect("it is JSON");
    let tables = good["world"]["tables"].as_array().expect("tables").clone();
    let with = |tables: Vec<Value>| {
        let mut state = good.clone();
        state["world"]["tables"] = json!(tables);
        state
    };
    let without = |kind: &str| {
        let mut left = tables.clone();
        left.retain(|table| table["kind"] != kind);
        assert!(left.len() < tables.len(), "{kind}");
        with(left)
    };
    let mut twice = tables.clone();
    let asset = tables.iter().find(|table| table["kind"] == "asset");
    twice.push(asset.expect("assets").clone());
    let mut bodiless = tables.clone();
    for table in &mut bodiless {
        if table["kind"] == "asset" {
            table["resources"][0]["body"] = Value::Null;
        }
    }
    let mut counted = good.clone();
    counted["world"]["counter"] = json!(u64::MAX);
    for (state, reason) in [
        (with(Vec::new()), "organization"),
        (without("user"), "user"),
        (without("project"), "project 'demo'"),
        (with(twice), "twice"),
        (with(bodiless), "is not a JSON object"),
        (counted, "counter"),
    ] {
        let refused = caller
            .steer(Method::PUT, "state", &state.to_string())
            .await
            .expect(400);
        assert!(refused.detail().contains(reason), "{}", refused.detail());
    }
    let other = Caller::with(|builder| builder.project("other")).await;
    let refused = other
        .steer(Method::PUT, "state", &good.to_string())
        .await
        .expect(400);
    assert!(
        refused.detail().contains("--project demo"),
        "{}",
        refused.detail()
    );
    // It stays as it was.
    caller.get("media/assets/a").await.expect(200);
    other.asset("a").await;
}

#[tokio::test]
async fn what_is_begun_at_the_end_of_the_calendar_ends() {
    let caller = Caller::start().await;
    caller.step(400_000_000_000);
    caller.asset("late").await;
    assert_eq!(caller.state("media/assets/late").await, "Ready");
}
