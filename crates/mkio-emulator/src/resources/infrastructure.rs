//! Networks and sites.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        store::{Address, Resource},
    },
    platform::{
        call::Call,
        rules::{DNS_NAME, Entry, Platform, Put, Rules, Shape},
    },
    resources::live::wiring::FLOWS,
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
    put: Put::Create(201),
    patchable: &["/metadata"],
    guard: guard_network,
    dress: |_, _, network, out| {
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
    put: Put::Create(201),
    check: check_site,
    guard: guard_site,
    dress: |_, _, site, out| {
        if site.body.get("spec").is_none() {
            merge::put(out, "/spec", json!({}));
        }
        merge::put(out, "/status", json!({ "owner": owner(site) }));
        if let Some(location) = site.private_text("/location") {
            merge::put(out, "/status/locationName", json!(location));
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

fn names(resource: &Resource, list: &str, field: &str, name: &str) -> bool {
    let items = resource.body.pointer(list).and_then(Value::as_array);
    items.is_some_and(|items| {
        items
            .iter()
            .any(|item| item.get(field).and_then(Value::as_str) == Some(name))
    })
}

fn in_use(address: &Address, user: &Resource, kind: Kind) -> ApiError {
    ApiError::conflict(format!(
        "the {} '{}' is used by the {} '{}'",
        address.place.kind.noun(),
        address.name,
        kind.noun(),
        user.name
    ))
}

fn guard_network(world: &Platform, address: &Address) -> Result<(), ApiError> {
    refuse_system(world, address)?;
    let (project, name) = (&address.place.project, address.name.as_str());
    for kind in [Kind::SITE, Kind::DEVICE, Kind::SOURCE, Kind::DESTINATION] {
        let uses = |resource: &Resource| {
            names(resource, "/spec/routes", "networkName", name)
                || names(resource, "/spec/availableNetworks", "networkName", name)
                || resource.text("/spec/networkName") == Some(name)
        };
        if let Some((_, user)) = world
            .all(project, kind)
            .find(|(_, resource)| uses(resource) && !resource.is_deleting())
        {
            return Err(in_use(address, user, kind));
        }
    }
    Ok(())
}

fn guard_site(world: &Platform, address: &Address) -> Result<(), ApiError> {
    refuse_system(world, address)?;
    for kind in [Kind::DEVICE].into_iter().chain(FLOWS) {
        let uses = |resource: &Resource| {
            resource.text("/spec/siteName") == Some(&address.name) && !resource.is_deleting()
        };
        if let Some((_, user)) = world
            .all(&address.place.project, kind)
            .find(|(_, resource)| uses(resource))
        {
            return Err(in_use(address, user, kind));
        }
    }
    Ok(())
}

fn check_site(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    _: Option<&Resource>,
) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    for (at, route) in body
        .pointer("/spec/routes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = route
            .get("networkName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !world.has(&Address::new(call.project(), Kind::NETWORK, name)) {
            findings.push((
                format!("/spec/routes/{at}/networkName"),
                format!("there is no network named '{name}'"),
            ));
        }
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}
