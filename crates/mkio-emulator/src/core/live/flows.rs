//! Live channels, live events and static multiviews: wanted state, reported state, what they depend on.

use std::time::Duration;

use serde_json::{Value, json};

use super::starts::{cannot_start, failing, waits};
use super::status;
use crate::core::call::{Answer, Call};
use crate::core::error::ApiError;
use crate::core::family::{DNS_NAME, Family, Kind, Shape};
use crate::core::store::{Address, Place, Resource, enter};
use crate::core::world::World;
use crate::core::{duration, generic, list, merge, templates};

/// The four kinds of flows.
pub const FLOWS: [Kind; 4] = [
    Kind::LiveChannel,
    Kind::FlowLiveEvent,
    Kind::MultiviewChannel,
    Kind::MultiviewEvent,
];

const fn family(kind: Kind, label: &'static str) -> Family {
    Family {
        name: DNS_NAME,
        patchable: &["/metadata", "/spec/state", "/spec/transform"],
        initial: "Stopped",
        deletion: 5,
        check,
        created: steer,
        changed: steer,
        guard,
        entered,
        dress: status::dress,
        ..Family::new(kind, label, Shape::Spec { name: true })
    }
}

/// Live channels.
pub static LIVE_CHANNELS: Family = family(Kind::LiveChannel, "LiveChannel");
/// Live events of the Live API.
pub static LIVE_EVENTS: Family = family(Kind::FlowLiveEvent, "LiveEvent");
/// Static multiview channels.
pub static MULTIVIEW_CHANNELS: Family = family(Kind::MultiviewChannel, "StaticMultiviewChannel");
/// Static multiview events.
pub static MULTIVIEW_EVENTS: Family = family(Kind::MultiviewEvent, "StaticMultiviewEvent");

/// Whether a flow makes its sources, destinations and content count as active.
pub fn is_active(flow: &Resource) -> bool {
    matches!(flow.state, "Starting" | "Started" | "Running" | "Updating")
}

fn lists(flow: &Resource, side: &str, field: &str, name: &str) -> bool {
    let items = flow
        .body
        .pointer(&format!("/spec/{side}"))
        .and_then(Value::as_array);
    items.is_some_and(|items| {
        items
            .iter()
            .any(|item| item.get(field).and_then(Value::as_str) == Some(name))
    })
}

/// Whether one of a flow's inputs names something.
pub fn uses_input(flow: &Resource, field: &str, name: &str) -> bool {
    lists(flow, "inputs", field, name)
}

/// Whether one of a flow's outputs names something.
pub fn uses_output(flow: &Resource, field: &str, name: &str) -> bool {
    lists(flow, "outputs", field, name)
}

fn check(
    world: &World,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    let label = Family::of(kind_of(call)).label;
    let given = body
        .pointer("/spec/transform/type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if given != label {
        findings.push((
            "/spec/transform/type".to_owned(),
            format!("is not '{label}', which this collection holds"),
        ));
    }
    if call.operation.method == http::Method::PATCH && existing.is_some() {
        return if findings.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid("change", findings))
        };
    }
    findings.extend(missing(world, call.project(), body));
    let window = body
        .pointer("/spec/transform/archiveWindowLength")
        .and_then(Value::as_str)
        .and_then(duration::parse);
    if window.is_some_and(|window| window > Duration::from_secs(30 * 86_400)) {
        findings.push((
            "/spec/transform/archiveWindowLength".to_owned(),
            "is longer than 30 days".to_owned(),
        ));
    }
    for (at, input) in body
        .pointer("/spec/inputs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let named = ["sourceName", "contentName", "flowName"]
            .iter()
            .filter(|field| input.get(**field).is_some())
            .count();
        if named != 1 {
            findings.push((
                format!("/spec/inputs/{at}"),
                "names not exactly one of sourceName, contentName and flowName".to_owned(),
            ));
        }
    }
    for (at, output) in body
        .pointer("/spec/outputs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if output.get("destinationName").is_some() && output.get("contentName").is_some() {
            findings.push((
                format!("/spec/outputs/{at}"),
                "names both a destination and a content".to_owned(),
            ));
        }
    }
    findings.extend(templates::check_flow(world, call.project(), body));
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}

