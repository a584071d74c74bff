//! Operations and types as progenitor reads them.
//!
//! progenitor reads the operations of a document and gives the Rust type of each field. Requests,
//! clients and everything around the fields are written from templates. Types that progenitor
//! cannot give follow from the schemas alone, and `generate` reports them.

use std::{
    cell::Cell,
    collections::HashMap,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
    thread,
};

use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use quote::ToTokens;
use syn::{
    Attribute, File, Item, LitStr, Path, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::{
    document::{Document, Problem, operation_pointer},
    model::{Model, Shape},
    names::type_name,
    refine::arguments_of,
    report::Changes,
};

/// The output of progenitor for a document.
struct Read {
    /// Names of its request builders.
    operations: Vec<String>,
    /// Types of fields, by structure and name in JSON.
    fields: HashMap<String, HashMap<String, Type>>,
}

/// Takes over the types that progenitor gives, and compares the operations.
pub fn run(document: &Document, model: &mut Model, changes: &mut Changes) -> Result<(), Problem> {
    let read = match generate(document, model) {
        Ok(file) => Read::of(file),
        Err(why) => {
            changes.warn(document.problem(
                "",
                format!("progenitor gives up: {why}"),
                "types follow from the schemas alone; check them in the surface",
            ));
            return Ok(());
        }
    };
    same_operations(&read, document, model)?;
    for (name, of) in &mut model.types {
        let (Shape::Struct(fields), Some(types)) = (&mut of.shape, read.fields.get(name)) else {
            continue;
        };
        for (json, field) in fields {
            let Some(ty) = types.get(json).filter(|ty| **ty != field.ty) else {
                continue;
            };
            // progenitor does not see that a type holds itself through a union.
            if is_boxed(&field.ty) {
                continue;
            }
            changes.note(format!("{name}.{json}"));
            field.ty = ty.clone();
        }
    }
    Ok(())
}

fn is_boxed(ty: &Type) -> bool {
    let text = ty.to_token_stream().to_string();
    text.split(' ').any(|word| word == "Box")
}

/// Compares the operations of progenitor with those of the model: none may be lost.
fn same_operations(read: &Read, document: &Document, model: &Model) -> Result<(), Problem> {
    let known = |name: &String| model.operations.iter().any(|o| type_name(&o.id) == *name);
    if let Some(name) = read.operations.iter().find(|name| !known(name)) {
        return Err(document.problem(
            "/paths",
            format!("the request {name} of progenitor's, which belongs to no operation"),
            "operation names that are Rust identifiers",
        ));
    }
    let lost = model
        .operations
        .iter()
        .find(|operation| !read.operations.contains(&type_name(&operation.id)));
    match lost {
        None => Ok(()),
        Some(lost) => Err(document.problem(
            operation_pointer(&lost.path, &lost.method),
            format!("the operation {}, which progenitor leaves out", lost.id),
            "an operation that progenitor understands; a pass or an overlay action is missing",
        )),
    }
}

fn generate(document: &Document, model: &Model) -> Result<File, String> {
    let spec: openapiv3::OpenAPI = serde_json::from_value(document.root.clone())
        .map_err(|error| format!("the document after the passes is not OpenAPI 3.0: {error}"))?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap");
    // Enums, unions and secrets are written by rules of our own.
    for (name, of) in &model.types {
        if !matches!(of.shape, Shape::Struct(_)) {
            settings.with_replacement(name, format!("crate::types::{name}"), [].into_iter());
        }
    }
    // progenitor panics on documents that it does not support; the message is enough.
    let outcome = quietly(|| {
        let tokens = Generator::new(&settings).generate_tokens(&spec);
        tokens.map_err(|error| error.to_string())
    });
    let tokens = outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("no reason given").to_owned()
    })??;
    syn::parse2(tokens).map_err(|error| format!("unreadable code: {error}"))
}

/// Runs `f`; a panic in it prints nothing. Panics of other threads print as ever.
fn quietly<T>(f: impl FnOnce() -> T) -> thread::Result<T> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(false);
    outcome
}

