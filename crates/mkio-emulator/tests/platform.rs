//! The other workflows over raw HTTP: Live API, templates, devices, organization, billing, webhooks, Beam channels.

mod common;

use std::time::Duration;

use common::Caller;
use futures::StreamExt;
use serde_json::{Value, json};

fn named() -> Value {
    json!({ "displayName": "Shown" })
}

async fn flow(caller: &Caller) -> Value {
    caller.asset("archive").await;
    caller
        .put("media/content/news", json!({ "metadata": named() }))
        .await
        .expect(201);
    let source = json!({ "metadata": named(), "spec": { "contentName": "news", "transport": { "type": "SRTListener" } } });
    let made = caller.put("media/sources/studio", source).await.expect(201);
    assert!(made.text("/status/transport/urls/0").starts_with("srt://"));
    let preset = caller
        .get("templating/presets/encodingLive")
        .await
        .expect(200)
        .text("/value/0/metadata/name");
    let config = caller
        .put(
            "templating/configs/encodingLive/cfg",
            json!({ "spec": { "presetName": preset } }),
        )
        .await
        .expect(201);
    let pin = config.text("/status/inputPins/0/name");
    json!({ "metadata": named(), "spec": {
        "state": "Stopped", "inputs": [{ "contentName": "news", "transformInput": pin }], "outputs": [],
        "transform": {
            "type": "LiveEvent", "assetName": "archive", "archiveWindowLength": "P1DT0S",
            "encodingLive": { "configRef": { "name": "cfg", "version": config.text("/metadata/hash") }, "configValues": { "latency": "low" } },
        },
    } })
}

#[tokio::test]
async fn a_flow_of_the_live_api_runs() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    for (pointer, value, named) in [
        (
            "/spec/inputs/0/transformInput",
            json!("wrong"),
            "spec.inputs.0.transformInput",
        ),
        (
            "/spec/inputs/0/sourceName",
            json!("studio"),
            "spec.inputs.0",
        ),
        (
            "/spec/transform/type",
            json!("LiveChannel"),
            "spec.transform.type",
        ),
        (
            "/spec/transform/assetName",
            json!("nothing"),
            "spec.transform.assetName",
        ),
        (
            "/spec/transform/encodingLive/configValues/other",
            json!(1),
            "configValues.other",
        ),
    ] {
        let mut wrong = body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        wrong.pointer_mut(parent).expect("a parent")[name] = value;
        let refused = caller.put("live/liveEvents/show", wrong).await.expect(400);
        assert!(refused.detail().contains(named), "{}", refused.detail());
    }
    caller
        .put("live/liveEvents/show", body.clone())
        .await
        .expect(201);
    caller.put("live/liveEvents/show", body).await.expect(200);
    assert_eq!(caller.state("live/liveEvents/show").await, "Stopped");
    assert_eq!(
        caller
            .get("media/sources/studio")
            .await
            .text("/status/state"),
        "Inactive"
    );
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(6);
    assert_eq!(caller.state("live/liveEvents/show").await, "Starting");
    caller.step(20);
    let running = caller
        .get("live/liveEvents/show?$detailedStatus=true")
        .await
        .expect(200);
    assert_eq!(running.text("/status/state"), "Running");
    assert_eq!(running.text("/status/inputs/0/sourceName"), "studio");
    assert!(
        running
            .text("/status/monitoring/input/thumbnailUrl")
            .starts_with("https://")
    );
    let content = caller.get("media/content/news").await.expect(200);
    assert_eq!(content.text("/status/state"), "Active");
    caller.delete("media/content/news").await.expect(409);
    let found = caller.get("live/search?$filter=status/state%20eq%20'Running'%20and%20spec/inputs/content%20eq%20'news'").await.expect(200);
    assert_eq!(found.body["supplemental"]["count"], 1);
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Stopped" } }),
        )
        .await
        .expect(200);
    caller.step(10);
    assert_eq!(caller.state("live/liveEvents/show").await, "Stopped");
    caller.delete("live/liveEvents/show").await.expect(200);
    caller.step(5);
    caller.get("live/liveEvents/show").await.expect(404);
}

