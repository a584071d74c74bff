//! Operations that run on a device. Each is there while it runs.

use std::time::Duration;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        store::{Address, Event, Place, Step},
    },
    platform::{call::Call, rules::Platform},
    resources::fleet::placement::ensure_online,
};

/// The operation that locks a device's configuration.
pub fn running(world: &Platform, device: &Address) -> Option<String> {
    let table = world.table(&tasks(device))?;
    table
        .iter()
        .map(|task| task.name.to_string())
        .find(|name| name != "supportPackage")
}

fn tasks(device: &Address) -> Place {
    Place::under(&device.place.project, Kind::DEVICE_TASK, &device.name)
}

/// Starts an operation on a device; while one of the same name runs, `clash` is answered.
pub fn begin(
    world: &mut Platform,
    call: &Call<'_>,
    name: &str,
    seconds: u64,
    clash: fn(String) -> ApiError,
) -> Result<(), ApiError> {
    let device = Address::new(call.project(), Kind::DEVICE, call.parameter("name"));
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
