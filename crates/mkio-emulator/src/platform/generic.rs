//! The operations that work alike for all families: list, get, put, patch, delete, state.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        merge,
        store::{Address, Event, Resource, Step},
    },
    docs::name_fits,
    platform::{
        call::{Answer, Call},
        labels, render,
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
pub fn get(world: &Platform, call: &Call<'_>, rules: &Rules) -> Result<Answer, ApiError> {
    let address = call.address(rules.kind);
    let resource = world.find(&address)?;
    Ok(Answer::ok(render::resource(world, &address, resource)))
}

/// GET of `…/state`.
pub fn state(world: &Platform, call: &Call<'_>, rules: &Rules) -> Result<Answer, ApiError> {
    let resource = world.find(&call.address(rules.kind))?;
    Ok(Answer::ok(json!({ "status": { "state": resource.state } })))
}

/// PUT.
pub fn put(world: &mut Platform, call: &Call<'_>, rules: &Rules) -> Result<Answer, ApiError> {
    let address = call.address(rules.kind);
    ensure_parent(world, &address)?;
    check_name(rules, &address.name)?;
    let replaces = world.get(&address).is_some();
    call.caller
        .may_write(call.operation, call.project_id, replaces)?;
    labels::check(&call.body)?;
    let mut body = call.body.clone();
    let Some(existing) = world.get(&address) else {
        (rules.check)(world, call, &mut body, None)?;
        let status = match rules.put {
            Put::Upsert => 201,
            Put::Create(status) => status,
        };
        world.insert(&address, body, call.user)?;
        world.enter(&address, rules.initial, rules.creation);
        (rules.created)(world, &address);
        return shown(
            world,
            &address,
            StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED),
        );
    };
    if rules.put != Put::Upsert {
        return Err(ApiError::conflict(format!(
            "the {} '{}' exists already",
            rules.kind.noun(),
            address.name
        )));
    }
    if existing.is_deleting() {
        return Err(ApiError::conflict(format!(
            "the {} '{}' is being deleted",
            rules.kind.noun(),
            address.name
        )));
    }
    keep_frozen(rules, existing, &mut body)?;
    (rules.check)(world, call, &mut body, Some(existing))?;
    write(world, call, &address, body);
    (rules.changed)(world, &address);
    shown(world, &address, StatusCode::OK)
}

/// PATCH with a merge-style body.
pub fn patch(world: &mut Platform, call: &Call<'_>, rules: &Rules) -> Result<Answer, ApiError> {
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
    let change = call.body.clone();
    if !rules.patchable.is_empty() {
        let refused: Vec<String> = merge::differences(&existing.body, &change)
            .into_iter()
            .filter(|at| !merge::within(at, rules.patchable))
            .collect();
        if !refused.is_empty() {
            let findings = refused
                .into_iter()
                .map(|at| (at, "cannot be changed after creation".to_owned()))
                .collect();
            return Err(ApiError::invalid("change", findings));
        }
    }
    let mut body = existing.body.clone();
    merge::merge(&mut body, change);
    for pointer in rules.clearable {
        if body.pointer(pointer).is_some_and(Value::is_null) {
            merge::take(&mut body, pointer);
        }
    }
    (rules.check)(world, call, &mut body, Some(existing))?;
    write(world, call, &address, body);
    (rules.changed)(world, &address);
    shown(world, &address, StatusCode::OK)
}

/// DELETE: 200, and 204 when there is nothing (any more).
pub fn delete(world: &mut Platform, call: &Call<'_>, rules: &Rules) -> Result<Answer, ApiError> {
    remove(world, &call.address(rules.kind))
}

/// Deletes a resource, guarded and with its `Deleting` state.
pub fn remove(world: &mut Platform, address: &Address) -> Result<Answer, ApiError> {
    let rules = world.rules(address.place.kind);
    if !world.has(address) {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    (rules.guard)(world, address)?;
    if rules.deletion == 0 {
        if let Some(removed) = world.remove(address) {
            (rules.removed)(world, address, &removed);
        }
    } else {
        let step = Step {
            after: std::time::Duration::from_secs(rules.deletion),
            event: Event::Remove,
        };
        world.enter(address, "Deleting", &[step]);
    }
    Ok(Answer::empty(StatusCode::OK))
}

/// An action that a state allows and that leads through other states.
pub fn act(
    world: &mut Platform,
    address: &Address,
    action: &str,
    from: &[&str],
    now: &'static str,
    steps: &[Step],
) -> Result<Answer, ApiError> {
    let resource = world.find(address)?;
    if !from.contains(&resource.state) {
        let noun = address.place.kind.noun();
        return Err(ApiError::conflict(format!(
            "cannot {action} the {noun} '{}' while it is {}; it has to be {}",
            address.name,
            resource.state,
            from.join(" or ")
        )));
    }
    if let Some(resource) = world.get_mut(address) {
        merge::take(&mut resource.private, "/provisioningFailed");
    }
    world.enter(address, now, steps);
    Ok(Answer::empty(StatusCode::OK))
}

fn write(world: &mut Platform, call: &Call<'_>, address: &Address, body: Value) {
    let (now, user) = (world.now, call.user);
    if let Some(resource) = world.get_mut(address) {
        merge::take(&mut resource.private, "/provisioningFailed");
        resource.body = body;
        resource.updated = now;
        resource.updated_by = user;
    }
}

/// The answer that shows a resource.
pub fn shown(world: &Platform, address: &Address, status: StatusCode) -> Result<Answer, ApiError> {
    let resource = world.find(address)?;
    Ok(Answer::json(
        status,
        render::resource(world, address, resource),
    ))
}

/// Refuses a name that the documents would not answer.
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

fn keep_frozen(rules: &Rules, existing: &Resource, body: &mut Value) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    for pointer in rules.frozen {
        let old = existing.body.pointer(pointer);
        match body.pointer(pointer) {
            Some(new) if Some(new) != old => findings.push((
                (*pointer).to_owned(),
                "cannot be changed after creation".to_owned(),
            )),
            Some(_) => {}
            None => {
                if let Some(old) = old {
                    merge::put(body, pointer, old.clone());
                }
            }
        }
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("change", findings))
    }
}