#[tokio::test]
async fn a_flow_without_its_dependency_waits_and_without_its_configuration_cannot_start() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    caller.put("live/liveEvents/show", body).await.expect(201);
    caller.delete("media/assets/archive").await.expect(200);
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(86_400);
    assert_eq!(caller.state("live/liveEvents/show").await, "Starting");
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Stopped" } }),
        )
        .await
        .expect(200);
    caller.step(10);
    caller
        .delete("templating/configs/encodingLive/cfg")
        .await
        .expect(200);
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(60);
    assert_eq!(caller.state("live/liveEvents/show").await, "UnableToStart");
}

#[tokio::test]
async fn a_scheduled_operation_starts_and_stops_its_flow() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    caller.put("live/liveEvents/show", body).await.expect(201);
    let at = |minutes: i64| {
        (caller.emulator.control().now() + chrono::TimeDelta::minutes(minutes))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let window = |from, to| json!({ "spec": { "type": "MediaKind.ScheduledOperation.StartStop", "startTime": at(from), "endTime": at(to), "correlationData": {} } });
    let path = "live/liveEvents/show/scheduledOperations";
    caller
        .put(&format!("{path}/o1"), window(10, 5))
        .await
        .expect(400);
    caller
        .put(&format!("{path}/o1"), window(10, 20))
        .await
        .expect(201);
    caller
        .put(&format!("{path}/o2"), window(15, 25))
        .await
        .expect(409);
    caller
        .put(&format!("{path}/late"), window(-20, -10))
        .await
        .expect(201);
    assert_eq!(
        caller
            .get(&format!("{path}/late"))
            .await
            .text("/status/state"),
        "Errored"
    );
    caller.delete("live/liveEvents/show").await.expect(409);
    caller.step(3);
    assert_eq!(
        caller
            .get(&format!("{path}/o1"))
            .await
            .text("/status/state"),
        "Accepted"
    );
    caller.step(660);
    assert_eq!(
        caller
            .get(&format!("{path}/o1"))
            .await
            .text("/status/state"),
        "Ongoing"
    );
    assert_eq!(caller.state("live/liveEvents/show").await, "Running");
    caller.step(660);
    assert_eq!(
        caller
            .get(&format!("{path}/o1"))
            .await
            .text("/status/state"),
        "Completed"
    );
    assert_eq!(caller.state("live/liveEvents/show").await, "Stopped");
}

#[tokio::test]
async fn templates_have_versions_and_moving_tags() {
    let caller = Caller::start().await;
    let path = "templating/configs/encodingLive/cfg";
    let body = |value: u32, tags: Value| json!({ "metadata": { "tags": tags }, "spec": { "config": { "v": value }, "parameters": [] } });
    let first = caller
        .put(path, body(1, json!(["stable"])))
        .await
        .expect(201)
        .text("/metadata/hash");
    let second = caller
        .put(path, body(2, json!(["stable"])))
        .await
        .expect(200)
        .text("/metadata/hash");
    assert_ne!(first, second);
    assert_eq!(
        caller
            .get(&format!("{path}/versions/stable"))
            .await
            .expect(200)
            .text("/metadata/hash"),
        second
    );
    assert_eq!(
        caller
            .get(&format!("{path}/versions/{first}"))
            .await
            .expect(200)
            .body["metadata"]["tags"],
        json!([])
    );
    assert_eq!(
        caller
            .get(&format!("{path}/versions"))
            .await
            .expect(200)
            .body["supplemental"]["count"],
        2
    );
    assert_eq!(
        caller.get("templating/configs").await.expect(200).body["supplemental"]["count"],
        1
    );
    caller
        .delete(&format!("{path}/versions/latest"))
        .await
        .expect(400);
    caller
        .delete(&format!("{path}/versions/{first}"))
        .await
        .expect(200);
    caller
        .delete(&format!("{path}/versions/{first}"))
        .await
        .expect(204);
    caller
        .get(&format!("{path}/versions/{first}"))
        .await
        .expect(404);
    caller
        .put("templating/configs/nothing/cfg", body(1, json!([])))
        .await
        .expect(404);
    caller
        .put(path, json!({ "spec": { "presetName": "nothing" } }))
        .await
        .expect(400);
}

