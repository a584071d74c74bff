use serde_json::json;

use super::*;
use crate::{code::without_spaces, passes::testing::with_schemas};

fn code(schema: serde_json::Value) -> String {
    code_of(&with_schemas(json!({"S": schema})))
}

fn code_of(document: &Document) -> String {
    let model = Model::new(document);
    let code = run(
        document,
        &model,
        &Occurrences::of(&model),
        &States::default(),
        &mut Changes::default(),
    )
    .unwrap();
    let items = code.into_iter().flat_map(|(_, items)| items).collect();
    prettyplease::unparse(&crate::code::file(items))
}

fn has(text: &str, lines: &[&str]) {
    let bare = without_spaces(text);
    for line in lines {
        assert!(bare.contains(&without_spaces(line)), "{line} in:\n{text}");
    }
}

#[test]
fn fields_get_their_states() {
    let text = code(json!({"x-mkio-written": true, "properties": {
        "aList": {"type": "array", "items": {"type": "string"}},
        "note": {"type": "string", "x-mkio-nullable": true},
        "password": {"type": "string", "x-mkio-secret": true},
        "any": {},
    }, "additionalProperties": true}));
    has(
        &text,
        &[
            "pub a_list: Option<Vec<String>>,",
            "pub note: Nullable<String>,",
            "pub password: Option<Secret<String>>,",
            "pub any: Option<Value>,",
            "#[serde(flatten)]",
            "pub extra: ::serde_json::Map<String, Value>,",
            "#[non_exhaustive]",
            "rename = \"aList\"",
        ],
    );
    // Nothing reads it.
    assert!(!text.contains("(&self)"), "{text}");
}

#[test]
fn numbers_and_lists_are_read_tolerantly_beside_further_entries() {
    let text = code(
        json!({"x-mkio-written": true, "x-mkio-read": true, "properties": {
        "size": {"type": "integer"}, "name": {"type": "string"},
        "rate": {"type": "number", "x-mkio-nullable": true},
    }, "additionalProperties": {"type": "integer"}}),
    );
    let lenient = "deserialize_with = \"::mkio_core::glue::lenient\"";
    let none = "skip_serializing_if = \"Option::is_none\"";
    has(
        &text,
        &[
            &format!("#[serde(default, {lenient}, {none})] pub size: Option<i64>,"),
            &format!("#[serde({none})] pub name: Option<String>,"),
            &format!(
                "#[serde({lenient}, default, skip_serializing_if = \"Nullable::is_absent\")] pub rate: Nullable<f64>,"
            ),
            "#[serde(flatten)] pub extra: BTreeMap<String, i64>,",
        ],
    );
}

