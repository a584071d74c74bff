//! Metrics of a project: the endpoint that can be switched on, and its scrapes.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        rules::{Door, Entry, Platform},
        start::Meter,
    },
    resources::{live::wiring::FLOWS, management::billing},
};

/// The metrics endpoint of a project, and the host that is scraped.
pub static ENTRY: Entry = Entry {
    routes: &[
        ("GET ~/metricsEndpoint", get),
        ("PATCH ~/metricsEndpoint", change),
    ],
    doors: &[Door {
        method: Method::GET,
        opens: |path| path.starts_with(PREFIX),
        blobs: false,
        serve,
    }],
    ..Entry::NONE
};

/// Path of the metrics host. The name of a project and `/federate` are appended to it.
const PREFIX: &str = "/metrics/";

/// Text exposition format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4";

fn enabled(project: &Resource) -> bool {
    project.private.get("metrics").and_then(Value::as_bool) == Some(true)
}

fn password(project: &Resource) -> &str {
    project.private_text("/metricsPassword").unwrap_or_default()
}

/// GET `…/metricsEndpoint`.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let project = world.find(&Address::new("", Kind::PROJECT, call.project()))?;
    let enabled = enabled(project);
    let mut out = json!({ "kind": "MetricsEndpoint", "spec": { "enabled": enabled } });
    if enabled {
        let status = json!({
            "url": format!("{}{PREFIX}{}", call.origin, call.project()), "username": call.project(), "password": password(project),
        });
        merge::put(&mut out, "/status", status);
    }
    Ok(Response::ok(out))
}

/// PATCH `…/metricsEndpoint`.
pub fn change(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let project = world.find_mut(&Address::new("", Kind::PROJECT, call.project()))?;
    let enabled = call.body.pointer("/spec/enabled").and_then(Value::as_bool) == Some(true);
    merge::put(&mut project.private, "/metrics", json!(enabled));
    if enabled && project.private.get("metricsPassword").is_none() {
        merge::put(
            &mut project.private,
            "/metricsPassword",
            json!(Uuid::new_v4().simple().to_string()),
        );
    }
    get(world, call)
}

/// GET of anything below [`PREFIX`]: `{project}/federate`, for the name and the password that the project's endpoint shows.
///
/// # Errors
/// 404 where no project has an endpoint, 401 for others.
fn serve(world: &mut Platform, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let missing = || ApiError::not_found(format!("there are no metrics at {path}"));
    let name = path
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix("/federate"))
        .ok_or_else(missing)?;
    let project = world
        .get(&Address::new("", Kind::PROJECT, name))
        .filter(|project| enabled(project))
        .ok_or_else(missing)?;
    if basic(request.headers()).is_none_or(|given| given != format!("{name}:{}", password(project)))
    {
        let refused = ApiError::unauthorized(
            "send the username and the password of the project's metricsEndpoint by HTTP basic authentication",
        );
        let mut response = Response::from(refused);
        response.headers.insert(
            header::WWW_AUTHENTICATE.to_string(),
            json!(r#"Basic realm="metrics""#),
        );
        return Ok(response);
    }
    Ok(Response {
        status: StatusCode::OK,
        ..Response::bytes(EXPOSITION, exposition(world, name))
    })
}

/// `username:password` as a caller sent them.
fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, given) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    let given = scheme.eq_ignore_ascii_case("basic").then(|| given.trim())?;
    String::from_utf8(STANDARD.decode(given).ok()?).ok()
}

/// Meters of the month, and the states of running resources. Samples carry no time: platform time may be far ahead of the scraper's.
fn exposition(world: &Platform, project: &str) -> String {
    let mut out = String::from(
        "# HELP mkio_usage Quantity used since the month began.\n# TYPE mkio_usage untyped\n",
    );
    for (Meter { name, unit, .. }, quantity) in billing::month(world, project) {
        let labels = labels(&[("project", project), ("meter", name), ("unit", unit)]);
        let _ = writeln!(out, "mkio_usage{{{labels}}} {quantity}");
    }
    out.push_str(
        "# HELP mkio_state 1 for the state that something is in.\n# TYPE mkio_state untyped\n",
    );
    let running = [Kind::LIVE_EVENT, Kind::STREAMING_ENDPOINT];
    for kind in FLOWS.iter().chain(&running) {
        for (_, resource) in world.all(project, *kind) {
            let labels = labels(&[
                ("project", project),
                ("kind", world.rules(*kind).label),
                ("name", &resource.name),
                ("state", resource.state),
            ]);
            let _ = writeln!(out, "mkio_state{{{labels}}} 1");
        }
    }
    out
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        text.replace('\\', r"\\")
            .replace('"', "\\\"")
            .replace('\n', r"\n")
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    pairs.join(",")
}
