//! One call: its attempts, and the waits between them.

use std::{future::Future, sync::Arc, time::Duration};

use http::{HeaderValue, header::AUTHORIZATION};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span};
use url::Url;

use super::{
    CallSettings, Core, Route, Transport,
    attempt::{Attempt, Failed, Received},
    origin, trace,
    undecoded::UndecodedResponse,
};
use crate::{
    Error, ErrorKind, Measurement, Operation, Result,
    budget::{RateQueue, project},
    error::Secrets,
    response::CallInfo,
    retry::{Cause, RetryVerdict, Withdrawal, is_idempotent, is_transient, retry_verdict},
    token::Bearer,
};

impl Transport {
    /// Sends a request, and retries it as far as the settings allow.
    pub(crate) async fn call(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<UndecodedResponse> {
        let route = self.core.routes.to(operation)?;
        Call::new(self, route, request, operation).run().await
    }

    /// The same for a route that the caller chose.
    pub(super) async fn call_on(
        &self,
        route: &Route,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<UndecodedResponse> {
        Call::new(self, route, request, operation).run().await
    }
}

/// Thirty years.
const FAR: Duration = Duration::from_secs(86400 * 365 * 30);

const STREAMED: &str = "its body is a stream and cannot be sent again";

const NO_TIME: &str = "the total timeout leaves no time for another attempt";

/// The decision after a failed attempt.
enum Decision {
    Retry,
    /// Why, where it is not the failure itself.
    GiveUp(Option<&'static str>),
}

pub(super) struct Call<'a> {
    core: &'a Core,
    settings: &'a CallSettings,
    operation: &'static Operation,
    route: &'a Route,
    started: Instant,
    deadline: Instant,
    queue: Option<Arc<RateQueue>>,
    idempotent: bool,
    /// As it was given: each attempt sends a copy. None once a body that is a stream is on its way.
    request: Option<reqwest::Request>,
    /// The URL of a request whose body is a stream: it cannot be read from the request later.
    streamed_to: Option<Url>,
    bearer: Option<Bearer>,
    /// Headers that the caller set and that are in no log.
    secret_headers: Vec<HeaderValue>,
    withdrawal: Withdrawal,
    /// The project that the call is about, where somebody counts.
    counted_for: Option<String>,
    attempts: u32,
    waited: Duration,
    /// The error of the attempt before.
    last: Option<Error>,
    /// An attempt of a write was sent and got no response from which its effect is known.
    unknown: bool,
}

impl<'a> Call<'a> {
    fn new(
        transport: &'a Transport,
        route: &'a Route,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Self {
        let (core, settings) = (&*transport.core, &transport.settings);
        let streams = request.body().is_some_and(|body| body.as_bytes().is_none());
        let streamed_to = streams.then(|| request.url().clone());
        let started = Instant::now();
        let counted_for = core.metrics.as_ref();
        let counted_for =
            counted_for.and_then(|_| project(request.url().path()).map(str::to_owned));
        let queue = route
            .budgeted
            .then(|| core.budget.queue(request.url().path(), operation.is_read()));
        Self {
            core,
            settings,
            operation,
            route,
            started,
            // A limit too far away to express is not a limit.
            deadline: started
                .checked_add(settings.total_timeout)
                .unwrap_or(started + FAR),
            queue: queue.flatten(),
            idempotent: is_idempotent(operation, &request),
            request: Some(request),
            streamed_to,
            bearer: None,
            secret_headers: Vec::new(),
            withdrawal: Withdrawal::default(),
            counted_for,
            attempts: 0,
            waited: Duration::ZERO,
            last: None,
            unknown: false,
        }
    }

    async fn run(&mut self) -> Result<UndecodedResponse> {
        let span = self.request.as_ref();
        let span = span.map_or_else(Span::none, |request| trace::span(request, self.operation));
        // Instrumenting copies the future; without a listener that is for nothing.
        let result = if span.is_disabled() {
            self.attempts().await
        } else {
            self.attempts().instrument(span.clone()).await
        };
        self.finish(&span, result)
    }

    async fn attempts(&mut self) -> Result<Received> {
        let brings_its_own_token = self.prepare()?;
        let mut replaced = false;
        loop {
            // The token first: one that is missing or late must not take turns from others.
            if !brings_its_own_token {
                self.authorize().await?;
            }
            if self.wait_for_turn().await? && !brings_its_own_token {
                self.authorize().await?;
            }
            self.attempts += 1;
            let failed = match self.attempt().await {
                Ok(received) => {
                    self.note_response();
                    return Ok(received);
                }
                Err(failed) => failed,
            };
            if is_unauthorized(&failed) && !replaced {
                replaced = true;
                match self.replace_token().await {
                    Ok(true) if self.request.is_some() => {
                        trace::attempt_failed(&self.attempted(), &failed, Some(Duration::ZERO));
                        self.last = Some(failed.error);
                        continue;
                    }
                    Ok(true) => {
                        trace::attempt_failed(&self.attempted(), &failed, None);
                        return Err(failed.error.with_gave_up(STREAMED));
                    }
                    Ok(false) => {}
                    Err(cause) => {
                        trace::attempt_failed(&self.attempted(), &failed, None);
                        return Err(failed.error.with_source(cause));
                    }
                }
            } else if is_unauthorized(&failed)
                && let (Some(source), Some(bearer)) = (&self.route.token, &self.bearer)
            {
                source.refuse(bearer);
            }
            self.after(failed).await?;
        }
    }

    /// The service works: it has sent a response, whatever that says.
    fn note_response(&mut self) {
        if let Some(queue) = &self.queue {
            queue.note_success();
        }
        let withdrawal = std::mem::take(&mut self.withdrawal);
        self.route.retry_budget.deposit(withdrawal);
    }

    /// Refuses a request that leaves the service. True when it has an `Authorization` of its own.
    fn prepare(&mut self) -> Result<bool> {
        let Some(request) = &mut self.request else {
            return Ok(false);
        };
        origin::same(self.route.address(), request.url())?;
        let own = request.headers_mut().get_mut(AUTHORIZATION);
        let own = own.map(|value| value.set_sensitive(true)).is_some();
        let headers = request.headers().values();
        self.secret_headers = headers
            .filter(|value| value.is_sensitive())
            .cloned()
            .collect();
        Ok(own)
    }

    /// Gets a turn in the rate budget; true when that took a while.
    async fn wait_for_turn(&mut self) -> Result<bool> {
        let (Some(queue), Some(request)) = (&self.queue, &self.request) else {
            return Ok(false);
        };
        let (path, priority) = (request.url().path(), self.settings.priority);
        let since = Instant::now();
        if queue.try_acquire(priority, path, since) {
            return Ok(false);
        }
        let paused = queue.paused_until(path);
        let in_time = paused.is_none_or(|until| until < self.deadline)
            && timeout_at(self.deadline, queue.acquire(priority, path))
                .await
                .is_ok();
        let waited = since.elapsed();
        self.waited += waited;
        if let Some(metrics) = &self.core.metrics {
            let wait = Measurement::new(self.operation, waited);
            let wait = wait.project(self.counted_for.as_deref());
            metrics.budget_wait(&wait.attempts_so_far(self.attempts));
        }
        if in_time {
            return Ok(true);
        }
        let limit = self.settings.total_timeout;
        Err(self.with_last_response(Error::new(
            ErrorKind::Timeout,
            format!(
                "the rate budget had no turn for this call within the total timeout of {limit:?}"
            ),
        )))
    }

    /// The error that ended the call after others: it keeps status, code and detail of the last
    /// response.
    fn with_last_response(&mut self, error: Error) -> Error {
        let Some(last) = self.last.take() else {
            return error;
        };
        match last.status() {
            Some(status) => error.with_status(status).with_source(last),
            None => error.with_source(last),
        }
    }

    /// What events say about the attempt that was made last.
    fn attempted(&self) -> trace::Attempted<'_> {
        trace::Attempted {
            operation: self.operation,
            path: self.url().map(Url::path),
            attempts: self.attempts,
        }
    }

    fn url(&self) -> Option<&Url> {
        let request = self.request.as_ref().map(reqwest::Request::url);
        request.or(self.streamed_to.as_ref())
    }

    async fn authorize(&mut self) -> Result<()> {
        let Some(source) = &self.route.token else {
            return if self.route.anonymous {
                Ok(())
            } else {
                Err(no_token(self.operation))
            };
        };
        let bearer = match source.ready() {
            Some(bearer) => bearer,
            None => match self.in_time(source.get()).await {
                Ok(Ok(bearer)) => bearer,
                Ok(Err(error)) | Err(error) => return Err(self.with_last_response(error)),
            },
        };
        self.bearer = Some(bearer);
        Ok(())
    }

    /// Gets another token after a 401; false when there is nothing to get one from.
    async fn replace_token(&mut self) -> Result<bool> {
        let (Some(source), Some(rejected)) = (&self.route.token, self.bearer.clone()) else {
            return Ok(false);
        };
        let new = self.in_time(source.replace(&rejected)).await??;
        Ok(new.is_some())
    }

    async fn in_time<F: Future>(&self, future: F) -> Result<F::Output> {
        timeout_at(self.deadline, future).await.map_err(|_| {
            Error::new(
                ErrorKind::Timeout,
                format!(
                    "the token provider gave no token within the total timeout of {:?}",
                    self.settings.total_timeout
                ),
            )
        })
    }

    async fn attempt(&mut self) -> Result<Received, Failed> {
        let now = Instant::now();
        let limit = self.settings.attempt_timeout;
        let own = now.checked_add(limit).unwrap_or(self.deadline);
        let (deadline, limit) = if own < self.deadline {
            (own, ("attempt", limit))
        } else {
            (self.deadline, ("total", self.settings.total_timeout))
        };
        let mut now_sent = self.request.as_ref().and_then(reqwest::Request::try_clone);
        if now_sent.is_none() {
            now_sent = self.request.take();
        }
        let attempt = Attempt {
            carrier: &self.core.carrier,
            base: self.route.address(),
            spare: self.request.as_ref(),
            user_agent: self.core.user_agent.as_ref(),
            bearer: self.bearer.as_ref(),
            streams: self.operation.streams,
            body_limit: self.settings.response_limit,
            deadline,
            limit,
        };
        let mut outcome = attempt.run(&mut now_sent).await;
        if let Ok((response, _)) = &outcome {
            trace::attempt_succeeded(&self.attempted(), response.status(), now);
        } else {
            outcome = outcome.map_err(|failed| Failed {
                error: failed.error.redact(&self.secrets()).truncate_body(),
                cause: failed.cause,
            });
        }
        if let Some(metrics) = &self.core.metrics {
            let told = outcome.as_ref();
            let told = told.map(|received| received.0.status());
            let ended = Measurement::new(self.operation, now.elapsed())
                .project(self.counted_for.as_deref())
                .attempts_so_far(self.attempts)
                .outcome(told.map_err(|failed| &failed.error));
            metrics.attempt(&ended);
        }
        outcome
    }

    /// The secrets that a response might echo: the token, and secret fields of the body.
    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(bearer) = &self.bearer {
            secrets.add(bearer.expose());
        }
        for value in &self.secret_headers {
            if let Ok(text) = value.to_str() {
                secrets.add(text);
                // The scheme is not a secret, and may be left out where the rest is repeated.
                secrets.add(text.split_once(' ').map_or(text, |(_, rest)| rest));
            }
        }
        let body = self.request.as_ref().and_then(reqwest::Request::body);
        if let Some(body) = body.and_then(reqwest::Body::as_bytes) {
            secrets.add_body(body);
        }
        secrets
    }

