//! Devices and the operations that run on them.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        reference::{Reference, Target},
        states::fleets::device_software,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        generic,
        rules::{DNS_NAME, Entry, Platform, Rules, Shape},
    },
    resources::{
        fleet::{
            backups, packages,
            placement::{device_of, ensure_online},
            presence, software,
            tasks::{begin, running},
        },
        live::wiring::FLOWS,
    },
};

impl Kind {
    /// Devices.
    pub const DEVICE: Self = Self::new("device", "device");
    /// Operations that run on a device.
    pub const DEVICE_TASK: Self = Self::under("deviceTask", "running operation", &Self::DEVICE);
}

/// Devices.
pub static ENTRY: Entry = Entry {
    kinds: &[&DEVICES, &TASKS],
    routes: &[
        ("DELETE ~/fleet/devices/{}", delete),
        ("POST ~/fleet/devices/{}/removeServices", remove_services),
    ],
    incident: presence::apply_incident,
    ..Entry::NONE
};

/// Devices.
pub static DEVICES: Rules = Rules {
    collection: "~/fleet/devices",
    name: DNS_NAME,
    life: &device_software::LIFE,
    references: &[
        Reference::new("/spec/siteName", &[Target::top(Kind::SITE)]),
        Reference::new(
            "/spec/availableNetworks/*/networkName",
            &[Target::top(Kind::NETWORK)],
        ),
    ],
    check,
    created: |world, address| {
        let first = json!({ "current": world.start.devices.first_version });
        if let Some(device) = world.get_mut(address) {
            device.private = first;
        }
        software::steer(world, address);
    },
    changed: software::steer,
    entered: |world, address, previous| {
        if previous == device_software::SWITCHING {
            software::switched(world, address);
        }
    },
    complete,
    // The lists of the document know a model that its responses do not have.
    index: |world, _, out| {
        out.insert("status/model".to_owned(), json!(world.start.devices.model));
    },
    ..Rules::new(Kind::DEVICE, "Device", Shape::Spec { name: true })
};

/// Operations that run on a device. Each is there while it runs.
pub static TASKS: Rules = Rules {
    removed: |world, address, task| {
        let device = Address::new(&address.place.project, Kind::DEVICE, &address.place.parent);
        if !world.has(&device) {
            return;
        }
        match address.name.as_str() {
            "backup" => backups::finish(world, &device, task),
            "supportPackage" => packages::finish(world, &device, task),
            _ => {}
        }
    },
    ..Rules::new(Kind::DEVICE_TASK, "", Shape::Bare)
};

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    if existing.is_none() {
        let (code, location) = (body.text("/spec/shortCode"), body.text("/spec/locationId"));
        if code.is_none() && location.is_none() {
            return Err(ApiError::field(
                "/spec/shortCode",
                "or locationId has to say which device this is",
            ));
        }
        // Two ids that no device has, so that the refusals can be tried.
        if code == Some("00000000")
            || location.is_some_and(|id| Uuid::try_parse(id).is_ok_and(|id| id.is_nil()))
        {
            return Err(ApiError {
                code: "1000.4500.1500.1300",
                ..ApiError::bad_request("a device with this id has never contacted the platform")
            });
        }
    }
    let device = call.address(Kind::DEVICE);
    let same = |other: &Resource| {
        let taken = |pointer: &str| {
            let (own, other) = (body.text(pointer), other.text(pointer));
            own.zip(other)
                .is_some_and(|(own, other)| own.eq_ignore_ascii_case(other))
        };
        taken("/spec/shortCode") || taken("/spec/locationId")
    };
    if let Some((_, other)) = world
        .all(call.project(), Kind::DEVICE)
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
    let findings = software::check(&world.start.devices, body);
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}

fn complete(world: &Platform, address: &Address, device: &Resource, out: &mut Value) {
    let flows: Vec<Value> = assigned(world, address)
        .map(|flow| json!({ "name": &*flow.name }))
        .collect();
    let location = device
        .text("/spec/locationId")
        .map_or_else(|| device.id.to_string(), str::to_owned);
    let vanished = device.private.get("vanished");
    let devices = &world.start.devices;
    let interfaces: Vec<Value> = devices
        .interfaces
        .iter()
        .map(|interface| {
            let gone = vanished.is_some_and(|names| names.get(&interface.name).is_some());
            let (state, addresses) = if gone {
                ("NotPresent", &[][..])
            } else {
                ("Present", interface.ip_addresses.as_slice())
            };
            json!({ "name": interface.name, "type": interface.kind, "state": state, "ipAddresses": addresses })
        })
        .collect();
    let contact = device
        .private_text("/offlineSince")
        .and_then(format::parse_time)
        .unwrap_or(world.now);
    let alarm = device.private.get("alarm").cloned().unwrap_or(json!(0));
    merge::put(
        out,
        "/status",
        json!({
            "alarmSeverity": alarm, "assignedFlows": flows, "capabilities": { "configurationBackup": true },
            "currentSoftwareVersion": device.private_text("/current"), "rollbackSoftwareVersion": device.private_text("/rollback"),
            "softwareName": devices.software_name, "softwareUpgradeState": device.state, "preloadedSoftware": software::preloaded(world, device),
            "interfaces": interfaces, "lastContact": format::time(contact), "secondsSinceLastContact": (world.now - contact).num_seconds(), "locationId": location,
            "serialNumber": format!("EMU{}", device.id.simple().to_string().get(..8).unwrap_or("0")), "url": "http://192.0.2.10/",
        }),
    );
    if let Some(place) = device.body.pointer("/spec/geolocation") {
        merge::put(out, "/status/geolocation", place.clone());
    }
}

/// The flows that a device runs.
fn assigned<'a>(world: &'a Platform, device: &'a Address) -> impl Iterator<Item = &'a Resource> {
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
fn attached(world: &Platform, device: &Address) -> Option<String> {
    let host = |resource: &Resource| {
        let url = resource
            .text("/spec/transport/url")?
            .strip_prefix("sdi://")?;
        Some(url.split(['/', ':']).next()? == device.name)
    };
    [Kind::SOURCE, Kind::DESTINATION]
        .into_iter()
        .flat_map(|kind| world.all(&device.place.project, kind))
        .find(|(_, resource)| host(resource) == Some(true))
        .map(|(_, resource)| resource.name.to_string())
}

/// DELETE, with `$force`, `$reason` and `$notes`. The spellings without `$` are taken too, since one published page has them.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::DEVICE);
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
        return Ok(Response::empty(StatusCode::NO_CONTENT));
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
pub fn remove_services(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let seconds = world.start.devices.operation_seconds.remove_services;
    begin(world, call, "removeServices", seconds, ApiError::conflict)?;
    Ok(Response::empty(StatusCode::ACCEPTED))
}
