//! Streaming policies, predefined and own.

use serde_json::{Value, json};

use crate::{
    base::{error::ApiError, format, kind::Kind, merge, store::Address, world::PLATFORM_USER},
    platform::rules::{Entry, Platform, Rules, Shape},
};

impl Kind {
    /// Streaming policies.
    pub const STREAMING_POLICY: Self = Self::new("streamingPolicy", "streaming policy");
}

/// Streaming policies.
pub static ENTRY: Entry = Entry {
    kinds: &[&POLICIES],
    ..Entry::NONE
};

/// Streaming policies.
pub static POLICIES: Rules = Rules {
    collection: "~/media/streamingPolicies",
    check: |world, call, body, _| {
        let keys = body
            .pointer("/properties/defaultContentKeyPolicyName")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty());
        if let Some(keys) = keys.filter(|keys| {
            !world.has(&Address::new(
                call.project(),
                Kind::CONTENT_KEY_POLICY,
                keys,
            ))
        }) {
            return Err(ApiError::invalid(
                "request body",
                vec![(
                    "/properties/defaultContentKeyPolicyName".to_owned(),
                    format!("there is no content key policy named '{keys}'"),
                )],
            ));
        }
        let name = call.parameter("policy_name");
        if name.starts_with("Predefined_") {
            return Err(ApiError::invalid(
                "name",
                vec![(
                    "policy_name".to_owned(),
                    "names that start with 'Predefined_' belong to the platform".to_owned(),
                )],
            ));
        }
        Ok(())
    },
    guard,
    dress: |_, _, policy, out| {
        merge::take(out, "/properties/lastModified");
        if policy.text("/properties/created").is_none() {
            merge::put(
                out,
                "/properties/created",
                json!(format::time(policy.created)),
            );
        }
    },
    ..Rules::new(
        Kind::STREAMING_POLICY,
        "StreamingPolicy",
        Shape::arm("streamingPolicies"),
    )
};

fn guard(world: &Platform, address: &Address) -> Result<(), ApiError> {
    if address.name.starts_with("Predefined_") {
        return Err(ApiError::conflict(
            "a predefined streaming policy cannot be deleted",
        ));
    }
    let user = world
        .all(&address.place.project, Kind::STREAMING_LOCATOR)
        .find(|(_, locator)| {
            locator.text("/properties/streamingPolicyName") == Some(&address.name)
                && !locator.is_deleting()
        });
    match user {
        Some((_, locator)) => Err(ApiError::conflict(format!(
            "streaming policy '{}' is used by streaming locator '{}'",
            address.name, locator.name
        ))),
        None => Ok(()),
    }
}

fn protocols(download: bool, stream: bool) -> Value {
    json!({ "dash": stream, "hls": stream, "smoothStreaming": stream, "download": download })
}

/// Puts the predefined policies into a new project.
pub fn predefine(world: &mut Platform, project: &str) -> Result<(), ApiError> {
    let cenc = json!({ "enabledProtocols": protocols(false, true), "drm": { "playReady": {}, "widevine": {} } });
    let cbcs = json!({ "enabledProtocols": protocols(false, true), "drm": { "fairPlay": { "allowPersistentLicense": false } } });
    let policies = [
        (
            "Predefined_ClearStreamingOnly",
            json!({ "noEncryption": { "enabledProtocols": protocols(false, true) } }),
        ),
        (
            "Predefined_DownloadOnly",
            json!({ "noEncryption": { "enabledProtocols": protocols(true, false) } }),
        ),
        (
            "Predefined_DownloadAndClearStreaming",
            json!({ "noEncryption": { "enabledProtocols": protocols(true, true) } }),
        ),
        (
            "Predefined_ClearKey",
            json!({ "envelopeEncryption": { "enabledProtocols": protocols(false, true) } }),
        ),
        (
            "Predefined_MultiDrmCencStreaming",
            json!({ "commonEncryptionCenc": cenc }),
        ),
        (
            "Predefined_MultiDrmStreaming",
            json!({ "commonEncryptionCenc": cenc, "commonEncryptionCbcs": cbcs }),
        ),
    ];
    for (name, properties) in policies {
        let address = Address::new(project, Kind::STREAMING_POLICY, name);
        world.insert(&address, json!({ "properties": properties }), PLATFORM_USER)?;
    }
    Ok(())
}

/// One way a policy lets media out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// `NoEncryption`, `EnvelopeEncryption`, `CommonEncryptionCenc` or `CommonEncryptionCbcs`.
    pub name: &'static str,
    /// What the manifest's `encryption=` says.
    pub encryption: Option<&'static str>,
    /// HLS is on.
    pub hls: bool,
    /// DASH is on.
    pub dash: bool,
    /// Smooth Streaming is on.
    pub smooth: bool,
    /// Download is on.
    pub download: bool,
    /// DRM systems: `clearKey`, `playReady`, `widevine`, `fairPlay`.
    pub systems: Vec<&'static str>,
}

/// The schemes of a policy.
pub fn schemes(policy: &Value) -> Vec<Scheme> {
    let table = [
        ("noEncryption", "NoEncryption", None),
        ("envelopeEncryption", "EnvelopeEncryption", Some("cbc")),
        ("commonEncryptionCenc", "CommonEncryptionCenc", Some("cenc")),
        (
            "commonEncryptionCbcs",
            "CommonEncryptionCbcs",
            Some("cbcs-aapl"),
        ),
    ];
    let mut found = Vec::new();
    for (field, name, encryption) in table {
        let Some(section) = policy.pointer(&format!("/properties/{field}")) else {
            continue;
        };
        let on = |protocol: &str| {
            section
                .pointer(&format!("/enabledProtocols/{protocol}"))
                .and_then(Value::as_bool)
                .unwrap_or(false)
        };
        let drm = |system: &str| section.pointer(&format!("/drm/{system}")).is_some();
        let mut systems: Vec<&'static str> = ["playReady", "widevine", "fairPlay"]
            .into_iter()
            .filter(|system| drm(system))
            .collect();
        if name == "EnvelopeEncryption" || section.get("clearKeyEncryptionConfiguration").is_some()
        {
            systems.push("clearKey");
        }
        found.push(Scheme {
            name,
            encryption,
            hls: on("hls"),
            dash: on("dash"),
            smooth: on("smoothStreaming"),
            download: on("download"),
            systems,
        });
    }
    found
}
