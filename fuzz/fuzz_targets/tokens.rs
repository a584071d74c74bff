//! Resume tokens and written waits: whatever they hold, requests go to the list.
#![cfg_attr(fuzzing, no_main)]

mod service;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mkio_core::{Items, ResumeToken, Transport, WaitDescription};
use service::{Assets, LIST, Service};

static SERVICE: LazyLock<(Service, Transport)> = LazyLock::new(|| {
    let service = Service::default();
    *service.body.lock().unwrap() = br#"{"value":[{"name":"a"},{"name":"b"}]}"#.to_vec();
    let transport = service.transport("https://service.example");
    (service, transport)
});

fuzz_target!(|data: &[u8]| {
    if let Ok(description) = serde_json::from_slice::<WaitDescription>(data) {
        let text = serde_json::to_string(&description).unwrap();
        let again: WaitDescription = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
    }
    let Ok(token) = serde_json::from_slice::<ResumeToken>(data) else {
        return;
    };
    let (service, transport) = &*SERVICE;
    const URL: &str = "https://service.example/api/v1/assets";
    let request = mkio_core::reqwest::Request::new(http::Method::GET, URL.parse().unwrap());
    service::run(async {
        let items = Items::<Assets>::of(transport.clone(), &LIST, Ok(request));
        let mut items = items.prefetch(0).resume(&token);
        while let Ok(Some(_)) = items.try_next().await {}
        let _ = items.resume_token();
    });
    for asked in service.asked.lock().unwrap().drain(..) {
        let rest = asked.strip_prefix(URL).unwrap_or_else(|| panic!("{asked}"));
        assert!(rest.is_empty() || rest.starts_with('?'), "{asked}");
    }
});

#[cfg(not(fuzzing))]
fn main() {}
