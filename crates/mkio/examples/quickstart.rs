//! A VOD job from end to end: assets, a transform, a job with its progress, a published result.
//!
//! Without settings it starts an emulator inside this process. With `MKIO_TOKEN` it talks to the
//! service: `MKIO_PROJECT` names the project, `MKIO_BASE_URL` another host, `MKIO_STORAGE` the storage
//! account of the assets if it shall not be the project's first. The video to encode is the file
//! `MKIO_INPUT_FILE` (`intro.mp4`) in the container `MKIO_INPUT_CONTAINER` of that account.
//!
//! At the end it removes what it made. With `MKIO_KEEP` it waits for Ctrl-C before, so that the result can
//! be played.

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context, Result, anyhow};
use mkio::{
    CallOptions, Client,
    media::{ProjectClient, types::*},
    playback::playback_urls,
};
use mkio_emulator::Emulator;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart failed: {error:#}");
            eprintln!("{}", advice(&error));
            ExitCode::FAILURE
        }
    }
}

/// Runs on the service or on an emulator, and removes what it made.
///
/// # Errors
///
/// Those of the calls, and settings that are missing.
pub async fn run() -> Result<()> {
    // The emulator stops when it goes out of scope.
    let emulator;
    let client = if env::var_os("MKIO_TOKEN").is_some() {
        // A person is watching: report an unreachable service soon.
        let client =
            Client::from_env()?.with(CallOptions::new().total_timeout(Duration::from_secs(20)));
        println!("using {}", client.transport().base_url("media"));
        client
    } else {
        emulator = Emulator::builder()
            .project("demo")
            .seed(3)
            .time_scale(15.0)
            .start()
            .await
            .context("the emulator does not start")?;
        println!(
            "using the emulator at {} (set MKIO_TOKEN for the service)",
            emulator.base_url()
        );
        Client::builder()
            .base_url(emulator.base_url())
            .token(emulator.token())
            .project(emulator.project())
            .build()?
    };
    let media = client.default_project()?.media();
    if env::var_os("MKIO_TOKEN").is_none() {
        start_endpoint(&media).await?;
    }
    let storage = storage(&media).await?;
    let names = Names::new();
    let outcome = tokio::select! {
        outcome = work(&media, &storage, &names) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("stopped")),
    };
    if outcome.is_ok() && env::var_os("MKIO_KEEP").is_some() {
        println!("Ctrl-C cleans up");
        tokio::signal::ctrl_c().await?;
    }
    // Whatever happened, what was made goes; the first failure is the one to report.
    let cleaned = clean_up(&media, &names).await;
    match (outcome, cleaned) {
        (Ok(()), Ok(())) => {
            println!("cleaned up");
            Ok(())
        }
        (Ok(()), Err(error)) => Err(error).context("cleaning up"),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => {
            eprintln!("something was left behind ({}*): {left}", names.prefix);
            Err(error)
        }
    }
}

/// Addresses play while an endpoint runs. On the service that costs money, so it is left to its owner.
async fn start_endpoint(media: &ProjectClient) -> Result<()> {
    let mut endpoints = media.list_streaming_endpoints().items();
    let endpoint = endpoints.try_next().await?.context("an endpoint")?;
    let name = endpoint.name().context("its name")?;
    media.start_streaming_endpoint_and_wait(name).await?;
    println!("the streaming endpoint {name} runs");
    Ok(())
}

/// The storage account of the assets: the one that is named, or the project's first.
async fn storage(media: &ProjectClient) -> Result<String> {
    if let Ok(name) = env::var("MKIO_STORAGE") {
        return Ok(name);
    }
    let first = media.list_storages().items().try_next().await?;
    first
        .and_then(|storage| storage.metadata?.name)
        .context("the project has no storage account: register one, assets need it")
}

async fn work(media: &ProjectClient, storage: &str, names: &Names) -> Result<()> {
    for asset in [&names.input, &names.output] {
        let mut properties = AssetPutProperties::new(storage).with_description("mkio quickstart");
        if let (true, Ok(container)) = (asset == &names.input, env::var("MKIO_INPUT_CONTAINER")) {
            properties = properties.with_container(container);
        }
        media
            .create_or_update_asset(asset, properties)
            .send()
            .await
            .with_context(|| format!("creating the asset {asset}"))?;
        media.wait_for_asset(asset).await?;
        println!("asset {asset} is ready");
    }

    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let transform = TransformPutProperties::new([preset]);
    media
        .create_or_update_transform(&names.transform, transform)
        .send()
        .await
        .context("creating the transform")?;

    let file = env::var("MKIO_INPUT_FILE").unwrap_or_else(|_| "intro.mp4".to_owned());
    let input = JobInputAsset::new(&names.input).with_files([file]);
    let job = JobPutProperties::new(input, [JobOutputAsset::new(&names.output)]);
    media
        .run_job(&names.transform, &names.job, job)
        .timeout(Duration::from_secs(3600))
        .poll_every(Duration::from_millis(500)..Duration::from_secs(5))
        .on_change(|change| match change.progress {
            Some(percent) => println!("the job is {} ({percent} %)", change.state),
            None => println!("the job is {}", change.state),
        })
        .await
        .context("running the job")?;
    publish(media, names).await
}

