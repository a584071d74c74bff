//! The Templates API: configurations and their versions, presets, types.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    base::{
        error::ApiError,
        format, keys,
        kind::Kind,
        merge,
        read::Read,
        store::{Place, Resource},
        world::PLATFORM_USER,
    },
    platform::{
        call::{Call, Response},
        generic, labels, list, render,
        rules::{DNS_NAME, Entry, Platform, Rules, Shape},
        start::{Preset, PresetsMade},
    },
};

impl Kind {
    /// Versions of configurations.
    pub const CONFIG: Self = Self::new("config", "version of this configuration");
}

/// Configurations, presets, types.
pub static ENTRY: Entry = Entry {
    kinds: &[&CONFIGS],
    routes: &[
        ("GET ~/templating/types", types),
        ("GET ~/templating/presets", presets),
        ("GET ~/templating/presets/{}", presets),
        ("GET ~/templating/presets/{}/{}", get_preset),
        ("GET ~/templating/configs", configs),
        ("GET ~/templating/configs/{}", configs),
        ("GET ~/templating/configs/{}/{}", get),
        ("PUT ~/templating/configs/{}/{}", put),
        ("DELETE ~/templating/configs/{}/{}", delete),
        ("GET ~/templating/configs/{}/{}/versions", versions),
        ("GET ~/templating/configs/{}/{}/versions/{}", get_version),
        (
            "DELETE ~/templating/configs/{}/{}/versions/{}",
            delete_version,
        ),
    ],
    ..Entry::NONE
};

/// Configurations.
pub static CONFIGS: Rules = Rules {
    name: DNS_NAME,
    ..Rules::new(Kind::CONFIG, "Config", Shape::Bare)
};

fn known_type(world: &Platform, name: &str) -> Result<(), ApiError> {
    if world
        .start
        .templates
        .types
        .iter()
        .any(|known| known.name == name)
    {
        return Ok(());
    }
    Err(ApiError::not_found(format!(
        "there is no configuration type '{name}'"
    )))
}

/// GET `types`.
pub fn types(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    let types: Vec<Value> = world
        .start
        .templates
        .types
        .iter()
        .map(|known| json!({ "name": known.name, "description": known.description, "openapi": null }))
        .collect();
    Ok(Response::ok(json!({ "types": types })))
}

/// A preset as responses show it. Each of its settings is a parameter.
fn preset(preset: &Preset, made: &PresetsMade) -> Value {
    let time = format::time(made.time);
    let inputs: Vec<Value> = preset
        .inputs
        .iter()
        .map(|pin| json!({ "name": pin }))
        .collect();
    let config = json!({ "name": preset.name, "type": preset.kind, "inputs": inputs, "settings": preset.settings });
    let parameters: Vec<Value> = preset
        .settings
        .as_object()
        .into_iter()
        .flat_map(|settings| settings.keys())
        .map(|name| json!({ "name": name, "description": format!("The setting {name}."), "paths": [format!("/settings/{name}")] }))
        .collect();
    let digest = keys::hex(&format!("{}/{}", preset.kind, preset.name));
    let number = digest
        .get(..32)
        .and_then(|digits| u128::from_str_radix(digits, 16).ok());
    let id = uuid::Uuid::from_u128(number.unwrap_or_default());
    json!({
        "kind": "Preset",
        "metadata": { "id": id, "name": preset.name, "type": preset.kind, "description": preset.description, "labels": {},
            "hash": keys::hex(&config.to_string()), "tags": ["latest"],
            "created": time, "createdBy": PLATFORM_USER, "createdByEmail": made.email,
            "updated": time, "updatedBy": PLATFORM_USER, "updatedByEmail": made.email,
        },
        "spec": { "config": config, "parameters": parameters },
        "status": status(&config),
    })
}

