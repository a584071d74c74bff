use serde_json::json;

use super::*;

fn root(schemas: Value) -> Value {
    json!({"components": {"schemas": schemas}})
}

fn sampled(schema: Value) -> Vec<Value> {
    samples(&root(json!({})), &schema).expect("a value")
}

#[test]
fn first_only_what_is_required_then_all() {
    assert_eq!(
        sampled(json!({
            "type": "object",
            "required": ["name", "id"],
            "properties": {
                "id": {"type": "string", "readOnly": true},
                "name": {"type": "string", "maxLength": 3},
                "kind": {"type": "string", "enum": ["x", "y"]},
                "note": {"type": "string", "nullable": true},
                "many": {"type": "array", "minItems": 2, "uniqueItems": true,
                         "items": {"type": "string", "enum": ["p", "q"]}},
                "size": {"type": "integer", "minimum": 5, "maximum": 6},
                "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
            },
        })),
        [
            json!({"name": "nam"}),
            json!({"name": "nam", "kind": "x", "note": "note", "many": ["p", "q"], "size": 5,
                   "map": {"key1": true}}),
            json!({"name": "nam", "kind": "y", "note": "note", "many": ["q", "p"], "size": 5,
                   "map": {"key1": false}}),
        ]
    );
}

#[test]
fn nullable_fields_are_null_once() {
    let root = root(json!({"A": {"type": "object", "properties": {
        "note": {"type": "string", "nullable": true},
        "part": {"allOf": [{"$ref": "#/components/schemas/B"}], "nullable": true},
    }}, "B": {"type": "object", "properties": {"b": {"type": "number", "exclusiveMinimum": true, "minimum": 2}}}}));
    assert_eq!(
        samples(&root, &json!({"$ref": "#/components/schemas/A"})).expect("values"),
        [
            json!({}),
            json!({"note": "note", "part": {"b": 2.5}}),
            json!({"note": null, "part": null}),
        ]
    );
}

#[test]
fn each_variant_of_a_union_with_its_tag() {
    let variant = |field: &str, required: Value| {
        json!({"type": "object", "required": required, "additionalProperties": false, "properties": {
            "type": {"type": "string"}, field: {"type": "integer", "multipleOf": 4}}})
    };
    let root = root(json!({
        "A": variant("a", json!(["type", "a"])),
        "B": variant("b", json!(["type", "b"])),
        "C": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "required": ["c"],
              "properties": {"c": {"type": "integer"}}}]},
        "Base": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
    }));
    let union = json!({
        "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"},
                  {"$ref": "#/components/schemas/C"}],
        "discriminator": {"propertyName": "type", "mapping": {
            "#a": "#/components/schemas/A", "#b": "B", "#c": "#/components/schemas/C"}},
    });
    assert_eq!(
        samples(&root, &union).expect("values"),
        [
            json!({"type": "#a", "a": 4}),
            json!({"type": "#b", "b": 4}),
            json!({"type": "#c", "c": 1}),
        ]
    );
}

#[test]
fn schemas_that_contain_themselves_end() {
    let root = root(json!({
        "Tree": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"},
            "next": {"$ref": "#/components/schemas/Tree"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        }},
        "Endless": {"type": "object", "required": ["next"], "properties": {
            "next": {"$ref": "#/components/schemas/Endless"}}},
    }));
    let trees = samples(&root, &json!({"$ref": "#/components/schemas/Tree"})).expect("values");
    assert_eq!(trees.first(), Some(&json!({"name": "name"})));
    let error = samples(&root, &json!({"$ref": "#/components/schemas/Endless"})).expect_err("none");
    assert!(error.contains("Endless needs itself"), "{error}");
}

#[test]
fn what_has_no_value_is_an_error() {
    for schema in [
        json!({"type": "integer", "minimum": 3, "maximum": 2}),
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "^x$", "minLength": 5}}}),
        json!({"enum": []}),
        json!({"oneOf": []}),
    ] {
        assert!(samples(&root(json!({})), &schema).is_err(), "{schema}");
    }
}

#[test]
fn the_same_values_on_every_run() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "pattern": "^[a-z]{3}-\\d+$"}, "b": {"type": "string", "format": "date-time"}}});
    assert_eq!(
        serde_json::to_string(&sampled(schema.clone())).expect("JSON"),
        serde_json::to_string(&sampled(schema)).expect("JSON")
    );
}

#[test]
fn schemas_that_are_made_of_themselves_end() {
    let root = root(json!({"Loop": {"type": "object",
        "allOf": [{"$ref": "#/components/schemas/Loop"}],
        "properties": {"name": {"type": "string"}}}}));
    let all = samples(&root, &json!({"$ref": "#/components/schemas/Loop"})).expect("values");
    assert!(all.contains(&json!({"name": "name"})), "{all:?}");
}

#[test]
fn a_list_is_empty_only_where_it_may_be() {
    let list = |least| json!({"type": "array", "minItems": least, "items": {"enum": []}});
    assert_eq!(sampled(list(0)), [json!([])]);
    assert!(samples(&root(json!({})), &list(1)).is_err());
}

/// The rest of a value is as complete as without it.
#[test]
fn what_may_be_left_out_is_left_out_where_it_has_no_value() {
    let kind = json!({"enum": ["x", "y"]});
    let list = |least| json!({"type": "array", "minItems": least, "items": {"enum": []}});
    let map = |least| json!({"type": "object", "minProperties": least, "additionalProperties": {"enum": []}});
    let of = |odd: Value, required: Value| {
        sampled(json!({"required": required, "properties": {"odd": odd, "kind": kind}}))
    };
    let both = [json!({"kind": "x"}), json!({"kind": "y"})];
    assert_eq!(of(list(1), json!([])), [&[json!({})], &both[..]].concat());
    assert_eq!(of(map(1), json!([])), [&[json!({})], &both[..]].concat());
    for (odd, empty) in [(list(0), json!([])), (map(0), json!({}))] {
        let made = of(odd, json!(["odd"]));
        let all = [
            json!({"odd": empty}),
            json!({"odd": empty, "kind": "x"}),
            json!({"odd": empty, "kind": "y"}),
        ];
        assert_eq!(made, all);
    }
    // Of a union, another variant is taken.
    for odd in [list(1), map(1)] {
        let union = json!({"oneOf": [odd, {"type": "boolean"}]});
        let made = of(union, json!(["odd"]));
        assert!(
            made.contains(&json!({"odd": true, "kind": "x"})),
            "{made:?}"
        );
    }
}

#[test]
fn unions_count_wherever_they_stand() {
    let values = [1, 2, 3].map(|value| json!({"const": value}));
    let all = [1, 2, 3].map(Value::from);
    assert_eq!(sampled(json!({"allOf": [{"oneOf": values}]})), all);
    let list = sampled(json!({"type": "array", "items": {"anyOf": values}}));
    assert_eq!(list, [json!([]), json!([1]), json!([2]), json!([3])]);
}

#[test]
fn other_keywords_tell_a_type_that_is_missing() {
    for (schema, is) in [
        (
            json!({"maxLength": 3}),
            Value::is_string as fn(&Value) -> bool,
        ),
        (json!({"pattern": "^x$"}), Value::is_string),
        (json!({"items": {"type": "string"}}), Value::is_array),
        (json!({"title": "T"}), Value::is_object),
        (json!({"type": ["null", "integer"]}), Value::is_i64),
    ] {
        let all = sampled(schema.clone());
        assert!(all.iter().any(is), "{schema}: {all:?}");
    }
}