#[tokio::test]
async fn a_device_is_onboarded_backed_up_updated_and_removed() {
    let caller = Caller::start().await;
    caller
        .put(
            "infra/sites/studio",
            json!({ "metadata": named(), "spec": { "routes": [{ "networkName": "lan" }] } }),
        )
        .await
        .expect(400);
    caller
        .put(
            "infra/networks/lan",
            json!({ "metadata": named(), "spec": {} }),
        )
        .await
        .expect(201);
    caller
        .put(
            "infra/sites/studio",
            json!({ "metadata": named(), "spec": { "routes": [{ "networkName": "lan" }] } }),
        )
        .await
        .expect(201);
    let device = |code: &str| json!({ "metadata": named(), "spec": { "shortCode": code, "siteName": "studio", "availableNetworks": [] } });
    let unknown = caller
        .put("fleet/devices/beam", device("00000000"))
        .await
        .expect(400);
    assert_eq!(unknown.text("/error/code"), "1000.4500.1500.1300");
    caller
        .put("fleet/devices/beam", device("abcd1234"))
        .await
        .expect(201);
    caller.delete("infra/networks/lan").await.expect(409);
    caller.delete("infra/sites/studio").await.expect(409);
    caller.delete("infra/networks/world").await.expect(409);

    let backup = json!({ "metadata": named(), "spec": { "backupName": "nightly" } });
    caller
        .post("fleet/devices/beam/backup", backup.clone())
        .await
        .expect(202);
    caller
        .post("fleet/devices/beam/backup", backup)
        .await
        .expect(429);
    caller
        .patch(
            "fleet/devices/beam",
            json!({ "metadata": { "displayName": "x" } }),
        )
        .await
        .expect(409);
    assert_eq!(
        caller.get("fleet/backups").await.expect(200).body["supplemental"]["count"],
        0
    );
    caller.step(30);
    let id = caller
        .get("fleet/backups")
        .await
        .expect(200)
        .text("/value/0/metadata/id");
    caller.get(&format!("fleet/backups/{id}")).await.expect(200);
    let restore =
        |path: String| json!({ "metadata": named(), "spec": { "restoreFilePath": path } });
    caller
        .post(
            "fleet/devices/beam/restore",
            restore("beam/x/y.tar.gz".to_owned()),
        )
        .await
        .expect(400);
    caller
        .post(
            "fleet/devices/beam/restore",
            restore(format!("beam/{id}/nightly.tar.gz")),
        )
        .await
        .expect(202);
    caller.step(30);
    caller
        .patch(
            &format!("fleet/backups/{id}"),
            json!({ "metadata": { "name": "renamed" } }),
        )
        .await
        .expect(200);
    assert_eq!(
        caller
            .get("fleet/backups")
            .await
            .text("/value/0/metadata/name"),
        "renamed"
    );

    let newest = "1.13.0.2";
    let offered = caller.get("fleet/devices/beam/software").await.expect(200);
    assert!(offered.body.to_string().contains(newest));
    caller
        .patch(
            "fleet/devices/beam",
            json!({ "spec": { "desiredSoftwareVersion": newest } }),
        )
        .await
        .expect(200);
    caller.step(60);
    assert_eq!(
        caller
            .get("fleet/devices/beam")
            .await
            .text("/status/softwareUpgradeState"),
        "SwitchFailed"
    );
    caller.patch("fleet/devices/beam", json!({ "spec": { "preloadSoftwareVersion": newest, "desiredSoftwareVersion": "1.12.0.7" } })).await.expect(200);
    caller.step(20);
    let preloading = caller.get("fleet/devices/beam").await.expect(200);
    assert_eq!(
        preloading.text("/status/preloadedSoftware/0/state"),
        "Downloading"
    );
    caller.step(30);
    caller
        .patch(
            "fleet/devices/beam",
            json!({ "spec": { "desiredSoftwareVersion": newest } }),
        )
        .await
        .expect(200);
    assert_eq!(
        caller
            .get("fleet/devices/beam")
            .await
            .text("/status/softwareUpgradeState"),
        "Switching"
    );
    caller.step(60);
    let updated = caller.get("fleet/devices/beam").await.expect(200);
    assert_eq!(
        (
            updated.text("/status/softwareUpgradeState"),
            updated.text("/status/currentSoftwareVersion")
        ),
        ("Idle".to_owned(), newest.to_owned())
    );

    let package = json!({ "metadata": named(), "spec": { "description": "why" } });
    for _ in 0..6 {
        caller
            .post("fleet/devices/beam/supportPackages", package.clone())
            .await
            .expect(202);
        caller
            .post("fleet/devices/beam/supportPackages", package.clone())
            .await
            .expect(409);
        caller.step(30);
    }
    let packages = caller
        .get("fleet/devices/beam/supportPackages")
        .await
        .expect(200);
    assert_eq!(packages.body["supplemental"]["count"], 5);
    let name = packages.text("/value/0/metadata/name");
    caller
        .get(&format!("fleet/devices/beam/supportPackages/{name}"))
        .await
        .expect(200);
    caller
        .delete(&format!("fleet/devices/beam/supportPackages/{name}"))
        .await
        .expect(204);

    caller
        .delete("fleet/devices/beam?$force=true&$reason=Other")
        .await
        .expect(400);
    caller
        .delete("fleet/devices/beam?$force=true&$reason=Other&$notes=broken")
        .await
        .expect(200);
    caller.delete("fleet/devices/beam").await.expect(204);
    caller.delete("infra/sites/studio").await.expect(200);
    caller.delete("infra/networks/lan").await.expect(200);
}

