//! Types and operations of the normalised document, for the steps that work on Rust code and no
//! longer see the document.

use indexmap::IndexMap;
use serde_json::Value;

use crate::{
    document::{Document, TWIN, entries, ref_name, schema_pointer},
    marks,
    names::{snake_name, variant_name},
    types::{self, Holding},
};

/// Name of the path parameter that is the scope.
pub const SCOPE: &str = "project_name";

/// Types by Rust name and operations in the document's order.
#[derive(Debug, Default)]
pub struct Model {
    pub types: IndexMap<String, Type>,
    pub operations: Vec<Operation>,
}

/// A named type.
#[derive(Debug)]
pub struct Type {
    /// JSON pointer in the document as it was imported, for messages.
    pub pointer: String,
    pub description: String,
    /// It occurs in requests.
    pub written: bool,
    /// Type of a structure's further members, if it may have some.
    pub rest: Option<syn::Type>,
    /// Schema of one of those.
    pub rest_schema: Option<Value>,
    /// It occurs in responses.
    pub read: bool,
    /// It is the body of a PATCH.
    pub patch: bool,
    /// JSON names of the required fields, in the order in which constructors take them.
    pub required: Vec<String>,
    pub shape: Shape,
}

impl Type {
    /// The fields of a structure.
    pub fn fields(&self) -> Option<&IndexMap<String, Field>> {
        match &self.shape {
            Shape::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// A structure that may lack all of its fields.
    pub fn may_be_empty(&self) -> bool {
        self.fields()
            .is_some_and(|fields| fields.values().all(|field| field.need != Need::Demanded))
    }
}

#[derive(Debug)]
pub enum Shape {
    /// Fields by their JSON names.
    Struct(IndexMap<String, Field>),
    /// Values with their variant names.
    Enum(Vec<(String, String)>),
    Union {
        tag: String,
        variants: Vec<Variant>,
    },
    /// JSON that must not be shown.
    Secret,
}

#[derive(Debug)]
pub struct Field {
    /// Name in Rust.
    pub ident: String,
    /// Its type without `Option` and `Secret`.
    pub ty: syn::Type,
    pub description: String,
    pub nullable: bool,
    pub secret: bool,
    pub read_only: bool,
    pub need: Need,
    /// The document's schema, to find lists of things.
    pub schema: Value,
}

/// Whether a field is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Optional,
    /// The document requires it, and it starts empty or false: a list, a map or a flag.
    Empty,
    /// The document requires it, and constructors take it; responses may lack it.
    Required,
    /// The type requires it, too: nothing is read without it.
    Demanded,
}

#[derive(Debug)]
pub struct Variant {
    pub value: String,
    pub name: String,
    pub member: String,
    /// The member converts into the union: it has one tag only.
    pub converts: bool,
}

/// An operation.
#[derive(Debug)]
pub struct Operation {
    /// Rust name.
    pub id: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// Path template as the service knows it.
    pub path: String,
    /// Its description in the document.
    pub docs: String,
    pub parameters: Vec<Parameter>,
    /// Media type of the body to send.
    pub body: Option<String>,
    pub body_schema: Option<Value>,
    /// A call requires a body.
    pub body_required: bool,
    pub response: ResponseShape,
    /// Bodies of errors, status 400 to 499 and 500 to 599.
    pub client_error: Option<Value>,
    pub server_error: Option<Value>,
    /// Statuses that the document declares.
    pub statuses: Vec<String>,
    pub sort: Vec<String>,
    pub filter: Vec<String>,
    /// Capabilities that the caller needs.
    pub capability: Vec<String>,
    /// Columns of its response, if the overlay sets them.
    pub columns: Vec<String>,
}

#[derive(Debug)]
pub struct Parameter {
    /// Name in the document, `$top`.
    pub name: String,
    /// Name in Rust, `top`.
    pub ident: String,
    pub location: Location,
    pub schema: Value,
    /// Its type.
    pub ty: syn::Type,
    pub required: bool,
    pub many: bool,
    pub description: String,
}

/// The place of a parameter in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    Path,
    Query,
    Header,
}