/// A preset by type and name, or why there is none.
fn find<'a>(world: &'a Platform, kind: &str, name: &str) -> Result<&'a Preset, String> {
    let mut presets = world.start.templates.presets.iter();
    presets
        .find(|preset| preset.kind == kind && preset.name == name)
        .ok_or_else(|| format!("there is no {kind} preset named '{name}'"))
}

/// Pins that a configuration has: its own inputs, or one.
fn status(config: &Value) -> Value {
    let named: Vec<&str> = config
        .items("/inputs")
        .filter_map(|input| input.get("name")?.as_str())
        .collect();
    let named = if named.is_empty() {
        vec!["main"]
    } else {
        named
    };
    let inputs: Vec<Value> = named
        .iter()
        .map(|name| json!({ "name": name, "allowMultipleBindings": false }))
        .collect();
    json!({ "inputPins": inputs, "outputPins": [{ "name": "main", "allowMultipleBindings": true }] })
}

/// GET `presets` and `presets/{config_type}`.
pub fn presets(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let kind = Some(call.parameter("config_type")).filter(|kind| !kind.is_empty());
    kind.map_or(Ok(()), |kind| known_type(world, kind))?;
    let templates = &world.start.templates;
    let made = &templates.presets_made;
    let by = Map::from_iter(
        ["createdByName", "updatedByName"].map(|field| (field.to_owned(), json!(made.name))),
    );
    let presets = templates.presets.iter();
    let values = presets
        .filter(|preset| kind.is_none_or(|kind| kind == preset.kind))
        .map(|found| (preset(found, made), by.clone()))
        .collect();
    list::indexed_page(world, call, "Preset", values)
}

/// GET `presets/{config_type}/{name}`.
pub fn get_preset(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let (kind, name) = (call.parameter("config_type"), call.parameter("name"));
    let found = find(world, kind, name).map_err(ApiError::not_found)?;
    Ok(Response::ok(preset(
        found,
        &world.start.templates.presets_made,
    )))
}

fn versions_of(project: &str, kind: &str, name: &str) -> Place {
    Place::under(project, Kind::CONFIG, &format!("{kind}/{name}"))
}

fn has_tag(version: &Resource, tag: &str) -> bool {
    version
        .body
        .pointer("/metadata/tags")
        .and_then(Value::as_array)
        .is_some_and(|tags| tags.iter().any(|given| given == tag))
}

/// A version by hash or tag.
fn version<'a>(world: &'a Platform, place: &Place, wanted: &str) -> Option<&'a Resource> {
    let table = world.table(place)?;
    table
        .get(wanted)
        .or_else(|| table.iter().find(|version| has_tag(version, wanted)))
}

/// A version as lists have it: with its tags to filter by.
fn listed(world: &Platform, place: &Place, version: &Resource) -> (Value, Map<String, Value>) {
    let mut index = render::index(world, &place.at(&version.name), version);
    let tags = version.body.pointer("/metadata/tags").cloned();
    index.insert("tag".to_owned(), tags.unwrap_or_default());
    (shown(world, place, version), index)
}

fn shown(world: &Platform, place: &Place, version: &Resource) -> Value {
    let (kind, name) = place.parent.split_once('/').unwrap_or_default();
    let mut metadata = render::metadata(world, version, false);
    merge::overlay(
        &mut metadata,
        version.body.get("metadata").unwrap_or(&json!({})),
    );
    merge::overlay(
        &mut metadata,
        &json!({ "name": name, "type": kind, "hash": &*version.name }),
    );
    let config = version
        .body
        .pointer("/spec/config")
        .cloned()
        .unwrap_or(json!({}));
    json!({ "kind": "Config", "metadata": metadata, "spec": version.body.get("spec"), "status": status(&config) })
}

/// GET `configs` and `configs/{config_type}`: the latest version of each.
pub fn configs(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let kind = Some(call.parameter("config_type")).filter(|kind| !kind.is_empty());
    kind.map_or(Ok(()), |kind| known_type(world, kind))?;
    let values = world
        .tables(call.project(), Kind::CONFIG)
        .filter(|(place, _)| kind.is_none_or(|kind| place.parent.split('/').next() == Some(kind)))
        .filter_map(|(place, _)| Some(listed(world, place, version(world, place, "latest")?)))
        .collect();
    list::indexed_page(world, call, "Config", values)
}

