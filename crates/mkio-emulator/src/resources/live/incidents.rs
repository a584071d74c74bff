//! Incidents of flows.

use serde_json::json;

use crate::{
    base::{
        merge,
        states::live::live_channel as flow,
        store::{Address, Resource},
    },
    platform::{
        incidents::Incident,
        rules::{Platform, impossible},
    },
    resources::live::{
        starts::{cannot_start, is_starting},
        steering::steer,
    },
};

/// Applies an incident to a flow.
pub fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    match incident {
        Incident::StartFails(info) => fail_start(world, address, info),
        Incident::StaysStarting => stay_starting(world, address),
        Incident::Recovers => {
            recover(world, address);
            Ok(())
        }
        _ => Err(impossible(address)),
    }
}

/// Makes the current start, or the next one, end in `UnableToStart`.
///
/// # Errors
/// When the flow is past its start.
fn fail_start(world: &mut Platform, address: &Address, info: &str) -> Result<(), String> {
    match world.get_mut(address) {
        Some(flow) if is_starting(flow) => cannot_start(world, address, Some(info)),
        Some(flow) if flow.state == flow::STOPPED => {
            merge::put(&mut flow.private, "/failing", json!(info));
        }
        found => return Err(past_start(address, found.map(|flow| flow.state))),
    }
    Ok(())
}

/// Makes a flow stay in `Starting`.
///
/// # Errors
/// When the flow is past its start.
fn stay_starting(world: &mut Platform, address: &Address) -> Result<(), String> {
    match world.get_mut(address) {
        Some(flow) if is_starting(flow) || flow.state == flow::STOPPED => {
            merge::put(&mut flow.private, "/stuck", json!(true));
            if flow.state == flow::STARTING {
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

/// Ends what keeps a flow from starting.
fn recover(world: &mut Platform, address: &Address) {
    if let Some(flow) = world.get_mut(address) {
        for field in ["/stuck", "/failing", "/info"] {
            merge::take(&mut flow.private, field);
        }
    }
    let held = |flow: &Resource| matches!(flow.state, flow::STARTING | flow::UNABLE_TO_START);
    if world.get(address).is_some_and(held) {
        steer(world, address);
    }
}
