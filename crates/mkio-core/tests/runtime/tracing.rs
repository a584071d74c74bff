//! One span per call, one event per attempt, in OpenTelemetry's words.

use ::tracing::{Instrument, field::Empty, info_span};
use http::Method;
use mkio_core::RateBudget;

use crate::support::*;

fn lines<'a>(text: &'a str, what: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(what)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_is_one_span_with_one_event_per_attempt() {
    let script = Script::new([Scripted::status(503).with("retry-after", 2), Scripted::ok()]);
    let capture = Capture::start();
    call(&transport(&script), &GET).await.unwrap();
    let text = capture.text();
    assert_eq!(lines(&text, " new").len(), 1, "{text}");
    let failed = lines(&text, "attempt failed");
    assert_eq!(failed.len(), 1, "{text}");
    for part in [
        "WARN",
        "http.request.resend_count=0",
        "http.response.status_code=503",
        "error.type=503",
        "mkio.ref=\"r-503\"",
        "mkio.retry_in_ms=2000",
    ] {
        assert!(failed[0].contains(part), "{part}: {text}");
    }
    let succeeded = lines(&text, "attempt succeeded");
    assert_eq!(succeeded.len(), 1, "{text}");
    assert!(
        succeeded[0].contains("http.request.resend_count=1"),
        "{text}"
    );
    let close = lines(&text, " close")[0];
    for part in [
        "mkio.call",
        "otel.name=\"GET /api/v1/projects/{project_name}/media/assets/{asset_name}\"",
        "otel.kind=\"client\"",
        "mkio.operation=\"GET\"",
        "mkio.api=\"media\"",
        "mkio.project=\"acme\"",
        "http.request.method=GET",
        "url.path=\"/api/v1/projects/{project_name}/media/assets/{asset_name}\"",
        "url.scheme=\"https\"",
        "server.address=\"app.mk.io\"",
        "server.port=443",
        "http.response.status_code=200",
        "http.request.resend_count=1",
        "mkio.duration_ms=2000",
        "mkio.budget.wait_ms=0",
    ] {
        assert!(close.contains(part), "{part}: {close}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_says_so_on_its_span() {
    let script = Script::new([Scripted::status(404)]);
    let capture = Capture::start();
    call(&transport(&script), &GET).await.unwrap_err();
    let text = capture.text();
    let close = lines(&text, " close")[0];
    for part in [
        "otel.status_code=\"ERROR\"",
        "error.type=\"404\"",
        "mkio.ref=\"r-404\"",
        "http.response.status_code=404",
    ] {
        assert!(close.contains(part), "{part}: {close}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_is_on_the_span() {
    let script = Script::new([]);
    let transport = builder(&script)
        .rate_budget(RateBudget::default().reads(1).writes(1))
        .build()
        .unwrap();
    call(&transport, &GET).await.unwrap();
    let capture = Capture::start();
    call(&transport, &GET).await.unwrap();
    let text = capture.text();
    assert!(text.contains("mkio.budget.wait_ms=60000"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_shows_its_path_without_the_query() {
    let script = Script::new([]);
    let capture = Capture::start();
    transport(&script)
        .request(Method::GET, "/api/v1/new?inline=hunter2")
        .query("sig", "hunter3")
        .send()
        .await
        .unwrap();
    let text = capture.text();
    assert!(text.contains("url.path=\"/api/v1/new\""), "{text}");
    assert!(text.contains("otel.name=\"GET\""), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_on_the_span_of_the_caller() {
    // The runtime's own spans are filtered out.
    let capture = Capture::without("mkio");
    let script = Script::new([]);
    let transport = transport(&script);
    let span = info_span!("caller", http.response.status_code = Empty);
    call(&transport, &GET).instrument(span).await.unwrap();
    let text = capture.text();
    assert!(text.contains("caller"), "{text}");
    assert!(!text.contains("status_code="), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_event_alone_says_which_call_it_belongs_to() {
    let script = Script::new([Scripted::status(500), Scripted::status(404)]);
    let capture = Capture::start();
    call(&transport(&script), &GET).await.unwrap_err();
    let text = capture.text();
    let failed = lines(&text, "attempt failed");
    for line in &failed {
        let event = line.split("attempt failed").nth(1).unwrap();
        assert!(event.contains("mkio.operation=\"GET\""), "{text}");
        assert!(event.contains("mkio.project=\"acme\""), "{text}");
    }
    // What programs ask for is nothing to warn of.
    assert!(failed[0].contains("WARN"), "{text}");
    assert!(failed[1].contains("DEBUG"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_response_that_does_not_decode_is_told() {
    let script = Script::new([Scripted::json(200, r#"{"value":["hunter2"]}"#)]);
    let capture = Capture::start();
    #[derive(Debug, serde::Deserialize)]
    struct List {
        value: Vec<u8>,
    }
    let read = transport(&script).fetch::<List>(&GET, PATH).await;
    assert!(read.is_err_and(|error| error.json_path() == Some("value[0]")));
    let text = capture.text();
    let told = lines(&text, "does not decode");
    assert_eq!(told.len(), 1, "{text}");
    assert!(
        told[0].contains("value[0]") && told[0].contains("GET"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    let fine: List = serde_json::from_str(r#"{"value":[1]}"#).unwrap();
    assert_eq!(fine.value, [1]);
}
