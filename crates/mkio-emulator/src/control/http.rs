//! Steering over HTTP, below `/_emulator/`. `data/emulator.json` describes it.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        keys::{self, Digest},
    },
    control::handle::Control,
    faults::{self, FaultError},
    inspect,
    platform::{call::Response, identity, incidents::Incident},
    query::Query,
};

/// Prefix of the paths.
pub(crate) const PREFIX: &str = "/_emulator/";

/// Which callers may steer: those with the token; without one, those of this machine.
#[derive(Clone)]
pub(crate) struct Access(Option<Digest>);

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Access").finish_non_exhaustive()
    }
}

impl Access {
    /// With a token, or without.
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self(token.map(keys::digest_of))
    }

    /// Whether a caller at an address may steer.
    ///
    /// # Errors
    /// 401 without the token, 403 from another machine.
    pub(crate) fn check(&self, peer: IpAddr, headers: &HeaderMap) -> Result<(), ApiError> {
        match &self.0 {
            Some(digest) if keys::digest_of(identity::bearer(headers)?) == *digest => Ok(()),
            Some(_) => Err(ApiError::unauthorized(
                "the bearer token is not the one that --control-token names",
            )),
            None if peer.to_canonical().is_loopback() => Ok(()),
            None => Err(ApiError::forbidden(
                "only callers of the emulator's own machine may steer it; start it with --control-token for others",
            )),
        }
    }
}

type Handler = fn(&Control, &Request<Bytes>) -> Result<Response, ApiError>;

