//! Starts of flows: what they wait for, and how they fail.

use serde_json::json;

use crate::{
    base::{
        merge,
        states::live::live_channel as flow,
        store::{Address, Resource},
    },
    platform::rules::Platform,
    resources::{
        fleet::placement::{device_of, is_offline},
        live::wiring::{lacks, publish},
    },
};

/// Takes the reason why this start has to fail, if there is one.
pub fn failing(world: &mut Platform, address: &Address) -> Option<String> {
    let told = merge::take(&mut world.get_mut(address)?.private, "/failing")?;
    told.as_str().map(str::to_owned)
}

/// Ends a start in `UnableToStart`; without `info`, because a configuration is missing.
pub fn cannot_start(world: &mut Platform, address: &Address, info: Option<&str>) {
    let previous = world.get(address).map_or("", |flow| flow.state);
    if let (Some(flow), Some(info)) = (world.get_mut(address), info) {
        merge::put(&mut flow.private, "/info", json!(info));
    }
    world.enter(address, flow::UNABLE_TO_START, &[]);
    publish(world, address, "MediaKind.ChannelInstanceError", previous);
}

/// Whether something keeps a flow that starts from running: an incident, a missing resource, an offline device.
pub fn waits(world: &Platform, address: &Address) -> bool {
    let project = &address.place.project;
    world.get(address).is_none_or(|flow| {
        flow.private.get("stuck").is_some()
            || lacks(world, project, address)
            || device_of(world, project, flow).is_some_and(is_offline)
    })
}

/// Whether it is starting.
pub fn is_starting(flow: &Resource) -> bool {
    matches!(
        flow.state,
        flow::PENDING | flow::ALLOCATING | flow::STARTING
    )
}
