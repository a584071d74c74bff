//! References: deletions that are refused, and bodies that name missing resources.

use crate::common::Caller;
use crate::samples;
use serde_json::{Value, json};

/// A used resource, its user, and the status of the refusal. The user goes first; then the used can go.
const USES: &[(&str, &str, u16)] = &[
    ("media/storage/disk", "media/assets/film", 409),
    (
        "media/assets/film",
        "media/liveEvents/match/liveOutputs/record",
        409,
    ),
    ("media/content/news", "live/liveChannels/flow1", 409),
    ("media/destinations/target", "live/liveChannels/flow1", 409),
    ("media/sources/source", "live/liveChannels/reader", 409),
    ("live/liveEvents/flow2", "live/liveChannels/chained", 409),
    ("infra/networks/lan", "infra/sites/studio", 409),
    ("infra/networks/lan", "media/sources/source", 409),
    ("infra/networks/lan", "media/destinations/target", 409),
    ("infra/networks/lan", "fleet/devices/beam", 409),
    ("infra/sites/studio", "fleet/devices/beam", 409),
    ("infra/sites/studio", "live/liveChannels/flow1", 409),
    ("fleet/devices/beam", "live/liveChannels/flow1", 409),
    ("fleet/devices/beam", "media/sources/card", 409),
    (
        "media/contentKeyPolicies/keys",
        "media/streamingLocators/protected",
        409,
    ),
    (
        "media/contentKeyPolicies/keys",
        "media/streamingPolicies/closed",
        409,
    ),
    (
        "media/streamingPolicies/open",
        "media/streamingLocators/play",
        409,
    ),
    // No 409 is declared for filters.
    (
        "media/accountFilters/low",
        "media/streamingLocators/filtered",
        400,
    ),
    (
        "media/assets/film/assetFilters/sound",
        "media/streamingLocators/filtered",
        400,
    ),
];

/// Users beside the samples.
fn more() -> Vec<(&'static str, Value)> {
    let mut reader = samples::flow("LiveChannel");
    reader["spec"]["inputs"] = json!([{ "sourceName": "source", "transformInput": "main" }]);
    let mut chained = samples::flow("LiveChannel");
    chained["spec"]["inputs"] = json!([{ "flowName": "flow2", "transformInput": "main" }]);
    let locator = |policy: &str, more: Value| {
        let mut body =
            json!({ "properties": { "assetName": "film", "streamingPolicyName": policy } });
        for (name, value) in more.as_object().into_iter().flatten() {
            body["properties"][name] = value.clone();
        }
        body
    };
    vec![
        ("live/liveChannels/reader", reader),
        ("live/liveChannels/chained", chained),
        (
            "media/streamingPolicies/closed",
            json!({ "properties": {
            "defaultContentKeyPolicyName": "keys",
            "envelopeEncryption": { "enabledProtocols": { "dash": true, "hls": true, "smoothStreaming": false, "download": false } },
        } }),
        ),
        (
            "media/streamingLocators/protected",
            locator(
                "Predefined_ClearKey",
                json!({ "defaultContentKeyPolicyName": "keys" }),
            ),
        ),
        (
            "media/streamingLocators/filtered",
            locator(
                "Predefined_ClearStreamingOnly",
                json!({ "filters": ["low", "sound"] }),
            ),
        ),
        (
            "media/sources/card",
            json!({ "metadata": samples::shown(), "spec": { "transport": { "type": "SDI", "url": "sdi://beam/1/0" } } }),
        ),
    ]
}

/// A flow's scheduled operations are not what is asked about.
fn forced(path: &str) -> String {
    let force = if path.starts_with("live/") {
        "?$force=true"
    } else {
        ""
    };
    format!("{path}{force}")
}

async fn remove(caller: &Caller, path: &str) {
    let gone = caller.delete(&forced(path)).await;
    assert!([200, 204].contains(&gone.status), "{path}: {}", gone.body);
    caller.step(10);
}

