//! Filters of locators, and files that are downloaded.

use serde_json::{Value, json};

use crate::common::Caller;

#[tokio::test]
async fn filters_are_attached_to_locators() {
    let caller = Caller::start().await;
    caller.asset("film").await;
    let filter = json!({ "properties": { "firstQuality": { "bitrate": 128_000 }, "tracks": [{ "trackSelections": [{ "property": "Type", "operation": "Equal", "value": "Audio" }] }] } });
    caller
        .put("media/assets/film/assetFilters/f1", filter.clone())
        .await
        .expect(201);
    caller
        .put("media/assets/film/assetFilters/f1", filter.clone())
        .await
        .expect(200);
    caller
        .put("media/accountFilters/f2", filter)
        .await
        .expect(201);
    let locator = |filters: Value| json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly", "filters": filters } });
    caller
        .put("media/streamingLocators/l", locator(json!(["nothing"])))
        .await
        .expect(400);
    caller
        .put("media/streamingLocators/l", locator(json!(["f1", "f2"])))
        .await
        .expect(201);
    let paths = caller
        .post(
            "media/streamingLocators/l/listPaths",
            json!({ "urlStyle": "AMS" }),
        )
        .await
        .expect(200);
    assert!(
        paths
            .text("/streamingPaths/0/paths/0")
            .contains("filter=f1;f2"),
        "{}",
        paths.body
    );
    caller.delete("media/accountFilters/f2").await.expect(400);
    caller.delete("media/streamingLocators/l").await.expect(200);
    caller.delete("media/accountFilters/f2").await.expect(200);
    caller.delete("media/accountFilters/f2").await.expect(204);
}

#[tokio::test]
async fn files_of_an_asset_with_a_path_are_named_with_it() {
    let caller = Caller::start().await;
    let disk = |token: &str| json!({ "spec": { "type": "Microsoft.Storage", "url": "https://d.example.com", "credential": { "sasToken": token } } });
    let lapses = (caller.emulator.control().now() + chrono::TimeDelta::hours(1))
        .format("%Y-%m-%dT%H:%M:%SZ");
    caller
        .put(
            "media/storage/disk",
            disk(&format!("?sv=1&se={lapses}&sig=x")),
        )
        .await
        .expect(201);
    let asset = json!({ "properties": { "storageAccountName": "disk", "container": "films", "subPath": "2024/intro" } });
    caller.put("media/assets/film", asset).await.expect(201);
    let listed = caller.get("media/assets/film/storage/").await.expect(200);
    let name = listed.text("/spec/files/0/name");
    let access = caller
        .post("media/assets/film/getFileAccessInfo", Value::Null)
        .await
        .expect(200);
    assert_eq!(access.text("/subPath"), "2024/intro");
    let download = async |file: &str| {
        let body =
            json!({ "storageAccountName": "disk", "containerName": "films", "fileName": file });
        let request = caller
            .http
            .post(format!("{}downloadBlob", access.text("/url")));
        let response = request
            .bearer_auth(access.text("/jwt"))
            .json(&body)
            .send()
            .await
            .expect("a response");
        (
            response.status().as_u16(),
            response.bytes().await.expect("a body").len() as u64,
        )
    };
    let size = listed.body["spec"]["files"][0]["size"]
        .as_u64()
        .expect("a size");
    assert_eq!(download(&format!("2024/intro/{name}")).await, (200, size));
    assert_eq!(download(&name).await.0, 502);
    // The storage's own credential lapses: there is no access any more, and nothing to list.
    caller.step(3_600);
    let refused = caller
        .post("media/assets/film/getFileAccessInfo", Value::Null)
        .await
        .expect(400);
    assert!(refused.detail().contains("'disk'"), "{}", refused.detail());
    caller.get("media/assets/film/storage/").await.expect(400);
    assert_eq!(
        caller.get("media/storage/disk").await.body["status"]["activeCredentialId"],
        Value::Null
    );
}

#[tokio::test]
async fn a_download_has_as_long_however_fast_platform_time_is() {
    let caller = Caller::with(|builder| builder.seed(1).time_scale(1_000_000.0)).await;
    let access = caller
        .post("media/assets/asset-1/getFileAccessInfo", Value::Null)
        .await
        .expect(200);
    let control = caller.emulator.control();
    let asked = control.now();
    control.resume();
    while control.now() < asked + chrono::TimeDelta::hours(1) {
        tokio::task::yield_now().await;
    }
    let body = json!({ "storageAccountName": "storage1", "containerName": access.body["containerName"], "fileName": "video.mp4" });
    let taken = caller
        .http
        .post(format!("{}downloadBlob", access.text("/url")))
        .bearer_auth(access.text("/jwt"))
        .json(&body)
        .send()
        .await
        .expect("a response");
    assert_eq!(taken.status(), 200);
}