#[derive(Debug)]
pub enum ResponseShape {
    Empty,
    /// JSON of this schema.
    Json(Value),
    /// Bytes of this media type.
    Bytes(String),
}

impl Operation {
    /// The name of its static in `operations`: `GET_ASSET`.
    pub fn constant(&self) -> String {
        self.id.to_uppercase()
    }

    /// Parameters of the path, in the order of its template.
    pub fn path_parameters(&self) -> Vec<&Parameter> {
        let in_path = |p: &&Parameter| p.location == Location::Path;
        let mut parameters: Vec<_> = self.parameters.iter().filter(in_path).collect();
        parameters.sort_by_key(|parameter| self.path.find(&format!("{{{}}}", parameter.name)));
        parameters
    }

    /// Parameters that a call requires: those of the path first, in its order.
    pub fn required(&self) -> Vec<&Parameter> {
        let mut required = self.path_parameters();
        let elsewhere = |p: &&Parameter| p.location != Location::Path && p.required;
        required.extend(self.parameters.iter().filter(elsewhere));
        required
    }

    /// Name of the type of its response.
    pub fn response_type_name(&self) -> Option<&str> {
        match &self.response {
            ResponseShape::Json(schema) => ref_name(schema),
            _ => None,
        }
    }
}

impl Model {
    pub fn new(document: &Document) -> Self {
        let holding = Holding::of(document);
        Self {
            types: document
                .schemas()
                .map(|(name, schema)| (name.to_owned(), type_of(name, schema, &holding)))
                .collect(),
            operations: document
                .operations()
                .iter()
                .map(|found| operation(document, found))
                .collect(),
        }
    }

    /// Schema of the items of a list's response: of its list `value`, or of the only one it has.
    pub fn item_of(&self, operation: &Operation) -> Option<&Value> {
        let Shape::Struct(fields) = &self.types.get(operation.response_type_name()?)?.shape else {
            return None;
        };
        let mut lists = fields
            .iter()
            .filter(|(_, field)| field.schema["type"] == "array");
        let value = fields
            .get("value")
            .filter(|field| field.schema["type"] == "array");
        let list = value.or_else(|| match (lists.next(), lists.next()) {
            (Some((_, one)), None) => Some(one),
            _ => None,
        });
        list.map(|list| &list.schema["items"])
    }

