//! A service that answers everything with one body, and notes where it was asked.

use std::sync::{Arc, Mutex};

use mkio_core::{
    Dispatch, DispatchFuture, Operation, Page, RateBudget, RetryPolicy, Transport, reqwest::Request,
};
use serde::Deserialize;

/// The operation of a list.
#[allow(dead_code, reason = "not every target needs it")]
pub static LIST: Operation = Operation {
    id: "list_assets",
    api: "media",
    method: http::Method::GET,
    path: "/api/v1/assets",
    request_body: None,
    streams: false,
};

#[derive(Clone, Default)]
pub struct Service {
    pub body: Arc<Mutex<Vec<u8>>>,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Dispatch for Service {
    fn dispatch(&self, request: Request) -> DispatchFuture<'_> {
        self.asked.lock().unwrap().push(request.url().to_string());
        let body = self.body.lock().unwrap().clone();
        Box::pin(async move { Ok(http::Response::new(body).into()) })
    }
}

impl Service {
    pub fn transport(&self, base_url: &str) -> Transport {
        Transport::builder()
            .base_url(base_url)
            .token("secret")
            .retry(RetryPolicy::none())
            .rate_budget(RateBudget::off())
            .dispatch(self.clone())
            .build()
            .unwrap()
    }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "not every target needs it")]
pub struct Assets {
    value: Option<Vec<Asset>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "not every target needs it")]
pub struct Asset {
    name: Option<String>,
    #[serde(default, deserialize_with = "mkio_core::glue::lenient")]
    size: Option<i64>,
    #[serde(default, deserialize_with = "mkio_core::glue::lenient")]
    tags: Option<Vec<String>>,
}

impl Page for Assets {
    type Item = Asset;

    fn items(&self) -> &[Asset] {
        self.value.as_deref().unwrap_or_default()
    }

    fn items_mut(&mut self) -> Option<&mut Vec<Asset>> {
        self.value.as_mut()
    }

    fn next_link(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

/// Runs what waits for nothing.
#[allow(dead_code, reason = "not every target needs it")]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}
