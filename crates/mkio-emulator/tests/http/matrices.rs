//! The published matrices of PUT, PATCH and DELETE, for every kind of resource.

use crate::common::Caller;
use crate::samples::{self, Delete, Put};
use serde_json::json;

#[tokio::test]
async fn put_patch_and_delete_answer_as_their_matrices_say() {
    let caller = Caller::start().await;
    for sample in samples::all(&caller) {
        let path = sample.path;
        let said = |what: &str, response: crate::common::Response, wanted: u16| {
            assert_eq!(response.status, wanted, "{what} {path}: {}", response.body);
        };
        said("GET before", caller.get(path).await, 404);
        said(
            "DELETE before",
            caller.delete(path).await,
            sample.delete.absent(),
        );
        if let Some(patch) = &sample.patch {
            said("PATCH before", caller.patch(path, patch.clone()).await, 404);
        }
        said(
            "PUT",
            caller.put(path, sample.body.clone()).await,
            sample.put.first(),
        );
        // Far enough for every kind to come to rest, and not for the job to end.
        caller.step(10);
        said(
            "PUT again",
            caller.put(path, sample.body.clone()).await,
            sample.put.again(),
        );
        caller.step(10);
        if let Some(patch) = &sample.patch {
            said("PATCH", caller.patch(path, patch.clone()).await, 200);
        }
        caller.step(10);
        said("GET", caller.get(path).await, 200);
        let listed = caller.get(sample.collection()).await.expect(200);
        assert!(
            listed.body["value"]
                .as_array()
                .is_some_and(|items| !items.is_empty()),
            "{path}: {}",
            listed.body
        );
        if sample.state {
            let state = caller.get(&format!("{path}/state")).await.expect(200);
            assert_eq!(
                state.body["status"].as_object().map(|status| status.len()),
                Some(1),
                "{path}: {}",
                state.body
            );
        }
    }
    let mut all = samples::all(&caller);
    all.reverse();
    for sample in &all {
        let path = sample.path;
        let gone = caller.delete(path).await;
        assert_eq!(
            gone.status,
            sample.delete.first(),
            "DELETE {path}: {}",
            gone.body
        );
        let after = caller.get(path).await;
        if after.status == 200 {
            // It is seen on its way out, and nothing can be done with it any more.
            let state = caller.state(path).await;
            assert_eq!(state, "Deleting", "{path}");
            let again = caller.put(path, sample.body.clone()).await;
            assert_eq!(again.status, 409, "PUT of a deleted {path}: {}", again.body);
            if let Some(patch) = &sample.patch {
                let refused = caller.patch(path, patch.clone()).await;
                assert_eq!(
                    refused.status, 409,
                    "PATCH of a deleted {path}: {}",
                    refused.body
                );
            }
        }
        let again = caller.delete(path).await;
        assert_eq!(
            again.status,
            sample.delete.absent(),
            "second DELETE {path}: {}",
            again.body
        );
        caller.step(10);
        assert_eq!(caller.get(path).await.status, 404, "GET {path} after all");
    }
    // The name is free again, except for that of a live event.
    for sample in samples::all(&caller) {
        let again = caller.put(sample.path, sample.body.clone()).await;
        let wanted = match sample.path {
            "media/liveEvents/match" => 409,
            "media/liveEvents/match/liveOutputs/record" => 404,
            _ => sample.put.first(),
        };
        assert_eq!(again.status, wanted, "{}: {}", sample.path, again.body);
    }
}

