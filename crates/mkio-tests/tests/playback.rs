//! Complete playback addresses, over all streaming policies that the emulator has from the start.

use std::time::Duration;

use mkio::{
    Client,
    media::{ProjectClient, types::*},
    playback::{PlaybackWarning, playback_urls},
};
use mkio_emulator::Emulator;
use serde_json::json;

async fn start() -> anyhow::Result<(Emulator, ProjectClient)> {
    let emulator = Emulator::builder().time_scale(0.0).start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .build()?;
    let media = client.project(emulator.project()).media();
    let asset = AssetPutProperties::new("storage1").with_container("filled");
    media.create_or_update_asset("film", asset).send().await?;
    let keys: ContentKeyPolicyPut = serde_json::from_value(json!({ "properties": { "options": [
        option("#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration", json!({})),
        option("#Microsoft.Media.ContentKeyPolicyWidevineConfiguration", json!({ "widevineTemplate": "{}" })),
        option("#Microsoft.Media.ContentKeyPolicyFairPlayConfiguration", json!({
            "ask": "YQ==", "fairPlayPfx": "YQ==", "fairPlayPfxPassword": "p",
            "rentalAndLeaseKeyType": "Undefined", "rentalDuration": 0,
        })),
        option("#Microsoft.Media.ContentKeyPolicyPlayReadyConfiguration", json!({ "licenses": [{
            "allowTestDevices": false, "contentType": "Unspecified", "licenseType": "NonPersistent",
            "contentKeyLocation": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyPlayReadyContentEncryptionKeyFromHeader" },
        }] })),
    ] } }))?;
    media.create_content_key_policy("keys", keys).send().await?;
    Ok((emulator, media))
}

fn option(kind: &str, mut configuration: serde_json::Value) -> serde_json::Value {
    configuration["@odata.type"] = json!(kind);
    let open = "#Microsoft.Media.ContentKeyPolicyOpenRestriction";
    json!({ "configuration": configuration, "restriction": { "@odata.type": open } })
}

async fn publish(media: &ProjectClient, policy: &str) -> anyhow::Result<String> {
    let locator = StreamingLocatorPutProperties::new()
        .asset_name("film")
        .streaming_policy_name(policy);
    let open = ["ClearStreaming", "Download"];
    let locator = if open.iter().any(|word| policy.contains(word)) {
        locator
    } else {
        locator.with_default_content_key_policy_name("keys")
    };
    let name = format!("of-{policy}");
    media
        .create_or_update_streaming_locator(&name, locator)
        .send()
        .await?;
    let made = media.get_streaming_locator(&name).send().await?;
    Ok(made
        .properties()
        .streaming_locator_id()
        .unwrap_or_default()
        .to_owned())
}

/// Protocol, encryption and options of the manifest; downloads.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str, &'static str)],
    bool,
);

const CLEAR: &[(&str, &str, &str)] = &[
    ("Hls", "NoEncryption", "format=m3u8-cmaf"),
    ("Dash", "NoEncryption", "format=mpd-time-cmaf"),
];
const CENC: [(&str, &str, &str); 2] = [
    (
        "Hls",
        "CommonEncryptionCenc",
        "format=m3u8-cmaf,encryption=cenc",
    ),
    (
        "Dash",
        "CommonEncryptionCenc",
        "format=mpd-time-cmaf,encryption=cenc",
    ),
];

#[rustfmt::skip]
const POLICIES: &[Row] = &[
    ("Predefined_ClearStreamingOnly", CLEAR, false),
    ("Predefined_DownloadOnly", &[], true),
    ("Predefined_DownloadAndClearStreaming", CLEAR, true),
    ("Predefined_ClearKey", &[
        ("Hls", "EnvelopeEncryption", "format=m3u8-cmaf,encryption=cbc"),
        ("Dash", "EnvelopeEncryption", "format=mpd-time-cmaf,encryption=cbc"),
    ], false),
    ("Predefined_MultiDrmCencStreaming", &CENC, false),
    ("Predefined_MultiDrmStreaming", &[
        CENC[0], CENC[1],
        ("Hls", "CommonEncryptionCbcs", "format=m3u8-cmaf,encryption=cbcs-aapl"),
    ], false),
];