/// The requests: method, path below [`PREFIX`], handler.
fn routes() -> [(Method, &'static str, Handler); 16] {
    [
        (Method::GET, "", index),
        (Method::GET, "openapi.json", |_, _| Ok(document())),
        (Method::GET, "clock", |control, _| Ok(clock(control))),
        (Method::PATCH, "clock", change_clock),
        (Method::POST, "clock/step", step),
        (Method::GET, "faults", |control, _| {
            Ok(faults_in_force(control))
        }),
        (Method::POST, "faults", add_faults),
        (Method::DELETE, "faults", |control, _| {
            control.clear_faults();
            Ok(done())
        }),
        (Method::POST, "incidents", cause),
        (Method::POST, "reset", |control, _| {
            control.reset().map_err(ApiError::conflict)?;
            Ok(done())
        }),
        (Method::POST, "seed", seed),
        (Method::GET, "state", |control, _| {
            Ok(Response::bytes("application/json", control.state()))
        }),
        (Method::PUT, "state", restore),
        (Method::GET, "requests", requests),
        (Method::DELETE, "requests", |control, _| {
            control.clear_requests();
            Ok(done())
        }),
        (Method::GET, "resources", resources),
    ]
}

/// The methods that are answered at a path below [`PREFIX`].
pub(crate) fn methods(path: &str) -> Vec<Method> {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let mut found: Vec<Method> = routes()
        .into_iter()
        .filter(|(_, known, _)| *known == path)
        .map(|(method, ..)| method)
        .collect();
    if let Some(at) = found.iter().position(|method| method == Method::GET) {
        found.insert(at + 1, Method::HEAD);
    }
    if !found.is_empty() {
        found.push(Method::OPTIONS);
    }
    found
}

/// Answers a request to a path below [`PREFIX`], of a caller who may steer.
///
/// # Errors
/// The problem.
pub(crate) fn respond(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let full = request.uri().path();
    let path = full.strip_prefix(PREFIX).unwrap_or_default();
    let method = match *request.method() {
        Method::HEAD => &Method::GET,
        ref method => method,
    };
    let routes = routes();
    let found = routes
        .iter()
        .find(|(known, at, _)| known == method && *at == path);
    if let Some((.., handler)) = found {
        return handler(control, request);
    }
    let known = methods(full);
    if known.is_empty() {
        return Err(ApiError::not_found(format!(
            "there is nothing at {full}; {PREFIX}openapi.json lists what there is"
        )));
    }
    let allowed: Vec<&str> = known.iter().map(Method::as_str).collect();
    Err(ApiError::method_not_allowed(
        format!("{method} is not possible at {full}"),
        allowed.join(", "),
    ))
}

fn done() -> Response {
    Response::empty(StatusCode::NO_CONTENT)
}

/// The body, as the type of its request.
fn body<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, ApiError> {
    let bytes = match request.body().trim_ascii() {
        [] => b"{}",
        bytes => bytes,
    };
    // serde would also read a list, as the fields in their order.
    if bytes.first() != Some(&b'{') {
        return Err(ApiError::bad_request("the body is not a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::bad_request(format!("the body does not fit this request: {error}"))
    })
}

fn text(request: &Request<Bytes>) -> Result<&str, ApiError> {
    std::str::from_utf8(request.body()).map_err(|_| ApiError::bad_request("the body is not UTF-8"))
}

fn document() -> Response {
    Response::bytes("application/json", include_str!("../../data/emulator.json"))
}

fn index(control: &Control, _: &Request<Bytes>) -> Result<Response, ApiError> {
    let routes = routes();
    let paths = routes
        .iter()
        .map(|(method, path, _)| format!("{method} {PREFIX}{path}"));
    Ok(Response::ok(json!({
        "name": "mkio-emulator", "version": env!("CARGO_PKG_VERSION"), "project": control.project(),
        "paths": paths.collect::<Vec<_>>(),
    })))
}

fn clock(control: &Control) -> Response {
    let face = control.clock();
    Response::ok(json!({ "now": face.now, "scale": face.scale, "paused": face.paused }))
}

/// A change of the clock.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClockChange {
    scale: Option<f64>,
    paused: Option<bool>,
}

fn change_clock(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let change: ClockChange = body(request)?;
    if let Some(scale) = change.scale {
        if !scale.is_finite() || scale < 0.0 {
            return Err(ApiError::bad_request(
                "'scale' takes a number that is not negative, such as 60",
            ));
        }
        control.set_time_scale(scale);
    }
    if let Some(paused) = change.paused {
        control.set_paused(paused);
    }
    Ok(clock(control))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    seconds: f64,
}

fn step(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let Step { seconds } = body(request)?;
    let by = Duration::try_from_secs_f64(seconds).map_err(|_| {
        ApiError::bad_request("'seconds' takes a number that is not negative, such as 120")
    })?;
    control.step(by);
    Ok(clock(control))
}

fn faults_in_force(control: &Control) -> Response {
    let faults = control.list_faults();
    let shown = faults
        .iter()
        .map(|(fault, met)| json!({ "fault": fault.to_json(), "met": met }));
    Response::ok(json!({ "value": shown.collect::<Vec<_>>() }))
}

fn add_faults(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let text = text(request)?.trim();
    let text = if text.starts_with('{') {
        format!("[{text}]")
    } else {
        text.to_owned()
    };
    let refused = |error: FaultError| ApiError::bad_request(error.to_string());
    if faults::parse(&text).map_err(refused)?.is_empty() {
        return Err(ApiError::bad_request(
            "the body names no fault; it takes rules such as 'GET */assets status=503 times=2'",
        ));
    }
    control.faults(&text).map_err(refused)?;
    Ok(Response {
        status: StatusCode::CREATED,
        ..faults_in_force(control)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cause {
    project: Option<String>,
    path: String,
    incident: Value,
}

fn cause(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let Cause {
        project,
        path,
        mut incident,
    } = body(request)?;
    let bare = incident.get("detail").is_none();
    if bare && incident["type"] == "JobFails" {
        incident["detail"] = json!({});
    }
    let incident: Incident = serde_json::from_value(incident)
        .map_err(|error| ApiError::bad_request(format!("'incident': {error}")))?;
    let project = project.as_deref().unwrap_or(control.project());
    control
        .cause(project, &path, &incident)
        .map_err(ApiError::conflict)?;
    Ok(done())
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Seed {
    project: Option<String>,
    assets: usize,
    requests: Vec<Value>,
}

fn seed(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let seed: Seed = body(request)?;
    let project = seed.project.as_deref().unwrap_or(control.project());
    if seed.assets > 0 {
        control
            .seed(project, seed.assets)
            .map_err(ApiError::conflict)?;
    }
    control
        .make(project, &Value::Array(seed.requests).to_string())
        .map_err(ApiError::conflict)?;
    Ok(done())
}

fn restore(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    control
        .restore(text(request)?)
        .map_err(ApiError::bad_request)?;
    Ok(done())
}

/// Requests that are listed by default.
const LAST: usize = 100;

fn requests(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let query = Query::parse(request.uri().query().unwrap_or_default())?;
    let number = |name: &str| match query.one(name)?.map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(ApiError::bad_request(format!(
            "'{name}' takes a whole number"
        ))),
    };
    let last = number("last")?.map_or(LAST, |last| usize::try_from(last).unwrap_or(usize::MAX));
    let since = number("since")?.unwrap_or(0);
    Ok(Response::ok(
        json!({ "value": control.requests_since(since, last) }),
    ))
}

/// Locators whose presentations are listed.
const PUBLISHED: usize = 12;

fn resources(control: &Control, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let query = Query::parse(request.uri().query().unwrap_or_default())?;
    let project = query.one("project")?.unwrap_or(control.project());
    let Some(path) = query.one("path")? else {
        let (found, totals) = inspect::list(&control.engine, project, LAST);
        return Ok(Response::ok(json!({
            "value": found, "totals": totals, "deliveries": control.deliveries(LAST),
            "published": inspect::published(&control.engine, project, PUBLISHED),
        })));
    };
    match control.inspect(project, path) {
        Some(found) => Ok(Response::ok(found)),
        None => Err(ApiError::not_found(format!(
            "there is no resource at '{path}' of the project '{project}'"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_and_the_routes_are_about_the_same() {
        let document: Value = serde_json::from_str(include_str!("../../data/emulator.json"))
            .expect("the document is JSON");
        let mut declared = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("an item").keys() {
                declared.push(format!("{} {path}", method.to_uppercase()));
            }
        }
        let mut known: Vec<String> = routes()
            .iter()
            .map(|(method, path, _)| format!("{method} {PREFIX}{path}"))
            .collect();
        declared.sort();
        known.sort();
        assert_eq!(declared, known);
    }

    #[test]
    fn callers_without_a_token_have_to_be_on_this_machine() {
        let headers = |token: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = token.and_then(|token| format!("Bearer {token}").parse().ok()) {
                headers.insert(http::header::AUTHORIZATION, value);
            }
            headers
        };
        let enters = |own: Option<&str>, peer: &str, token: Option<&str>| {
            let peer = peer.parse().expect("an address");
            Access::new(own).check(peer, &headers(token)).is_ok()
        };
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(enters(None, peer, None), "{peer}");
            assert!(!enters(Some("T"), peer, None), "{peer}");
        }
        assert!(!enters(None, "192.0.2.7", None));
        assert!(!enters(None, "192.0.2.7", Some("T")));
        assert!(enters(Some("T"), "192.0.2.7", Some("T")));
        assert!(!enters(Some("T"), "127.0.0.1", Some("t")));
    }
}
