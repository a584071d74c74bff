//! One call: its attempts, and the waits between them.

use std::{future::Future, sync::Arc, time::Duration};

use http::{
    HeaderValue,
    header::{AUTHORIZATION, USER_AGENT},
};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span};

use super::{
    CallSettings, Core, Route, Transport,
    attempt::{Answer, Attempt, Failed},
    origin,
    reply::Reply,
    trace,
};
use crate::{
    Error, ErrorKind, Operation, Result,
    budget::{Lane, project},
    error::Secrets,
    response::CallInfo,
    retry::{Cause, Ticket, Verdict, is_transient, repeatable, verdict},
    token::Bearer,
};

impl Transport {
    /// Sends a request, and retries it as far as the settings allow.
    pub(crate) async fn call(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<Reply> {
        let route = self.core.routes.to(operation)?;
        self.call_on(route, request, operation).await
    }

    /// The same for a route that the caller chose.
    pub(super) async fn call_on(
        &self,
        route: &Route,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<Reply> {
        let span = trace::span(&request, operation);
        let mut call = Call::new(self, route, request, operation);
        // Instrumenting copies the future; without a listener that is for nothing.
        let result = match span.is_disabled() {
            true => call.attempts().await,
            false => call.attempts().instrument(span.clone()).await,
        };
        call.finish(&span, result)
    }
}

/// Thirty years.
const FAR: Duration = Duration::from_secs(86400 * 365 * 30);

const STREAMED: &str = "its body is a stream and cannot be repeated";

pub(super) struct Call<'a> {
    core: &'a Core,
    settings: &'a CallSettings,
    pub(super) operation: &'static Operation,
    route: &'a Route,
    started: Instant,
    deadline: Instant,
    lane: Option<Arc<Lane>>,
    repeatable: bool,
    /// The request for the attempt that comes.
    next: Option<reqwest::Request>,
    /// A copy for the one after; none when the body is a stream.
    spare: Option<reqwest::Request>,
    bearer: Option<Bearer>,
    /// Headers that the caller set and that are in no log.
    secret_headers: Vec<HeaderValue>,
    ticket: Ticket,
    pub(super) attempts: u32,
    waited: Duration,
    /// Nothing has been waited for yet, so `started` is still now.
    at_once: bool,
    /// The error of the attempt before.
    last: Option<Error>,
    /// An attempt of a write was sent and got no answer that tells whether it took effect.
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
        let started = Instant::now();
        let lane = route
            .budgeted
            .then(|| core.budget.lane(request.url().path(), operation.is_read()));
        Self {
            core,
            settings,
            operation,
            route,
            started,
            // A limit too far away to express is no limit.
            deadline: started
                .checked_add(settings.total_timeout)
                .unwrap_or(started + FAR),
            lane: lane.flatten(),
            repeatable: repeatable(operation, &request),
            next: Some(request),
            spare: None,
            bearer: None,
            secret_headers: Vec::new(),
            ticket: Ticket::default(),
            attempts: 0,
            waited: Duration::ZERO,
            at_once: true,
            last: None,
            unknown: false,
        }
    }

