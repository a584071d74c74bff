//! The reports of changes of a surface, a document or a state.

use serde_json::{Value, json};

use super::*;
use crate::document::reference;

const OLD: &str = "\
Things 1
# What is implied: -> nothing

OPERATIONS
get_thing(id: String) -> Thing
    GET /things/{id}
    optional top: u32, labels: BTreeMap<String, String>
list_things() -> ThingList
    GET /things
    items of Thing
put_thing(id: String, body: ThingPut) -> Thing
    PUT /things/{id}
    body ThingPut as application/json

WAITS
Client::wait_for_thing(id: String) -> Wait<Thing, State>
    default ready
    goals ready, stopped

FIELDS OF LISTS
fields::things
    NAME: Text, sort, filter

TYPES
struct Thing read
    name: Option<String>
    size: Option<i64>
    state() -> StateRef<State>
struct ThingPut written
    id: Option<String> (read only)
    name: Option<String>
    new(name: String)
    from_json
    from Name, Parts
    try from &Thing
enum Kind
    Big = \"Big\"
";

fn texts(changes: &[Change]) -> Vec<String> {
    let text = |change: &Change| {
        let mark = if change.breaking { "!" } else { " " };
        format!("{mark}{}", change.text)
    };
    changes.iter().map(text).collect()
}

/// A line, its form in the newer surface, and the report.
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "    size: Option<i64>\n",
        "",
        &["!struct Thing: gone: size: Option<i64>"],
    ),
    (
        "<i64>",
        "<f64>",
        &["!struct Thing: was size: Option<i64>: now size: Option<f64>"],
    ),
    (
        "\"Big\"\n",
        "\"Big\"\n    Small = \"Small\"\n",
        &[" enum Kind: new: Small = \"Small\""],
    ),
    (
        "top: u32, ",
        "top: u32, skip: u32, ",
        &[" get_thing: new: optional skip: u32"],
    ),
    ("top: u32, ", "", &["!get_thing: gone: optional top: u32"]),
    (
        "get_thing(id: String)",
        "get_thing(id: String, skip: u32)",
        &[
            "!get_thing: was get_thing(id: String) -> Thing: now get_thing(id: String, skip: u32) -> Thing",
        ],
    ),
    (
        "list_things() -> ThingList\n    GET /things\n    items of Thing\n",
        "",
        &["!list_things: gone: list_things() -> ThingList"],
    ),
    (
        "    items of Thing\n",
        "",
        &["!list_things: gone: items of Thing"],
    ),
    (
        "GET /things\n",
        "POST /things\n",
        &["!list_things: was GET /things: now POST /things"],
    ),
    (
        "TYPES\n",
        "TYPES\nstruct Other read\n    a: String\n",
        &[" struct Other: new: struct Other"],
    ),
    (
        "BTreeMap<String, String>\n",
        "BTreeMap<String, u32>\n",
        &[
            "!get_thing: was optional labels: BTreeMap<String, String>: now optional labels: BTreeMap<String, u32>",
        ],
    ),
    (
        "BTreeMap<String, String>\n",
        "BTreeMap<String, String>, more: u32\n",
        &[" get_thing: new: optional more: u32"],
    ),
    (
        "    body ThingPut as application/json\n",
        "    optional body ThingPut as application/json\n",
        &[
            "!put_thing: was body ThingPut as application/json: now optional body ThingPut as application/json",
        ],
    ),
    (
        "    NAME: Text, sort, filter\n",
        "    NAME: Text, sort, filter\n    SIZE_2: Text, sort\n",
        &[" fields::things: new: SIZE_2: Text"],
    ),
    (
        "\"Big\"\n",
        "\"Big\"\n    A = \"A\"\n    B = \"B\"\n",
        &[" enum Kind: new: A = \"A\"", " enum Kind: new: B = \"B\""],
    ),
    (
        "    new(name: String)\n",
        "    new(title: String)\n",
        &["!struct ThingPut: was new(name: String): now new(title: String)"],
    ),
    (
        "# What is implied: -> nothing\n",
        "# Said otherwise: -> nothing\n",
        &[],
    ),
    // No caller sets the fields of a type that is only read.
    (
        "    size: Option<i64>\n",
        "    size: Option<i64> (read only)\n",
        &[],
    ),
    (
        "ready, stopped",
        "ready",
        &["!Client::wait_for_thing: gone: goals stopped"],
    ),
    (
        "ready, stopped",
        "ready, stopped, done",
        &[" Client::wait_for_thing: new: goals done"],
    ),
    (
        "default ready",
        "default stopped",
        &["!Client::wait_for_thing: was default ready: now default stopped"],
    ),
    (
        "Text, sort, filter",
        "Text, filter",
        &["!fields::things: gone: NAME to sort"],
    ),
    (
        "Text, sort",
        "Time, sort",
        &["!fields::things: was NAME: Text: now NAME: Time"],
    ),
    (
        "struct Thing read",
        "struct Thing",
        &["!struct Thing: gone: read"],
    ),
    (
        "struct Thing read",
        "struct Thing read written",
        &[
            " struct Thing: new: written",
            " struct Thing: new: with_name",
            " struct Thing: new: with_size",
        ],
    ),
    (
        "name: Option<String>\n    new",
        "name: Option<String> (read only)\n    new",
        &["!struct ThingPut: gone: with_name"],
    ),
    (" (read only)", "", &[" struct ThingPut: new: with_id"]),
    (
        "new(name: String)",
        "new(name: String).url(String)",
        &["!struct ThingPut: was new(name: String): now new(name: String).url(String)"],
    ),
    (
        "    from_json\n",
        "",
        &["!struct ThingPut: gone: from_json"],
    ),
    (
        "from Name, Parts",
        "from Parts",
        &["!struct ThingPut: gone: from Name"],
    ),
    (
        "    try from &Thing\n",
        "",
        &["!struct ThingPut: gone: try from &Thing"],
    ),
    (
        "    state() -> StateRef<State>\n",
        "",
        &["!struct Thing: gone: state() -> StateRef<State>"],
    ),
];

