//! Spans of calls as OpenTelemetry receives them.

use std::collections::BTreeMap;

use mkio::{Client, Dispatch, DispatchError, DispatchFuture, RetryPolicy};
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing_subscriber::layer::SubscriberExt;

/// 503 for the first request, then what `status` says.
struct Script(std::sync::atomic::AtomicU16, u16);

impl Dispatch for Script {
    fn dispatch(&self, _: mkio::reqwest::Request) -> DispatchFuture<'_> {
        let first = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let status = if first { 503 } else { self.1 };
        let body = if status == 200 {
            r#"{"name":"intro"}"#
        } else {
            r#"{"error":{"code":"E","detail":"d"},"ref":"r-1"}"#
        };
        let response = http::Response::builder().status(status).body(body);
        Box::pin(async { response.map(Into::into).map_err(DispatchError::not_sent) })
    }
}

/// The span of one call that is retried once and then answered with this status.
async fn span(status: u16) -> SpanData {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let client = Client::builder()
        .token("t")
        .retry(RetryPolicy::default().max_attempts(2))
        .dispatch(Script(Default::default(), status))
        .build()
        .expect("the settings are complete");
    let media = client.project("acme").media();
    let call = media.get_asset("intro");
    assert_eq!(call.send().await.is_ok(), status == 200);
    let mut spans = exporter.get_finished_spans().expect("the exporter lives");
    assert_eq!(spans.len(), 1, "one span per call");
    spans.remove(0)
}

fn attributes(span: &SpanData) -> BTreeMap<&str, &Value> {
    span.attributes
        .iter()
        .map(|pair| (pair.key.as_str(), &pair.value))
        .collect()
}

const TEMPLATE: &str = "/api/v1/projects/{project_name}/media/assets/{asset_name}";

#[tokio::test(start_paused = true)]
async fn a_call_is_a_client_span_with_the_conventions_names() {
    let span = span(200).await;
    assert_eq!(span.name, format!("GET {TEMPLATE}"));
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.status, Status::Unset);
    let attributes = attributes(&span);
    for (name, value) in [
        ("http.request.method", Value::from("GET")),
        ("http.response.status_code", Value::from(200)),
        ("http.request.resend_count", Value::from(1)),
        ("url.path", Value::from(TEMPLATE)),
        ("url.scheme", Value::from("https")),
        ("server.address", Value::from("app.mk.io")),
        ("server.port", Value::from(443)),
        ("mkio.operation", Value::from("get_asset")),
        ("mkio.project", Value::from("acme")),
    ] {
        assert_eq!(attributes.get(name), Some(&&value), "{name}");
    }
    assert!(attributes.contains_key("mkio.duration_ms"));
    assert!(!attributes.contains_key("error.type"));
    let events: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["attempt failed", "attempt succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_an_error_with_its_status_and_reference() {
    let span = span(404).await;
    assert!(
        matches!(span.status, Status::Error { .. }),
        "{:?}",
        span.status
    );
    let attributes = attributes(&span);
    for (name, value) in [
        ("http.response.status_code", Value::from(404)),
        ("error.type", Value::from("404")),
        ("mkio.ref", Value::from("r-1")),
    ] {
        assert_eq!(attributes.get(name), Some(&&value), "{name}");
    }
}
