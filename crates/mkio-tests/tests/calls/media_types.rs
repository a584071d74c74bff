//! Media types of requests, and headers that are not sent.

use mkio::media::types::{
    JsonPatchEntry, JsonPatchOp, LiveEvent, LiveEventPatch, LiveEventPropertiesPatch,
};
use mkio_httpmock::{httpmock::MockServer, media::MockServerExt};
use reqwest::Request;
use serde_json::json;

use super::{body, header, media, mocked, offline};

fn merge() -> LiveEventPatch {
    LiveEventPatch::new().with_properties(LiveEventPropertiesPatch::new())
}

fn patch() -> Vec<JsonPatchEntry> {
    vec![JsonPatchEntry::new(JsonPatchOp::Replace, "/properties/description").with_value("new")]
}

/// Two operations on one path differ in what they send.
#[test]
fn json_patch_has_a_media_type_of_its_own() {
    let media = media();
    let merge = media.update_live_event("e", merge());
    let merge = merge.into_request().expect("a request");
    let patch = media.update_live_event_json_patch("e", patch());
    let patch = patch.into_request().expect("a request");
    assert_eq!(
        (merge.method(), merge.url()),
        (patch.method(), patch.url()),
        "the same place"
    );
    assert_eq!(header(&merge, "content-type"), "application/json");
    assert_eq!(body(&merge), json!({"properties": {}}));
    assert_eq!(
        header(&patch, "content-type"),
        "application/json-patch+json"
    );
    assert_eq!(
        body(&patch),
        json!([{"op": "replace", "path": "/properties/description", "value": "new"}])
    );
    for request in [merge, patch] {
        let count = request.headers().get_all("content-type").iter().count();
        assert_eq!(count, 1, "{:?}", request.headers());
    }
}

/// Typed mocks tell the two apart.
#[tokio::test]
async fn json_patch_and_merge_reach_different_mocks() {
    let server = MockServer::start_async().await;
    let named = |name: &str| {
        let mut event = LiveEvent::default();
        event.name = Some(name.to_owned());
        event
    };
    let merged = server.update_live_event(|when, then| {
        when.project_name("acme").event_name("e");
        then.success(200, &named("merged"));
    });
    let patched = server.update_live_event_json_patch(|when, then| {
        when.project_name("acme").event_name("e").body(&patch());
        then.success(200, &named("patched"));
    });
    let media = mocked(&server).project("acme").media();
    let merge = media.update_live_event("e", merge());
    let response = merge.send().await.expect("a response");
    assert_eq!(response.name.as_deref(), Some("merged"));
    let patch = media.update_live_event_json_patch("e", patch());
    let response = patch.send().await.expect("a response");
    assert_eq!(response.name.as_deref(), Some("patched"));
    merged.assert_calls(1);
    patched.assert_calls(1);
}

/// A request of each kind, from each crate.
fn requests() -> Vec<Request> {
    let client = offline();
    let (project, management, channels) = (
        client.project("acme"),
        client.management(),
        client.channels(),
    );
    let (media, fleets) = (project.media(), project.fleets());
    let (infrastructure, live) = (project.infrastructure(), project.live());
    let templates = project.templates();
    [
        media.list_assets().top(5u32).into_request(),
        media.get_asset("a").into_request(),
        media.delete_asset("a").into_request(),
        media.start_live_event("e").into_request(),
        media.update_live_event("e", merge()).into_request(),
        media
            .update_live_event_json_patch("e", patch())
            .into_request(),
        management.list_projects().into_request(),
        management.get_organization().into_request(),
        management.list_user_organizations().into_request(),
        fleets.list_devices().into_request(),
        fleets.upload_backup(vec![1u8]).into_request(),
        infrastructure.list_networks().into_request(),
        infrastructure.list_sites().into_request(),
        live.list_live_channels().into_request(),
        live.list_live_events().into_request(),
        templates.list_configs().into_request(),
        templates.list_config_types().into_request(),
        channels.get_eligibility().into_request(),
        channels.get_interfaces().into_request(),
        channels.get_channel_thumbnail("c", "t").into_request(),
    ]
    .map(|request| request.expect("a request"))
    .into()
}

#[test]
fn no_version_travels() {
    for request in requests() {
        let text = format!("{} {:?}", request.url(), request.headers()).to_lowercase();
        assert!(!text.contains("api-version"), "{text}");
        assert!(!text.contains("api_version"), "{text}");
    }
}

/// The transport adds the token, the request has nothing to leak.
#[test]
fn requests_have_no_token_yet() {
    for request in requests() {
        assert_eq!(header(&request, "authorization"), "", "{}", request.url());
        assert_ne!(header(&request, "accept"), "", "{}", request.url());
    }
}

/// The sent request has neither, but the token.
#[tokio::test]
async fn no_version_is_added_on_the_way() {
    let server = MockServer::start_async().await;
    let mock = server.get_asset(|when, then| {
        when.into_inner()
            .header("authorization", "Bearer no-real-token")
            .header_missing("api-version")
            .query_param_missing("api-version");
        then.success(200, &mkio::media::types::Asset::default());
    });
    let media = mocked(&server).project("acme").media();
    let call = media.get_asset("a").send().await;
    call.expect("a response");
    mock.assert_calls(1);
}
