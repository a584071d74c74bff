//! Networks and sites.

use serde_json::{Value, json};

use crate::core::call::Call;
use crate::core::error::ApiError;
use crate::core::family::{DNS_NAME, Family, Kind, Put, Shape};
use crate::core::live::flows::FLOWS;
use crate::core::merge;
use crate::core::store::{Address, Resource};
use crate::core::world::World;

/// Networks.
pub static NETWORKS: Family = Family {
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
    ..Family::new(Kind::Network, "Network", Shape::Spec { name: true })
};

/// Sites.
pub static SITES: Family = Family {
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
    ..Family::new(Kind::Site, "Site", Shape::Spec { name: true })
};

fn owner(resource: &Resource) -> &'static str {
    if resource.private_text("/owner") == Some("System") {
        "System"
    } else {
        "User"
    }
}

fn refuse_system(world: &World, address: &Address) -> Result<(), ApiError> {
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

fn guard_network(world: &World, address: &Address) -> Result<(), ApiError> {
    refuse_system(world, address)?;
    let (project, name) = (&address.place.project, address.name.as_str());
    for kind in [Kind::Site, Kind::Device, Kind::Source, Kind::Destination] {
        let uses = |resource: &Resource| match kind {
            Kind::Site => names(resource, "/spec/routes", "networkName", name),
            Kind::Device => names(resource, "/spec/availableNetworks", "networkName", name),
            _ => resource.text("/spec/networkName") == Some(name),
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

fn guard_site(world: &World, address: &Address) -> Result<(), ApiError> {
    refuse_system(world, address)?;
    for kind in [Kind::Device].into_iter().chain(FLOWS) {
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
    world: &World,
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
        if !world.has(&Address::new(call.project(), Kind::Network, name)) {
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
