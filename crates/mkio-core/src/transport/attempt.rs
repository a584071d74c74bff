//! One attempt: send once, follow redirects within the service, read the response.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, AUTHORIZATION, USER_AGENT},
};
use tokio::time::{Instant, Sleep, sleep_until};
use url::Url;

use super::{Carrier, DispatchError, dispatch::Fault, redirect};
use crate::{Error, ErrorKind, retry::Cause, token::Bearer};

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;

/// Most bytes that are reserved for a body that has not arrived.
const MOST_ROOM: u64 = 1024 * 1024;

/// A failed attempt.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) cause: Cause,
}

impl Failed {
    fn new(error: Error, cause: Cause) -> Self {
        Self { error, cause }
    }
}

/// What an attempt needs besides its request.
pub(super) struct Attempt<'a> {
    pub(super) carrier: &'a Carrier,
    pub(super) base: &'a Url,
    /// The request as it was given, for redirects; none when its body is a stream.
    pub(super) spare: Option<&'a reqwest::Request>,
    pub(super) user_agent: Option<&'a HeaderValue>,
    /// None when the request brings its own.
    pub(super) bearer: Option<&'a Bearer>,
    pub(super) streams: bool,
    /// Most bytes of a body that is not streamed.
    pub(super) body_limit: u64,
    pub(super) deadline: Instant,
    /// The limit that `deadline` stands for: its name and length.
    pub(super) limit: (&'static str, Duration),
}

/// A successful response, its body apart unless it is streamed.
pub(super) type Received = (reqwest::Response, Option<Bytes>);

