//! Bodies: as JSON, as errors, as pages of a list.
#![cfg_attr(fuzzing, no_main)]

mod service;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mkio_core::{Error, Items, Transport, glue};
use service::{Assets, LIST, Service};

static SERVICE: LazyLock<(Service, Transport)> = LazyLock::new(|| {
    let service = Service::default();
    let transport = service.transport("https://service.example");
    (service, transport)
});

fuzz_target!(|data: &[u8]| {
    match glue::decode_json::<serde_json::Value>(data, || Some("text/html")) {
        Ok(value) => {
            let again =
                glue::decode_json::<serde_json::Value>(value.to_string().as_bytes(), || None);
            assert_eq!(again.unwrap(), value);
        }
        Err(error) => assert!(format!("{error} {error:?}").len() < 5000),
    }
    for status in [400, 502] {
        let status = http::StatusCode::from_u16(status).unwrap();
        let error = Error::from_response(status, http::HeaderMap::new(), data.to_vec().into());
        assert!(!error.to_string().contains('\n'));
        assert!(format!("{error} {error:?}").len() < 12_000);
    }
    let (service, transport) = &*SERVICE;
    *service.body.lock().unwrap() = data.to_vec();
    let url = "https://service.example/api/v1/assets".parse().unwrap();
    let request = mkio_core::reqwest::Request::new(http::Method::GET, url);
    service::run(async {
        let mut items = Items::<Assets>::of(transport.clone(), &LIST, Ok(request)).prefetch(0);
        // Errors in their place let the list go on; the link to the same page ends it.
        for _ in 0..10_000 {
            match items.try_next().await {
                Ok(None) => return,
                Ok(Some(_)) => {}
                Err(error) if error.value::<serde_json::Value>().is_some() => {}
                Err(_) => {
                    assert!(items.try_next().await.is_ok_and(|item| item.is_none()));
                    return;
                }
            }
        }
    });
    service.asked.lock().unwrap().clear();
});

#[cfg(not(fuzzing))]
fn main() {}
