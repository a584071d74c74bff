//! Fields that a partial change names although it cannot change them.
//!
//! The documents' schemas of partial changes leave such fields out, and undeclared fields are dropped. Without a refusal, a change
//! of the transport of a destination would get a 200 and change nothing.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::{
    base::{error::ApiError, merge},
    docs::{Documents, Keep, Operation, Schemas},
    platform::{
        call::{Call, Payload},
        rules::{Action, Platform},
    },
    query::Query,
};

/// Fields that the platform sets, whatever a caller sends. PUT ignores them as well.
const FILLED_IN: &[&str] = &["/kind", "/status", "/systemData"];
/// Fields of `metadata` that a caller can set; the platform sets the others.
const SETTABLE: &[&str] = &["/metadata/displayName", "/metadata/labels"];

/// Refuses a change of a field that the resource has and the change cannot set. A field that is sent back as it was read passes, and so
/// does one that the resource does not know.
///
/// # Errors
/// 400 that names the fields.
pub fn check(
    world: &mut Platform,
    call: &Call<'_>,
    given: &Value,
    read: (&'static Operation, Action),
) -> Result<(), ApiError> {
    let (operation, action) = read;
    let response = operation.response(StatusCode::OK);
    let Some(schema) = response.and_then(|response| response.schema.as_ref()) else {
        return Ok(());
    };
    let reading = Call {
        operation,
        parameters: call.parameters.clone(),
        query: Query::default(),
        body: Value::Null,
        raw: bytes::Bytes::new(),
        content_type: None,
        path: call.path,
        origin: call.origin.clone(),
        caller: call.caller.clone(),
        ..*call
    };
    // What cannot be read is refused by the change itself.
    let Ok(Payload::Json(current)) = action.run(world, &reading).map(|response| response.payload)
    else {
        return Ok(());
    };
    let mut wanted = current.clone();
    merge::merge(&mut wanted, given.clone());
    let known = Schemas::get().prune(operation.api, schema, wanted, Keep::Change);
    let findings: Vec<(String, String)> = merge::differences(&current, given)
        .into_iter()
        .filter(|at| call.body.pointer(at).is_none() && known.pointer(at).is_some())
        .filter(|at| !merge::within(at, FILLED_IN))
        .filter(|at| !merge::within(at, &["/metadata"]) || merge::within(at, SETTABLE))
        .map(|at| (at, "cannot be changed after creation".to_owned()))
        .collect();
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("change", findings))
    }
}

/// The operation that reads what a partial change in plain JSON is about. A device's channels pass over what they do not know.
pub fn reader(operation: &Operation) -> Option<&'static Operation> {
    if operation.method != Method::PATCH || operation.api.is_device() {
        return None;
    }
    Documents::get()
        .operations()
        .iter()
        .find(|other| other.method == Method::GET && other.path == operation.path)
}
