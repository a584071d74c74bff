//! The effect of PUT on each field: changed, kept, refused.

use serde_json::{Value, json};

use crate::common::Caller;
use crate::samples;

/// Fields that a second PUT cannot change: sample, field, another value.
fn frozen() -> Vec<(&'static str, &'static str, Value)> {
    let asset = "media/assets/film";
    let locator = "media/streamingLocators/play";
    vec![
        (asset, "/properties/storageAccountName", json!("storage1")),
        (asset, "/properties/container", json!("another")),
        (asset, "/properties/subPath", json!("another")),
        (asset, "/properties/alternateId", json!("another")),
        (locator, "/properties/assetName", json!("spare")),
        (
            locator,
            "/properties/streamingPolicyName",
            json!("Predefined_ClearStreamingOnly"),
        ),
        (
            locator,
            "/properties/defaultContentKeyPolicyName",
            json!("keys"),
        ),
        (locator, "/properties/streamingLocatorId", json!("another")),
        (locator, "/properties/alternativeMediaId", json!("another")),
        (locator, "/properties/contentId", json!("another")),
        (
            locator,
            "/properties/defaultManifestFilename",
            json!("another.mpd"),
        ),
        (locator, "/properties/filters", json!(["low"])),
        (
            "media/storage/disk",
            "/spec/url",
            json!("https://other.example.com"),
        ),
    ]
}

#[tokio::test]
async fn what_put_cannot_change_is_refused_and_kept_when_left_out() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    caller.asset("spare").await;
    caller.step(5);
    for (path, pointer, other) in frozen() {
        let before = caller.get(path).await.expect(200).body;
        let sample = samples::at(&all, path);
        let mut body = sample.body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("a parent")[name] = other;
        let refused = caller.put(path, body.clone()).await.expect(400);
        let field = pointer.trim_start_matches('/').replace('/', ".");
        assert!(
            refused.detail().contains(&field),
            "{path}: {}",
            refused.detail()
        );
        assert_eq!(caller.get(path).await.body, before, "{path} {pointer}");
        // Fields that the document demands cannot be left out.
        if let Some(fields) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.shift_remove(name);
        }
        let response = caller.put(path, body).await;
        if response.status == 200 {
            assert_eq!(
                response.body.pointer(pointer),
                before.pointer(pointer),
                "{path} {pointer}"
            );
            caller.step(5);
        } else {
            assert!(
                response.expect(400).detail().contains("required"),
                "{path} {pointer}"
            );
        }
    }
    let other_type = json!({ "spec": { "type": "AWS.S3", "bucketName": "bucket", "credential": { "accessKeyId": "AKIA0000000000000000", "secretAccessKey": "x".repeat(40) } } });
    assert!(
        caller
            .put("media/storage/disk", other_type)
            .await
            .expect(400)
            .detail()
            .contains("spec.type")
    );
    // Other fields change.
    for (path, pointer, value) in [
        (
            "media/assets/film",
            "/properties/description",
            json!("another"),
        ),
        (
            "media/assets/film",
            "/properties/containerDeletionPolicy",
            json!("Delete"),
        ),
        (
            "media/streamingLocators/play",
            "/properties/startTime",
            json!("2025-01-01T00:00:00Z"),
        ),
        (
            "media/streamingLocators/play",
            "/properties/endTime",
            json!("2998-01-01T00:00:00Z"),
        ),
        (
            "media/streamingLocators/play",
            "/properties/suppressed",
            json!(true),
        ),
        ("media/storage/disk", "/spec/description", json!("another")),
    ] {
        let sample = samples::at(&all, path);
        let mut body = sample.body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("a parent")[name] = value.clone();
        let changed = caller.put(path, body).await.expect(200);
        assert_eq!(changed.body.pointer(pointer), Some(&value), "{path}");
        caller.step(5);
    }
}

