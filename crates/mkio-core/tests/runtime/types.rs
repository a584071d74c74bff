//! The types that several APIs share.

use std::collections::BTreeMap;

use mkio_core::{Timestamp, types::*};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn written(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// A map of these pairs.
fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs.map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

fn texts(metadata: &Metadata) -> [Option<&str>; 9] {
    [
        metadata.created().map(Timestamp::as_str),
        metadata.created_by(),
        metadata.created_by_email(),
        metadata.display_name(),
        metadata.id(),
        metadata.name(),
        metadata.updated().map(Timestamp::as_str),
        metadata.updated_by(),
        metadata.updated_by_email(),
    ]
}

#[test]
fn metadata_is_told_member_by_member() {
    let metadata: Metadata = read(json!({
        "created": "2026-03-01T00:00:00Z", "createdBy": "ann", "createdByEmail": "ann@h",
        "displayName": "Intro", "id": "i-1", "labels": {"a": "b"}, "name": "intro",
        "updated": "2026-03-02T00:00:00Z", "updatedBy": "bob", "updatedByEmail": "bob@h",
    }));
    let expected = [
        "2026-03-01T00:00:00Z",
        "ann",
        "ann@h",
        "Intro",
        "i-1",
        "intro",
        "2026-03-02T00:00:00Z",
        "bob",
        "bob@h",
    ];
    assert_eq!(texts(&metadata), expected.map(Some));
    assert_eq!(metadata.labels(), &map(&[("a", "b")]));
    let unset = Metadata::default();
    assert_eq!(texts(&unset), [None; 9]);
    assert_eq!(unset.labels(), &map(&[]));
}

#[test]
fn an_error_body_is_told_member_by_member() {
    let error: Error = read(json!({
        "error": {"code": "NotFound", "detail": "no asset", "extraDetail": {"name": "intro"}},
        "ref": "r-1",
        "status": 404,
    }));
    let detail = error.error();
    assert_eq!((error.ref_(), error.status()), (Some("r-1"), Some(404)));
    assert_eq!(
        (detail.code(), detail.detail()),
        (Some("NotFound"), Some("no asset"))
    );
    assert_eq!(detail.extra_detail()["name"], "intro");
    let unset = Error::default();
    assert_eq!((unset.ref_(), unset.status()), (None, None));
    assert_eq!((unset.error().code(), unset.error().detail()), (None, None));
    assert!(unset.error().extra_detail().is_empty());
}

#[test]
fn what_comes_with_a_list_is_told_member_by_member() {
    let told: ListResponseSupplemental = read(json!({
        "count": 5, "kind": "assets", "operation": "list",
        "pagination": {"start": 20, "end": 25, "records": 6, "total": 77},
        "subscription": {"id": "p-1", "name": "acme"},
    }));
    let numbers = |told: &ListResponseSupplemental| {
        let page = told.pagination();
        [
            told.count(),
            page.start(),
            page.end(),
            page.records(),
            page.total(),
        ]
    };
    fn texts(told: &ListResponseSupplemental) -> [Option<&str>; 4] {
        let project = told.subscription();
        [told.kind(), told.operation(), project.id(), project.name()]
    }
    assert_eq!(numbers(&told), [5, 20, 25, 6, 77].map(Some));
    assert_eq!(texts(&told), ["assets", "list", "p-1", "acme"].map(Some));
    let unset = ListResponseSupplemental::default();
    assert_eq!((numbers(&unset), texts(&unset)), ([None; 5], [None; 4]));
}

#[test]
fn the_state_of_a_resource_is_told() {
    let state: ResourceState = read(json!({"status": {"state": "Running"}}));
    assert_eq!(state.status().state(), Some("Running"));
    assert_eq!(ResourceState::default().status().state(), None);
}

#[test]
fn what_is_set_is_sent_and_nothing_else() {
    let labels = [("a", "b")];
    let metadata = DefaultMetadata::new("old")
        .with_labels(labels)
        .with_display_name("new");
    assert_eq!(metadata.display_name(), Some("new"));
    assert_eq!(metadata.labels(), &map(&labels));
    let patch = DefaultPatchMetadata::new()
        .with_labels(labels)
        .with_display_name("new");
    let named = json!({"displayName": "new", "labels": {"a": "b"}});
    assert_eq!((written(metadata), written(patch)), (named.clone(), named));
    assert_eq!(written(DefaultPatchMetadata::new()), json!({}));
    let unset = DefaultMetadata::default();
    assert_eq!(
        (unset.display_name(), unset.labels()),
        (None, &BTreeMap::new())
    );

    let place = Geolocation::new([1.0, 2.0]).with_coordinates([3.5, -4.5]);
    assert_eq!(place.coordinates(), [3.5, -4.5]);
    assert!(Geolocation::default().coordinates().is_empty());
    let patch = GeolocationPatch::new().with_coordinates([3.5, -4.5]);
    assert_eq!(written(patch), json!({"coordinates": [3.5, -4.5]}));
}

#[test]
fn a_step_of_a_json_patch_is_put_together() {
    let step = JsonPatchEntry::new(JsonPatchOp::Add, "/a")
        .with_value(json!([7]))
        .with_search("x")
        .with_path("/b")
        .with_op(JsonPatchOp::StringReplace);
    assert_eq!(step.op(), Some(&JsonPatchOp::StringReplace));
    assert_eq!((step.path(), step.search()), (Some("/b"), Some("x")));
    assert_eq!(step.value(), Some(&json!([7])));
    assert_eq!(
        written(step),
        json!({"op": "stringReplace", "path": "/b", "search": "x", "value": [7]})
    );
    let unset = JsonPatchEntry::default();
    assert_eq!((unset.op(), unset.path()), (None, None));
    assert_eq!((unset.search(), unset.value()), (None, None));
}
