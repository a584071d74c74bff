//! Traces and metrics of the SDK in OpenTelemetry: see `src/bin`, `tests` and [`OtelMetrics`].

use mkio::{Measurement, Metrics};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};

/// Feeds OpenTelemetry. Copy it and change the names to yours.
///
/// Names follow OpenTelemetry's HTTP conventions where there are any. Attributes are few, so that the
/// series stay few: operation, API, status, and the kind of a failure.
#[derive(Debug)]
pub struct OtelMetrics {
    calls: Histogram<f64>,
    attempts: Histogram<f64>,
    resends: Counter<u64>,
    budget_waits: Histogram<f64>,
    polled: Counter<u64>,
}

impl OtelMetrics {
    /// Makes the instruments of a meter.
    pub fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, about: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s");
            histogram.with_description(about).build()
        };
        Self {
            calls: seconds(
                "mkio.call.duration",
                "Calls, with all their attempts and waits",
            ),
            attempts: seconds("http.client.request.duration", "Attempts"),
            resends: meter.u64_counter("mkio.call.resends").build(),
            budget_waits: seconds("mkio.budget.wait", "Waits for a turn in the rate budget"),
            polled: meter.u64_counter("mkio.polled").build(),
        }
    }
}

impl Metrics for OtelMetrics {
    fn call(&self, call: &Measurement<'_>) {
        let attributes = attributes(call);
        self.calls
            .record(call.duration().as_secs_f64(), &attributes);
        let resends = u64::from(call.attempts().saturating_sub(1));
        self.resends.add(resends, &attributes);
    }

    fn attempt(&self, attempt: &Measurement<'_>) {
        let seconds = attempt.duration().as_secs_f64();
        self.attempts.record(seconds, &attributes(attempt));
    }

    fn budget_wait(&self, wait: &Measurement<'_>) {
        let seconds = wait.duration().as_secs_f64();
        self.budget_waits.record(seconds, &attributes(wait));
    }

    fn poll(&self, poll: &Measurement<'_>, resources: usize) {
        self.polled.add(resources as u64, &attributes(poll));
    }
}

fn attributes(told: &Measurement<'_>) -> Vec<KeyValue> {
    let operation = told.operation();
    let mut attributes = vec![
        KeyValue::new("mkio.api", operation.api),
        KeyValue::new("mkio.operation", operation.id),
        KeyValue::new("http.request.method", operation.method.as_str().to_owned()),
    ];
    if let Some(status) = told.status() {
        let status = i64::from(status.as_u16());
        attributes.push(KeyValue::new("http.response.status_code", status));
    }
    if let Some(failure) = told.error_type() {
        attributes.push(KeyValue::new("error.type", failure));
    }
    attributes
}
