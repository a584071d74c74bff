//! The catalog: every operation and every type as data, for programs that choose operations at run
//! time.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::{format_ident, quote};
use serde_json::Value;

use super::columns;
use crate::{
    commands::Commands,
    glue::pages,
    marks,
    media::{Kind, kind},
    model::{
        Field, Location, Model, Need, Operation, Parameter, ResponseShape, SCOPE, Shape, Type,
    },
    refine::Signatures,
    states::{Resource, States},
    types,
};

/// The text of the module below its head: a line for each parameter, field and type, since there
/// are many.
pub fn run(model: &Model, states: &States, commands: &Commands, signatures: &Signatures) -> String {
    let lists = pages::lists(model).into_iter();
    let catalog = Catalog {
        lists: lists
            .map(|(list, _, of)| (list.id.as_str(), of.schema))
            .collect(),
        model,
        states,
        commands,
        signatures,
    };
    let mut operations: Vec<_> = model.operations.iter().collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    let mut types: Vec<_> = model.types.iter().collect();
    types.sort_by_key(|(name, _)| *name);
    let resources = if states.is_empty() {
        "&[]"
    } else {
        "waits::ALL"
    };
    let entries: String = operations
        .into_iter()
        .map(|operation| catalog.entry(operation))
        .collect();
    let actions = catalog.actions().into_iter();
    let actions: String = actions
        .map(|action| format!("    {},\n", line(&action)))
        .collect();
    let types: String = types
        .into_iter()
        .map(|(name, of)| type_of(name, of))
        .collect();
    format!(
        "\n/// The operations and types of the API, as data.\n\
         pub static CATALOG: Catalog = Catalog {{\n    api: super::API,\n    entries: ENTRIES,\n    \
         types: TYPES,\n    resources: {resources},\n    actions: ACTIONS,\n}};\n\n\
         static ENTRIES: &[Entry] = &[\n{entries}];\n\n\
         static ACTIONS: &[Action] = &[\n{actions}];\n\n\
         static TYPES: &[Type] = &[\n{types}];\n"
    )
}

/// Tokens in one line.
fn line(tokens: &TokenStream) -> String {
    let mut text = String::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => (" { ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                text.push_str(&line(&group.stream()));
                text.push_str(close);
            }
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                let ends = punct.as_char() == ',' || punct.as_char() == ':';
                if ends && punct.spacing() == Spacing::Alone && !text.ends_with("::") {
                    text.push(' ');
                }
            }
            other => text.push_str(&other.to_string()),
        }
    }
    text.trim_end().to_owned()
}

struct Catalog<'a> {
    /// Schemas of the items of lists, by operation.
    lists: Vec<(&'a str, Value)>,
    model: &'a Model,
    states: &'a States,
    commands: &'a Commands,
    signatures: &'a Signatures,
}

