//! A scripted service for the tests of lists and waits: no sockets, so that the paused clock holds.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method};
use reqwest::Request;
use tokio::time::Instant;

use crate::{
    Dispatch, DispatchError, DispatchFuture, Operation, RateBudget, Result, RetryPolicy, Transport,
    TransportBuilder,
};

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

/// Answers every request with the result of a closure, after a latency. An error with a status is a
/// response with that status; one without is a broken connection.
pub(crate) struct Script {
    handler: Box<Handler>,
    latency: Duration,
    log: Mutex<Vec<Seen>>,
    /// Headers of the responses.
    headers: Mutex<HeaderMap>,
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
            headers: Mutex::default(),
        })
    }

    /// A transport to this service that sends every request once and at once.
    pub(crate) fn transport(self: &Arc<Self>) -> Transport {
        self.transport_at("https://app.mk.io")
    }

    /// The same under another address.
    pub(crate) fn transport_at(self: &Arc<Self>, base_url: &str) -> Transport {
        let builder = self.builder().base_url(base_url);
        builder.token("token").build().unwrap()
    }

    /// The same without a token.
    pub(crate) fn builder(self: &Arc<Self>) -> TransportBuilder {
        Transport::builder()
            .base_url("https://app.mk.io")
            .retry(RetryPolicy::none())
            .rate_budget(RateBudget::off())
            .dispatch(Arc::clone(self))
    }

    /// Has all responses carry this header.
    pub(crate) fn header(&self, name: &'static str, value: &'static str) {
        let value = HeaderValue::from_static(value);
        self.headers.lock().unwrap().insert(name, value);
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

impl Dispatch for Arc<Script> {
    fn dispatch(&self, request: Request) -> DispatchFuture<'_> {
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
            let mut response = match (self.handler)(&seen) {
                Ok(body) => http::Response::new(body.into()),
                Err(error) => {
                    let Some(status) = error.status() else {
                        return Err(DispatchError::broken(error));
                    };
                    let mut response = http::Response::new(error.body().clone());
                    *response.status_mut() = status;
                    *response.headers_mut() = error.headers().clone();
                    response
                }
            };
            response
                .headers_mut()
                .extend(self.headers.lock().unwrap().clone());
            Ok(response.into())
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
