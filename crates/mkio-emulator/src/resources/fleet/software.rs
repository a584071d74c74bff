//! Software of devices: versions, staging, switching.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format::{self, parse_time},
        kind::Kind,
        merge,
        read::Read,
        states::fleets::{device_preload as preload, device_software as software},
        store::{Address, Event, Resource, Step},
    },
    platform::{
        call::{Call, Response},
        list,
        rules::{Entry, Platform},
        start::{Devices, Software, rank},
    },
    resources::fleet::placement::is_offline,
};

/// Software of devices.
pub static ENTRY: Entry = Entry {
    routes: &[("GET ~/fleet/devices/{}/software", offered)],
    ..Entry::NONE
};

/// The version that a device runs.
fn current(device: &Resource) -> &str {
    device.private_text("/current").unwrap_or_default()
}

/// GET `devices/{name}/software`.
pub fn offered(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let device = world.find(&Address::new(
        call.project(),
        Kind::DEVICE,
        call.parameter("name"),
    ))?;
    let current = rank(current(device));
    let devices = &world.start.devices;
    let shown = |software: &Software| {
        let Software {
            version,
            released,
            minimum_version,
            minimum_version_ha,
        } = software;
        let name = format!("{} {version}", devices.software_name);
        json!({
            "kind": "Software", "metadata": { "displayName": name, "labels": {} },
            "spec": {
                "version": version, "displayName": name, "released": released,
                "minimumVersion": minimum_version, "minimumVersionHA": minimum_version_ha,
            },
            "status": { "upgradeCompatible": rank(version) > current, "downgradeCompatible": rank(version) < current },
        })
    };
    let values = devices.software.iter().map(shown).collect();
    list::values_page(world, call, "Software", values)
}

/// Refuses versions that are not offered.
pub fn check(devices: &Devices, body: &Value) -> Vec<(String, String)> {
    let wanted = [
        "/spec/desiredSoftwareVersion",
        "/spec/preloadSoftwareVersion",
    ]
    .into_iter()
    .filter_map(|pointer| Some((pointer, body.text(pointer)?)));
    wanted
        .filter(|(_, version)| !version.is_empty() && devices.version(version).is_none())
        .map(|(pointer, version)| {
            (
                pointer.to_owned(),
                format!("there is no software version '{version}'"),
            )
        })
        .collect()
}

/// Follows a change of the wanted versions.
pub fn steer(world: &mut Platform, address: &Address) {
    let moment = world.now;
    let now = format::time(moment);
    let newest = world.start.devices.software.last();
    let newest = newest.map(|software| software.version.clone());
    let Some(device) = world.get_mut(address) else {
        return;
    };
    // Nothing is done while the device is offline.
    if is_offline(device) {
        return;
    }
    let text = |pointer: &str| {
        device
            .body
            .text(pointer)
            .filter(|version| !version.is_empty())
            .map(str::to_owned)
    };
    let automatic = device
        .body
        .pointer("/spec/autoPreloadLatestSoftware")
        .and_then(Value::as_bool)
        == Some(true);
    let preload = text("/spec/preloadSoftwareVersion").or(newest.filter(|_| automatic));
    let desired = text("/spec/desiredSoftwareVersion");
    let unwanted = device.text("/spec/preloadSoftwareVersion") == Some("");
    let staged = device.private.get("preload");
    if preload.is_none()
        && unwanted
        && staged.is_some_and(|staged| staged.get("removedSince").is_none())
    {
        merge::put(&mut device.private, "/preload/removedSince", json!(now));
    }
    if let Some(version) = preload {
        fetch(device, &version, &now);
    }
    let current = current(device).to_owned();
    if device.state == software::SWITCHING {
        return;
    }
    // A switch that waits for its bundle waits for what is wanted now.
    let Some(desired) = desired.filter(|desired| *desired != current) else {
        world.plan(address, &[]);
        return;
    };
    match staging(device, &desired, moment) {
        Some(after) => {
            let switch = Step::new(after, Event::Enter(software::SWITCHING));
            let steps: Vec<Step> = [switch]
                .iter()
                .chain(software::SWITCH.steps)
                .copied()
                .collect();
            world.plan(address, &steps);
        }
        None => world.go(address, &software::SWITCH),
    }
}

/// Begins to fetch the bundle of a version that the device does not have.
fn fetch(device: &mut Resource, version: &str, now: &str) {
    let ended = ["/preload/failure", "/preload/removedSince"]
        .iter()
        .any(|at| device.private.pointer(at).is_some());
    let known = [
        device.private_text("/preload/version").filter(|_| !ended),
        device.private_text("/current"),
        device.private_text("/rollback"),
    ]
    .contains(&Some(version));
    if !known {
        merge::put(
            &mut device.private,
            "/preload",
            json!({ "version": version, "since": now }),
        );
    }
}

