//! Sends the spans of a few calls to an OpenTelemetry collector, over OTLP.
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is the address of the collector, for example `http://localhost:4318`.
//! Without it, a receiver inside this process takes the place of one, and prints the spans that arrive.

use std::env;

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, routing::post};
use mkio::Client;
use mkio_emulator::Emulator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<()> {
    let collector = match env::var("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Ok(endpoint) => endpoint,
        Err(_) => receiver().await?,
    };
    // The exporter has an HTTP client of its own, which needs a crypto provider: this sets one.
    let _ = mkio::http_client_builder()?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(
            Resource::builder()
                .with_service_name("mkio-example")
                .build(),
        )
        .build();
    tracing_subscriber::registry()
        // The SDK alone: the exporter's own requests must not become spans.
        .with(EnvFilter::new("off,mkio=debug"))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("mkio-example")))
        .init();

    let emulator = Emulator::builder().seed(3).start().await?;
    let settings = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .project(emulator.project());
    let media = settings.build()?.default_project()?.media();
    // The first attempt fails: its span has two events.
    emulator
        .control()
        .faults("GET */assets status=503 times=1")?;
    let assets: Vec<_> = media.list_assets().items().try_collect().await?;
    println!("{} assets", assets.len());
    if let Err(error) = media.get_asset("nowhere").send().await {
        println!("as expected: {error}");
    }

    // Waits until everything is sent, on a thread of its own: the exporter blocks.
    tokio::task::spawn_blocking(move || provider.shutdown())
        .await?
        .context("the collector did not take the spans")
}

/// Takes spans on loopback; gives its address.
async fn receiver() -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let take = async |spans: Bytes| println!("the receiver got {} bytes of spans", spans.len());
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}
