//! Requests to a webhook: nobody without the secret gets in, and every request has a response.
#![cfg_attr(fuzzing, no_main)]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mkio::webhook::{SharedSecret, Webhook};
use tokio::runtime::{Builder, Runtime};

static WEBHOOK: LazyLock<(Webhook, Runtime)> = LazyLock::new(|| {
    let builder = Webhook::builder()
        .secret(SharedSecret::header("x-secret", "open sesame"))
        .largest_body(10_000);
    let webhook = builder.on_event(|event| async move {
        assert!(format!("{event:?}").len() < 200_000);
        Ok(())
    });
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    (webhook.build().unwrap(), runtime)
});

fuzz_target!(|request: (&str, &[u8], &[u8])| {
    let (webhook, runtime) = &*WEBHOOK;
    let (method, secret, body) = request;
    let Ok(method) = http::Method::from_bytes(method.as_bytes()) else {
        return;
    };
    for (secret, known) in [(secret, secret == b"open sesame"), (b"open sesame", true)] {
        let Ok(secret) = http::HeaderValue::from_bytes(secret) else {
            continue;
        };
        let request = http::Request::builder()
            .method(method.clone())
            .header("x-secret", secret)
            .header("content-type", "application/cloudevents+json")
            .body(body.to_vec())
            .unwrap();
        let status = runtime.block_on(webhook.handle(request)).status().as_u16();
        let expected: &[u16] = match (known, method == http::Method::POST) {
            (true, true) => &[204, 400, 413, 415],
            (false, true) => &[401],
            (_, false) => &[405, 401],
        };
        assert!(expected.contains(&status), "{status}");
    }
});

#[cfg(not(fuzzing))]
fn main() {}
