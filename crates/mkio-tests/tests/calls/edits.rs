//! Edits: members that the service alone sets are not sent back, since it might refuse them.

use mkio::management::types::{LegacyProfile, LegacyProfilePut};
use mkio::media::types::{Job, JobPut, StreamingLocator, StreamingLocatorPut};
use mkio_httpmock::httpmock::{Method::PUT, MockServer};
use serde_json::{Value, json, to_value};

use super::mocked;

fn read<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).expect("readable")
}

#[tokio::test]
async fn an_edit_leaves_out_what_only_the_service_sets() {
    let server = MockServer::start_async().await;
    let locator = |filters: Value, tracks: Option<Value>| {
        let mut key = json!({"id": "k-1", "policyName": "keys"});
        if let Some(tracks) = tracks {
            key["tracks"] = tracks;
        }
        json!({"properties": {
            "assetName": "film", "streamingPolicyName": "drm", "contentKeys": [key], "filters": filters,
        }})
    };
    let shown = locator(json!(["low"]), Some(json!([{"trackSelections": []}])));
    server.mock(|when, then| {
        when.method("GET");
        then.status(200).json_body(shown.clone());
    });
    let written = server.mock(|when, then| {
        when.method(PUT).json_body(locator(json!(["high"]), None));
        then.status(200).json_body(json!({}));
    });
    let media = mocked(&server).project("acme").media();
    let edit = media.edit_streaming_locator("play", |locator| locator.with_filters(["high"]));
    edit.send().await.expect("an edit");
    written.assert_calls(1);

    // Nothing is written when nothing else changed.
    let same = media.edit_streaming_locator("play", |mut locator| {
        locator
            .content_keys
            .iter_mut()
            .flatten()
            .for_each(|key| key.tracks = None);
        locator
    });
    same.send().await.expect("an edit");
    written.assert_calls(1);
}

#[test]
fn bodies_made_of_what_was_read_leave_it_out_too() {
    let profile = json!({"spec": {
        "name": "N", "company": "C", "country": "SE", "jobrole": "", "phonenumber": "",
        "is_admin": true, "customers": {"1": "A"}, "avatar": "https://example.com/a.png",
    }});
    let put = LegacyProfilePut::try_from(&read::<LegacyProfile>(&profile)).expect("a body");
    assert_eq!(
        to_value(put).unwrap(),
        json!({"spec": {"name": "N", "company": "C", "country": "SE", "jobrole": "", "phonenumber": ""}})
    );

    let output = json!({"@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "out"});
    let mut told = output.clone();
    told["state"] = json!("Finished");
    told["progress"] = json!(100);
    let input = json!({"@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "in"});
    let job = json!({"properties": {"state": "Finished", "input": input, "outputs": [told]}});
    let put = JobPut::try_from(&read::<Job>(&job)).expect("a body");
    assert_eq!(
        to_value(put).unwrap(),
        json!({"properties": {"input": input, "outputs": [output]}})
    );

    let nameless = json!({"properties": {"assetName": "film"}});
    let error = StreamingLocatorPut::try_from(&read::<StreamingLocator>(&nameless)).unwrap_err();
    assert!(error.message().contains("streamingPolicyName"), "{error}");
}
