//! Spans and events of the SDK for `tracing`: a span per call, an event per attempt.
//!
//! Runs a few calls on an emulator inside this process, one of which fails at first and is retried,
//! and prints each span when it ends. `RUST_LOG` chooses what is shown, by default the spans and
//! events of the SDK.

use std::io::stderr;

use anyhow::Result;
use mkio::{Client, media::ProjectClient};
use mkio_emulator::Emulator;
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// The SDK, without the emulator, whose name begins the same.
const FILTER: &str = "mkio=debug,mkio_emulator=off";

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| FILTER.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        // The span's fields are complete when it ends: status, attempts, time.
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(stderr)
        .init();

    let emulator = Emulator::builder().seed(3).start().await?;
    let settings = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .project(emulator.project())
        .user_agent_suffix("tracing-example/1.0");
    let client = settings.build()?;
    let media = client.default_project()?.media();

    emulator
        .control()
        .faults("GET */assets status=503 times=1")?;
    // Spans of calls are inside the span that is entered when they are awaited.
    let inventory = tracing::info_span!(target: "mkio", "inventory");
    let names = names(&media).instrument(inventory).await?;
    println!("assets: {}", names.join(", "));

    // A call that fails marks its span as an error.
    match media.get_asset("nowhere").send().await {
        Ok(_) => anyhow::bail!("there is an asset that nobody has made"),
        Err(error) => println!("as expected: {error}"),
    }
    Ok(())
}

async fn names(media: &ProjectClient) -> mkio::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut assets = media.list_assets().top(2).items();
    while let Some(asset) = assets.try_next().await? {
        names.extend(asset.name);
    }
    Ok(names)
}