impl Read {
    fn of(file: File) -> Self {
        let mut read = Self {
            operations: Vec::new(),
            fields: HashMap::new(),
        };
        for item in file.items {
            let Item::Mod(module) = item else { continue };
            let items = module.content.map(|(_, items)| items).unwrap_or_default();
            let structs = items.into_iter().filter_map(|item| match item {
                Item::Struct(item) => Some(item),
                _ => None,
            });
            match module.ident.to_string().as_str() {
                "builder" => read
                    .operations
                    .extend(structs.map(|item| item.ident.to_string())),
                "types" => read.fields.extend(structs.map(|item| {
                    let fields = item.fields.iter().filter_map(|field| {
                        let ident = field.ident.as_ref()?;
                        let json = rename(&field.attrs).unwrap_or_else(|| ident.to_string());
                        Some((json, inner(&field.ty)))
                    });
                    (item.ident.to_string(), fields.collect())
                })),
                _ => {}
            }
        }
        read
    }
}

/// The type inside `Option`, with short paths.
fn inner(ty: &Type) -> Type {
    let optional = arguments_of(ty, "Option").and_then(|all| all.first().copied());
    let mut ty = optional.unwrap_or(ty).clone();
    Shorten.visit_type_mut(&mut ty);
    ty
}

/// The name in JSON, from `#[serde(rename = "…")]`.
fn rename(attributes: &[Attribute]) -> Option<String> {
    let mut found = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                found = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<LitStr>()?;
            }
            Ok(())
        });
    }
    found
}

struct Shorten;

impl VisitMut for Shorten {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names[..] {
            ["chrono", "DateTime"] => *path = parse_quote!(Timestamp),
            ["std", .., "String" | "Option" | "Vec" | "Box" | "BTreeMap"]
            | ["serde_json", "Value"]
            | ["crate", "types", _] => {
                if let Some(last) = path.segments.last().cloned() {
                    path.leading_colon = None;
                    path.segments = std::iter::once(last).collect();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    fn document() -> Document {
        let mut document = with_paths(json!({"/a": {"get": {
            "operationId": "get_a",
            "responses": {"2XX": {"description": "", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/A"}}}}},
        }}}));
        document.root["components"]["schemas"] = json!({"A": {"type": "object", "properties": {
            "aList": {"type": "array", "items": {"type": "string"}},
        }}});
        document
    }

    #[test]
    fn types_are_those_that_progenitor_gives() {
        let document = document();
        let mut model = Model::new(&document);
        let field = |model: &mut Model, ty: Option<Type>| {
            let of = model.types.get_mut("A").unwrap();
            let Shape::Struct(fields) = &mut of.shape else {
                panic!("no structure")
            };
            let field = fields.get_mut("aList").unwrap();
            if let Some(ty) = ty {
                field.ty = ty;
            }
            field.ty.clone()
        };
        field(&mut model, Some(parse_quote!(bool)));
        let mut changes = Changes::default();
        run(&document, &mut model, &mut changes).unwrap();
        assert_eq!(field(&mut model, None), parse_quote!(Vec<String>));
        assert_eq!((changes.len(), changes.warnings()), (1, &[][..]));
        // A box keeps a recursive type finite.
        let boxed: Type = parse_quote!(Option<Box<A>>);
        field(&mut model, Some(boxed.clone()));
        run(&document, &mut model, &mut changes).unwrap();
        assert_eq!(field(&mut model, None), boxed);
    }

    #[test]
    fn an_operation_that_one_of_the_two_does_not_have_is_an_error() {
        let document = document();
        let mut model = Model::new(&document);
        model.operations[0].id = "get_b".to_owned();
        let problem = run(&document, &mut model, &mut Changes::default()).unwrap_err();
        assert!(problem.found.contains("GetA"), "{problem}");
        model.operations.clear();
        let problem = run(&document, &mut model, &mut Changes::default()).unwrap_err();
        assert_eq!(problem.pointer, "/paths");
    }

    #[test]
    fn what_progenitor_gives_up_on_is_a_warning() {
        let mut document = document();
        document.root["paths"]["/a"]["get"]["responses"] = json!({"2XX": 7});
        let mut changes = Changes::default();
        let mut model = Model::new(&self::document());
        run(&document, &mut model, &mut changes).unwrap();
        assert_eq!(changes.warnings().len(), 1);
    }
}
