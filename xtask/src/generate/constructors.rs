//! Tests of the generated constructors of all APIs: swapped arguments do not compile, and no
//! order is alphabetical by accident.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use quote::ToTokens;
use syn::{FnArg, ImplItem, ImplItemFn, Item, ItemImpl, Pat, Type};

use super::*;

/// The document of an API after all passes.
fn finished(workspace: &Workspace, api: &Arc<Api>) -> Document {
    let sources = Sources::read(workspace, api).unwrap();
    pipeline::normalise(api, &sources, &mut Report::default(), &mut |_, _| {}).unwrap()
}

/// The items of all generated `types` modules, with their files.
fn modules(workspace: &Workspace) -> Vec<(String, Vec<Item>)> {
    let apis = workspace.apis().iter();
    let mut files: Vec<_> = apis
        .map(|api| format!("crates/{}/src/generated/types.rs", api.package()))
        .collect();
    files.push("crates/mkio-core/src/types.rs".to_owned());
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(workspace.root().join(&file)).unwrap();
            let items = syn::parse_file(&text).unwrap().items;
            (file, items)
        })
        .collect()
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// `From<A>` for `B` makes `A` a kind of `B`.
fn conversions(items: &[Item]) -> BTreeMap<String, BTreeSet<String>> {
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        if let Item::Impl(ItemImpl {
            trait_: Some((path, _)),
            self_ty,
            ..
        }) = item
            && let Some(source) = text(path)
                .strip_prefix("From<")
                .and_then(|rest| rest.strip_suffix('>'))
        {
            sources
                .entry(text(self_ty))
                .or_default()
                .insert(source.to_owned());
        }
    }
    sources
}

/// The kinds of values that an argument accepts.
fn kinds(ty: &Type, sources: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let written = text(ty);
    let inner = written
        .strip_prefix("implInto<")
        .and_then(|rest| rest.strip_suffix('>'));
    let one = |kind: &str| BTreeSet::from([kind.to_owned()]);
    match inner.unwrap_or(&written) {
        "String" | "Timestamp" | "UrlText" | "Secret<String>" | "Secret<UrlText>" => one("text"),
        "i64" | "f64" | "i32" | "u64" => one("number"),
        "bool" => one("flag"),
        name => {
            let mut all = sources.get(name).cloned().unwrap_or_default();
            all.insert(name.to_owned());
            all
        }
    }
}

fn constructors(items: &[Item]) -> impl Iterator<Item = (String, &ImplItemFn)> {
    items.iter().flat_map(|item| {
        let Item::Impl(of) = item else {
            return Vec::new();
        };
        let new = of.items.iter().filter_map(|item| match item {
            ImplItem::Fn(function) if function.sig.ident == "new" => {
                Some((text(&of.self_ty), function))
            }
            _ => None,
        });
        new.collect()
    })
}

fn arguments(function: &ImplItemFn) -> Vec<(String, &Type)> {
    let inputs = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Some((name.ident.to_string(), &*typed.ty)),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    inputs.collect()
}

/// A start and then an end of the same thing.
fn is_range(first: &str, second: &str) -> bool {
    let rest = (first.strip_prefix("start"), second.strip_prefix("end"));
    matches!(rest, (Some(start), Some(end)) if start == end)
}

#[test]
fn no_constructor_can_be_called_with_its_arguments_swapped() {
    let workspace = Workspace::open(None).unwrap();
    let mut seen = 0;
    for (file, items) in modules(&workspace) {
        let sources = conversions(&items);
        for (name, function) in constructors(&items) {
            let arguments = arguments(function);
            for (n, (first, ty)) in arguments.iter().enumerate() {
                for (second, other) in &arguments[n + 1..] {
                    seen += 1;
                    let apart = kinds(ty, &sources).is_disjoint(&kinds(other, &sources));
                    let times = [ty, other].map(|ty| text(ty).contains("Timestamp"));
                    assert!(
                        apart || (is_range(first, second) && times == [true, true]),
                        "{file}: {name}::new takes {first} and {second}, which accept the same"
                    );
                }
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn no_constructor_has_the_order_of_the_alphabet_by_accident() {
    let workspace = Workspace::open(None).unwrap();
    let (mut seen, mut sorted) = (0, Vec::new());
    for api in workspace.apis() {
        let document = finished(&workspace, api);
        for (name, of) in &Model::new(&document).types {
            if of.fields().is_none() || !of.written || of.required.len() < 2 {
                continue;
            }
            seen += 1;
            let chosen = document
                .schema(name)
                .unwrap()
                .get(crate::marks::ORDER)
                .is_some();
            if !chosen && of.required.is_sorted() {
                sorted.push(format!("{} {name} {:?}", api.name, of.required));
            }
        }
    }
    assert!(seen > 60, "{seen}");
    assert!(
        sorted.is_empty(),
        "sorted; choose the order with `x-mkio-order` in the overlay: {sorted:#?}"
    );
}

#[test]
fn ranges_start_with_their_start() {
    let workspace = Workspace::open(None).unwrap();
    let mut found = BTreeMap::new();
    for (_, items) in modules(&workspace) {
        for (name, function) in constructors(&items) {
            let names: Vec<_> = arguments(function)
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            found.insert(name, names);
        }
    }
    // Texts are named instead.
    assert!(found["UsageReportQuery"].is_empty());
    assert_eq!(
        found["ScheduledOperationStartStopSpec"],
        ["start_time", "end_time"]
    );
}

/// A PATCH names the changes: nothing in its body may be required.
#[test]
fn bodies_of_patches_require_nothing() {
    let workspace = Workspace::open(None).unwrap();
    let mut seen = 0;
    for api in workspace.apis() {
        let model = Model::new(&finished(&workspace, api));
        let patches = model
            .operations
            .iter()
            .filter(|operation| operation.method == "PATCH");
        for operation in patches {
            let body = operation
                .body_schema
                .as_ref()
                .and_then(crate::document::ref_name);
            let Some(of) = body.and_then(|name| model.types.get(name)) else {
                continue;
            };
            seen += 1;
            assert!(
                of.patch && !of.read && of.required.is_empty(),
                "{}: {body:?}",
                operation.id
            );
            for (name, field) in of.fields().unwrap() {
                let held = crate::document::ref_name(&field.schema)
                    .or_else(|| crate::document::ref_name(&field.schema["allOf"][0]));
                let held = held
                    .and_then(|name| model.types.get(name))
                    .filter(|of| of.fields().is_some());
                assert!(
                    held.is_none_or(|held| held.required.is_empty()),
                    "{}: {name}",
                    operation.id
                );
            }
        }
    }
    assert!(seen > 15, "{seen}");
}
