//! The organization, its roles and scopes.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        identity,
        rules::{Entry, Platform, Rules, Shape},
    },
};

impl Kind {
    /// Organizations.
    pub const ORGANIZATION: Self = Self::new("organization", "organization");
    /// Roles.
    pub const ROLE: Self = Self::new("role", "role");
}

/// The organization, its roles and scopes.
pub static ENTRY: Entry = Entry {
    kinds: &[&ORGANIZATIONS, &ROLES],
    routes: &[
        ("GET /api/v1/organization", get),
        ("PATCH /api/v1/organization", change),
        ("POST /api/v1/organization", create),
        ("GET /api/v1/organization/roles", roles),
        ("GET /api/v1/organization/roles/{}", role),
        ("GET /api/v1/organization/scopes", scopes),
        ("GET /api/v1/organization/scopes/{}", scope),
    ],
    ..Entry::NONE
};

/// Organizations.
pub static ORGANIZATIONS: Rules = Rules::new(Kind::ORGANIZATION, "Organization", Shape::Bare);
/// Roles.
pub static ROLES: Rules = Rules::new(Kind::ROLE, "Role", Shape::Bare);

fn shown(world: &Platform, organization: &Resource) -> Value {
    json!({
        "kind": "Organization",
        "metadata": {
            "id": organization.id, "name": organization.text("/spec/name").unwrap_or_default(), "isActive": true,
            "created": format::time(organization.created), "createdBy": organization.created_by,
            "createdByEmail": identity::email_of(world, organization.created_by), "createdById": organization.created_by,
            "createdByName": identity::name_of(world, organization.created_by), "updated": format::time(organization.updated),
        },
        "spec": organization.body.get("spec"),
    })
}

fn active(call: &Call<'_>) -> Address {
    Address::new("", Kind::ORGANIZATION, &call.organization.to_string())
}

/// GET `/api/v1/organization`.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(shown(world, world.find(&active(call))?)))
}

/// PATCH `/api/v1/organization`.
pub fn change(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let (now, user) = (world.now, call.user);
    let organization = world.find_mut(&active(call))?;
    merge::merge(&mut organization.body, call.body.clone());
    organization.updated = now;
    organization.updated_by = user;
    get(world, call)
}

/// POST `/api/v1/organization`. Names need not be unique.
pub fn create(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let id = uuid::Uuid::new_v4();
    let address = Address::new("", Kind::ORGANIZATION, &id.to_string());
    world.insert(&address, call.body.clone(), call.user)?.id = id;
    Ok(Response::json(
        StatusCode::CREATED,
        shown(world, world.find(&address)?),
    ))
}

fn listed(world: &Platform, kind: Kind, label: &str) -> Response {
    let values: Vec<Value> = world
        .all("", kind)
        .map(|(_, item)| item.body.clone())
        .collect();
    Response::ok(json!({ "kind": label, "value": values }))
}

/// GET `…/roles`.
pub fn roles(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    Ok(listed(world, Kind::ROLE, "RoleList"))
}

/// GET `…/roles/{role_name}`.
pub fn role(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(
        world.find(&call.address(Kind::ROLE))?.body.clone(),
    ))
}

fn scope_values(world: &Platform, organization: uuid::Uuid) -> Vec<Value> {
    let mut values = vec![json!({
        "kind": "Scope", "metadata": { "id": organization, "name": "Organization" },
        "spec": { "description": "The whole organization.", "resources": [{ "id": organization, "type": "core.customer" }] },
    })];
    let own = world
        .all("", Kind::PROJECT)
        .filter(|(_, project)| identity::owner(project) == Some(organization));
    for (_, project) in own {
        values.push(json!({
            "kind": "Scope", "metadata": { "id": project.id, "name": format!("Project {}", project.name) },
            "spec": { "description": "One project.", "resources": [{ "id": project.id, "type": "core.project" }] },
        }));
    }
    values
}

/// Names of the scopes that a team can be given roles in.
pub fn scope_names(world: &Platform, organization: uuid::Uuid) -> Vec<String> {
    scope_values(world, organization)
        .iter()
        .filter_map(|scope| scope.text("/metadata/name").map(str::to_owned))
        .collect()
}

/// GET `…/scopes`: the organization and each project.
pub fn scopes(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(
        json!({ "kind": "ScopeList", "value": scope_values(world, call.organization) }),
    ))
}

/// GET `…/scopes/{scope_name}`.
pub fn scope(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let name = call.parameter("scope_name");
    let found = scope_values(world, call.organization)
        .into_iter()
        .find(|scope| scope.text("/metadata/name") == Some(name));
    found
        .map(Response::ok)
        .ok_or_else(|| ApiError::not_found(format!("there is no scope named '{name}'")))
}
