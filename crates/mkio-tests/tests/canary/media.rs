//! Files, addresses, bulk work and metrics.

use std::sync::{Arc, Mutex};

use mkio::bulk::Bulk;
use mkio::files::StorageCredential;
use mkio::media::types::*;
use mkio::playback::{PlaybackWarning, playback_urls};
use mkio::{Client, Measurement, Metrics, Secret};
use mkio_emulator::{Emulator, STORAGE_SAS};

use crate::CANARY;
use crate::shown::Shown;

fn secret() -> Secret<String> {
    Secret::new(CANARY.to_owned())
}

/// Prints all metrics.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<String>>>);

impl Metrics for Printed {
    fn call(&self, call: &Measurement<'_>) {
        let text = format!("{call:?} {call:#?}");
        self.0.lock().expect("no panic").push(text);
    }
}

pub async fn show(shown: &mut Shown, emulator: &Emulator) -> anyhow::Result<()> {
    let printed = Printed::default();
    let client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .project(emulator.project())
        .metrics(printed.clone())
        .build()?;
    files(shown, &client).await?;
    addresses(shown, &client).await?;
    let texts = std::mem::take(&mut *printed.0.lock().expect("no panic"));
    anyhow::ensure!(!texts.is_empty(), "nothing was measured");
    shown.texts_of::<Measurement<'static>>(texts);
    let bulk = Bulk::each([1, 2]);
    shown.debug(&bulk);
    let work = |_| {
        (
            CANARY.len().to_string(),
            std::future::ready(Err::<(), _>("refused")),
        )
    };
    let report = bulk.run(work).await;
    shown.debug(&report);
    shown.debug(&report.failed[0]);
    Ok(())
}

async fn files(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let project = client.default_project()?;
    let asset = AssetPutProperties::new("storage1").with_container("canary");
    let media = project.media();
    media.create_or_update_asset("kept", asset).send().await?;
    for credential in [
        StorageCredential::sas(format!("?sig={CANARY}")),
        StorageCredential::access_key("id", secret()),
        StorageCredential::access_key("id", secret()).with_session_token(secret()),
    ] {
        shown.debug(&credential);
        let files = project.files();
        let upload = files.upload("kept", "film.mp4", credential).max_retries(0);
        shown.failure(upload.bytes(vec![1]).await);
    }
    let files = project.files();
    shown.debug(&files);
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let upload = files
        .upload("kept", "film.mp4", StorageCredential::sas(STORAGE_SAS))
        .on_progress(move |progress| seen.lock().expect("no panic").push(progress));
    upload.bytes(vec![1, 2, 3]).await?;
    shown.debug(&told.lock().expect("no panic")[0]);
    let listing = files.list("kept").await?;
    shown.debug(&listing);
    shown.debug(&listing.files[0]);
    let download = files.download("kept", "film.mp4").send().await?;
    shown.debug(&download);
    anyhow::ensure!(download.bytes().await?[..] == [1, 2, 3], "as it was sent");
    Ok(())
}

async fn addresses(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let media = client.default_project()?.media();
    let filled = AssetPutProperties::new("storage1").with_container("filled");
    media.create_or_update_asset("shown", filled).send().await?;
    let locator = StreamingLocatorPutProperties::new()
        .asset_name("shown")
        .streaming_policy_name("Predefined_DownloadAndClearStreaming");
    media
        .create_or_update_streaming_locator("play", locator)
        .send()
        .await?;
    let request = playback_urls(&media, "play");
    shown.debug(&request);
    let playback = request.await?;
    shown.debug(&playback);
    shown.debug(&playback.streams[0]);
    shown.debug(&playback.downloads[0]);
    shown.debug(&*playback.streams[0].endpoint);
    shown.debug(&PlaybackWarning::NoneRunning(Vec::new()));
    Ok(())
}
