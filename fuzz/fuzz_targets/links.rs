//! Next links: whatever they say, requests go to the list.
#![cfg_attr(fuzzing, no_main)]

mod service;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mkio_core::{Items, Transport};
use service::{Assets, LIST, Service};

static SERVICE: LazyLock<(Service, Transport)> = LazyLock::new(|| {
    let service = Service::default();
    let transport = service.transport("https://service.example/gw");
    (service, transport)
});

fuzz_target!(|link: &str| {
    let (service, transport) = &*SERVICE;
    let body = serde_json::json!({"value": [{"name": "a"}], "@odata.nextLink": link});
    *service.body.lock().unwrap() = body.to_string().into_bytes();
    const URL: &str = "https://service.example/gw/api/v1/assets";
    let request = mkio_core::reqwest::Request::new(http::Method::GET, URL.parse().unwrap());
    service::run(async {
        let mut items = Items::<Assets>::of(transport.clone(), &LIST, Ok(request)).prefetch(0);
        for _ in 0..5 {
            if !matches!(items.try_next().await, Ok(Some(_))) {
                break;
            }
        }
    });
    for asked in service.asked.lock().unwrap().drain(..) {
        let rest = asked.strip_prefix(URL).unwrap_or_else(|| panic!("{asked}"));
        assert!(rest.is_empty() || rest.starts_with('?'), "{asked}");
    }
    // A raw link stays at the service, or is refused.
    let _ = service::run(transport.fetch::<serde_json::Value>(&LIST, link));
    for asked in service.asked.lock().unwrap().drain(..) {
        assert!(asked.starts_with("https://service.example/"), "{asked}");
    }
});

#[cfg(not(fuzzing))]
fn main() {}
