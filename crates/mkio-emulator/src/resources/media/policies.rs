//! Streaming policies, predefined and own.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        reference::{Reference, Target},
        store::Address,
    },
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

/// Prefix of the platform's own policies.
const PREDEFINED: &str = "Predefined_";

/// Streaming policies.
pub static POLICIES: Rules = Rules {
    collection: "~/media/streamingPolicies",
    references: &[Reference::new(
        "/properties/defaultContentKeyPolicyName",
        &[Target::top(Kind::CONTENT_KEY_POLICY)],
    )],
    check: |_, call, _, _| {
        let name = call.parameter("policy_name");
        if name.starts_with(PREDEFINED) {
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
    unfiltered: PREDEFINED,
    guard,
    complete: |_, _, policy, out| {
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

fn guard(_: &Platform, address: &Address) -> Result<(), ApiError> {
    if address.name.starts_with(PREDEFINED) {
        return Err(ApiError::conflict(
            "a predefined streaming policy cannot be deleted",
        ));
    }
    Ok(())
}

/// Path of the key delivery: project, DRM system and the id of a locator follow.
pub const KEY_DELIVERY: &str = "/keydelivery/";

/// One way a policy lets media out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// `NoEncryption`, `EnvelopeEncryption`, `CommonEncryptionCenc` or `CommonEncryptionCbcs`.
    pub name: &'static str,
    /// The value of `encryption=` in the path of a manifest.
    pub encryption: Option<&'static str>,
    /// Protocols that are on: `hls`, `dash`, `smoothStreaming`, `download`.
    pub protocols: Vec<&'static str>,
    /// DRM systems: `clearKey`, `playReady`, `widevine`, `fairPlay`.
    pub systems: Vec<&'static str>,
}

impl Scheme {
    /// Whether a protocol is on.
    pub fn has(&self, protocol: &str) -> bool {
        self.protocols.contains(&protocol)
    }
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
        let on = |protocol: &&str| {
            let flag = section.pointer(&format!("/enabledProtocols/{protocol}"));
            flag.and_then(Value::as_bool) == Some(true)
        };
        let protocols = ["hls", "dash", "smoothStreaming", "download"];
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
            protocols: protocols.into_iter().filter(on).collect(),
            systems,
        });
    }
    found
}