impl Catalog<'_> {
    fn entry(&self, operation: &Operation) -> String {
        let constant = format_ident!("{}", operation.constant());
        let (command, docs) = (self.commands.of(operation), &operation.docs);
        let parameters = ordered(operation).into_iter().map(parameter);
        let list = self.lists.iter().find(|(id, _)| *id == operation.id);
        let item = list.map(|(_, item)| item);
        let columns = columns::of(self.model, self.states, operation, item);
        let mut fields = Vec::new();
        fields.extend(self.body(operation).map(|body| quote!(body: Some(#body))));
        fields.extend(
            self.response(operation)
                .map(|response| quote!(response: #response)),
        );
        fields.extend(item.map(|item| {
            let ty = ty(item);
            quote!(item: Some(#ty))
        }));
        for (name, values) in [
            ("sort", &operation.sort),
            ("filter", &operation.filter),
            ("capability", &operation.capability),
            ("columns", &columns),
        ] {
            let name = format_ident!("{name}");
            if !values.is_empty() {
                fields.push(quote!(#name: &[#(#values),*]));
            }
        }
        fields.extend(write(operation).map(|write| quote!(write: Some(Write::#write))));
        fields.extend(
            self.waiting(operation)
                .map(|waiting| quote!(waiting: Some(#waiting))),
        );
        let fields: String = fields
            .iter()
            .map(|field| format!("        {},\n", line(field)))
            .collect();
        let base = quote!(Entry::new(&operations::#constant, &[#(#command),*], #docs, TYPES));
        format!(
            "    Entry {{\n{}{fields}        ..{}\n    }},\n",
            rows("parameters: &[", parameters, "]"),
            line(&base)
        )
    }

    fn body(&self, operation: &Operation) -> Option<TokenStream> {
        let (media_type, schema) = (operation.body.as_ref()?, operation.body_schema.as_ref()?);
        let required = operation.body_required;
        if !matches!(kind(media_type), Ok(Kind::Json | Kind::Form)) {
            return Some(quote!(Body::bytes(#required)));
        }
        let (of, ty) = (self.signatures.argument(&operation.id, "body"), ty(schema));
        Some(quote!(Body::of::<#of>(#ty, #required)))
    }

    fn response(&self, operation: &Operation) -> Option<TokenStream> {
        match &operation.response {
            ResponseShape::Empty => None,
            ResponseShape::Bytes(media_type) => Some(quote!(ResponseBody::Bytes(#media_type))),
            ResponseShape::Json(schema) => {
                let (of, ty) = (self.signatures.response_type(&operation.id), ty(schema));
                Some(quote!(ResponseBody::json::<#of>(#ty)))
            }
        }
    }

    /// The wait after an operation: the goal of a call that acts and waits, or otherwise the end of
    /// the write.
    fn waiting(&self, operation: &Operation) -> Option<TokenStream> {
        let made = |name: &str, effect: &str, goal: &str| {
            let (resource, effect) = (super::waits::constant(name), format_ident!("{effect}"));
            quote!(Waiting { resource: &waits::#resource, effect: Effect::#effect, goal: #goal })
        };
        for (name, resource) in self.states {
            for action in resource.actions.values() {
                let alone = action.steps().len() == 1 && action.body.is_none();
                if alone && action.operation == operation.id {
                    let effect = if action.creates { "Creates" } else { "Reaches" };
                    return Some(made(name, effect, &action.goal));
                }
            }
            if resource.delete.as_deref() == Some(operation.id.as_str()) {
                return Some(made(name, "Deletes", ""));
            }
        }
        let write = write(operation)?;
        let (name, resource) = self.states.iter().find(|(_, resource)| {
            let item = resource.item.as_deref();
            item.and_then(|item| self.model.operation(item))
                .is_some_and(|item| item.path == operation.path)
                && resource.params.len() == operation.path_parameters().len()
        })?;
        let goal = reached_by(resource, write == "Patch");
        let effect = match (write.to_string().as_str(), goal) {
            ("CreateOnly", "") | (_, "created" | "ready" | "present") => "Creates",
            _ => "Reaches",
        };
        let upserts = write == "Upsert";
        let effect = if upserts { "Reaches" } else { effect };
        Some(made(name, effect, goal))
    }

    /// Calls with bodies that are known beforehand, and calls one after the other.
    fn actions(&self) -> Vec<TokenStream> {
        let all = self.states.iter().flat_map(|(name, resource)| {
            let actions = resource.actions.iter();
            actions.map(move |(call, action)| (name, resource, call, action))
        });
        let told =
            all.filter(|(_, _, _, action)| action.steps().len() > 1 || action.body.is_some());
        told.filter_map(|(name, resource, call, action)| {
            let item = self.model.operation(resource.item.as_deref()?)?;
            let verb = call.split('_').next().unwrap_or_default();
            let mut command = self.commands.of(item);
            command.pop();
            command.push(verb.to_owned());
            let constant = super::waits::constant(name);
            let steps = action.steps();
            let steps = steps.iter().map(|step| {
                let body = step.body.as_ref().map(Value::to_string).unwrap_or_default();
                let (operation, goal) = (&step.operation, &step.goal);
                quote!(Step { operation: #operation, goal: #goal, body: #body })
            });
            Some(quote!(Action {
                command: &[#(#command),*], resource: &waits::#constant, steps: &[#(#steps),*],
            }))
        })
        .collect()
    }
}

/// The goal that a write reaches by itself.
fn reached_by(resource: &Resource, changes: bool) -> &'static str {
    let after: &[&'static str] = if changes {
        &["updated", "ok"]
    } else {
        &["created", "ready", "ok", "accepted", "present", "updated"]
    };
    let has = |goal: &&&str| resource.goals.contains_key(**goal);
    after.iter().find(has).copied().unwrap_or_default()
}

/// The kind of write of an operation.
fn write(operation: &Operation) -> Option<proc_macro2::Ident> {
    let has = |status: &str| operation.statuses.iter().any(|known| known == status);
    let json = operation.body.as_deref() == Some("application/json");
    let name = match operation.method.as_str() {
        "PUT" if has("200") && (has("201") || !has("409")) => "Upsert",
        "PUT" => "CreateOnly",
        "PATCH" if json => "Patch",
        _ => return None,
    };
    Some(format_ident!("{name}"))
}

/// Parameters of the path first, in its order.
fn ordered(operation: &Operation) -> Vec<&Parameter> {
    let mut all = operation.path_parameters();
    all.extend(
        operation
            .parameters
            .iter()
            .filter(|p| p.location != Location::Path),
    );
    all
}

fn parameter(parameter: &Parameter) -> TokenStream {
    let Parameter {
        name,
        ident,
        description: docs,
        required,
        ..
    } = parameter;
    if parameter.location == Location::Path {
        let docs: &str = if ident == SCOPE && docs.is_empty() {
            "Name of the project."
        } else {
            docs
        };
        return quote!(Parameter::path(#name, #ident, #docs));
    }
    let place = format_ident!("{}", format!("{:?}", parameter.location));
    let ty = ty(&parameter.schema);
    quote!(Parameter::new(Place::#place, #name, #ident, #ty, #docs, #required))
}

/// The catalog's type of a schema.
fn ty(schema: &Value) -> TokenStream {
    if let Some(name) = types::named_type(schema) {
        return quote!(Ty::Named(#name));
    }
    let format = schema.get("format").and_then(Value::as_str);
    match (schema.get("type").and_then(Value::as_str), format) {
        (Some("string"), Some("date-time")) => quote!(Ty::Time),
        (Some("string"), _) => quote!(Ty::Text),
        (Some("integer"), Some("uint32" | "uint64")) => quote!(Ty::Unsigned),
        (Some("integer"), _) => quote!(Ty::Integer),
        (Some("number"), _) => quote!(Ty::Number),
        (Some("boolean"), _) => quote!(Ty::Flag),
        (Some("array"), _) => {
            let item = ty(&schema["items"]);
            quote!(Ty::List(&#item))
        }
        _ => match rest(schema) {
            Some(rest) => quote!(Ty::Map(&#rest)),
            None => quote!(Ty::Json),
        },
    }
}

/// The type of further members of an object.
fn rest(schema: &Value) -> Option<TokenStream> {
    schema.get("additionalProperties").map(ty)
}

/// A list with a line for each of its items; nothing where there are none.
fn rows(open: &str, items: impl Iterator<Item = TokenStream>, close: &str) -> String {
    let items: String = items
        .map(|item| format!("            {},\n", line(&item)))
        .collect();
    if items.is_empty() {
        return String::new();
    }
    format!("        {open}\n{items}        {close},\n")
}

fn type_of(name: &str, of: &Type) -> String {
    let docs = &of.description;
    let shape = match &of.shape {
        Shape::Struct(fields) => {
            let rest = match &of.rest_schema {
                Some(schema) => {
                    let rest = ty(schema);
                    quote!(Some(#rest))
                }
                None => quote!(None),
            };
            let close = format!("], {})", line(&rest));
            let fields = fields.iter().map(|(name, of)| field(name, of));
            match rows("shape: Shape::Object(&[", fields, &close) {
                none if none.is_empty() => {
                    format!("        shape: Shape::Object(&[], {}),\n", line(&rest))
                }
                rows => rows,
            }
        }
        Shape::Enum(values) => {
            let values = values.iter().map(|(value, _)| value);
            format!(
                "        shape: {},\n",
                line(&quote!(Shape::Enum(&[#(#values),*])))
            )
        }
        Shape::Union { tag, variants } => {
            let variants = variants.iter().map(|variant| {
                let (value, member) = (&variant.value, &variant.member);
                quote!((#value, #member))
            });
            format!(
                "        shape: {},\n",
                line(&quote!(Shape::Union(#tag, &[#(#variants),*])))
            )
        }
        Shape::Secret => "        shape: Shape::Secret,\n".to_owned(),
    };
    let head = line(&quote!(name: #name, docs: #docs));
    format!("    Type {{\n        {head},\n{shape}    }},\n")
}

fn field(name: &str, field: &Field) -> TokenStream {
    let (ty, docs) = (ty(&field.schema), &field.description);
    let says = |mark: &str| field.schema.get(mark) == Some(&Value::Bool(true));
    let marks = [
        ("Required", field.need != Need::Optional),
        ("ReadOnly", field.read_only),
        ("Immutable", says(marks::IMMUTABLE)),
        ("Secret", field.secret),
        ("Masked", says(marks::MASKED)),
        ("Nullable", field.nullable),
    ];
    let marks = marks.iter().filter(|(_, has)| *has).map(|(mark, _)| {
        let mark = format_ident!("{mark}");
        quote!(Mark::#mark)
    });
    quote!(ObjectField::new(#name, #ty, #docs, &[#(#marks),*]))
}
