//! Which arguments and bodies are taken, and in which words others are refused.

use serde_json::{Value, json};

use super::{arguments, crates::CRATES, transport};
use crate::{
    ErrorKind,
    dynamic::{Ty, nearest::hint},
};

fn request(operation: &str, given: Value) -> crate::Result<reqwest::Request> {
    let entry = CRATES.entry(operation)?;
    entry.request(&transport(), &arguments(given))
}

fn weigh(name: &str, value: &Value) -> crate::Result<String> {
    let mut given = json!({"project": "p", "crate_name": "c"});
    given[name] = value.clone();
    let request = request("weigh_crate", given)?;
    Ok(request.url().query().unwrap_or_default().to_owned())
}

#[test]
fn values_of_the_parameters_type_are_sent_as_text() {
    for (name, value, sent) in [
        ("whole", json!(-5), "whole=-5"),
        ("whole", json!("-5"), "whole=-5"),
        ("from", json!(5), "from=5"),
        ("least", json!(1.5), "least=1.5"),
        ("least", json!("2"), "least=2"),
        ("wet", json!(true), "wet=true"),
        ("wet", json!("false"), "wet=false"),
        ("unit", json!("kg"), "unit=kg"),
        ("since", json!("2026-01-01"), "since=2026-01-01"),
        ("grade", json!("C"), "grade=C"),
        ("odd", json!(7), "odd=7"),
    ] {
        assert_eq!(weigh(name, &value).unwrap(), sent, "{name}: {value}");
    }
}

