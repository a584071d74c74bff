//! The operations that work alike for all families: list, get, put, patch, delete, state.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        life::Move,
        merge,
        store::{Address, Resource},
    },
    docs::name_fits,
    platform::{
        call::{Call, Response},
        labels, references, render,
        rules::{Platform, Put, Rules},
    },
};

/// The parent that the path names has to exist.
fn ensure_parent(world: &Platform, address: &Address) -> Result<(), ApiError> {
    match Call::parent(&address.place) {
        Some(parent) => world.find(&parent).map(|_| ()),
        None => Ok(()),
    }
}

/// GET of one.
pub fn get(world: &Platform, call: &Call<'_>, rules: &Rules) -> Result<Response, ApiError> {
    let address = call.address(rules.kind);
    let resource = world.find(&address)?;
    Ok(Response::ok(render::resource(world, &address, resource)))
}

/// GET of `…/state`.
pub fn state(world: &Platform, call: &Call<'_>, rules: &Rules) -> Result<Response, ApiError> {
    let resource = world.find(&call.address(rules.kind))?;
    Ok(Response::ok(
        json!({ "status": { "state": resource.state } }),
    ))
}

/// Checks a body: its references, and the rules of its kind.
fn check(
    world: &Platform,
    call: &Call<'_>,
    rules: &Rules,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let before = existing.map(|existing| &existing.body);
    let missing = references::missing(world, rules, call.project(), body, before);
    if !missing.is_empty() {
        return Err(ApiError::invalid("request body", missing));
    }
    (rules.check)(world, call, body, existing)
}

/// PUT.
pub fn put(world: &mut Platform, call: &Call<'_>, rules: &Rules) -> Result<Response, ApiError> {
    let address = call.address(rules.kind);
    ensure_parent(world, &address)?;
    check_name(rules, &address.name)?;
    // Resources that guides presuppose exist from the start. A PUT of one counts as its creation.
    let kept = |there: &&Resource| there.private.get("presupposed").is_none();
    let replaces = world.get(&address).filter(kept).is_some();
    call.caller
        .may_write(call.operation, call.project_id, replaces)?;
    labels::check(&call.body)?;
    let mut body = call.body.clone();
    let Some(existing) = world.get(&address).filter(kept) else {
        check(world, call, rules, &mut body, None)?;
        let status = world.registry.put(rules.kind).made();
        world.insert(&address, body, call.user)?;
        if let Some(way) = rules.life.create {
            world.go(&address, way);
        }
        (rules.created)(world, &address);
        return shown(world, &address, status);
    };
    if world.registry.put(rules.kind) != Put::Upsert {
        return Err(taken(&address));
    }
    if existing.is_deleting() {
        return Err(ApiError::conflict(format!(
            "the {} '{}' is being deleted",
            rules.kind.noun(),
            address.name
        )));
    }
    keep_frozen(world.registry.frozen(rules.kind), existing, &mut body)?;
    check(world, call, rules, &mut body, Some(existing))?;
    write(world, call, &address, body);
    (rules.changed)(world, &address);
    shown(world, &address, StatusCode::OK)
}

/// The refusal of a name that is taken.
pub fn taken(address: &Address) -> ApiError {
    ApiError::conflict(format!(
        "the {} '{}' exists already",
        address.place.kind.noun(),
        address.name
    ))
}

/// PATCH with a merge-style body.
pub fn patch(world: &mut Platform, call: &Call<'_>, rules: &Rules) -> Result<Response, ApiError> {
    let address = call.address(rules.kind);
    let existing = world.find(&address)?;
    if existing.is_deleting() {
        return Err(ApiError::conflict(format!(
            "the {} '{}' is being deleted",
            rules.kind.noun(),
            address.name
        )));
    }
    labels::check(&call.body)?;
    let mut body = existing.body.clone();
    merge::merge(&mut body, call.body.clone());
    for pointer in rules.clearable {
        if body.pointer(pointer).is_some_and(Value::is_null) {
            merge::take(&mut body, pointer);
        }
    }
    keep_frozen(world.registry.frozen(rules.kind), existing, &mut body)?;
    check(world, call, rules, &mut body, Some(existing))?;
    write(world, call, &address, body);
    (rules.changed)(world, &address);
    shown(world, &address, StatusCode::OK)
}

