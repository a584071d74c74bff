//! Teams.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Resource},
    },
    docs::{Schemas, Side, findings},
    platform::{
        call::{Call, Response},
        generic, identity, json_patch, render,
        rules::{Entry, NameRule, Platform, Rules, Shape},
    },
    resources::management::organization::scope_names,
};

impl Kind {
    /// Teams.
    pub const TEAM: Self = Self::new("team", "team");
}

/// Teams.
pub static ENTRY: Entry = Entry {
    kinds: &[&TEAMS],
    routes: &[
        ("GET /api/v1/organization/teams", list),
        ("PATCH /api/v1/organization/teams/{}", change),
        ("DELETE /api/v1/organization/teams/{}", delete),
    ],
    ..Entry::NONE
};

/// The team that everybody belongs to.
pub const EVERYONE: &str = "Everyone";

/// Teams.
pub static TEAMS: Rules = Rules {
    collection: "/api/v1/organization/teams",
    name: NameRule {
        pattern: "^.+$",
        min: 1,
        max: 256,
    },
    check: |world, call, body, _| check(world, call, body),
    complete,
    ..Rules::new(Kind::TEAM, "Team", Shape::Bare)
};

fn check(world: &Platform, call: &Call<'_>, body: &Value) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    for user in body
        .pointer("/spec/members")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|members| members.keys())
    {
        if !world.has(&Address::new("", Kind::USER, user)) {
            findings.push((
                format!("/spec/members/{user}"),
                "is not a user of the organization".to_owned(),
            ));
        }
    }
    let scopes = scope_names(world, call.organization);
    for (scope, roles) in body
        .pointer("/spec/scopes")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if !scopes.contains(scope) {
            findings.push((
                format!("/spec/scopes/{scope}"),
                "is not a scope of the organization".to_owned(),
            ));
        }
        for role in roles.items("/roles") {
            let role = role.as_str().unwrap_or_default();
            if !world.has(&Address::new("", Kind::ROLE, role)) {
                findings.push((
                    format!("/spec/scopes/{scope}/roles"),
                    format!("there is no role named '{role}'"),
                ));
            }
        }
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}

fn complete(world: &Platform, _: &Address, team: &Resource, out: &mut Value) {
    *out = json!({ "kind": "Team", "metadata": { "id": team.id, "name": &*team.name }, "spec": team.body.get("spec") });
    for (user, member) in out
        .pointer_mut("/spec/members")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        let id = user.parse().unwrap_or_default();
        merge::put(member, "/email", json!(identity::email_of(world, id)));
        merge::put(member, "/name", json!(identity::name_of(world, id)));
    }
}

/// GET `…/teams`.
pub fn list(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    let values: Vec<Value> = world
        .all("", Kind::TEAM)
        .map(|(place, team)| render::resource(world, &place.at(&team.name), team))
        .collect();
    Ok(Response::ok(json!({ "kind": "TeamList", "value": values })))
}

/// PATCH `…/teams/{team_name}`: JSON Patch, sent as plain JSON.
pub fn change(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::TEAM);
    let now = world.now;
    let changed = json_patch::apply(&world.find(&address)?.body, &call.body)?;
    check(world, call, &changed)?;
    let shape = json!({ "$ref": "#/components/schemas/TeamPutSchema" });
    let validator = Schemas::get()
        .compile(call.operation.api, &shape, Side::Request)
        .map_err(ApiError::internal)?;
    let findings = findings(&validator, &changed, 10);
    if !findings.is_empty() {
        return Err(ApiError::invalid("patched team", findings));
    }
    let team = world.find_mut(&address)?;
    team.body = changed;
    team.updated = now;
    generic::shown(world, &address, StatusCode::OK)
}

/// DELETE `…/teams/{team_name}`: 204 always.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::TEAM);
    if address.name == EVERYONE {
        return Err(ApiError::bad_request(format!(
            "the team '{EVERYONE}' cannot be deleted"
        )));
    }
    world.remove(&address);
    Ok(Response::empty(StatusCode::NO_CONTENT))
}
