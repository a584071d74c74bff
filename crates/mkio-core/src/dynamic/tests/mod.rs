//! Calls by name over a small catalog.

mod bodies;
mod crates;
mod edits;
mod masks;
mod schema;
mod waits;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::*;
use crate::{ErrorKind, Operation, Page, Response, Transport, page::script::Script};

static LIST: Operation = Operation {
    id: "list_things",
    api: "media",
    method: Method::GET,
    path: "/api/v1/projects/{project_name}/media/things",
    request_body: None,
    streams: false,
};

static PUT: Operation = Operation {
    id: "create_or_update_thing",
    api: "media",
    method: Method::PUT,
    path: "/api/v1/projects/{project_name}/media/things/{name}",
    request_body: Some("application/json"),
    streams: false,
};

#[derive(Deserialize, Serialize)]
struct Thing {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

#[derive(Deserialize, Serialize)]
struct Part {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

static TYPES: &[Type] = &[
    Type {
        name: "Lock",
        docs: "",
        shape: Shape::Object(
            &[
                ObjectField::new("kind", Ty::Text, "", &[Mark::Required]),
                ObjectField::new("password", Ty::Text, "", &[Mark::Secret]),
            ],
            None,
        ),
    },
    Type {
        name: "Part",
        docs: "",
        shape: Shape::Union("kind", &[("lock", "Lock"), ("plain", "Plain")]),
    },
    Type {
        name: "Plain",
        docs: "",
        shape: Shape::Object(&[ObjectField::new("kind", Ty::Text, "", &[])], None),
    },
    Type {
        name: "Thing",
        docs: "",
        shape: Shape::Object(
            &[
                ObjectField::new("name", Ty::Text, "", &[Mark::Immutable]),
                ObjectField::new("key", Ty::Text, "", &[Mark::Secret]),
                ObjectField::new("parts", Ty::List(&Ty::Named("Part")), "", &[]),
                ObjectField::new("within", Ty::Named("Thing"), "", &[]),
            ],
            Some(Ty::Named("Lock")),
        ),
    },
    Type {
        name: "ThingList",
        docs: "",
        shape: Shape::Object(&[ObjectField::new("value", THINGS, "", &[])], None),
    },
    Type {
        name: "ThingPut",
        docs: "",
        shape: Shape::Object(
            &[
                ObjectField::new("name", Ty::Text, "", &[Mark::Immutable]),
                ObjectField::new("key", Ty::Text, "", &[Mark::Secret]),
                ObjectField::new("parts", Ty::List(&Ty::Named("Part")), "", &[]),
            ],
            None,
        ),
    },
];

const THINGS: Ty = Ty::List(&Ty::Named("Thing"));

static ENTRIES: &[Entry] = &[
    Entry {
        parameters: &[
            Parameter::path("project_name", "project_name", ""),
            Parameter::path("name", "name", ""),
        ],
        body: Some(Body::of::<Thing>(Ty::Named("ThingPut"), true)),
        response: ResponseBody::json::<Thing>(Ty::Named("Thing")),
        write: Some(Write::Upsert),
        ..Entry::new(&PUT, &["thing", "put"], "Puts a thing.\n\nMore.", TYPES)
    },
    Entry {
        parameters: &[
            Parameter::path("project_name", "project_name", ""),
            Parameter::new(Place::Query, "$top", "top", Ty::Unsigned, "", false),
            Parameter::new(Place::Query, "$filter", "filter", Ty::Text, "", false),
            Parameter::new(
                Place::Query,
                "$label",
                "label",
                Ty::List(&Ty::Text),
                "",
                false,
            ),
        ],
        response: ResponseBody::json::<Value>(Ty::Named("ThingList")),
        item: Some(Ty::Named("Thing")),
        ..Entry::new(&LIST, &["thing", "list"], "", TYPES)
    },
];

static CATALOG: Catalog = Catalog {
    api: "media",
    entries: ENTRIES,
    types: TYPES,
    resources: &[],
    actions: &[],
};

fn transport() -> Transport {
    let builder = Transport::builder().anonymous().base_url("https://h");
    builder.build().unwrap()
}

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn request(operation: &str, given: Value) -> crate::Result<reqwest::Request> {
    let entry = CATALOG.entry(operation)?;
    entry.request(&transport(), &arguments(given))
}

fn refusal(operation: &str, given: Value) -> String {
    let error = request(operation, given).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    error.to_string()
}

#[test]
fn arguments_become_a_request() {
    let given = json!({"project_name": "p q", "$top": "5", "$label": ["a", "b"]});
    let list = request("list_things", given).unwrap();
    assert_eq!(
        list.url().as_str(),
        "https://h/api/v1/projects/p%20q/media/things?%24top=5&%24label=a&%24label=b"
    );
    let body = json!({"name": "x", "parts": [{"kind": "lock"}]});
    let put = request(
        "create_or_update_thing",
        json!({"project_name": "p", "name": "n", "body": body}),
    );
    let put = put.unwrap();
    let sent = put.body().and_then(reqwest::Body::as_bytes).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(sent).unwrap(), body);
}

#[test]
fn what_is_unknown_is_refused_with_the_nearest_name() {
    let list = |given: Value| {
        let mut all = given;
        all["project_name"] = json!("p");
        refusal("list_things", all)
    };
    let text = list(json!({"$fitler": "x"}));
    assert!(
        text.contains("`$fitler`") && text.contains("did you mean `$filter`?"),
        "{text}"
    );
    assert!(list(json!({"Top": 1})).contains("`$top`"));
    assert!(list(json!({"$top": "many"})).contains("integer from 0"));
    assert!(list(json!({"body": {}})).contains("unknown argument `body`"));
    assert!(refusal("list_things", json!({})).contains("`project_name` is missing"));
    let text = refusal("list_thngs", json!({}));
    assert!(text.contains("`list_things`"), "{text}");
    let put = |body: Value| {
        let all = json!({"project_name": "p", "name": "n", "body": body});
        refusal("create_or_update_thing", all)
    };
    let text = put(json!({"nmae": 1}));
    assert!(
        text.contains("`nmae`") && text.contains("did you mean `name`?"),
        "{text}"
    );
    let text = put(json!({"parts": [{"kidn": "lock"}]}));
    assert!(text.contains("parts[0]"), "{text}");
    let text = put(json!({"parts": [{"kind": "lock", "pasword": "geheim"}]}));
    assert!(
        text.contains("parts[0].pasword") && text.contains("`password`"),
        "{text}"
    );
    assert!(!text.contains("geheim"), "{text}");
}

#[test]
fn secrets_and_fixed_fields_are_found_and_hidden() {
    let entry = CATALOG.entry("create_or_update_thing").unwrap();
    assert_eq!(
        entry.secrets(),
        ["/*/password", "/key", "/parts/*/password"]
    );
    assert_eq!(entry.immutable(), ["/name"]);
    let mut thing = json!({
        "key": "geheim", "name": "n", "other": {"password": "geheim"}, "new": 1,
        "parts": [{"kind": "lock", "password": "geheim"}, {"kind": "odd", "password": "geheim"}],
        "within": {"key": "geheim", "parts": null},
    });
    entry.mask(&mut thing);
    assert!(!thing.to_string().contains("geheim"), "{thing}");
    assert_eq!((&thing["name"], &thing["new"]), (&json!("n"), &json!(1)));
    let mut nothing = json!({"key": null});
    entry.mask(&mut nothing);
    assert_eq!(nothing, json!({"key": null}));
    let list = CATALOG.entry("list_things").unwrap();
    let mut page = json!({"value": [{"key": "geheim"}]});
    list.mask(&mut page);
    assert_eq!(page, json!({"value": [{"key": "***"}]}));
}

#[test]
fn responses_hide_secrets_and_keep_what_no_type_knows() {
    let entry = CATALOG.entry("create_or_update_thing").unwrap();
    let raw = r#"{"name":"n","key":"geheim","tomorrow":1}"#;
    let known = json!({"name": "n", "key": "geheim"});
    let response = DynamicResponse::new(known, entry);
    let response = Response::new(
        response,
        http::StatusCode::OK,
        http::HeaderMap::new(),
        raw.into(),
    );
    assert!(!format!("{response:?}").contains("geheim"));
    assert_eq!(
        response.json_masked(),
        json!({"name": "n", "key": "***", "tomorrow": 1})
    );
    assert_eq!(response.json()["key"], "geheim");
}

#[test]
fn any_list_is_a_page() {
    let page = |value: Value| serde_json::from_value::<AnyPage>(value).unwrap();
    let listed = page(json!({
        "value": [1, 2], "other": [3], "@odata.nextLink": "x", "supplemental": {"pagination": {"total": 7}}
    }));
    assert_eq!(
        (listed.items().len(), listed.next_link(), listed.total()),
        (2, Some("x"), Some(7))
    );
    assert_eq!(page(json!({"keys": [1], "n": 1})).items().len(), 1);
    assert_eq!(page(json!([1, 2, 3])).items().len(), 3);
    assert_eq!(page(json!({"value": null})).items().len(), 0);
}

#[test]
fn an_edit_carries_over_what_no_type_knows_and_checks_what_is_new() {
    let entry = CATALOG.entry("create_or_update_thing").unwrap();
    let raw = r#"{"name":"n","tomorrow":1}"#;
    let response = DynamicResponse::new(json!({"name": "n"}), entry);
    let read = Response::new(
        response,
        http::StatusCode::OK,
        http::HeaderMap::new(),
        raw.into(),
    );
    let names = arguments(json!({"project_name": "p", "name": "n"}));
    let edit = |change: fn(&mut Value)| {
        entry.edited(&transport(), &names, &read, |value| {
            change(value);
            Ok(())
        })
    };
    assert!(edit(|_| {}).unwrap().is_none());
    let request = edit(|value| value["parts"] = json!([{"kind": "plain"}]))
        .unwrap()
        .unwrap();
    let sent = request.body().and_then(reqwest::Body::as_bytes).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(sent).unwrap(),
        json!({"name": "n", "tomorrow": 1, "parts": [{"kind": "plain"}]})
    );
    let error = edit(|value| value["nmae"] = json!("x")).unwrap_err();
    assert!(error.to_string().contains("`name`"), "{error}");
}