#[test]
fn of_a_list_nothing_is_needed_but_items_and_link() {
    let mut document = crate::passes::testing::with_paths(json!({"/a": {"get": {
        "operationId": "list_a",
        "responses": {"2XX": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S"}}}}},
    }}}));
    document.root["components"]["schemas"] = json!({"S": {"x-mkio-read": true, "properties": {
        "value": {"type": "array", "items": {"type": "string"}},
        "nextLink": {"type": "string"}, "total": {"type": "integer"}, "note": {"type": "string"},
    }}});
    has(
        &code_of(&document),
        &[
            "0 => self.value = map.next_value()?",
            "1 => self.next_link = map.next_value()?",
            "2 => self.total = ::mkio_core::glue::next_lenient(map)?",
            "3 => self.note = ::mkio_core::glue::next_or_none(map)?",
        ],
    );
}

/// Types of the document, as fields of one of them.
fn with_parts(fields: serde_json::Value) -> String {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let mut all = json!({
        "text": {"type": "string"}, "number": {"type": "integer"}, "map": {"type": "object"},
        "texts": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "lines": {"type": "array", "items": {"type": "string"}}, "config": {"type": "object"},
        "a": reference("A"), "again": reference("A"), "b": reference("B"), "c": reference("C"),
    });
    let names = fields.as_array().unwrap();
    all.as_object_mut()
        .unwrap()
        .retain(|name, _| names.contains(&json!(name)));
    let part = json!({"x-mkio-written": true, "x-mkio-read": true, "properties": {"x": {"type": "string"}}});
    code_of(&with_schemas(json!({
        "S": {"x-mkio-written": true, "required": fields, "x-mkio-required": fields, "properties": all},
        "A": part, "B": part, "C": part,
    })))
}

#[test]
fn two_parts_of_one_type_are_named() {
    has(
        &with_parts(json!(["a", "again", "b"])),
        &["pub fn new(b: impl Into<B>) -> SNeedsA", "-> SNeedsAgain"],
    );
    has(
        &with_parts(json!(["texts", "lines", "map", "config"])),
        &["pub fn new() -> SNeedsTexts", "-> SNeedsConfig"],
    );
}

#[test]
fn parts_of_one_type_without_a_value_of_their_own_are_refused() {
    let part = json!({"$ref": "#/components/schemas/T"});
    let document = with_schemas(json!({
        "S": {
            "x-mkio-written": true, "required": ["left", "right"], "x-mkio-required": ["left", "right"],
            "properties": {"left": part, "right": part},
        },
        "T": {
            "x-mkio-written": true, "required": ["x"], "x-mkio-required": ["x"],
            "properties": {"x": {"type": "string"}},
        },
    }));
    let model = Model::new(&document);
    let made = run(
        &document,
        &model,
        &Occurrences::of(&model),
        &States::default(),
        &mut Changes::default(),
    );
    let problem = made.err().unwrap();
    assert_eq!(problem.pointer, "/components/schemas/S");
    assert!(problem.found.contains("\"left\""), "{problem}");
}

#[test]
fn what_is_demanded_and_may_be_null_is_sent_as_null() {
    let text = code(json!({"x-mkio-written": true, "required": ["note"],
        "properties": {"note": {"type": "string", "x-mkio-nullable": true}},
    }));
    has(&text, &["pub note: Option<String>"]);
    assert!(!text.contains("skip_serializing_if"), "{text}");
}

#[test]
fn many_arguments_are_allowed_where_clippy_would_mind() {
    let mut fields = vec!["text", "number", "map", "texts", "numbers", "a", "b", "c"];
    assert!(with_parts(json!(fields)).contains("too_many_arguments"));
    fields.pop();
    assert!(!with_parts(json!(fields)).contains("too_many_arguments"));
}

#[test]
fn what_has_to_hold_something_is_absent_rather_than_empty() {
    let text = code_of(&with_schemas(json!({
        "S": {"x-mkio-read": true, "properties": {"t": {"$ref": "#/components/schemas/T"}}},
        "T": {"x-mkio-read": true, "required": ["x"], "properties": {"x": {"type": "string"}}},
    })));
    has(&text, &["pub fn t(&self) -> Option<&T>"]);
}

#[test]
fn what_is_read_has_a_method_for_each_field() {
    let text = code(json!({"x-mkio-read": true, "properties": {
        "text": {"type": "string"},
        "items": {"type": "array", "items": {"type": "string"}},
        "byName": {"type": "object", "additionalProperties": {"type": "integer"}},
        "any": {"type": "object"},
        "size": {"type": "integer"},
        "time": {"type": "string", "format": "date-time"},
        "default": {"type": "boolean"},
        "same": {"$ref": "#/components/schemas/S"},
    }}));
    has(
        &text,
        &[
            "pub fn text(&self) -> Option<&str>",
            "pub fn items(&self) -> &[String]",
            "pub fn by_name(&self) -> &BTreeMap<String, i64>",
            "pub fn any(&self) -> &::serde_json::Map<String, Value>",
            "pub fn size(&self) -> Option<i64>",
            "pub fn time(&self) -> Option<&Timestamp>",
            "pub fn default(&self) -> Option<bool>",
            "pub fn same(&self) -> &S",
        ],
    );
    assert!(!text.contains("pub fn with_"), "{text}");
}

#[test]
fn what_is_written_has_setters_by_value() {
    let text = code(
        json!({"x-mkio-written": true, "x-mkio-read": true, "properties": {
            "type": {"type": "string"}, "default": {"type": "boolean"},
            "fixed": {"type": "string", "readOnly": true},
        }}),
    );
    has(
        &text,
        &[
            "#[must_use]\n    pub fn with_type(mut self, value: impl Into<String>) -> Self {",
            "pub fn type_(&self) -> Option<&str>",
            "pub fn with_default(mut self, value: bool) -> Self {",
            "/// Creates an empty `S`.",
        ],
    );
    assert!(!text.contains("with_fixed"), "{text}");
}

#[test]
fn arguments_of_one_kind_are_named() {
    let text = code(json!({"x-mkio-written": true,
        "required": ["audience", "size", "issuer", "time"],
        "x-mkio-required": ["size", "audience", "issuer", "time"],
        "properties": {
            "audience": {"type": "string"}, "issuer": {"type": "string"}, "size": {"type": "integer"},
            "time": {"type": "string", "format": "date-time"},
        },
    }));
    has(
        &text,
        &[
            "pub fn new(size: impl Into<i64>) -> SNeedsAudience {",
            "impl SNeedsAudience { /// Sets [`audience`](S#structfield.audience). pub fn audience(mut self, value: impl Into<String>) -> SNeedsIssuer {",
            "-> SNeedsTime {",
            "#[must_use] pub fn time(mut self, value: impl Into<Timestamp>) -> S {",
        ],
    );
}

#[test]
fn flags_are_named_also_alone() {
    let text = code(json!({"x-mkio-written": true, "x-mkio-read": true,
        "x-mkio-required": ["on", "name"], "properties": {
            "on": {"type": "boolean"}, "name": {"type": "string"},
            "quiet": {"type": "boolean", "x-mkio-empty": true},
            "loud": {"type": "boolean", "x-mkio-empty": true},
        },
    }));
    has(
        &text,
        &[
            "pub fn new(name: impl Into<String>) -> SNeedsOn {",
            "pub fn on(mut self, value: bool) -> S {",
            "`quiet` and `loud` are false",
            "quiet: Some(Default::default()),",
        ],
    );
}

#[test]
fn a_range_is_positional_with_its_start_first() {
    let text = code(json!({"x-mkio-written": true,
        "required": ["endTime", "startTime"], "x-mkio-required": ["endTime", "name", "startTime"],
        "properties": {
            "startTime": {"type": "string", "format": "date-time"}, "name": {"type": "string"},
            "endTime": {"type": "string", "format": "date-time"},
        },
    }));
    has(
        &text,
        &[
            "pub fn new( start_time: impl Into<Timestamp>, end_time: impl Into<Timestamp>, ) -> SNeedsName {",
        ],
    );
}

#[test]
fn a_range_of_plain_texts_is_named() {
    let text = code(json!({"x-mkio-written": true, "x-mkio-read": true,
        "x-mkio-required": ["endDate", "startDate"],
        "properties": {"endDate": {"type": "string"}, "startDate": {"type": "string"}},
    }));
    has(
        &text,
        &[
            "pub fn new() -> SNeedsStartDate {",
            "pub fn start_date(mut self, value: impl Into<String>) -> SNeedsEndDate {",
        ],
    );
}

#[test]
fn maps_of_any_content_are_made_of_pairs() {
    let text = code(json!({"x-mkio-written": true,
        "required": ["name", "config"], "x-mkio-required": ["name", "config"],
        "properties": {"name": {"type": "string"}, "config": {"type": "object"}, "more": {"type": "object"}},
    }));
    let pairs = "impl IntoIterator<Item = (impl Into<String>, impl Into<Value>)>";
    has(
        &text,
        &[
            &format!("config: {pairs}"),
            &format!("pub fn with_more( mut self, value: {pairs}, ) -> Self"),
        ],
    );
}

#[test]
fn what_may_start_empty_is_sent_and_not_asked_for() {
    let text = code(
        json!({"x-mkio-written": true, "x-mkio-read": true, "x-mkio-required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "outputs": {"type": "array", "items": {"type": "string"}, "x-mkio-empty": true},
        }}),
    );
    has(
        &text,
        &[
            "Creates `S` from its required fields; `outputs` is empty, all others are unset.",
            "pub fn new(name: impl Into<String>) -> Self {",
            "outputs: Some(Default::default()),",
        ],
    );
}