#[test]
fn values_of_another_type_are_refused_with_the_type_in_words() {
    for (name, value, takes) in [
        ("whole", json!(1.5), "integer"),
        ("whole", json!("x"), "integer"),
        ("from", json!(-1), "integer from 0"),
        ("least", json!("inf"), "number"),
        ("least", json!(true), "number"),
        ("wet", json!("maybe"), "true or false"),
        ("wet", json!(1), "true or false"),
        ("unit", json!(5), "text"),
        ("since", json!(5), "time"),
        ("grade", json!(true), "Grade"),
        ("odd", json!({}), "any JSON"),
        ("odd", Value::Null, "any JSON"),
    ] {
        let error = weigh(name, &value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let said = format!("argument `{name}` has the wrong type: it takes {takes}");
        assert_eq!(error.message(), said, "{name}: {value}");
    }
}

#[test]
fn headers_are_sent_as_headers() {
    let given = json!({"project": "p", "crate_name": "c", "x-scale": "fine"});
    let request = request("weigh_crate", given).unwrap();
    assert_eq!(request.headers()["x-scale"], "fine");
    assert_eq!(request.url().path(), "/api/v1/crates/c/of/p/weight");
}

fn refusal(body: &Value) -> String {
    let given = json!({"project_name": "p", "crate_name": "c", "body": body});
    let error = request("put_crate", given).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    error.message().to_owned()
}

/// Every body has a count that does not fit; the place before it is the one to be named.
#[test]
fn the_first_place_that_does_not_fit_is_named_with_both_kinds() {
    for (body, place, takes, not) in [
        (json!("x"), "$", "an object", "text"),
        (json!({"count": "x"}), "count", "an integer", "text"),
        (
            json!({"count": 1.5}),
            "count",
            "an integer",
            "a number with a fraction",
        ),
        (
            json!({"label": 1, "count": "x"}),
            "label",
            "text",
            "a number",
        ),
        (
            json!({"label": null, "count": "x"}),
            "label",
            "text",
            "null",
        ),
        (
            json!({"note": null, "count": "x"}),
            "count",
            "an integer",
            "text",
        ),
        (json!({"note": 5, "count": "x"}), "note", "text", "a number"),
        (
            json!({"any": {}, "weight": -1.5, "count": "x"}),
            "count",
            "an integer",
            "text",
        ),
        (
            json!({"weight": true, "count": "x"}),
            "weight",
            "a number",
            "true or false",
        ),
        (
            json!({"open": {}, "count": "x"}),
            "open",
            "true or false",
            "an object",
        ),
        (
            json!({"made": 1, "count": "x"}),
            "made",
            "a time",
            "a number",
        ),
        (
            json!({"grade": [], "count": "x"}),
            "grade",
            "text",
            "a list",
        ),
        (json!({"pin": 5, "count": "x"}), "pin", "text", "a number"),
        (
            json!({"sizes": 5, "count": "x"}),
            "sizes",
            "a list",
            "a number",
        ),
        (
            json!({"sizes": [1, -1], "count": "x"}),
            "sizes[1]",
            "an integer from 0",
            "a number",
        ),
        (
            json!({"grid": [[1], [2, "x"]], "count": "x"}),
            "grid[1][1]",
            "an integer from 0",
            "text",
        ),
        (
            json!({"tags": [], "count": "x"}),
            "tags",
            "an object",
            "a list",
        ),
        (
            json!({"tags": {"a": 1}, "count": "x"}),
            "tags.a",
            "text",
            "a number",
        ),
        (
            json!({"lid": 5, "count": "x"}),
            "lid",
            "an object",
            "a number",
        ),
        (
            json!({"lid": {"kind": "round", "radius": "x"}, "count": "x"}),
            "lid.radius",
            "a number",
            "text",
        ),
        (
            json!({"inner": {"label": 5}, "count": "x"}),
            "inner.label",
            "text",
            "a number",
        ),
        // Whole numbers may be negative or large.
        (
            json!({"inner": {"count": -1}, "count": "x"}),
            "count",
            "an integer",
            "text",
        ),
        (
            json!({"inner": {"count": u64::MAX}, "count": "x"}),
            "count",
            "an integer",
            "text",
        ),
    ] {
        let said = format!("the body does not fit at `{place}`: it takes {takes}, not {not}");
        assert_eq!(refusal(&body), said, "{body}");
    }
}

#[test]
fn an_unknown_field_is_named_with_its_whole_path() {
    let round = json!({"kind": "round", "raduis": 1});
    for (body, path) in [
        (json!({"lids": {"a": round}}), "lids.a.raduis"),
        (json!({"rows": [[], [round]]}), "rows[1][0].raduis"),
        (json!({"inner": {"lid": round}}), "inner.lid.raduis"),
    ] {
        let said =
            format!("the body does not fit at `{path}`: unknown field; did you mean `radius`?");
        assert_eq!(refusal(&body), said);
    }
    // The member that tells the kind is none of the kind's own fields.
    let lid = json!({"kind": "square", "width": 2});
    let given = json!({"project_name": "p", "crate_name": "c", "body": {"lid": lid}});
    assert!(request("put_crate", given).is_ok());
}

#[test]
fn a_body_that_may_be_left_out_is_left_out() {
    let names = json!({"project_name": "p", "crate_name": "c"});
    assert!(
        request("seal_crate", names.clone())
            .unwrap()
            .body()
            .is_none()
    );
    let error = request("put_crate", names).unwrap_err();
    assert_eq!(error.message(), "argument `body` is missing");
}

#[test]
fn a_hint_tells_what_is_known() {
    assert_eq!(hint("labl", &["label", "count"]), "; did you mean `label`?");
    assert_eq!(
        hint("zebra", &["label", "count"]),
        "; there are label, count"
    );
    assert_eq!(hint("zebra", &[]), "; there are none");
}

#[test]
fn a_skeleton_has_the_required_fields() {
    let skeleton = CRATES.entry("put_crate").unwrap().skeleton().unwrap();
    let expected = json!({
        "label": "<text>", "count": 0, "open": false, "made": "<time>", "any": {},
        "grade": "A|B", "sizes": [0], "tags": {}, "lid": {"kind": "round", "radius": 0},
        "inner": format!("<{}>", Ty::Named("Crate")), "pin": null,
    });
    assert_eq!(skeleton, expected);
    assert!(CRATES.entry("get_crate").unwrap().skeleton().is_none());
}
