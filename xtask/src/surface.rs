//! The public surface of a generated crate, as sorted text: a regeneration reads as a small diff,
//! and `cargo xtask spec diff` finds lost lines. The head of each file explains its lines;
//! everything else that is public has a line of its own.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Field, Fields, FnArg, GenericArgument, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct,
    PathArguments, ReturnType, Type, TypeParamBound, WherePredicate,
};

use crate::{
    glue,
    model::{Model, Operation, Parameter, ResponseShape, Shape},
    refine::{Code, Signatures},
    states::States,
};

/// The explanation of the lines.
const RULE: &str = "\
# One line for everything that a user can call; `cargo xtask spec diff` compares the lines.
# Implied, without lines of their own:
# - operation: a method of `Client`, and of `ProjectClient` without `project_name`; its builder with a
#   method for each optional argument; its static in `operations`. `items of X`: `items()`, `pages()`.
# - `wait_for_x`: `resume_wait_for_x`, `resume_wait_until_x_gone`, and the static `waits::X`.
# - `struct … read`: a reader `x()` of each field `x`. `struct … written`: a setter `with_x` of each
#   field `x` that is not read only. `.x(…)` behind `new(…)` are the named steps, in their order.
# - `from_json`: reads a body from text, and `from_json_value` from a value; both refuse unknown members.
# - `enum`: reads from text and as text. `union`: `as_x()` of each variant `X`, and `as_unknown()`.
# An argument accepts what converts into its type; `[T]` accepts any iterator, `[K: V]` one of pairs.
";

/// The text of `spec/surface/<api>.txt`.
pub fn text(title: &str, version: &str, model: &Model, states: &States, code: &Code) -> String {
    let edits = glue::edits::run("", model, &code.signatures);
    let sections = [
        ("OPERATIONS", operations(model, code)),
        ("WAITS", waits(model, states, &code.signatures)),
        (
            "EDITS",
            calls(&edits).into_iter().map(|(_, line)| line).collect(),
        ),
        ("FIELDS OF LISTS", fields(model)),
        ("TYPES", types(model, code, &edits)),
    ];
    let mut text = format!("{title} {version}\n{RULE}");
    for (name, lines) in sections {
        if !lines.is_empty() {
            text += &format!("\n{name}\n{}\n", lines.join("\n"));
        }
    }
    text
}

fn operations(model: &Model, code: &Code) -> Vec<String> {
    let lists = glue::pages::lists(model);
    let mut operations: Vec<_> = model.operations.iter().collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    let mut lines = Vec::new();
    for operation in operations {
        lines.extend(describe(operation, &code.signatures));
        let list = lists.iter().find(|(list, ..)| list.id == operation.id);
        lines.extend(list.map(|(.., of)| format!("    items of {}", spelled(&of.item))));
    }
    lines
}

/// Waits with their goals, and calls that act and wait.
fn waits(model: &Model, states: &States, signatures: &Signatures) -> Vec<String> {
    let items = glue::waits::run("", model, states, signatures);
    let mut lines = Vec::new();
    for (name, line) in calls(&items) {
        if name.starts_with("resume_wait_") {
            continue;
        }
        lines.push(line);
        let resource = name.strip_prefix("wait_for_").and_then(|of| states.get(of));
        let Some(resource) = resource else { continue };
        let goals: Vec<&str> = resource.goals.keys().map(String::as_str).collect();
        lines.extend(goals.first().map(|first| format!("    default {first}")));
        lines.push(format!("    goals {}", goals.join(", ")));
    }
    lines
}

/// Methods of the clients, sorted, with their lines.
fn calls(items: &[Item]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        if item.trait_.is_none() {
            let owner = spelled(&item.self_ty);
            found.extend(methods(item).map(|method| {
                let line = format!("{owner}::{}", signature(method));
                (method.sig.ident.to_string(), line)
            }));
        }
    }
    found.sort();
    found
}