fn named(world: &Platform, call: &Call<'_>) -> Result<Place, ApiError> {
    known_type(world, call.parameter("config_type"))?;
    Ok(versions_of(
        call.project(),
        call.parameter("config_type"),
        call.parameter("name"),
    ))
}

fn unknown(call: &Call<'_>, version: &str) -> ApiError {
    ApiError::not_found(format!(
        "there is no {} configuration '{}' with version '{version}'",
        call.parameter("config_type"),
        call.parameter("name")
    ))
}

/// GET `configs/{config_type}/{name}`: the latest version.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = named(world, call)?;
    let found = version(world, &place, "latest").ok_or_else(|| unknown(call, "latest"))?;
    Ok(Response::ok(shown(world, &place, found)))
}

/// GET `…/versions`.
pub fn versions(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = named(world, call)?;
    let table = world
        .table(&place)
        .filter(|table| !table.is_empty())
        .ok_or_else(|| unknown(call, "latest"))?;
    let values = table
        .iter()
        .map(|version| listed(world, &place, version))
        .collect();
    list::indexed_page(world, call, "Config", values)
}

/// GET `…/versions/{version}`.
pub fn get_version(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = named(world, call)?;
    let wanted = call.parameter("version");
    let found = version(world, &place, wanted).ok_or_else(|| unknown(call, wanted))?;
    Ok(Response::ok(shown(world, &place, found)))
}

/// PUT: a further version, which gets `latest` and the tags it names; other versions lose them.
pub fn put(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = named(world, call)?;
    generic::check_name(&CONFIGS, call.parameter("name"))?;
    labels::check(&call.body)?;
    let spec = wanted_spec(world, call)?;
    let mut metadata = call.body.get("metadata").cloned().unwrap_or(json!({}));
    let mut tags: Vec<Value> = metadata
        .get("tags")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    tags.retain(|tag| tag != "latest");
    tags.push(json!("latest"));
    tags.dedup();
    let status = if world.table(&place).is_some_and(|table| !table.is_empty()) {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    take_tags(world, &place, &tags);
    merge::put(&mut metadata, "/tags", json!(tags));
    let address = place.at(&keys::hex(&spec.to_string()));
    let body = json!({ "metadata": metadata, "spec": spec });
    let now = world.now;
    match world.get_mut(&address) {
        // The same content is the same version: only its tags and labels are new.
        Some(same) => {
            same.body = body;
            same.updated = now;
            same.updated_by = call.user;
        }
        None => {
            world.insert(&address, body, call.user)?;
        }
    }
    let made = world.find(&address)?;
    Ok(Response::json(status, shown(world, &place, made)))
}

/// The specification of a version: the given one, or that of the named preset.
fn wanted_spec(world: &Platform, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.body.pointer("/spec/presetName");
    let Some(name) = name.and_then(Value::as_str) else {
        let given = call.body.get("spec").cloned();
        return Ok(given.unwrap_or(json!({ "config": {} })));
    };
    let found = find(world, call.parameter("config_type"), name)
        .map_err(|reason| ApiError::field("/spec/presetName", reason))?;
    Ok(preset(found, &world.start.templates.presets_made)
        .get("spec")
        .cloned()
        .unwrap_or_default())
}

/// Takes these tags from all versions.
fn take_tags(world: &mut Platform, place: &Place, tags: &[Value]) {
    let names: Vec<String> = world
        .table(place)
        .into_iter()
        .flat_map(|table| table.iter().map(|version| version.name.to_string()))
        .collect();
    for name in names {
        let version = world.get_mut(&place.at(&name));
        let own = version.and_then(|version| version.body.pointer_mut("/metadata/tags"));
        if let Some(own) = own.and_then(Value::as_array_mut) {
            own.retain(|tag| !tags.contains(tag));
        }
    }
}

/// DELETE `configs/{config_type}/{name}`: all versions.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = named(world, call)?;
    let names: Vec<String> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter().map(|version| version.name.to_string()))
        .collect();
    for name in &names {
        world.remove(&place.at(name));
    }
    Ok(Response::empty(if names.is_empty() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::OK
    }))
}

