//! What a flow is connected to, and where it is found.

use serde_json::Value;

use crate::{
    base::{
        kind::Kind,
        store::{Address, Place, Resource},
    },
    platform::{call::Call, rules::Platform},
};

/// The four kinds of flows.
pub const FLOWS: [Kind; 4] = [
    Kind::LIVE_CHANNEL,
    Kind::FLOW_LIVE_EVENT,
    Kind::MULTIVIEW_CHANNEL,
    Kind::MULTIVIEW_EVENT,
];

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

/// What a flow refers to and the project does not have, `(pointer, reason)`.
pub fn missing(world: &Platform, project: &str, body: &Value) -> Vec<(String, String)> {
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
    refer("/spec/transform/assetName".to_owned(), &[Kind::ASSET]);
    refer("/spec/siteName".to_owned(), &[Kind::SITE]);
    let count = |side: &str| {
        body.pointer(side)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    for at in 0..count("/spec/inputs") {
        refer(format!("/spec/inputs/{at}/sourceName"), &[Kind::SOURCE]);
        refer(format!("/spec/inputs/{at}/contentName"), &[Kind::CONTENT]);
        refer(format!("/spec/inputs/{at}/flowName"), &FLOWS);
    }
    for at in 0..count("/spec/outputs") {
        refer(
            format!("/spec/outputs/{at}/destinationName"),
            &[Kind::DESTINATION],
        );
        refer(format!("/spec/outputs/{at}/contentName"), &[Kind::CONTENT]);
    }
    found
}

/// Tells webhooks of a flow.
pub fn publish(world: &mut Platform, address: &Address, kind: &str, previous: &str) {
    let source = format!(
        "/api/v1/projects/{}/live/{}/{}",
        address.place.project,
        collection(address.place.kind),
        address.name
    );
    world.publish(kind, address, &source, previous);
}

/// Flows, their scheduled operations, and the collection in paths.
const COLLECTIONS: [(Kind, Kind, &str); 4] = [
    (
        Kind::LIVE_CHANNEL,
        Kind::LIVE_CHANNEL_OPERATION,
        "liveChannels",
    ),
    (
        Kind::FLOW_LIVE_EVENT,
        Kind::FLOW_LIVE_EVENT_OPERATION,
        "liveEvents",
    ),
    (
        Kind::MULTIVIEW_CHANNEL,
        Kind::MULTIVIEW_CHANNEL_OPERATION,
        "staticMultiviewChannels",
    ),
    (
        Kind::MULTIVIEW_EVENT,
        Kind::MULTIVIEW_EVENT_OPERATION,
        "staticMultiviewEvents",
    ),
];

/// The collection in paths, of flows and of their operations.
pub fn collection(kind: Kind) -> &'static str {
    let found = COLLECTIONS
        .iter()
        .find(|(flow, operation, _)| [*flow, *operation].contains(&kind));
    found.map_or("", |(_, _, collection)| collection)
}

/// The table of a flow's operations.
pub fn place(flow: &Address) -> Place {
    let found = COLLECTIONS
        .iter()
        .find(|(kind, ..)| *kind == flow.place.kind);
    let kind = found.map_or(flow.place.kind, |(_, operations, _)| *operations);
    Place::under(&flow.place.project, kind, &flow.name)
}

/// The kind of flow that an operation is about.
pub fn kind_of(call: &Call<'_>) -> Kind {
    let tail = call.operation.tail();
    let named = FLOWS
        .into_iter()
        .find(|kind| tail.split('/').next() == Some(collection(*kind)));
    named.unwrap_or(Kind::FLOW_LIVE_EVENT)
}