    async fn attempts(&mut self) -> Result<Answer> {
        let brings_its_own_token = self.prepare()?;
        let mut replaced = false;
        loop {
            // The token first: one that is missing or late must not take turns from others.
            if !brings_its_own_token {
                self.authorize().await?;
            }
            if self.turn().await? && !brings_its_own_token {
                self.authorize().await?;
            }
            self.spare = self.next.as_ref().and_then(reqwest::Request::try_clone);
            self.attempts += 1;
            let failed = match self.attempt().await {
                Ok(answer) => {
                    self.answered();
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            if is_unauthorized(&failed) && !replaced {
                replaced = true;
                self.at_once = false;
                match self.replace_token().await {
                    Ok(true) if self.spare.is_some() => {
                        trace::attempt_failed(self, &failed, Some(Duration::ZERO));
                        self.next = self.spare.take();
                        self.last = Some(failed.error);
                        continue;
                    }
                    Ok(true) => {
                        trace::attempt_failed(self, &failed, None);
                        return Err(failed.error.with_gave_up(STREAMED));
                    }
                    Ok(false) => {}
                    Err(cause) => {
                        trace::attempt_failed(self, &failed, None);
                        return Err(failed.error.with_source(cause));
                    }
                }
            } else if is_unauthorized(&failed)
                && let (Some(source), Some(bearer)) = (&self.route.token, &self.bearer)
            {
                source.reject(bearer);
            }
            self.after(failed).await?;
            self.next = self.spare.take();
        }
    }

    /// The service works: it has answered, whatever it has answered.
    fn answered(&mut self) {
        if let Some(lane) = &self.lane {
            lane.flows();
        }
        self.route.quota.succeeded(std::mem::take(&mut self.ticket));
    }

    /// Refuses a request that leaves the service, and completes its headers. True when it has an
    /// `Authorization` of its own.
    fn prepare(&mut self) -> Result<bool> {
        let Some(request) = &mut self.next else {
            return Ok(false);
        };
        origin::same(self.route.address(), request.url())?;
        if let Some(user_agent) = &self.core.user_agent {
            request
                .headers_mut()
                .entry(USER_AGENT)
                .or_insert_with(|| user_agent.clone());
        }
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
    async fn turn(&mut self) -> Result<bool> {
        let Some(lane) = self.lane.clone() else {
            return Ok(false);
        };
        if lane.try_turn(self.settings.priority, self.now()) {
            return Ok(false);
        }
        self.at_once = false;
        let too_long = lane
            .paused_until()
            .is_some_and(|until| until >= self.deadline);
        let since = Instant::now();
        let turn = match too_long {
            true => None,
            false => timeout_at(self.deadline, lane.turn(self.settings.priority))
                .await
                .ok(),
        };
        self.waited += since.elapsed();
        match turn {
            Some(()) => Ok(true),
            None => {
                let limit = self.settings.total_timeout;
                Err(self.instead(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "the rate budget gives this call no turn within the total timeout of \
                         {limit:?}"
                    ),
                )))
            }
        }
    }

    /// The error that ended the call after others: it keeps what the last answer said.
    fn instead(&mut self, error: Error) -> Error {
        match self.last.take() {
            Some(last) => match last.status() {
                Some(status) => error.with_status(status).with_source(last),
                None => error.with_source(last),
            },
            None => error,
        }
    }

    /// The project that the request is about, if it can be told.
    pub(super) fn project(&self) -> Option<&str> {
        project(self.spare.as_ref()?.url().path())
    }

    /// The time, without asking for it while nothing has been waited for.
    fn now(&self) -> Instant {
        match self.at_once {
            true => self.started,
            false => Instant::now(),
        }
    }

    async fn authorize(&mut self) -> Result<()> {
        let Some(source) = &self.route.token else {
            return match self.route.anonymous {
                true => Ok(()),
                false => Err(no_token(self.operation)),
            };
        };
        let bearer = match source.ready() {
            Some(bearer) => bearer,
            None => {
                self.at_once = false;
                match self.in_time(source.get()).await {
                    Ok(Ok(bearer)) => bearer,
                    Ok(Err(error)) | Err(error) => return Err(self.instead(error)),
                }
            }
        };
        if let Some(request) = &mut self.next {
            request.headers_mut().insert(AUTHORIZATION, bearer.header());
        }
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
                    "the token provider did not answer within the total timeout of {:?}",
                    self.settings.total_timeout
                ),
            )
        })
    }

    async fn attempt(&mut self) -> Result<Answer, Failed> {
        let now = self.now();
        let limit = self.settings.attempt_timeout;
        let own = now.checked_add(limit).unwrap_or(self.deadline);
        let (deadline, limit) = match own < self.deadline {
            true => (own, ("attempt", limit)),
            false => (self.deadline, ("total", self.settings.total_timeout)),
        };
        let attempt = Attempt {
            carrier: &self.core.carrier,
            base: self.route.address(),
            spare: self.spare.as_ref(),
            streams: self.operation.streams,
            deadline,
            limit,
        };
        match attempt.run(&mut self.next).await {
            Ok(answer) => {
                trace::attempt_succeeded(self, answer.0.status(), now);
                Ok(answer)
            }
            Err(failed) => Err(Failed {
                error: failed.error.scrubbed(&self.secrets()).cut(),
                cause: failed.cause,
            }),
        }
    }

    /// What an answer might echo: the token, and secret fields of the body.
    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(bearer) = &self.bearer {
            secrets.add(bearer.expose());
        }
        for value in &self.secret_headers {
            if let Ok(text) = value.to_str() {
                secrets.add(text);
                // The scheme is no secret, and may be left out where the rest is repeated.
                secrets.add(text.split_once(' ').map_or(text, |(_, rest)| rest));
            }
        }
        let body = self.spare.as_ref().and_then(reqwest::Request::body);
        if let Some(body) = body.and_then(reqwest::Body::as_bytes) {
            secrets.add_body(body);
        }
        secrets
    }

    /// Decides what follows a failed attempt, and waits until it is time for the next.
    async fn after(&mut self, failed: Failed) -> Result<()> {
        let policy = &self.settings.retry;
        self.unknown |= !self.operation.is_read() && leaves_open(failed.cause);
        let (throttled, hint) = match failed.cause {
            Cause::Status(status, hint) => (status == http::StatusCode::TOO_MANY_REQUESTS, hint),
            _ => (false, None),
        };
        let mut wait = policy.wait(self.attempts, throttled, hint);
        match (&self.lane, failed.cause) {
            (Some(lane), _) if throttled => {
                lane.pause(|pauses| match hint {
                    Some(_) => wait,
                    None => policy.wait(pauses, true, None),
                });
                // Whoever is throttled comes after those whom that has made wait.
                let paused = lane.paused_until().map(|until| until - Instant::now());
                wait = wait.max(paused.unwrap_or_default());
            }
            (_, Cause::Status(status, _)) if !is_transient(status) => self.answered(),
            (Some(lane), Cause::Status(..)) => lane.flows(),
            _ => {}
        }
        let give_up = match verdict(failed.cause, self.repeatable) {
            Verdict::GiveUp => Some(None),
            Verdict::Repeat { .. } if !policy.allows(self.attempts) => Some(None),
            Verdict::Repeat { .. } if self.spare.is_none() => Some(Some(STREAMED)),
            // A time that cannot be counted comes after every deadline.
            Verdict::Repeat { .. }
                if Instant::now()
                    .checked_add(wait)
                    .is_none_or(|next| next >= self.deadline) =>
            {
                Some(Some("the total timeout leaves no time for another attempt"))
            }
            Verdict::Repeat { paced: true } => None,
            Verdict::Repeat { paced: false } => match self.route.quota.take() {
                Some(ticket) => {
                    self.ticket = ticket;
                    None
                }
                None => Some(Some("the retry budget is spent")),
            },
        };
        if let Some(why) = give_up {
            trace::attempt_failed(self, &failed, None);
            return Err(match why {
                Some(why) => failed.error.with_gave_up(why),
                None => failed.error,
            });
        }
        trace::attempt_failed(self, &failed, Some(wait));
        self.last = Some(failed.error);
        self.at_once = false;
        sleep(wait).await;
        Ok(())
    }

    /// Adds to the result what the call took.
    fn finish(self, span: &Span, result: Result<Answer>) -> Result<Reply> {
        let call = CallInfo {
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
            budget_wait: self.waited,
        };
        match result {
            Ok((response, body)) => {
                trace::finished(span, &call, Ok(response.status()));
                Ok(Reply {
                    response,
                    body,
                    call,
                })
            }
            Err(error) => {
                let error = error.with_operation(self.operation).with_call(call);
                let error = match self.unknown {
                    true => error.with_outcome_unknown(),
                    false => error,
                };
                trace::finished(span, &call, Err(&error));
                Err(error)
            }
        }
    }
}

fn is_unauthorized(failed: &Failed) -> bool {
    matches!(
        failed.cause,
        Cause::Status(http::StatusCode::UNAUTHORIZED, _)
    )
}

/// The failure does not tell whether the request took effect.
fn leaves_open(cause: Cause) -> bool {
    match cause {
        Cause::Broken => true,
        Cause::Status(status, _) => matches!(status.as_u16(), 500 | 502 | 504),
        Cause::NotSent | Cause::Final => false,
    }
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
