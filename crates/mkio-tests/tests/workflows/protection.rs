//! Content keys, their policies and filters.

use anyhow::Context;
use mkio::media::types::*;
use serde_json::json;

use crate::common::{Place, body, quick};

fn locator(policy: &str) -> StreamingLocatorPut {
    let properties = StreamingLocatorPutProperties::new()
        .asset_name("film")
        .streaming_policy_name(policy);
    StreamingLocatorPut::new(properties.with_default_content_key_policy_name("keys"))
}

#[tokio::test]
async fn content_is_protected_with_clear_key() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let policy: ContentKeyPolicyPut = body(json!({ "properties": { "options": [{
        "configuration": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        "restriction": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
            "issuer": "i", "audience": "a", "restrictionTokenType": "Jwt",
            "primaryVerificationKey": {
                "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey",
                "keyValue": "c2VjcmV0",
            },
        },
    }] } }))?;
    assert!(!format!("{policy:?}").contains("c2VjcmV0"));
    media
        .create_content_key_policy("keys", policy)
        .send()
        .await?;
    let made = quick(media.wait_for_content_key_policy("keys")).await?;
    let option = made.properties.and_then(|found| found.options?.pop());
    let option = option.context("an option")?;
    assert!(matches!(
        option.configuration,
        Some(ContentKeyPolicyConfiguration::ClearKey(_))
    ));
    assert!(matches!(
        option.restriction,
        Some(ContentKeyPolicyRestriction::Token(_))
    ));

    // DRM needs more than the policy has.
    let refused = media
        .create_or_update_streaming_locator("play", locator("Predefined_MultiDrmCencStreaming"))
        .send()
        .await;
    let refused = refused.err().context("a refusal")?;
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(400));
    assert!(refused.to_string().contains("widevine"), "{refused}");

    media
        .create_or_update_streaming_locator("play", locator("Predefined_ClearKey"))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media
        .get_streaming_locator_paths("play")
        .body(StreamingLocatorPathsQuery::new())
        .send()
        .await?;
    let paths = serde_json::to_value(paths.into_inner())?;
    let url = paths["drm"]["clearKey"]["licenseAcquisitionUrl"].as_str();
    assert!(
        url.is_some_and(|url| url.starts_with("https://")),
        "{paths}"
    );

    let keys = media
        .list_streaming_locator_content_keys("play")
        .send()
        .await?;
    assert_eq!(keys.content_keys.as_ref().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn filters_are_in_the_paths_of_their_locator() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let filter = json!({ "properties": {
        "firstQuality": { "bitrate": 128_000 },
        "tracks": [{ "trackSelections": [
            { "property": "Type", "operation": "Equal", "value": "Audio" },
        ] }],
    } });
    media
        .create_or_update_asset_filter("film", "sound", body::<AssetFilterPut>(filter.clone())?)
        .send()
        .await?;
    media
        .create_or_update_account_filter("low", body::<AccountFilterPut>(filter)?)
        .send()
        .await?;
    let properties = StreamingLocatorPutProperties::new()
        .asset_name("film")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator(
            "play",
            StreamingLocatorPut::new(properties.with_filters(["sound", "low"])),
        )
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media
        .get_streaming_locator_paths("play")
        .body(StreamingLocatorPathsQuery::new())
        .send()
        .await?;
    let path = paths
        .streaming_paths
        .iter()
        .flatten()
        .find_map(|path| path.paths.as_ref()?.first());
    let path = path.context("a playback path")?;
    assert!(path.contains("filter=sound;low"), "{path}");
    // A filter stays as long as a locator uses it.
    let delete = || media.delete_account_filter("low").send();
    let refused = delete().await.err().context("a refusal")?;
    assert!(refused.to_string().contains("'play'"), "{refused}");
    quick(media.delete_streaming_locator_and_wait("play")).await?;
    delete().await?;
    Ok(())
}

#[tokio::test]
async fn content_is_protected_with_drm_under_a_policy_of_ones_own() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let open = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" });
    let policy: ContentKeyPolicyPut = body(json!({ "properties": { "options": [
        { "restriction": open, "configuration": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyWidevineConfiguration",
            "widevineTemplate": "{}",
        } },
        { "restriction": open, "configuration": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyFairPlayConfiguration",
            "ask": "YXNr", "fairPlayPfx": "cGZ4", "fairPlayPfxPassword": "word",
            "rentalAndLeaseKeyType": "Undefined", "rentalDuration": 0,
        } },
    ] } }))?;
    media
        .create_content_key_policy("keys", policy)
        .send()
        .await?;
    quick(media.wait_for_content_key_policy("keys")).await?;
    let protocols =
        json!({ "dash": true, "hls": true, "smoothStreaming": false, "download": false });
    let streaming: StreamingPolicyPut = body(json!({ "properties": {
        "commonEncryptionCenc": { "enabledProtocols": protocols, "drm": { "widevine": {} } },
        "commonEncryptionCbcs": {
            "enabledProtocols": protocols, "drm": { "fairPlay": { "allowPersistentLicense": false } },
        },
    } }))?;
    media
        .create_or_update_streaming_policy("drm", streaming)
        .send()
        .await?;
    media
        .create_or_update_streaming_locator("play", locator("drm"))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media
        .get_streaming_locator_paths("play")
        .body(StreamingLocatorPathsQuery::new())
        .send()
        .await?;
    let paths = serde_json::to_value(paths.into_inner())?;
    assert!(
        paths["drm"]["widevine"]["licenseAcquisitionUrl"].is_string(),
        "{paths}"
    );
    assert!(
        paths["drm"]["fairPlay"]["certificateUrl"].is_string(),
        "{paths}"
    );
    let text = paths["streamingPaths"].to_string();
    assert!(
        text.contains("encryption=cenc") && text.contains("encryption=cbcs-aapl"),
        "{text}"
    );
    // The keys are in use now; what is secret is told by one operation alone.
    let delete = media.delete_content_key_policy("keys").send();
    assert!(delete.await.is_err_and(|error| error.is_conflict()));
    let shown = media.get_content_key_policy("keys").send().await?;
    let shown = serde_json::to_string(&shown.into_inner())?;
    assert!(!shown.contains("cGZ4"), "{shown}");
    let secrets = media
        .get_content_key_policy_properties_with_secrets("keys")
        .send()
        .await?;
    assert!(!format!("{secrets:?}").contains("cGZ4"));
    let secrets = serde_json::to_string(&secrets.into_inner())?;
    assert!(secrets.contains("cGZ4"), "{secrets}");
    Ok(())
}
