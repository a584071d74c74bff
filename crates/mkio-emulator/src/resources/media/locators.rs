//! Streaming locators: references, keys, paths.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        reference::{Reference, Target},
        states::media::streaming_locator,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        incidents::Incident,
        rules::{Entry, Platform, Rules, Shape, impossible},
    },
    resources::media::{
        assets,
        policies::{KEY_DELIVERY, Scheme, schemes},
        writers,
    },
};

impl Kind {
    /// Streaming locators.
    pub const STREAMING_LOCATOR: Self = Self::new("streamingLocator", "streaming locator");
}

/// Streaming locators.
pub static ENTRY: Entry = Entry {
    kinds: &[&LOCATORS],
    routes: &[
        ("POST ~/media/streamingLocators/{}/listPaths", paths),
        (
            "POST ~/media/streamingLocators/{}/listContentKeys",
            content_keys,
        ),
    ],
    incident: apply_incident,
    ..Entry::NONE
};

/// Streaming locators.
pub static LOCATORS: Rules = Rules {
    collection: "~/media/streamingLocators",
    life: &streaming_locator::LIFE,
    state_at: &["/properties/resourceState"],
    provisioning: true,
    references: &[
        Reference::new("/properties/assetName", &[Target::top(Kind::ASSET)]).weak(),
        Reference::new(
            "/properties/streamingPolicyName",
            &[Target::top(Kind::STREAMING_POLICY)],
        ),
        Reference::new(
            "/properties/defaultContentKeyPolicyName",
            &[Target::top(Kind::CONTENT_KEY_POLICY)],
        ),
        Reference::new(
            "/properties/contentKeys/*/policyName",
            &[Target::top(Kind::CONTENT_KEY_POLICY)],
        ),
        // The documents declare no 409 for the deletion of filters.
        Reference::new(
            "/properties/filters/*",
            &[
                Target::below(Kind::ASSET_FILTER, "/properties/assetName"),
                Target::top(Kind::ACCOUNT_FILTER),
            ],
        )
        .bad_request(),
    ],
    check,
    created,
    changed: repair,
    entered: |world, address, previous| notify(world, address, previous),
    complete,
    index: |_, locator, out| {
        let created = format::time(locator.created);
        out.insert("properties/created".to_owned(), json!(created));
    },
    ..Rules::new(
        Kind::STREAMING_LOCATOR,
        "StreamingLocator",
        Shape::arm("streamingLocators"),
    )
};

/// Provisions a locator again.
fn repair(world: &mut Platform, address: &Address) {
    world.go(address, &streaming_locator::REPAIR);
}

/// Applies an incident to a locator.
fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    match incident {
        Incident::ProvisioningFails => fail(world, address),
        Incident::Recovers => {
            repair(world, address);
            Ok(())
        }
        _ => Err(impossible(address)),
    }
}

/// Fails the provisioning of a locator.
fn fail(world: &mut Platform, address: &Address) -> Result<(), String> {
    if !world.has(address) {
        return Err(format!(
            "the streaming locator '{}' is being deleted",
            address.name
        ));
    }
    world.enter(address, streaming_locator::ERROR, &[]);
    Ok(())
}

fn notify(world: &mut Platform, address: &Address, previous: &'static str) {
    if previous == streaming_locator::CREATING {
        let source = format!(
            "/api/v1/projects/{}/media/streamingLocators/{}",
            address.place.project, address.name
        );
        world.publish(
            "MediaKind.StreamingLocatorCreated",
            address,
            &source,
            previous,
        );
    }
}