#[tokio::test]
async fn a_project_is_made_once() {
    let caller = Caller::start().await;
    let payment = caller
        .get("paymentMethod")
        .await
        .expect(200)
        .text("/metadata/id");
    let body = json!({ "displayName": "Second", "locationName": "westeurope", "paymentMethodId": payment });
    caller
        .put("/api/v1/projects/second", body.clone())
        .await
        .expect(201);
    caller
        .put("/api/v1/projects/second", body.clone())
        .await
        .expect(409);
    for (field, wrong) in [
        ("locationName", "nowhere"),
        ("paymentMethodId", "00000000-0000-4000-8000-000000000000"),
    ] {
        let mut refused = body.clone();
        refused[field] = json!(wrong);
        let refused = caller
            .put("/api/v1/projects/third", refused)
            .await
            .expect(400);
        assert!(refused.detail().contains(field), "{}", refused.detail());
    }
    let changed = caller
        .patch(
            "/api/v1/projects/second",
            json!({ "metadata": { "displayName": "Renamed" }, "spec": { "isHidden": true } }),
        )
        .await
        .expect(200);
    assert_eq!(changed.text("/metadata/displayName"), "Renamed");
    // What is hidden is listed on demand only.
    for (query, count) in [("", 1), ("?show_hidden=true", 2)] {
        let listed = caller
            .get(&format!("/api/v1/projects{query}"))
            .await
            .expect(200);
        assert_eq!(
            listed.body["value"].as_array().map(Vec::len),
            Some(count),
            "{query}"
        );
    }
    caller
        .get("/api/v1/projects/second/media/streamingPolicies")
        .await
        .expect(200);
}

/// Names that a kind takes and does not take.
const NAMES: &[(&str, &[&str], &[&str])] = &[
    (
        "arm",
        &["A b.c~d-e_f", "ä", "1"],
        &[
            "a%3Cb", "a%25b", "a%26b", "a%3Ab", "a%5Cb", "a%3Fb", "a%2Fb", "a%2Ab", "a%2Bb",
            "a%27b", "a%5Eb",
        ],
    ),
    (
        "word",
        &["A1", "a--b", "a-1"],
        &["a_b", "-a", "a-", "a.b", "a%20b"],
    ),
    ("dns", &["a", "a-1", "1a"], &["A", "a_b", "-a", "a-", "a.b"]),
];

fn rule(path: &str) -> (&'static str, usize, usize) {
    let last = path.rsplit('/').nth(1).unwrap_or_default();
    match last {
        "liveEvents" if path.starts_with("media/") => ("word", 2, 32),
        "liveOutputs" => ("word", 1, 256),
        "streamingEndpoints" => ("word", 1, 64),
        "content"
        | "sources"
        | "destinations"
        | "networks"
        | "sites"
        | "devices"
        | "liveChannels"
        | "liveEvents"
        | "staticMultiviewChannels"
        | "staticMultiviewEvents"
        | "encodingLive" => ("dns", 1, 63),
        _ => ("arm", 1, 260),
    }
}

#[tokio::test]
async fn names_are_held_to_their_patterns_and_lengths() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    for sample in &all {
        if sample.path.starts_with("/api/") || sample.path.starts_with("media/storage/") {
            continue;
        }
        let (class, min, max) = rule(sample.path);
        let Some((_, good, bad)) = NAMES.iter().find(|(name, ..)| *name == class) else {
            panic!("no class {class}")
        };
        let longest = "a".repeat(max);
        let too_long = "a".repeat(max + 1);
        // A body that clashes with the first one of its kind is as good as one that is taken: the name was.
        let caller = &caller;
        let put = |name: String| {
            let path = format!("{}/{name}", sample.collection());
            let body = sample.body.clone();
            async move { caller.put(&path, body).await }
        };
        let named = |response: &crate::common::Response| {
            response.status == 400
                && response.body["error"]["extraDetail"]["errors"][0]["path"] == "name"
        };
        for name in good
            .iter()
            .copied()
            .chain([longest.as_str()])
            .filter(|name| name.chars().count() >= min)
        {
            let response = put(name.to_owned()).await;
            assert!(
                !named(&response),
                "{} '{name}': {}",
                sample.path,
                response.body
            );
            assert!(
                [200, 201, 409].contains(&response.status),
                "{} '{name}': {}",
                sample.path,
                response.body
            );
        }
        let short = "a".repeat(min.saturating_sub(1));
        for name in bad
            .iter()
            .copied()
            .chain([too_long.as_str(), short.as_str()])
            .filter(|name| !name.is_empty())
        {
            let response = put(name.to_owned()).await;
            assert!(
                named(&response),
                "{} '{name}': {} {}",
                sample.path,
                response.status,
                response.body
            );
        }
    }
}

