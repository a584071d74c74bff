use serde_json::json;

use super::*;

fn document() -> Value {
    json!({
        "openapi": "3.0.2",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/a/{name}": {
                "get": {
                    "operationId": "one",
                    "parameters": [
                        {"name": "name", "in": "path", "required": true, "schema": {"type": "string"}},
                    ],
                    "responses": {"200": {
                        "description": "OK",
                        "content": {"application/json": {
                            "schema": {"$ref": "#/components/schemas/A"},
                            "example": {"$ref": "data, not a reference"},
                        }},
                    }},
                },
            },
        },
        "components": {"schemas": {
            "A": {"type": "object", "properties": {
                "$ref": {"type": "string"},
                "next": {"$ref": "#/components/schemas/A"},
            }},
        }},
    })
}

/// Changes one place of the document and returns the problems.
fn problems_after(pointer: &str, value: Value) -> Vec<String> {
    let mut root = document();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/");
    match root.pointer_mut(parent).expect("a parent") {
        Value::Array(items) => items.push(value),
        parent => {
            parent.as_object_mut().expect("object").insert(key, value);
        }
    }
    check(&root, "media")
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn a_sound_document_has_no_problem() {
    assert_eq!(check(&document(), "media"), []);
}

#[test]
fn what_else_stands_beside_operations_is_fine() {
    for (key, value) in [
        ("summary", json!("All of it")),
        ("x-note", json!(1)),
        ("x-get", json!({})),
    ] {
        let problems = problems_after(&format!("/paths/~1a~1{{name}}/{key}"), value);
        assert_eq!(problems, [""; 0], "{key}");
    }
}

#[test]
fn statuses_are_numbers_classes_or_the_default() {
    for (status, known) in [
        ("200", true),
        ("599", true),
        ("5XX", true),
        ("default", true),
        ("20", false),
        ("2000", false),
        ("2ab", false),
        ("XXX", false),
    ] {
        let pointer = format!("/paths/~1a~1{{name}}/get/responses/{status}");
        let problems = problems_after(&pointer, json!({"description": ""}));
        assert_eq!(problems.is_empty(), known, "{problems:?}");
    }
}

#[test]
fn examples_and_extensions_are_data() {
    for key in ["example", "examples", "x-note"] {
        let content =
            format!("/paths/~1a~1{{name}}/get/responses/200/content/application~1json/{key}");
        let problems = problems_after(&content, json!({"schema": 7}));
        assert_eq!(problems, [""; 0], "{key}");
    }
}

#[test]
fn references_are_followed_to_their_end() {
    let mut root = document();
    let get = &mut root["paths"]["/a/{name}"]["get"];
    get["parameters"] = json!([{"$ref": "#/components/parameters/Name"}]);
    root["components"]["parameters"] = json!({
        "Name": {"$ref": "#/components/parameters/Other"},
        "Other": {"name": "name", "in": "path", "required": true, "schema": {}},
    });
    assert_eq!(check(&root, "media"), []);
    let other = &mut root["components"]["parameters"]["Other"];
    *other = json!({"$ref": "#/components/parameters/Name"});
    let problems = check(&root, "media");
    assert!(problems[0].found.contains("without a parameter"));
}

#[test]
fn schemas_are_found_wherever_they_stand() {
    let content = |schema: Value| json!({"application/json": {"schema": schema}});
    for (section, value, rest) in [
        ("headers", json!({"schema": 7}), "/schema"),
        (
            "responses",
            json!({"description": "d", "content": content(json!(7))}),
            "/content/application~1json/schema",
        ),
    ] {
        let problems = problems_after(&format!("/components/{section}"), json!({"One": value}));
        let place = format!("at /components/{section}/One{rest}: found a number");
        assert!(
            problems.iter().any(|problem| problem.contains(&place)),
            "{problems:?}"
        );
    }
}

#[test]
fn a_schema_is_made_of_one_other_at_least() {
    for key in ["allOf", "oneOf", "anyOf", "prefixItems"] {
        let problems = problems_after("/components/schemas/B", json!({key: []}));
        let place = format!("at /components/schemas/B/{key}: found an array");
        assert!(
            problems.iter().any(|problem| problem.contains(&place)),
            "{problems:?}"
        );
    }
}

#[test]
fn each_problem_says_where_what_and_the_way_out() {
    let get = "/paths/~1a~1{name}/get";
    let schemas = "/components/schemas";
    let at = |pointer: &str, rest: &str| format!("{pointer}{rest}");
    for (pointer, value, said) in [
        (
            "/openapi".to_owned(),
            json!("3.2.0"),
            "media: at /openapi: found version \"3.2.0\"; accepted: \"3.0.x\" or \"3.1.x\"",
        ),
        ("/openapi".to_owned(), json!(3), "at /openapi: found 3"),
        (
            "/openapi".to_owned(),
            json!("3.0.x"),
            "at /openapi: found version \"3.0.x\"",
        ),
        (
            "/openapi".to_owned(),
            json!("3.1.x"),
            "at /openapi: found version \"3.1.x\"",
        ),
        (
            "/swagger".to_owned(),
            json!("2.0"),
            "at /swagger: found OpenAPI \"2.0\"; accepted: OpenAPI 3.0.x",
        ),
        (
            "/info".to_owned(),
            json!({"title": ""}),
            "at /info/title: found \"\"",
        ),
        (
            "/info".to_owned(),
            json!({"title": "T"}),
            "at /info: found no version field",
        ),
        ("/paths".to_owned(), json!([]), "at /paths: found an array"),
        (
            "/paths".to_owned(),
            json!({}),
            "at /paths: found no operation",
        ),
        (
            "/paths/b".to_owned(),
            json!({}),
            "at /paths/b: found path \"b\"",
        ),
        (
            "/paths/~1b{".to_owned(),
            json!({}),
            "each parameter as {name}",
        ),
        (
            "/paths/~1b~1{}".to_owned(),
            json!({}),
            "each parameter as {name}",
        ),
        (
            "/paths/~1b~1{{x}".to_owned(),
            json!({}),
            "each parameter as {name}",
        ),
        (
            "/paths/~1b".to_owned(),
            json!({"get": {"parameters": [
                {"name": "x", "in": "path", "required": true, "schema": {}},
            ]}}),
            "accepted: one of the path's: none here",
        ),
        (
            "/paths/~1a~1{other}".to_owned(),
            json!({}),
            "differs from \"/a/{name}\" in parameter names only",
        ),
        (at(get, "/operationId"), json!(1), "operationId: found 1"),
        (
            "/paths/~1a~1{name}/GET".to_owned(),
            json!({}),
            "an HTTP method in lower case",
        ),
        (
            "/paths/~1a~1{name}/put".to_owned(),
            json!({"operationId": "one"}),
            "{name}/put/operationId: found \"one\", which /paths/~1a~1{name}/get has too",
        ),
        (
            at(get, "/parameters"),
            json!([]),
            "found {name} in the path without a parameter",
        ),
        (
            at(get, "/parameters/1"),
            json!({"name": "x", "in": "path", "required": true, "schema": {}}),
            "\"x\", which the path does not have; accepted: one of the path's: name",
        ),
        (
            at(get, "/parameters/1"),
            json!({"name": "q", "in": "form", "schema": {}}),
            "parameters/1/in: found \"form\"",
        ),
        (
            at(get, "/parameters/1"),
            json!({"name": "q", "in": "query", "schema": {"type": "strnig"}}),
            "parameters/1/schema/type: found \"strnig\"",
        ),
        (
            at(get, "/parameters/1"),
            json!({"name": "q", "in": "query"}),
            "a parameter without schema",
        ),
        (
            at(get, "/requestBody"),
            json!({"content": {"json": {}}}),
            "found media type \"json\"",
        ),
        (
            at(get, "/requestBody"),
            json!({"content": {}}),
            "one media type at least",
        ),
        (
            at(get, "/responses"),
            json!({}),
            "an object of responses by status",
        ),
        (
            at(get, "/responses/600"),
            json!({"description": ""}),
            "found status \"600\"",
        ),
        (
            "/paths/~1a~1{name}/put".to_owned(),
            json!({"operationId": "two"}),
            "{name}/put/responses: found nothing",
        ),
        (
            at(get, "/responses/2XX"),
            json!({}),
            "responses/2XX: found no description",
        ),
        (
            at(get, "/security"),
            json!([{"nobody": []}]),
            "unknown security scheme \"nobody\"",
        ),
        (
            at(schemas, "/A"),
            json!({"$ref": "#/components/schemas/AB"}),
            "at /components/schemas/A/$ref: found a reference to nothing",
        ),
        (
            at(schemas, "/B"),
            json!({"$ref": "other.json#/A"}),
            "a reference out of the document",
        ),
        (
            at(schemas, "/B"),
            json!({"properties": {"b": {"$ref": 1}}}),
            "/components/schemas/B/properties/b/$ref: found 1",
        ),
        (
            at(schemas, "/B"),
            json!({"allOf": [{"$ref": "#/components/schemas/B"}]}),
            "a schema made of itself: B -> B",
        ),
        (
            at(schemas, "/B"),
            json!({"allOf": [{"$ref": "#/components/schemas/Gone"}]}),
            "B/allOf/0/$ref: found a reference to nothing",
        ),
        (
            at(schemas, "/B"),
            json!({"items": true}),
            "B/items: found a boolean; accepted: a schema object",
        ),
        (
            at(schemas, "/B"),
            json!({"required": [1]}),
            "an array of property names",
        ),
        (
            at(schemas, "/B"),
            json!({"type": "strnig"}),
            "B/type: found \"strnig\"; accepted: string",
        ),
        (
            at(schemas, "/B"),
            json!({"type": ["string", "null"]}),
            "nullable: true",
        ),
        (
            at(schemas, "/B"),
            json!({"type": "array"}),
            "an array without items",
        ),
        (
            at(schemas, "/B"),
            json!({"enum": []}),
            "B/enum: found an array",
        ),
        (
            at(schemas, "/B"),
            json!({"required": "x"}),
            "an array of property names",
        ),
        (
            at(schemas, "/B"),
            json!({"maxLength": -1}),
            "B/maxLength: found -1",
        ),
        (
            at(schemas, "/B"),
            json!({"oneOf": {}}),
            "B/oneOf: found an object",
        ),
        (
            at(schemas, "/B"),
            json!({"properties": {"x": 1}}),
            "B/properties/x: found a number; accepted: a schema object",
        ),
        (
            at(schemas, "/B"),
            json!({"oneOf": [{}], "discriminator": {"propertyName": "t", "mapping": {"x": "#/components/schemas/X"}}}),
            "discriminator/mapping/x: found a reference to nothing",
        ),
    ] {
        let problems = problems_after(&pointer, value);
        assert!(
            problems.iter().any(|problem| problem.contains(said)),
            "{pointer}: no {said:?} in {problems:#?}"
        );
    }
}

#[test]
fn cycles_through_all_of_are_found_once() {
    let mut root = document();
    root["components"]["schemas"] = json!({
        "A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
        "B": {"allOf": [{"type": "object"}, {"$ref": "#/components/schemas/C"}]},
        "C": {"$ref": "#/components/schemas/A"},
        "D": {"allOf": [{"$ref": "#/components/schemas/E"}, {"$ref": "#/components/schemas/F"}]},
        "E": {"allOf": [{"$ref": "#/components/schemas/F"}]},
        "F": {"type": "object", "properties": {"d": {"$ref": "#/components/schemas/D"}}},
    });
    let problems: Vec<_> = check(&root, "live")
        .iter()
        .map(Problem::to_string)
        .collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("A -> B -> C -> A"), "{problems:?}");
}

