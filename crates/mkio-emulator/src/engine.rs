//! From a request to an answer, without a socket.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    base::{
        clock::{Clock, ClockFace},
        error::ApiError,
        format,
        kind::Kind,
        settings::Settings,
        store::Address,
        values_in,
        world::{Happened, Snapshot, World},
    },
    docs::{Documents, Keep, Operation, Parameters, RouteError, Schemas, findings},
    faults::{self, Fault, Faults, Reset},
    platform::{
        call::{Answer, Call, Payload},
        fixed,
        identity::{self, Caller},
        limits::{Bucket, Limits},
        refusal::refusal,
        rules::{Action, Door, Platform},
        start::Start,
    },
    query::Query,
    registry,
};

/// The emulated platform. Shared by the host's connections and the control handle.
pub struct Engine {
    pub(crate) clock: Clock,
    pub(crate) woken: Notify,
    pub(crate) faults: Mutex<Faults>,
    body_limit: usize,
    blob_limit: usize,
    body_values: usize,
    #[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
    pub(crate) read_timeout: Option<Duration>,
    #[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
    pub(crate) remote_webhooks: bool,
    #[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
    pub(crate) allowed_hosts: Vec<String>,
    limits: Mutex<Limits>,
    world: Mutex<Platform>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What it knows includes secrets.
        formatter.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// How it is to be sent.
    pub delivery: Delivery,
    /// The operation that the request asked for, where it got that far and asked for one.
    pub operation: Option<&'static Operation>,
    /// The fault that met it.
    pub fault: Option<Arc<Fault>>,
}

impl From<Answer> for Outcome {
    /// An answer that nothing else is to be told of.
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            delivery: Delivery::default(),
            operation: None,
            fault: None,
        }
    }
}

/// What a request asks for.
enum Found {
    Door(&'static Door),
    Operation(&'static Operation, Parameters<'static>, Action),
}

/// How an answer is to be sent, where a fault has a say.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Wait before the first byte.
    pub delay: Duration,
    /// The connection breaks instead of the answer.
    pub reset: bool,
    /// The connection breaks after so many bytes of the body.
    pub cut: Option<usize>,
    /// Wait between pieces of the body.
    pub slow: Duration,
}

/// In whose name a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The user of the token, within the rate limits.
    Token,
    /// The emulator's operator: everything, as often as wanted.
    Operator,
}

/// Findings listed in one refusal.
const MAX_FINDINGS: usize = 20;

impl Engine {
    /// An empty platform that starts at `start` and whose time runs `scale` times as fast as tokio's.
    pub fn new(settings: Settings, start: DateTime<Utc>, scale: f64) -> Self {
        Self::of(Start::builtin(), settings, start, scale)
    }

    /// An empty platform of a world of one's own.
    pub fn of(world: Start, settings: Settings, start: DateTime<Utc>, scale: f64) -> Self {
        let platform = Platform::new(start, settings.clone(), registry::get(), Arc::new(world));
        Self::of_platform(platform, settings, Clock::new(start, scale))
    }

    fn of_platform(platform: Platform, settings: Settings, clock: Clock) -> Self {
        Self {
            clock,
            woken: Notify::new(),
            faults: Mutex::new(Faults::default()),
            body_limit: settings.body_limit,
            blob_limit: settings.blob_limit,
            body_values: settings.body_values,
            read_timeout: settings.read_timeout,
            remote_webhooks: settings.remote_webhooks,
            allowed_hosts: settings.allowed_hosts,
            limits: Mutex::new(Limits::default()),
            world: Mutex::new(platform),
        }
    }

