//! A scripted service for the tests of lists and waits: no sockets, so that the paused clock holds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_core::future::BoxFuture;
use http::Method;
use reqwest::Request;
use tokio::time::Instant;

use super::exchange::Exchange;
use crate::{Operation, Result, transport::Reply};

/// A request as the service saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

type Handler = dyn Fn(&Seen) -> Result<String> + Send + Sync;

/// Answers every request with what a closure makes of it, after a latency.
pub(crate) struct Script {
    handler: Box<Handler>,
    latency: Duration,
    log: Mutex<Vec<Seen>>,
    /// What answers say about their time.
    pub(crate) date: Mutex<Option<&'static str>>,
}

impl Script {
    pub(crate) fn new(
        handler: impl Fn(&Seen) -> Result<String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::slow(Duration::ZERO, handler)
    }

    pub(crate) fn slow(
        latency: Duration,
        handler: impl Fn(&Seen) -> Result<String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            handler: Box::new(handler),
            latency,
            log: Mutex::default(),
            date: Mutex::default(),
        })
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

impl Exchange for Script {
    fn base(&self, _: &str) -> String {
        "https://app.mk.io".to_owned()
    }

    fn exchange<'a>(
        &'a self,
        request: Request,
        _: &'static Operation,
    ) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async move {
            let seen = Seen {
                at: Instant::now(),
                host: request.url().host_str().unwrap_or_default().to_owned(),
                path: request.url().path().to_owned(),
                query: request.url().query_pairs().into_owned().collect(),
            };
            self.log.lock().unwrap().push(seen.clone());
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            let mut answer = http::Response::new((self.handler)(&seen)?.into());
            if let Some(date) = *self.date.lock().unwrap() {
                let date = http::HeaderValue::from_static(date);
                answer.headers_mut().insert(http::header::DATE, date);
            }
            Ok(answer.into())
        })
    }
}

/// A GET request as a generated crate builds it.
pub(crate) fn get(url: &str) -> Result<Request> {
    Ok(Request::new(Method::GET, url.parse().unwrap()))
}

pub(crate) static LIST: Operation = Operation {
    id: "list_assets",
    api: "media",
    method: Method::GET,
    path: "/api/v1/projects/{project_name}/media/assets",
    request_body: None,
    streams: false,
};
