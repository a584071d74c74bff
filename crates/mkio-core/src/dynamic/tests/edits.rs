//! Edits by name keep secrets that reads do not show, and send unions as a whole.

use serde_json::{Value, json};

use super::{arguments, crates::CRATES, transport};
use crate::{ErrorKind, Response, Result, dynamic::DynamicResponse};

fn read(crate_: &Value) -> Response<DynamicResponse> {
    let entry = CRATES.entry("get_crate").unwrap();
    let body = crate_.to_string();
    Response::new(
        DynamicResponse::new(crate_.clone(), entry),
        http::StatusCode::OK,
        http::HeaderMap::new(),
        body.into(),
    )
}

/// What an operation would send after a change to a crate that was read.
fn edited(
    operation: &str,
    crate_: &Value,
    change: impl FnOnce(&mut Value),
) -> Result<Option<Value>> {
    let entry = CRATES.entry(operation)?;
    let names = arguments(json!({"project_name": "p", "crate_name": "c"}));
    let request = entry.edited(&transport(), &names, &read(crate_), |value| {
        change(value);
        Ok(())
    })?;
    Ok(request.map(|request| {
        let sent = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        serde_json::from_slice(sent).unwrap()
    }))
}

#[test]
fn a_secret_that_reads_do_not_show_has_to_be_given_again() {
    let crate_ = json!({"label": "old"});
    let error = edited("put_crate", &crate_, |value| value["label"] = json!("new")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("keys"), "{error}");
    let whole = json!({"label": "new", "keys": "k", "pin": "1"});
    let sent = edited("put_crate", &crate_, |value| *value = whole.clone()).unwrap();
    assert_eq!(sent, Some(whole));
}

#[test]
fn a_patch_sends_a_union_as_a_whole_and_else_what_has_changed() {
    let lid = json!({"kind": "square", "width": 1});
    let crate_ =
        json!({"label": "old", "count": 1, "inner": {"label": "x", "count": 2}, "lid": lid});
    let sent = edited("patch_crate", &crate_, |value| {
        value["inner"]["count"] = json!(3);
    });
    assert_eq!(sent.unwrap(), Some(json!({"inner": {"count": 3}})));
    let lid = json!({"kind": "square"});
    let crate_ = json!({"label": "old", "lid": lid});
    let sent = edited("patch_crate", &crate_, |value| {
        value["lid"]["width"] = json!(2);
    });
    let whole = json!({"lid": {"kind": "square", "width": 2}});
    assert_eq!(sent.unwrap(), Some(whole));
}
