//! Streaming endpoints.

use std::time::Duration;

use serde_json::{Value, json};

use super::running;
use crate::core::call::{Answer, Call};
use crate::core::error::ApiError;
use crate::core::family::{Family, Kind, NameRule, Put, Shape, WORD_NAME};
use crate::core::store::{Address, Event, Resource, Step, enter};
use crate::core::world::World;
use crate::core::{generic, merge};

/// Streaming endpoints.
pub static ENDPOINTS: Family = Family {
    name: NameRule {
        pattern: WORD_NAME,
        min: 1,
        max: 64,
    },
    put: Put::Create(201),
    patchable: &["/location", "/properties", "/tags"],
    initial: "Creating",
    creation: &[enter(5, "Stopped")],
    deletion: 5,
    state_at: &["/properties/resourceState"],
    provisioning: true,
    check,
    changed: |world, address| {
        let state = world
            .get(address)
            .map_or("Stopped", |endpoint| endpoint.state);
        world.enter(address, "Updating", &[enter(5, state)]);
    },
    guard: |world, address| match world.get(address) {
        Some(endpoint) if endpoint.state != "Stopped" && !endpoint.is_broken() => {
            Err(ApiError::conflict(format!(
                "the streaming endpoint '{}' is {}; stop it before deleting it",
                address.name, endpoint.state
            )))
        }
        _ => Ok(()),
    },
    entered: |world, address, previous| {
        running::entered(world, address, previous, "endpoint-minutes")
    },
    dress,
    ..Family::new(
        Kind::StreamingEndpoint,
        "StreamingEndpoint",
        Shape::Arm {
            collection: "streamingEndpoints",
            envelope: false,
            times: true,
        },
    )
};

fn check(
    world: &World,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    // What the platform reports is accepted in a body, since the document lists it there, and not kept.
    for pointer in [
        "/properties/resourceState",
        "/properties/provisioningState",
        "/properties/sku",
    ] {
        merge::take(body, pointer);
    }
    if let Some(existing) = existing {
        if !matches!(existing.state, "Stopped" | "Running") {
            return Err(ApiError::conflict(format!(
                "the streaming endpoint '{}' is {}; it can be changed when Stopped or Running",
                existing.name, existing.state
            )));
        }
        if body.pointer("/properties/cdnProvider")
            != existing.body.pointer("/properties/cdnProvider")
        {
            return Err(ApiError::invalid(
                "change",
                vec![(
                    "/properties/cdnProvider".to_owned(),
                    "cannot be changed after creation".to_owned(),
                )],
            ));
        }
    }
    let Some(public) = body
        .pointer("/properties/publicName")
        .and_then(Value::as_str)
    else {
        return Ok(());
    };
    let own = call.address(Kind::StreamingEndpoint);
    let projects: Vec<String> = world
        .all("", Kind::Project)
        .map(|(_, project)| project.name.to_string())
        .collect();
    for project in projects {
        let taken = world
            .all(&project, Kind::StreamingEndpoint)
            .find(|(place, endpoint)| {
                endpoint.text("/properties/publicName") == Some(public)
                    && place.at(&endpoint.name) != own
            });
        if taken.is_some() {
            return Err(ApiError::conflict(format!(
                "the public name '{public}' is taken"
            )));
        }
    }
    Ok(())
}

fn dress(_: &World, address: &Address, endpoint: &Resource, out: &mut Value) {
    let units = endpoint
        .body
        .pointer("/properties/scaleUnits")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let name = endpoint
        .text("/properties/publicName")
        .unwrap_or(&endpoint.name)
        .to_lowercase();
    merge::put(
        out,
        "/properties/hostName",
        json!(format!(
            "ep-{name}-{}.streaming.localhost",
            address.place.project
        )),
    );
    let cdn = endpoint.body.pointer("/properties/cdnEnabled") == Some(&json!(true));
    // Without CDN delivery there is nothing between the host and the path.
    let base = if cdn {
        format!("/{}", endpoint.id)
    } else {
        String::new()
    };
    merge::put(out, "/properties/cdnBasePath", json!(base));
    let sku = if units == 0 {
        json!({ "name": "Standard", "capacity": 600 })
    } else {
        json!({ "name": "Premium", "capacity": units.saturating_mul(200) })
    };
    merge::put(out, "/properties/sku", sku);
}

fn address(call: &Call<'_>) -> Address {
    call.address(Kind::StreamingEndpoint)
}

/// POST `…/start`.
pub fn start(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    generic::act(
        world,
        &address(call),
        "start",
        &["Stopped"],
        "Starting",
        &[enter(20, "Running")],
    )
}

/// POST `…/stop`.
pub fn stop(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    generic::act(
        world,
        &address(call),
        "stop",
        &["Running"],
        "Stopping",
        &[enter(10, "Stopped")],
    )
}

/// POST `…/restart`.
pub fn restart(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    generic::act(
        world,
        &address(call),
        "restart",
        &["Running"],
        "Restarting",
        &[enter(10, "Running")],
    )
}

/// POST `…/scale`.
pub fn scale(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    let address = address(call);
    let steady = world.find(&address)?.state;
    let steps = [Step {
        after: Duration::from_secs(15),
        event: Event::Enter(steady),
    }];
    let answer = generic::act(
        world,
        &address,
        "scale",
        &["Stopped", "Running"],
        "Scaling",
        &steps,
    )?;
    let (now, user) = (world.now, call.user);
    if let Some(endpoint) = world.get_mut(&address) {
        let units = call.body.get("scaleUnit").cloned().unwrap_or(json!(0));
        merge::put(&mut endpoint.body, "/properties/scaleUnits", units);
        endpoint.updated = now;
        endpoint.updated_by = user;
    }
    Ok(answer)
}

/// GET `…/skus`, which the platform does not implement.
pub fn skus(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    world.find(&address(call))?;
    Err(ApiError::bad_request(
        "the platform does not implement skus",
    ))
}
