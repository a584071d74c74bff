//! Support packages of devices.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Response},
        list,
        rules::{Entry, Platform, Rules, Shape},
    },
    resources::fleet::tasks::begin,
};

impl Kind {
    /// Support packages of devices.
    pub const SUPPORT_PACKAGE: Self =
        Self::under("supportPackage", "support package", &Self::DEVICE);
}

/// Support packages of devices.
pub static ENTRY: Entry = Entry {
    kinds: &[&PACKAGES],
    routes: &[
        ("GET ~/fleet/devices/{}/supportPackages", list_packages),
        ("POST ~/fleet/devices/{}/supportPackages", start),
        ("GET ~/fleet/devices/{}/supportPackages/{}", get),
        ("DELETE ~/fleet/devices/{}/supportPackages/{}", delete),
    ],
    ..Entry::NONE
};

/// Support packages.
pub static PACKAGES: Rules = Rules {
    collection: "~/fleet/devices/{}/supportPackages",
    ..Rules::new(Kind::SUPPORT_PACKAGE, "SupportPackage", Shape::Bare)
};

/// Packages kept for a device: a limit of the platform, and so no part of the world.
const MOST: usize = 5;

fn place(project: &str, device: &str) -> Place {
    Place::under(project, Kind::SUPPORT_PACKAGE, device)
}

/// POST `devices/{name}/supportPackages`.
pub fn start(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let seconds = world.start.devices.operation_seconds.support_package;
    begin(world, call, "supportPackage", seconds, ApiError::conflict)?;
    let stamp = world.now.timestamp();
    let url = format!(
        "https://support.blob.localhost/{}/{}/{stamp}.tar.gz",
        call.project(),
        call.parameter("name")
    );
    Ok(Response::json(
        StatusCode::ACCEPTED,
        json!({ "timestamp": format::time(world.now), "url": url }),
    ))
}

/// A package is done: it shows in the list, and the oldest beyond the limit goes.
pub fn finish(world: &mut Platform, device: &Address, task: &Resource) {
    let place = place(&device.place.project, &device.name);
    let wanted = task
        .text("/spec/name")
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .map(str::to_owned);
    let name = wanted.unwrap_or_else(|| format!("package-{}", world.now.timestamp()));
    // The requested name is the friendly one, as it is where the package's own cannot hold it.
    let friendly = task
        .text("/spec/name")
        .filter(|name| !name.is_empty())
        .unwrap_or(&name);
    let body = json!({ "friendlyName": friendly, "description": task.text("/spec/description") });
    if let Err(refused) = world.insert(&place.at(&name), body, task.created_by) {
        tracing::warn!(device = %device.name, detail = %refused.detail, "a support package was not kept");
    }
    let names: Vec<String> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter().map(|package| package.name.to_string()))
        .collect();
    for name in names.iter().take(names.len().saturating_sub(MOST)) {
        world.remove(&place.at(name));
    }
}

fn device(world: &Platform, call: &Call<'_>) -> Result<Place, ApiError> {
    world.find(&Address::new(
        call.project(),
        Kind::DEVICE,
        call.parameter("name"),
    ))?;
    Ok(place(call.project(), call.parameter("name")))
}

/// GET `devices/{name}/supportPackages`: newest first.
pub fn list_packages(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = device(world, call)?;
    let mut values: Vec<Value> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter())
        .map(|package| {
            let text = |pointer: &str| package.text(pointer).unwrap_or_default();
            json!({ "metadata": {
                "name": &*package.name, "friendlyName": text("/friendlyName"), "description": text("/description"), "device": place.parent,
                "created": format::time(package.created), "size": 4_096,
            } })
        })
        .collect();
    values.reverse();
    list::values_page(world, call, "SupportPackage", values)
}

fn address(world: &Platform, call: &Call<'_>) -> Result<Address, ApiError> {
    Ok(device(world, call)?.at(call.parameter("package_name")))
}

/// GET `devices/{name}/supportPackages/{package_name}`.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(world, call)?;
    let package = world.find(&address)?;
    let expiry = package.created + chrono::TimeDelta::days(30);
    let url = format!(
        "https://support.blob.localhost/{}/{}/{}.tar.gz?se={}&sig=emulated",
        call.project(),
        address.place.parent,
        package.name,
        format::time(expiry)
    );
    Ok(Response::ok(json!({ "url": url })))
}

/// DELETE `devices/{name}/supportPackages/{package_name}`: 204 always.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(world, call)?;
    world.remove(&address);
    Ok(Response::empty(StatusCode::NO_CONTENT))
}