/// Fields by which lists can be sorted and filtered.
fn fields(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for item in glue::fields::run(model) {
        let Item::Mod(module) = item else { continue };
        lines.push(format!("fields::{}", module.ident));
        let items = module.content.into_iter().flat_map(|(_, items)| items);
        lines.extend(items.filter_map(|item| {
            let Item::Const(constant) = item else {
                return None;
            };
            let [_, kind, usage] = &arguments(&constant.ty)[..] else {
                return None;
            };
            let usage = match usage.as_str() {
                "SortOnly" => "sort",
                "FilterOnly" => "filter",
                _ => "sort, filter",
            };
            Some(format!("    {}: {kind}, {usage}", constant.ident))
        }));
    }
    lines
}

/// Types in the order of their names: structures first.
fn types(model: &Model, code: &Code, edits: &[Item]) -> Vec<String> {
    let mut all: Vec<_> = code.types.iter().chain(&code.shared).collect();
    all.sort_by_key(|(name, _)| name);
    let (mut structs, mut others) = (Vec::new(), Vec::new());
    for (name, items) in all {
        let shape = &model.types.get(name).map(|of| &of.shape);
        let block = shape.map_or_else(Vec::new, |shape| alternatives(name, shape));
        let mut more = callable(name, items);
        more.extend(conversions(name, items.iter().chain(edits)));
        if block.is_empty() {
            structs.extend(items.iter().flat_map(|item| match item {
                Item::Struct(item) => structure(item, items),
                Item::Type(item) => vec![format!("type {} = {}", item.ident, spelled(&item.ty))],
                _ => Vec::new(),
            }));
            structs.extend(more);
        } else {
            others.extend(block);
            others.extend(more);
        }
    }
    structs.extend(others);
    structs
}

/// Names of the methods that the items give a type.
fn method_names(name: &str, items: &[Item]) -> BTreeSet<String> {
    let own = inherent(name, items);
    own.map(|method| method.sig.ident.to_string()).collect()
}

fn inherent<'a>(name: &'a str, items: &'a [Item]) -> impl Iterator<Item = &'a ImplItemFn> {
    let impls = items.iter().filter_map(move |item| match item {
        Item::Impl(item) if item.trait_.is_none() && spelled(&item.self_ty) == name => Some(item),
        _ => None,
    });
    impls.flat_map(methods)
}

fn methods(item: &ItemImpl) -> impl Iterator<Item = &ImplItemFn> {
    item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

/// A structure and its fields by name.
fn structure(item: &ItemStruct, items: &[Item]) -> Vec<String> {
    let Fields::Named(fields) = &item.fields else {
        return Vec::new();
    };
    let methods = method_names(&item.ident.to_string(), items);
    let written = methods.contains("new");
    let ident = |field: &Field| {
        field
            .ident
            .as_ref()
            .map_or_else(String::new, ToString::to_string)
    };
    let line = |field: &Field| {
        let name = ident(field);
        let setter = format!("with_{}", name.trim_end_matches('_'));
        let fixed = written && !methods.contains(&setter);
        let fixed = if fixed { " (read only)" } else { "" };
        format!("    {name}: {}{fixed}", spelled(&field.ty))
    };
    let read = fields
        .named
        .iter()
        .any(|field| methods.contains(&ident(field)));
    let mut head = format!("struct {}", item.ident);
    for (is, mark) in [(read, " read"), (written, " written")] {
        if is {
            head += mark;
        }
    }
    headed(head, fields.named.iter().map(line))
}

/// An enum and its values, or a union and its members.
fn alternatives(name: &str, shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Enum(values) => headed(
            format!("enum {name}"),
            values
                .iter()
                .map(|(value, variant)| format!("    {variant} = {value:?}")),
        ),
        Shape::Union { tag, variants } => headed(
            format!("union {name} by {tag:?}"),
            variants
                .iter()
                .map(|v| format!("    {}({}) = {:?}", v.name, v.member, v.value)),
        ),
        Shape::Struct(_) | Shape::Secret => Vec::new(),
    }
}

/// A line and, sorted, those below it.
fn headed(head: String, below: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = below.collect();
    lines.sort();
    lines.insert(0, head);
    lines
}