#[tokio::test]
async fn an_organization_is_provisioned() {
    let caller = Caller::start().await;
    let organization = caller
        .get("/api/v1/organization")
        .await
        .expect(200)
        .text("/metadata/id");
    let methods = caller.get("/api/v1/organization/paymentMethods?$filter=displayName%20eq%20'Billing%20with%20pending%20terms'").await.expect(200);
    let payment = methods.text("/value/0/metadata/id");
    let project =
        json!({ "displayName": "Acme", "locationName": "westeurope", "paymentMethodId": payment });
    let refused = caller
        .put("/api/v1/projects/acme", project.clone())
        .await
        .expect(400);
    assert!(refused.detail().contains("terms"), "{}", refused.detail());
    caller
        .post(
            &format!("/api/v1/organization/paymentMethods/{payment}/acceptTermsAndConditions"),
            Value::Null,
        )
        .await
        .expect(200);
    caller
        .put("/api/v1/projects/acme", project.clone())
        .await
        .expect(201);
    caller
        .get("/api/v1/projects/acme/media/streamingPolicies")
        .await
        .expect(200);
    caller
        .patch(
            "/api/v1/projects/acme",
            json!({ "spec": { "isHidden": true } }),
        )
        .await
        .expect(200);
    let count = async |path: &str| {
        caller.get(path).await.expect(200).body["value"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(
        (
            count("/api/v1/projects").await,
            count("/api/v1/projects?show_hidden=true").await
        ),
        (Some(1), Some(2))
    );

    let users = caller.get("/api/v1/organization/users").await.expect(200);
    let colleague = users.text("/value/1/metadata/id");
    let team = json!({ "spec": { "members": { &colleague: { "isTeamAdmin": false } }, "scopes": { "Project acme": { "roles": ["Reader"] } } } });
    caller
        .put("/api/v1/organization/teams/ops", team.clone())
        .await
        .expect(201);
    caller
        .put("/api/v1/organization/teams/ops", team)
        .await
        .expect(200);
    let patch = json!([
        { "op": "replace", "path": format!("/spec/members/{colleague}/isTeamAdmin"), "value": true },
        { "op": "add", "path": "/spec/scopes/Project acme/roles/-", "value": "Owner" },
        { "op": "remove", "path": "/spec/scopes/Project acme/roles/Reader" },
    ]);
    let patched = caller
        .patch("/api/v1/organization/teams/ops", patch)
        .await
        .expect(200);
    assert_eq!(
        patched.body["spec"]["scopes"]["Project acme"]["roles"],
        json!(["Owner"])
    );
    assert_eq!(
        patched.body["spec"]["members"][&colleague]["email"],
        "colleague@example.com"
    );
    caller
        .patch(
            "/api/v1/organization/teams/ops",
            json!([{ "op": "remove", "path": "/spec/members/nobody" }]),
        )
        .await
        .expect(400);

    let invite =
        json!({ "spec": { "email": "new@example.com", "comment": "hi", "teams": ["ops"] } });
    let id = caller
        .post("/api/v1/organization/invites", invite.clone())
        .await
        .expect(201)
        .text("/metadata/id");
    caller
        .post("/api/v1/organization/invites", invite)
        .await
        .expect(409);
    caller.step(15 * 86_400);
    caller
        .get(&format!("/api/v1/organization/invites/{id}"))
        .await
        .expect(404);
    let mine = caller.get("/api/v1/user/organizations").await.expect(200);
    let inviting = mine.text("/value/1/metadata/id");
    let path = format!("/api/v1/user/organizations/{inviting}");
    let accepted = caller.patch(&path, json!({ "spec": { "invite": { "comment": "", "invitedBy": null, "state": "accepted" } } })).await.expect(200);
    assert_eq!(accepted.text("/spec/invite/state"), "accepted");
    caller.delete(&path).await.expect(204);
    assert_ne!(organization, inviting);
    caller
        .delete("/api/v1/organization/teams/ops")
        .await
        .expect(204);
}

#[tokio::test]
async fn usage_is_counted_and_reported() {
    let caller = Caller::start().await;
    caller.asset("in1").await;
    caller.put("media/transforms/t", json!({ "properties": { "outputs": [{ "preset": { "@odata.type": "#MediaKind.ThumbnailGeneratorPreset", "thumbnails": [{ "format": "Png" }] } }] } })).await.expect(201);
    let job = json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "in1" },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "in1" }],
    } });
    caller
        .put("media/transforms/t/jobs/j", job)
        .await
        .expect(201);
    caller.step(120);
    assert_eq!(
        caller.get("usage").await.expect(200).body["value"][0]["quantity"],
        1.0
    );
    let today = caller.emulator.control().now().date_naive();
    let report = |end: chrono::NaiveDate, more: Value| {
        let mut body = json!({ "startDate": today.to_string(), "endDate": end.to_string() });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    let tomorrow = today + chrono::TimeDelta::days(2);
    let path = "/api/v1/organization/reports/usage";
    let rows = caller
        .post(path, report(tomorrow, json!({ "projectNames": ["demo"] })))
        .await
        .expect(200);
    assert_eq!(rows.body["value"][0]["meterName"], "encoding-minutes");
    assert_eq!(
        caller
            .post(path, report(tomorrow, json!({ "projectNames": ["other"] })))
            .await
            .expect(200)
            .body["value"],
        json!([])
    );
    let csv = caller
        .post(path, report(tomorrow, json!({ "format": "csv" })))
        .await
        .expect(200);
    assert!(
        csv.body.as_str().is_some_and(|text| text
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("encoding-minutes"))),
        "{}",
        csv.body
    );
    caller
        .post(path, report(today, json!({})))
        .await
        .expect(400);
    caller
        .post(
            path,
            report(
                today + chrono::TimeDelta::days(40),
                json!({ "granularity": "hour" }),
            ),
        )
        .await
        .expect(400);
    caller
        .patch("metricsEndpoint", json!({ "spec": { "enabled": true } }))
        .await
        .expect(200);
    assert_eq!(
        caller
            .get("metricsEndpoint")
            .await
            .expect(200)
            .text("/status/username"),
        "demo"
    );
}

