//! Encoding, publishing and failing.

use anyhow::Context;
use mkio::media::ProjectClient;
use mkio::media::types::*;
use mkio::{WaitFailure, wait::Reason};
use mkio_emulator::JobFailure;

use crate::common::{Place, quick};

async fn encoder(media: &ProjectClient) -> anyhow::Result<()> {
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let transform = TransformPutProperties::new([preset]);
    media
        .create_or_update_transform("encode", transform)
        .send()
        .await?;
    Ok(())
}

fn job() -> JobPutProperties {
    let input = JobInputAsset::new("input").with_files(["intro.mp4"]);
    JobPutProperties::new(input, [JobOutputAsset::new("output")])
}

#[tokio::test]
async fn an_asset_is_encoded_and_published() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("input").await?;
    place.asset("output").await?;
    encoder(&media).await?;

    let done = quick(media.run_job("encode", "job", job())).await?;
    assert_eq!(done.state(), JobState::Finished);

    let locator = StreamingLocatorPutProperties::new()
        .asset_name("output")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator("locator", locator)
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("locator")).await?;

    let endpoint = StreamingEndpointPutProperties::new(1);
    let endpoint = StreamingEndpointPut::new("westeurope", endpoint);
    media
        .create_streaming_endpoint("play", endpoint)
        .send()
        .await?;
    // It is still being created: the start waits for that.
    let endpoint = quick(media.start_streaming_endpoint_and_wait("play")).await?;
    let host = endpoint.properties().host_name();
    assert!(host.is_some_and(|host| host.contains('.')));

    let paths = media.get_streaming_locator_paths("locator").send().await?;
    let mut urls = paths.streaming_paths().iter().flat_map(|path| path.paths());
    let first = urls.next().context("a playback path")?;
    assert!(first.contains("/manifest("), "{first}");

    quick(media.stop_streaming_endpoint_and_wait("play")).await?;
    quick(media.delete_streaming_endpoint_and_wait("play")).await?;
    quick(media.delete_streaming_locator_and_wait("locator")).await?;
    quick(media.delete_job_and_wait("encode", "job")).await?;
    quick(media.delete_asset_and_wait("output")).await?;
    let gone = media.get_asset("output").send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn the_failure_of_a_job_says_what_its_output_says() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("input").await?;
    place.asset("output").await?;
    encoder(&media).await?;
    // The job makes no progress before it fails.
    place.emulator.control().pause();
    media.create_job("encode", "job", job()).send().await?;
    let failure = JobFailure {
        category: "Content".to_owned(),
        code: "ContentMalformed".to_owned(),
        message: "The input has no video.".to_owned(),
        may_retry: false,
    };
    place
        .emulator
        .control()
        .fail_job("demo", "encode", "job", &failure)
        .map_err(anyhow::Error::msg)?;
    place.emulator.control().resume();

    let Err(error) = quick(media.wait_for_job("encode", "job")).await else {
        anyhow::bail!("the job must fail");
    };
    let failure = WaitFailure::of(&error).context("a failure of the wait")?;
    assert_eq!(failure.reason, Reason::State);
    assert_eq!(failure.state.as_deref(), Some("Error"));
    let output = failure.errors.first().context("the output's error")?;
    assert_eq!(output.code.as_deref(), Some("ContentMalformed"));
    assert_eq!(output.category.as_deref(), Some("Content"));
    assert_eq!(output.message.as_deref(), Some("The input has no video."));
    assert_eq!(output.retry.as_deref(), Some("DoNotRetry"));
    Ok(())
}