#[tokio::test]
async fn a_replaced_resource_forgets_what_is_left_out() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    let body = |path: &str| samples::at(&all, path).body.clone();
    let mut filter = body("media/accountFilters/low");
    filter["properties"]["tracks"] = json!([{ "trackSelections": [{ "property": "Type", "operation": "Equal", "value": "Audio" }] }]);
    caller
        .put("media/accountFilters/low", filter)
        .await
        .expect(200);
    let replaced = caller
        .put("media/accountFilters/low", body("media/accountFilters/low"))
        .await
        .expect(200);
    assert_eq!(replaced.body["properties"].get("tracks"), None);
    let mut hook = body("webhook/rules/hook");
    hook["spec"]["headers"] = json!({ "x-a": "b" });
    caller.put("webhook/rules/hook", hook).await.expect(200);
    let replaced = caller
        .put("webhook/rules/hook", body("webhook/rules/hook"))
        .await
        .expect(200);
    assert_eq!(replaced.body["spec"].get("headers"), None);
    let users = caller.get("/api/v1/organization/users").await.expect(200);
    let mut team = body("/api/v1/organization/teams/ops");
    team["spec"]["members"] =
        json!({ users.text("/value/1/metadata/id"): { "isTeamAdmin": true } });
    caller
        .put("/api/v1/organization/teams/ops", team)
        .await
        .expect(200);
    let replaced = caller
        .put(
            "/api/v1/organization/teams/ops",
            body("/api/v1/organization/teams/ops"),
        )
        .await
        .expect(200);
    assert_eq!(replaced.body["spec"]["members"], json!({}));
    let flow = "live/liveChannels/flow1";
    let mut without = body(flow);
    without["metadata"] = json!({ "displayName": "Shown" });
    assert_eq!(
        caller.put(flow, without).await.expect(200).body["metadata"].get("labels"),
        None
    );
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    caller.step(10);
    for sample in &all {
        let read = caller.get(sample.path).await.expect(200).body;
        if sample.put.again() == 200 {
            let again = caller.put(sample.path, read.clone()).await;
            assert_eq!(again.status, 200, "PUT {}: {}", sample.path, again.body);
        }
        caller.step(10);
        // The document lets a change of storage hold nothing but `spec`.
        let whole = !sample.path.starts_with("media/storage/");
        if whole && sample.patch.as_ref().is_some_and(Value::is_object) {
            let again = caller.patch(sample.path, read.clone()).await;
            assert_eq!(again.status, 200, "PATCH {}: {}", sample.path, again.body);
        }
        caller.step(10);
        let mut after = caller.get(sample.path).await.expect(200).body;
        // A write changes the time of the last change.
        let mut before = read;
        for body in [&mut before, &mut after] {
            for pointer in [
                "/properties/lastModified",
                "/systemData/lastModifiedAt",
                "/metadata/updated",
                "/status/lastContact",
            ] {
                if let Some(time) = body.pointer_mut(pointer) {
                    *time = Value::Null;
                }
            }
            if let Some(Value::Object(properties)) = body.pointer_mut("/properties") {
                // A job goes on meanwhile.
                properties.retain(|name, _| {
                    !["outputs", "state", "startTime", "endTime"].contains(&name.as_str())
                });
            }
        }
        assert_eq!(before, after, "{}", sample.path);
    }
}

#[tokio::test]
async fn what_the_platform_sets_is_not_the_callers() {
    let caller = Caller::start().await;
    let all = samples::all(&caller);
    for sample in &all {
        let mut body = sample.body.clone();
        let forged = "00000000-0000-4000-8000-0000000000ff";
        for (pointer, value) in [
            ("/id", json!(forged)),
            ("/type", json!("forged")),
            ("/kind", json!("forged")),
            (
                "/systemData",
                json!({ "createdBy": "forged", "createdAt": "1999-01-01T00:00:00Z" }),
            ),
            ("/status", json!({ "state": "forged", "shortId": "forged" })),
            ("/properties/created", json!("1999-01-01T00:00:00Z")),
            ("/properties/lastModified", json!("1999-01-01T00:00:00Z")),
            ("/properties/assetId", json!(forged)),
            ("/properties/policyId", json!(forged)),
            ("/properties/hostName", json!("forged")),
            ("/metadata/id", json!(forged)),
            ("/metadata/created", json!("1999-01-01T00:00:00Z")),
            ("/metadata/createdByEmail", json!("forged")),
            ("/metadata/hash", json!("forged")),
        ] {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            // The device checks `kind` and has no other such fields.
            if sample.path.starts_with("/api/channels/") {
                continue;
            }
            if let Some(Value::Object(fields)) = body.pointer_mut(parent) {
                fields.insert(name.to_owned(), value);
            }
        }
        let made = caller.put(sample.path, body).await;
        assert_eq!(
            made.status,
            sample.put.first(),
            "{}: {}",
            sample.path,
            made.body
        );
        let text = caller.get(sample.path).await.expect(200).body.to_string();
        for forged in ["forged", "1999-01-01", forged] {
            assert!(
                !text.contains(forged),
                "{} tells {forged}: {text}",
                sample.path
            );
        }
    }
}