fn complete(_: &Platform, _: &Address, _: &Resource, out: &mut Value) {
    merge::take(out, "/properties/created");
    merge::take(out, "/properties/lastModified");
    // Only `listContentKeys` shows the values of keys.
    for key in out
        .pointer_mut("/properties/contentKeys")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        merge::take(key, "/value");
    }
}

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let text = |pointer: &str| body.text(pointer).map(str::to_owned);
    let time = |pointer: &str| text(pointer).and_then(|text| format::parse_time(&text));
    let window = time("/properties/startTime").zip(time("/properties/endTime"));
    if window.is_some_and(|(start, end)| end <= start) {
        let finding = (
            "/properties/endTime".to_owned(),
            "is not after startTime".to_owned(),
        );
        return Err(ApiError::invalid("request body", vec![finding]));
    }
    if existing.is_some() {
        return Ok(());
    }
    let project = call.project();
    if let Some(missing) = missing_systems(world, project, body) {
        let at = "/properties/defaultContentKeyPolicyName".to_owned();
        return Err(ApiError::invalid("request body", vec![(at, missing)]));
    }
    if let Some(id) = text("/properties/streamingLocatorId") {
        let taken = world
            .all(project, Kind::STREAMING_LOCATOR)
            .any(|(_, locator)| locator.text("/properties/streamingLocatorId") == Some(&id));
        if taken {
            return Err(ApiError::conflict(format!(
                "the streamingLocatorId '{id}' is taken"
            )));
        }
    }
    Ok(())
}

/// A key policy has to have a configuration for every DRM system of the streaming policy.
fn missing_systems(world: &Platform, project: &str, body: &Value) -> Option<String> {
    let keys = world.get(&Address::new(
        project,
        Kind::CONTENT_KEY_POLICY,
        body.text("/properties/defaultContentKeyPolicyName")?,
    ))?;
    let policy = world.get(&Address::new(
        project,
        Kind::STREAMING_POLICY,
        body.text("/properties/streamingPolicyName")?,
    ))?;
    let configured: Vec<&str> = keys
        .body
        .pointer("/properties/options")?
        .as_array()?
        .iter()
        .filter_map(|option| option.text("/configuration/@odata.type"))
        .collect();
    let has = |system: &str| {
        let wanted = match system {
            "clearKey" => "ClearKey",
            "playReady" => "PlayReady",
            "widevine" => "Widevine",
            _ => "FairPlay",
        };
        configured
            .iter()
            .any(|given| given.ends_with(&format!("ContentKeyPolicy{wanted}Configuration")))
    };
    let missing: Vec<&str> = schemes(&policy.body)
        .iter()
        .flat_map(|scheme| scheme.systems.clone())
        .filter(|system| !has(system))
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "has no configuration for {}, which the streaming policy asks for",
            missing.join(", ")
        )
    })
}

fn created(world: &mut Platform, address: &Address) {
    let Some(locator) = world.get(address) else {
        return;
    };
    let policy = locator
        .text("/properties/streamingPolicyName")
        .unwrap_or_default();
    let schemes = world
        .get(&Address::new(
            &address.place.project,
            Kind::STREAMING_POLICY,
            policy,
        ))
        .map(|policy| schemes(&policy.body))
        .unwrap_or_default();
    let key_policy = locator
        .text("/properties/defaultContentKeyPolicyName")
        .map(str::to_owned);
    let Some(locator) = world.get_mut(address) else {
        return;
    };
    if locator.text("/properties/streamingLocatorId").is_none() {
        merge::put(
            &mut locator.body,
            "/properties/streamingLocatorId",
            json!(Uuid::new_v4().to_string()),
        );
    }
    if locator.body.pointer("/properties/contentKeys").is_some() {
        return;
    }
    let keys: Vec<Value> = schemes
        .iter()
        .filter(|scheme| scheme.encryption.is_some())
        .map(|scheme| {
            let mut key = json!({ "id": Uuid::new_v4().to_string(), "type": scheme.name, "value": STANDARD.encode(Uuid::new_v4().as_bytes()) });
            if let Some(policy) = &key_policy {
                merge::put(&mut key, "/policyName", json!(policy));
            }
            key
        })
        .collect();
    if !keys.is_empty() {
        merge::put(
            &mut locator.body,
            "/properties/contentKeys",
            Value::Array(keys),
        );
    }
}

/// POST `…/listContentKeys`.
pub fn content_keys(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let locator = world.find(&call.address(Kind::STREAMING_LOCATOR))?;
    let keys = locator
        .body
        .pointer("/properties/contentKeys")
        .cloned()
        .unwrap_or(json!([]));
    Ok(Response::ok(json!({ "contentKeys": keys })))
}

