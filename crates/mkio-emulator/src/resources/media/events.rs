//! Live events and live outputs.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        duration,
        error::ApiError,
        kind::Kind,
        merge,
        read::Read,
        reference::{Reference, Target},
        states::media::{live_event, live_output},
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        generic, json_patch, labels,
        rules::{Entry, NameRule, Platform, Rules, Shape, WORD_NAME},
        start::Activity,
    },
    resources::media::{assets, running, writers},
};

impl Kind {
    /// Live events of the Media API.
    pub const LIVE_EVENT: Self = Self::new("liveEvent", "live event");
    /// Live outputs.
    pub const LIVE_OUTPUT: Self = Self::under("liveOutput", "live output", &Self::LIVE_EVENT);
}

/// Live events and live outputs.
pub static ENTRY: Entry = Entry {
    kinds: &[&EVENTS, &OUTPUTS],
    routes: &[
        ("PATCH ~/media/liveEvents/{}", change),
        ("POST ~/media/liveEvents/{}/start", start),
        ("POST ~/media/liveEvents/{}/stop", stop),
        ("POST ~/media/liveEvents/{}/reset", unimplemented),
        ("POST ~/media/liveEvents/{}/allocate", unimplemented),
    ],
    incident: running::apply_incident,
    ..Entry::NONE
};

/// Live events.
pub static EVENTS: Rules = Rules {
    collection: "~/media/liveEvents",
    name: NameRule {
        pattern: WORD_NAME,
        min: 2,
        max: 32,
    },
    life: &live_event::LIFE,
    state_at: &["/properties/resourceState"],
    provisioning: true,
    check: check_event,
    guard: running::guard,
    removed: |world, address, _| {
        world.spend_name(&address.place.project, &address.name);
    },
    entered: |world, address, previous| running::entered(world, address, previous, Activity::Live),
    complete: dress_event,
    ..Rules::new(
        Kind::LIVE_EVENT,
        "LiveEvent",
        Shape::Arm {
            collection: "liveEvents",
            envelope: false,
            times: true,
        },
    )
};

/// Live outputs.
pub static OUTPUTS: Rules = Rules {
    collection: "~/media/liveEvents/{}/liveOutputs",
    name: NameRule {
        pattern: WORD_NAME,
        min: 1,
        max: 256,
    },
    life: &live_output::LIFE,
    state_at: &["/properties/resourceState"],
    provisioning: true,
    references: &[Reference::new(
        "/properties/assetName",
        &[Target::top(Kind::ASSET)],
    )],
    check: check_output,
    entered: |world, address, _| {
        let Some(output) = world.get(address) else {
            return;
        };
        let names = (
            output.text("/properties/assetName").map(str::to_owned),
            output.text("/properties/manifestName").map(str::to_owned),
        );
        if let (Some(asset), Some(manifest)) = names {
            let asset = Address::new(&address.place.project, Kind::ASSET, &asset);
            assets::add_files(world, &asset, &writers::manifests(&manifest));
        }
    },
    ..Rules::new(
        Kind::LIVE_OUTPUT,
        "LiveOutput",
        Shape::Arm {
            collection: "liveEvents/liveOutputs",
            envelope: false,
            times: true,
        },
    )
};

fn check_event(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    if let Some(existing) = existing {
        if !live_event::CHANGE.allowed_in(existing.state) {
            return Err(ApiError::conflict(format!(
                "the live event '{}' is {}; it can be changed when Stopped",
                existing.name, existing.state
            )));
        }
        // The complete body has to be valid, not the change alone.
        let pipeline = body.pointer("/properties/pipeline");
        if pipeline
            .is_some_and(|pipeline| pipeline.get("name").is_none_or(|name| !name.is_string()))
        {
            return Err(ApiError::field("/properties/pipeline/name", "is required"));
        }
        return Ok(());
    }
    let name = call.parameter("event_name").to_owned();
    if world
        .spent_names
        .contains(&(call.project().to_owned(), name.clone()))
    {
        return Err(ApiError::conflict(format!(
            "a live event named '{name}' was deleted; its name cannot be used again in this project"
        )));
    }
    labels::check_tags(body)?;
    check_encoding(body)?;
    preset(body);
    Ok(())
}

/// Checks the properties that the encoding type restricts.
fn check_encoding(body: &Value) -> Result<(), ApiError> {
    let encoding = body
        .text("/properties/encoding/encodingType")
        .unwrap_or("None");
    let protocol = body
        .text("/properties/input/streamingProtocol")
        .unwrap_or("RTMP");
    if protocol == "SRT"
        && matches!(
            encoding,
            "None" | "PassthroughBasic" | "PassthroughStandard"
        )
    {
        return Err(ApiError::field(
            "/properties/input/streamingProtocol",
            "is SRT, which only encoding live events take",
        ));
    }
    let interval = body
        .text("/properties/encoding/keyFrameInterval")
        .and_then(duration::parse);
    if interval.is_some_and(|interval| !(1..=10).contains(&interval.as_secs())) {
        return Err(ApiError::field(
            "/properties/encoding/keyFrameInterval",
            "is not between 1 and 10 seconds",
        ));
    }
    Ok(())
}