#[test]
fn the_nearest_name_is_one_that_was_meant() {
    assert_eq!(nearest("asets", ["assets", "jobs"]), Some("assets"));
    assert_eq!(
        nearest("project-name", ["project_name"]),
        Some("project_name")
    );
    assert_eq!(nearest("zebra", ["assets", "jobs"]), None);
}

#[tokio::test(start_paused = true)]
async fn pages_go_on_at_their_token() {
    let script = Script::new(|seen| {
        let next = match seen.parameter("$skiptoken") {
            None => json!("/api/v1/projects/p/media/things?$skiptoken=2"),
            Some(_) => Value::Null,
        };
        let name = seen.parameter("$skiptoken").unwrap_or("1");
        let items = json!([{"name": name, "tomorrow": 1}, {"name": "last"}]);
        Ok(json!({"value": items, "@odata.nextLink": next}).to_string())
    });
    let transport = script.transport();
    let list = CATALOG.entry("list_things").unwrap();
    let given = arguments(json!({"project_name": "p"}));
    let mut items = list.pages(&transport, &given).unwrap().items().limit(1);
    assert_eq!(
        items.try_next().await.unwrap().unwrap(),
        json!({"name": "1", "tomorrow": 1})
    );
    let place = items.resume_token();
    let rest = list.pages(&transport, &given).unwrap().resume(&place);
    let rest: Vec<Value> = rest.items().try_collect().await.unwrap();
    let names: Vec<_> = rest.iter().map(|item| item["name"].as_str()).collect();
    assert_eq!(names, [Some("last"), Some("2"), Some("last")]);
    let put = CATALOG.entry("create_or_update_thing").unwrap();
    let error = put.pages(&transport, &given).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}