/// DELETE `…/versions/{version}`: not the latest.
pub fn delete_version(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = named(world, call)?;
    let Some(found) = version(world, &place, call.parameter("version")) else {
        return Ok(Response::empty(StatusCode::NO_CONTENT));
    };
    if has_tag(found, "latest") {
        return Err(ApiError::bad_request(
            "the version tagged 'latest' cannot be removed alone",
        ));
    }
    let address = place.at(&found.name);
    world.remove(&address);
    Ok(Response::empty(StatusCode::OK))
}

/// Whether the configurations that a flow names exist and fit, `(pointer, reason)`.
pub fn check_flow(world: &Platform, project: &str, flow: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut pins: Option<Vec<String>> = None;
    for kind in ["encodingLive", "multiviewComposing", "streamConditioning"] {
        let at = format!("/spec/transform/{kind}");
        let Some(config) = flow.pointer(&at) else {
            continue;
        };
        let text = |pointer: &str| config.text(pointer).unwrap_or_default();
        let (name, wanted) = (text("/configRef/name"), text("/configRef/version"));
        let Some(config_version) = version(world, &versions_of(project, kind, name), wanted) else {
            found.push((
                format!("{at}/configRef"),
                format!("there is no {kind} configuration '{name}' with version '{wanted}'"),
            ));
            continue;
        };
        found.extend(unknown_values(&at, config, &config_version.body));
        // Inputs are bound to the composing configuration if there is one.
        if kind != "streamConditioning" {
            pins = Some(input_pins(&config_version.body));
        }
    }
    if let Some(pins) = pins {
        found.extend(misbound(flow, &pins));
    }
    found
}

/// Values that a flow sets and the configuration does not declare.
fn unknown_values(at: &str, config: &Value, version: &Value) -> Vec<(String, String)> {
    let is_known = |name: &str| {
        let mut declared = version.items("/spec/parameters");
        declared.any(|parameter| parameter.text("/name") == Some(name))
    };
    let values = config.get("configValues").and_then(Value::as_object);
    let names = values.into_iter().flat_map(|values| values.keys());
    names
        .filter(|name| !is_known(name))
        .map(|name| {
            (
                format!("{at}/configValues/{name}"),
                "is not a parameter of the configuration".to_owned(),
            )
        })
        .collect()
}

/// Names of the pins that inputs are bound to.
fn input_pins(version: &Value) -> Vec<String> {
    let own = status(version.pointer("/spec/config").unwrap_or(&Value::Null));
    let pins = own.items("/inputPins");
    pins.filter_map(|pin| pin.get("name")?.as_str().map(str::to_owned))
        .collect()
}

/// Inputs that are bound to no pin that there is, or to one that is taken.
fn misbound(flow: &Value, pins: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut bound: Vec<&str> = Vec::new();
    for (at, input) in flow.items("/spec/inputs").enumerate() {
        let Some(pin) = input.text("/transformInput") else {
            continue;
        };
        if !pins.iter().any(|known| known == pin) {
            found.push((
                format!("/spec/inputs/{at}/transformInput"),
                format!(
                    "is not an input pin of the configuration; it has {}",
                    pins.join(", ")
                ),
            ));
        } else if bound.contains(&pin) {
            found.push((
                format!("/spec/inputs/{at}/transformInput"),
                "is bound twice, and takes one input".to_owned(),
            ));
        }
        bound.push(pin);
    }
    found
}
