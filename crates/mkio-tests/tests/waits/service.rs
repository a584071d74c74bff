//! A scripted service: a closure answers, and all requests are noted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response, StatusCode, header};
use mkio::Client;
use mkio_core::{Dispatch, DispatchError, DispatchFuture};
use serde_json::Value;
use tokio::time::Instant;

/// A request as the service sees it.
pub struct Asked {
    pub method: Method,
    /// Path below the project, or the whole one outside projects.
    pub path: String,
    /// Seconds since the service began.
    pub second: u64,
    /// How many requests with this method and path there were before.
    pub before: usize,
}

impl Asked {
    /// The method and the path, for matching.
    pub fn call(&self) -> (&str, &str) {
        (self.method.as_str(), &self.path)
    }
}

/// Status and body; nothing when the connection breaks before the response.
pub type Scripted = Option<(u16, Value)>;

type Handler = dyn Fn(&Asked) -> Scripted + Send + Sync;

#[derive(Clone)]
pub struct Service {
    handler: Arc<Handler>,
    began: Instant,
    log: Arc<Mutex<Vec<(Method, String)>>>,
}

impl Service {
    pub fn new(handler: impl Fn(&Asked) -> Scripted + Send + Sync + 'static) -> Self {
        Self {
            handler: Arc::new(handler),
            began: Instant::now(),
            log: Arc::default(),
        }
    }

    pub fn client(&self) -> Client {
        let client = Client::builder()
            .base_url("https://app.mk.io")
            .api_base_url("channels", "https://device.test")
            .token("a-token")
            .dispatch(self.clone());
        client.build().expect("the settings are complete")
    }

    /// How many requests of this method there were at a path with this end.
    pub fn count(&self, method: Method, end: &str) -> usize {
        let log = self.log.lock().expect("the log");
        let of = |(asked, path): &&(Method, String)| *asked == method && path.ends_with(end);
        log.iter().filter(of).count()
    }
}

/// The time at this second of the service, which begins on a day in March.
pub fn time(second: u64) -> String {
    let (hours, minutes) = (10 + second / 3600, second / 60 % 60);
    format!("2026-03-01T{hours:02}:{minutes:02}:{:02}Z", second % 60)
}

fn date(second: u64) -> String {
    let (hours, minutes) = (10 + second / 3600, second / 60 % 60);
    format!(
        "Sun, 01 Mar 2026 {hours:02}:{minutes:02}:{:02} GMT",
        second % 60
    )
}

impl Dispatch for Service {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let (method, url) = (request.method().clone(), request.url());
        let path = url.path().replacen("/api/v1/projects/acme/", "", 1);
        let mut log = self.log.lock().expect("the log");
        let same = |(asked, at): &&(Method, String)| *asked == method && *at == path;
        let before = log.iter().filter(same).count();
        log.push((method.clone(), path.clone()));
        drop(log);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let second = self.began.elapsed().as_secs();
            let asked = Asked {
                method,
                path,
                second,
                before,
            };
            let Some((status, body)) = (self.handler)(&asked) else {
                return Err(DispatchError::broken("the connection was reset"));
            };
            let mut response = Response::new(body.to_string());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            let date = date(second).parse().expect("a header");
            response.headers_mut().insert(header::DATE, date);
            Ok(response.into())
        })
    }
}
