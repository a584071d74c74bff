//! Common rules of live events and streaming endpoints: running is metered, and a start can fail.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        states::media::streaming_endpoint,
        store::{Address, Resource},
    },
    platform::{
        incidents::Incident,
        rules::{Platform, impossible},
        start::Activity,
    },
};

/// A running resource has to be stopped before it is deleted, unless its provisioning failed.
pub fn guard(world: &Platform, address: &Address) -> Result<(), ApiError> {
    match world.get(address) {
        Some(resource) if !can_go(world, address, resource) => Err(ApiError::conflict(format!(
            "the {} '{}' is {}; stop it before deleting it",
            address.place.kind.noun(),
            address.name,
            resource.state
        ))),
        _ => Ok(()),
    }
}

/// Whether its state allows a deletion.
fn can_go(world: &Platform, address: &Address, resource: &Resource) -> bool {
    let way = world.rules(address.place.kind).life.delete;
    resource.is_broken() || way.is_none_or(|way| way.allowed_in(resource.state))
}

/// Called when one enters a state by itself.
pub fn entered(world: &mut Platform, address: &Address, previous: &str, activity: Activity) {
    let now = world.now;
    let Some(resource) = world.get_mut(address) else {
        return;
    };
    if resource.state == streaming_endpoint::RUNNING && previous == streaming_endpoint::STARTING {
        if merge::take(&mut resource.private, "/failing").is_some() {
            world.enter(address, streaming_endpoint::STOPPED, &[]);
            return;
        }
        merge::put(&mut resource.private, "/since", json!(format::time(now)));
    } else if previous == streaming_endpoint::STOPPING {
        let since = merge::take(&mut resource.private, "/since");
        let since = since
            .as_ref()
            .and_then(Value::as_str)
            .and_then(format::parse_time);
        let minutes = since.map_or(0.0, |since| (now - since).num_seconds() as f64 / 60.0);
        world.count(&address.place.project, activity, minutes);
    }
}

/// Applies an incident to a live event, a live output or a streaming endpoint.
pub fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    match incident {
        Incident::ProvisioningFails => {
            if let Some(resource) = world.get_mut(address) {
                merge::put(&mut resource.private, "/provisioningFailed", json!(true));
                // A creation that is going on has failed.
                if resource.state == streaming_endpoint::CREATING {
                    world.plan(address, &[]);
                }
            }
            Ok(())
        }
        Incident::StartFails(_) if address.place.kind != Kind::LIVE_OUTPUT => {
            fail_start(world, address)
        }
        Incident::Recovers => {
            let way = world.rules(address.place.kind).life.create;
            if let Some(resource) = world.get_mut(address) {
                merge::take(&mut resource.private, "/provisioningFailed");
                merge::take(&mut resource.private, "/failing");
                if resource.state == streaming_endpoint::CREATING && resource.plan.is_empty() {
                    world.plan(address, way.map_or(&[], |way| way.steps));
                }
            }
            Ok(())
        }
        _ => Err(impossible(address)),
    }
}

/// Makes the current start, or the next one, end in `Stopped`.
fn fail_start(world: &mut Platform, address: &Address) -> Result<(), String> {
    let noun = address.place.kind.noun();
    match world.get_mut(address) {
        Some(resource)
            if matches!(
                resource.state,
                streaming_endpoint::CREATING
                    | streaming_endpoint::STOPPED
                    | streaming_endpoint::STARTING
            ) =>
        {
            merge::put(&mut resource.private, "/failing", json!(true));
            Ok(())
        }
        Some(resource) => Err(format!(
            "the {noun} '{}' is {}; its start is over",
            address.name, resource.state
        )),
        None => Err(format!("there is no {noun} named '{}'", address.name)),
    }
}