    /// Waits until it is time for the next attempt, or gives the error that ends the call.
    async fn after(&mut self, failed: Failed) -> Result<()> {
        self.unknown |= !self.operation.is_read() && failed.cause.leaves_outcome_open();
        let wait = self.note_failure(failed.cause);
        match self.decide(failed.cause, wait) {
            Decision::Retry => {
                trace::attempt_failed(&self.attempted(), &failed, Some(wait));
                self.last = Some(failed.error);
                sleep(wait).await;
                Ok(())
            }
            Decision::GiveUp(why) => {
                trace::attempt_failed(&self.attempted(), &failed, None);
                Err(match why {
                    Some(why) => failed.error.with_gave_up(why),
                    None => failed.error,
                })
            }
        }
    }

    /// Reports to the budgets how the attempt failed; gives the wait before another one.
    fn note_failure(&mut self, cause: Cause) -> Duration {
        let policy = &self.settings.retry;
        let Cause::Status(status, hint) = cause else {
            return policy.wait(self.attempts, false, None);
        };
        let throttled = status == http::StatusCode::TOO_MANY_REQUESTS;
        let wait = policy.wait(self.attempts, throttled, hint);
        if throttled && let Some(queue) = &self.queue {
            let path = self.url().map_or(self.operation.path, Url::path);
            queue.pause(path, |pauses| match hint {
                Some(_) => wait,
                None => policy.wait(pauses, true, None),
            });
            // A throttled call retries only once the pause it caused is over; calls queued
            // meanwhile go first.
            let paused = queue.paused_until(path);
            return wait.max(paused.map_or(Duration::ZERO, |until| until - Instant::now()));
        }
        if !is_transient(status) {
            self.note_response();
        } else if let Some(queue) = &self.queue {
            queue.note_success();
        }
        wait
    }