impl Attempt<'_> {
    /// Takes the request out of its place just before it is sent: requests are large, and arguments
    /// of async functions are copied on the way down.
    pub(super) async fn run(
        &self,
        request: &mut Option<reqwest::Request>,
    ) -> Result<Received, Failed> {
        // One timer for everything that is waited for.
        let mut timer = pin!(sleep_until(self.deadline));
        let mut response = self.receive(request, &mut timer).await?;
        let status = response.status();
        if !status.is_success() {
            let body = self.error_body(&mut response, &mut timer).await;
            let headers = std::mem::take(response.headers_mut());
            let error = Error::from_whole_response(status, headers, body);
            let cause = Cause::Status(status, error.retry_after());
            return Err(Failed::new(error, cause));
        }
        if self.streams {
            return Ok((response, None));
        }
        match self.body(&mut response, &mut timer).await {
            Ok(body) => match Error::from_false_success(status, response.headers(), &body) {
                Some((error, told)) => {
                    let cause = Cause::Status(told, error.retry_after());
                    Err(Failed::new(error, cause))
                }
                None => Ok((response, Some(body))),
            },
            Err(failed) => {
                let headers = std::mem::take(response.headers_mut());
                let error = failed.error.with_status(status);
                let error = error.with_response(headers, Bytes::new());
                Err(Failed::new(error, failed.cause))
            }
        }
    }

    /// Sends the request, and again wherever redirects within the service lead.
    async fn receive(
        &self,
        request: &mut Option<reqwest::Request>,
        timer: &mut Timer<'_>,
    ) -> Result<reqwest::Response, Failed> {
        let mut asked = None;
        for _ in 0..=redirect::LIMIT {
            let Some(mut now) = request.take() else {
                break;
            };
            self.complete(now.headers_mut());
            let response = match self.carrier {
                Carrier::Own(clients) => {
                    let client = clients.client(now.url()).map_err(failed)?;
                    self.in_time(timer, pin!(client.execute(now)))
                        .await?
                        .map_err(DispatchError::from)
                }
                Carrier::Other(dispatch) => {
                    self.in_time(timer, pin!(dispatch.dispatch(now))).await?
                }
            };
            let response = response.map_err(failed)?;
            let Some(spare) = self.spare.filter(|_| response.status().is_redirection()) else {
                return Ok(response);
            };
            let from = asked.as_ref().unwrap_or(spare.url());
            let target = redirect::target(spare.method(), from, &response, self.base)
                .map_err(|error| Failed::new(error, Cause::Final))?;
            let Some((target, mut next)) = target.zip(spare.try_clone()) else {
                return Ok(response);
            };
            *next.url_mut() = target.clone();
            asked = Some(target);
            *request = Some(next);
        }
        let message = format!(
            "the service redirected more than {} times; compare `base_url` with its own address",
            redirect::LIMIT
        );
        let error = Error::new(ErrorKind::Origin, message);
        Err(Failed::new(error, Cause::Final))
    }

    /// Adds the token, and the headers that the request does not set.
    fn complete(&self, headers: &mut HeaderMap) {
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        }
        if let Some(user_agent) = self.user_agent
            && !headers.contains_key(USER_AGENT)
        {
            headers.insert(USER_AGENT, user_agent.clone());
        }
        if let Some(bearer) = self.bearer {
            headers.insert(AUTHORIZATION, bearer.header());
        }
    }

    async fn body(
        &self,
        response: &mut reqwest::Response,
        timer: &mut Timer<'_>,
    ) -> Result<Bytes, Failed> {
        let broken = |error: reqwest::Error| failed(error.into());
        if response.content_length() > Some(self.body_limit) {
            return Err(self.too_large());
        }
        let first = self.in_time(timer, pin!(response.chunk())).await?;
        let Some(first) = first.map_err(broken)? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 > self.body_limit {
            return Err(self.too_large());
        }
        // A large announced length reserves only a part of itself.
        let announced = response.content_length().unwrap_or_default();
        let room = usize::try_from(announced.min(MOST_ROOM)).unwrap_or_default();
        // Most bodies come in one piece, which is not copied.
        let mut whole: Option<BytesMut> = None;
        loop {
            let next = self.in_time(timer, pin!(response.chunk())).await?;
            let Some(next) = next.map_err(broken)? else {
                return Ok(whole.map_or(first, BytesMut::freeze));
            };
            let whole = whole.get_or_insert_with(|| {
                let mut whole = BytesMut::with_capacity(room);
                whole.extend_from_slice(&first);
                whole
            });
            whole.extend_from_slice(&next);
            if whole.len() as u64 > self.body_limit {
                return Err(self.too_large());
            }
        }
    }

    fn too_large(&self) -> Failed {
        let message = format!(
            "the body of the response is larger than the limit of {} bytes; raise it with \
             `response_limit`",
            self.body_limit
        );
        Failed::new(Error::new(ErrorKind::Decode, message), Cause::Final)
    }

    /// As much of an error's body as arrives in time: a missing part must not hide the status.
    async fn error_body(&self, response: &mut reqwest::Response, timer: &mut Timer<'_>) -> Bytes {
        let mut body = BytesMut::new();
        while body.len() < ERROR_BODY {
            match self.in_time(timer, pin!(response.chunk())).await {
                Ok(Ok(Some(piece))) => body.extend_from_slice(&piece),
                _ => break,
            }
        }
        body.truncate(ERROR_BODY);
        body.freeze()
    }

    async fn in_time<F: Future>(
        &self,
        timer: &mut Timer<'_>,
        mut future: Pin<&mut F>,
    ) -> Result<F::Output, Failed> {
        let in_time = poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        });
        in_time.await.ok_or_else(|| {
            let (name, limit) = self.limit;
            let message = format!("no whole response within the {name} timeout of {limit:?}");
            Failed::new(Error::new(ErrorKind::Timeout, message), Cause::Broken)
        })
    }
}

type Timer<'a> = Pin<&'a mut Sleep>;

fn failed(error: DispatchError) -> Failed {
    let (kind, cause) = match error.fault {
        Fault::NotSent => (ErrorKind::Connection, Cause::NotSent),
        Fault::Broken => (ErrorKind::Connection, Cause::Broken),
        Fault::TimedOut { sent: true } => (ErrorKind::Timeout, Cause::Broken),
        Fault::TimedOut { sent: false } => (ErrorKind::Timeout, Cause::NotSent),
        Fault::Unusable => (ErrorKind::InvalidRequest, Cause::Unsendable),
        Fault::Elsewhere(_) => (ErrorKind::Origin, Cause::Final),
    };
    let made = Error::new(kind, message(&error));
    let made = match error.source {
        Some(source) => made.with_source(source),
        None => made,
    };
    Failed::new(made, cause)
}

/// The error in words, with the first cause of a connection that failed.
fn message(error: &DispatchError) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    match (&error.fault, cause) {
        (Fault::NotSent | Fault::Broken | Fault::Unusable, Some(cause)) => {
            format!("{error}: {cause}")
        }
        _ => error.to_string(),
    }
}
