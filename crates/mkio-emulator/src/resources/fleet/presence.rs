//! Incidents of devices: offline and online, alarms, software, interfaces.

use serde_json::json;

use crate::{
    base::{
        format, merge,
        states::{
            fleets::{device_preload, device_software},
            live::live_channel,
        },
        store::Address,
    },
    platform::{
        incidents::Incident,
        rules::{Platform, impossible},
    },
    resources::{
        fleet::{
            placement::{device_of, is_offline},
            software,
        },
        live::{steering::steer, wiring::FLOWS},
    },
};

/// Applies an incident to a device.
///
/// # Errors
/// When it cannot happen to a device, or not to this one now.
pub fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    let now = format::time(world.now);
    let start = world.start.clone();
    let Some(device) = world.get_mut(address) else {
        return Err(impossible(address));
    };
    match incident {
        Incident::GoesOffline => {
            if !is_offline(device) {
                merge::put(&mut device.private, "/offlineSince", json!(now));
                software::stand_still(world, address);
            }
        }
        Incident::ComesOnline => return_online(world, address),
        Incident::Recovers => {
            for field in [
                "/alarm",
                "/vanished",
                "/services",
                "/switchFails",
                "/preload/failure",
            ] {
                merge::take(&mut device.private, field);
            }
            if device.state == device_software::SWITCH_FAILED {
                device.state = device_software::IDLE;
            }
            return_online(world, address);
        }
        Incident::SwitchFails => merge::put(&mut device.private, "/switchFails", json!(true)),
        Incident::PreloadFails(details) => {
            return software::fail_preload(world, address, device_preload::PRELOAD_FAILED, details);
        }
        Incident::PreloadCancelled => {
            return software::fail_preload(world, address, device_preload::PRELOAD_CANCELLED, "");
        }
        Incident::AlarmSeverity(severity @ 0..=4) => {
            merge::put(&mut device.private, "/alarm", json!(severity));
        }
        Incident::AlarmSeverity(severity) => {
            return Err(format!("an alarm severity is 0 to 4, not {severity}"));
        }
        Incident::InterfaceVanishes(name) => {
            if start.devices.interface(name).is_none() {
                return Err(format!("the device has no interface '{name}'"));
            }
            merge::put(
                &mut device.private,
                &format!("/vanished/{name}"),
                json!(true),
            );
        }
        Incident::ServicesRun(running) => {
            merge::put(&mut device.private, "/services", json!(running));
        }
        _ => return Err(impossible(address)),
    }
    Ok(())
}

/// A device is online again, and its work goes on.
fn return_online(world: &mut Platform, address: &Address) {
    if let Some(device) = world.get_mut(address) {
        merge::take(&mut device.private, "/offlineSince");
    }
    software::go_on(world, address);
    let project = &address.place.project;
    let waiting: Vec<Address> = FLOWS
        .iter()
        .flat_map(|kind| world.all(project, *kind))
        .filter(|(_, flow)| {
            flow.state == live_channel::STARTING
                && flow.plan.is_empty()
                && device_of(world, project, flow).is_some_and(|found| *found.name == *address.name)
        })
        .map(|(place, flow)| place.at(&flow.name))
        .collect();
    for flow in waiting {
        steer(world, &flow);
    }
}