#[tokio::test]
async fn labels_are_bounded() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    let many: serde_json::Map<_, _> = (0..33).map(|at| (format!("key{at}"), json!("v"))).collect();
    let bad = [
        json!(many),
        json!({ "with space": "v" }),
        json!({ "": "v" }),
        json!({ "dot.ted": "v" }),
        json!({ "k": "semi;colon" }),
        json!({ "k".repeat(257): "v" }),
        json!({ "k": "v".repeat(257) }),
        json!({ "k": 1 }),
    ];
    let good = json!({ "Key_1-a": "value with spaces_1-a", "k".repeat(256): "v".repeat(256), "empty": "" });
    let mut checked = 0;
    for sample in &all {
        let at = ["/labels", "/metadata/labels"]
            .into_iter()
            .find(|at| sample.body.pointer(at).is_some());
        let Some(at) = at else { continue };
        checked += 1;
        let path = format!("{}/labelled", sample.collection());
        for labels in &bad {
            let mut body = sample.body.clone();
            *body.pointer_mut(at).expect("labels") = labels.clone();
            let refused = caller.put(&path, body).await;
            assert_eq!(refused.status, 400, "{path} {labels}: {}", refused.body);
            assert!(
                refused.detail().contains("labels"),
                "{path}: {}",
                refused.detail()
            );
            // The same limits hold for a change.
            if sample.patch.is_some() && at == "/metadata/labels" {
                let refused = caller
                    .patch(sample.path, json!({ "metadata": { "labels": labels } }))
                    .await;
                assert_eq!(
                    refused.status, 400,
                    "{} {labels}: {}",
                    sample.path, refused.body
                );
            }
        }
        let mut body = sample.body.clone();
        *body.pointer_mut(at).expect("labels") = good.clone();
        if sample.path.contains("/assets/") {
            body["properties"]["container"] = json!("labelled");
        }
        if sample.path.contains("/devices/") {
            body["spec"]["shortCode"] = json!("labelled");
        }
        let taken = caller.put(&path, body).await;
        assert!([200, 201].contains(&taken.status), "{path}: {}", taken.body);
        assert_eq!(taken.body.pointer(at), Some(&good), "{path}");
    }
    assert!(checked >= 12, "{checked}");
    // Live events have tags instead, endpoints two of them.
    let event = |tags: serde_json::Value| {
        let mut body = all
            .iter()
            .find(|sample| sample.put == Put::OkOnly)
            .expect("a live event")
            .body
            .clone();
        body["tags"] = tags;
        body
    };
    let tags: serde_json::Map<_, _> = (0..17).map(|at| (format!("t{at}"), json!("v"))).collect();
    for tags in [
        json!(tags),
        json!({ "k".repeat(65): "v" }),
        json!({ "k": "v".repeat(65) }),
    ] {
        let refused = caller
            .put("media/liveEvents/tagged", event(tags))
            .await
            .expect(400);
        assert!(refused.detail().contains("tags"), "{}", refused.detail());
    }
    caller
        .put(
            "media/liveEvents/tagged",
            event(json!({ "k".repeat(64): "v".repeat(64) })),
        )
        .await
        .expect(200);
    let endpoint = json!({ "location": "eastus", "tags": { "a": "1", "b": "2", "c": "3" }, "properties": { "scaleUnits": 0 } });
    caller
        .put("media/streamingEndpoints/tagged", endpoint)
        .await
        .expect(400);
}

#[tokio::test]
async fn what_is_deleted_without_a_name_of_the_callers_choice_answers_404_when_absent() {
    let caller = Caller::start().await;
    let nobody = "00000000-0000-4000-8000-00000000000f";
    samples::make(&caller).await;
    for path in [
        format!("fleet/backups/{nobody}"),
        format!("/api/v1/organization/invites/{nobody}"),
        format!("/api/v1/organization/users/{nobody}"),
        format!("/api/v1/user/tokens/{nobody}"),
        format!("/api/v1/organization/tokens/{nobody}"),
    ] {
        caller.delete(&path).await.expect(404);
    }
    for path in [
        format!("media/storage/disk/credentials/{nobody}"),
        "fleet/devices/beam/supportPackages/none".to_owned(),
        format!("/api/v1/user/organizations/{nobody}"),
        "templating/configs/encodingLive/cfg/versions/none".to_owned(),
    ] {
        caller.delete(&path).await.expect(Delete::Silent.absent());
    }
}