#[tokio::test]
async fn what_is_used_stays_until_its_users_are_gone() {
    for (used, user, status) in USES {
        let caller = Caller::start().await;
        samples::make(&caller).await;
        for (path, body) in more() {
            caller.put(path, body).await.expect(201);
        }
        caller.step(10);
        // Every other user goes first, so that only this one is in the way.
        let others = USES
            .iter()
            .filter(|(other, ..)| other == used)
            .map(|(_, other, _)| *other)
            .filter(|other| other != user);
        let mut gone: Vec<&str> = others.collect();
        let users_of = |path: &str| match path {
            // What keeps a user from going, or uses the same thing another way.
            "media/content/news"
            | "media/destinations/target"
            | "infra/sites/studio"
            | "fleet/devices/beam" => {
                vec![
                    "media/sources/card",
                    "live/liveChannels/chained",
                    "live/liveChannels/reader",
                    "live/liveEvents/flow2",
                    "live/staticMultiviewChannels/flow3",
                    "live/staticMultiviewEvents/flow4",
                ]
            }
            "infra/networks/lan" => vec![
                "live/liveChannels/chained",
                "live/liveChannels/reader",
                "live/liveChannels/flow1",
                "live/liveEvents/flow2",
                "live/staticMultiviewChannels/flow3",
                "live/staticMultiviewEvents/flow4",
                "media/sources/card",
            ],
            "media/storage/disk" => vec!["media/liveEvents/match/liveOutputs/record"],
            _ => vec![],
        };
        let mut first = users_of(used);
        first.retain(|path| path != user);
        if *used == "infra/networks/lan" && *user == "infra/sites/studio" {
            first.push("fleet/devices/beam");
        }
        gone.retain(|path| !first.contains(path));
        // A site goes after its device.
        gone.sort_by_key(|path| *path == "infra/sites/studio");
        if *user == "fleet/devices/beam" && *used == "infra/networks/lan" {
            // The site leads to another network instead.
            gone.retain(|path| *path != "infra/sites/studio");
            caller
                .patch("infra/sites/studio", json!({ "spec": { "routes": [] } }))
                .await
                .expect(200);
        }
        if *used == "infra/sites/studio" && user.starts_with("live/") {
            // A device does not go while it runs a flow, but it can move.
            gone.clear();
            caller
                .patch(
                    "fleet/devices/beam",
                    json!({ "spec": { "siteName": "world" } }),
                )
                .await
                .expect(200);
        }
        for path in first.into_iter().chain(gone) {
            remove(&caller, path).await;
        }
        let refused = caller.delete(&forced(used)).await;
        assert_eq!(
            refused.status, *status,
            "{used} used by {user}: {}",
            refused.body
        );
        let name = user.rsplit('/').next().unwrap_or_default();
        assert!(
            refused.detail().contains(name),
            "{used} used by {user}: {}",
            refused.detail()
        );
        caller.get(used).await.expect(200);
        remove(&caller, user).await;
        remove(&caller, used).await;
        caller.get(used).await.expect(404);
    }
}

/// Fields that name another resource: the sample, the field, and the statuses that may refuse it.
const NAMES: &[(&str, &str)] = &[
    ("media/assets/film", "/properties/storageAccountName"),
    ("media/sources/source", "/spec/contentName"),
    ("media/sources/source", "/spec/networkName"),
    ("media/destinations/target", "/spec/networkName"),
    ("media/streamingLocators/play", "/properties/assetName"),
    (
        "media/streamingLocators/play",
        "/properties/streamingPolicyName",
    ),
    (
        "media/streamingLocators/play",
        "/properties/defaultContentKeyPolicyName",
    ),
    (
        "media/streamingPolicies/open",
        "/properties/defaultContentKeyPolicyName",
    ),
    (
        "media/transforms/encode/jobs/job",
        "/properties/input/assetName",
    ),
    (
        "media/liveEvents/match/liveOutputs/record",
        "/properties/assetName",
    ),
    ("infra/sites/studio", "/spec/routes/0/networkName"),
    ("fleet/devices/beam", "/spec/siteName"),
    (
        "fleet/devices/beam",
        "/spec/availableNetworks/0/networkName",
    ),
    ("live/liveChannels/flow1", "/spec/siteName"),
    ("live/liveChannels/flow1", "/spec/inputs/0/contentName"),
    ("live/liveChannels/flow1", "/spec/outputs/0/destinationName"),
    ("live/liveEvents/flow2", "/spec/transform/assetName"),
    (
        "live/liveEvents/flow2",
        "/spec/transform/encodingLive/configRef/name",
    ),
    (
        "live/staticMultiviewEvents/flow4",
        "/spec/transform/encodingLive/configRef/version",
    ),
];

