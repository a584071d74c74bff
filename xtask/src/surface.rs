//! What a generated crate offers, as sorted text: a regeneration reads as a small diff.

use quote::ToTokens;
use syn::{Field, Fields, FnArg, ImplItem, Item, ItemImpl, ItemStruct};

use crate::{
    model::{Model, Operation, Parameter, ResponseShape, Shape},
    refine::{Code, Signatures},
};

/// The text of `spec/surface/<api>.txt`.
pub fn text(title: &str, version: &str, model: &Model, code: &Code) -> String {
    let mut lines = vec![
        format!("{title} {version}"),
        String::new(),
        "OPERATIONS".to_owned(),
    ];
    let mut operations: Vec<_> = model.operations.iter().collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    for operation in operations {
        lines.extend(describe(operation, &code.signatures));
    }
    lines.push(String::new());
    lines.push("TYPES".to_owned());
    let mut types: Vec<_> = code.types.iter().chain(&code.shared).collect();
    types.sort_by_key(|(name, _)| name);
    for item in types.into_iter().flat_map(|(_, items)| items) {
        match item {
            Item::Struct(item) => lines.extend(structure(item)),
            Item::Impl(item) if item.trait_.is_none() => lines.extend(constructor(item)),
            Item::Type(item) => lines.push(format!(
                "type {} = {}",
                item.ident,
                compact(&item.ty.to_token_stream().to_string())
            )),
            _ => {}
        }
    }
    for (name, of) in sorted(model) {
        lines.extend(alternatives(name, &of.shape));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A structure and its fields by name.
fn structure(item: &ItemStruct) -> Vec<String> {
    let Fields::Named(fields) = &item.fields else {
        return Vec::new();
    };
    let field = |field: &Field| {
        let name = field.ident.as_ref().map(ToString::to_string);
        let ty = compact(&field.ty.to_token_stream().to_string());
        format!("    {}: {ty}", name.unwrap_or_default())
    };
    headed(
        format!("struct {}", item.ident),
        fields.named.iter().map(field),
    )
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

/// `new(name: String) -> …` of a structure; `.url(String) -> …` of one that is not finished.
fn constructor(item: &ItemImpl) -> Option<String> {
    let name = item.self_ty.to_token_stream().to_string();
    let unfinished = name.contains("Needs");
    item.items.iter().find_map(|item| {
        let ImplItem::Fn(function) = item else {
            return None;
        };
        let sig = &function.sig;
        let finished = sig.output.to_token_stream().to_string() == "-> Self";
        if !(sig.ident == "new" || unfinished) || (sig.inputs.is_empty() && finished) {
            return None;
        }
        let arguments = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => {
                let ty = compact(&typed.ty.to_token_stream().to_string());
                let ty = ty
                    .strip_prefix("impl Into<")
                    .and_then(|ty| ty.strip_suffix('>'))
                    .unwrap_or(&ty);
                let name = typed.pat.to_token_stream().to_string();
                Some(if unfinished {
                    ty.to_owned()
                } else {
                    format!("{name}: {ty}")
                })
            }
            FnArg::Receiver(_) => None,
        });
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let lead = if unfinished { "        ." } else { "    " };
        Some(format!("{lead}{}({arguments})", sig.ident))
    })
}

fn sorted(model: &Model) -> Vec<(&String, &crate::model::Type)> {
    let mut types: Vec<_> = model.types.iter().collect();
    types.sort_by_key(|(name, _)| name.as_str());
    types
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
        let ty = compact(&ty.to_token_stream().to_string());
        format!("{}: {ty}", parameter.ident)
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

/// `Option < Vec < String > >` as people write it.
fn compact(tokens: &str) -> String {
    tokens
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace("< ", "<")
        .replace(" ,", ",")
        .replace(":: ", "::")
        .replace(" ::", "::")
}
