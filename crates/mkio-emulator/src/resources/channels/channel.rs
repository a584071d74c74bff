//! The Channels API of a Beam device. One emulator has one device; it has errors of its own form.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        settings::PageLimits,
        states::channels::{channel, channel_activity as activity},
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Payload, Response},
        incidents::{Incident, SyncFailure},
        list, render,
        rules::{Entry, Platform, Rules, Shape, impossible},
    },
    resources::{
        channels::{alarms, rules, status},
        media::play::sample,
    },
};

impl Kind {
    /// Channels of the device.
    pub const BEAM_CHANNEL: Self = Self::new("beamChannel", "channel");
}

/// Channels of the device.
pub static ENTRY: Entry = Entry {
    kinds: &[&CHANNELS],
    routes: &[
        ("GET /api/channels/", list),
        ("GET /api/channels/{}/", get),
        ("PUT /api/channels/{}/", put),
        ("PATCH /api/channels/{}/", patch),
        ("DELETE /api/channels/{}/", delete),
        (
            "GET /api/channels/{}/thumbnails/{}/thumbnail.jpg",
            thumbnail,
        ),
        ("GET /api/channel-channelalarms/active/", alarms::alarms),
    ],
    incident: apply_incident,
    ..Entry::NONE
};

/// Channels. Their state is that of the configuration: `Configuring`, then `Ok`, or a failure on demand.
pub static CHANNELS: Rules = Rules {
    collection: "/api/channels",
    life: &channel::LIFE,
    complete,
    ..Rules::new(Kind::BEAM_CHANNEL, "BeamChannel", Shape::Bare)
};

/// The device pages in its own way.
const PAGES: PageLimits = PageLimits {
    default: 1_000,
    maximum: 1_000,
};

fn address(call: &Call<'_>) -> Address {
    Address::new("", Kind::BEAM_CHANNEL, call.parameter("channel_id"))
}

/// The device's 404.
fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no channel named '{name}'"))
}

fn find<'a>(world: &'a Platform, address: &Address) -> Result<&'a Resource, ApiError> {
    world.get(address).ok_or_else(|| unknown(&address.name))
}

fn kept_state(channel: &Resource) -> &'static str {
    match channel.text("/spec/state") {
        Some(activity::RUNNING) => activity::RUNNING,
        _ => activity::STOPPED,
    }
}

fn complete(_: &Platform, _: &Address, channel: &Resource, out: &mut Value) {
    // An out-of-sync channel still runs its last specification.
    let synced = channel.state == channel::OK;
    let actual = if synced {
        kept_state(channel)
    } else {
        channel.private_text("/state").unwrap_or(activity::STOPPED)
    };
    let runs = actual == activity::RUNNING;
    let told = |field: &str| channel.private.get(field).cloned().unwrap_or(json!([]));
    let status = json!({
        "state": actual, "health": { "severity": alarms::worst(channel) }, "inputs": status::inputs(channel, runs), "outputs": status::outputs(channel, runs),
        "syncState": channel.state, "syncError": told("syncError"), "errors": told("errors"), "unsyncedFields": [],
    });
    *out = json!({
        "kind": "BeamChannel",
        "metadata": {
            "name": &*channel.name, "created": format::time(channel.created),
            "displayName": channel.text("/metadata/displayName").unwrap_or(&channel.name),
        },
        "spec": channel.body.get("spec"), "status": status, "serviceIds": [channel.id],
    });
}

fn shown(world: &Platform, address: &Address) -> Result<Response, ApiError> {
    Ok(Response::ok(render::resource(
        world,
        address,
        find(world, address)?,
    )))
}

/// GET of the channels. Everything is filtered, sorted and paged in memory, and `total` counts the matches.
pub fn list(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = Place::new("", Kind::BEAM_CHANNEL);
    let select: Option<Vec<String>> = call.query.one("$select")?.map(|fields| {
        fields
            .split(',')
            .map(|field| field.trim().to_owned())
            .collect()
    });
    let values: Vec<Value> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter())
        .map(|channel| render::resource(world, &place.at(&channel.name), channel))
        .collect();
    let response = list::device_page(call, PAGES, "BeamChannelList", values)?;
    let Payload::Json(mut body) = response.payload else {
        return Ok(response);
    };
    if let Some(select) = select {
        for channel in body
            .get_mut("value")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(fields) = channel.as_object_mut() {
                // A required field stays.
                fields.retain(|name, _| {
                    matches!(name.as_str(), "kind" | "metadata")
                        || select
                            .iter()
                            .any(|field| field.split('/').next() == Some(name))
                });
            }
        }
    }
    Ok(Response::ok(body))
}