#[test]
fn setters_of_a_patch_say_what_happens_to_lists_and_maps() {
    let text = code(
        json!({"x-mkio-written": true, "x-mkio-patch": true, "properties": {
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "routes": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string", "x-mkio-nullable": true},
        }}),
    );
    has(
        &text,
        &[
            "/// PATCH adds entries and replaces those of the same key; it cannot remove one.",
            "/// PATCH replaces the whole list; an empty one removes all items.",
            "/// `null` clears the value. If not called, the value is unchanged.",
        ],
    );
}

#[test]
fn docs_say_more_than_the_name() {
    let text = code(
        json!({"properties": {"scaleUnits": {"type": "integer"}, "name": {"type": "string"}}}),
    );
    has(
        &text,
        &["/// `scaleUnits` in JSON.", "#[allow(missing_docs"],
    );
    assert!(!text.contains("of the document"), "{text}");
}

#[test]
fn what_is_read_is_read_leniently_and_what_is_written_is_not() {
    let schema = |mark: &str| {
        json!({mark: true, "properties": {
            "size": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "name": {"type": "string"},
        }})
    };
    let read = code(schema("x-mkio-read"));
    assert_eq!(read.matches("next_lenient(map)").count(), 2, "{read}");
    let written = code(schema("x-mkio-written"));
    assert!(!written.contains("lenient"), "{written}");
}

#[test]
fn urls_hide_what_they_hold() {
    let text = code(json!({"properties": {
        "url": {"type": "string"},
        "sourceUrl": {"type": "string"},
        "schemeIdUri": {"type": "string"},
        "urls": {"type": "array", "items": {"type": "string"}},
    }}));
    for line in [
        "pub urls: Option<Vec<UrlText>>,",
        "pub url: Option<UrlText>,",
        "pub source_url: Option<UrlText>,",
        "pub scheme_id_uri: Option<String>,",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}