/// A receiver that answers each delivery with the next status of a list, and hands the request on.
async fn receiver(
    statuses: Vec<u16>,
) -> (String, impl futures::Stream<Item = (String, Value)> + Unpin) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/hook?fixed=1",
        listener.local_addr().expect("an address")
    );
    let (sender, received) = futures::channel::mpsc::unbounded();
    tokio::spawn(async move {
        for status in statuses.into_iter().chain(std::iter::repeat(200)) {
            let Ok((mut stream, _)) = listener.accept().await else {
                return;
            };
            let mut seen = Vec::new();
            let mut buffer = [0_u8; 4_096];
            let (head, body) = loop {
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                seen.extend_from_slice(buffer.get(..read).unwrap_or_default());
                let text = String::from_utf8_lossy(&seen).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str::<Value>(body)
                {
                    break (head.to_owned(), body);
                }
                if read == 0 {
                    return;
                }
            };
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if stream.write_all(answer.as_bytes()).await.is_err()
                || sender.unbounded_send((head, body)).is_err()
            {
                return;
            }
        }
    });
    (url, received)
}

#[tokio::test]
async fn webhooks_are_delivered_retried_and_remembered() {
    let caller = Caller::start().await;
    let (url, mut received) = receiver(vec![503]).await;
    let rule = |url: &str| {
        json!({ "spec": {
        "url": url, "enabled": true, "events": ["MediaKind.StreamingLocatorCreated"], "headers": { "x-plain": "1" },
        "authentication": { "headers": { "x-key": "hush" }, "queryParams": { "sig": "s" } },
    } })
    };
    caller
        .put("webhook/rules/r", rule("https://example.com/"))
        .await
        .expect(400);
    let made = caller.put("webhook/rules/r", rule(&url)).await.expect(201);
    assert!(!made.body.to_string().contains("hush"), "{}", made.body);
    caller.asset("film").await;
    let locator = json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    caller
        .put("media/streamingLocators/l", locator)
        .await
        .expect(201);
    caller.step(2);
    let (head, first) = received.next().await.expect("a delivery");
    assert!(
        head.contains("x-plain: 1")
            && head.contains("x-key: hush")
            && head.contains("fixed=1&sig=s"),
        "{head}"
    );
    assert_eq!(first["data"]["previousState"], "Creating");
    assert_eq!(
        first["source"],
        "/api/v1/projects/demo/media/streamingLocators/l"
    );
    assert_eq!(first["data"]["resource"]["name"], "l");
    // The outcome of the try is written after the receiver has seen it.
    let status = async |wanted: &str| {
        while caller
            .get("webhook/rules/r/events")
            .await
            .expect(200)
            .text("/value/0/status")
            != wanted
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), status("Retrying"))
        .await
        .expect("it is going to be tried again");
    caller.step(10);
    let (_, second) = received.next().await.expect("the delivery again");
    assert_eq!(first["id"], second["id"]);
    tokio::time::timeout(Duration::from_secs(20), status("Sent"))
        .await
        .expect("it is sent");
    caller.delete("webhook/rules/r").await.expect(200);
    caller.get("webhook/rules/r/events").await.expect(404);
}

