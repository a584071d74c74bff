//! Metrics as OpenTelemetry receives them, of calls and waits on an emulator.

use std::{collections::BTreeMap, time::Duration};

use mkio::{Client, RetryPolicy, media::types::AssetPutProperties};
use mkio_emulator::Emulator;
use mkio_telemetry::OtelMetrics;
use opentelemetry::{KeyValue, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};

/// `name operation`, with how often it was exported; for counters with the sum.
fn exported(exporter: &InMemoryMetricExporter) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut note = |name: &str, attributes: Vec<&KeyValue>, count: u64| {
        let operation = attributes
            .iter()
            .find(|pair| pair.key.as_str() == "mkio.operation");
        let operation = operation.map_or("?".to_owned(), |pair| pair.value.to_string());
        *counts.entry(format!("{name} {operation}")).or_default() += count;
    };
    for resource in exporter.get_finished_metrics().expect("the exporter lives") {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    for point in histogram.data_points() {
                        note(metric.name(), point.attributes().collect(), point.count());
                    }
                }
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    for point in sum.data_points() {
                        note(metric.name(), point.attributes().collect(), point.value());
                    }
                }
                _ => {}
            }
        }
    }
    counts
}

#[tokio::test]
async fn calls_attempts_and_polls_are_counted() -> anyhow::Result<()> {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let emulator = Emulator::start().await?;
    let client: Client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .retry(RetryPolicy::default().initial_backoff(Duration::from_millis(1)))
        .metrics(OtelMetrics::new(&provider.meter("mkio")))
        .build()?;
    let media = client.project(emulator.project()).media();
    emulator
        .control()
        .faults("GET */media/assets status=503 times=2")?;
    media.list_assets().send().await?;
    for name in ["a", "b"] {
        let asset = AssetPutProperties::new("storage1");
        media.create_or_update_asset(name, asset).send().await?;
        let wait = media.wait_for_asset(name);
        wait.poll_every(Duration::from_millis(10)..Duration::from_millis(20))
            .await?;
    }
    provider.force_flush()?;
    let exported = exported(&exporter);
    assert_eq!(exported["mkio.call.duration list_assets"], 1);
    assert_eq!(exported["http.client.request.duration list_assets"], 3);
    assert_eq!(exported["mkio.call.resends list_assets"], 2);
    assert_eq!(exported["mkio.call.duration create_or_update_asset"], 2);
    assert!(exported["mkio.polled get_asset_state"] >= 2, "{exported:?}");
    assert!(
        exported["mkio.call.duration get_asset_state"] >= 2,
        "{exported:?}"
    );
    provider.shutdown()?;
    Ok(())
}
