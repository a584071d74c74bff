//! Devices and what runs on them.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::presence::ensure_online;
use super::{backups, packages, software};
use crate::core::call::{Answer, Call};
use crate::core::error::ApiError;
use crate::core::family::{DNS_NAME, Family, Kind, Put, Shape};
use crate::core::live::flows::FLOWS;
use crate::core::store::{Address, Event, Place, Resource, Step};
use crate::core::world::World;
use crate::core::{generic, merge, query, render};

/// Devices.
pub static DEVICES: Family = Family {
    name: DNS_NAME,
    put: Put::Create(201),
    initial: "Idle",
    check,
    created: |world, address| {
        if let Some(device) = world.get_mut(address) {
            device.private = json!({ "current": software::FIRST });
        }
        software::steer(world, address);
    },
    changed: software::steer,
    entered: |world, address, previous| {
        if previous == "Switching" {
            software::switched(world, address);
        }
    },
    dress,
    // The lists of the document know a model that its replies do not have.
    index: |_, out| {
        out.insert("status/model".to_owned(), json!("Emulated"));
    },
    ..Family::new(Kind::Device, "Device", Shape::Spec { name: true })
};

/// Operations that run on a device. Each is there while it runs.
pub static TASKS: Family = Family {
    removed: |world, address, task| {
        let device = Address::new(&address.place.project, Kind::Device, &address.place.parent);
        if !world.has(&device) {
            return;
        }
        match address.name.as_str() {
            "backup" => backups::finish(world, &device, task),
            "supportPackage" => packages::finish(world, &device, task),
            _ => {}
        }
    },
    ..Family::new(Kind::DeviceTask, "", Shape::Bare)
};

fn refuse(pointer: &str, reason: impl Into<String>) -> ApiError {
    ApiError::invalid("request body", vec![(pointer.to_owned(), reason.into())])
}

fn check(
    world: &World,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if existing.is_none() {
        let (code, location) = (text("/spec/shortCode"), text("/spec/locationId"));
        if code.is_none() && location.is_none() {
            return Err(refuse(
                "/spec/shortCode",
                "or locationId has to say which device this is",
            ));
        }
        // Two ids that no device has, to see what an unknown device brings.
        if code == Some("00000000")
            || location.is_some_and(|id| Uuid::try_parse(id).is_ok_and(|id| id.is_nil()))
        {
            return Err(ApiError {
                code: "1000.4500.1500.1300",
                ..ApiError::bad_request("a device with this id has never contacted the platform")
            });
        }
    }
    let device = call.address(Kind::Device);
    let same = |other: &Resource| {
        let taken = |pointer: &str| {
            let (own, other) = (text(pointer), other.text(pointer));
            own.zip(other)
                .is_some_and(|(own, other)| own.eq_ignore_ascii_case(other))
        };
        taken("/spec/shortCode") || taken("/spec/locationId")
    };
    if let Some((_, other)) = world
        .all(call.project(), Kind::Device)
        .find(|(_, other)| *other.name != *device.name && same(other))
    {
        return Err(ApiError::conflict(format!(
            "this device is registered already, as '{}'",
            other.name
        )));
    }
    if let Some(task) = running(world, &device) {
        return Err(ApiError::conflict(format!(
            "the configuration of the device is locked while the operation '{task}' runs"
        )));
    }
    let mut findings = software::check(body);
    if let Some(site) = text("/spec/siteName").filter(|site| {
        !site.is_empty() && !world.has(&Address::new(call.project(), Kind::Site, site))
    }) {
        findings.push((
            "/spec/siteName".to_owned(),
            format!("there is no site named '{site}'"),
        ));
    }
    for (at, network) in body
        .pointer("/spec/availableNetworks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = network
            .get("networkName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !world.has(&Address::new(call.project(), Kind::Network, name)) {
            findings.push((
                format!("/spec/availableNetworks/{at}/networkName"),
                format!("there is no network named '{name}'"),
            ));
        }
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}

/// The operation that locks a device's configuration.
pub fn running(world: &World, device: &Address) -> Option<String> {
    let table = world.table(&tasks(device))?;
    table
        .iter()
        .map(|task| task.name.to_string())
        .find(|name| name != "supportPackage")
}

fn tasks(device: &Address) -> Place {
    Place::under(&device.place.project, Kind::DeviceTask, &device.name)
}

/// Starts an operation on a device; while one of the same name runs, `clash` is answered.
pub fn begin(
    world: &mut World,
    call: &Call<'_>,
    name: &str,
    seconds: u64,
    clash: fn(String) -> ApiError,
) -> Result<(), ApiError> {
    let device = Address::new(call.project(), Kind::Device, call.parameter("name"));
    ensure_online(world.find(&device)?)?;
    let address = tasks(&device).at(name);
    if world.get(&address).is_some() {
        return Err(clash(format!(
            "the operation '{name}' is running on the device '{}' already",
            device.name
        )));
    }
    if let Some(other) = running(world, &device).filter(|_| name != "supportPackage") {
        return Err(ApiError::conflict(format!(
            "the operation '{other}' is running on the device '{}'",
            device.name
        )));
    }
    world.insert(&address, call.body.clone(), call.user)?;
    world.plan(
        &address,
        &[Step {
            after: Duration::from_secs(seconds),
            event: Event::Remove,
        }],
    );
    Ok(())
}

/// Interfaces of a device: name, type, addresses.
pub(super) const INTERFACES: &[(&str, &str, &[&str])] = &[
    ("eth0", "IP", &["192.0.2.10"]),
    ("eth1", "IP", &["192.0.2.11"]),
    ("sdi0", "SDIASI", &[]),
];

fn dress(world: &World, address: &Address, device: &Resource, out: &mut Value) {
    let flows: Vec<Value> = assigned(world, address)
        .map(|flow| json!({ "name": &*flow.name }))
        .collect();
    let location = device
        .text("/spec/locationId")
        .map_or_else(|| device.id.to_string(), str::to_owned);
    let vanished = device.private.get("vanished");
    let interfaces: Vec<Value> = INTERFACES
        .iter()
        .map(|(name, kind, addresses)| {
            let gone = vanished.is_some_and(|names| names.get(name).is_some());
            let (state, addresses) = if gone {
                ("NotPresent", &[][..])
            } else {
                ("Present", *addresses)
            };
            json!({ "name": name, "type": kind, "state": state, "ipAddresses": addresses })
        })
        .collect();
    let contact = device
        .private_text("/offlineSince")
        .and_then(query::parse_time)
        .unwrap_or(world.now);
    let alarm = device.private.get("alarm").cloned().unwrap_or(json!(0));
    merge::put(
        out,
        "/status",
        json!({
            "alarmSeverity": alarm, "assignedFlows": flows, "capabilities": { "configurationBackup": true },
            "currentSoftwareVersion": device.private_text("/current"), "rollbackSoftwareVersion": device.private_text("/rollback"),
            "softwareName": "Beam", "softwareUpgradeState": device.state, "preloadedSoftware": software::preloaded(world, device),
            "interfaces": interfaces, "lastContact": render::time(contact), "secondsSinceLastContact": (world.now - contact).num_seconds(), "locationId": location,
            "serialNumber": format!("EMU{}", device.id.simple().to_string().get(..8).unwrap_or("0")), "url": "http://192.0.2.10/",
        }),
    );
    if let Some(place) = device.body.pointer("/spec/geolocation") {
        merge::put(out, "/status/geolocation", place.clone());
    }
}

/// The device that runs a flow: of those at the flow's site, the one that was registered first.
pub fn device_of<'a>(world: &'a World, project: &str, flow: &Resource) -> Option<&'a Resource> {
    let site = flow
        .text("/spec/siteName")
        .filter(|site| !site.is_empty())?;
    world
        .all(project, Kind::Device)
        .map(|(_, device)| device)
        .find(|device| device.text("/spec/siteName") == Some(site))
}

