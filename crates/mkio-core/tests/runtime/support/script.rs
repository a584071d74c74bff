//! Answers in a given order, and notes what was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, Method};
use mkio_core::{Dispatch, DispatchError, DispatchFuture};
use reqwest::ResponseBuilderExt;
use tokio::time::Instant;
use url::Url;

/// What the service does with a request.
#[derive(Clone, Debug)]
pub enum Scripted {
    Response(u16, Vec<(&'static str, String)>, String),
    /// Sends the body in pieces.
    Pieces(&'static [&'static str]),
    /// Sends part of the body, then breaks.
    Half(u16, String),
    /// Sends part of the body, then falls silent.
    Stall(u16, String),
    /// The connection is refused.
    NotSent,
    /// The connection breaks before a response.
    Broken,
    /// No response ever.
    Silence,
    /// Takes its time.
    After(Duration, Box<Scripted>),
}

impl Scripted {
    pub fn ok() -> Self {
        Self::json(200, r#"{"name":"intro"}"#)
    }

    pub fn status(status: u16) -> Self {
        Self::json(
            status,
            &format!(
                r#"{{"error":{{"code":"E{status}","detail":"no luck"}},"status":{status},"ref":"r-{status}"}}"#
            ),
        )
    }

    pub fn json(status: u16, body: &str) -> Self {
        Self::Response(
            status,
            vec![("content-type", "application/json".to_owned())],
            body.to_owned(),
        )
    }

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Self::Response(_, headers, _) = &mut self {
            headers.push((name, value.to_string()));
        }
        self
    }

    pub fn after(self, time: Duration) -> Self {
        Self::After(time, Box::new(self))
    }

    fn give(self, url: Url) -> DispatchFuture<'static> {
        Box::pin(async move {
            let (status, headers, body) = match self {
                Self::Response(status, headers, body) => (status, headers, body.into()),
                Self::Pieces(pieces) => {
                    let pieces = stream::iter(pieces).map(|piece| Ok::<_, std::io::Error>(*piece));
                    (200, Vec::new(), reqwest::Body::wrap_stream(pieces))
                }
                Self::Half(status, body) => {
                    let pieces = [Ok(Bytes::from(body)), Err(std::io::Error::other("reset"))];
                    let body = reqwest::Body::wrap_stream(stream::iter(pieces));
                    (status, Vec::new(), body)
                }
                Self::Stall(status, body) => {
                    let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from(body))]);
                    let body = reqwest::Body::wrap_stream(pieces.chain(stream::pending()));
                    (status, Vec::new(), body)
                }
                Self::NotSent => return Err(DispatchError::not_sent("connection refused")),
                Self::Broken => return Err(DispatchError::broken("connection reset")),
                Self::Silence => std::future::pending().await,
                Self::After(time, scripted) => {
                    tokio::time::sleep(time).await;
                    return scripted.give(url).await;
                }
            };
            let mut response = http::Response::builder().status(status).url(url);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(body).unwrap().into())
        })
    }
}

/// A request that reached the service.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn bearer(&self) -> Option<&str> {
        self.headers
            .get("authorization")?
            .to_str()
            .ok()?
            .strip_prefix("Bearer ")
    }
}

/// The service: gives what is scripted in order, the last one for ever.
#[derive(Clone)]
pub struct Script(Arc<Inner>);

type Rule = Box<dyn Fn(&Seen) -> Scripted + Send + Sync>;

struct Inner {
    scripted: Mutex<VecDeque<Scripted>>,
    respond: Option<Rule>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    pub fn new(scripted: impl IntoIterator<Item = Scripted>) -> Self {
        Self(Arc::new(Inner {
            scripted: Mutex::new(scripted.into_iter().collect()),
            respond: None,
            seen: Mutex::default(),
        }))
    }

    /// Responds to each request by a rule.
    pub fn rule(respond: impl Fn(&Seen) -> Scripted + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            scripted: Mutex::default(),
            respond: Some(Box::new(respond)),
            seen: Mutex::default(),
        }))
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.0.seen.lock().unwrap().len()
    }

    /// Time between consecutive requests.
    pub fn gaps(&self) -> Vec<Duration> {
        let seen = self.seen();
        seen.windows(2)
            .map(|pair| pair[1].at - pair[0].at)
            .collect()
    }
}

impl Dispatch for Script {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let seen = Seen {
            at: Instant::now(),
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            body: String::from_utf8_lossy(body.unwrap_or_default()).into_owned(),
        };
        let scripted = match &self.0.respond {
            Some(respond) => respond(&seen),
            None => {
                let mut scripted = self.0.scripted.lock().unwrap();
                match scripted.len() {
                    0 => Scripted::ok(),
                    1 => scripted[0].clone(),
                    _ => scripted.pop_front().unwrap(),
                }
            }
        };
        let url = seen.url.clone();
        self.0.seen.lock().unwrap().push(seen);
        scripted.give(url)
    }
}