#[test]
fn what_goes_or_changes_is_breaking_and_what_comes_is_not() {
    assert!(changes(OLD, OLD).is_empty());
    for (from, to, expected) in CASES {
        assert!(OLD.contains(from), "{from}");
        let mut found = texts(&changes(OLD, &OLD.replacen(from, to, 1)));
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{from:?} to {to:?}");
    }
}

/// A resource with all kinds of generated code.
fn sources() -> (Value, Value) {
    let path = "/api/v1/projects/{project_name}/media/things";
    let text = json!({"type": "string"});
    let named = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": text});
    let json = |schema: Value| json!({"description": "", "content": {"application/json": {"schema": schema}}});
    let both = json!([named("project_name"), named("thing_name")]);
    let thing = || reference("Thing");
    let document = json!({
        "openapi": "3.0.2",
        "info": {"title": "Things", "version": "1.0"},
        "paths": {
            path: {"get": {
                "operationId": "listThings",
                "parameters": [named("project_name")],
                "responses": {"200": json(reference("ThingList"))},
                "x-mkio-sort": ["name"], "x-mkio-filter": ["name", "state"],
            }},
            format!("{path}/{{thing_name}}"): {
                "get": {"operationId": "getThing", "parameters": both, "responses": {"200": json(thing())}},
                "put": {
                    "operationId": "createOrUpdateThing", "parameters": both,
                    "requestBody": {"required": true, "content": {"application/json": {"schema": reference("ThingPut")}}},
                    "responses": {"200": json(thing()), "201": json(thing())},
                },
                "delete": {"operationId": "deleteThing", "parameters": both, "responses": {"200": {"description": ""}}},
            },
            format!("{path}/{{thing_name}}/start"): {
                "post": {"operationId": "startThing", "parameters": both, "responses": {"200": {"description": ""}}},
            },
        },
        "components": {"schemas": {
            "Thing": {"type": "object", "properties": {
                "id": text, "current": {"type": "string", "enum": ["Stopped", "Running", "Failed"]}, "spec": reference("Spec"),
            }},
            "ThingPut": {"type": "object", "required": ["spec"], "properties": {"spec": reference("Spec")}},
            "Spec": {"type": "object", "properties": {"url": text, "input": {
                "oneOf": [reference("InputFile"), reference("InputUrl")],
                "discriminator": {"propertyName": "type", "mapping": {
                    "File": "#/components/schemas/InputFile", "Url": "#/components/schemas/InputUrl",
                }},
            }}},
            "InputFile": {"type": "object", "required": ["type"], "properties": {"type": text, "path": text}},
            "InputUrl": {"type": "object", "required": ["type"], "properties": {"type": text, "path": text}},
            "ThingList": {"type": "object", "properties": {
                "@odata.nextLink": text, "value": {"type": "array", "items": thing()},
            }},
        }},
    });
    let states = json!({"media.thing": {
        "model": "Thing", "item": "get_thing", "params": ["project_name", "thing_name"], "name_param": "thing_name",
        "pointer": "/current", "type": "ThingCurrent",
        "states": {"Stopped": "steady", "Running": "success", "Failed": "failure"},
        "goals": {"running": {"states": ["Running"]}, "stopped": {"states": ["Stopped"]}},
        "timeout": 60, "poll": [1, 5],
        "actions": {"start_thing_and_wait": {"operation": "start_thing", "goal": "running"}},
        "delete": "delete_thing",
    }});
    (document, states)
}

fn surface_of(sources: &(Value, Value)) -> String {
    let api = crate::passes::testing::api();
    let sources = Sources {
        document: sources.0.to_string(),
        overlay: None,
        states: sources.1.to_string(),
    };
    let (mut files, mut report) = (Files::default(), Report::default());
    pipeline::single_crate(&api, &sources, &mut files, &mut report).unwrap();
    files.get("spec/surface/media.txt").unwrap().to_owned()
}

/// The path of the resource.
const ITEM: &str = "/paths/~1api~1v1~1projects~1{project_name}~1media~1things~1{thing_name}";

