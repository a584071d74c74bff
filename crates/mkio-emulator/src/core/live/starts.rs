//! Starts of flows: what they wait for, and how they fail.

use serde_json::json;

use super::flows::{missing, publish, steer};
use crate::core::fleet::devices::device_of;
use crate::core::fleet::presence::is_offline;
use crate::core::merge;
use crate::core::store::{Address, Resource};
use crate::core::world::World;

/// Takes the reason why this start is to fail, if it is.
pub(super) fn failing(world: &mut World, address: &Address) -> Option<String> {
    let told = merge::take(&mut world.get_mut(address)?.private, "/failing")?;
    told.as_str().map(str::to_owned)
}

/// Ends a start in `UnableToStart`; without a reason of its own, for want of a configuration.
pub(super) fn cannot_start(world: &mut World, address: &Address, info: Option<&str>) {
    let previous = world.get(address).map_or("", |flow| flow.state);
    if let (Some(flow), Some(info)) = (world.get_mut(address), info) {
        merge::put(&mut flow.private, "/info", json!(info));
    }
    world.enter(address, "UnableToStart", &[]);
    publish(world, address, "MediaKind.ChannelInstanceError", previous);
}

/// Whether something keeps a flow that starts from running: it was told to wait, it lacks something, its device is offline.
pub(super) fn waits(world: &World, address: &Address) -> bool {
    let project = &address.place.project;
    world.get(address).is_none_or(|flow| {
        flow.private.get("stuck").is_some()
            || !missing(world, project, &flow.body).is_empty()
            || device_of(world, project, flow).is_some_and(is_offline)
    })
}

fn is_starting(flow: &Resource) -> bool {
    matches!(
        flow.state,
        "Pending" | "Allocating" | "Allocated" | "Starting" | "Started"
    )
}

/// Lets the start that is going on, or the next one, end in `UnableToStart`.
///
/// # Errors
/// When the flow is past its start.
pub fn fail_start(world: &mut World, address: &Address, info: &str) -> Result<(), String> {
    match world.get_mut(address) {
        Some(flow) if is_starting(flow) => cannot_start(world, address, Some(info)),
        Some(flow) if flow.state == "Stopped" => {
            merge::put(&mut flow.private, "/failing", json!(info));
        }
        found => return Err(past_start(address, found.map(|flow| flow.state))),
    }
    Ok(())
}

/// Lets a flow stay in `Starting`.
///
/// # Errors
/// When the flow is past its start.
pub fn stay_starting(world: &mut World, address: &Address) -> Result<(), String> {
    match world.get_mut(address) {
        Some(flow) if is_starting(flow) || flow.state == "Stopped" => {
            merge::put(&mut flow.private, "/stuck", json!(true));
            if flow.state == "Starting" {
                world.plan(address, &[]);
            }
            Ok(())
        }
        found => Err(past_start(address, found.map(|flow| flow.state))),
    }
}

fn past_start(address: &Address, state: Option<&'static str>) -> String {
    format!(
        "the flow '{}' is {}; its start is over",
        address.name,
        state.unwrap_or("gone")
    )
}

/// Lets a flow that was kept from starting go on.
pub fn recover(world: &mut World, address: &Address) {
    if let Some(flow) = world.get_mut(address) {
        for field in ["/stuck", "/failing", "/info"] {
            merge::take(&mut flow.private, field);
        }
    }
    let held = |flow: &Resource| matches!(flow.state, "Starting" | "UnableToStart");
    if world.get(address).is_some_and(held) {
        steer(world, address);
    }
}
