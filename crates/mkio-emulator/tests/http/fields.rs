//! Fields: which may change, which the platform alone sets, which never come back.

use crate::common::Caller;
use crate::samples;
use reqwest::Method;
use serde_json::{Value, json};

/// What a second PUT cannot change: sample, field, another value.
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
        let answer = caller.put(path, body).await;
        if answer.status == 200 {
            assert_eq!(
                answer.body.pointer(pointer),
                before.pointer(pointer),
                "{path} {pointer}"
            );
            caller.step(5);
        } else {
            assert!(
                answer.expect(400).detail().contains("required"),
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
    // What may change does.
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

/// Types of transport and, for each field of a source's PATCH, whether it can change there.
const SCOPE: &[(&str, Option<&str>, &[&str])] = &[
    (
        "SRTCaller",
        Some("srt://127.0.0.1:1"),
        &["passPhrase", "url"],
    ),
    ("SRTListener", None, &["passPhrase", "allowList"]),
    (
        "HLSPullInput",
        Some("https://127.0.0.1/a.m3u8"),
        &["url", "user", "password"],
    ),
    ("UDP", Some("udp://239.0.0.1:1"), &[]),
    ("SDI", Some("sdi://localhost/1/0"), &[]),
];

#[tokio::test]
async fn a_source_changes_as_its_transport_allows() {
    let caller = Caller::start().await;
    caller
        .put(
            "media/content/news",
            json!({ "metadata": samples::shown() }),
        )
        .await
        .expect(201);
    for (kind, url, allowed) in SCOPE {
        let path = format!("media/sources/{}", kind.to_lowercase());
        let mut transport = json!({ "type": kind });
        if let Some(url) = url {
            transport["url"] = json!(url);
        }
        caller
            .put(
                &path,
                json!({ "metadata": samples::shown(), "spec": { "transport": transport } }),
            )
            .await
            .expect(201);
        for (field, value) in [
            ("passPhrase", json!("a new phrase")),
            ("allowList", json!(["192.0.2.1"])),
            ("url", json!("srt://127.0.0.1:9")),
            ("user", json!("me")),
            ("password", json!("a new word")),
        ] {
            let answer = caller
                .patch(&path, json!({ "spec": { "transport": { field: value } } }))
                .await;
            let wanted = if allowed.contains(&field) { 200 } else { 400 };
            assert_eq!(answer.status, wanted, "{kind} {field}: {}", answer.body);
            if wanted == 400 {
                assert!(
                    answer.detail().contains(&format!("spec.transport.{field}")),
                    "{}",
                    answer.detail()
                );
            } else {
                assert_eq!(answer.body["spec"]["transport"][field], value, "{kind}");
            }
        }
        // The content can change for every type, and null takes it away.
        let attached = caller
            .patch(&path, json!({ "spec": { "contentName": "news" } }))
            .await
            .expect(200);
        assert_eq!(attached.text("/spec/contentName"), "news");
        let detached = caller
            .patch(&path, json!({ "spec": { "contentName": null } }))
            .await
            .expect(200);
        assert_eq!(detached.body["spec"].get("contentName"), None);
        let renamed = caller
            .patch(&path, json!({ "metadata": { "displayName": "Other" } }))
            .await
            .expect(200);
        assert_eq!(
            renamed.body["metadata"]["labels"],
            json!({ "studio": "north" })
        );
    }
}

#[tokio::test]
async fn patch_changes_what_it_may_and_refuses_the_rest() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    caller.step(5);
    for (path, change, named) in [
        (
            "media/streamingEndpoints/front",
            json!({ "properties": { "cdnProvider": "StandardAkamai" } }),
            "cdnProvider",
        ),
        (
            "media/transforms/encode/jobs/job",
            json!({ "properties": { "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "other" } } }),
            "input.assetName",
        ),
        (
            "media/transforms/encode/jobs/job",
            json!({ "properties": { "outputs": [] } }),
            "outputs",
        ),
        (
            "live/liveChannels/flow1",
            json!({ "spec": { "transform": { "type": "LiveEvent" } } }),
            "transform.type",
        ),
        (
            "infra/sites/studio",
            json!({ "spec": { "routes": [{ "networkName": "none" }] } }),
            "routes.0.networkName",
        ),
    ] {
        let before = caller.get(path).await.body;
        let refused = caller.patch(path, change).await.expect(400);
        assert!(
            refused.detail().contains(named),
            "{path}: {}",
            refused.detail()
        );
        assert_eq!(caller.get(path).await.body, before, "{path}");
    }
    let job = caller
        .patch("media/transforms/encode/jobs/job", json!({ "properties": { "description": "d", "priority": "Low", "correlationData": { "k": [1] } } }))
        .await
        .expect(200);
    assert_eq!(
        (
            &job.body["properties"]["description"],
            &job.body["properties"]["priority"],
            &job.body["properties"]["correlationData"]
        ),
        (&json!("d"), &json!("Low"), &json!({ "k": [1] }))
    );
    let endpoint = caller
        .patch("media/streamingEndpoints/front", json!({ "location": "westeurope", "tags": { "a": "b" }, "properties": { "cdnEnabled": true } }))
        .await
        .expect(200);
    assert_eq!(
        (
            endpoint.text("/location"),
            endpoint.body["properties"]["cdnEnabled"].clone()
        ),
        ("westeurope".to_owned(), json!(true))
    );
    assert_eq!(endpoint.body["properties"]["scaleUnits"], 1);
    // Routes are replaced whole.
    let site = caller
        .patch(
            "infra/sites/studio",
            json!({ "spec": { "routes": [{ "networkName": "world" }] } }),
        )
        .await
        .expect(200);
    assert_eq!(
        site.body["spec"]["routes"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(site.text("/metadata/displayName"), "Shown");
    // Unknown keys do nothing on a Beam channel, and only two fields change.
    let channel = caller
        .patch(
            "/api/channels/one/",
            json!({ "state": "Running", "spec": { "inputs": [] } }),
        )
        .await;
    assert_eq!(
        caller.get("/api/channels/one/").await.body["spec"]["inputs"]
            .as_array()
            .map(Vec::len),
        Some(1),
        "{}",
        channel.body
    );
    assert_eq!(
        caller.get("/api/channels/one/").await.text("/spec/state"),
        "Stopped"
    );
}

/// A JSON Patch on a live event.
async fn json_patch(caller: &Caller, patch: Value) -> crate::common::Answer {
    let url = format!(
        "{}/api/v1/projects/demo/media/liveEvents/match",
        caller.emulator.base_url()
    );
    let request = caller.http.patch(url).bearer_auth(&caller.token);
    let request = request
        .header("content-type", "application/json-patch+json")
        .body(patch.to_string());
    crate::common::checked(&Method::PATCH, request.send().await.expect("an answer")).await
}

#[tokio::test]
async fn json_patches_apply_whole_or_not_at_all() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let set = json!({ "properties": { "pipeline": { "name": "Predefined_Transcribe", "arguments": {
        "scale": [{ "name": "size", "value": "50" }, { "name": "text", "value": "50 of 50" }],
    } } } });
    caller
        .patch("media/liveEvents/match", set)
        .await
        .expect(200);
    let pipeline = async || {
        caller.get("media/liveEvents/match").await.expect(200).body["properties"]["pipeline"]
            .clone()
    };
    let before = pipeline().await;
    for (patch, named) in [
        (
            json!([{ "op": "replace", "path": "/properties/pipeline/none", "value": 1 }]),
            "/properties/pipeline/none",
        ),
        (
            json!([{ "op": "remove", "path": "/properties/pipeline/none" }]),
            "/properties/pipeline/none",
        ),
        (
            json!([{ "op": "replace", "path": "/properties/pipeline/name" }]),
            "value",
        ),
        (
            json!([{ "op": "stringReplace", "path": "/properties/pipeline/name", "value": "x" }]),
            "search",
        ),
        (
            json!([{ "op": "numberReplace", "path": "/properties/pipeline/name", "search": "x", "value": "y" }]),
            "number",
        ),
        (
            json!([{ "op": "move", "path": "/properties/pipeline/name" }]),
            "op",
        ),
        (
            json!([{ "op": "add", "path": "nowhere", "value": 1 }]),
            "nowhere",
        ),
        (
            json!([{ "op": "add", "path": "/tags/a", "value": "b" }]),
            "tags",
        ),
        (
            json!([{ "op": "replace", "path": "/properties/useStaticHostname", "value": true }]),
            "useStaticHostname",
        ),
        (
            json!([{ "op": "replace", "path": "/properties/pipeline/name", "value": "y" }, { "op": "remove", "path": "/properties/pipeline/none" }]),
            "1",
        ),
    ] {
        let refused = json_patch(&caller, patch.clone()).await.expect(400);
        assert!(
            refused.detail().contains(named),
            "{patch}: {}",
            refused.detail()
        );
        assert_eq!(pipeline().await, before, "{patch}");
    }
    let patch = json!([{ "op": "stringReplace", "path": "/properties/pipeline/name", "search": "Predefined_", "value": "My" }]);
    json_patch(&caller, patch).await.expect(200);
    assert_eq!(pipeline().await["name"], "MyTranscribe");
    // A number comes of what is the whole value, and of nothing else.
    let patch = json!([{ "op": "numberReplace", "path": "/properties/pipeline/arguments", "search": "50", "value": "75" }]);
    json_patch(&caller, patch).await.expect(200);
    assert_eq!(
        pipeline().await["arguments"]["scale"],
        json!([{ "name": "size", "value": 75 }, { "name": "text", "value": "50 of 50" }])
    );
}

#[tokio::test]
async fn teams_are_changed_member_by_member() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let path = "/api/v1/organization/teams/ops";
    let user = caller
        .get("/api/v1/organization/users")
        .await
        .text("/value/1/metadata/id");
    let spec =
        async |patch: Value| caller.patch(path, patch).await.expect(200).body["spec"].clone();
    let added = spec(json!([{ "op": "add", "path": format!("/spec/members/{user}"), "value": { "isTeamAdmin": false } }])).await;
    assert_eq!(added["members"][&user]["isTeamAdmin"], false);
    let promoted = spec(json!([{ "op": "replace", "path": format!("/spec/members/{user}/isTeamAdmin"), "value": true }])).await;
    assert_eq!(promoted["members"][&user]["isTeamAdmin"], true);
    let roles = spec(json!([
        { "op": "add", "path": "/spec/scopes/Organization", "value": { "roles": ["Reader"] } },
        { "op": "add", "path": "/spec/scopes/Organization/roles/-", "value": "Owner" },
        { "op": "remove", "path": "/spec/scopes/Organization/roles/Reader" },
    ]))
    .await;
    assert_eq!(roles["scopes"]["Organization"]["roles"], json!(["Owner"]));
    let gone = spec(json!([{ "op": "remove", "path": "/spec/scopes/Organization" }, { "op": "remove", "path": format!("/spec/members/{user}") }])).await;
    assert_eq!(
        (gone["scopes"].clone(), gone["members"].clone()),
        (json!({}), json!({}))
    );
    for patch in [
        json!([{ "op": "add", "path": "/spec/members/none", "value": { "isTeamAdmin": false } }]),
        json!([{ "op": "add", "path": "/spec/scopes/Nowhere", "value": { "roles": [] } }]),
        json!([{ "op": "add", "path": "/spec/scopes/Organization", "value": { "roles": ["King"] } }]),
        json!([{ "op": "remove", "path": "/spec/scopes/Organization/roles/Reader" }]),
    ] {
        caller.patch(path, patch).await.expect(400);
    }
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

const SECRET: &str = "c2VjcmV0LWNhbmFyeS1zZWNyZXQtY2FuYXJ5LTEyMzQ1";

#[tokio::test]
async fn secrets_never_come_back() {
    let caller = Caller::start().await;
    let secret = SECRET.get(..40).expect("forty characters");
    let policy = |configuration: Value, restriction: Value| json!({ "properties": { "options": [{ "configuration": configuration, "restriction": restriction }] } });
    let token = |key: Value| {
        json!({
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction", "issuer": "i", "audience": "a", "restrictionTokenType": "Jwt",
            "primaryVerificationKey": key, "alternateVerificationKeys": [key],
        })
    };
    let symmetric = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", "keyValue": SECRET });
    let clear = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" });
    let fair = json!({
        "@odata.type": "#Microsoft.Media.ContentKeyPolicyFairPlayConfiguration", "ask": SECRET, "fairPlayPfx": SECRET, "fairPlayPfxPassword": SECRET,
        "rentalAndLeaseKeyType": "Undefined", "rentalDuration": 0,
    });
    let open = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" });
    for (path, body) in [
        (
            "media/storage/azure",
            json!({ "spec": { "type": "Microsoft.Storage", "url": "https://a.example.com", "credential": { "sasToken": format!("?sv=1&sig={secret}") } } }),
        ),
        (
            "media/storage/aws",
            json!({ "spec": { "type": "AWS.S3", "bucketName": "bucket", "credential": { "accessKeyId": "AKIA0000000000000000", "secretAccessKey": secret } } }),
        ),
        (
            "media/storage/google",
            json!({ "spec": { "type": "Google.Storage", "bucketName": "bucket", "credential": { "gac": {
            "type": "service_account", "project_id": "p", "private_key_id": secret, "private_key": secret, "client_email": "a@example.com", "client_id": "1",
            "auth_uri": "https://a.example.com", "token_uri": "https://a.example.com", "auth_provider_x509_cert_url": "https://a.example.com",
            "client_x509_cert_url": "https://a.example.com", "universe_domain": "example.com",
        } } } }),
        ),
        (
            "media/contentKeyPolicies/clear",
            policy(clear, token(symmetric)),
        ),
        ("media/contentKeyPolicies/fair", policy(fair, open)),
        (
            "webhook/rules/hook",
            json!({ "spec": {
            "url": "http://127.0.0.1:9/hook", "enabled": false, "events": ["MediaKind.JobFinished"],
            "authentication": { "headers": { "x-secret": SECRET }, "queryParams": { "key": SECRET } },
        } }),
        ),
    ] {
        let made = caller.put(path, body.clone()).await.expect(201);
        let mut told = vec![made.body, caller.get(path).await.expect(200).body];
        let collection = path
            .rsplit_once('/')
            .map_or("", |(collection, _)| collection);
        told.push(caller.get(collection).await.expect(200).body);
        if path.starts_with("media/storage/") {
            let credentials = format!("{path}/credentials");
            let listed = caller.get(&credentials).await.expect(200);
            let one = format!("{credentials}/{}", listed.text("/value/0/metadata/id"));
            told.push(caller.get(&one).await.expect(200).body);
            told.push(listed.body);
            let more = json!({ "spec": { "type": body["spec"]["type"], "credential": body["spec"]["credential"] } });
            told.push(caller.post(&credentials, more).await.expect(201).body);
        }
        if body.get("spec").is_some() {
            told.push(caller.put(path, body).await.expect(200).body);
        }
        for body in told {
            assert!(!body.to_string().contains(secret), "{path}: {body}");
        }
    }
    // Two operations tell keys because that is what they are for.
    for (policy, pointer) in [
        (
            "clear",
            "/options/0/restriction/primaryVerificationKey/keyValue",
        ),
        (
            "clear",
            "/options/0/restriction/alternateVerificationKeys/0/keyValue",
        ),
        ("fair", "/options/0/configuration/ask"),
        ("fair", "/options/0/configuration/fairPlayPfxPassword"),
    ] {
        let told = caller
            .post(
                &format!("media/contentKeyPolicies/{policy}/getPolicyPropertiesWithSecrets"),
                Value::Null,
            )
            .await
            .expect(200);
        assert_eq!(told.text(pointer), SECRET, "{policy}");
    }
}

/// What no PATCH of the documents declares although the resource has it: the change, and the field that the refusal names.
#[tokio::test]
async fn patch_refuses_what_it_could_only_pass_over() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    caller.step(5);
    for (path, change, named) in [
        (
            "media/destinations/target",
            json!({ "spec": { "transport": { "type": "UDP", "url": "udp://127.0.0.1:1" } } }),
            "spec.transport.type",
        ),
        (
            "media/destinations/target",
            json!({ "spec": { "networkName": "world" } }),
            "spec.networkName",
        ),
        (
            "media/sources/source",
            json!({ "spec": { "transport": { "type": "SRTListener", "latency": 9 } } }),
            "spec.transport.latency",
        ),
        (
            "media/sources/source",
            json!({ "spec": { "transport": { "latency": 9 } } }),
            "spec.transport.latency",
        ),
        (
            "media/sources/source",
            json!({ "spec": { "transport": { "type": "RTMPListener" } } }),
            "spec.transport.type",
        ),
        (
            "media/liveEvents/match",
            json!({ "properties": { "description": "new" } }),
            "properties.description",
        ),
        (
            "media/liveEvents/match",
            json!({ "properties": { "useStaticHostname": true } }),
            "properties.useStaticHostname",
        ),
        (
            "live/liveChannels/flow1",
            json!({ "spec": { "siteName": null } }),
            "spec.siteName",
        ),
        (
            "/api/v1/projects/demo",
            json!({ "spec": { "locationName": "westus" } }),
            "spec.locationName",
        ),
    ] {
        let before = caller.get(path).await.expect(200).body;
        let refused = caller.patch(path, change).await.expect(400);
        assert!(
            refused.detail().contains(named),
            "{path}: {}",
            refused.detail()
        );
        assert_eq!(caller.get(path).await.body, before, "{path}");
    }
}

#[tokio::test]
async fn patch_takes_back_what_was_read_with_one_field_changed() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    caller.step(5);
    for (path, field, value) in [
        (
            "media/destinations/target",
            "/metadata/displayName",
            json!("New"),
        ),
        (
            "media/sources/source",
            "/metadata/displayName",
            json!("New"),
        ),
        (
            "media/sources/source",
            "/spec/transport/allowList",
            json!(["192.0.2.9"]),
        ),
        ("media/content/news", "/metadata/displayName", json!("New")),
        (
            "live/liveChannels/flow1",
            "/metadata/displayName",
            json!("New"),
        ),
        ("infra/sites/studio", "/metadata/displayName", json!("New")),
        (
            "/api/v1/projects/demo",
            "/metadata/displayName",
            json!("New"),
        ),
    ] {
        let mut body = caller.get(path).await.expect(200).body;
        // Fields that the platform keeps may be out of date by the time they come back, and a resource may not know others.
        for (at, stale) in [
            ("/metadata/updated", "2020-01-01T00:00:00Z"),
            ("/kind", "Other"),
        ] {
            if let Some(shown) = body.pointer_mut(at) {
                *shown = json!(stale);
            }
        }
        body["spec"]["ownField"] = json!(1);
        *body.pointer_mut(field).unwrap_or(&mut Value::Null) = value.clone();
        if body.pointer(field).is_none() {
            body["spec"]["transport"]["allowList"] = value.clone();
        }
        caller.patch(path, body).await.expect(200);
        let after = caller.get(path).await.body;
        assert_eq!(after.pointer(field), Some(&value), "{path} {field}");
    }
}
