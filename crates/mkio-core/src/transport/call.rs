//! One call: its attempts, and the waits between them.

use std::{future::Future, sync::Arc, time::Duration};

use http::header::{AUTHORIZATION, USER_AGENT};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span};

use super::{
    CallSettings, Core, Route, Transport,
    attempt::{Answer, Attempt, Failed},
    origin,
    received::Received,
    trace,
};
use crate::{
    Error, ErrorKind, Operation, Result,
    budget::Lane,
    error::Secrets,
    response::CallInfo,
    retry::{Cause, Ticket, Verdict, repeatable, verdict},
    token::Bearer,
};

impl Transport {
    /// Sends a request, as often as it takes and may. The body of the answer is apart, as
    /// [`Received`].
    pub(crate) async fn call(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<reqwest::Response> {
        let route = self.core.routes.to(operation)?;
        self.call_on(route, request, operation).await
    }

    /// The same for a route that the caller chose.
    pub(super) async fn call_on(
        &self,
        route: &Route,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<reqwest::Response> {
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

struct Call<'a> {
    core: &'a Core,
    settings: &'a CallSettings,
    operation: &'static Operation,
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
    ticket: Ticket,
    attempts: u32,
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
            self.turn().await?;
            if !brings_its_own_token {
                self.authorize().await?;
            }
            self.spare = self.next.as_ref().and_then(reqwest::Request::try_clone);
            self.attempts += 1;
            let failed = match self.attempt().await {
                Ok(answer) => {
                    if let Some(lane) = &self.lane {
                        lane.flows();
                    }
                    self.core.quota.succeeded(std::mem::take(&mut self.ticket));
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            if is_unauthorized(&failed) && !replaced && self.spare.is_some() {
                replaced = true;
                self.at_once = false;
                match self.replace_token().await {
                    Ok(true) => {
                        trace::attempt_failed(self.attempts, &failed, Some(Duration::ZERO));
                        self.next = self.spare.take();
                        continue;
                    }
                    Ok(false) => {}
                    Err(cause) => {
                        trace::attempt_failed(self.attempts, &failed, None);
                        return Err(failed.error.with_source(cause));
                    }
                }
            }
            self.after(failed).await?;
            self.next = self.spare.take();
        }
    }

    /// Refuses a request that leaves the service, and completes its headers. True when it has an
    /// `Authorization` of its own.
    fn prepare(&mut self) -> Result<bool> {
        let Some(request) = &mut self.next else {
            return Ok(false);
        };
        origin::same(self.route.url(), request.url())?;
        if let Some(user_agent) = &self.core.user_agent {
            request
                .headers_mut()
                .entry(USER_AGENT)
                .or_insert_with(|| user_agent.clone());
        }
        let own = request.headers_mut().get_mut(AUTHORIZATION);
        Ok(own.map(|value| value.set_sensitive(true)).is_some())
    }

    /// Waits for a turn in the rate budget.
    async fn turn(&mut self) -> Result<()> {
        let Some(lane) = self.lane.clone() else {
            return Ok(());
        };
        if lane.try_turn(self.settings.priority, self.started) {
            return Ok(());
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
        turn.ok_or_else(|| {
            let limit = self.settings.total_timeout;
            let error = Error::new(
                ErrorKind::Timeout,
                format!(
                    "the rate budget gives this call no turn within the total timeout of {limit:?}"
                ),
            );
            match self.last.take() {
                Some(last) => error.with_source(last),
                None => error,
            }
        })
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
                self.in_time(source.get()).await??
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
        let now = match self.at_once {
            true => self.started,
            false => Instant::now(),
        };
        let limit = self.settings.attempt_timeout;
        let own = now.checked_add(limit).unwrap_or(self.deadline);
        let (deadline, limit) = match own < self.deadline {
            true => (own, ("attempt", limit)),
            false => (self.deadline, ("total", self.settings.total_timeout)),
        };
        let attempt = Attempt {
            carrier: &self.core.carrier,
            base: self.route.url(),
            spare: self.spare.as_ref(),
            streams: self.operation.streams,
            deadline,
            limit,
        };
        match attempt.run(&mut self.next).await {
            Ok(answer) => {
                trace::attempt_succeeded(self.attempts, answer.0.status(), now);
                Ok(answer)
            }
            Err(failed) => Err(Failed {
                error: failed.error.scrubbed(&self.secrets()),
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
        let wait = policy.wait(self.attempts, throttled, hint);
        match &self.lane {
            Some(lane) if throttled => lane.pause(|pauses| match hint {
                Some(_) => wait,
                None => policy.wait(pauses, true, None),
            }),
            Some(lane) if failed.error.status().is_some() => lane.flows(),
            _ => {}
        }
        let give_up = match verdict(failed.cause, self.repeatable) {
            Verdict::GiveUp => Some(None),
            Verdict::Repeat { .. } if !policy.allows(self.attempts) => Some(None),
            Verdict::Repeat { .. } if self.spare.is_none() => {
                Some(Some("its body is a stream and cannot be repeated"))
            }
            // A time that cannot be counted comes after every deadline.
            Verdict::Repeat { .. }
                if Instant::now()
                    .checked_add(wait)
                    .is_none_or(|next| next >= self.deadline) =>
            {
                Some(Some("the total timeout leaves no time for another attempt"))
            }
            Verdict::Repeat { paced: true } => None,
            Verdict::Repeat { paced: false } => match self.core.quota.take() {
                Some(ticket) => {
                    self.ticket = ticket;
                    None
                }
                None => Some(Some("the retry budget is spent")),
            },
        };
        if let Some(why) = give_up {
            trace::attempt_failed(self.attempts, &failed, None);
            return Err(match why {
                Some(why) => failed.error.with_gave_up(why),
                None => failed.error,
            });
        }
        trace::attempt_failed(self.attempts, &failed, Some(wait));
        self.last = Some(failed.error);
        self.at_once = false;
        sleep(wait).await;
        Ok(())
    }

    /// Adds to the result what the call took.
    fn finish(self, span: &Span, result: Result<Answer>) -> Result<reqwest::Response> {
        let call = CallInfo {
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
            budget_wait: self.waited,
        };
        match result {
            Ok((mut response, body)) => {
                trace::finished(span, &call, Ok(response.status()));
                Received { body, call }.attach(&mut response);
                Ok(response)
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