    /// Whether the call goes on after a failed attempt, and pays for it.
    fn decide(&mut self, cause: Cause, wait: Duration) -> Decision {
        let RetryVerdict::Retry { paced } = retry_verdict(cause, self.idempotent) else {
            return Decision::GiveUp(None);
        };
        if !self.settings.retry.allows(self.attempts) {
            return Decision::GiveUp(None);
        }
        if self.request.is_none() {
            return Decision::GiveUp(Some(STREAMED));
        }
        // A time that cannot be counted comes after every deadline.
        let next = Instant::now().checked_add(wait);
        if next.is_none_or(|next| next >= self.deadline) {
            return Decision::GiveUp(Some(NO_TIME));
        }
        if !paced {
            match self.route.retry_budget.withdraw() {
                Some(withdrawal) => self.withdrawal = withdrawal,
                None => return Decision::GiveUp(Some("the retry budget is spent")),
            }
        }
        Decision::Retry
    }

    /// Adds the cost of the call to the result.
    fn finish(&mut self, span: &Span, result: Result<Received>) -> Result<UndecodedResponse> {
        let call = CallInfo {
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
            budget_wait: self.waited,
        };
        match result {
            Ok((response, body)) => {
                trace::finished(span, &call, Ok(response.status()));
                self.report(&call, Ok(response.status()));
                Ok(UndecodedResponse {
                    response,
                    body,
                    call,
                })
            }
            Err(error) => {
                let error = error.with_operation(self.operation).with_call(call);
                let error = match self.url() {
                    Some(url) => error.with_url(url).redact(&self.secrets()),
                    None => error,
                };
                let error = if self.unknown {
                    error.with_outcome_unknown()
                } else {
                    error
                };
                trace::finished(span, &call, Err(&error));
                self.report(&call, Err(&error));
                Err(error)
            }
        }
    }

    fn report(&self, call: &CallInfo, outcome: Result<http::StatusCode, &Error>) {
        if let Some(metrics) = &self.core.metrics {
            let ended = Measurement::new(self.operation, call.elapsed)
                .project(self.counted_for.as_deref())
                .attempts_so_far(call.attempts)
                .outcome(outcome);
            metrics.call(&ended);
        }
    }
}

fn is_unauthorized(failed: &Failed) -> bool {
    matches!(
        failed.cause,
        Cause::Status(http::StatusCode::UNAUTHORIZED, _)
    )
}

fn no_token(operation: &Operation) -> Error {
    let api = match operation.api {
        "" => "this",
        api => api,
    };
    Error::new(
        ErrorKind::Token,
        format!(
            "there is no token for the {api} API; nothing was sent. Set MKIO_TOKEN, or give the \
             client a token or token provider"
        ),
    )
}