/// Parts that are removed from the states or the document, by pointer and key; and the report.
const LOSSES: &[(&str, &str, bool, &str)] = &[
    (
        "",
        "media.thing",
        true,
        "!ProjectClient::wait_for_thing: gone: ",
    ),
    (
        "/media.thing/actions",
        "start_thing_and_wait",
        true,
        "!ProjectClient::start_thing_and_wait: gone: ",
    ),
    (
        "/media.thing",
        "delete",
        true,
        "!ProjectClient::delete_thing_and_wait: gone: ",
    ),
    (
        "/media.thing/goals",
        "stopped",
        true,
        "!ProjectClient::wait_for_thing: gone: goals stopped",
    ),
    ("", "media.thing", true, "!struct Thing: gone: state() -> "),
    (ITEM, "put", false, "!ProjectClient::edit_thing: gone: "),
    (
        "/paths/~1api~1v1~1projects~1{project_name}~1media~1things/get/x-mkio-filter",
        "state",
        false,
        "!fields::things: gone: STATE: Text",
    ),
    (
        "/paths/~1api~1v1~1projects~1{project_name}~1media~1things/get/x-mkio-filter",
        "name",
        false,
        "!fields::things: gone: NAME to filter",
    ),
    (
        "/paths/~1api~1v1~1projects~1{project_name}~1media~1things/get/x-mkio-sort",
        "name",
        false,
        "!fields::things: gone: NAME to sort",
    ),
    (
        "/components/schemas/ThingPut/required",
        "spec",
        false,
        "!struct ThingPut: gone: from Spec",
    ),
    (
        ITEM,
        "get",
        false,
        "!struct ThingPut: gone: try from &Thing",
    ),
    (
        "/components/schemas/Spec/properties",
        "url",
        false,
        "!struct Spec: gone: url: ",
    ),
    (
        "/components/schemas/ThingList/properties",
        "value",
        false,
        "!list_things: gone: items of Thing",
    ),
];

/// A part that a document or a state loses is reported with all code that was made of it.
#[test]
fn each_kind_of_loss_is_breaking() {
    let old = surface_of(&sources());
    let lost = |pointer: &str, key: &str, in_states: bool| {
        let mut less = sources();
        let part = if in_states { &mut less.1 } else { &mut less.0 };
        let holder = part
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}"));
        match holder {
            Value::Array(list) => list.retain(|value| value != key),
            holder => {
                let map = holder.as_object_mut().unwrap();
                assert!(map.remove(key).is_some(), "{pointer} {key}");
            }
        }
        texts(&changes(&old, &surface_of(&less)))
    };
    for (pointer, key, in_states, expected) in LOSSES {
        let found = if *key == "get" {
            // A wait needs the operation that reads.
            let mut less = sources();
            let item = less.0.pointer_mut(ITEM).and_then(Value::as_object_mut);
            item.unwrap().remove("get");
            less.1 = json!({});
            texts(&changes(&old, &surface_of(&less)))
        } else {
            lost(pointer, key, *in_states)
        };
        assert!(
            found.iter().any(|change| change.starts_with(expected)),
            "{expected}: {found:#?}\n{old}"
        );
    }
}

#[test]
fn breaking_changes_may_be_denied() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let (document, states) = sources();
    let api = "- {name: media, title: T, about: a, prefix: 'projects/{}/media'}\n";
    write("spec/apis.yaml", api);
    write("spec/states.yaml", &states.to_string());
    write("spec/media.json", &document.to_string());
    let workspace = Workspace::open(Some(folder.path())).unwrap();
    let mut less = document.clone();
    let schemas = less["components"]["schemas"].as_object_mut().unwrap();
    let spec = schemas["Spec"]["properties"].as_object_mut().unwrap();
    spec.shift_remove("url").unwrap();
    for (newer, deny_breaking, code) in [
        (&document, true, ExitCode::SUCCESS),
        (&less, false, ExitCode::SUCCESS),
        (&less, true, ExitCode::FAILURE),
    ] {
        let args = DiffArgs {
            api: "media".to_owned(),
            file: write("newer.json", &newer.to_string()),
            deny_breaking,
        };
        assert_eq!(run(&workspace, &args).unwrap(), code);
    }
}

#[test]
fn what_a_union_loses_and_what_turns_read_only_is_breaking() {
    let old = surface_of(&sources());
    let mut less = sources();
    let spec = less
        .0
        .pointer_mut("/components/schemas/Spec/properties")
        .unwrap();
    spec["url"]["readOnly"] = json!(true);
    spec["input"]["oneOf"].as_array_mut().unwrap().pop();
    spec["input"]["discriminator"]["mapping"]
        .as_object_mut()
        .unwrap()
        .remove("Url");
    let found = texts(&changes(&old, &surface_of(&less)));
    for expected in ["!struct Spec: gone: with_url", "!union SpecInput: gone: "] {
        assert!(
            found.iter().any(|change| change.starts_with(expected)),
            "{expected}: {found:#?}\n{old}"
        );
    }
}
