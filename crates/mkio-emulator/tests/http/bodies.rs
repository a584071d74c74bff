//! Requests are checked against the documents: every field of every kind of resource.

use crate::common::{Caller, served};
use crate::samples;
use reqwest::Method;
use serde_json::{Value, json};

/// Pointers of all values below a value.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => return,
    };
    for (name, value) in below {
        let pointer = format!("{at}/{name}");
        pointers(value, &pointer, out);
        out.push(pointer);
    }
}

/// A value of another type.
fn other(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(5),
        Value::Number(_) | Value::Bool(_) => json!("text"),
        _ => json!(true),
    }
}

/// Whether a refusal names the field at a pointer: by its path, or by its name where a union is decided by it.
fn names(detail: &str, pointer: &str) -> bool {
    let path = pointer.trim_start_matches('/').replace('/', ".");
    let field = pointer.rsplit('/').next().unwrap_or_default();
    detail.contains(&path) || detail.contains(&format!("\"{field}\""))
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_with_its_field() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    let mut tried = 0;
    for sample in &all {
        let mut fields = Vec::new();
        pointers(&sample.body, "", &mut fields);
        let path = match sample.path {
            "/api/channels/one/" => sample.path.to_owned(),
            path => format!("{path}9"),
        };
        for pointer in fields {
            let mut body = sample.body.clone();
            let value = body.pointer_mut(&pointer).expect("it is there");
            *value = other(value);
            let response = caller.put(&path, body).await;
            let (wanted, detail) = if path.starts_with("/api/channels/") {
                (422, response.body["detail"].to_string())
            } else {
                (
                    400,
                    response.body["error"]["detail"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                )
            };
            assert_eq!(
                response.status, wanted,
                "{path} {pointer}: {}",
                response.body
            );
            // The device gives the place as a list.
            let place: Vec<String> = pointer
                .split('/')
                .skip(1)
                .map(|part| match part.parse::<u64>() {
                    Ok(at) => at.to_string(),
                    Err(_) => format!("\"{part}\""),
                })
                .collect();
            let place = place.join(",");
            assert!(
                names(&detail, &pointer) || detail.contains(&place),
                "{path} {pointer}: {detail}"
            );
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

#[tokio::test]
async fn a_required_field_that_is_missing_is_named() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    for (path, pointer) in [
        ("media/storage/disk", "/spec"),
        ("media/storage/disk", "/spec/type"),
        ("media/storage/disk", "/spec/url"),
        ("media/assets/film", "/properties"),
        ("media/assets/film", "/properties/storageAccountName"),
        ("infra/networks/lan", "/metadata"),
        ("infra/networks/lan", "/spec"),
        ("infra/sites/studio", "/metadata"),
        ("media/content/news", "/metadata"),
        ("media/sources/source", "/spec/transport"),
        ("media/sources/source", "/spec/transport/type"),
        ("media/destinations/target", "/spec/transport/type"),
        ("media/contentKeyPolicies/keys", "/properties/options"),
        (
            "media/contentKeyPolicies/keys",
            "/properties/options/0/configuration",
        ),
        ("media/streamingLocators/play", "/properties/assetName"),
        (
            "media/streamingLocators/play",
            "/properties/streamingPolicyName",
        ),
        ("media/streamingEndpoints/front", "/location"),
        ("media/streamingEndpoints/front", "/properties/scaleUnits"),
        ("media/transforms/encode", "/properties/outputs"),
        ("media/transforms/encode", "/properties/outputs/0/preset"),
        ("media/transforms/encode/jobs/job", "/properties/input"),
        ("media/transforms/encode/jobs/job", "/properties/outputs"),
        (
            "media/transforms/encode/jobs/job",
            "/properties/input/assetName",
        ),
        ("media/liveEvents/match", "/properties/useStaticHostname"),
        ("media/liveEvents/match", "/properties/encoding"),
        ("media/liveEvents/match", "/properties/input"),
        ("media/liveEvents/match", "/properties/streamOptions"),
        (
            "media/liveEvents/match/liveOutputs/record",
            "/properties/assetName",
        ),
        (
            "media/liveEvents/match/liveOutputs/record",
            "/properties/archiveWindowLength",
        ),
        ("fleet/devices/beam", "/metadata"),
        ("fleet/devices/beam", "/spec/availableNetworks"),
        ("fleet/devices/beam", "/spec/shortCode"),
        ("webhook/rules/hook", "/spec/url"),
        ("webhook/rules/hook", "/spec/enabled"),
        ("webhook/rules/hook", "/spec/events"),
        ("live/liveChannels/flow1", "/metadata/displayName"),
        ("live/liveChannels/flow1", "/spec/transform"),
        ("live/liveChannels/flow1", "/spec/inputs"),
        ("live/liveChannels/flow1", "/spec/outputs"),
        ("live/liveChannels/flow1", "/spec/state"),
        (
            "live/liveEvents/flow2/scheduledOperations/op",
            "/spec/startTime",
        ),
        (
            "live/liveEvents/flow2/scheduledOperations/op",
            "/spec/endTime",
        ),
        (
            "live/liveEvents/flow2/scheduledOperations/op",
            "/spec/correlationData",
        ),
    ] {
        let sample = samples::at(&all, path);
        let mut body = sample.body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let gone = body
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .and_then(|fields| fields.shift_remove(name));
        assert!(gone.is_some(), "{path} has no {pointer}");
        let refused = caller.put(&format!("{path}9"), body).await;
        assert_eq!(refused.status, 400, "{path} {pointer}: {}", refused.body);
        assert!(
            refused.detail().contains(name),
            "{path} {pointer}: {}",
            refused.detail()
        );
        caller.get(&format!("{path}9")).await.expect(404);
    }
    for sample in &all {
        let refused = caller
            .call(
                Method::PUT,
                &format!("{}9", sample.path.trim_end_matches('/')),
                None,
            )
            .await;
        assert!(
            [400, 404].contains(&refused.status),
            "{}: {}",
            sample.path,
            refused.body
        );
    }
}

#[tokio::test]
async fn every_operation_knows_who_calls_and_where() {
    let mut caller = Caller::start().await;
    let mut strangers = 0;
    for known in [true, false] {
        if !known {
            caller.token = "nonsense".to_owned();
        }
        for operation in served() {
            let mut path = operation
                .path
                .replace("{project_name}", if known { "nowhere" } else { "demo" });
            while let Some((before, after)) = path.split_once('{') {
                let rest = after.split_once('}').map_or("", |(_, rest)| rest);
                path = format!("{before}x{rest}");
            }
            let open = operation.path.starts_with("/.well-known/")
                || operation.path == "/api/ready"
                || (operation.api.is_device() && operation.path != "/api/channel-me/");
            let elsewhere =
                operation.in_project() && operation.path != "/api/v1/projects/{project_name}";
            let wanted = match (known, open, elsewhere) {
                (false, false, _) => 401,
                (true, _, true) => 404,
                _ => continue,
            };
            let response = caller.call(operation.method.clone(), &path, None).await;
            assert_eq!(
                response.status, wanted,
                "{} {path}: {}",
                operation.method, response.body
            );
            if wanted == 404 {
                assert!(
                    response.detail().contains("project named 'nowhere'"),
                    "{}",
                    response.detail()
                );
            }
            strangers += 1;
        }
    }
    assert!(strangers > 400, "{strangers}");
}

#[tokio::test]
async fn limits_that_the_documents_tell_in_words_hold() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    let body = |path: &str| samples::at(&all, path).body.clone();
    let range = |range: Value| json!({ "properties": { "presentationTimeRange": range } });
    let event = |pointer: &str, value: Value| {
        let mut event = body("media/liveEvents/match");
        *event.pointer_mut(pointer).expect("a field") = value;
        event
    };
    let window = |length: &str| json!({ "properties": { "assetName": "spare", "archiveWindowLength": length } });
    let archive = |length: &str| {
        let mut flow = body("live/liveEvents/flow2");
        flow["spec"]["transform"]["archiveWindowLength"] = json!(length);
        flow
    };
    caller.asset("spare").await;
    for (path, body, named) in [
        (
            "media/accountFilters/f",
            range(json!({ "liveBackoffDuration": 3_000_000_001_u64 })),
            Some("liveBackoffDuration"),
        ),
        (
            "media/accountFilters/f",
            range(json!({ "liveBackoffDuration": 300, "timescale": 1 })),
            None,
        ),
        (
            "media/accountFilters/f",
            range(json!({ "liveBackoffDuration": 301, "timescale": 1 })),
            Some("liveBackoffDuration"),
        ),
        (
            "media/assets/film/assetFilters/f",
            range(json!({ "presentationWindowDuration": 9, "timescale": 1 })),
            Some("presentationWindowDuration"),
        ),
        (
            "media/assets/film/assetFilters/f",
            range(json!({ "presentationWindowDuration": 100_000_000 })),
            None,
        ),
        (
            "media/transforms/two",
            json!({ "properties": { "outputs": [] } }),
            Some("outputs"),
        ),
        (
            "media/transforms/encode/jobs/none",
            json!({ "properties": { "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "film" }, "outputs": [] } }),
            Some("outputs"),
        ),
        (
            "media/liveEvents/srt",
            event("/properties/input/streamingProtocol", json!("SRT")),
            Some("streamingProtocol"),
        ),
        (
            "media/liveEvents/keys",
            event(
                "/properties/encoding",
                json!({ "encodingType": "Standard", "keyFrameInterval": "PT11S" }),
            ),
            Some("keyFrameInterval"),
        ),
        (
            "media/liveEvents/keys",
            event(
                "/properties/encoding",
                json!({ "encodingType": "Standard", "keyFrameInterval": "PT10S" }),
            ),
            None,
        ),
        (
            "media/liveEvents/match/liveOutputs/short",
            window("PT59S"),
            Some("archiveWindowLength"),
        ),
        (
            "media/liveEvents/match/liveOutputs/long",
            window("P7DT1S"),
            Some("archiveWindowLength"),
        ),
        (
            "live/liveEvents/odd",
            archive("P7D"),
            Some("archiveWindowLength"),
        ),
        (
            "media/liveEvents/match/liveOutputs/week",
            window("P7DT0S"),
            None,
        ),
        (
            "live/liveEvents/month",
            archive("P31DT0S"),
            Some("archiveWindowLength"),
        ),
        ("live/liveEvents/month", archive("P30DT0S"), None),
        (
            "media/streamingEndpoints/cache",
            json!({ "location": "eastus", "properties": { "scaleUnits": 0, "maxCacheAge": 2_592_001 } }),
            Some("maxCacheAge"),
        ),
    ] {
        let response = caller.put(path, body).await;
        match named {
            Some(named) => {
                assert!(
                    [400, 422].contains(&response.status),
                    "{path}: {}",
                    response.body
                );
                assert!(
                    response.detail().contains(named),
                    "{path}: {}",
                    response.detail()
                );
            }
            None => assert!(
                [200, 201].contains(&response.status),
                "{path}: {}",
                response.body
            ),
        }
    }
}
