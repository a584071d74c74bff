//! Lists: each response that holds a collection is a `Page`, each request for one ends in `items()`
//! or `pages()`.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Item, Type, parse_quote};

use crate::{
    document::{Document, operation_pointer, ref_name},
    marks,
    model::{Field, Location, Model, Operation, ResponseShape, Shape},
    names::type_name,
    report::Changes,
    types,
};

/// The name of the link to the next page, unless the overlay marks another property.
const LINKS: [&str; 4] = ["@odata.nextLink", "odata.nextLink", "@nextLink", "nextLink"];
/// Parameters of lists that come in pages.
const PAGED: [&str; 2] = ["$skiptoken", "$skip"];

/// A collection: the field that holds the items, and their type.
#[derive(Debug)]
pub struct Collection {
    /// Name of the field in Rust.
    pub field: String,
    /// Type of an item.
    pub item: Type,
    /// Its schema.
    pub schema: Value,
    /// Name of the type of an item.
    pub item_type_name: Option<String>,
    /// Name in Rust of the field with the link to the next page.
    pub link: Option<String>,
    pub counts: bool,
}

/// Operations whose response is a collection, with the response's type.
pub fn lists(model: &Model) -> Vec<(&Operation, &str, Collection)> {
    model
        .operations
        .iter()
        .filter_map(|operation| {
            let response = operation.response_type_name()?;
            Some((operation, response, collection(model, operation, response)?))
        })
        .collect()
}

/// A response is a collection when it has a list `value`, or when its operation is a `list_…` and
/// it has exactly one list.
fn collection(model: &Model, operation: &Operation, response: &str) -> Option<Collection> {
    let Shape::Struct(fields) = &model.types.get(response)?.shape else {
        return None;
    };
    let lists: Vec<_> = fields
        .iter()
        .filter(|(_, field)| field.schema["type"] == "array")
        .collect();
    let (_, field) = match lists.iter().find(|(name, _)| *name == "value") {
        Some(value) => *value,
        None if operation.id.starts_with("list_") && lists.len() == 1 => lists[0],
        None => return None,
    };
    let pagination = fields
        .get("supplemental")
        .and_then(|s| struct_of(model, &s.schema));
    let counts = pagination
        .and_then(|fields| struct_of(model, &fields.get("pagination")?.schema))
        .is_some_and(|fields| fields.contains_key("total"));
    let items = &field.schema["items"];
    Some(Collection {
        field: field.ident.clone(),
        item: types::outside(items),
        schema: items.clone(),
        item_type_name: types::named_type(items).map(str::to_owned),
        link: link(fields),
        counts,
    })
}

/// The field with the link to the next page.
fn link(fields: &IndexMap<String, Field>) -> Option<String> {
    let is_text = |field: &&Field| field.schema["type"] == "string" && !field.secret;
    let marked = fields
        .values()
        .find(|field| field.schema[marks::NEXT_LINK] == true);
    let known = || LINKS.iter().find_map(|name| fields.get(*name));
    let field = marked.or_else(known).filter(is_text)?;
    Some(field.ident.clone())
}

fn struct_of<'a>(
    model: &'a Model,
    schema: &Value,
) -> Option<&'a indexmap::IndexMap<String, crate::model::Field>> {
    let name = ref_name(schema).or_else(|| ref_name(&schema["allOf"][0]))?;
    match &model.types.get(name)?.shape {
        Shape::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// Warns of operations named `list_…` without a list, and of lists that end after their first page.
pub fn check(document: &Document, model: &Model, changes: &mut Changes) {
    let lists = lists(model);
    for operation in &model.operations {
        let pointer = operation_pointer(&operation.path, &operation.method);
        let collection = lists.iter().find(|(list, ..)| list.id == operation.id);
        let plain =
            matches!(&operation.response, ResponseShape::Json(schema) if schema["type"] == "array");
        let paged = operation
            .parameters
            .iter()
            .any(|parameter| PAGED.contains(&parameter.name.as_str()));
        match collection {
            None if operation.id.starts_with("list_") && !plain => changes.warn(document.problem(
                pointer,
                format!(
                    "{}, whose response holds no single list: it has no items() and pages()",
                    operation.id
                ),
                format!(
                    "a response with one list, or another name by `{}` in the overlay",
                    marks::NAME
                ),
            )),
            Some((_, response, collection)) if paged && collection.link.is_none() => {
                let of = model
                    .types
                    .get(*response)
                    .map_or("", |of| of.pointer.as_str());
                changes.warn(document.problem(
                    pointer,
                    format!(
                        "pages whose response ({of}) has no link to the next one: items() ends after the first"
                    ),
                    format!(
                        "a text property {:?}; `{}: true` in the overlay on the property that is the link",
                        LINKS[0],
                        marks::NEXT_LINK
                    ),
                ));
            }
            _ => {}
        }
    }
}

/// The items of the module.
pub fn run(model: &Model) -> Vec<Item> {
    let lists = lists(model);
    let mut items = Vec::new();
    let mut done = BTreeSet::new();
    for (_, response, collection) in &lists {
        if done.insert(*response) {
            items.push(page(response, collection));
        }
    }
    for (operation, response, _) in &lists {
        items.push(endings(operation, response));
    }
    items
}

fn page(response: &str, collection: &Collection) -> Item {
    let response = format_ident!("{response}");
    let field = format_ident!("{}", collection.field);
    let item = &collection.item;
    let next_link = collection.link.as_ref().map(|link| {
        let link = format_ident!("{link}");
        quote! {
            fn next_link(&self) -> Option<&str> {
                self.#link.as_deref()
            }
        }
    });
    let total = collection.counts.then(|| {
        quote! {
            fn total(&self) -> Option<u64> {
                let total = self.supplemental.as_ref()?.pagination.as_ref()?.total?;
                u64::try_from(total).ok()
            }
        }
    });
    parse_quote! {
        impl Page for types::#response {
            type Item = #item;

            fn items(&self) -> &[Self::Item] {
                self.#field.as_deref().unwrap_or_default()
            }

            fn items_mut(&mut self) -> Option<&mut Vec<Self::Item>> {
                self.#field.as_mut()
            }

            #next_link
            #total
        }
    }
}