#[test]
fn a_reference_names_the_closest_known_one() {
    let problems = problems_after(
        "/components/schemas/B",
        json!({"$ref": "#/components/schemas/a"}),
    );
    assert!(
        problems[0].contains("a name under /components/schemas"),
        "{problems:?}"
    );
    let mut root = document();
    root["components"]["schemas"]["AssetSchema"] = json!({});
    root["components"]["schemas"]["B"] = json!({"$ref": "#/components/schemas/AssetShema"});
    let problems = check(&root, "media");
    assert!(
        problems[0].accepted.contains("\"AssetSchema\""),
        "{problems:?}"
    );
}

#[test]
fn version_3_1_may_say_more() {
    let mut root = document();
    root["openapi"] = json!("3.1.0");
    root["components"]["schemas"]["B"] = json!({
        "type": ["array", "null"], "prefixItems": [true, {"const": 1}],
    });
    root["paths"]["/b"] = json!({"get": {}});
    assert_eq!(check(&root, "channels"), []);
    for (schema, accepted) in [
        (json!({"type": []}), false),
        (json!({"type": ["strnig"]}), false),
        (json!({"type": ["string"]}), true),
    ] {
        root["components"]["schemas"]["B"] = schema;
        assert_eq!(
            check(&root, "channels").is_empty(),
            accepted,
            "{}",
            root["components"]
        );
    }
    // In OpenAPI 3.0, keywords beside a reference do not count.
    root["components"]["schemas"]["B"] = json!({"$ref": "#/components/schemas/A", "type": 7});
    assert_eq!(check(&root, "channels").len(), 1);
    let mut before = document();
    before["components"] = root["components"].take();
    assert_eq!(check(&before, "channels"), []);
}

#[test]
fn wrong_shapes_never_panic() {
    let odd = [
        json!(null),
        json!(1),
        json!("x"),
        json!([1]),
        json!({"$ref": "#/nowhere"}),
        json!({"": {}}),
    ];
    let mut pointers = Vec::new();
    fn all(value: &Value, pointer: &str, found: &mut Vec<String>) {
        found.push(pointer.to_owned());
        match value {
            Value::Object(object) => object
                .iter()
                .for_each(|(key, inner)| all(inner, &child(pointer, key), found)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, inner)| all(inner, &format!("{pointer}/{i}"), found)),
            _ => {}
        }
    }
    all(&document(), "", &mut pointers);
    for pointer in &pointers {
        for value in &odd {
            let mut root = document();
            *root.pointer_mut(pointer).expect("a place") = value.clone();
            // The check ends with any value; its messages are tested above.
            let _ = check(&root, "media");
        }
    }
    assert!(pointers.len() > 30);
}
