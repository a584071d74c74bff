//! Streaming endpoints.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        read::Read,
        states::media::streaming_endpoint,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        generic,
        rules::{Entry, NameRule, Platform, Rules, Shape, WORD_NAME},
        start::Activity,
    },
    resources::media::running,
};

impl Kind {
    /// Streaming endpoints.
    pub const STREAMING_ENDPOINT: Self = Self::new("streamingEndpoint", "streaming endpoint");
}

/// Streaming endpoints.
pub static ENTRY: Entry = Entry {
    kinds: &[&ENDPOINTS],
    routes: &[
        ("POST ~/media/streamingEndpoints/{}/start", start),
        ("POST ~/media/streamingEndpoints/{}/stop", stop),
        ("POST ~/media/streamingEndpoints/{}/restart", restart),
        ("POST ~/media/streamingEndpoints/{}/scale", scale),
        ("GET ~/media/streamingEndpoints/{}/skus", skus),
    ],
    incident: running::apply_incident,
    ..Entry::NONE
};

/// Streaming endpoints.
pub static ENDPOINTS: Rules = Rules {
    collection: "~/media/streamingEndpoints",
    name: NameRule {
        pattern: WORD_NAME,
        min: 1,
        max: 64,
    },
    life: &streaming_endpoint::LIFE,
    state_at: &["/properties/resourceState"],
    provisioning: true,
    check,
    changed: |world, address| {
        // Its check has made sure of the state.
        let _ = generic::act(world, address, &streaming_endpoint::UPDATE);
    },
    guard: running::guard,
    entered: |world, address, previous| {
        running::entered(world, address, previous, Activity::Streaming)
    },
    complete,
    ..Rules::new(
        Kind::STREAMING_ENDPOINT,
        "StreamingEndpoint",
        Shape::Arm {
            collection: "streamingEndpoints",
            envelope: false,
            times: true,
        },
    )
};

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    // The document lists fields that only the platform sets: a body may have them, and they are not kept.
    for pointer in [
        "/properties/resourceState",
        "/properties/provisioningState",
        "/properties/sku",
    ] {
        merge::take(body, pointer);
    }
    if let Some(existing) = existing {
        generic::ensure(
            Kind::STREAMING_ENDPOINT,
            existing,
            &streaming_endpoint::UPDATE,
        )?;
    }
    let Some(public) = body.text("/properties/publicName") else {
        return Ok(());
    };
    let own = call.address(Kind::STREAMING_ENDPOINT);
    let projects: Vec<String> = world
        .all("", Kind::PROJECT)
        .map(|(_, project)| project.name.to_string())
        .collect();
    for project in projects {
        let taken = world
            .all(&project, Kind::STREAMING_ENDPOINT)
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

fn complete(world: &Platform, _: &Address, endpoint: &Resource, out: &mut Value) {
    let units = endpoint
        .body
        .pointer("/properties/scaleUnits")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    // All endpoints share the emulator's own address: other names would not resolve on most machines.
    let host = world
        .origin
        .strip_prefix("http://")
        .unwrap_or(&world.origin);
    merge::put(out, "/properties/hostName", json!(host));
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
    call.address(Kind::STREAMING_ENDPOINT)
}

/// POST `…/start`.
fn start(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::act(world, &address(call), &streaming_endpoint::START)
}

/// POST `…/stop`.
fn stop(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::act(world, &address(call), &streaming_endpoint::STOP)
}

/// POST `…/restart`.
fn restart(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::act(world, &address(call), &streaming_endpoint::RESTART)
}

/// POST `…/scale`.
fn scale(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    let response = generic::act(world, &address, &streaming_endpoint::SCALE)?;
    let (now, user) = (world.now, call.user);
    if let Some(endpoint) = world.get_mut(&address) {
        let units = call.body.get("scaleUnit").cloned().unwrap_or(json!(0));
        merge::put(&mut endpoint.body, "/properties/scaleUnits", units);
        endpoint.updated = now;
        endpoint.updated_by = user;
    }
    Ok(response)
}

/// GET `…/skus`, which the platform does not implement.
pub fn skus(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    world.find(&address(call))?;
    Err(ApiError::bad_request(
        "the platform does not implement skus",
    ))
}