/// How long the bundle of a version is still being fetched; none when it is not.
fn staging(device: &Resource, version: &str, now: DateTime<Utc>) -> Option<Duration> {
    if device.private_text("/preload/version") != Some(version)
        || !matches!(
            progress(device, now)?.0,
            preload::REQUESTED | preload::DOWNLOADING
        )
    {
        return None;
    }
    let since = parse_time(device.private_text("/preload/since")?)?;
    // Until it is there, a bundle is requested and downloaded.
    let fetched: Duration = preload::FETCH
        .steps
        .iter()
        .take(2)
        .map(|step| step.after)
        .sum();
    (since + fetched - now).to_std().ok()
}

/// Staging and switching stop where they are.
pub fn stand_still(world: &mut Platform, address: &Address) {
    let now = world.now;
    let Some(device) = world.get_mut(address) else {
        return;
    };
    if progress(device, now).is_some_and(|(state, _)| !is_there(state)) {
        merge::take(&mut device.private, "/preload");
    }
    world.plan(address, &[]);
}

/// Staging starts again, switching goes on.
pub fn go_on(world: &mut Platform, address: &Address) {
    if world
        .get(address)
        .is_some_and(|device| device.state == software::SWITCHING && device.plan.is_empty())
    {
        world.plan(address, software::SWITCH.steps);
    }
    steer(world, address);
}

/// Ends the staging of software in a failure.
///
/// # Errors
/// When nothing is being staged.
pub fn fail_preload(
    world: &mut Platform,
    address: &Address,
    state: &'static str,
    details: &str,
) -> Result<(), String> {
    match world.get_mut(address) {
        Some(device) if device.private.get("preload").is_some() => {
            let failure = json!({ "state": state, "details": details });
            merge::put(&mut device.private, "/preload/failure", failure);
            Ok(())
        }
        _ => Err(format!("the device '{}' stages no software", address.name)),
    }
}

/// A switch ends: in the wanted version when it was staged or is the second bank, else not.
pub fn switched(world: &mut Platform, address: &Address) {
    let now = world.now;
    let Some(device) = world.get_mut(address) else {
        return;
    };
    let Some(desired) = device
        .text("/spec/desiredSoftwareVersion")
        .map(str::to_owned)
    else {
        return;
    };
    let current = current(device).to_owned();
    let staged = device.private_text("/preload/version") == Some(&desired)
        && progress(device, now).is_some_and(|(state, _)| is_there(state));
    let told = merge::take(&mut device.private, "/switchFails").is_some();
    if told {
        device.state = software::SWITCH_FAILED;
    } else if staged || device.private_text("/rollback") == Some(&desired) {
        merge::put(&mut device.private, "/rollback", json!(current));
        merge::put(&mut device.private, "/current", json!(desired));
    } else {
        device.state = software::SWITCH_FAILED;
    }
}

/// Whether a bundle in this state can be switched to.
fn is_there(state: &str) -> bool {
    matches!(state, preload::DOWNLOADED | preload::IMPORTING)
}

/// Progress of the staging: state and percent.
fn progress(device: &Resource, now: DateTime<Utc>) -> Option<(&'static str, u64)> {
    match device.private_text("/preload/failure/state") {
        Some(preload::PRELOAD_FAILED) => return Some((preload::PRELOAD_FAILED, 0)),
        Some(_) => return Some((preload::PRELOAD_CANCELLED, 0)),
        None => {}
    }
    if let Some(removed) = device
        .private_text("/preload/removedSince")
        .and_then(parse_time)
    {
        let (state, _) = preload::REMOVE.at((now - removed).to_std().unwrap_or_default())?;
        return Some((state, 0));
    }
    let since = parse_time(device.private_text("/preload/since")?)?;
    let (state, percent) = preload::FETCH.at((now - since).to_std().unwrap_or_default())?;
    Some(match state {
        preload::REQUESTED => (state, 0),
        preload::DOWNLOADING => (state, percent),
        _ => (state, 100),
    })
}

/// `status.preloadedSoftware`.
pub fn preloaded(world: &Platform, device: &Resource) -> Value {
    let Some((state, percent)) = progress(device, world.now) else {
        return json!([]);
    };
    let version = device.private_text("/preload/version").unwrap_or_default();
    let current = rank(current(device));
    let details = device
        .private_text("/preload/failure/details")
        .map_or_else(|| format!("{percent} %"), str::to_owned);
    json!([{
        "name": format!("{} {version}", world.start.devices.software_name), "version": version, "state": state, "precentProgress": percent, "progressDetails": details,
        "upgradeCompatible": rank(version) > current, "downgradeCompatible": rank(version) < current,
    }])
}