/// The manifest's name: that of the live output or the flow which writes to the asset, or that of the asset's `.ism` file.
pub fn manifest(world: &Platform, project: &str, asset: &str) -> String {
    let address = Address::new(project, Kind::ASSET, asset);
    let live = writers::presentation(world, &address);
    let file = || {
        let asset = world.get(&address)?;
        assets::files(world, project, asset)
            .into_iter()
            .find_map(|(name, _)| name.strip_suffix(".ism").map(str::to_owned))
    };
    live.or_else(file).unwrap_or_else(|| "manifest".to_owned())
}

/// The file of a manifest in paths: another one while media is live.
fn manifest_file(world: &Platform, project: &str, asset: &str) -> String {
    let address = Address::new(project, Kind::ASSET, asset);
    match writers::running(world, &address) {
        Some(_) => writers::LIVE_MANIFEST.to_owned(),
        None => format!("{}.ism", manifest(world, project, asset)),
    }
}

/// Characters of a path that are not escaped.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// POST `…/listPaths`.
pub fn paths(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let locator = world.find(&call.address(Kind::STREAMING_LOCATOR))?;
    let text = |pointer: &str| locator.text(pointer).unwrap_or_default();
    let asset = text("/properties/assetName");
    let policy = world.find(&Address::new(
        call.project(),
        Kind::STREAMING_POLICY,
        text("/properties/streamingPolicyName"),
    ))?;
    let id = text("/properties/streamingLocatorId");
    let style = call.body.text("/urlStyle").unwrap_or("AMS");
    let file = match locator.text("/properties/defaultManifestFilename") {
        Some(file) if style != "AMS" => file.to_owned(),
        _ => manifest_file(world, call.project(), asset),
    };
    let filters: Vec<&str> = locator
        .body
        .items("/properties/filters")
        .filter_map(Value::as_str)
        .collect();
    let mut streaming = Vec::new();
    let mut drm = Map::new();
    let mut downloads = Vec::new();
    for scheme in schemes(&policy.body) {
        streaming.extend(streaming_paths(&scheme, id, &file, &filters));
        if scheme.has("download") {
            let listed = world
                .get(&Address::new(call.project(), Kind::ASSET, asset))
                .map(|asset| assets::files(world, call.project(), asset))
                .unwrap_or_default();
            let path = |name: &str| format!("/{id}/{}", utf8_percent_encode(name, PATH));
            downloads.extend(listed.iter().map(|(name, _)| path(name)));
        }
        for system in &scheme.systems {
            let base = format!("{}{KEY_DELIVERY}{}/{system}", call.origin, call.project());
            let mut entry = json!({ "licenseAcquisitionUrl": format!("{base}/{id}") });
            if *system == "fairPlay" {
                merge::put(
                    &mut entry,
                    "/certificateUrl",
                    json!(format!("{base}/certificate")),
                );
            }
            drm.insert((*system).to_owned(), entry);
        }
    }
    Ok(Response::ok(
        json!({ "streamingPaths": streaming, "downloadPaths": downloads, "drm": drm }),
    ))
}

fn streaming_paths(scheme: &Scheme, id: &str, file: &str, filters: &[&str]) -> Vec<Value> {
    let path = |format: &str| {
        let mut options = format!("format={format}");
        if let Some(encryption) = scheme.encryption {
            options.push_str(&format!(",encryption={encryption}"));
        }
        if !filters.is_empty() {
            options.push_str(&format!(",filter={}", filters.join(";")));
        }
        format!("/{id}/{file}/manifest({options})")
    };
    let mut out = Vec::new();
    // FairPlay's scheme has no DASH form.
    let only_hls = scheme.name == "CommonEncryptionCbcs";
    if scheme.has("hls") {
        out.push(json!({ "streamingProtocol": "Hls", "encryptionScheme": scheme.name, "paths": [path("m3u8-cmaf")] }));
    }
    if scheme.has("dash") && !only_hls {
        out.push(json!({ "streamingProtocol": "Dash", "encryptionScheme": scheme.name, "paths": [path("mpd-time-cmaf")] }));
    }
    // The emulator plays no Smooth Streaming, so that it names no path of it.
    out
}
