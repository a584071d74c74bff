//! Checks that a fault can match a request and has an effect.

use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::{base::error::ApiError, faults::fault::Fault};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The problem of a fault.
pub(super) fn check(fault: &Fault) -> Result<(), String> {
    selection(fault)?;
    let fields = [
        &fault.unknown,
        &fault.extra,
        &fault.drop,
        &fault.null,
        &fault.mistype,
    ];
    let changed = fields.iter().any(|names| !names.is_empty());
    let made = fault.status.is_some() || fault.html;
    if let Some(status) = fault.status
        && !(200..600).contains(&status)
    {
        return Err(format!("'{status}' is not a status between 200 and 599"));
    }
    if let Some(value) = &fault.retry_after {
        if !made {
            return Err("'retry-after' goes with a status: add status=429 or the like".to_owned());
        }
        if value.is_empty() || HeaderValue::from_str(value).is_err() {
            return Err("'retry-after' takes seconds or a date".to_owned());
        }
    }
    if fault.reset.is_some()
        && (made || changed || fault.link.is_some() || fault.cut.is_some() || fault.slow > 0)
    {
        return Err("'reset' leaves no response that anything else could happen to".to_owned());
    }
    if fault.html && changed {
        return Err("an HTML page has no fields to change".to_owned());
    }
    if made && fault.link.is_some() {
        return Err("'link' changes a list, and 'status' and 'html' answer without one".to_owned());
    }
    if fault.status.is_some() {
        error_has(fault)?;
    }
    let does = made
        || changed
        || fault.reset.is_some()
        || fault.link.is_some()
        || fault.cut.is_some()
        || fault.slow > 0
        || fault.delay > 0;
    if does {
        Ok(())
    } else {
        Err("it does nothing; add status=503, reset=before or the like".to_owned())
    }
}

/// Whether the fields to change are among those of the error that the fault answers with.
fn error_has(fault: &Fault) -> Result<(), String> {
    let error = ApiError::made(StatusCode::INTERNAL_SERVER_ERROR, "").body();
    let mut known = Vec::new();
    names(&error, &mut known);
    let changed = [&fault.unknown, &fault.drop, &fault.null, &fault.mistype];
    match changed
        .into_iter()
        .flatten()
        .find(|name| !known.contains(name))
    {
        Some(name) => Err(format!(
            "the error that 'status' answers with has no field '{name}'; it has {}",
            known
                .iter()
                .map(|name| name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        )),
        None => Ok(()),
    }
}

/// The names of all fields, wherever they are.
fn names<'a>(value: &'a Value, found: &mut Vec<&'a String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        found.push(name);
        names(value, found);
    }
}

fn selection(fault: &Fault) -> Result<(), String> {
    let method = fault.method.as_str();
    let known = |known: &&str| known.eq_ignore_ascii_case(method);
    if !matches!(method, "" | "*") && !METHODS.iter().any(known) {
        return Err(format!(
            "'{method}' is not a method; use GET, PUT, POST, PATCH, DELETE, or * for any"
        ));
    }
    if !fault.path.is_empty() && !fault.path.starts_with(['/', '*']) {
        return Err(format!(
            "the path '{}' meets nothing: it starts with '/', or with '*' for anything",
            fault.path
        ));
    }
    if fault.path.contains('?') {
        return Err(format!(
            "the path '{}' meets nothing: it is compared without the query",
            fault.path
        ));
    }
    for (name, count) in [
        ("nth", fault.nth),
        ("every", fault.every),
        ("times", fault.times),
    ] {
        if count == Some(0) {
            return Err(format!("'{name}' counts from 1"));
        }
    }
    match fault.probability {
        Some(probability) if !(0.0..=1.0).contains(&probability) => Err(format!(
            "'probability' is between 0 and 1, not {probability}"
        )),
        _ => Ok(()),
    }
}
