//! Live channels, live events and static multiviews: wanted state, reported state, what they depend on.

use std::time::Duration;

use serde_json::Value;

use crate::{
    base::{
        duration,
        error::ApiError,
        kind::Kind,
        read::Read,
        states::live::live_channel as flow,
        store::{Place, Resource},
    },
    platform::{
        call::{Call, Payload, Response},
        generic, list,
        rules::{DNS_NAME, Entry, Platform, Rules, Shape},
    },
    resources::{
        live::{
            incidents::apply_incident,
            operations, resolution, status,
            steering::{self, steer},
            wiring::{FLOWS, REFERENCES, kind_of, place},
        },
        templates,
    },
};

impl Kind {
    /// Live channels.
    pub const LIVE_CHANNEL: Self = Self::new("liveChannel", "live channel");
    /// Live events of the Live API.
    pub const FLOW_LIVE_EVENT: Self = Self::new("flowLiveEvent", "live event");
    /// Static multiview channels.
    pub const MULTIVIEW_CHANNEL: Self =
        Self::new("staticMultiviewChannel", "static multiview channel");
    /// Static multiview events.
    pub const MULTIVIEW_EVENT: Self = Self::new("staticMultiviewEvent", "static multiview event");
}

/// The four kinds of flows.
pub static ENTRY: Entry = Entry {
    kinds: &[
        &LIVE_CHANNELS,
        &LIVE_EVENTS,
        &MULTIVIEW_CHANNELS,
        &MULTIVIEW_EVENTS,
    ],
    routes: &[
        ("GET ~/live/search", search),
        ("GET ~/live/liveChannels", list),
        ("GET ~/live/liveChannels/{}", get),
        ("DELETE ~/live/liveChannels/{}", delete),
        ("GET ~/live/liveEvents", list),
        ("GET ~/live/liveEvents/{}", get),
        ("DELETE ~/live/liveEvents/{}", delete),
        ("GET ~/live/staticMultiviewChannels", list),
        ("GET ~/live/staticMultiviewChannels/{}", get),
        ("DELETE ~/live/staticMultiviewChannels/{}", delete),
        ("GET ~/live/staticMultiviewEvents", list),
        ("GET ~/live/staticMultiviewEvents/{}", get),
        ("DELETE ~/live/staticMultiviewEvents/{}", delete),
    ],
    incident: apply_incident,
    ..Entry::NONE
};

const fn family(kind: Kind, label: &'static str, collection: &'static str) -> Rules {
    Rules {
        collection,
        name: DNS_NAME,
        life: &flow::LIFE,
        check,
        guard: resolution::guard,
        created: steer,
        changed: steer,
        references: REFERENCES,
        entered: steering::entered,
        complete: status::complete,
        ..Rules::new(kind, label, Shape::Spec { name: true })
    }
}

/// Live channels.
pub static LIVE_CHANNELS: Rules = family(Kind::LIVE_CHANNEL, "LiveChannel", "~/live/liveChannels");
/// Live events of the Live API.
pub static LIVE_EVENTS: Rules = family(Kind::FLOW_LIVE_EVENT, "LiveEvent", "~/live/liveEvents");
/// Static multiview channels.
pub static MULTIVIEW_CHANNELS: Rules = family(
    Kind::MULTIVIEW_CHANNEL,
    "StaticMultiviewChannel",
    "~/live/staticMultiviewChannels",
);
/// Static multiview events.
pub static MULTIVIEW_EVENTS: Rules = family(
    Kind::MULTIVIEW_EVENT,
    "StaticMultiviewEvent",
    "~/live/staticMultiviewEvents",
);

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    let label = world.rules(kind_of(call)).label;
    let given = body.text("/spec/transform/type").unwrap_or_default();
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
    let window = body
        .text("/spec/transform/archiveWindowLength")
        .map(duration::parse);
    // Years and months have no length of their own.
    let fits = |window: Duration| window <= Duration::from_secs(30 * 86_400);
    if window.is_some_and(|window| !window.is_some_and(fits)) {
        findings.push((
            "/spec/transform/archiveWindowLength".to_owned(),
            "must be a duration of at most 30 days, in weeks, days and smaller units".to_owned(),
        ));
    }
    findings.extend(ambiguous(body));
    findings.extend(templates::check_flow(world, call.project(), body));
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}

/// Inputs and outputs that do not say what they are connected to, or say it twice.
fn ambiguous(body: &Value) -> Vec<(String, String)> {
    let mut findings = Vec::new();
    for (at, input) in body.items("/spec/inputs").enumerate() {
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
    for (at, output) in body.items("/spec/outputs").enumerate() {
        if output.get("destinationName").is_some() && output.get("contentName").is_some() {
            findings.push((
                format!("/spec/outputs/{at}"),
                "names both a destination and a content".to_owned(),
            ));
        }
    }
    findings
}

/// DELETE, with `$force` for its scheduled operations.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(kind_of(call));
    let operations = place(&address);
    let waiting = world
        .table(&operations)
        .is_some_and(|table| table.iter().any(operations::is_waiting));
    if world.has(&address) && waiting && !call.query.switch("$force")? {
        return Err(ApiError::conflict(format!(
            "the flow '{}' has scheduled operations; $force=true drops them",
            address.name
        )));
    }
    let response = generic::remove(world, &address)?;
    let names: Vec<String> = world
        .table(&operations)
        .into_iter()
        .flat_map(|table| table.iter().map(|operation| operation.name.to_string()))
        .collect();
    for name in names {
        world.remove(&operations.at(&name));
    }
    Ok(response)
}

/// GET of a collection.
fn list(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let rules = world.rules(kind_of(call));
    detailed(call, list::list(world, call, rules)?)
}

/// GET of one.
fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let rules = world.rules(kind_of(call));
    detailed(call, generic::get(world, call, rules)?)
}

/// GET `live/search`: all four kinds.
fn search(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let places = FLOWS.map(|kind| Place::new(call.project(), kind));
    let tables: Vec<_> = places
        .iter()
        .filter_map(|place| Some((place, world.table(place)?)))
        .collect();
    detailed(call, list::tables_page(world, call, "Flow", &tables)?)
}

/// The response, with the members that `$detailedStatus` adds.
fn detailed(call: &Call<'_>, response: Response) -> Result<Response, ApiError> {
    if !call.query.switch("$detailedStatus")? {
        return Ok(response);
    }
    let Payload::Json(mut body) = response.payload.clone() else {
        return Ok(response);
    };
    match body.get_mut("value").and_then(Value::as_array_mut) {
        Some(items) => items
            .iter_mut()
            .for_each(|flow| status::detail(flow, &call.origin)),
        None => status::detail(&mut body, &call.origin),
    }
    Ok(Response {
        payload: Payload::Json(body),
        ..response
    })
}