/// Publishes the output and shows where it can be played.
async fn publish(media: &ProjectClient, names: &Names) -> Result<()> {
    let locator = StreamingLocatorPutProperties::new()
        .asset_name(&names.output)
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator(&names.locator, locator)
        .send()
        .await
        .context("publishing the output")?;
    media.wait_for_streaming_locator(&names.locator).await?;

    println!("assets of the project, page by page:");
    let mut pages = media.list_assets().top(2).pages();
    while let Some(page) = pages.try_next().await? {
        let names = page.value().iter().filter_map(|asset| asset.name());
        println!("  {}", names.collect::<Vec<_>>().join(", "));
    }

    let playback = playback_urls(media, &names.locator).await?;
    println!("it plays at:");
    for stream in playback.streams {
        println!("  {}: {}", stream.protocol, stream.url);
    }
    for warning in playback.warnings {
        println!("  {warning}");
    }
    Ok(())
}

/// Removes what was made, all that can be; what was never made is gone already.
async fn clean_up(media: &ProjectClient, names: &Names) -> mkio::Result<()> {
    let locator = media.delete_streaming_locator(&names.locator).send().await;
    // A job that still runs cannot be deleted.
    let canceled = media.cancel_job(&names.transform, &names.job).send().await;
    if canceled.is_ok() {
        // It may have ended in the meantime; the deletion tells.
        let _ = media
            .wait_for_job(&names.transform, &names.job)
            .goal("ended")
            .timeout(Duration::from_secs(60))
            .await;
    }
    let job = media.delete_job(&names.transform, &names.job).send().await;
    let transform = media.delete_transform(&names.transform).send().await;
    let output = media.delete_asset(&names.output).send().await;
    let input = media.delete_asset(&names.input).send().await;
    for outcome in [locator, job, transform, output, input] {
        match outcome {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

struct Names {
    prefix: String,
    input: String,
    output: String,
    transform: String,
    job: String,
    locator: String,
}

impl Names {
    /// Names that no other run uses.
    fn new() -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let prefix = format!("quickstart-{}-", &run[..8]);
        let name = |what: &str| format!("{prefix}{what}");
        Self {
            input: name("input"),
            output: name("output"),
            transform: name("transform"),
            job: name("job"),
            locator: name("locator"),
            prefix: prefix.clone(),
        }
    }
}

/// What to do about a failure.
fn advice(error: &anyhow::Error) -> &'static str {
    let error = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<mkio::Error>());
    match error
        .and_then(|error| error.status())
        .map(|status| status.as_u16())
    {
        Some(401) => "The service does not accept MKIO_TOKEN: make a new token and set it.",
        Some(403) => {
            "The token may not do this: give it or its user the capability in the project."
        }
        Some(404) => {
            "Check MKIO_PROJECT and MKIO_STORAGE: something that was named does not exist."
        }
        Some(409) => {
            "Something with that name exists or is in use; run again, names are new each time."
        }
        Some(_) => {
            "The service refused; the reference in the message helps its support to find out why."
        }
        None => match error.map(mkio::Error::kind) {
            Some(mkio::ErrorKind::Config) => {
                "Set what the message names, or unset MKIO_TOKEN to use the emulator."
            }
            Some(mkio::ErrorKind::Token) => "Make a new token and set it as MKIO_TOKEN.",
            Some(mkio::ErrorKind::Connection) => "Check MKIO_BASE_URL and the network.",
            Some(mkio::ErrorKind::Timeout) => "The service is slow; run it again.",
            Some(mkio::ErrorKind::Wait) => {
                "If the job found no video: MKIO_INPUT_CONTAINER names a container of the storage \
                 account that has one, MKIO_INPUT_FILE the file (intro.mp4 by default)."
            }
            _ => "Set what the message names and run it again.",
        },
    }
}
