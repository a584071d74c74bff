//! Typed fields to filter and order lists by, from `x-mkio-sort` and `x-mkio-filter`.

use indexmap::IndexMap;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Item, parse_quote};

use crate::{
    glue::pages,
    model::{Field, Model, Operation, Shape},
    names::snake_name,
    types,
};

/// The kind of a field, by the name of its marker in the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Time,
    Number,
    Flag,
}

impl Kind {
    /// The kind of the field at `path` by the item's type; none when it has no such field. Some paths
    /// leave out the part that the field is in (`isActive` for `spec/isActive`).
    fn in_type(model: &Model, item: &str, path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').collect();
        let found = Self::below(model, item, &parts);
        found.or_else(|| {
            let mut kinds = fields(model, item)?
                .values()
                .filter_map(|part| Self::below(model, item_type(&part.schema)?, &parts));
            let first = kinds.next()?;
            kinds.all(|kind| kind == first).then_some(first)
        })
    }

    fn below(model: &Model, item: &str, parts: &[&str]) -> Option<Self> {
        let (first, rest) = parts.split_first()?;
        let schema = &fields(model, item)?.get(*first)?.schema;
        if !rest.is_empty() {
            return Self::below(model, item_type(schema)?, rest);
        }
        let text = |name| schema.get(name).and_then(Value::as_str);
        match (text("type"), text("format")) {
            (Some("string"), Some("date-time" | "date")) => Some(Self::Time),
            (Some("integer" | "number"), _) => Some(Self::Number),
            (Some("boolean"), _) => Some(Self::Flag),
            _ => None,
        }
    }

    /// The kind of a field by its name: the documents order and filter by fields that their types
    /// do not have, and leave out the format of some that they have.
    fn by_name(path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or(path);
        if TIMES.contains(&last) {
            Self::Time
        } else if NUMBERS.contains(&last) {
            Self::Number
        } else if FLAGS.contains(&last) {
            Self::Flag
        } else {
            Self::Text
        }
    }
}

fn fields<'a>(model: &'a Model, name: &str) -> Option<&'a IndexMap<String, Field>> {
    match &model.types.get(name)?.shape {
        Shape::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// The type that a field, or each item of it, is of.
fn item_type(schema: &Value) -> Option<&str> {
    types::named_type(schema).or_else(|| types::named_type(&schema["items"]))
}

/// Last parts of fields that hold points in time.
const TIMES: [&str; 6] = [
    "created",
    "updated",
    "lastModified",
    "startTime",
    "endTime",
    "lastContact",
];
/// Last parts of fields that hold numbers.
const NUMBERS: [&str; 2] = ["scaleUnits", "alarmSeverity"];
/// Last parts of fields that hold flags.
const FLAGS: [&str; 1] = ["isActive"];

/// Name of the module with the fields of a list; none when the document names no field.
pub fn module(operation: &Operation) -> Option<String> {
    let named = !operation.sort.is_empty() || !operation.filter.is_empty();
    let list = operation.id.strip_prefix("list_").unwrap_or(&operation.id);
    named.then(|| snake_name(list))
}

/// The items of the module; none when no list of the API names fields.
pub fn run(model: &Model) -> Vec<Item> {
    let lists = model
        .operations
        .iter()
        .filter_map(|operation| Some((operation, module(operation)?)));
    let collections = pages::lists(model);
    lists
        .map(|(operation, name)| {
            let module = format_ident!("{name}");
            let doc = format!(" Fields of [`Client::{}`](super::Client::{}).", operation.id, operation.id);
            let mut paths: Vec<&String> = operation.sort.iter().chain(&operation.filter).collect();
            paths.sort();
            paths.dedup();
            let item = collections
                .iter()
                .find(|(list, ..)| list.id == operation.id)
                .and_then(|(.., collection)| collection.item_type_name.as_deref());
            let mut taken = Vec::new();
            let fields = paths.into_iter().map(|path| {
                let kind = item.and_then(|item| Kind::in_type(model, item, path));
                field(operation, path, kind.unwrap_or_else(|| Kind::by_name(path)), &mut taken)
            });
            parse_quote! {
                #[doc = #doc]
                pub mod #module {
                    use mkio_core::page::query::{Both, Field, FilterOnly, Flag, Number, SortOnly, Text, Time};

                    /// The list that these fields belong to.
                    #[derive(Debug, Clone, Copy)]
                    pub enum List {}

                    #(#fields)*
                }
            }
        })
        .collect()
}

