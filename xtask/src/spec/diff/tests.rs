use serde_json::json;

use super::change::Change;
use super::*;

/// A document with one operation that sends and reads `Thing`.
fn document(thing: Value) -> Value {
    json!({
        "openapi": "3.0.2",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things/{name}": {"put": {
            "parameters": [
                {"name": "name", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "$top", "in": "query", "schema": {"type": "integer"}},
            ],
            "x-mkio-sort": ["name"],
            "x-mkio-capability": ["a.b.get"],
            "requestBody": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Thing"},
            }}},
            "responses": {
                "200": {"description": "", "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Thing"},
                }}},
                "404": {"description": ""},
            },
        }}},
        "components": {"schemas": {"Thing": thing}},
    })
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| {
            let ways: String = change
                .directions
                .iter()
                .map(|way| way.name().get(2..3).unwrap_or_default())
                .collect();
            let place = change
                .place
                .replace("#/components/schemas/", "")
                .replace("/properties/", ".");
            format!(
                "{} {place} [{ways}]: {}",
                change.level.name(),
                change.message
            )
        })
        .collect()
}

/// Changes when `Thing` goes from one schema to another. `q` is a request, `s` a response.
fn thing(old: Value, new: Value) -> Vec<String> {
    lines(&compare(&document(old), &document(new)))
}

/// Changes when the operation is edited.
fn edited(edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let old = document(object(json!({})));
    let mut new = old.clone();
    edit(&mut new);
    lines(&compare(&old, &new))
}

const PUT: &str = "/paths/~1things~1{name}/put";

#[test]
fn nothing_changed_says_nothing() {
    let root = document(object(
        json!({"next": {"$ref": "#/components/schemas/Thing"}}),
    ));
    assert_eq!(compare(&root, &root), []);
    let text = report::text(&root, &root, &[]);
    assert_eq!(text, "T 1 -> T 1: 0 breaking, 0 compatible\n");
}

#[test]
fn fields_have_a_direction() {
    let text = json!({"type": "string"});
    assert_eq!(
        thing(
            object(json!({"a": text, "gone": text, "id": {"type": "string", "readOnly": true}})),
            object(json!({"a": text, "new": text, "id": text})),
        ),
        [
            "breaking Thing.gone [qs]: field removed",
            "compatible Thing.id [q]: field added",
            "compatible Thing.new [qs]: field added",
        ]
    );
    let with = |required: Value| json!({"type": "object", "properties": {"a": text, "b": text}, "required": required});
    assert_eq!(
        thing(with(json!(["a"])), with(json!(["b"]))),
        [
            "breaking Thing.a [s]: now optional",
            "breaking Thing.b [q]: now required",
            "compatible Thing.a [q]: now optional",
            "compatible Thing.b [s]: now required",
        ]
    );
    assert_eq!(
        thing(object(json!({})), with(json!(["a"]))),
        [
            "breaking Thing.a [q]: required field added",
            "compatible Thing.a [s]: field added",
            "compatible Thing.b [qs]: field added",
        ]
    );
}

#[test]
fn values_types_formats_and_limits() {
    assert_eq!(
        thing(
            object(json!({"e": {"type": "string", "enum": ["x", "y"]}})),
            object(json!({"e": {"type": "string", "enum": ["y", "z"]}})),
        ),
        [
            "breaking Thing.e [qs]: value \"x\" removed",
            "compatible Thing.e [qs]: value \"z\" added",
        ]
    );
    assert_eq!(
        thing(
            object(
                json!({"a": {"type": "string"}, "t": {"type": "string"}, "n": {"type": "string"}})
            ),
            object(
                json!({"a": {"type": "integer"}, "t": {"type": "string", "format": "uuid"}, "n": {"type": "string", "nullable": true}})
            ),
        ),
        [
            "breaking Thing.a [qs]: type changed from string to integer",
            "breaking Thing.n [s]: may be null now",
            "breaking Thing.t [qs]: format changed from none to uuid",
            "compatible Thing.n [q]: may be null now",
        ]
    );
    assert_eq!(
        thing(
            object(
                json!({"s": {"type": "string", "maxLength": 9, "minLength": 2, "pattern": "a"}})
            ),
            object(
                json!({"s": {"type": "string", "maxLength": 8, "minLength": 1, "pattern": "b"}})
            ),
        ),
        [
            "breaking Thing.s [q]: maxLength changed from 9 to 8",
            "breaking Thing.s [q]: pattern changed from \"a\" to \"b\"",
            "compatible Thing.s [q]: minLength changed from 2 to 1",
        ]
    );
}