/// The flows that a device runs.
fn assigned<'a>(world: &'a World, device: &'a Address) -> impl Iterator<Item = &'a Resource> {
    let project = &device.place.project;
    // Its own site first, so that devices are looked through for the flows of that alone.
    let site = world
        .get(device)
        .and_then(|device| device.text("/spec/siteName"));
    FLOWS
        .iter()
        .flat_map(move |kind| world.all(project, *kind))
        .map(|(_, flow)| flow)
        .filter(move |flow| {
            !flow.is_deleting()
                && flow.text("/spec/siteName") == site
                && device_of(world, project, flow).is_some_and(|found| *found.name == *device.name)
        })
}

/// A source or destination whose URL leads to an interface of a device: `sdi://<device>/…`.
fn attached(world: &World, device: &Address) -> Option<String> {
    let host = |resource: &Resource| {
        let url = resource
            .text("/spec/transport/url")?
            .strip_prefix("sdi://")?;
        Some(url.split(['/', ':']).next()? == device.name)
    };
    [Kind::Source, Kind::Destination]
        .into_iter()
        .flat_map(|kind| world.all(&device.place.project, kind))
        .find(|(_, resource)| host(resource) == Some(true))
        .map(|(_, resource)| resource.name.to_string())
}

/// DELETE, with `$force`, `$reason` and `$notes`. The spellings without `$` are taken too, since one published page has them.
pub fn delete(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    let address = call.address(Kind::Device);
    let force = call.query.switch("$force")? || call.query.switch("force")?;
    let either = |first: &str, second: &str| -> Result<Option<String>, ApiError> {
        Ok(call
            .query
            .one(first)?
            .or(call.query.one(second)?)
            .map(str::to_owned))
    };
    let (reason, notes) = (either("$reason", "reason")?, either("$notes", "notes")?);
    if let Some(reason) = reason
        .as_deref()
        .filter(|reason| !["Failed", "Maintenance", "Storage", "Other"].contains(reason))
    {
        return Err(ApiError::bad_request(format!(
            "$reason '{reason}' is not Failed, Maintenance, Storage or Other"
        )));
    }
    if notes
        .as_deref()
        .is_some_and(|notes| !(5..=255).contains(&notes.chars().count()))
    {
        return Err(ApiError::bad_request("$notes takes 5 to 255 characters"));
    }
    if reason.as_deref() == Some("Other") && notes.is_none() {
        return Err(ApiError::bad_request("$reason=Other needs $notes"));
    }
    if !world.has(&address) {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    if !force {
        let device = world.find(&address)?;
        ensure_online(device)?;
        if device.private.get("services").and_then(Value::as_bool) == Some(true) {
            return Err(ApiError::conflict(format!(
                "the last usage report of the device '{}' shows running services",
                address.name
            )));
        }
        if let Some(user) = attached(world, &address) {
            return Err(ApiError::conflict(format!(
                "an interface of the device '{}' is used by '{user}'",
                address.name
            )));
        }
        if let Some(flow) = assigned(world, &address).next() {
            return Err(ApiError::conflict(format!(
                "the flow '{}' is assigned to the device '{}'",
                flow.name, address.name
            )));
        }
        if let Some(task) = running(world, &address) {
            return Err(ApiError::conflict(format!(
                "the operation '{task}' is running on the device '{}'",
                address.name
            )));
        }
    }
    generic::remove(world, &address)
}

/// POST `removeServices`.
pub fn remove_services(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    begin(world, call, "removeServices", 20, ApiError::conflict)?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}
