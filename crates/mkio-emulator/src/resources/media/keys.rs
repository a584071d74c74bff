//! Content key policies and their secrets.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError, format, kind::Kind, merge, read::Read, states::media::content_key_policy,
        store::Resource,
    },
    platform::{
        call::{Call, Response},
        rules::{Entry, Platform, Rules, Shape},
    },
};

impl Kind {
    /// Content key policies.
    pub const CONTENT_KEY_POLICY: Self = Self::new("contentKeyPolicy", "content key policy");
}

/// Content key policies.
pub static ENTRY: Entry = Entry {
    kinds: &[&KEY_POLICIES],
    routes: &[(
        "POST ~/media/contentKeyPolicies/{}/getPolicyPropertiesWithSecrets",
        with_secrets,
    )],
    ..Entry::NONE
};

/// Content key policies.
pub static KEY_POLICIES: Rules = Rules {
    collection: "~/media/contentKeyPolicies",
    life: &content_key_policy::LIFE,
    check,
    complete: |_, _, policy, out| {
        merge::put(out, "/properties/policyId", json!(policy.id));
        for option in options_mut(out) {
            for pointer in SECRETS {
                if let Some(secret) = option.pointer_mut(pointer) {
                    *secret = Value::Null;
                }
            }
            for key in option
                .pointer_mut("/restriction/alternateVerificationKeys")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(secret) = key.get_mut("keyValue") {
                    *secret = Value::Null;
                }
            }
        }
    },
    ..Rules::new(
        Kind::CONTENT_KEY_POLICY,
        "ContentKeyPolicy",
        Shape::arm("contentKeyPolicies"),
    )
};

/// Secrets of an option. The documents let all of them be null, so null is what responses show.
const SECRETS: &[&str] = &[
    "/configuration/ask",
    "/configuration/fairPlayPfx",
    "/configuration/fairPlayPfxPassword",
    "/restriction/primaryVerificationKey/keyValue",
];

fn options_mut(body: &mut Value) -> impl Iterator<Item = &mut Value> {
    body.pointer_mut("/properties/options")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn check(
    _: &Platform,
    _: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    for (at, option) in options_mut(body).enumerate() {
        let old =
            existing.and_then(|policy| policy.body.pointer(&format!("/properties/options/{at}")));
        let id = old
            .and_then(|old| old.get("policyOptionId"))
            .cloned()
            .unwrap_or_else(|| json!(Uuid::new_v4()));
        merge::put(option, "/policyOptionId", id);
        let template = option.text("/configuration/widevineTemplate");
        if template.is_some_and(|template| {
            !template.is_empty() && serde_json::from_str::<Value>(template).is_err()
        }) {
            let pointer = format!("/properties/options/{at}/configuration/widevineTemplate");
            return Err(ApiError::invalid(
                "request body",
                vec![(pointer, "is not a string of JSON".to_owned())],
            ));
        }
        // A masked secret that is sent back is not a new one.
        for pointer in SECRETS {
            if let (Some(Value::Null), Some(secret)) = (
                option.pointer(pointer),
                old.and_then(|old| old.pointer(pointer)),
            ) {
                merge::put(option, pointer, secret.clone());
            }
        }
    }
    Ok(())
}

/// POST `…/getPolicyPropertiesWithSecrets`.
pub fn with_secrets(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let policy = world.find(&call.address(Kind::CONTENT_KEY_POLICY))?;
    let mut properties = policy.body.get("properties").cloned().unwrap_or(json!({}));
    merge::put(&mut properties, "/policyId", json!(policy.id));
    merge::put(
        &mut properties,
        "/created",
        json!(format::time(policy.created)),
    );
    merge::put(
        &mut properties,
        "/lastModified",
        json!(format::time(policy.updated)),
    );
    Ok(Response::ok(properties))
}
