//! Projects, their locations and payment method.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Response},
        furnish, generic, identity, list, render,
        rules::{Entry, NameRule, Platform, Rules, Shape},
    },
    resources::management::billing,
};

impl Kind {
    /// Locations.
    pub const LOCATION: Self = Self::new("location", "location");
}

/// Projects, their locations and payment methods.
pub static ENTRY: Entry = Entry {
    kinds: &[&PROJECTS, &LOCATIONS],
    routes: &[
        ("GET /api/v1/locations", locations),
        ("GET /api/v1/locations/{}", location),
        ("GET /api/v1/projects", list_projects),
        ("GET ~", get),
        ("PUT ~", create),
        ("PATCH ~", change),
        ("GET ~/paymentMethod", payment),
        ("POST ~/paymentMethod", assign_payment),
    ],
    ..Entry::NONE
};

/// Locations.
pub static LOCATIONS: Rules = Rules::new(Kind::LOCATION, "Location", Shape::Bare);

/// Projects.
pub static PROJECTS: Rules = Rules {
    collection: "/api/v1/projects",
    name: NameRule {
        pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        min: 1,
        max: 63,
    },
    complete,
    ..Rules::new(Kind::PROJECT, "Project", Shape::Bare)
};

fn address(call: &Call<'_>) -> Address {
    Address::new("", Kind::PROJECT, call.project())
}

fn complete(world: &Platform, _: &Address, project: &Resource, out: &mut Value) {
    let text = |pointer: &str| project.text(pointer).unwrap_or_default().to_owned();
    let location = world.get(&Address::new("", Kind::LOCATION, &text("/locationName")));
    let at = |pointer: &str| {
        location
            .and_then(|location| location.body.pointer(pointer).cloned())
            .unwrap_or(Value::Null)
    };
    let payment = project
        .body
        .get("paymentMethodId")
        .cloned()
        .unwrap_or(Value::Null);
    *out = json!({
        "kind": "Project",
        "metadata": {
            "id": project.id, "name": &*project.name, "displayName": text("/displayName"), "created": format::time(project.created),
            "createdBy": project.created_by, "createdByEmail": identity::email_of(world, project.created_by), "createdById": project.created_by,
            "createdByName": identity::name_of(world, project.created_by), "updated": format::time(project.updated),
            "cloud": { "name": at("/spec/cloud/name"), "displayName": at("/spec/cloud/displayName"), "id": at("/metadata/id") },
        },
        "spec": {
            "name": &*project.name, "displayName": text("/displayName"), "assignedPaymentMethodId": payment,
            "isActive": project.body.get("isActive").and_then(Value::as_bool).unwrap_or(true), "locationName": text("/locationName"),
            "locationId": at("/metadata/id"), "locationDisplayName": at("/metadata/displayName"),
        },
    });
}

/// GET `/api/v1/projects/{project_name}`.
fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::shown(world, &address(call), StatusCode::OK)
}

/// GET `/api/v1/projects`.
pub fn list_projects(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let hidden = call.query.switch("show_hidden")?;
    let place = Place::new("", Kind::PROJECT);
    let shown: Vec<Value> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter())
        .filter(|project| {
            hidden || project.body.get("isHidden").and_then(Value::as_bool) != Some(true)
        })
        .filter(|project| call.caller.sees(project))
        .map(|project| render::resource(world, &place.at(&project.name), project))
        .collect();
    list::values_page(world, call, "Project", shown)
}

/// PUT `/api/v1/projects/{project_name}`.
pub fn create(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    generic::check_name(&PROJECTS, &address.name)?;
    if world.get(&address).is_some() {
        return Err(generic::taken(&address));
    }
    let text = |name: &str| {
        call.body
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let mut findings = Vec::new();
    if !world.has(&Address::new("", Kind::LOCATION, text("locationName"))) {
        findings.push((
            "/locationName".to_owned(),
            format!("there is no location named '{}'", text("locationName")),
        ));
    }
    if let Err(problem) = usable_payment(world, text("paymentMethodId")) {
        findings.push(("/paymentMethodId".to_owned(), problem));
    }
    if !findings.is_empty() {
        return Err(ApiError::invalid("request body", findings));
    }
    let location = text("locationName").to_owned();
    let project = world.insert(&address, call.body.clone(), call.user)?;
    identity::give(project, call.organization);
    furnish::project(world, &address.name, &location)?;
    generic::shown(world, &address, world.registry.put(Kind::PROJECT).made())
}

fn usable_payment(world: &Platform, id: &str) -> Result<(), String> {
    let payment = world
        .get(&Address::new(
            "",
            Kind::PAYMENT_METHOD,
            &id.to_ascii_lowercase(),
        ))
        .ok_or_else(|| format!("there is no payment method with id '{id}'"))?;
    let accepted = payment
        .body
        .pointer("/status/termsAndConditionsAccepted")
        .and_then(Value::as_bool)
        == Some(true);
    if accepted {
        Ok(())
    } else {
        Err("the terms and conditions of this payment method have not been accepted".to_owned())
    }
}

/// PATCH `/api/v1/projects/{project_name}`.
pub fn change(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    let now = world.now;
    let project = world.find_mut(&address)?;
    for (from, to) in [
        ("/metadata/displayName", "/displayName"),
        ("/spec/isActive", "/isActive"),
        ("/spec/isHidden", "/isHidden"),
    ] {
        if let Some(value) = call.body.pointer(from) {
            merge::put(&mut project.body, to, value.clone());
        }
    }
    project.updated = now;
    project.updated_by = call.user;
    generic::shown(world, &address, StatusCode::OK)
}

/// GET `…/paymentMethod`.
pub fn payment(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let project = world.find(&address(call))?;
    let id = project
        .text("/paymentMethodId")
        .unwrap_or_default()
        .to_ascii_lowercase();
    Ok(Response::ok(billing::shown(world, &id)?))
}

/// POST `…/paymentMethod`.
pub fn assign_payment(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let id = call.body.text("/paymentMethodId").unwrap_or_default();
    usable_payment(world, id).map_err(|problem| ApiError::field("/paymentMethodId", problem))?;
    let project = world.find_mut(&address(call))?;
    merge::put(&mut project.body, "/paymentMethodId", json!(id));
    merge::put(&mut project.body, "/isActive", json!(true));
    Ok(Response::empty(StatusCode::OK))
}

/// GET `/api/v1/locations`: the paging parameters are declared, the envelope is not.
pub fn locations(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let values = world
        .all("", Kind::LOCATION)
        .map(|(_, location)| location.body.clone())
        .collect();
    list::bare_page(world, call, Some("LocationList"), values)
}

/// GET `/api/v1/locations/{location_name}`.
pub fn location(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(
        world
            .find(&Address::new(
                "",
                Kind::LOCATION,
                call.parameter("location_name"),
            ))?
            .body
            .clone(),
    ))
}