    /// The platform's memory, moved on to now.
    pub(crate) fn world(&self) -> MutexGuard<'_, Platform> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle();
        world.counted = self.clock.counted();
        advance(&mut world, self.clock.now());
        world
    }

    /// A platform that was written down, of the same world and settings as this one, when the clock shows this.
    ///
    /// # Errors
    /// When the snapshot names an unknown kind or state, or contradicts itself.
    #[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
    pub(crate) fn restored(&self, snapshot: Snapshot, face: ClockFace) -> Result<Self, String> {
        let own = self.world();
        let (settings, start) = (own.settings.clone(), own.start.clone());
        drop(own);
        let world = World::load(snapshot, face.now, settings.clone(), registry::get())?;
        let clock = Clock::new(face.now, face.scale);
        clock.set(face);
        let platform = Platform::of(world, registry::get(), start);
        Ok(Self::of_platform(platform, settings, clock))
    }

    /// Takes over the world and the clock of another platform, at once for whoever asks. Faults stay.
    #[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
    pub(crate) fn replace(&self, other: Self) {
        let world = other.world.into_inner();
        let mut world = world.unwrap_or_else(PoisonError::into_inner);
        let mut own = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.origin.clone_from(&own.origin);
        *own = world;
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = Limits::default();
        self.clock.set(other.clock.face());
        drop(own);
        self.woken.notify_waiters();
    }

    /// Answers a request, and says how the answer is to be sent.
    pub fn handle(&self, request: &Request<Bytes>) -> Outcome {
        let fault = self
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .meet(request.method(), request.uri().path());
        let Some(fault) = fault else {
            let (answer, operation) = self.done(request, By::Token);
            return Outcome {
                operation,
                ..Outcome::from(answer)
            };
        };
        let (answer, operation) = self.spoiled(request, &fault);
        let delivery = Delivery {
            delay: Duration::from_millis(fault.delay),
            reset: fault.reset.is_some(),
            cut: fault.cut,
            slow: Duration::from_millis(fault.slow),
        };
        Outcome {
            answer,
            delivery,
            operation,
            fault: Some(fault),
        }
    }

    /// The answer that a fault leaves.
    fn spoiled(
        &self,
        request: &Request<Bytes>,
        fault: &Fault,
    ) -> (Answer, Option<&'static Operation>) {
        let meant = || route(request.method(), request.uri().path()).ok();
        let operation = || meant().map(|(operation, _)| operation);
        if fault.reset == Some(Reset::Before) {
            return (Answer::empty(StatusCode::OK), operation());
        }
        let (mut answer, operation) = match made(fault) {
            Some(answer) => (answer, operation()),
            None => self.done(request, By::Token),
        };
        if let Payload::Json(body) = &mut answer.payload {
            let query = request
                .uri()
                .query()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            let url = format!("{}{}{query}", origin(request), request.uri().path());
            faults::apply(fault, &url, body);
        }
        (answer, operation)
    }

    /// Most bytes of a request body.
    pub(crate) fn body_limit_at(&self, method: &Method, path: &str) -> usize {
        match door(read(method), path) {
            Some(door) if door.blobs => self.blob_limit,
            _ => self.body_limit,
        }
    }

    /// Answers a request without any fault.
    pub fn plain(&self, request: &Request<Bytes>) -> Answer {
        self.done(request, By::Token).0
    }

    /// Answers a request of the emulator's operator: no token, no permissions, no limits, no faults.
    pub fn operator(&self, request: &Request<Bytes>) -> Answer {
        self.done(request, By::Operator).0
    }

    fn done(&self, request: &Request<Bytes>, by: By) -> (Answer, Option<&'static Operation>) {
        let found = self.find(request);
        let operation = match &found {
            Ok(Found::Operation(operation, ..)) => Some(*operation),
            _ => None,
        };
        let answer = found.and_then(|found| match found {
            Found::Door(door) => {
                let mut world = self.world();
                reached(&mut world, &origin(request));
                (door.serve)(&mut world, request)
            }
            Found::Operation(operation, parameters, action) => {
                self.answer(request, by, operation, parameters, action)
            }
        });
        let answer = answer.unwrap_or_else(|error| refusal(request.uri().path(), error));
        self.woken.notify_waiters();
        (answer, operation)
    }

    /// What a request asks for.
    fn find(&self, request: &Request<Bytes>) -> Result<Found, ApiError> {
        let path = request.uri().path();
        let method = read(request.method());
        let door = door(method, path);
        self.check_size(request, door)?;
        for text in [Some(path), request.uri().query()].into_iter().flatten() {
            check_escapes(text)?;
        }
        let registry = registry::get();
        if let Some(door) = door {
            return Ok(Found::Door(door));
        }
        let (operation, parameters) =
            route(method, path).map_err(|error| unrouted(request, error))?;
        let action = registry.action(operation).ok_or_else(|| {
            ApiError::not_implemented(format!("this emulator does not serve {}", operation.id))
        })?;
        Ok(Found::Operation(operation, parameters, action))
    }

    fn answer(
        &self,
        request: &Request<Bytes>,
        by: By,
        operation: &'static Operation,
        parameters: Parameters<'static>,
        action: Action,
    ) -> Result<Answer, ApiError> {
        let project = parameters
            .iter()
            .find(|(name, _)| *name == "project_name")
            .map(|(_, name)| name.as_str())
            .unwrap_or_default();
        let (caller, project_id) = self.admit(request.headers(), operation, project, by)?;
        // The platform goes on for others while this request is read.
        let query = Query::parse(request.uri().query().unwrap_or_default())?;
        check_query(operation, &query)?;
        let content_type = content_type(request.headers())?;
        let (body, given) = check_body(operation, content_type.as_deref(), request.body())?;
        let call = Call {
            operation,
            parameters,
            query,
            body,
            raw: request.body().clone(),
            content_type,
            path: request.uri().path(),
            origin: origin(request),
            user: caller.user,
            organization: caller.organization,
            restricted: caller.permissions.is_some(),
            project_id,
            caller,
        };
        let mut world = self.world();
        reached(&mut world, &call.origin);
        world.room_for(&call.body)?;
        if let Some(given) = given.filter(Value::is_object)
            && let Some(reading) = fixed::reader(operation)
            && let Some(action) = registry::get().action(reading)
        {
            fixed::check(&mut world, &call, &given, (reading, action))?;
        }
        action.run(&mut world, &call)
    }

    fn check_size(&self, request: &Request<Bytes>, door: Option<&Door>) -> Result<(), ApiError> {
        let limit = self.body_limit_at(request.method(), request.uri().path());
        if request.body().len() > limit {
            return Err(too_large(limit));
        }
        let is_blob = door.is_some_and(|door| door.blobs);
        if !is_blob && values_in(request.body()) > self.body_values {
            return Err(ApiError::too_large(format!(
                "a request body holds at most {} values",
                self.body_values
            )));
        }
        Ok(())
    }

    /// Who calls, if the caller may, and the id of the project in the path.
    fn admit(
        &self,
        headers: &HeaderMap,
        operation: &Operation,
        project: &str,
        by: By,
    ) -> Result<(Caller, Option<Uuid>), ApiError> {
        let mut world = self.world();
        let caller = match by {
            By::Operator => Caller::operator(&world),
            By::Token if identity::is_open(operation) => Caller::anonymous(),
            By::Token => identity::caller(&mut world, identity::bearer(headers)?)?,
        };
        let known = world
            .get(&Address::new("", Kind::PROJECT, project))
            .map(|project| (project.id, identity::owner(project)));
        if by == By::Token && world.settings.rate_limit && !operation.api.is_device() {
            let bucket = match known {
                Some(_) => Bucket::Project(project.to_owned()),
                None => Bucket::Organization(caller.organization),
            };
            let write = !matches!(operation.method, Method::GET | Method::HEAD);
            let (now, tell) = (self.clock.counted(), world.settings.retry_after);
            self.limits
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(bucket, write, now, tell)?;
        }
        let foreign = known.is_some_and(|(_, owner)| owner != Some(caller.organization));
        if foreign && by == By::Token {
            return Err(ApiError::forbidden(format!(
                "the project '{project}' belongs to another organization than the token"
            )));
        }
        let known = known.map(|(id, _)| id);
        caller.may(operation, known)?;
        if operation.in_project()
            && known.is_none()
            && operation.path != "/api/v1/projects/{project_name}"
        {
            return Err(ApiError::not_found(format!(
                "there is no project named '{project}'"
            )));
        }
        Ok((caller, known))
    }
}