    /// The operation with a Rust name.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

fn text(schema: &Value, name: &str) -> String {
    let text = schema.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The name that the passes gave, or that follows from the document's.
fn rust_name(holder: &Value, name: &str) -> String {
    let given = holder.get(marks::NAME).and_then(Value::as_str);
    given.map_or_else(|| snake_name(name), str::to_owned)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn type_of(name: &str, schema: &Value, holding: &Holding<'_>) -> Type {
    let shape = shape_of(name, schema, holding);
    let open = schema
        .get("additionalProperties")
        .is_some_and(|more| *more != false);
    let rest = (open && matches!(shape, Shape::Struct(_))).then(|| types::map(schema));
    Type {
        pointer: schema_pointer(name, schema),
        rest_schema: rest
            .is_some()
            .then(|| schema["additionalProperties"].clone()),
        rest,
        description: text(schema, "description"),
        written: flag(schema, marks::WRITTEN),
        read: flag(schema, marks::READ),
        patch: flag(schema, marks::PATCH),
        required: texts(
            schema
                .get(marks::ORDER)
                .or_else(|| schema.get(marks::REQUIRED)),
        ),
        shape,
    }
}

fn shape_of(name: &str, schema: &Value, holding: &Holding<'_>) -> Shape {
    if let Some(union) = schema.get(marks::UNION) {
        let variants = union["variants"].as_array().into_iter().flatten();
        Shape::Union {
            tag: text(union, "tag"),
            variants: variants
                .map(|variant| Variant {
                    value: text(variant, "value"),
                    name: text(variant, "name"),
                    member: text(variant, "type"),
                    converts: flag(variant, "converts"),
                })
                .collect(),
        }
    } else if schema.get("enum").is_some() {
        Shape::Enum(enum_values(
            &texts(schema.get("enum")),
            schema.get(marks::VARIANT_NAMES),
        ))
    } else if flag(schema, marks::SECRET) {
        Shape::Secret
    } else {
        let demanded = texts(schema.get("required"));
        let required = texts(schema.get(marks::REQUIRED));
        let mut types = types::fields(name, schema, holding);
        Shape::Struct(
            entries(schema.get("properties"))
                .map(|(name, property)| {
                    let ty = types.swap_remove(name);
                    let field = Field {
                        ident: rust_name(property, name),
                        ty: ty.unwrap_or_else(|| types::of(property)),
                        description: text(property, "description"),
                        nullable: flag(property, marks::NULLABLE),
                        secret: flag(property, marks::SECRET),
                        read_only: flag(property, "readOnly"),
                        need: if flag(property, marks::EMPTY) {
                            Need::Empty
                        } else if demanded.iter().any(|d| d == name) {
                            Need::Demanded
                        } else if required.iter().any(|r| r == name) {
                            Need::Required
                        } else {
                            Need::Optional
                        },
                        schema: property.clone(),
                    };
                    (name.to_owned(), field)
                })
                .collect(),
        )
    }
}

/// Variant names, made unique; `Unknown` is the name of the arm for values not listed here.
fn enum_values(values: &[String], pinned: Option<&Value>) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = Vec::new();
    for value in values {
        // The overlay decides where the capitals do not separate the words.
        let pinned = pinned.and_then(|names| names.get(value)?.as_str());
        let mut name = variant_name(pinned.unwrap_or(value));
        if name == "Unknown" {
            name = "DeclaredUnknown".to_owned();
        }
        while names.iter().any(|(_, taken)| *taken == name) {
            name.push('_');
        }
        names.push((value.clone(), name));
    }
    names
}

fn operation(document: &Document, operation: &crate::document::OperationRef<'_>) -> Operation {
    let value = operation.value;
    let get = |name: &str| value.get(name);
    let content_of = |holder: Option<&Value>| {
        let content = holder?.get("content")?.as_object()?;
        let (media_type, media) = content.iter().next()?;
        let schema = media.get("schema").cloned().unwrap_or(Value::Null);
        Some((media_type.clone(), schema))
    };
    let body = content_of(get("requestBody"));
    let response = match content_of(get("responses").and_then(|r| r.get("2XX"))) {
        None => ResponseShape::Empty,
        Some((media_type, schema)) if media_type == "application/json" => {
            ResponseShape::Json(schema)
        }
        Some((media_type, _)) => ResponseShape::Bytes(media_type),
    };
    let path = operation.path.split(TWIN).next().unwrap_or_default();
    Operation {
        id: get("operationId")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        method: operation.method.to_uppercase(),
        path: path.to_owned(),
        docs: ["summary", "description"]
            .into_iter()
            .filter_map(|key| get(key)?.as_str())
            .filter(|text| !text.trim().is_empty())
            .collect::<Vec<_>>()
            .join("\n\n"),
        parameters: get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(parameter)
            .collect(),
        body: body.as_ref().map(|(media_type, _)| {
            let sent = get(marks::CONTENT_TYPE).and_then(Value::as_str);
            sent.unwrap_or(media_type).to_owned()
        }),
        body_required: body
            .as_ref()
            .is_some_and(|(_, schema)| body_required(document, operation, schema)),
        body_schema: body.map(|(_, schema)| schema),
        client_error: content_of(get("responses").and_then(|r| r.get("4XX"))).map(|(_, s)| s),
        server_error: content_of(get("responses").and_then(|r| r.get("5XX"))).map(|(_, s)| s),
        response,
        statuses: texts(get(marks::STATUSES)),
        sort: texts(get(marks::SORT)),
        filter: texts(get(marks::FILTER)),
        capability: texts(get(marks::CAPABILITY)),
        columns: texts(get(marks::COLUMNS)),
    }
}

fn parameter(parameter: &Value) -> Parameter {
    let name = text(parameter, "name");
    Parameter {
        ident: rust_name(parameter, &name),
        name,
        location: match parameter.get("in").and_then(Value::as_str) {
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            _ => Location::Path,
        },
        ty: types::outside(parameter.get("schema").unwrap_or(&Value::Null)),
        schema: parameter.get("schema").cloned().unwrap_or_default(),
        required: flag(parameter, "required"),
        many: parameter
            .pointer("/schema/type")
            .is_some_and(|t| t == "array"),
        description: text(parameter, "description"),
    }
}

/// Whether a call requires a body. Most documents do not declare it: bodies of PUT and PATCH are
/// required, and bodies with a required field.
fn body_required(
    document: &Document,
    operation: &crate::document::OperationRef<'_>,
    schema: &Value,
) -> bool {
    let body = operation.value.get("requestBody");
    let declared = body.and_then(|body| body.get(marks::REQUIRED)?.as_bool());
    if let Some(declared) = declared {
        return declared;
    }
    let named = ref_name(schema).or_else(|| ref_name(&schema["allOf"][0]));
    let schema = named
        .and_then(|name| document.schemas().find(|(known, _)| *known == name))
        .map_or(schema, |(_, schema)| schema);
    let demands = |list: &str| schema[list].as_array().is_some_and(|all| !all.is_empty());
    let is_object = schema["type"] == "object" || schema.get("properties").is_some();
    matches!(operation.method.to_lowercase().as_str(), "put" | "patch")
        || !is_object
        || demands("required")
        || demands(marks::REQUIRED)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    #[test]
    fn items_are_those_of_the_value_or_of_the_only_list() {
        let list = |item: &str| json!({"type": "array", "items": {"type": item}});
        let item = |members: Value| {
            let mut document = with_paths(json!({"/a": {"get": {
                "operationId": "list_a",
                "responses": {"2XX": {"content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/AList"},
                }}}},
            }}}));
            document.root["components"]["schemas"] = json!({"AList": {"properties": members}});
            let model = Model::new(&document);
            let item = model.item_of(&model.operations[0]);
            item.map(|item| item["type"].as_str().unwrap_or_default().to_owned())
        };
        let text = json!({"type": "string"});
        for (members, found) in [
            (
                json!({"value": list("integer"), "more": list("string")}),
                Some("integer"),
            ),
            (
                json!({"value": text, "more": list("string")}),
                Some("string"),
            ),
            (
                json!({"all": list("string"), "count": text}),
                Some("string"),
            ),
            (
                json!({"all": list("string"), "more": list("integer")}),
                None,
            ),
            (json!({"value": text}), None),
        ] {
            assert_eq!(item(members.clone()).as_deref(), found, "{members}");
        }
    }

    #[test]
    fn a_body_is_required_when_the_call_makes_no_sense_without_it() {
        let required = |method: &str, schema: Value| {
            let document = with_paths(json!({"/a": {method: {
                "operationId": "act",
                "requestBody": {"content": {"application/json": {"schema": schema}}},
                "responses": {"200": {}},
            }}}));
            Model::new(&document).operations[0].body_required
        };
        let text = json!({"x": {"type": "string"}});
        for (schema, expected) in [
            (json!({"type": "object"}), false),
            (json!({"properties": text}), false),
            (json!({"properties": text, "required": ["x"]}), true),
            (json!({"properties": text, marks::REQUIRED: ["x"]}), true),
            (json!({"type": "string"}), true),
        ] {
            assert_eq!(required("post", schema.clone()), expected, "{schema}");
            assert!(required("put", schema));
        }
    }

    #[test]
    fn the_overlay_names_variants_and_values_stay() {
        let values = ["HEAAC".to_owned(), "AC3".to_owned()];
        let names = enum_values(&values, Some(&json!({"HEAAC": "HeAac"})));
        let pair = |value: &str, name: &str| (value.to_owned(), name.to_owned());
        assert_eq!(names, [pair("HEAAC", "HeAac"), pair("AC3", "Ac3")]);
    }
}
