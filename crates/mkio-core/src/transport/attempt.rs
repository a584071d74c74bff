//! One attempt: send once, follow redirects within the service, read the answer.

use std::{future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Method, header::AUTHORIZATION};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    DispatchError,
    dispatch::{Dispatch, Fault},
    received::Head,
    redirect,
};
use crate::{Error, ErrorKind, retry::Cause};

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;

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
    pub(super) dispatch: &'a dyn Dispatch,
    pub(super) base: &'a Url,
    /// A copy of the request, for redirects; none when its body is a stream.
    pub(super) spare: Option<&'a reqwest::Request>,
    pub(super) streams: bool,
    pub(super) deadline: Instant,
    /// The limit that `deadline` stands for: its name and length.
    pub(super) limit: (&'static str, Duration),
}

impl Attempt<'_> {
    pub(super) async fn run(&self, request: reqwest::Request) -> Result<reqwest::Response, Failed> {
        let mut response = self.answer(request).await?;
        let status = response.status();
        if !status.is_success() {
            let body = self.error_body(&mut response).await;
            let headers = std::mem::take(response.headers_mut());
            let error = Error::from_answer(status, headers, body);
            let cause = Cause::Status(status, error.retry_after());
            return Err(Failed::new(error, cause));
        }
        if self.streams {
            return Ok(response);
        }
        let head = Head::take(&mut response);
        let body = match self.in_time(response.bytes()).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => {
                let failed = failed(error.into());
                let error = failed
                    .error
                    .with_status(status)
                    .with_answer(head.into_headers(), Bytes::new());
                return Err(Failed::new(error, failed.cause));
            }
            Err(late) => {
                let error = late
                    .error
                    .with_status(status)
                    .with_answer(head.into_headers(), Bytes::new());
                return Err(Failed::new(error, late.cause));
            }
        };
        head.with_body(body).map_err(|error| {
            let message = "the answer cannot be put together again";
            let error = Error::new(ErrorKind::Connection, message).with_source(error);
            Failed::new(error, Cause::Final)
        })
    }

    /// Sends the request, and again wherever redirects within the service lead.
    async fn answer(&self, mut request: reqwest::Request) -> Result<reqwest::Response, Failed> {
        for _ in 0..=redirect::LIMIT {
            let method: Method = request.method().clone();
            let asked = request.url().clone();
            let bearer = request.headers().get(AUTHORIZATION).cloned();
            let response = self
                .in_time(self.dispatch.dispatch(request))
                .await?
                .map_err(failed)?;
            let target = redirect::target(&method, &asked, &response, self.base)
                .map_err(|error| Failed::new(error, Cause::Final))?;
            let next = target.zip(self.spare.and_then(reqwest::Request::try_clone));
            let Some((target, mut next)) = next else {
                return Ok(response);
            };
            *next.url_mut() = target;
            *next.method_mut() = method;
            if let Some(bearer) = bearer {
                next.headers_mut().insert(AUTHORIZATION, bearer);
            }
            request = next;
        }
        let message = format!("more than {} redirects", redirect::LIMIT);
        let error = Error::new(ErrorKind::Origin, message);
        Err(Failed::new(error, Cause::Final))
    }

    /// As much of an error's body as arrives in time: what is missing must not hide the status.
    async fn error_body(&self, response: &mut reqwest::Response) -> Bytes {
        let mut body = BytesMut::new();
        while body.len() < ERROR_BODY {
            match self.in_time(response.chunk()).await {
                Ok(Ok(Some(piece))) => body.extend_from_slice(&piece),
                _ => break,
            }
        }
        body.truncate(ERROR_BODY);
        body.freeze()
    }

    async fn in_time<F: Future>(&self, future: F) -> Result<F::Output, Failed> {
        timeout_at(self.deadline, future).await.map_err(|_| {
            let (name, limit) = self.limit;
            let message = format!("no whole answer within the {name} timeout of {limit:?}");
            Failed::new(Error::new(ErrorKind::Timeout, message), Cause::Broken)
        })
    }
}

fn failed(error: DispatchError) -> Failed {
    let (kind, cause) = match error.fault {
        Fault::NotSent => (ErrorKind::Connection, Cause::NotSent),
        Fault::Broken => (ErrorKind::Connection, Cause::Broken),
        Fault::TimedOut { sent: true } => (ErrorKind::Timeout, Cause::Broken),
        Fault::TimedOut { sent: false } => (ErrorKind::Timeout, Cause::NotSent),
        Fault::Unusable => (ErrorKind::InvalidRequest, Cause::Final),
        Fault::Elsewhere(_) => (ErrorKind::Origin, Cause::Final),
    };
    let made = Error::new(kind, error.to_string());
    let made = match error.source {
        Some(source) => made.with_source(source),
        None => made,
    };
    Failed::new(made, cause)
}