/// Lets everything happen that is due by `now`, in order, and what follows from it.
fn advance(world: &mut Platform, now: DateTime<Utc>) {
    while let Some(happened) = world.advance(now) {
        match happened {
            Happened::Entered { address, previous } => {
                (world.rules(address.place.kind).entered)(world, &address, previous);
            }
            Happened::Removed { address, removed } => {
                (world.rules(address.place.kind).removed)(world, &address, &removed);
            }
        }
    }
}

/// Remembers where the caller reaches the emulator.
fn reached(world: &mut Platform, origin: &str) {
    if world.origin != origin {
        origin.clone_into(&mut world.origin);
    }
}

/// The refusal of a body that is over the limit.
pub(crate) fn too_large(limit: usize) -> ApiError {
    ApiError::too_large(format!("a request body is at most {limit} bytes"))
}

/// The answer that a fault makes up.
fn made(fault: &Fault) -> Option<Answer> {
    let status = fault
        .status
        .or_else(|| fault.html.then_some(502))
        .and_then(|status| StatusCode::from_u16(status).ok())?;
    let mut answer = if fault.html {
        let page = format!(
            "<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>proxy</body></html>"
        );
        Answer {
            status,
            ..Answer::bytes("text/html", page)
        }
    } else {
        Answer::from(ApiError::made(status, "a fault made on demand"))
    };
    if let Some(value) = &fault.retry_after {
        answer
            .headers
            .insert("retry-after".to_owned(), Value::String(value.clone()));
    }
    Some(answer)
}

/// HEAD is GET; the host leaves the body of the response out.
fn read(method: &Method) -> &Method {
    match *method {
        Method::HEAD => &Method::GET,
        ref method => method,
    }
}

/// What answers at a path outside of all documents.
fn door(method: &Method, path: &str) -> Option<&'static Door> {
    let mut doors = registry::get().doors();
    doors.find(|door| door.method == method && (door.opens)(path))
}

/// The operation that a request means. Of a path of the cloud, the final slash may be missing: guides leave it out.
fn route(
    method: &Method,
    path: &str,
) -> Result<(&'static Operation, Parameters<'static>), RouteError> {
    let documents = Documents::get();
    let found = documents.route(method, path);
    let Err(RouteError::NotFound { hint: Some(other) }) = &found else {
        return found;
    };
    match documents.route(method, other) {
        Ok((operation, parameters)) if other.len() > path.len() && !operation.api.is_device() => {
            Ok((operation, parameters))
        }
        _ => found,
    }
}

