//! From a request to a response, without a socket.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    base::{
        clock::{Clock, ClockFace},
        error::ApiError,
        kind::Kind,
        settings::Settings,
        store::Address,
        values_in,
        world::{Happened, PLATFORM_USER, Snapshot, World},
    },
    docs::{Operation, Parameters},
    faults::{self, Fault, Faults, Reset},
    platform::{
        call::{Call, Payload, Response},
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

pub(crate) mod check;
mod outcome;
pub(crate) mod route;

pub use outcome::{Delivery, Outcome};

use check::{check_body, check_query, content_type, too_large};
use outcome::made;
use route::{check_escapes, door, origin, read, route, unrouted};

/// The emulated platform. Shared by the host's connections and the control handle.
pub struct Engine {
    pub(crate) clock: Clock,
    pub(crate) woken: Notify,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) settings: Settings,
    limits: Mutex<Limits>,
    world: Mutex<Platform>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The world holds secrets.
        formatter.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The target of a request.
enum Found {
    Door(&'static Door),
    Operation(&'static Operation, Parameters<'static>, Action),
}

/// On whose behalf a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The user of the token, within the rate limits.
    Token,
    /// The emulator's operator: everything, as often as wanted.
    Operator,
}

impl Engine {
    /// An empty platform that starts at `start` and whose time runs `scale` times as fast as tokio's.
    pub fn new(settings: Settings, start: DateTime<Utc>, scale: f64) -> Self {
        Self::of(Arc::new(Start::builtin()), settings, start, scale)
    }

    /// An empty platform of the operator's world.
    pub fn of(world: Arc<Start>, settings: Settings, start: DateTime<Utc>, scale: f64) -> Self {
        let platform = Platform::new(start, settings.clone(), registry::get(), world);
        Self::of_platform(platform, settings, Clock::new(start, scale))
    }

    fn of_platform(platform: Platform, settings: Settings, clock: Clock) -> Self {
        Self {
            clock,
            woken: Notify::new(),
            faults: Mutex::new(Faults::default()),
            settings,
            limits: Mutex::new(Limits::default()),
            world: Mutex::new(platform),
        }
    }

    /// The platform's memory, moved on to now.
    pub(crate) fn world(&self) -> MutexGuard<'_, Platform> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle();
        world.counted = self.clock.counted();
        world.real = self.clock.real();
        advance(&mut world, self.clock.now());
        world
    }

    /// A platform that was written down, of the same world and settings as this one, when the clock shows this.
    ///
    /// # Errors
    /// When the snapshot names an unknown kind or state, or contradicts itself.
    #[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
    pub(crate) fn restored(&self, snapshot: Snapshot, face: ClockFace) -> Result<Self, String> {
        let (settings, start) = (self.settings.clone(), self.world().start.clone());
        let world = World::load(snapshot, face.now, settings.clone(), registry::get())?;
        // Without its organization or its user a platform serves nobody.
        for (kind, id) in [
            (Kind::ORGANIZATION, world.home),
            (Kind::USER, PLATFORM_USER),
        ] {
            if !world.has(&Address::new("", kind, &id.to_string())) {
                return Err(format!("the state lacks the {} '{id}'", kind.noun()));
            }
        }
        let clock = Clock::new(face.now, face.scale);
        clock.set(face);
        let platform = Platform::of(world, registry::get(), start);
        Ok(Self::of_platform(platform, settings, clock))
    }

    /// Takes over the world and the clock of another platform, between two requests. Faults stay.
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

    /// Answers a request, and says how the response is to be sent.
    pub fn handle(&self, request: &Request<Bytes>) -> Outcome {
        let fault = self
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .meet(request.method(), request.uri().path());
        let Some(fault) = fault else {
            let (response, operation) = self.done(request, By::Token);
            return Outcome {
                operation,
                ..Outcome::from(response)
            };
        };
        let (response, operation) = self.spoiled(request, &fault);
        let delivery = Delivery {
            delay: Duration::from_millis(fault.delay),
            reset: fault.reset.is_some(),
            cut: fault.cut,
            slow: Duration::from_millis(fault.slow),
        };
        Outcome {
            response,
            delivery,
            operation,
            fault: Some(fault),
        }
    }

    /// The response that a fault leaves.
    fn spoiled(
        &self,
        request: &Request<Bytes>,
        fault: &Fault,
    ) -> (Response, Option<&'static Operation>) {
        let operation = || {
            let found = route(read(request.method()), request.uri().path()).ok();
            found.map(|(operation, _)| operation)
        };
        if fault.reset == Some(Reset::Before) {
            return (Response::empty(StatusCode::OK), operation());
        }
        let (mut response, operation) = match made(fault) {
            Some(response) => (response, operation()),
            None => self.done(request, By::Token),
        };
        if let Payload::Json(body) = &mut response.payload {
            let query = request
                .uri()
                .query()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            let url = format!("{}{}{query}", origin(request), request.uri().path());
            faults::apply(fault, &url, body);
        }
        (response, operation)
    }

    /// Most bytes of a request body.
    pub(crate) fn body_limit_at(&self, method: &Method, path: &str) -> usize {
        match door(read(method), path) {
            Some(door) if door.blobs => self.settings.blob_limit,
            _ => self.settings.body_limit,
        }
    }

    /// Answers a request without any fault.
    pub fn plain(&self, request: &Request<Bytes>) -> Response {
        self.done(request, By::Token).0
    }

    /// Answers a request of the emulator's operator: no token, no permissions, no limits, no faults.
    pub fn operator(&self, request: &Request<Bytes>) -> Response {
        self.done(request, By::Operator).0
    }

    /// Scheme and authority by which the caller reaches the emulator; for the operator, who sends no `Host`, those of the last caller.
    fn origin(&self, request: &Request<Bytes>, by: By) -> String {
        match by {
            By::Token => origin(request),
            By::Operator => self.world().origin.clone(),
        }
    }

    fn done(&self, request: &Request<Bytes>, by: By) -> (Response, Option<&'static Operation>) {
        let found = self.find(request);
        let operation = match &found {
            Ok(Found::Operation(operation, ..)) => Some(*operation),
            _ => None,
        };
        let response = found.and_then(|found| match found {
            Found::Door(door) => {
                let origin = self.origin(request, by);
                let mut world = self.world();
                reached(&mut world, &origin);
                (door.serve)(&mut world, request)
            }
            Found::Operation(operation, parameters, action) => {
                self.respond(request, by, operation, parameters, action)
            }
        });
        let response = response.unwrap_or_else(|error| refusal(request.uri().path(), error));
        self.woken.notify_waiters();
        (response, operation)
    }

    /// The target of a request.
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

    fn respond(
        &self,
        request: &Request<Bytes>,
        by: By,
        operation: &'static Operation,
        parameters: Parameters<'static>,
        action: Action,
    ) -> Result<Response, ApiError> {
        let project = parameters
            .iter()
            .find(|(name, _)| *name == "project_name")
            .map(|(_, name)| name.as_str())
            .unwrap_or_default();
        let (caller, project_id) = self.admit(request.headers(), operation, project, by)?;
        // The world is not locked while this request is read.
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
            origin: self.origin(request, by),
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
        if !is_blob && values_in(request.body()) > self.settings.body_values {
            return Err(ApiError::too_large(format!(
                "a request body holds at most {} values",
                self.settings.body_values
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

/// Runs all steps that are due by `now`, in order, with their consequences.
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