/// Fills in the fields that the schema requires and the platform sets.
fn preset(body: &mut Value) {
    let presets = [
        (
            "/properties/input/accessToken",
            json!(Uuid::new_v4().simple().to_string()),
        ),
        (
            "/properties/input/accessControl",
            json!({ "ip": { "allow": [{ "name": "all", "address": "0.0.0.0", "subnetPrefixLength": 0 }] } }),
        ),
        ("/properties/input/keyFrameIntervalDuration", json!("PT2S")),
        ("/properties/input/timedMetadataEndpoints", json!([])),
        ("/tags", json!({})),
    ];
    for (pointer, preset) in presets {
        if body.pointer(pointer).is_none_or(Value::is_null) {
            merge::put(body, pointer, preset);
        }
    }
}

fn dress_event(world: &Platform, address: &Address, event: &Resource, out: &mut Value) {
    let text = |pointer: &str| event.text(pointer).unwrap_or_default();
    let fixed = event
        .body
        .pointer("/properties/useStaticHostname")
        .and_then(Value::as_bool)
        == Some(true);
    if !fixed && matches!(event.state, live_event::STOPPED | live_event::DELETING) {
        return;
    }
    let prefix = event
        .text("/properties/hostnamePrefix")
        .unwrap_or(&event.name)
        .to_lowercase();
    let host = format!("{prefix}-{}.ingest.localhost", address.place.project);
    let token = text("/properties/input/accessToken");
    let endpoints = match text("/properties/input/streamingProtocol") {
        "SRT" => json!([{ "protocol": "SRT", "url": format!("srt://{host}:5000") }]),
        "RTMPS" => {
            json!([{ "protocol": "RTMPS", "url": format!("rtmps://{host}:2935/live/{token}") }])
        }
        _ => json!([{ "protocol": "RTMP", "url": format!("rtmp://{host}:1935/live/{token}") }]),
    };
    merge::put(out, "/properties/input/endpoints", endpoints);
    let locator = event
        .text("/properties/preview/previewLocator")
        .map_or_else(|| event.id.to_string(), str::to_owned);
    let preview = format!(
        "{}/{locator}/{PREVIEW}/manifest(format=m3u8-cmaf)",
        world.origin
    );
    merge::put(
        out,
        "/properties/preview/endpoints",
        json!([{ "protocol": "HLS", "url": preview }]),
    );
}

/// The name of the presentation that a live event shows before it is published.
pub const PREVIEW: &str = "preview.ism";

fn check_output(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    _: Option<&Resource>,
) -> Result<(), ApiError> {
    let text = |pointer: &str| body.text(pointer).unwrap_or_default();
    let asset = text("/properties/assetName").to_owned();
    let told = text("/properties/archiveWindowLength");
    // The platform's pattern demands the part that begins with `T`.
    let window = duration::parse(told).filter(|_| told.contains('T'));
    if window.is_none_or(|window| {
        window < Duration::from_secs(60) || window > Duration::from_secs(7 * 86_400)
    }) {
        return Err(ApiError::field(
            "/properties/archiveWindowLength",
            "is not an ISO 8601 duration between PT1M and P7DT0S; its T is required",
        ));
    }
    let taken = world
        .all(call.project(), Kind::LIVE_OUTPUT)
        .find(|(_, output)| {
            output.text("/properties/assetName") == Some(&asset) && !output.is_deleting()
        });
    if let Some((_, output)) = taken {
        return Err(ApiError::conflict(format!(
            "the asset '{asset}' is being written by live output '{}'",
            output.name
        )));
    }
    if body.pointer("/properties/manifestName").is_none() {
        merge::put(
            body,
            "/properties/manifestName",
            json!(format!("output-{}", Uuid::new_v4().simple())),
        );
    }
    Ok(())
}

fn address(call: &Call<'_>) -> Address {
    call.address(Kind::LIVE_EVENT)
}

/// POST `…/start`.
fn start(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::act(world, &address(call), &live_event::START)
}

/// POST `…/stop`.
fn stop(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::act(world, &address(call), &live_event::STOP)
}

/// POST `…/reset` and `…/allocate`, which the platform does not implement.
pub fn unimplemented(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    world.find(&address(call))?;
    Err(ApiError::bad_request(
        "the platform does not implement this action",
    ))
}

/// PATCH: plain JSON, or a JSON Patch.
pub fn change(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    if call.content_type.as_deref() != Some("application/json-patch+json") {
        return generic::patch(world, call, &EVENTS);
    }
    let address = address(call);
    let event = world.find(&address)?;
    let mut body = json_patch::apply(&event.body, &call.body)?;
    let mut refused = merge::differences(&event.body, &body);
    refused.extend(merge::differences(&body, &event.body));
    // A JSON Patch may change the fields that a plain change declares.
    refused.retain(|pointer| !merge::within(pointer, &["/properties/pipeline"]));
    if !refused.is_empty() {
        return Err(ApiError::invalid(
            "change",
            refused
                .into_iter()
                .map(|at| (at, "cannot be changed; only the pipeline can".to_owned()))
                .collect(),
        ));
    }
    check_event(world, call, &mut body, Some(event))?;
    let (now, user) = (world.now, call.user);
    let event = world.find_mut(&address)?;
    event.body = body;
    event.updated = now;
    event.updated_by = user;
    generic::shown(world, &address, http::StatusCode::OK)
}