/// DELETE: 200, and 204 when the resource does not exist (any more).
pub fn delete(world: &mut Platform, call: &Call<'_>, rules: &Rules) -> Result<Response, ApiError> {
    remove(world, &call.address(rules.kind))
}

/// Deletes a resource, guarded and with its `Deleting` state.
pub fn remove(world: &mut Platform, address: &Address) -> Result<Response, ApiError> {
    let rules = world.rules(address.place.kind);
    if !world.has(address) {
        return Ok(Response::empty(StatusCode::NO_CONTENT));
    }
    (rules.guard)(world, address)?;
    references::guard(world, address)?;
    if let Some(way) = rules.life.delete {
        world.go(address, way);
    } else if let Some(removed) = world.remove(address) {
        (rules.removed)(world, address, &removed);
    }
    Ok(Response::empty(StatusCode::OK))
}

/// Refuses a move that the state of a resource does not allow.
///
/// # Errors
/// 409 with the states that do.
pub fn ensure(kind: Kind, resource: &Resource, way: &Move) -> Result<(), ApiError> {
    if way.allowed_in(resource.state) {
        return Ok(());
    }
    Err(ApiError::conflict(format!(
        "cannot {} the {} '{}' while it is {}; it has to be {}",
        way.name,
        kind.noun(),
        resource.name,
        resource.state,
        way.from.join(" or ")
    )))
}

/// An action: a state allows it, and it leads to another.
///
/// # Errors
/// 404 when there is no such resource, 409 in any other state.
pub fn act(world: &mut Platform, address: &Address, way: &Move) -> Result<Response, ApiError> {
    ensure(address.place.kind, world.find(address)?, way)?;
    if let Some(resource) = world.get_mut(address) {
        merge::take(&mut resource.private, "/provisioningFailed");
        merge::take(&mut resource.private, "/presupposed");
    }
    world.go(address, way);
    Ok(Response::empty(StatusCode::OK))
}

fn write(world: &mut Platform, call: &Call<'_>, address: &Address, body: Value) {
    let (now, user) = (world.now, call.user);
    if let Some(resource) = world.get_mut(address) {
        merge::take(&mut resource.private, "/provisioningFailed");
        merge::take(&mut resource.private, "/presupposed");
        resource.body = body;
        resource.updated = now;
        resource.updated_by = user;
    }
}

/// The response that shows a resource.
pub fn shown(
    world: &Platform,
    address: &Address,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let resource = world.find(address)?;
    Ok(Response::json(
        status,
        render::resource(world, address, resource),
    ))
}

/// Refuses a name that responses could not have by the documents.
pub fn check_name(rules: &Rules, name: &str) -> Result<(), ApiError> {
    let rule = rules.name;
    if name_fits(rule.pattern, rule.min, rule.max, name).map_err(ApiError::internal)? {
        return Ok(());
    }
    let reason = format!(
        "the {} is named with {} to {} characters that match {}",
        rules.kind.noun(),
        rule.min,
        rule.max,
        rule.pattern
    );
    Err(ApiError::invalid("name", vec![("name".to_owned(), reason)]))
}

/// Keeps what cannot change, and refuses what would. A section that is made or taken away as a whole takes its fields with it.
fn keep_frozen(frozen: &[&str], existing: &Resource, body: &mut Value) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    for pointer in frozen {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let has = |body: &Value| body.pointer(parent).is_some_and(Value::is_object);
        if !has(&existing.body) || !has(body) {
            continue;
        }
        let old = existing.body.pointer(pointer);
        let Some(new) = body.pointer(pointer) else {
            if let Some(old) = old {
                merge::put(body, pointer, old.clone());
            }
            continue;
        };
        if old.unwrap_or(&Value::Null) == new {
            continue;
        }
        let mut inside = merge::differences(old.unwrap_or(&Value::Null), new);
        if inside.is_empty() {
            // Something is left out.
            inside.push(String::new());
        }
        let refused = |at| {
            let reason = "cannot be changed after creation".to_owned();
            (format!("{pointer}{at}"), reason)
        };
        findings.extend(inside.into_iter().map(refused));
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("change", findings))
    }
}