fn field(
    operation: &Operation,
    path: &str,
    kind: Kind,
    taken: &mut Vec<String>,
) -> proc_macro2::TokenStream {
    let mut name = snake_name(path).trim_end_matches('_').to_uppercase();
    // `a/b` and `aB` are two fields.
    while taken.contains(&name) {
        name.push('_');
    }
    let ident = format_ident!("{name}");
    taken.push(name);
    let kind = format_ident!("{kind:?}");
    let has = |fields: &[String]| fields.iter().any(|field| field == path);
    let (usage, words) = match (has(&operation.sort), has(&operation.filter)) {
        (true, false) => (quote!(SortOnly), "sortable only"),
        (false, true) => (quote!(FilterOnly), "filterable only"),
        _ => (quote!(Both), "sortable and filterable"),
    };
    let doc = format!(" {}: {words}.", crate::refine::docs::code(path));
    quote! {
        #[doc = #doc]
        pub const #ident: Field<List, #kind, #usage> = Field::new(#path);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{code::without_spaces, passes::testing::with_paths};

    #[test]
    fn fields_have_their_kind_and_use() {
        let model = Model::new(&with_paths(json!({"/a": {"get": {
            "operationId": "list_assets", "responses": {},
            "x-mkio-sort": ["properties/created", "type"], "x-mkio-filter": ["properties/created", "name"],
        }}})));
        let code = without_spaces(&prettyplease::unparse(&crate::code::file(run(&model))));
        // Long lines are broken, and then end in a comma.
        let code = code.replace(",)", ")");
        for line in [
            "pub mod assets",
            "/// `properties/created`: sortable and filterable.",
            "/// `type`: sortable only.",
            "/// `name`: filterable only.",
            "pub const PROPERTIES_CREATED: Field<List, Time, Both> = Field::new(\"properties/created\");",
            "pub const TYPE: Field<List, Text, SortOnly> = Field::new(\"type\");",
            "pub const NAME: Field<List, Text, FilterOnly> = Field::new(\"name\");",
        ] {
            assert!(code.contains(&without_spaces(line)), "{line} in {code}");
        }
    }

    #[test]
    fn kinds_come_from_the_type_and_else_from_the_name() {
        let mut document = with_paths(json!({"/a": {"get": {
            "operationId": "list_assets",
            "responses": {"2XX": {"description": "", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/AssetList"}}}}},
            "x-mkio-sort": ["spec/size", "spec/parts/seen", "live", "rate", "created", "name", "scaleUnits"],
        }}}));
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        document.root["components"]["schemas"] = json!({
            "AssetList": {"properties": {"value": {"type": "array", "items": reference("Asset")}}},
            "Asset": {"properties": {
                "name": {"type": "string"}, "spec": reference("Spec"), "more": reference("More"),
                // Of another kind than its name suggests.
                "scaleUnits": {"type": "boolean"},
            }},
            "Spec": {"properties": {
                "size": {"type": "integer"}, "live": {"type": "boolean"}, "rate": {"type": "integer"},
                "parts": {"type": "array", "items": {"allOf": [reference("Part")]}},
            }},
            // Parts of different kinds give none.
            "More": {"properties": {"live": {"type": "boolean"}, "rate": {"type": "boolean"}}},
            "Part": {"properties": {"seen": {"type": "string", "format": "date-time"}}},
        });
        let model = Model::new(&document);
        let code = without_spaces(&prettyplease::unparse(&crate::code::file(run(&model))));
        for line in [
            "SPEC_SIZE: Field<List, Number, SortOnly>",
            "SPEC_PARTS_SEEN: Field<List, Time, SortOnly>",
            "LIVE: Field<List, Flag, SortOnly>",
            "RATE: Field<List, Text, SortOnly>",
            "CREATED: Field<List, Time, SortOnly>",
            "NAME: Field<List, Text, SortOnly>",
            "SCALE_UNITS: Field<List, Flag, SortOnly>",
        ] {
            assert!(code.contains(&without_spaces(line)), "{line} in {code}");
        }
    }
}
