//! What a flow reports.

use serde_json::{Value, json};

use crate::{
    base::{
        kind::Kind,
        merge,
        store::{Address, Resource},
    },
    platform::{references, rules::Platform},
    resources::{fleet::placement::device_of, live::wiring::UPSTREAM},
};

/// The plain status.
pub(super) fn dress(world: &Platform, address: &Address, flow: &Resource, out: &mut Value) {
    let project = &address.place.project;
    let site = flow.text("/spec/siteName").unwrap_or("cloud");
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
        "UnableToStart" => merge::put(
            &mut status,
            "/info",
            json!(
                flow.private_text("/info")
                    .unwrap_or("the configuration of the flow cannot be found or does not fit")
            ),
        ),
        "Starting" if flow.plan.is_empty() => merge::put(
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
    let mut out = Vec::new();
    for input in flow
        .body
        .pointer("/spec/inputs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |field: &str| input.get(field).and_then(Value::as_str);
        let mut shown = json!({});
        let mut source = text("sourceName").map(str::to_owned);
        if let Some(content) = text("contentName") {
            merge::put(&mut shown, "/contentName", json!(content));
            merge::put(
                &mut shown,
                "/contentDisplayName",
                json!(display_name(world, project, Kind::CONTENT, content)),
            );
            source = world
                .all(project, Kind::SOURCE)
                .find(|(_, source)| source.text("/spec/contentName") == Some(content))
                .map(|(_, source)| source.name.to_string());
        }
        if let Some(name) = text("flowName") {
            merge::put(&mut shown, "/upstreamFlowName", json!(name));
        }
        if let Some(found) =
            source.and_then(|name| world.get(&Address::new(project, Kind::SOURCE, &name)))
        {
            merge::put(&mut shown, "/sourceName", json!(&*found.name));
            merge::put(
                &mut shown,
                "/sourceDisplayName",
                json!(found.text("/metadata/displayName").unwrap_or(&found.name)),
            );
            merge::put(&mut shown, "/sourceShortId", json!(found.short_id()));
            merge::put(
                &mut shown,
                "/sourceUrl",
                found
                    .body
                    .pointer("/spec/transport/url")
                    .cloned()
                    .unwrap_or(Value::Null),
            );
            if let Some(network) = found.text("/spec/networkName") {
                merge::put(&mut shown, "/networkName", json!(network));
            }
        }
        out.push(shown);
    }
    out
}

fn outputs(world: &Platform, address: &Address, flow: &Resource) -> Vec<Value> {
    let project = &address.place.project;
    let readers: Vec<String> = references::users(world, address)
        .filter(|user| user.reference.field == UPSTREAM.field)
        .map(|user| user.resource.name.to_string())
        .collect();
    let mut out = Vec::new();
    for output in flow
        .body
        .pointer("/spec/outputs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |field: &str| {
            output
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let content = text("contentName");
        // An output's content may be any text in the request, while the reply's has to be a name.
        let known = world.has(&Address::new(project, Kind::CONTENT, content));
        let mut shown = json!({
            "contentName": if known { content } else { "" },
            "contentDisplayName": if known { display_name(world, project, Kind::CONTENT, content) } else { String::new() },
            "downstreamFlowNames": readers,
        });
        let destination = text("destinationName");
        if !destination.is_empty() {
            merge::put(
                &mut shown,
                "/destinationDisplayName",
                json!(display_name(world, project, Kind::DESTINATION, destination)),
            );
        }
        out.push(shown);
    }
    out
}

/// What `$detailedStatus` adds: metrics and monitoring of a running flow.
pub(super) fn detail(flow: &mut Value) {
    if flow.pointer("/status/state").and_then(Value::as_str) != Some("Running") {
        return;
    }
    let id = flow
        .pointer("/status/shortId")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    merge::put(
        flow,
        "/status/metrics",
        json!({ "inputBitrate": { "value": 5_000_000.0, "labels": { "flow": id } } }),
    );
    let base = format!("https://monitoring.localhost/{id}");
    merge::put(
        flow,
        "/status/monitoring",
        json!({ "input": { "thumbnailUrl": format!("{base}/thumbnail.jpg"), "metadataUrl": format!("{base}/metadata.json") } }),
    );
}