/// What a flow refers to and the project does not have, `(pointer, reason)`.
pub(super) fn missing(world: &World, project: &str, body: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut refer = |pointer: String, kinds: &[Kind]| {
        let Some(name) = body
            .pointer(&pointer)
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        let known = kinds
            .iter()
            .any(|kind| world.has(&Address::new(project, *kind, name)));
        if let (false, Some(kind)) = (known, kinds.first()) {
            found.push((
                pointer,
                format!("there is no {} named '{name}'", kind.noun()),
            ));
        }
    };
    refer("/spec/transform/assetName".to_owned(), &[Kind::Asset]);
    refer("/spec/siteName".to_owned(), &[Kind::Site]);
    let count = |side: &str| {
        body.pointer(side)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    for at in 0..count("/spec/inputs") {
        refer(format!("/spec/inputs/{at}/sourceName"), &[Kind::Source]);
        refer(format!("/spec/inputs/{at}/contentName"), &[Kind::Content]);
        refer(format!("/spec/inputs/{at}/flowName"), &FLOWS);
    }
    for at in 0..count("/spec/outputs") {
        refer(
            format!("/spec/outputs/{at}/destinationName"),
            &[Kind::Destination],
        );
        refer(format!("/spec/outputs/{at}/contentName"), &[Kind::Content]);
    }
    found
}

/// Moves the reported state towards the wanted one.
pub fn steer(world: &mut World, address: &Address) {
    let Some(flow) = world.get(address) else {
        return;
    };
    let wanted = flow.text("/spec/state").unwrap_or("Stopped").to_owned();
    match (wanted.as_str(), flow.state) {
        ("Running", "Stopped" | "Stopping" | "UnableToStart") => {
            if let Some(flow) = world.get_mut(address) {
                merge::take(&mut flow.private, "/info");
            }
            world.enter(
                address,
                "Pending",
                &[enter(3, "Allocating"), enter(3, "Starting")],
            );
        }
        ("Running", "Running") => world.enter(address, "Updating", &[enter(5, "Running")]),
        ("Running", "Starting") if !waits(world, address) => {
            world.plan(address, &[enter(20, "Running")]);
        }
        (
            "Stopped",
            "Pending" | "Allocating" | "Allocated" | "Starting" | "Started" | "Running"
            | "Updating",
        ) => {
            world.enter(address, "Stopping", &[enter(10, "Stopped")]);
        }
        ("Stopped", "UnableToStart") => world.enter(address, "Stopped", &[]),
        _ => {}
    }
}

fn entered(world: &mut World, address: &Address, previous: &'static str) {
    let Some(flow) = world.get(address) else {
        return;
    };
    let (state, project) = (flow.state, address.place.project.clone());
    match state {
        "Starting" => {
            if let Some(info) = failing(world, address) {
                cannot_start(world, address, Some(&info));
                return;
            }
            let Some(flow) = world.get(address) else {
                return;
            };
            // A missing configuration is found at once; anything else that is missing keeps the flow waiting for it.
            if !templates::check_flow(world, &project, &flow.body).is_empty() {
                cannot_start(world, address, None);
            } else if !waits(world, address) {
                world.plan(address, &[enter(20, "Running")]);
            }
        }
        "Running" if previous != "Updating" => {
            let now = crate::core::render::time(world.now);
            if let Some(flow) = world.get_mut(address) {
                merge::put(&mut flow.private, "/since", json!(now));
            }
            publish(world, address, "MediaKind.ChannelInstanceStarted", previous);
        }
        "Stopped" => {
            let now = world.now;
            let since = world.get_mut(address).and_then(|flow| {
                merge::take(&mut flow.private, "/stuck");
                merge::take(&mut flow.private, "/since")
            });
            let since = since
                .as_ref()
                .and_then(Value::as_str)
                .and_then(crate::core::query::parse_time);
            if let Some(since) = since {
                world.meter(
                    &project,
                    "live-minutes",
                    (now - since).num_seconds() as f64 / 60.0,
                );
            }
            publish(world, address, "MediaKind.ChannelInstanceStopped", previous);
        }
        _ => {}
    }
}

pub(super) fn publish(world: &mut World, address: &Address, kind: &str, previous: &str) {
    let source = format!(
        "/api/v1/projects/{}/live/{}/{}",
        address.place.project,
        collection(address.place.kind),
        address.name
    );
    world.publish(kind, address, &source, previous);
}

/// The collection in paths.
pub fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::LiveChannel | Kind::LiveChannelOperation => "liveChannels",
        Kind::FlowLiveEvent | Kind::FlowLiveEventOperation => "liveEvents",
        Kind::MultiviewChannel | Kind::MultiviewChannelOperation => "staticMultiviewChannels",
        _ => "staticMultiviewEvents",
    }
}