#[tokio::test]
async fn every_predefined_policy() -> anyhow::Result<()> {
    let (emulator, media) = start().await?;
    let endpoint = media.get_streaming_endpoint("default").send().await?;
    let host = endpoint
        .properties()
        .host_name()
        .unwrap_or_default()
        .to_owned();
    let policies = media
        .list_streaming_policies()
        .items()
        .try_collect::<Vec<_>>()
        .await?;
    assert_eq!(policies.len(), POLICIES.len(), "a policy without a row");
    for (policy, streams, downloads) in POLICIES {
        let id = publish(&media, policy).await?;
        let playback = playback_urls(&media, format!("of-{policy}")).await?;
        let base = format!("http://{host}/{id}/");
        let told: Vec<_> = playback
            .streams
            .iter()
            .map(|stream| {
                (
                    stream.protocol.as_str(),
                    stream.encryption.as_str(),
                    stream.url.as_str(),
                )
            })
            .filter(|(protocol, ..)| *protocol != "SmoothStreaming")
            .collect();
        let expected: Vec<_> = streams
            .iter()
            .map(|(protocol, encryption, options)| {
                (
                    *protocol,
                    *encryption,
                    format!("{base}manifest.ism/manifest({options})"),
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(p, e, url)| (*p, *e, url.as_str()))
            .collect();
        assert_eq!(told, expected, "{policy}");
        let urls = playback.downloads.iter().map(|file| file.url.as_str());
        let mut files: Vec<&str> = urls.collect();
        files.sort_unstable();
        let all = [format!("{base}audio.mp4"), format!("{base}video.mp4")];
        let all: &[String] = if *downloads { &all } else { &[] };
        assert_eq!(files, all, "{policy}");
    }
    drop(emulator);
    Ok(())
}

#[tokio::test]
async fn endpoints_that_stand_still_are_told_and_come_last() -> anyhow::Result<()> {
    let (emulator, media) = start().await?;
    publish(&media, "Predefined_ClearStreamingOnly").await?;
    let locator = "of-Predefined_ClearStreamingOnly";
    let playback = playback_urls(&media, locator).await?;
    assert_eq!(
        playback.warnings,
        [PlaybackWarning::NoneRunning(vec!["default".to_owned()])]
    );
    let body: StreamingEndpointPut = serde_json::from_value(json!({
        "location": "eastus", "properties": { "scaleUnits": 0, "cdnEnabled": true },
    }))?;
    media
        .create_streaming_endpoint("front", body)
        .send()
        .await?;
    let step = || emulator.control().step(Duration::from_secs(60));
    step();
    media.start_streaming_endpoint("front").send().await?;
    step();
    let playback = playback_urls(&media, locator)
        .filter("hd")
        .filter("no subtitles")
        .await?;
    assert_eq!(playback.warnings, []);
    let first = &playback.streams[0];
    assert_eq!(
        (
            &*first.endpoint.name,
            first.endpoint.running,
            first.endpoint.cdn
        ),
        ("front", true, true)
    );
    assert!(
        first.url.ends_with(",filter=hd;no%20subtitles)"),
        "{}",
        first.url
    );
    let front = media.get_streaming_endpoint("front").send().await?;
    let base = front
        .properties()
        .cdn_base_path()
        .unwrap_or_default()
        .to_owned();
    assert!(
        base.len() > 1 && first.url.contains(&format!("{base}/")),
        "{}",
        first.url
    );
    assert!(
        playback
            .streams
            .iter()
            .any(|stream| stream.endpoint.name == "default")
    );
    let gone = playback_urls(&media, "nowhere").await.unwrap_err();
    assert!(gone.is_not_found());
    Ok(())
}