/// The methods that are answered at a path.
///
/// # Errors
/// 404 when nothing is.
#[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
pub(crate) fn methods(path: &str) -> Result<Vec<Method>, ApiError> {
    let mut found = match route(&Method::OPTIONS, path) {
        Err(RouteError::MethodNotAllowed { allowed }) => allowed,
        _ => Vec::new(),
    };
    let doors = registry::get().doors();
    found.extend(
        doors
            .filter(|door| (door.opens)(path))
            .map(|door| door.method.clone()),
    );
    if found.is_empty() {
        return Err(ApiError::not_found(format!("there is nothing at {path}")));
    }
    if found.contains(&Method::GET) {
        found.push(Method::HEAD);
    }
    found.push(Method::OPTIONS);
    Ok(found)
}

/// Refuses a `%` that no two hexadecimal digits follow.
fn check_escapes(text: &str) -> Result<(), ApiError> {
    let broken = text.split('%').skip(1).find(|rest| {
        let digits = rest.bytes().take(2);
        digits.filter(u8::is_ascii_hexdigit).count() < 2
    });
    match broken {
        Some(rest) => {
            let shown: String = rest.chars().take(2).collect();
            Err(ApiError::bad_request(format!(
                "'%{shown}' in the path or the query is no escape: send '%25' for a percent sign"
            )))
        }
        None => Ok(()),
    }
}

/// Scheme and authority that the caller used.
fn origin(request: &Request<Bytes>) -> String {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
    format!("http://{}", authority.unwrap_or("127.0.0.1"))
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
            let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
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
    for parameter in &operation.query {
        let name = parameter.name.as_str();
        let mut given = query.all(name).peekable();
        if parameter.required && given.peek().is_none() {
            return Err(ApiError::bad_request(format!(
                "query parameter '{name}' is missing"
            )));
        }
        for value in given {
            let refused = parameter.refuses(operation.api, value);
            if let Some(reason) = refused.map_err(ApiError::internal)? {
                return Err(ApiError::bad_request(format!(
                    "query parameter '{name}' is not valid: {reason}"
                )));
            }
        }
    }
    Ok(())
}

/// What the caller says freely: whatever looks like a time there is none.
const FREE: [&str; 5] = [
    "config",
    "configValues",
    "correlationData",
    "labels",
    "tags",
];

/// Times in a body that are finer than the platform records, `(pointer, reason)`.
fn too_fine(body: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), body)];
    while let Some((at, value)) = left.pop() {
        match value {
            Value::String(text) if format::is_too_fine(text) => {
                let name = at.rsplit('/').next().unwrap_or_default();
                if ["Time", "time", "Date"]
                    .iter()
                    .any(|end| name.ends_with(end))
                {
                    found.push((at, format::TOO_FINE.to_owned()));
                }
            }
            Value::Object(fields) => left.extend(
                fields
                    .iter()
                    .filter(|(name, _)| !FREE.contains(&name.as_str()))
                    .map(|(name, value)| (format!("{at}/{name}"), value)),
            ),
            Value::Array(items) => left.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (format!("{at}/{index}"), item)),
            ),
            _ => {}
        }
    }
    found
}

/// The body, cut down to what the operation takes; of a partial change also as it came.
fn check_body(
    operation: &Operation,
    content_type: Option<&str>,
    raw: &Bytes,
) -> Result<(Value, Option<Value>), ApiError> {
    let Some(first) = operation.bodies.first() else {
        return Ok((Value::Null, None));
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
    let validator = declared
        .validator(operation.api)
        .map_err(ApiError::internal)?;
    let value: Value = if raw.is_empty() {
        // Bodies are optional in the documents, whose schemas then demand fields: what an empty object lacks, no body has.
        let empty = serde_json::json!({});
        if !validator.is_valid(&empty) {
            return Err(ApiError::bad_request("the request body is missing"));
        }
        empty
    } else {
        serde_json::from_slice(raw)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?
    };
    let mut findings = findings(validator, &value, MAX_FINDINGS);
    findings.extend(too_fine(&value));
    if !findings.is_empty() {
        return Err(ApiError::invalid("request body", findings));
    }
    let (keep, given) = if operation.method == Method::PATCH {
        (Keep::Change, Some(value.clone()))
    } else if operation.api.is_device() {
        // A device keeps a specification as it was sent.
        (Keep::Change, None)
    } else {
        (Keep::Stored, None)
    };
    let body = Schemas::get().prune(operation.api, &declared.schema, value, keep);
    Ok((body, given))
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
        response
    }
}