/// The constructor with its steps, and the methods that no field and no variant implies.
fn callable(name: &str, items: &[Item]) -> Vec<String> {
    let fields: BTreeSet<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(item.fields.iter()),
            _ => None,
        })
        .flatten()
        .filter_map(|field| Some(field.ident.as_ref()?.to_string()))
        .collect();
    let implied = |method: &str| {
        let of_field = |name: &str| fields.iter().any(|f| f.trim_end_matches('_') == name);
        of_field(method.trim_end_matches('_'))
            || method.strip_prefix("with_").is_some_and(of_field)
            || method.starts_with("as_")
    };
    let mut lines = Vec::new();
    for method in inherent(name, items) {
        let named = method.sig.ident.to_string();
        if named == "new" {
            lines.insert(
                0,
                format!("    new({}){}", taken(method, true), steps(name, items)),
            );
        } else if !implied(&named) {
            lines.push(format!("    {}", signature(method)));
        }
    }
    let body = items.iter().any(|item| match item {
        Item::Macro(item) => item
            .mac
            .path
            .segments
            .last()
            .is_some_and(|s| s.ident == "json_body"),
        _ => false,
    });
    lines.extend(body.then(|| "    from_json".to_owned()));
    lines
}

/// `.url(String).name(String)`: the methods that have to be called before a structure is finished.
fn steps(name: &str, items: &[Item]) -> String {
    let lead = format!("{name}Needs");
    let steps = items.iter().filter_map(|item| match item {
        Item::Impl(item) if spelled(&item.self_ty).starts_with(&lead) => Some(item),
        _ => None,
    });
    steps
        .flat_map(methods)
        .map(|step| format!(".{}({})", step.sig.ident, taken(step, false)))
        .collect()
}

/// The conversions into a type.
fn conversions<'a>(name: &str, items: impl Iterator<Item = &'a Item>) -> Vec<String> {
    let (mut from, mut tried) = (Vec::new(), Vec::new());
    for item in items {
        let Item::Impl(item) = item else { continue };
        let segment = item
            .trait_
            .iter()
            .find_map(|(path, _)| path.segments.last());
        let Some(segment) = segment.filter(|_| spelled(&item.self_ty) == name) else {
            continue;
        };
        let sources = arguments_of(&segment.arguments);
        match segment.ident.to_string().as_str() {
            "From" => from.extend(sources),
            "TryFrom" => tried.extend(sources),
            _ => {}
        }
    }
    let line = |lead: &str, mut sources: Vec<String>| {
        sources.sort();
        (!sources.is_empty()).then(|| format!("    {lead} {}", sources.join(", ")))
    };
    let lines = [line("from", from), line("try from", tried)];
    lines.into_iter().flatten().collect()
}

/// `name(a: A) -> B`.
fn signature(method: &ImplItemFn) -> String {
    let returned = match &method.sig.output {
        ReturnType::Default => "()".to_owned(),
        ReturnType::Type(_, ty) => spelled(ty),
    };
    // The closure of an edit is one of its arguments.
    let returned = returned.replace(", F>", ">");
    format!(
        "{}({}) -> {returned}",
        method.sig.ident,
        taken(method, true)
    )
}

/// The arguments of a method, with or without their names.
fn taken(method: &ImplItemFn, named: bool) -> String {
    let arguments = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => {
            let name = typed.pat.to_token_stream().to_string();
            let ty = closure(method, &typed.ty).unwrap_or_else(|| spelled(&typed.ty));
            Some(if named { format!("{name}: {ty}") } else { ty })
        }
        FnArg::Receiver(_) => None,
    });
    arguments.collect::<Vec<_>>().join(", ")
}

/// `X -> Y` of an argument whose type is a parameter `F: FnOnce(X) -> Y`.
fn closure(method: &ImplItemFn, ty: &Type) -> Option<String> {
    let predicates = &method.sig.generics.where_clause.as_ref()?.predicates;
    let bounds = predicates.iter().find_map(|predicate| match predicate {
        WherePredicate::Type(of) if of.bounded_ty == *ty => of.bounds.first(),
        _ => None,
    });
    let TypeParamBound::Trait(bound) = bounds? else {
        return None;
    };
    let PathArguments::Parenthesized(of) = &bound.path.segments.last()?.arguments else {
        return None;
    };
    let given: Vec<String> = of.inputs.iter().map(|of| spelled(&of.ty)).collect();
    let ReturnType::Type(_, made) = &of.output else {
        return None;
    };
    Some(format!("{} -> {}", given.join(", "), spelled(made)))
}

