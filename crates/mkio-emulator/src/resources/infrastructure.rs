//! Networks and sites.

use serde_json::json;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        reference::{Reference, Target},
        store::{Address, Resource},
    },
    platform::rules::{DNS_NAME, Entry, Platform, Rules, Shape},
};

impl Kind {
    /// Networks.
    pub const NETWORK: Self = Self::new("network", "network");
    /// Sites.
    pub const SITE: Self = Self::new("site", "site");
}

/// Networks and sites.
pub static ENTRY: Entry = Entry {
    kinds: &[&NETWORKS, &SITES],
    ..Entry::NONE
};

/// Networks.
pub static NETWORKS: Rules = Rules {
    collection: "~/infra/networks",
    name: DNS_NAME,
    guard: refuse_system,
    complete: |_, _, network, out| {
        merge::put(out, "/spec", json!({}));
        let scope = if network.private_text("/scope") == Some("Local") {
            "Local"
        } else {
            "Connecting"
        };
        merge::put(
            out,
            "/status",
            json!({ "owner": owner(network), "scope": scope }),
        );
    },
    ..Rules::new(Kind::NETWORK, "Network", Shape::Spec { name: true })
};

/// Sites.
pub static SITES: Rules = Rules {
    collection: "~/infra/sites",
    name: DNS_NAME,
    references: &[Reference::new(
        "/spec/routes/*/networkName",
        &[Target::top(Kind::NETWORK)],
    )],
    guard: refuse_system,
    complete: |world, _, site, out| {
        if site.body.get("spec").is_none() {
            merge::put(out, "/spec", json!({}));
        }
        merge::put(out, "/status", json!({ "owner": owner(site) }));
        if let Some(location) = site.private_text("/location") {
            merge::put(out, "/status/locationName", json!(location));
            let found = world.get(&Address::new("", Kind::LOCATION, location));
            let shown = found.and_then(|found| found.text("/metadata/displayName"));
            merge::put(
                out,
                "/status/locationDisplayName",
                json!(shown.unwrap_or(location)),
            );
        }
    },
    ..Rules::new(Kind::SITE, "Site", Shape::Spec { name: true })
};

fn owner(resource: &Resource) -> &'static str {
    if resource.private_text("/owner") == Some("System") {
        "System"
    } else {
        "User"
    }
}

fn refuse_system(world: &Platform, address: &Address) -> Result<(), ApiError> {
    match world.get(address) {
        Some(resource) if owner(resource) == "System" => Err(ApiError::conflict(format!(
            "the {} '{}' belongs to the system and cannot be deleted",
            address.place.kind.noun(),
            address.name
        ))),
        _ => Ok(()),
    }
}
