//! DRM with a token restriction: a content key policy for Widevine and PlayReady, a locator that uses it,
//! and the token that a player sends to get its licence.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD}};
use mkio::{Secret, media::types::*, playback::playback_urls, serde_json::json};
use ring::{hmac, rand::{SecureRandom, SystemRandom}};

use crate::place::Place;

const ISSUER: &str = "https://login.example/";
const AUDIENCE: &str = "acme-players";

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();
    let (film, _) = place.video().await?;
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).ok().context("random bytes")?;

    // A player gets a licence for a JWT that is signed with this key. The key travels in Base64.
    let verification = ContentKeyPolicySymmetricTokenKey::new(Secret::new(STANDARD.encode(key)));
    let restriction = || {
        ContentKeyPolicyTokenRestriction::new(verification.clone(), RestrictionTokenType::Jwt)
            .audience(AUDIENCE)
            .issuer(ISSUER)
    };
    // The template is JSON in a string.
    let template = json!({ "allowed_track_types": "SD_HD" }).to_string();
    let widevine = ContentKeyPolicyWidevineConfiguration::new(template);
    let license = ContentKeyPolicyPlayReadyLicense::new(
        PlayReadyLicenseType::NonPersistent,
        PlayReadyContentType::Unspecified,
        ContentKeyPolicyPlayReadyContentEncryptionKeyFromHeader::new(),
    )
    .allow_test_devices(false);
    let play_ready = ContentKeyPolicyPlayReadyConfiguration::new([license]);
    let options = [
        ContentKeyPolicyOption::new(widevine, restriction()).with_name("widevine"),
        ContentKeyPolicyOption::new(play_ready, restriction()).with_name("playready"),
    ];
    let policy = place.name("keys");
    place.undo(&policy, media.delete_content_key_policy(&policy).send());
    let properties = ContentKeyPolicyPutProperties::new(options);
    media.create_content_key_policy(&policy, properties).send().await?;
    place.wait(media.wait_for_content_key_policy(&policy)).await?;

    // This streaming policy asks for exactly those two: see the table in `mkio::playback`.
    let locator = place.name("watch");
    place.undo(&locator, media.delete_streaming_locator_and_wait(&locator).missing_ok());
    let published = StreamingLocatorPutProperties::new()
        .asset_name(&film)
        .streaming_policy_name("Predefined_MultiDrmCencStreaming")
        .with_default_content_key_policy_name(&policy);
    media.create_or_update_streaming_locator(&locator, published).send().await?;
    place.wait(media.wait_for_streaming_locator(&locator)).await?;

    for stream in playback_urls(&media, &locator).await?.streams {
        place.say(format!("{} ({}): {}", stream.protocol, stream.encryption, stream.url));
    }
    let paths = media.get_streaming_locator_paths(&locator).send().await?;
    for (system, drm) in paths.drm() {
        let url = drm.license_acquisition_url().map_or("-", |url| url.as_str());
        place.say(format!("licences for {system}: {url}"));
    }
    let expires = mkio::chrono::Utc::now().timestamp() + 3_600;
    let token = token(&key, &json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": expires }));
    // Made by your server for a player, which sends it as `Authorization: Bearer …`.
    place.say(format!("a player's token has {} characters", token.len()));
    Ok(())
}

/// A JWT with these claims (HS256).
fn token(key: &[u8], claims: &mkio::serde_json::Value) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let part = |value: &mkio::serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
