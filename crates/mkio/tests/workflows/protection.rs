//! Content keys, their policies and filters.

use anyhow::Context;
use mkio::media::types::*;
use serde_json::json;

use crate::common::{Place, body, quick};

fn locator(policy: &str) -> StreamingLocatorPut {
    let properties = StreamingLocatorPutProperties::new("film", policy);
    StreamingLocatorPut::new(properties.default_content_key_policy_name("keys"))
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
        .create_content_key_policy()
        .policy_name("keys")
        .body(policy)
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
        .create_or_update_streaming_locator()
        .locator_name("play")
        .body(locator("Predefined_MultiDrmCencStreaming"))
        .send()
        .await;
    let refused = refused.err().context("a refusal")?;
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(400));
    assert!(refused.to_string().contains("widevine"), "{refused}");

    media
        .create_or_update_streaming_locator()
        .locator_name("play")
        .body(locator("Predefined_ClearKey"))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media
        .get_streaming_locator_paths()
        .locator_name("play")
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
        .list_streaming_locator_content_keys()
        .locator_name("play")
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
        .create_or_update_asset_filter()
        .asset_name("film")
        .filter_name("sound")
        .body(body::<AssetFilterPut>(filter.clone())?)
        .send()
        .await?;
    media
        .create_or_update_account_filter()
        .filter_name("low")
        .body(body::<AccountFilterPut>(filter)?)
        .send()
        .await?;
    let properties = StreamingLocatorPutProperties::new("film", "Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator()
        .locator_name("play")
        .body(StreamingLocatorPut::new(
            properties.filters(["sound", "low"]),
        ))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media
        .get_streaming_locator_paths()
        .locator_name("play")
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
    let delete = || media.delete_account_filter().filter_name("low").send();
    let refused = delete().await.err().context("a refusal")?;
    assert!(refused.to_string().contains("'play'"), "{refused}");
    quick(media.delete_streaming_locator_and_wait("play")).await?;
    delete().await?;
    Ok(())
}
