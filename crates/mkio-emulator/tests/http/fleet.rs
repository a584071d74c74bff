//! Networks, sites and devices.

use crate::common::Caller;
use serde_json::{Value, json};

fn named() -> Value {
    json!({ "displayName": "Shown" })
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
    let signature = async || {
        let backup = caller.get(&format!("fleet/backups/{id}")).await.expect(200);
        backup.text("/signature")
    };
    let signed = signature().await;
    caller
        .patch(
            &format!("fleet/backups/{id}"),
            json!({ "metadata": { "name": "renamed" } }),
        )
        .await
        .expect(200);
    assert_eq!(signature().await, signed, "the archive is the same");
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
async fn a_device_is_registered_once_and_a_project_keeps_a_hundred_backups() {
    let caller = Caller::start().await;
    let device = |spec: Value| {
        let mut body = json!({ "metadata": named(), "spec": { "availableNetworks": [] } });
        for (name, value) in spec.as_object().into_iter().flatten() {
            body["spec"][name] = value.clone();
        }
        body
    };
    let location = "00000000-0000-4000-8000-000000000001";
    let known = device(json!({ "locationId": location }));
    let made = caller
        .put("fleet/devices/one", known.clone())
        .await
        .expect(201);
    assert_eq!(made.text("/status/locationId"), location);
    let clash = caller.put("fleet/devices/two", known).await.expect(409);
    assert!(clash.detail().contains("'one'"), "{}", clash.detail());
    let coded = device(json!({ "shortCode": "abcd1234" }));
    caller
        .put("fleet/devices/coded", coded.clone())
        .await
        .expect(201);
    let clash = caller.put("fleet/devices/two", coded).await.expect(409);
    assert!(clash.detail().contains("'coded'"), "{}", clash.detail());
    for (name, spec, other) in [
        ("one", json!({ "shortCode": "abcd1234" }), "'coded'"),
        ("coded", json!({ "locationId": location }), "'one'"),
    ] {
        let path = format!("fleet/devices/{name}");
        let clash = caller.patch(&path, json!({ "spec": spec })).await;
        let clash = clash.expect(409);
        assert!(clash.detail().contains(other), "{}", clash.detail());
    }
    let own = json!({ "spec": { "shortCode": "abcd1234" } });
    caller.patch("fleet/devices/coded", own).await.expect(200);
    let never = device(json!({ "locationId": "00000000-0000-0000-0000-000000000000" }));
    let never = caller.put("fleet/devices/two", never).await.expect(400);
    assert_eq!(never.text("/error/code"), "1000.4500.1500.1300");
    caller
        .put("fleet/devices/two", device(json!({})))
        .await
        .expect(400);

    let upload = async |bytes: &[u8]| {
        let url = format!(
            "{}/api/v1/projects/demo/fleet/uploadBackup?device=one&name=nightly",
            caller.emulator.base_url()
        );
        let request = caller.http.post(url).bearer_auth(&caller.token);
        let request = request
            .header("content-type", "application/octet-stream")
            .body(bytes.to_vec());
        crate::common::checked(
            &reqwest::Method::POST,
            request.send().await.expect("a response"),
        )
        .await
    };
    upload(b"no archive").await.expect(400);
    for _ in 0..100 {
        upload(&[0x1f, 0x8b, 8, 0]).await.expect(201);
    }
    assert!(
        upload(&[0x1f, 0x8b, 8, 0])
            .await
            .expect(409)
            .detail()
            .contains("100")
    );
    let backup = json!({ "metadata": named(), "spec": {} });
    caller
        .post("fleet/devices/one/backup", backup.clone())
        .await
        .expect(409);
    let id = caller
        .get("fleet/backups")
        .await
        .expect(200)
        .text("/value/0/metadata/id");
    caller
        .delete(&format!("fleet/backups/{id}"))
        .await
        .expect(200);
    caller
        .post("fleet/devices/one/backup", backup)
        .await
        .expect(202);
}

#[tokio::test]
async fn a_switch_waits_for_its_bundle() {
    let caller = Caller::start().await;
    let path = "fleet/devices/beam";
    let body = json!({ "metadata": named(), "spec": { "shortCode": "abcd1234", "availableNetworks": [] } });
    caller.put(path, body).await.expect(201);
    let want = async |spec: Value| {
        let changed = caller.patch(path, json!({ "spec": spec })).await;
        changed.expect(200);
    };
    let told = async || {
        let status = caller.get(path).await.expect(200).body["status"].take();
        (
            status["preloadedSoftware"][0]["state"].clone(),
            status["softwareUpgradeState"].clone(),
            status["currentSoftwareVersion"].clone(),
        )
    };
    let (old, newest) = ("1.12.0.7", "1.13.0.2");
    let both = json!({ "preloadSoftwareVersion": newest, "desiredSoftwareVersion": newest });
    want(both.clone()).await;
    for (seconds, staged, state, version) in [
        (0, "Requested", "Idle", old),
        (41, "Downloading", "Idle", old),
        (1, "Downloaded", "Switching", old),
        (5, "Importing", "Switching", old),
        (55, "Downloaded", "Idle", newest),
    ] {
        caller.step(seconds);
        assert_eq!(told().await, (json!(staged), json!(state), json!(version)));
    }

    // A change of mind ends the wait, and another change goes on with it.
    let body = json!({ "metadata": named(), "spec": { "shortCode": "efgh5678", "availableNetworks": [] } });
    caller.delete(path).await.expect(200);
    caller.put(path, body).await.expect(201);
    want(both).await;
    caller.step(10);
    want(json!({ "desiredSoftwareVersion": old })).await;
    caller.step(100);
    assert_eq!(
        told().await,
        (json!("Downloaded"), json!("Idle"), json!(old))
    );
    want(json!({ "desiredSoftwareVersion": newest })).await;
    assert_eq!(told().await.1, "Switching");
}