/// A type as people write it, by the last names of its paths. A converting argument is shown as
/// the type that it accepts.
fn spelled(ty: &Type) -> String {
    match ty {
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return String::new();
            };
            let inner = arguments_of(&last.arguments);
            if inner.is_empty() {
                last.ident.to_string()
            } else {
                format!("{}<{}>", last.ident, inner.join(", "))
            }
        }
        Type::Reference(reference) => format!("&{}", spelled(&reference.elem)),
        Type::Tuple(tuple) if tuple.elems.len() == 2 => {
            format!("{}: {}", spelled(&tuple.elems[0]), spelled(&tuple.elems[1]))
        }
        Type::ImplTrait(of) => of.bounds.first().map_or_else(String::new, accepted),
        _ => compact(&ty.to_token_stream()),
    }
}

/// The type that `impl Into<X>`, `impl AsRef<x>` or `impl IntoIterator<Item = X>` accepts.
fn accepted(bound: &TypeParamBound) -> String {
    let TypeParamBound::Trait(bound) = bound else {
        return compact(&bound.to_token_stream());
    };
    let Some(last) = bound.path.segments.last() else {
        return String::new();
    };
    let inner = arguments_of(&last.arguments).join(", ");
    match last.ident.to_string().as_str() {
        "Into" => inner,
        "AsRef" => format!("&{inner}"),
        "IntoIterator" => format!("[{inner}]"),
        _ => compact(&bound.to_token_stream()),
    }
}

/// The types in the angle brackets of a type.
fn arguments(ty: &Type) -> Vec<String> {
    let Type::Path(path) = ty else {
        return Vec::new();
    };
    let last = path.path.segments.last();
    last.map_or_else(Vec::new, |last| arguments_of(&last.arguments))
}

fn arguments_of(arguments: &PathArguments) -> Vec<String> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(spelled(ty)),
        GenericArgument::AssocType(of) => Some(spelled(&of.ty)),
        _ => None,
    });
    types.collect()
}

fn describe(operation: &Operation, signatures: &Signatures) -> Vec<String> {
    let schema = |schema: &serde_json::Value| match crate::document::ref_name(schema) {
        Some(name) => name.to_owned(),
        None if schema["type"] == "array" => {
            let item = crate::document::ref_name(&schema["items"]);
            format!("[{}]", item.unwrap_or("JSON"))
        }
        None if schema["format"] == "binary" => "bytes".to_owned(),
        None => "JSON".to_owned(),
    };
    let response = match &operation.response {
        ResponseShape::Empty => "()".to_owned(),
        ResponseShape::Json(response) => schema(response),
        ResponseShape::Bytes(media_type) => media_type.clone(),
    };
    let typed = |parameter: &Parameter| {
        let ty = signatures.argument(&operation.id, &parameter.ident);
        format!("{}: {}", parameter.ident, spelled(&ty))
    };
    let body = operation.body_schema.as_ref().map(schema);
    let mut taken: Vec<_> = operation.required().into_iter().map(typed).collect();
    taken.extend(
        body.iter()
            .filter(|_| operation.body_required)
            .map(|body| format!("body: {body}")),
    );
    let mut lines = vec![format!(
        "{}({}) -> {response}\n    {} {}",
        operation.id,
        taken.join(", "),
        operation.method,
        operation.path
    )];
    let optional: Vec<_> = operation
        .parameters
        .iter()
        .filter(|p| !p.required)
        .map(typed)
        .collect();
    if !optional.is_empty() {
        lines.push(format!("    optional {}", optional.join(", ")));
    }
    if let (Some(media_type), Some(body)) = (&operation.body, &body) {
        let what = if operation.body_required {
            "body"
        } else {
            "optional body"
        };
        lines.push(format!("    {what} {body} as {media_type}"));
    }
    lines
}

/// Tokens without the spaces between them.
fn compact(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "")
}
