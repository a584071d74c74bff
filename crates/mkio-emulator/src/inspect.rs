//! The platform in the form of the control handle.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    base::{format, kind::Kind, states::media::streaming_locator, store::Place},
    engine::Engine,
    platform::call::{Payload, full_path},
};

/// The response of GET for a path below the project, or for one from the root. None when there is no such resource.
pub fn get(engine: &Engine, project: &str, path: &str) -> Option<Value> {
    let request = Request::get(full_path(project, path))
        .body(Bytes::new())
        .ok()?;
    let response = engine.operator(&request);
    match (response.status.is_success(), response.payload) {
        (true, Payload::Json(body)) => Some(body),
        _ => None,
    }
}

/// Kind, name and state of what is in a project, in the order of kinds and of creation: of each kind the newest, at most `most`; and the
/// number of each.
pub fn list(
    engine: &Engine,
    project: &str,
    most: usize,
) -> (Vec<Value>, BTreeMap<&'static str, usize>) {
    let world = engine.world();
    let (mut found, mut totals) = (Vec::new(), BTreeMap::new());
    for rules in world.registry.rules() {
        for (place, table) in world.tables(project, rules.kind) {
            *totals.entry(rules.kind.name()).or_default() += table.len();
            for resource in table.slice(table.len().saturating_sub(most), most) {
                found.push(json!({
                    "kind": rules.kind.name(), "parent": place.parent, "name": &*resource.name, "state": resource.state,
                    "created": format::time(resource.created), "updated": format::time(resource.updated),
                    "path": path(rules.collection, place.parent.as_str(), &resource.name),
                }));
            }
        }
    }
    totals.retain(|_, total| *total > 0);
    (found, totals)
}

/// The newest locators of a project: names of locator and asset, and the path of the first HLS manifest.
pub fn published(engine: &Engine, project: &str, most: usize) -> Vec<Value> {
    let locators: Vec<(String, Value)> = {
        let world = engine.world();
        let table = world.table(&Place::new(project, Kind::STREAMING_LOCATOR));
        let newest = table
            .into_iter()
            .flat_map(|table| table.slice(table.len().saturating_sub(most), most));
        newest
            .filter(|locator| locator.state == streaming_locator::CREATED)
            .map(|locator| {
                (
                    locator.name.to_string(),
                    json!(locator.text("/properties/assetName")),
                )
            })
            .collect()
    };
    let shown = |(locator, asset): (String, Value)| {
        let name = utf8_percent_encode(&locator, NON_ALPHANUMERIC);
        let request = Request::post(format!(
            "/api/v1/projects/{project}/media/streamingLocators/{name}/listPaths"
        ));
        let response = engine.operator(&request.body(Bytes::new()).ok()?);
        let Payload::Json(body) = response.payload else {
            return None;
        };
        let paths = body.get("streamingPaths")?.as_array()?;
        let path = paths
            .iter()
            .find(|path| path["streamingProtocol"] == "Hls")?;
        Some(json!({ "locator": locator, "asset": asset, "url": path.pointer("/paths/0")? }))
    };
    locators.into_iter().filter_map(shown).collect()
}

/// The path of a resource below its project; empty for what has none.
fn path(collection: &str, parent: &str, name: &str) -> String {
    let Some(collection) = collection.strip_prefix("~/") else {
        return String::new();
    };
    let path = parent.split('/').fold(collection.to_owned(), |path, part| {
        path.replacen("{}", part, 1)
    });
    format!("{path}/{name}")
}
