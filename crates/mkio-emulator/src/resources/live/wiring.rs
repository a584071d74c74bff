//! The references of flows, and their collections.

use crate::{
    base::{
        kind::Kind,
        reference::{Reference, Target},
        states::live::live_channel as flow,
        store::{Address, Place, Resource},
    },
    platform::{call::Call, references, rules::Platform},
};

/// The four kinds of flows.
pub const FLOWS: [Kind; 4] = [
    Kind::LIVE_CHANNEL,
    Kind::FLOW_LIVE_EVENT,
    Kind::MULTIVIEW_CHANNEL,
    Kind::MULTIVIEW_EVENT,
];

/// Where a flow names the asset that it writes to.
pub const WRITES_TO: &str = "/spec/transform/assetName";

/// Whether a flow makes its sources, destinations and content count as active.
pub fn is_active(flow: &Resource) -> bool {
    matches!(flow.state, flow::STARTING | flow::RUNNING | flow::UPDATING)
}

const fn each(kinds: [Kind; 4]) -> [Target; 4] {
    let [channel, event, multiview_channel, multiview_event] = kinds;
    [
        Target::top(channel),
        Target::top(event),
        Target::top(multiview_channel),
        Target::top(multiview_event),
    ]
}

/// The field of an input that names an upstream flow.
pub const UPSTREAM: Reference = Reference::new("/spec/inputs/*/flowName", &each(FLOWS));

/// The references of a flow. Its configurations are not here: the templates look them up by version.
pub const REFERENCES: &[Reference] = &[
    Reference::new(WRITES_TO, &[Target::top(Kind::ASSET)]).weak(),
    Reference::new("/spec/siteName", &[Target::top(Kind::SITE)]),
    Reference::new("/spec/inputs/*/sourceName", &[Target::top(Kind::SOURCE)]),
    Reference::new("/spec/inputs/*/contentName", &[Target::top(Kind::CONTENT)]),
    UPSTREAM,
    Reference::new(
        "/spec/outputs/*/destinationName",
        &[Target::top(Kind::DESTINATION)],
    ),
    Reference::new("/spec/outputs/*/contentName", &[Target::top(Kind::CONTENT)]),
];

/// Whether a resource that a flow needs to run is missing in the project.
pub fn lacks(world: &Platform, project: &str, flow: &Address) -> bool {
    let rules = world.rules(flow.place.kind);
    world.get(flow).is_none_or(|found| {
        !references::missing(world, rules, project, &found.body, None).is_empty()
    })
}

/// Publishes an event of a flow.
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