/// The kind of flow that an operation is about.
pub fn kind_of(call: &Call<'_>) -> Kind {
    let tail = call.operation.tail();
    let named = FLOWS
        .into_iter()
        .find(|kind| tail.split('/').next() == Some(collection(*kind)));
    named.unwrap_or(Kind::FlowLiveEvent)
}

fn guard(world: &World, address: &Address) -> Result<(), ApiError> {
    let upstream = FLOWS
        .iter()
        .flat_map(|kind| world.all(&address.place.project, *kind));
    let reader = upstream
        .map(|(_, flow)| flow)
        .find(|flow| !flow.is_deleting() && uses_input(flow, "flowName", &address.name));
    match reader {
        Some(flow) => Err(ApiError::conflict(format!(
            "the flow '{}' is an input of the flow '{}'",
            address.name, flow.name
        ))),
        None => Ok(()),
    }
}

/// DELETE, with `$force` for the scheduled operations that hang on it.
pub fn delete(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    let address = call.address(kind_of(call));
    let place = super::operations::place(&address);
    let waiting = world.table(&place).is_some_and(|table| {
        table
            .iter()
            .any(|operation| matches!(operation.state, "Pending" | "Accepted" | "Ongoing"))
    });
    if world.has(&address) && waiting && !call.query.switch("$force")? {
        return Err(ApiError::conflict(format!(
            "the flow '{}' has scheduled operations; $force=true drops them",
            address.name
        )));
    }
    let answer = generic::remove(world, &address)?;
    let names: Vec<String> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter().map(|operation| operation.name.to_string()))
        .collect();
    for name in names {
        world.remove(&place.at(&name));
    }
    Ok(answer)
}

/// GET `live/search`: all four kinds.
pub fn search(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    let places = FLOWS.map(|kind| Place::new(call.project(), kind));
    let tables: Vec<_> = places
        .iter()
        .filter_map(|place| Some((place, world.table(place)?)))
        .collect();
    list::tables_page(world, call, "Flow", &tables)
}

/// GET of one, or of a collection: `$detailedStatus` adds to what the family shows.
pub fn detailed(call: &Call<'_>, answer: Answer) -> Result<Answer, ApiError> {
    if !call.query.switch("$detailedStatus")? {
        return Ok(answer);
    }
    let crate::core::call::Payload::Json(mut body) = answer.payload.clone() else {
        return Ok(answer);
    };
    match body.get_mut("value").and_then(Value::as_array_mut) {
        Some(items) => items.iter_mut().for_each(status::detail),
        None => status::detail(&mut body),
    }
    Ok(Answer {
        payload: crate::core::call::Payload::Json(body),
        ..answer
    })
}
