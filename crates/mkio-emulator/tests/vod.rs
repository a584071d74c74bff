//! The VOD workflow over raw HTTP.

use std::time::Duration;

use mkio_emulator::Emulator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

struct Caller {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Caller {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!(
            "{}/api/v1/projects/{}/{path}",
            self.emulator.base_url(),
            self.emulator.project()
        );
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.emulator.token());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the emulator answers");
        let status = response.status();
        let text = response.text().await.expect("a whole body");
        (
            status,
            if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text).expect("JSON")
            },
        )
    }
}

#[tokio::test]
async fn an_asset_is_encoded_and_published() {
    let emulator = Emulator::start().await.expect("it starts");
    let caller = Caller {
        emulator,
        http: reqwest::Client::new(),
    };
    let asset = |container: &str| json!({ "properties": { "storageAccountName": "storage1", "container": container } });
    let (status, body) = caller
        .call(Method::PUT, "media/assets/in", Some(asset("incoming")))
        .await;
    assert_eq!(status, 201, "{body}");
    let (status, _) = caller
        .call(Method::PUT, "media/assets/in", Some(asset("incoming")))
        .await;
    assert_eq!(status, 200);
    caller
        .call(Method::PUT, "media/assets/out", Some(asset("outgoing")))
        .await;
    let transform = json!({ "properties": { "outputs": [{ "preset": { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p" } }] } });
    let (status, body) = caller
        .call(Method::PUT, "media/transforms/t", Some(transform))
        .await;
    assert_eq!(status, 201, "{body}");
    let job = json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "in" },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "out" }],
    } });
    let (status, body) = caller
        .call(Method::PUT, "media/transforms/t/jobs/j", Some(job))
        .await;
    assert_eq!(status, 201, "{body}");
    caller.emulator.control().step(Duration::from_secs(120));
    let (_, body) = caller
        .call(Method::GET, "media/transforms/t/jobs/j/state", None)
        .await;
    assert_eq!(body, json!({ "status": { "state": "Finished" } }));
    let locator = json!({ "properties": { "assetName": "out", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    let (status, body) = caller
        .call(Method::PUT, "media/streamingLocators/l", Some(locator))
        .await;
    assert_eq!(status, 201, "{body}");
    let endpoint = json!({ "location": "eastus", "properties": { "scaleUnits": 0 } });
    let (status, body) = caller
        .call(Method::PUT, "media/streamingEndpoints/ep", Some(endpoint))
        .await;
    assert_eq!(status, 201, "{body}");
    let (status, _) = caller
        .call(Method::POST, "media/streamingEndpoints/ep/start", None)
        .await;
    assert_eq!(status, 409);
    caller.emulator.control().step(Duration::from_secs(5));
    let (status, _) = caller
        .call(Method::POST, "media/streamingEndpoints/ep/start", None)
        .await;
    assert_eq!(status, 200);
    let (status, body) = caller
        .call(Method::POST, "media/streamingLocators/l/listPaths", None)
        .await;
    assert_eq!(status, 200, "{body}");
    assert!(
        body["streamingPaths"][0]["paths"][0]
            .as_str()
            .is_some_and(|path| path.contains("video.ism/manifest(format=m3u8-cmaf)")),
        "{body}"
    );
    let (status, body) = caller
        .call(
            Method::GET,
            "media/assets?$top=1&$filter=name%20ne%20'x'",
            None,
        )
        .await;
    assert_eq!(status, 200, "{body}");
    assert!(body["@odata.nextLink"].is_string(), "{body}");
}