fn endings(operation: &Operation, response: &str) -> Item {
    let builder = format_ident!("{}", type_name(&operation.id));
    let response = format_ident!("{response}");
    let supports_top = operation
        .parameters
        .iter()
        .any(|parameter| parameter.location == Location::Query && parameter.name == "$top")
        .then(|| quote!(.supports_top()));
    parse_quote! {
        impl builder::#builder {
            /// The list as a stream of its items, over all pages; sends nothing before the first poll.
            pub fn items(self) -> Items<types::#response> {
                self.pages().items()
            }

            /// The list as a stream of its pages; sends nothing before the first poll.
            pub fn pages(self) -> Pages<types::#response> {
                self.request.pages()#supports_top
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use serde_json::json;

    use super::{check, lists};
    use crate::{document::reference, model::Model, passes::testing::with_paths, report::Changes};

    /// A link that the service has renamed ends every list after its first page.
    #[test]
    fn links_are_found_marked_or_missed() {
        let told = |properties: serde_json::Value| {
            let mut document = with_paths(json!({"/a": {"get": {
                "operationId": "list_a",
                "parameters": [{"name": "$skiptoken", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"2XX": {"content": {"application/json": {"schema": reference("AList")}}}},
            }}}));
            document
                .schemas_mut()
                .insert("AList".to_owned(), json!({ "properties": properties }));
            let model = Model::new(&document);
            let mut changes = Changes::default();
            check(&document, &model, &mut changes);
            let link = lists(&model)
                .first()
                .and_then(|(.., collection)| collection.link.clone());
            let warned: Vec<String> = changes.warnings().iter().map(ToString::to_string).collect();
            (link, warned)
        };
        let (text, list) = (
            json!({"type": "string"}),
            json!({"type": "array", "items": {}}),
        );
        for name in ["@odata.nextLink", "nextLink"] {
            let (link, warned) = told(json!({"value": list, name: text}));
            assert!(link.is_some() && warned.is_empty(), "{name}: {warned:?}");
        }
        let (link, warned) = told(json!({"value": list, "following": text}));
        assert_eq!(link, None);
        assert!(
            warned[0].contains("/components/schemas/AList")
                && warned[0].contains("x-mkio-next-link"),
            "{warned:?}"
        );
        let (link, warned) =
            told(json!({"value": list, "following": {"type": "string", "x-mkio-next-link": true}}));
        assert_eq!((link.as_deref(), warned.len()), (Some("following"), 0));
        for odd in [
            json!({"type": "integer"}),
            json!({"type": "string", "x-mkio-secret": true}),
        ] {
            assert_eq!(told(json!({"value": list, "nextLink": odd})).0, None);
        }
        let (_, warned) = told(json!({"one": list, "two": list}));
        assert!(warned[0].contains("no single list"), "{warned:?}");
    }

    #[test]
    fn only_names_of_lists_promise_one() {
        let warned = |id: &str, schema: serde_json::Value| {
            let content = json!({"application/json": {"schema": schema}});
            let mut document = with_paths(json!({"/a": {"get": {
                "operationId": id, "responses": {"2XX": {"content": content}},
            }}}));
            document
                .schemas_mut()
                .insert("A".to_owned(), json!({"properties": {}}));
            let mut changes = Changes::default();
            check(&document, &Model::new(&document), &mut changes);
            changes.warnings().len()
        };
        assert_eq!(warned("list_a", reference("A")), 1);
        assert_eq!(warned("get_a", reference("A")), 0);
        assert_eq!(warned("list_a", json!({"type": "array", "items": {}})), 0);
    }

    use crate::{apis::Workspace, code::without_spaces, names::type_name};

    /// The content of a surface file.
    #[derive(Default)]
    struct Surface<'a> {
        /// Operations with their response and their query.
        operations: Vec<(&'a str, &'a str, &'a str)>,
        /// Structures with their fields.
        structs: BTreeMap<&'a str, Vec<&'a str>>,
    }

    fn surface(text: &str) -> Surface<'_> {
        let mut surface = Surface::default();
        let mut current = "";
        let mut in_operations = true;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let call = line
                .split_once(" -> ")
                .filter(|_| in_operations && !line.starts_with(' '));
            if line == "WAITS" || line == "EDITS" || line == "TYPES" || line.starts_with("FIELDS") {
                in_operations = false;
            } else if let Some((operation, response)) = call {
                let operation = operation.split('(').next().unwrap();
                surface.operations.push((operation, response, ""));
            } else if let Some(query) = line.strip_prefix("    optional ") {
                surface.operations.last_mut().unwrap().2 = query;
            } else if let Some(name) = line.strip_prefix("struct ") {
                let name = name.split(' ').next().unwrap();
                current = name;
                surface.structs.entry(name).or_default();
            } else if let Some(fields) = surface.structs.get_mut(current) {
                match line.strip_prefix("    ") {
                    Some(field)
                        if field
                            .split_once(": ")
                            .is_some_and(|(name, _)| !name.contains('(')) =>
                    {
                        fields.push(field);
                    }
                    Some(_) => {}
                    None => current = "",
                }
            }
        }
        surface
    }

    impl Surface<'_> {
        /// The response has a list `value`, or is nothing but one list.
        fn is_collection(&self, response: &str) -> bool {
            let Some(fields) = self.structs.get(response) else {
                return false;
            };
            let is_list = |field: &&&str| field.contains(": Option<Vec<");
            fields
                .iter()
                .any(|field| field.starts_with("value: ") && is_list(&field))
                || (fields.len() == 1 && fields.iter().all(|field| is_list(&field)))
        }

        fn has(&self, response: &str, field: &str) -> bool {
            self.structs[response]
                .iter()
                .any(|found| found.starts_with(field))
        }
    }

    /// The code without line breaks and indentation, from `start` to the end of its block.
    fn block(code: &str, start: &str) -> Option<String> {
        let from = code.find(start)?;
        let end = code[from..]
            .find("\n}")
            .map_or(code.len(), |end| from + end);
        Some(without_spaces(&code[from..end]))
    }

    #[test]
    fn every_collection_of_every_surface_is_a_stream() {
        let mut found = BTreeMap::new();
        let workspace = Workspace::open(None).unwrap();
        for api in workspace.apis() {
            let read = |path: String| fs::read_to_string(workspace.root().join(path)).unwrap();
            let text = read(format!("spec/surface/{}.txt", api.name));
            let code = read(format!("crates/{}/src/generated/pages.rs", api.package()));
            let surface = surface(&text);
            let mut here = BTreeSet::new();
            for (operation, response, query) in &surface.operations {
                if !surface.is_collection(response) && !operation.starts_with("list_") {
                    continue;
                }
                let name = format!("{}: {operation}", api.name);
                let builder = format!("impl builder::{} {{", type_name(operation));
                let endings = block(&code, &builder).unwrap_or_else(|| panic!("{name}"));
                for ending in ["items(self)->Items", "pages(self)->Pages"] {
                    let ending = format!("pubfn{ending}<types::{response}>");
                    assert!(endings.contains(&ending), "{name}: {ending}");
                }
                let sized = query
                    .split(", ")
                    .any(|parameter| parameter.starts_with("top: u32"));
                assert_eq!(
                    endings.contains(".supports_top()"),
                    sized,
                    "{name}: page size"
                );
                // The response's link to the next page is read.
                let page = block(&code, &format!("impl Page for types::{response} {{"));
                let page = page.unwrap_or_else(|| panic!("{name}: {response}"));
                let links = surface.has(response, "odata_next_link: ");
                assert_eq!(page.contains("fnnext_link("), links, "{name}: link");
                here.insert(*operation);
            }
            // Nothing else is a stream.
            assert_eq!(
                code.matches("impl builder::").count(),
                here.len(),
                "{}",
                api.name
            );
            found.insert(&api.name, here.len());
        }
        assert!(found.values().sum::<usize>() > 0, "{found:?}");
    }
}
