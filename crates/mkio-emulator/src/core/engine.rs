//! From a request to an answer, without a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use super::call::{Answer, Call, Payload};
use super::clock::Clock;
use super::error::ApiError;
use super::family::{Kind, PLATFORM_USER};
use super::handlers::actions;
use super::query::Query;
use super::settings::Settings;
use super::store::Address;
use super::world::World;
use crate::docs::{Api, Documents, Keep, Operation, RouteError, findings};

/// The emulated platform. Shared by the host's connections and the control handle.
#[derive(Debug)]
pub struct Engine {
    pub(crate) clock: Clock,
    pub(crate) woken: Notify,
    world: Mutex<World>,
    token: String,
}

/// Findings listed in one refusal.
const MAX_FINDINGS: usize = 20;

impl Engine {
    /// A platform that starts at `start`, whose time runs `scale` times as fast as tokio's, and that accepts `token`.
    pub fn new(settings: Settings, start: DateTime<Utc>, scale: f64, token: String) -> Self {
        Self {
            clock: Clock::new(start, scale),
            woken: Notify::new(),
            world: Mutex::new(World::new(start, settings)),
            token,
        }
    }

    /// The platform's memory, moved on to now.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(self.clock.now());
        world
    }

    /// Answers a request.
    pub fn handle(&self, request: &Request<Bytes>, scheme: &str) -> Answer {
        let answer = match self.answer(request, scheme) {
            Ok(answer) => answer,
            Err(error) => error.into(),
        };
        self.woken.notify_waiters();
        answer
    }

    fn answer(&self, request: &Request<Bytes>, scheme: &str) -> Result<Answer, ApiError> {
        let documents = Documents::get();
        let path = request.uri().path();
        let (operation, parameters) = documents
            .route(request.method(), path)
            .map_err(|error| unrouted(request, error))?;
        let index = documents
            .operations()
            .iter()
            .position(|candidate| std::ptr::eq(candidate, operation));
        let action = index.and_then(|index| actions().get(index).copied().flatten());
        let action =
            action.ok_or_else(|| ApiError::internal(format!("no handler for {}", operation.id)))?;
        let user = self.caller(request.headers(), operation)?;
        let query = Query::parse(request.uri().query().unwrap_or_default())?;
        let content_type = content_type(request.headers())?;
        let mut world = self.world();
        check_query(operation, &query)?;
        if request.body().len() > world.settings.body_limit {
            return Err(ApiError::too_large(format!(
                "a request body is at most {} bytes",
                world.settings.body_limit
            )));
        }
        let body = check_body(operation, content_type.as_deref(), request.body())?;
        let authority = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("127.0.0.1");
        let call = Call {
            operation,
            parameters,
            query,
            body,
            raw: request.body().clone(),
            content_type,
            headers: request.headers(),
            path,
            origin: format!("{scheme}://{authority}"),
            user,
            organization: Uuid::nil(),
            token: Uuid::nil(),
        };
        if operation.in_project() && operation.path.len() > "/api/v1/projects/{project_name}".len()
        {
            world.find(&Address::new("", Kind::Project, call.project()))?;
        }
        action.run(&mut world, &call)
    }

    fn caller(&self, headers: &HeaderMap, operation: &Operation) -> Result<Uuid, ApiError> {
        if operation.path.starts_with("/.well-known/")
            || operation.path == "/api/ready"
            || operation.api == Api::Channels
        {
            return Ok(PLATFORM_USER);
        }
        let given = headers
            .get(header::AUTHORIZATION)
            .ok_or_else(|| ApiError::unauthorized("send 'Authorization: Bearer <token>'"))?;
        let given = given.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        if given == Some(self.token.as_str()) {
            Ok(PLATFORM_USER)
        } else {
            Err(ApiError::unauthorized("the bearer token is not valid"))
        }
    }
}

fn unrouted(request: &Request<Bytes>, error: RouteError) -> ApiError {
    let path = request.uri().path();
    match error {
        RouteError::NotFound { hint: Some(other) } => {
            ApiError::not_found(format!("there is nothing at {path}; '{other}' exists"))
        }
        RouteError::NotFound { hint: None } => {
            ApiError::not_found(format!("there is nothing at {path}"))
        }
        RouteError::NotUtf8 => {
            ApiError::bad_request("the path is not UTF-8 once its escapes are undone")
        }
        RouteError::MethodNotAllowed { allowed } => {
            let allowed: Vec<&str> = allowed.iter().map(http::Method::as_str).collect();
            ApiError::method_not_allowed(
                format!("{} is not possible at {path}", request.method()),
                allowed.join(", "),
            )
        }
    }
}

fn content_type(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| ApiError::bad_request("the Content-Type header is not ASCII"))?;
    Ok(text
        .split(';')
        .next()
        .map(|kind| kind.trim().to_ascii_lowercase()))
}

fn check_query(operation: &Operation, query: &Query) -> Result<(), ApiError> {
    for parameter in operation
        .query
        .iter()
        .filter(|parameter| parameter.required)
    {
        if query.one(&parameter.name)?.is_none() {
            return Err(ApiError::bad_request(format!(
                "query parameter '{}' is missing",
                parameter.name
            )));
        }
    }
    Ok(())
}

fn check_body(
    operation: &Operation,
    content_type: Option<&str>,
    raw: &Bytes,
) -> Result<Value, ApiError> {
    let Some(first) = operation.bodies.first() else {
        return Ok(Value::Null);
    };
    let declared = match content_type {
        _ if raw.is_empty() => first,
        None => first,
        Some(given) => operation
            .bodies
            .iter()
            .find(|body| body.content_type == given)
            .ok_or_else(|| {
                let taken: Vec<&str> = operation
                    .bodies
                    .iter()
                    .map(|body| body.content_type.as_str())
                    .collect();
                ApiError::bad_request(format!(
                    "the body is sent as '{given}'; this operation takes {}",
                    taken.join(" or ")
                ))
            })?,
    };
    let value: Value = if raw.is_empty() {
        serde_json::json!({})
    } else {
        serde_json::from_slice(raw)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?
    };
    let validator = declared
        .validator(operation.api)
        .map_err(ApiError::internal)?;
    let findings = findings(validator, &value, MAX_FINDINGS);
    if !findings.is_empty() {
        if raw.is_empty() {
            return Err(ApiError::bad_request("the request body is missing"));
        }
        return Err(ApiError::invalid("request body", findings));
    }
    let keep = if operation.method == http::Method::PATCH {
        Keep::Change
    } else {
        Keep::Stored
    };
    Ok(Documents::get().prune(operation.api, &declared.schema, value, keep))
}

impl Answer {
    /// The answer as an HTTP response.
    pub fn into_response(self) -> http::Response<Bytes> {
        let (content_type, body) = match self.payload {
            Payload::Empty => (None, Bytes::new()),
            Payload::Json(value) => (Some("application/json"), Bytes::from(value.to_string())),
            Payload::Bytes(content_type, bytes) => (Some(content_type), bytes),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(
                header::CONTENT_TYPE,
                http::HeaderValue::from_static(content_type),
            );
        }
        for (name, value) in &self.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            let value = value.as_str().map(http::HeaderValue::from_str);
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                headers.insert(name, value);
            }
        }
        debug_assert!(self.status != StatusCode::SWITCHING_PROTOCOLS);
        response
    }
}
