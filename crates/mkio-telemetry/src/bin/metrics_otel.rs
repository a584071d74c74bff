//! Feeds OpenTelemetry with the metrics of the SDK, and prints them as a collector would get them.
//!
//! The adapter is `OtelMetrics` in `src/lib.rs`. Exchange the reader for an OTLP exporter to send them.

use anyhow::Result;
use mkio::{Client, media::types::AssetPutProperties};
use mkio_emulator::Emulator;
use mkio_telemetry::OtelMetrics;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

#[tokio::main]
async fn main() -> Result<()> {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let metrics = OtelMetrics::new(&provider.meter("mkio"));

    let emulator = Emulator::builder().seed(3).start().await?;
    let client: Client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .project(emulator.project())
        .metrics(metrics)
        .build()?;
    let media = client.default_project()?.media();
    emulator
        .control()
        .faults("GET */assets status=503 times=1")?;
    let assets: Vec<_> = media.list_assets().items().try_collect().await?;
    println!("{} assets", assets.len());
    let asset = AssetPutProperties::new("storage1");
    media.create_or_update_asset("new", asset).send().await?;
    media.wait_for_asset("new").await?;

    provider.force_flush()?;
    for resource in exporter.get_finished_metrics()? {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            println!("{} ({})", metric.name(), metric.unit());
        }
    }
    provider.shutdown()?;
    Ok(())
}
