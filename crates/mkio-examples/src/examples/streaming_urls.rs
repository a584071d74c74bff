//! Everything that a project publishes: each locator with its asset and complete addresses.

use anyhow::Result;
use mkio::{media::types::StreamingLocatorPutProperties, playback::playback_urls};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();
    if place.emulator.is_some() {
        for number in 1..=3 {
            let name = place.name(&format!("film-{number}"));
            place.asset(&format!("film-{number}")).await?;
            let files = place.project.files();
            let upload = files.upload(&name, "film.mp4", place.storage_credential()?);
            upload.bytes("a film").await?;
            place.undo(&name, media.delete_streaming_locator(&name).send());
            let locator = StreamingLocatorPutProperties::new()
                .asset_name(&name)
                .streaming_policy_name("Predefined_DownloadAndClearStreaming");
            media.create_or_update_streaming_locator(&name, locator).send().await?;
        }
    }
    let mut locators = media.list_streaming_locators().items();
    while let Some(locator) = locators.try_next().await? {
        let name = locator.name().unwrap_or_default();
        place.say(format!("{name} ({})", locator.properties().asset_name().unwrap_or("?")));
        let playback = playback_urls(&media, name).await?;
        for warning in &playback.warnings {
            place.say(format!("  warning: {warning}"));
        }
        for stream in &playback.streams {
            place.say(format!("  {} {}", stream.protocol, stream.url));
        }
        for file in &playback.downloads {
            place.say(format!("  file {}", file.url));
        }
    }
    Ok(())
}
