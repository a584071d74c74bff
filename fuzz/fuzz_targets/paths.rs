//! Paths and names: the URL has exactly what was given.
#![cfg_attr(fuzzing, no_main)]

mod service;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mkio_core::{Operation, Transport, glue::RequestBuilder};
use service::Service;

static SERVICE: LazyLock<(Service, Transport)> = LazyLock::new(|| {
    let service = Service::default();
    *service.body.lock().unwrap() = b"{}".to_vec();
    let transport = service.transport("https://service.example/gw/");
    (service, transport)
});

static GET: Operation = Operation {
    id: "get_asset",
    api: "media",
    method: http::Method::GET,
    path: "/api/v1/assets/{asset_name}/tracks/{track_name}",
    request_body: None,
    streams: false,
};

fuzz_target!(|names: (&str, &str)| {
    let (service, transport) = &*SERVICE;
    let refused = |name: &str| matches!(name, "" | "." | "..");
    match RequestBuilder::new(transport, &GET, &[names.0, names.1]).build() {
        Ok(request) => {
            let segments: Vec<_> = request.url().path_segments().unwrap().collect();
            assert_eq!(segments.len(), 7, "{}", request.url());
            assert_eq!(segments[..4], ["gw", "api", "v1", "assets"]);
            assert_eq!(segments[5], "tracks");
            assert!(request.url().query().is_none() && request.url().fragment().is_none());
        }
        Err(_) => assert!(refused(names.0) || refused(names.1), "{names:?}"),
    }
    let path = names.0;
    let sent = service::run(transport.request(http::Method::GET, path).send());
    for asked in service.asked.lock().unwrap().drain(..) {
        let rest = asked.strip_prefix("https://service.example/gw/");
        let rest = rest.unwrap_or_else(|| panic!("{path:?}: {asked}"));
        let (given, _) = path.split_once('?').unwrap_or((path, ""));
        let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
        assert_eq!(
            given[1..].matches('/').count(),
            rest.matches('/').count(),
            "{path:?}: {asked}"
        );
    }
    drop(sent);
});

#[cfg(not(fuzzing))]
fn main() {}
