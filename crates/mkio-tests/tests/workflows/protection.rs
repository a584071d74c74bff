//! Content keys, their policies and filters.

use anyhow::Context;
use mkio::media::types::*;

use crate::common::{Place, quick};

fn locator(policy: &str) -> StreamingLocatorPutProperties {
    StreamingLocatorPutProperties::new()
        .asset_name("film")
        .streaming_policy_name(policy)
        .with_default_content_key_policy_name("keys")
}

#[tokio::test]
async fn content_is_protected_with_clear_key() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let key = ContentKeyPolicySymmetricTokenKey::new("c2VjcmV0");
    let restriction = ContentKeyPolicyTokenRestriction::new(key, RestrictionTokenType::Jwt)
        .audience("a")
        .issuer("i");
    let clear_key = ContentKeyPolicyClearKeyConfiguration::new();
    let policy =
        ContentKeyPolicyPutProperties::new([ContentKeyPolicyOption::new(clear_key, restriction)]);
    assert!(!format!("{policy:?}").contains("c2VjcmV0"));
    media
        .create_content_key_policy("keys", policy)
        .send()
        .await?;
    let made = quick(media.wait_for_content_key_policy("keys")).await?;
    let [option] = made.properties().options() else {
        anyhow::bail!("one option, not {made:?}");
    };
    let configuration = option.configuration().context("a configuration")?;
    assert!(configuration.as_clear_key().is_some());
    let restriction = option.restriction().context("a restriction")?;
    let token = restriction.as_token().context("a token")?;
    assert_eq!((token.issuer(), token.audience()), (Some("i"), Some("a")));

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
    let paths = media.get_streaming_locator_paths("play").send().await?;
    let clear_key = paths.drm().get("clearKey").context("a licence address")?;
    let url = clear_key.license_acquisition_url();
    assert!(url.is_some_and(|url| url.as_str().starts_with("http")));

    let keys = media
        .list_streaming_locator_content_keys("play")
        .send()
        .await?;
    assert_eq!(keys.content_keys().len(), 1);
    Ok(())
}

#[tokio::test]
async fn filters_are_in_the_paths_of_their_locator() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let audio = FilterTrackPropertyCondition::new(
        FilterTrackProperty::Type,
        FilterTrackOperation::Equal,
        "Audio",
    );
    let filter = MediaFilterProperties::new()
        .with_first_quality(FirstQuality::new(128_000))
        .with_tracks([FilterTrackSelection::new([audio])]);
    media
        .create_or_update_asset_filter("film", "sound", filter.clone())
        .send()
        .await?;
    media
        .create_or_update_account_filter("low", filter)
        .send()
        .await?;
    let properties = StreamingLocatorPutProperties::new()
        .asset_name("film")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator("play", properties.with_filters(["sound", "low"]))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media.get_streaming_locator_paths("play").send().await?;
    let mut urls = paths.streaming_paths().iter().flat_map(|path| path.paths());
    let path = urls.next().context("a playback path")?;
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
    let widevine = ContentKeyPolicyWidevineConfiguration::new("{}");
    let fair_play =
        ContentKeyPolicyFairPlayConfiguration::new(FairPlayRentalAndLeaseKeyType::Undefined, 0)
            .ask("YXNr")
            .fair_play_pfx("cGZ4")
            .fair_play_pfx_password("word");
    let open = ContentKeyPolicyOpenRestriction::new;
    let policy = ContentKeyPolicyPutProperties::new([
        ContentKeyPolicyOption::new(widevine, open()),
        ContentKeyPolicyOption::new(fair_play, open()),
    ]);
    media
        .create_content_key_policy("keys", policy)
        .send()
        .await?;
    quick(media.wait_for_content_key_policy("keys")).await?;
    let protocols = EnabledProtocols::new().with_dash(true).with_hls(true);
    let widevine = StreamingPolicyWidevineConfiguration::new();
    let cenc = CommonEncryptionCenc::new()
        .with_enabled_protocols(protocols.clone())
        .with_drm(CencDrmConfiguration::new().with_widevine(widevine));
    let fair_play = StreamingPolicyFairPlayConfiguration::new().allow_persistent_license(false);
    let cbcs = CommonEncryptionCbcs::new()
        .with_enabled_protocols(protocols)
        .with_drm(CbcsDrmConfiguration::new().with_fair_play(fair_play));
    let streaming = StreamingPolicyProperties::new()
        .with_common_encryption_cenc(cenc)
        .with_common_encryption_cbcs(cbcs);
    media
        .create_or_update_streaming_policy("drm", streaming)
        .send()
        .await?;
    media
        .create_or_update_streaming_locator("play", locator("drm"))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media.get_streaming_locator_paths("play").send().await?;
    let widevine = paths.drm().get("widevine").context("Widevine")?;
    assert!(widevine.license_acquisition_url().is_some());
    let fair_play = paths.drm().get("fairPlay").context("FairPlay")?;
    assert!(fair_play.certificate_url().is_some());
    let urls = paths.streaming_paths().iter().flat_map(|path| path.paths());
    let urls: Vec<_> = urls.map(String::as_str).collect();
    for encryption in ["encryption=cenc", "encryption=cbcs-aapl"] {
        assert!(urls.iter().any(|url| url.contains(encryption)), "{urls:?}");
    }
    // The keys are in use now; one operation alone shows secrets.
    let delete = media.delete_content_key_policy("keys").send();
    assert!(delete.await.is_err_and(|error| error.is_conflict()));
    let shown = media.get_content_key_policy("keys").send().await?;
    let shown = serde_json::to_string(&shown.into_inner())?;
    assert!(!shown.contains("cGZ4"), "{shown}");
    let secrets = media.get_content_key_policy_secrets("keys").send().await?;
    assert!(!format!("{secrets:?}").contains("cGZ4"));
    let secrets = serde_json::to_string(&secrets.into_inner())?;
    assert!(secrets.contains("cGZ4"), "{secrets}");
    Ok(())
}
