//! Secrets are hidden wherever they stand, and nothing else is.

use serde_json::{Value, json};

use super::crates::CRATES;
use crate::dynamic::{AnyPage, DynamicResponse, Entry};

fn entry(id: &str) -> &'static Entry {
    CRATES.entry(id).unwrap()
}

#[test]
fn texts_that_repeat_a_secret_hide_it_too() {
    let mut body = json!({
        "keys": {"first": ["geheim-1", {"second": "geheim-1-and-2"}]},
        "note": "see geheim-1, geheim-1-and-2",
        "grid": ["geheim-1", 1],
        "any": {"deep": {"er": "xgeheim-1x"}},
        "label": "plain",
    });
    entry("put_crate").mask_body(&mut body);
    let expected = json!({
        "keys": "***",
        // The longer one went first: nothing is left of it.
        "note": "see ***, ***",
        "grid": ["***", 1],
        "any": {"deep": {"er": "x***x"}},
        "label": "plain",
    });
    assert_eq!(body, expected);
}

#[test]
fn short_secrets_are_looked_for_nowhere_else() {
    let hidden = |pin: &str| {
        let mut body = json!({"pin": pin, "note": format!("at {pin}")});
        entry("put_crate").mask_body(&mut body);
        assert_eq!(body["pin"], "***");
        body["note"].as_str().unwrap().to_owned()
    };
    assert_eq!(hidden("12345"), "at 12345");
    assert_eq!(hidden("123456"), "at ***");
}

#[test]
fn a_field_that_is_secret_in_one_kind_is_shown_in_another() {
    let mut body = json!({"lids": {
        "a": {"kind": "round", "code": "c"},
        "b": {"kind": "square", "code": "c"},
        "c": {"kind": "tomorrow", "code": "c"},
    }});
    entry("put_crate").mask(&mut body);
    let codes: Vec<&Value> = ["a", "b", "c"]
        .map(|lid| &body["lids"][lid]["code"])
        .to_vec();
    assert_eq!(codes, ["***", "c", "***"]);
}

#[test]
fn an_item_of_a_list_hides_its_secrets() {
    let mut item = json!({"radius": 1, "code": "c"});
    entry("weigh_crate").mask_item(&mut item);
    assert_eq!(item, json!({"radius": 1, "code": "***"}));
    let mut response = json!([{"code": "c"}]);
    entry("weigh_crate").mask(&mut response);
    assert_eq!(response, json!([{"code": "***"}]));
}

#[test]
fn the_places_of_secrets_are_known() {
    let put = entry("put_crate");
    let expected = [
        "/keys",
        "/lid/code",
        "/lids/*/code",
        "/pin",
        "/rows/*/*/code",
    ];
    assert_eq!(put.body_secrets(), expected);
    assert_eq!(put.secrets(), expected);
    assert_eq!(put.immutable(), [""; 0]);
    assert_eq!(entry("weigh_crate").secrets(), ["/*/code"]);
    assert_eq!(entry("weigh_crate").body_secrets(), [""; 0]);
}

#[test]
fn debug_shows_what_is_no_secret() {
    let value = json!({"label": "plain", "keys": "geheim"});
    let response = DynamicResponse::new(value.clone(), entry("put_crate"));
    let shown = format!("{response:?}");
    assert!(shown.contains("plain") && shown.contains("***"), "{shown}");
    assert!(!shown.contains("geheim"), "{shown}");
    assert_eq!(response.value(), &value);
    assert_eq!(response.entry().id(), "put_crate");
    assert_eq!(response.into_value(), value);
    let page: AnyPage = serde_json::from_value(json!(["geheim", "geheim"])).unwrap();
    assert_eq!(format!("{page:?}"), "AnyPage { items: 2, total: None, .. }");
}
