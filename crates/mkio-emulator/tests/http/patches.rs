//! The effect of PATCH on each field, as JSON and as JSON Patch.

use serde_json::{Value, json};

use crate::common::Caller;
use crate::samples;

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
            let response = caller
                .patch(&path, json!({ "spec": { "transport": { field: value } } }))
                .await;
            let wanted = if allowed.contains(&field) { 200 } else { 400 };
            assert_eq!(response.status, wanted, "{kind} {field}: {}", response.body);
            if wanted == 400 {
                assert!(
                    response
                        .detail()
                        .contains(&format!("spec.transport.{field}")),
                    "{}",
                    response.detail()
                );
            } else {
                assert_eq!(response.body["spec"]["transport"][field], value, "{kind}");
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
        is_refused(&caller, path, change, named).await;
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

/// A change is refused with a 400 that names its field, and changes nothing.
async fn is_refused(caller: &Caller, path: &str, change: Value, named: &str) {
    let before = caller.get(path).await.expect(200).body;
    let refused = caller.patch(path, change).await.expect(400);
    let detail = refused.detail();
    assert!(detail.contains(named), "{path}: {detail}");
    assert_eq!(caller.get(path).await.body, before, "{path}");
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
        let refused = caller
            .json_patch("media/liveEvents/match", patch.clone())
            .await
            .expect(400);
        assert!(
            refused.detail().contains(named),
            "{patch}: {}",
            refused.detail()
        );
        assert_eq!(pipeline().await, before, "{patch}");
    }
    let patch = json!([{ "op": "stringReplace", "path": "/properties/pipeline/name", "search": "Predefined_", "value": "My" }]);
    caller
        .json_patch("media/liveEvents/match", patch)
        .await
        .expect(200);
    assert_eq!(pipeline().await["name"], "MyTranscribe");
    // Only a value that is a number as a whole becomes one.
    let patch = json!([{ "op": "numberReplace", "path": "/properties/pipeline/arguments", "search": "50", "value": "75" }]);
    caller
        .json_patch("media/liveEvents/match", patch)
        .await
        .expect(200);
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

/// Fields of a resource that no PATCH of the documents declares: the change, and the field that the refusal names.
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
        is_refused(&caller, path, change, named).await;
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