#[tokio::test]
async fn a_beam_channel_is_made_started_copied_and_removed() {
    let caller = Caller::start().await;
    caller.get("/api/channel-system/").await.expect(200);
    assert_eq!(
        caller
            .get("/api/channel-deployment/eligibility/")
            .await
            .expect(200)
            .body["canRun"],
        true
    );
    caller.get("/api/interfaces/").await.expect(200);
    caller.get("/api/channel-capability/").await.expect(200);
    caller.get("/api/channel-me/").await.expect(200);
    let channel = json!({ "kind": "BeamChannel", "metadata": { "name": "one", "displayName": "One" }, "spec": {
        "type": "EncodingDistribution", "state": "Stopped",
        "inputs": [{ "type": "SDI", "name": "input_1", "transport": { "url": "sdi://localhost/1/0" } }], "outputs": [],
    } });
    let made = caller
        .put("/api/channels/one/", channel.clone())
        .await
        .expect(200);
    assert_eq!(made.text("/status/syncState"), "Configuring");
    caller.step(5);
    caller
        .patch("/api/channels/one/", json!({ "state": "Running" }))
        .await
        .expect(200);
    caller.step(5);
    assert_eq!(
        caller.get("/api/channels/one/").await.text("/status/state"),
        "Stopped"
    );
    caller
        .patch(
            "/api/channels/one/",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(5);
    let running = caller.get("/api/channels/one/").await.expect(200);
    assert_eq!(
        (
            running.text("/status/state"),
            running.text("/status/inputs/0/name")
        ),
        ("Running".to_owned(), "sdi-0".to_owned())
    );
    let url = format!(
        "{}/api/channels/one/thumbnails/sdi-0/thumbnail.jpg",
        caller.emulator.base_url()
    );
    let picture = caller.http.get(url).send().await.expect("an answer");
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    assert!(
        picture
            .bytes()
            .await
            .expect("a body")
            .starts_with(&[0xff, 0xd8])
    );
    let invalid = caller
        .put(
            "/api/channels/two/",
            json!({ "metadata": { "name": "two" }, "spec": {} }),
        )
        .await
        .expect(422);
    assert_eq!(invalid.body["detail"][0]["loc"][0], "body");
    let page = caller
        .get("/api/channels/?$filter=contains(toupper(metadata/displayName),%20'ON')&$top=1")
        .await
        .expect(200);
    assert_eq!(page.body["supplemental"]["pagination"]["total"], 1);
    let exported = caller
        .post("/api/channel-export/", json!({}))
        .await
        .expect(200);
    let import = |payload: Value, mode: &str| json!({ "payload": payload, "mode": mode });
    let again = caller
        .post(
            "/api/channel-import/",
            import(exported.body.clone(), "merge"),
        )
        .await
        .expect(200);
    assert_eq!(again.text("/imported/0/status"), "skipped");
    let mut empty = exported.body;
    empty["channels"] = json!([]);
    let replaced = caller
        .post("/api/channel-import/", import(empty, "replace"))
        .await
        .expect(200);
    assert_eq!(replaced.body["deleted"], json!(["one"]));
    caller.put("/api/channels/one/", channel).await.expect(200);
    caller.delete("/api/channels/one/").await.expect(204);
}
