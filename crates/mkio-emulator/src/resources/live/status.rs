//! The status of a flow.

use serde_json::{Value, json};

use crate::{
    base::{
        kind::Kind,
        merge,
        read::Read,
        states::live::live_channel as flow,
        store::{Address, Resource},
    },
    platform::{rules::Platform, start::InterfaceKind},
    resources::{
        fleet::placement::device_of,
        live::{
            monitoring,
            resolution::{self, Origin},
        },
        media::connections::urls,
    },
};

/// The plain status.
pub(super) fn complete(world: &Platform, address: &Address, flow: &Resource, out: &mut Value) {
    let project = &address.place.project;
    let site = flow.text("/spec/siteName").unwrap_or(resolution::HOME);
    let mut status = json!({
        "state": flow.state, "shortId": flow.short_id(), "siteDisplayName": display_name(world, project, Kind::SITE, site),
        "inputs": inputs(world, project, flow), "outputs": outputs(world, address, flow),
    });
    if let Some(device) = device_of(world, project, flow) {
        let shown = device.text("/metadata/displayName").unwrap_or(&device.name);
        merge::put(&mut status, "/deviceName", json!(&*device.name));
        merge::put(&mut status, "/deviceDisplayName", json!(shown));
    }
    match flow.state {
        flow::UNABLE_TO_START => merge::put(
            &mut status,
            "/info",
            json!(
                flow.private_text("/info")
                    .unwrap_or("the configuration of the flow cannot be found or does not fit")
            ),
        ),
        flow::STARTING if flow.plan.is_empty() => merge::put(
            &mut status,
            "/info",
            json!("waiting for something that the flow needs"),
        ),
        _ => {}
    }
    merge::put(out, "/status", status);
}

fn display_name(world: &Platform, project: &str, kind: Kind, name: &str) -> String {
    let found = world.get(&Address::new(project, kind, name));
    found
        .and_then(|resource| resource.text("/metadata/displayName"))
        .unwrap_or(name)
        .to_owned()
}

fn inputs(world: &Platform, project: &str, flow: &Resource) -> Vec<Value> {
    let each = |input: &Value| {
        let mut content = input.text("/contentName");
        let (mut source, mut upstream) = (None, "");
        match resolution::origin(world, project, flow, input) {
            Origin::Source(found) => {
                content = content.or(found.text("/spec/contentName"));
                source = Some(found);
            }
            Origin::Flow(_, found, read) => {
                content = content.or(read);
                upstream = &found.name;
            }
            Origin::Nothing => {}
        }
        let text = |at: &str| {
            source
                .and_then(|source| source.text(at))
                .unwrap_or_default()
        };
        let (network, url) = (text("/spec/networkName"), source.and_then(url));
        json!({
            "contentName": known(world, project, content.unwrap_or_default()),
            "contentDisplayName": shown(world, project, Kind::CONTENT, known(world, project, content.unwrap_or_default())),
            "upstreamFlowName": upstream,
            "sourceName": source.map_or("", |source| &source.name),
            "sourceDisplayName": source.map_or("", |source| source.text("/metadata/displayName").unwrap_or(&source.name)),
            "sourceShortId": source.map(Resource::short_id).unwrap_or_default(),
            "sourceUrl": url.unwrap_or_default(),
            "networkName": network,
            "networkDisplayName": shown(world, project, Kind::NETWORK, network),
            "deviceInterfaceName": interface(world, project, flow, source),
        })
    };
    resolution::inputs(flow).map(each).collect()
}

/// The content if it exists: a request may name any text there, a response only a name.
fn known<'a>(world: &Platform, project: &str, content: &'a str) -> &'a str {
    let there = world.has(&Address::new(project, Kind::CONTENT, content));
    if there { content } else { "" }
}

/// The display name of a resource.
fn shown(world: &Platform, project: &str, kind: Kind, name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    display_name(world, project, kind, name)
}

fn url(connection: &Resource) -> Option<String> {
    let transport = connection.body.pointer("/spec/transport")?;
    urls(transport, &connection.short_id()).into_iter().next()
}

/// The interface of the device by which it reaches a source or a destination.
fn interface(
    world: &Platform,
    project: &str,
    flow: &Resource,
    connection: Option<&Resource>,
) -> String {
    let found = || {
        let device = device_of(world, project, flow)?;
        let connection = connection?;
        let Some(network) = connection.text("/spec/networkName") else {
            let direct = matches!(connection.text("/spec/transport/type"), Some("SDI" | "ASI"));
            let mut known = world.start.devices.interfaces.iter();
            let connector = known.find(|known| known.kind == InterfaceKind::SdiAsi)?;
            return direct.then_some(connector.name.as_str());
        };
        let allowed = device.body.pointer("/spec/availableNetworks")?.as_array()?;
        let used = allowed
            .iter()
            .find(|allowed| allowed.text("/networkName") == Some(network))?;
        used.get("interfaceName")?.as_str()
    };
    found().unwrap_or_default().to_owned()
}

fn outputs(world: &Platform, address: &Address, flow: &Resource) -> Vec<Value> {
    let project = &address.place.project;
    let each = |output: &Value| {
        let text = |field: &str| {
            let found = output.get(field).and_then(Value::as_str);
            found.unwrap_or_default()
        };
        let content = known(world, project, text("contentName"));
        let name = text("destinationName");
        let destination = world.get(&Address::new(project, Kind::DESTINATION, name));
        let network = destination
            .and_then(|destination| destination.text("/spec/networkName"))
            .unwrap_or_default();
        let setting = |name: &str| {
            let own = output.pointer(&format!("/transport/{name}"));
            let transport = destination.and_then(|found| found.body.pointer("/spec/transport"));
            transport.and_then(|transport| transport.get(name)).or(own)
        };
        let mut transport = json!({ "maxBitrate": setting("maxBitrate").and_then(Value::as_i64).unwrap_or(30_000_000) });
        for name in ["latency", "maxConnections"] {
            if let Some(value) = setting(name) {
                merge::put(&mut transport, &format!("/{name}"), value.clone());
            }
        }
        json!({
            "contentName": content,
            "contentDisplayName": shown(world, project, Kind::CONTENT, content),
            "downstreamFlowNames": resolution::readers(world, address, text("contentName")),
            "destinationDisplayName": shown(world, project, Kind::DESTINATION, name),
            "destinationUrl": destination.and_then(url).unwrap_or_default(),
            "networkName": network,
            "networkDisplayName": shown(world, project, Kind::NETWORK, network),
            "deviceInterfaceName": interface(world, project, flow, destination),
            "transport": transport,
        })
    };
    resolution::outputs(flow).map(each).collect()
}

/// The members that `$detailedStatus` adds: metrics and monitoring of a running flow.
pub(super) fn detail(flow: &mut Value, origin: &str) {
    if flow.text("/status/state") != Some(flow::RUNNING) {
        return;
    }
    let id = flow.text("/status/shortId").unwrap_or_default().to_owned();
    merge::put(
        flow,
        "/status/metrics",
        json!({ "inputBitrate": { "value": 5_000_000.0, "labels": { "flow": id } } }),
    );
    let (thumbnail, metadata) = monitoring::urls(origin, &id);
    merge::put(
        flow,
        "/status/monitoring",
        json!({ "input": { "thumbnailUrl": thumbnail, "metadataUrl": metadata } }),
    );
}
