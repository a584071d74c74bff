//! Export and import of channels.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Place},
    },
    platform::{
        call::{Call, Response},
        rules::{Entry, Platform},
    },
    resources::channels::{channel::configure, rules},
};

/// Export and import of channels.
pub static ENTRY: Entry = Entry {
    routes: &[
        ("POST /api/channel-export/", export),
        ("POST /api/channel-import/", import),
    ],
    ..Entry::NONE
};

/// POST `channel-export/`.
pub fn export(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let wanted: Option<Vec<&str>> = call
        .body
        .get("channels")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let services = call
        .body
        .get("includeServices")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let place = Place::new("", Kind::BEAM_CHANNEL);
    if let Some(lost) = wanted
        .iter()
        .flatten()
        .find(|name| world.get(&place.at(name)).is_none())
    {
        let reason = format!("there is no channel named '{lost}'");
        return Err(ApiError::field("/channels", reason));
    }
    let channels: Vec<Value> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter())
        .filter(|channel| wanted.as_ref().is_none_or(|wanted| wanted.contains(&&*channel.name)))
        .map(|channel| {
            let mut out = json!({ "kind": "BeamChannel", "metadata": channel.body.get("metadata"), "spec": channel.body.get("spec") });
            if services {
                let service = json!({ "name": &*channel.name, "type": "channel", "id": channel.id, "config": {}, "configVersion": "1" });
                merge::put(&mut out, "/services", json!([service]));
            }
            out
        })
        .collect();
    let version = &world.start.channel_device.system.software_version;
    let mut out = json!({ "schemaVersion": "1", "exportedAt": format::time(world.now), "sourceVersion": version, "channels": channels });
    if let Some(description) = call
        .body
        .get("description")
        .filter(|description| description.is_string())
    {
        merge::put(&mut out, "/description", description.clone());
    }
    Ok(Response::ok(out))
}

/// POST `channel-import/`: `merge` adds and updates, `replace` also removes what the payload does not have.
pub fn import(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let given = call
        .body
        .pointer("/payload/channels")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let state = call
        .body
        .get("state")
        .filter(|state| state.is_string())
        .cloned();
    let place = Place::new("", Kind::BEAM_CHANNEL);
    check_all(&world.start.channel_device.interfaces, &given)?;
    let (mut imported, mut names) = (Vec::new(), Vec::new());
    for channel in given {
        let text = |pointer: &str| channel.text(pointer).unwrap_or_default().to_owned();
        let name = text("/metadata/name");
        let mut body = json!({ "kind": "BeamChannel", "metadata": channel.get("metadata"), "spec": channel.get("spec") });
        if let Some(state) = &state {
            merge::put(&mut body, "/spec/state", state.clone());
        }
        let same = world.get(&place.at(&name)).is_some_and(|old| {
            old.body.get("spec") == body.get("spec")
                && old.body.get("metadata") == body.get("metadata")
        });
        if !same {
            configure(
                world,
                &Address {
                    place: place.clone(),
                    name: name.clone(),
                },
                body,
                call.user,
            )?;
        }
        imported.push(json!({
            "name": name, "sourceName": name, "displayName": text("/metadata/displayName"), "status": if same { "skipped" } else { "accepted" }, "error": null,
        }));
        names.push(name);
    }
    let replaces = call.body.text("/mode") == Some("replace");
    let deleted = if replaces {
        remove_others(world, &place, &names)
    } else {
        Vec::new()
    };
    Ok(Response::ok(
        json!({ "imported": imported, "deleted": deleted, "errors": [], "warnings": [] }),
    ))
}

/// All rules that channels break, each with its place in the payload.
fn check_all(interfaces: &Value, channels: &[Value]) -> Result<(), ApiError> {
    let broken: Vec<(String, String)> = channels
        .iter()
        .enumerate()
        .flat_map(|(index, channel)| {
            let found = rules::broken(interfaces, channel).into_iter();
            found.map(move |(at, reason)| (format!("/payload/channels/{index}{at}"), reason))
        })
        .collect();
    if broken.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", broken))
    }
}

/// Removes the channels that have none of these names; gives their names.
fn remove_others(world: &mut Platform, place: &Place, names: &[String]) -> Vec<String> {
    let deleted: Vec<String> = world
        .table(place)
        .into_iter()
        .flat_map(|table| table.iter())
        .map(|channel| channel.name.to_string())
        .filter(|name| !names.contains(name))
        .collect();
    for name in &deleted {
        world.remove(&place.at(name));
    }
    deleted
}
