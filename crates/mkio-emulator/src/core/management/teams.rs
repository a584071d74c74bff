//! Teams.

use http::StatusCode;
use serde_json::{Value, json};

use super::organization::scope_names;
use crate::core::call::{Answer, Call};
use crate::core::error::ApiError;
use crate::core::family::{Family, Kind, NameRule, Shape};
use crate::core::store::{Address, Resource};
use crate::core::world::World;
use crate::core::{generic, identity, json_patch, merge};

/// The team that everybody belongs to.
pub const EVERYONE: &str = "Everyone";

/// Teams.
pub static TEAMS: Family = Family {
    name: NameRule {
        pattern: "^.+$",
        min: 1,
        max: 256,
    },
    check: |world, call, body, _| check(world, call, body),
    dress,
    ..Family::new(Kind::Team, "Team", Shape::Bare)
};

fn check(world: &World, call: &Call<'_>, body: &Value) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    for user in body
        .pointer("/spec/members")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|members| members.keys())
    {
        if !world.has(&Address::new("", Kind::User, user)) {
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
        for role in roles
            .get("roles")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let role = role.as_str().unwrap_or_default();
            if !world.has(&Address::new("", Kind::Role, role)) {
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

fn dress(world: &World, _: &Address, team: &Resource, out: &mut Value) {
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
pub fn list(world: &mut World, _: &Call<'_>) -> Result<Answer, ApiError> {
    let values: Vec<Value> = world
        .all("", Kind::Team)
        .map(|(place, team)| crate::core::render::resource(world, &place.at(&team.name), team))
        .collect();
    Ok(Answer::ok(json!({ "kind": "TeamList", "value": values })))
}

/// PATCH `…/teams/{team_name}`: JSON Patch, sent as plain JSON.
pub fn change(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    let address = call.address(Kind::Team);
    let now = world.now;
    let changed = json_patch::apply(&world.find(&address)?.body, &call.body)?;
    check(world, call, &changed)?;
    let shape = json!({ "$ref": "#/components/schemas/TeamPutSchema" });
    let validator = crate::docs::Documents::get()
        .compile(
            crate::docs::Api::Management,
            &shape,
            crate::docs::Side::Request,
        )
        .map_err(ApiError::internal)?;
    let findings = crate::docs::findings(&validator, &changed, 10);
    if !findings.is_empty() {
        return Err(ApiError::invalid("patched team", findings));
    }
    let team = world.find_mut(&address)?;
    team.body = changed;
    team.updated = now;
    generic::shown(world, &address, StatusCode::OK)
}

/// DELETE `…/teams/{team_name}`: 204 always.
pub fn delete(world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
    let address = call.address(Kind::Team);
    if address.name == EVERYONE {
        return Err(ApiError::bad_request(format!(
            "the team '{EVERYONE}' cannot be deleted"
        )));
    }
    world.remove(&address);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
