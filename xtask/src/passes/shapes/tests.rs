use super::*;
use crate::passes::testing;

fn both(schema: Value) -> (Value, Vec<String>) {
    let mut results = ["3.0.2", "3.1.0"].map(|version| {
        let mut document = testing::with_schemas(json!({
            "S": schema,
            "E": {"type": "string", "enum": ["a"]},
            "A": {"properties": {"kind": {"const": "a"}, "x": {"type": "string"}}},
            "B": {"properties": {"kind": {"type": "string", "enum": ["b"]}}},
        }));
        document.root["openapi"] = json!(version);
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        assert!(
            document.root["openapi"]
                .as_str()
                .unwrap()
                .starts_with("3.0")
        );
        let pointers = changes.warnings().iter().map(|w| w.pointer.clone());
        (document.schema("S").unwrap().clone(), pointers.collect())
    });
    assert_eq!(results[0], results[1], "the same in both versions");
    std::mem::take(&mut results[0])
}

fn is(schema: Value, expected: Value) {
    assert_eq!(both(schema), (expected, Vec::new()));
}

fn warns(schema: Value, pointer: &str, expected: Value) {
    assert_eq!(both(schema), (expected, vec![pointer.to_owned()]));
}

#[test]
fn null_becomes_nullable() {
    is(
        json!({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}),
        json!({"nullable": true, "type": "string", "maxLength": 3}),
    );
    is(
        json!({"type": ["integer", "null"]}),
        json!({"nullable": true, "type": "integer"}),
    );
    // An enum that may be null is the enum that may not, where it may.
    is(
        json!({"type": ["string", "null"], "enum": ["a", null]}),
        json!({"nullable": true, "type": "string", "enum": ["a"]}),
    );
    is(
        json!({"oneOf": [{"type": "null"}, {"type": "string", "enum": ["a"]}]}),
        json!({"nullable": true, "type": "string", "enum": ["a"]}),
    );
}

#[test]
fn an_enum_or_any_string_is_the_open_enum() {
    let e = json!({"$ref": "#/components/schemas/E"});
    is(
        json!({"anyOf": [e, {"type": "string"}, {"type": "null"}]}),
        json!({"nullable": true, "$ref": "#/components/schemas/E"}),
    );
    is(
        json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "string"}]}),
        json!({"type": "string", "enum": ["a"]}),
    );
    // A structure or a string is none.
    let a = json!({"$ref": "#/components/schemas/A"});
    warns(
        json!({"anyOf": [a, {"type": "string"}]}),
        "/components/schemas/S/anyOf",
        json!({}),
    );
}

#[test]
fn constants_are_an_enum() {
    is(
        json!({"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}, {"const": null}]}),
        json!({"nullable": true, "type": "string", "enum": ["a", "b"]}),
    );
    is(
        json!({"const": "SDI"}),
        json!({"type": "string", "enum": ["SDI"]}),
    );
    for (value, kind) in [(json!(3), "number"), (json!(true), "boolean")] {
        is(
            json!({"const": value}),
            json!({"type": kind, "enum": [value]}),
        );
    }
    is(json!({"const": {}}), json!({}));
    is(json!({"enum": [null]}), json!({"nullable": true}));
    is(
        json!({"enum": [-1, 2]}),
        json!({"enum": [-1, 2], "type": "integer"}),
    );
    is(
        json!({"enum": ["a", "b"]}),
        json!({"enum": ["a", "b"], "type": "string"}),
    );
    is(
        json!({"enum": [1, 2]}),
        json!({"enum": [1, 2], "type": "integer"}),
    );
    warns(
        json!({"type": "string", "enum": [1, "b", false]}),
        "/components/schemas/S/enum",
        json!({"type": "string", "enum": ["1", "b", "false"]}),
    );
    warns(
        json!({"enum": [1, "b"]}),
        "/components/schemas/S/enum",
        json!({}),
    );
}

#[test]
fn members_that_tell_themselves_apart_get_their_discriminator() {
    let members = json!([{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]);
    is(
        json!({"oneOf": members}),
        json!({"oneOf": members, "discriminator": {"propertyName": "kind"}}),
    );
}

#[test]
fn a_mixed_union_is_any_json_and_said_so() {
    let mixed = json!({"anyOf": [{"type": "string"}, {"type": "object"}], "description": "d"});
    warns(
        mixed,
        "/components/schemas/S/anyOf",
        json!({"description": "d"}),
    );
    is(
        json!({"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]}),
        json!({"type": "string"}),
    );
    is(
        json!({"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}]}),
        json!({"type": "object", "properties": {"a": {}}}),
    );
    let union = "/components/schemas/S/anyOf";
    let members = json!([{"type": "string"}, {"type": "object"}]);
    warns(
        json!({"properties": {"a": {}}, "anyOf": members}),
        union,
        json!({"properties": {"a": {}}}),
    );
    warns(
        json!({"properties": {"a": {}}, "anyOf": [{"type": "integer"}, {"type": "number"}]}),
        union,
        json!({"properties": {"a": {}}}),
    );
    warns(
        json!({"type": "object", "anyOf": members}),
        union,
        json!({}),
    );
    warns(
        json!({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        union,
        json!({}),
    );
    warns(
        json!({"anyOf": [{"type": "string", "nullable": true}, {"type": "integer"}]}),
        union,
        json!({}),
    );
}

#[test]
fn members_of_one_kind_are_that_kind() {
    is(
        json!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "integer"}]}),
        json!({"type": "integer"}),
    );
    is(
        json!({"anyOf": [{"type": "integer"}, {"type": "number"}]}),
        json!({"type": "number"}),
    );
    // Its own words count more than those of a member.
    is(
        json!({"description": "own", "anyOf": [{"type": "string", "description": "member"}, {"type": "null"}]}),
        json!({"description": "own", "nullable": true, "type": "string"}),
    );
}

#[test]
fn what_is_said_in_another_way_is_counted() {
    let mut changes = Changes::default();
    let text = json!({"type": "string"});
    let schemas = json!({"A": {"type": ["string", "null"]}, "B": text, "C": text});
    run(testing::with_schemas(schemas), &mut changes);
    assert_eq!(changes.notes(), ["1 schemas said in one way"]);
}

#[test]
fn the_words_of_json_schema_become_those_of_3_0() {
    is(
        json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]}),
        json!({"type": "array", "items": {}}),
    );
    is(
        json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]}),
        json!({"type": "array", "items": {"type": "number"}}),
    );
    is(
        json!({"type": "string", "examples": ["a", "b"]}),
        json!({"type": "string", "example": "a"}),
    );
    is(
        json!({"type": "number", "exclusiveMinimum": 2}),
        json!({"type": "number", "minimum": 2, "exclusiveMinimum": true}),
    );
    is(
        json!({"type": "object", "patternProperties": {"^x": {"type": "string"}}, "if": {}, "then": {}}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
    );
    is(
        json!({"properties": {"a": true, "b": {"items": true, "type": "array"}}}),
        json!({"properties": {"a": {}, "b": {"items": {}, "type": "array"}}}),
    );
}
