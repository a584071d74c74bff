//! The most frequent calls in their shortest form: these lines have to compile as they are.

use mkio::media::ProjectClient;
use mkio::media::types::*;

use crate::common::{Place, quick};

async fn encode(media: &ProjectClient, t: String, j: String) -> mkio::Result<()> {
    let job = JobPutProperties::new(
        JobInputAsset::new("input").with_files(["intro.mp4"]),
        [JobOutputAsset::new("output")],
    );
    // The order of the call is the order of the wait.
    media.create_job(&t, &j, job).send().await?;
    quick(media.wait_for_job(&t, &j)).await?;
    Ok(())
}

async fn is_done(media: &ProjectClient) -> mkio::Result<bool> {
    let job = media.get_job("h264", "job-1").send().await?;
    let done = job.state() == Some(&JobState::Finished);
    Ok(done)
}

fn urls(paths: &StreamingLocatorPaths) -> Vec<String> {
    let mut urls = Vec::new();
    for path in paths.streaming_paths() {
        let protocol = path.streaming_protocol().map_or("?", |p| p.as_str());
        for path in path.paths() {
            urls.push(format!("{protocol} {path}"));
        }
    }
    urls
}

#[tokio::test]
async fn creating_waiting_and_reading_take_a_line_each() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("input").await?;
    place.asset("output").await?;
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    media
        .create_or_update_transform("h264", TransformPutProperties::new([preset]))
        .send()
        .await?;
    encode(&media, "h264".to_owned(), "job-1".to_owned()).await?;
    assert!(is_done(&media).await?);

    let locator = StreamingLocatorPutProperties::new()
        .asset_name("output")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator("play", locator)
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    let paths = media.get_streaming_locator_paths("play").send().await?;
    let urls = urls(&paths);
    assert!(urls.iter().any(|url| url.starts_with("Hls ")), "{urls:?}");
    Ok(())
}