/// GET of one.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    shown(world, &address(call))
}

/// Keeps a channel's specification and applies it.
pub fn configure(
    world: &mut Platform,
    address: &Address,
    body: Value,
    by: uuid::Uuid,
) -> Result<(), ApiError> {
    match world.get_mut(address) {
        Some(channel) => {
            // A specification that was not applied has changed nothing.
            if channel.state == channel::OK {
                let actual = kept_state(channel);
                merge::put(&mut channel.private, "/state", json!(actual));
            }
            channel.body = body;
        }
        None => {
            world.insert(address, body, by)?;
        }
    }
    apply(world, address);
    Ok(())
}

/// Applies the specification; an earlier failure is forgotten.
fn apply(world: &mut Platform, address: &Address) {
    if let Some(channel) = world.get_mut(address) {
        for field in ["/syncError", "/errors"] {
            merge::take(&mut channel.private, field);
        }
    }
    world.go(address, &channel::CREATE);
}

/// Applies an incident to a channel.
///
/// # Errors
/// When it cannot happen to a channel, or has values that the document does not allow.
pub fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    let now = world.now;
    let Some(channel) = world.get_mut(address) else {
        return Err(impossible(address));
    };
    match incident {
        Incident::ConfigurationFails {
            state,
            code,
            detail,
        } => {
            let state = match state {
                SyncFailure::ConfigFailed => channel::CONFIG_FAILED,
                SyncFailure::SyncFailed => channel::SYNC_FAILED,
                SyncFailure::Failed => channel::FAILED,
            };
            if detail.chars().count() > 512 {
                return Err("a detail has at most 512 characters".to_owned());
            }
            // The channel goes on with its last specification.
            if channel.state == channel::OK {
                let actual = kept_state(channel);
                merge::put(&mut channel.private, "/state", json!(actual));
            }
            let short: String = detail.chars().take(40).collect();
            let error = json!({
                "code": code, "transient": false, "showCode": true,
                "userShort": short, "userMessage": detail, "detail": detail,
            });
            merge::put(&mut channel.private, "/errors", json!([error]));
            merge::put(&mut channel.private, "/syncError", json!([detail]));
            world.enter(address, state, &[]);
        }
        Incident::AlarmRaised(alarm) => return alarms::raise(channel, alarm, now),
        Incident::AlarmCleared(name) => return alarms::clear(channel, name),
        Incident::Recovers => {
            merge::take(&mut channel.private, "/alarms");
            apply(world, address);
        }
        _ => return Err(impossible(address)),
    }
    Ok(())
}

/// PUT: makes or replaces. The name in the body has to be that of the path.
pub fn put(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    if call.body.text("/metadata/name") != Some(&address.name) {
        return Err(ApiError::field(
            "/metadata/name",
            "is not the name in the path",
        ));
    }
    let broken = rules::broken(&world.start.channel_device.interfaces, &call.body);
    if !broken.is_empty() {
        return Err(ApiError::invalid("request body", broken));
    }
    configure(world, &address, call.body.clone(), call.user)?;
    shown(world, &address)
}

/// PATCH of the display name or the state; null changes nothing, and other keys are ignored.
pub fn patch(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    let mut body = find(world, &address)?.body.clone();
    for pointer in ["/metadata/displayName", "/spec/state"] {
        if let Some(value) = call.body.pointer(pointer).filter(|value| !value.is_null()) {
            merge::put(&mut body, pointer, value.clone());
        }
    }
    configure(world, &address, body, call.user)?;
    shown(world, &address)
}

/// DELETE.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    find(world, &address)?;
    world.remove(&address);
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// GET of an input's thumbnail. The document calls it JSON; it is a JPEG.
pub fn thumbnail(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    let shown = render::resource(world, &address, find(world, &address)?);
    let wanted = call.parameter("thumbnail_id");
    let inputs = shown.pointer("/status/inputs").and_then(Value::as_array);
    let known = inputs.is_some_and(|inputs| {
        inputs
            .iter()
            .any(|input| input.text("/name") == Some(wanted))
    });
    if known {
        Ok(Response::bytes("image/jpeg", sample::PICTURE))
    } else {
        Err(ApiError::not_found(format!(
            "the channel has no input named '{wanted}'"
        )))
    }
}
