//! Filters: of an asset (a clip of it), of the account (what phones get), in a locator and in an address.

use anyhow::Result;
use mkio::{media::types::*, playback::playback_urls};

use crate::place::Place;

/// Ticks of a second, unless a filter says otherwise.
const SECOND: i64 = 10_000_000;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();
    let (film, _) = place.video().await?;

    let clip = place.name("clip");
    place.undo(&clip, media.delete_asset_filter(&film, &clip).send());
    let range = PresentationTimeRange::new()
        .with_start_timestamp(10 * SECOND)
        .with_end_timestamp(25 * SECOND);
    let properties = MediaFilterProperties::new().with_presentation_time_range(range);
    let body = AssetFilterPut::new(properties);
    media.create_or_update_asset_filter(&film, &clip, body).send().await?;

    // Tracks that no selection names are left out, so sound is named as well. Conditions of one
    // selection hold together; one selection is enough for a track.
    let phones = place.name("phones");
    place.undo(&phones, media.delete_account_filter(&phones).send());
    let is = |property, value| {
        FilterTrackPropertyCondition::new(property, FilterTrackOperation::Equal, value)
    };
    let video = FilterTrackSelection::new([
        is(FilterTrackProperty::Type, "Video"),
        is(FilterTrackProperty::Bitrate, "0-1500000"),
    ]);
    let audio = FilterTrackSelection::new([is(FilterTrackProperty::Type, "Audio")]);
    let properties = MediaFilterProperties::new()
        .with_tracks([video, audio])
        .with_first_quality(FirstQuality::new(800_000));
    let body = AccountFilterPut::new(properties);
    media.create_or_update_account_filter(&phones, body).send().await?;

    // In the locator it applies to all its addresses; in an address, to that one alone.
    let locator = place.name("watch");
    place.undo(&locator, media.delete_streaming_locator_and_wait(&locator).missing_ok());
    let published = StreamingLocatorPutProperties::new()
        .asset_name(&film)
        .streaming_policy_name("Predefined_ClearStreamingOnly")
        .with_filters([clip.as_str()]);
    media.create_or_update_streaming_locator(&locator, published).send().await?;
    place.wait(media.wait_for_streaming_locator(&locator)).await?;
    for stream in playback_urls(&media, &locator).await?.streams {
        place.say(format!("everybody: {}", stream.url));
    }
    for stream in playback_urls(&media, &locator).filter(&phones).await?.streams {
        place.say(format!("phones: {}", stream.url));
    }
    Ok(())
}