#[tokio::test]
async fn a_body_that_names_what_does_not_exist_is_refused_with_the_field() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    for (path, pointer) in NAMES {
        let sample = samples::at(&all, path);
        let mut body = sample.body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("a parent")[name] = json!("nowhere");
        if *path == "media/assets/film" {
            body["properties"]["container"] = json!("another");
        }
        if path.contains("/devices/") {
            body["spec"]["shortCode"] = json!("efgh5678");
        }
        let refused = caller.put(&format!("{path}9"), body).await.expect(400);
        let field = pointer.trim_start_matches('/').replace('/', ".");
        let field = field
            .strip_suffix(".name")
            .or_else(|| field.strip_suffix(".version"))
            .unwrap_or(&field);
        assert!(
            refused.detail().contains(field),
            "{path} {pointer}: {}",
            refused.detail()
        );
        assert!(
            refused.detail().contains("nowhere"),
            "{path} {pointer}: {}",
            refused.detail()
        );
        caller.get(&format!("{path}9")).await.expect(404);
    }
    // A parent that does not exist is a 404.
    for sample in &all {
        for (parent, name) in [
            ("/assets/film/", "assets"),
            ("/transforms/encode/", "transforms"),
            ("media/liveEvents/match/", "liveEvents"),
            ("/liveChannels/flow1/", "liveChannels"),
        ] {
            if sample.path.contains(parent) {
                let known = parent.rsplit('/').nth(1).unwrap_or_default();
                let path = sample
                    .path
                    .replace(&format!("{name}/{known}/"), &format!("{name}/nowhere/"));
                let refused = caller.put(&path, sample.body.clone()).await.expect(404);
                assert!(refused.detail().contains("nowhere"), "{}", refused.detail());
                let list = path.rsplit_once('/').map_or("", |(list, _)| list);
                caller.get(list).await.expect(404);
            }
        }
    }
}

#[tokio::test]
async fn the_content_of_a_source_cannot_change_while_a_flow_runs() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let mut reader = samples::flow("LiveEvent");
    reader["spec"]["inputs"] = json!([{ "sourceName": "source", "transformInput": "main" }]);
    reader["spec"]["state"] = json!("Running");
    caller
        .put("live/liveEvents/reader", reader)
        .await
        .expect(201);
    caller.step(60);
    let detach = json!({ "spec": { "contentName": null } });
    let refused = caller
        .patch("media/sources/source", detach.clone())
        .await
        .expect(409);
    assert!(refused.detail().contains("reader"), "{}", refused.detail());
    // Anything else may change.
    caller
        .patch(
            "media/sources/source",
            json!({ "spec": { "transport": { "passPhrase": "a new phrase" } } }),
        )
        .await
        .expect(200);
    caller
        .patch(
            "live/liveEvents/reader",
            json!({ "spec": { "state": "Stopped" } }),
        )
        .await
        .expect(200);
    caller.step(10);
    let detached = caller
        .patch("media/sources/source", detach)
        .await
        .expect(200);
    assert_eq!(detached.body["spec"].get("contentName"), None);
}

#[tokio::test]
async fn what_belongs_to_the_system_can_be_changed_and_not_deleted() {
    let caller = Caller::start().await;
    for path in [
        "infra/networks/world",
        "infra/networks/local",
        "infra/sites/cloud",
        "infra/sites/world",
    ] {
        assert_eq!(
            caller.get(path).await.expect(200).text("/status/owner"),
            "System"
        );
        caller
            .patch(path, json!({ "metadata": { "displayName": "Mine" } }))
            .await
            .expect(200);
        caller.delete(path).await.expect(409);
    }
    assert_eq!(
        caller
            .get("infra/networks/local")
            .await
            .text("/status/scope"),
        "Local"
    );
    assert_eq!(
        caller
            .get("infra/networks/world")
            .await
            .text("/status/scope"),
        "Connecting"
    );
    for policy in [
        "Predefined_ClearStreamingOnly",
        "Predefined_DownloadOnly",
        "Predefined_DownloadAndClearStreaming",
        "Predefined_ClearKey",
        "Predefined_MultiDrmCencStreaming",
        "Predefined_MultiDrmStreaming",
    ] {
        let shown = caller
            .get(&format!("media/streamingPolicies/{policy}"))
            .await
            .expect(200);
        caller
            .put(
                &format!("media/streamingPolicies/{policy}"),
                json!({ "properties": shown.body["properties"] }),
            )
            .await
            .expect(400);
        caller
            .delete(&format!("media/streamingPolicies/{policy}"))
            .await
            .expect(409);
    }
    let listed = caller.get("media/streamingPolicies").await.expect(200);
    assert_eq!(listed.body["supplemental"]["count"], 6);
}
