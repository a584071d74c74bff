//! The caller's own profile and organizations.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        rules::{Entry, Platform},
    },
};

/// The caller's own profile and organizations.
pub static ENTRY: Entry = Entry {
    routes: &[
        ("GET /api/ready", ready),
        ("GET /api/profile/", legacy_profile),
        ("PUT /api/profile/", change_legacy_profile),
        ("GET /api/v1/user/organizations", organizations),
        ("GET /api/v1/user/organizations/{}", organization),
        ("PATCH /api/v1/user/organizations/{}", accept),
        ("DELETE /api/v1/user/organizations/{}", leave),
        ("GET /api/v1/user/profile", profile),
        ("PATCH /api/v1/user/profile", change_profile),
    ],
    ..Entry::NONE
};

fn user<'a>(world: &'a Platform, call: &Call<'_>) -> Result<&'a Resource, ApiError> {
    world.find(&Address::new("", Kind::USER, &call.user.to_string()))
}

/// Profile fields: name in the v1 profile, name in the legacy one, whether the user can change it.
const FIELDS: &[(&str, &str)] = &[
    ("name", "name"),
    ("company", "company"),
    ("country", "country"),
    ("jobRole", "jobrole"),
    ("phoneNumber", "phonenumber"),
];

fn text<'a>(user: &'a Resource, name: &str) -> &'a str {
    user.body
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// GET `/api/v1/user/profile`.
pub fn profile(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let user = user(world, call)?;
    let mut spec = json!({
        "activeOrganizationId": call.organization, "avatar": "", "contactEmail": text(user, "email"), "loginEmail": text(user, "email"),
        "features": {}, "isActive": true,
    });
    for (name, _) in FIELDS {
        merge::put(&mut spec, &format!("/{name}"), json!(text(user, name)));
    }
    Ok(Response::ok(
        json!({ "kind": "UserProfile", "metadata": { "id": user.id }, "spec": spec }),
    ))
}

/// PATCH `/api/v1/user/profile`.
pub fn change_profile(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    keep(world, call, |(name, _)| name)?;
    profile(world, call)
}

fn keep(
    world: &mut Platform,
    call: &Call<'_>,
    source: fn(&(&'static str, &'static str)) -> &'static str,
) -> Result<(), ApiError> {
    let user = world.find_mut(&Address::new("", Kind::USER, &call.user.to_string()))?;
    for field in FIELDS {
        if let Some(value) = call
            .body
            .pointer(&format!("/spec/{}", source(field)))
            .filter(|value| value.is_string())
        {
            merge::put(&mut user.body, &format!("/{}", field.0), value.clone());
        }
    }
    Ok(())
}

/// GET `/api/profile/`.
pub fn legacy_profile(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let organization = world.find(&Address::new(
        "",
        Kind::ORGANIZATION,
        &call.organization.to_string(),
    ))?;
    let user = user(world, call)?;
    let mut spec = json!({
        "avatar": "", "contact_email": text(user, "email"), "customer_id": call.organization,
        "customers": { call.organization.to_string(): organization.text("/spec/name").unwrap_or_default() },
        "is_active": true, "is_admin": true, "signup_problem": null,
    });
    for (name, legacy) in FIELDS {
        merge::put(&mut spec, &format!("/{legacy}"), json!(text(user, name)));
    }
    Ok(Response::ok(
        json!({ "metadata": { "id": user.id }, "spec": spec }),
    ))
}

/// PUT `/api/profile/`.
pub fn change_legacy_profile(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    keep(world, call, |(_, legacy)| legacy)?;
    legacy_profile(world, call)
}

/// GET `/api/ready`.
pub fn ready(_: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::empty(StatusCode::OK))
}

fn shown(organization: &Resource) -> Value {
    let mut out = json!({
        "kind": "UserOrganization", "metadata": { "id": organization.id, "name": organization.text("/spec/name").unwrap_or_default() }, "spec": {},
    });
    if let Some(invite) = organization.private.get("invite") {
        merge::put(&mut out, "/spec/invite", invite.clone());
    }
    out
}

/// GET `/api/v1/user/organizations`.
pub fn organizations(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    let values: Vec<Value> = world
        .all("", Kind::ORGANIZATION)
        .map(|(_, organization)| shown(organization))
        .collect();
    Ok(Response::ok(
        json!({ "kind": "UserOrganizationList", "value": values }),
    ))
}

fn named(call: &Call<'_>) -> Result<Address, ApiError> {
    let id = call.parameter("organization_id");
    let id = Uuid::try_parse(id)
        .map_err(|_| ApiError::not_found(format!("there is no organization with id '{id}'")))?;
    Ok(Address::new("", Kind::ORGANIZATION, &id.to_string()))
}

/// GET `/api/v1/user/organizations/{organization_id}`.
pub fn organization(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(shown(world.find(&named(call)?)?)))
}

/// PATCH `/api/v1/user/organizations/{organization_id}`: accepts an invitation.
pub fn accept(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = named(call)?;
    let organization = world.find_mut(&address)?;
    let state = call.body.text("/spec/invite/state");
    let current = organization
        .private
        .text("/invite/state")
        .unwrap_or("accepted");
    match (state, current) {
        (Some("accepted"), "pending") => merge::put(
            &mut organization.private,
            "/invite/state",
            json!("accepted"),
        ),
        (Some("pending"), "accepted") => {
            return Err(ApiError::bad_request(
                "an accepted invitation cannot go back to pending; leave the organization with DELETE",
            ));
        }
        _ => {}
    }
    Ok(Response::ok(shown(organization)))
}

/// DELETE `/api/v1/user/organizations/{organization_id}`: leaves it, or declines the invitation.
pub fn leave(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = named(call)?;
    if address.name == call.organization.to_string() {
        return Err(ApiError::bad_request(
            "this emulator has one user; the organization of the token in use cannot be left",
        ));
    }
    world.remove(&address);
    Ok(Response::empty(StatusCode::NO_CONTENT))
}