#[test]
fn both_ways_to_write_a_schema_are_the_same() {
    for (old, new) in [
        (
            json!({"type": "string", "nullable": true}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": "string", "enum": ["x"]}),
            json!({"const": "x"}),
        ),
        (
            json!({"allOf": [{"$ref": "#/components/schemas/Thing"}], "nullable": true}),
            json!({"oneOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]}),
        ),
        (
            object(json!({"x": {"type": "string"}})),
            json!({"allOf": [{"properties": {"x": {"type": "string"}}}]}),
        ),
    ] {
        let changes = thing(object(json!({"a": old})), object(json!({"a": new})));
        assert!(changes.is_empty(), "{old} {new}: {changes:?}");
    }
}

#[test]
fn unions_lists_and_maps_are_followed() {
    let union = |tags: Value, other: &str| {
        let mut root = document(json!({
            "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
            "discriminator": {"propertyName": "t", "mapping": tags},
        }));
        root["components"]["schemas"]["A"] = object(json!({
            "t": {"type": "string"},
            "list": {"type": "array", "items": {"type": other}},
            "map": {"type": "object", "additionalProperties": {"type": other}},
            "self": {"$ref": "#/components/schemas/A"},
        }));
        root["components"]["schemas"]["B"] = object(json!({"t": {"type": "string"}}));
        root
    };
    let old = union(
        json!({"one": "#/components/schemas/A", "two": "#/components/schemas/B"}),
        "string",
    );
    let new = union(
        json!({"one": "#/components/schemas/A", "three": "#/components/schemas/B"}),
        "number",
    );
    assert_eq!(
        lines(&compare(&old, &new)),
        [
            "breaking A.list/items [qs]: type changed from string to number",
            "breaking A.map/additionalProperties [qs]: type changed from string to number",
            "breaking Thing [qs]: variant two removed",
            "compatible Thing [qs]: variant three added",
        ]
    );
}

#[test]
fn operations_are_matched_by_method_and_path() {
    assert_eq!(
        edited(|root| {
            let item = root["paths"]["/things/{name}"].take();
            root["paths"] = json!({
                "/things/{thing}": item,
                "/new": {"get": {"responses": {"200": {"description": ""}}}},
            });
            root["paths"]["/things/{thing}"]["put"]["parameters"][0]["name"] = json!("thing");
        }),
        [
            "breaking PUT /things/{thing} []: path parameter name renamed to thing",
            "compatible GET /new []: operation added",
        ]
    );
    assert_eq!(
        edited(|root| {
            let operation = root["paths"]["/things/{name}"]["put"].take();
            root["paths"]["/things/{name}"] = json!({"post": operation});
        }),
        [
            "breaking PUT /things/{name} []: operation removed",
            "compatible POST /things/{name} []: operation added",
        ]
    );
}

#[test]
fn what_an_operation_takes_and_gives() {
    let changes = edited(|root| {
        let put = root.pointer_mut(PUT).expect("operation");
        put["deprecated"] = json!(true);
        put["x-mkio-sort"] = json!(["created"]);
        put["x-mkio-capability"] = json!(["a.b.create"]);
        put["parameters"][1] = json!(
            {"name": "$top", "in": "query", "required": true, "schema": {"type": "string"}});
        put["parameters"]
            .as_array_mut()
            .expect("list")
            .extend([
                json!({"name": "force", "in": "query", "required": true, "schema": {"type": "boolean"}}),
                json!({"name": "dry", "in": "query", "schema": {"type": "boolean"}}),
            ]);
        put["requestBody"]["required"] = json!(true);
        let content = put["requestBody"]["content"]
            .as_object_mut()
            .expect("object");
        content.insert(
            "text/plain".to_owned(),
            json!({"schema": {"type": "string"}}),
        );
        put["responses"] = json!({
            "201": {"description": ""},
            "409": {"description": ""},
        });
    });
    let put = "PUT /things/{name}";
    assert_eq!(
        changes,
        [
            format!("breaking {put} []: required capability a.b.create added"),
            format!("breaking {put} []: required query parameter force added"),
            format!("breaking {put} []: response 200 removed"),
            format!("breaking {put} []: sortable field name removed"),
            format!("breaking {put} body []: now required"),
            format!("breaking {put} query parameter $top []: now required"),
            format!("breaking {put} query parameter $top [q]: type changed from integer to string"),
            format!("compatible {put} []: required capability a.b.get removed"),
            format!("compatible {put} []: deprecated"),
            format!("compatible {put} []: optional query parameter dry added"),
            format!("compatible {put} []: response 201 added"),
            format!("compatible {put} []: response 409 added"),
            format!("compatible {put} []: response 404 removed"),
            format!("compatible {put} []: sortable field created added"),
            format!("compatible {put} body []: media type text/plain added"),
        ]
    );
}

#[test]
fn a_new_name_of_a_type_breaks_code() {
    let changes = edited(|root| {
        let text = root.to_string().replace("schemas/Thing", "schemas/Item");
        *root = serde_json::from_str(&text).expect("JSON");
        root["components"]["schemas"]["Item"] = object(json!({"a": {"type": "string"}}));
    });
    assert_eq!(
        changes,
        [
            "breaking Item []: type renamed from Thing",
            "compatible Item.a [qs]: field added",
        ]
    );
}

#[test]
fn recursive_unions_end() {
    let root = |kind: &str| {
        let mut root = document(json!({
            "oneOf": [{"$ref": "#/components/schemas/Thing"}, {"$ref": "#/components/schemas/B"}],
            "discriminator": {"propertyName": "t"},
        }));
        root["components"]["schemas"]["B"] = json!({"oneOf": [
            {"$ref": "#/components/schemas/Thing"}, {"type": "array", "items": {"type": kind}},
        ]});
        root
    };
    assert_eq!(
        lines(&compare(&root("string"), &root("number"))),
        ["breaking B/oneOf/array/items [qs]: type changed from string to number"]
    );
}

#[test]
fn json_and_text_say_the_same() {
    let old = document(object(json!({"a": {"type": "string"}})));
    let new = document(object(json!({})));
    let changes = compare(&old, &new);
    let report: Value =
        serde_json::from_str(&report::json(&old, &new, &changes).expect("prints")).expect("JSON");
    assert_eq!(report["breaking"], json!(1));
    assert_eq!(
        report["changes"],
        json!([{
            "level": "breaking",
            "place": "#/components/schemas/Thing/properties/a",
            "kind": "field-removed",
            "message": "field removed",
            "directions": ["request", "response"],
        }])
    );
    assert_eq!(
        report::text(&old, &new, &changes),
        "T 1 -> T 1: 1 breaking, 0 compatible\n\
         breaking    #/components/schemas/Thing/properties/a: field removed (request, response)\n"
    );
}

#[test]
fn the_exit_status_tells_when_it_should() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str, root: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, root.to_string()).expect("writes");
        path
    };
    let old = path(
        "old.json",
        &document(object(json!({"a": {"type": "string"}}))),
    );
    let new = path("new.json", &document(object(json!({}))));
    let broken = path("broken.json", &json!({"openapi": "3.0.2"}));
    let status = |old: &PathBuf, new: &PathBuf, deny_breaking| {
        let args = DiffArgs {
            old: old.clone(),
            new: new.clone(),
            format: Format::Text,
            deny_breaking,
        };
        format!("{:?}", run(&args).expect("runs"))
    };
    let (success, failure) = (
        format!("{:?}", ExitCode::SUCCESS),
        format!("{:?}", ExitCode::FAILURE),
    );
    assert_eq!(status(&old, &new, true), failure);
    assert_eq!(status(&old, &new, false), success);
    assert_eq!(status(&new, &old, true), success);
    assert_eq!(status(&new, &broken, false), failure);
}
