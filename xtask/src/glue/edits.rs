//! Edits: for each resource that a PUT replaces or a PATCH changes, a call that reads it, changes
//! it and writes it back; and bodies made from resources.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Item, parse_quote};

use super::places::Finder;
use crate::{
    document::{Document, operation_pointer},
    marks,
    model::{Field, Model, Operation, SCOPE, Shape},
    names::snake_name,
    refine::{
        Signatures,
        example::{self, Example},
        requests,
    },
    report::Changes,
    types,
};

/// A resource that can be edited.
struct Editable<'a> {
    read: &'a Operation,
    write: &'a Operation,
    resource: &'a str,
    body: &'a str,
    /// The one member of the body, with its type; none when the body is edited as a whole.
    within: Option<(&'a str, &'a str)>,
}

impl<'a> Editable<'a> {
    /// The type of the closure's argument.
    fn edited(&self) -> &'a str {
        self.within.map_or(self.body, |(_, of)| of)
    }
}

/// Places in the body of an edit.
struct Places {
    /// Secrets that reads do not show: those that the resource's type lacks, and those that the
    /// overlay marks.
    masked: BTreeSet<String>,
    /// Members that the service alone sets: a type that is read as well has them.
    read_only: BTreeSet<String>,
}

struct Finders<'a> {
    masked: Finder<'a>,
    read_only: Finder<'a>,
}

impl<'a> Finders<'a> {
    fn new(model: &'a Model) -> Self {
        let masked = |field: &Field, read: Option<&Field>| {
            let marked = field.schema.get(marks::MASKED) == Some(&Value::Bool(true));
            marked || (field.secret && read.is_none())
        };
        Self {
            masked: Finder::new(model, masked),
            read_only: Finder::new(model, |field, _| field.read_only),
        }
    }

    fn of(&self, edit: &Editable<'a>) -> Option<Places> {
        Some(Places {
            masked: self.masked.places(edit.body, Some(edit.resource))?,
            read_only: self.read_only.places(edit.edited(), None)?,
        })
    }
}

/// Warns of resources that cannot be edited because of the types of their bodies.
pub fn check(document: &Document, model: &Model, changes: &mut Changes) {
    let finders = Finders::new(model);
    for edit in editable(model)
        .iter()
        .filter(|edit| finders.of(edit).is_none())
    {
        changes.warn(document.problem(
            operation_pointer(&edit.write.path, &edit.write.method),
            format!(
                "a body whose types refer to each other in too many ways: `{}` gets no edit",
                edit.read.id
            ),
            "fewer references, or fewer fields with `readOnly` or a secret below them".to_owned(),
        ));
    }
}

/// The items of the module; none when the API has nothing to edit.
pub fn run(api: &str, model: &Model, signatures: &Signatures) -> Vec<Item> {
    let finders = Finders::new(model);
    let pairs = pairs(model).into_iter();
    let mut items: Vec<Item> = pairs
        .filter_map(|pair| conversion(&finders, pair))
        .collect();
    let editable = editable(model).into_iter();
    let editable = editable.filter_map(|edit| Some((finders.of(&edit)?, edit)));
    let (scoped, unscoped): (Vec<_>, Vec<_>) =
        editable.partition(|(_, edit)| edit.read.parameters.iter().any(|p| p.ident == SCOPE));
    for (owner, edits, scoped) in [("ProjectClient", scoped, true), ("Client", unscoped, false)] {
        if edits.is_empty() {
            continue;
        }
        let owner = format_ident!("{owner}");
        let methods = edits.into_iter().map(|(places, edit)| {
            method(&edit, &places, model, signatures, Example { api, scoped })
        });
        items.push(parse_quote! {
            /// Edits: read a resource, change it, write it back.
            impl #owner { #(#methods)* }
        });
    }
    items
}

fn body_type(operation: &Operation) -> Option<&str> {
    let schema = operation.body_schema.as_ref()?;
    types::named_type(schema)
}

fn is_struct(model: &Model, name: &str) -> bool {
    let of = model.types.get(name);
    of.is_some_and(|of| matches!(of.shape, Shape::Struct(_)))
}

/// The reads of resources, with the writes of the same path that take an object.
fn writes<'a>(
    model: &'a Model,
    read: &'a Operation,
) -> impl Iterator<Item = (&'a Operation, &'a str)> {
    let same = move |operation: &&Operation| operation.path == read.path;
    let writes = model.operations.iter().filter(same);
    writes.filter_map(move |operation| {
        let json = operation.body.as_deref() == Some("application/json");
        let body = body_type(operation).filter(|body| json && is_struct(model, body))?;
        matches!(operation.method.as_str(), "PUT" | "PATCH").then_some((operation, body))
    })
}

fn reads(model: &Model) -> impl Iterator<Item = (&Operation, &str)> {
    let reads = model
        .operations
        .iter()
        .filter(|operation| operation.method == "GET");
    reads.filter_map(|operation| {
        let resource = operation
            .response_type_name()
            .filter(|name| is_struct(model, name))?;
        operation
            .id
            .starts_with("get_")
            .then_some((operation, resource))
    })
}

/// A PUT that replaces the resource comes before a PATCH, which can change less.
fn editable(model: &Model) -> Vec<Editable<'_>> {
    let mut found = Vec::new();
    for (read, resource) in reads(model) {
        let replaces = |write: &Operation| {
            write.method == "PUT" && !write.id.starts_with("create_")
                || write.id.starts_with("create_or_")
        };
        let candidates: Vec<_> = writes(model, read).collect();
        let write = candidates
            .iter()
            .find(|(write, _)| replaces(write))
            .or_else(|| candidates.iter().find(|(write, _)| write.method == "PATCH"));
        if let Some((write, body)) = write {
            found.push(Editable {
                read,
                write,
                resource,
                body,
                within: only_member(model, body),
            });
        }
    }
    found
}

fn fields<'a>(model: &'a Model, name: &str) -> Option<&'a indexmap::IndexMap<String, Field>> {
    match &model.types.get(name)?.shape {
        Shape::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// The member of a body that holds nothing else.
fn only_member<'a>(model: &'a Model, body: &str) -> Option<(&'a str, &'a str)> {
    let mut members = fields(model, body)?.iter();
    let (name, field) = members.next()?;
    let of = types::named_type(&field.schema).filter(|of| model.types.contains_key(*of))?;
    members.next().is_none().then_some((name.as_str(), of))
}

/// Resources with the bodies of their writes, where the two are different types.
fn pairs(model: &Model) -> BTreeSet<(&str, &str)> {
    let all = reads(model)
        .flat_map(|(read, resource)| writes(model, read).map(move |(_, body)| (resource, body)));
    all.filter(|(resource, body)| resource != body).collect()
}

fn conversion<'a>(finders: &Finders<'a>, (resource, body): (&str, &'a str)) -> Option<Item> {
    let read_only = finders.read_only.places(body, None)?;
    let (resource, ident) = (format_ident!("{resource}"), format_ident!("{body}"));
    Some(parse_quote! {
        /// Copies the members that the body has, without those that only the service sets.
        ///
        /// # Errors
        ///
        /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when the resource lacks a
        /// field that the body requires; the message names it.
        impl TryFrom<&types::#resource> for types::#ident {
            type Error = mkio_core::Error;

            fn try_from(resource: &types::#resource) -> Result<Self> {
                glue::body_of(resource, #body, &[#(#read_only),*])
            }
        }
    })
}

fn method(
    edit: &Editable<'_>,
    places: &Places,
    model: &Model,
    signatures: &Signatures,
    example: Example<'_>,
) -> TokenStream {
    let noun = edit.read.id.trim_start_matches("get_");
    let ident = format_ident!("edit_{noun}");
    let (read, write) = (
        format_ident!("{}", edit.read.constant()),
        format_ident!("{}", edit.write.constant()),
    );
    let arguments = requests::positional(edit.read, signatures);
    let in_scope = |argument: &requests::Argument| example.scoped && argument.ident == SCOPE;
    let given = arguments.iter().filter(|a| !in_scope(a)).map(|argument| {
        let requests::Argument { ident, .. } = argument;
        quote!(#ident: impl AsRef<str>)
    });
    let values = arguments.iter().map(|argument| {
        let ident = &argument.ident;
        if in_scope(argument) {
            quote!(self.project_name())
        } else {
            quote!(#ident.as_ref())
        }
    });
    let (resource, body) = (
        format_ident!("{}", edit.resource),
        format_ident!("{}", edit.edited()),
    );
    let within = edit.within.map_or("", |(name, _)| name);
    let merges = edit.write.method == "PATCH";
    let tags = tags(model);
    let Places { masked, read_only } = places;
    let docs = docs(edit, noun, merges);
    let names = arguments.iter().filter(|a| !in_scope(a));
    let names: Vec<_> = names.map(|a| example::name(&a.ident.to_string())).collect();
    let example = shown(edit, model, &names, example);
    quote! {
        #(#[doc = #docs])*
        #example
        pub fn #ident<F>(&self, #(#given,)* change: F) -> Edit<types::#resource, types::#body, F>
        where
            F: FnOnce(types::#body) -> types::#body,
        {
            let names = [#(#values),*];
            Edit::new(
                glue::RequestBuilder::new(self.transport(), &operations::#read, &names),
                glue::RequestBuilder::new(self.transport(), &operations::#write, &names),
                glue::Writing {
                    within: #within,
                    merges: #merges,
                    tags: &[#(#tags),*],
                    masked: &[#(#masked),*],
                    read_only: &[#(#read_only),*],
                },
                change,
            )
        }
    }
}

fn docs(edit: &Editable<'_>, noun: &str, merges: bool) -> [String; 4] {
    [
        format!(
            " Reads the {}, changes it, and writes it back.",
            noun.replace('_', " ")
        ),
        String::new(),
        format!(
            " Calls [`{0}`](Self::{0}), `change`, and [`{1}`](Self::{1}) if something changed.",
            edit.read.id, edit.write.id
        ),
        if merges {
            " Sends only what changed.".to_owned()
        } else {
            " All other members are kept, including ones this version does not know.".to_owned()
        },
    ]
}

/// An edit of a text, where the body has one.
fn shown(
    edit: &Editable<'_>,
    model: &Model,
    names: &[String],
    example: Example<'_>,
) -> TokenStream {
    let noun = edit.read.id.trim_start_matches("get_");
    let body = edit.edited();
    let texts = ["description", "displayName"];
    let text = texts.into_iter().find(|text| {
        let field = fields(model, body).and_then(|fields| fields.get(*text));
        field.is_some_and(|field| field.schema["type"] == "string" && !field.read_only)
    });
    let ty = example.full(&format!("types::{body}"));
    let (hidden, change) = match text {
        Some(text) => {
            let setter = format!("with_{}", snake_name(text));
            (None, format!("|{noun}| {noun}.{setter}(\"new\")"))
        }
        None => (
            Some(format!("change: fn({ty}) -> {ty}")),
            "change".to_owned(),
        ),
    };
    let arguments: Vec<_> = names.iter().cloned().chain([change]).collect();
    let call = format!("{}.edit_{noun}({})", example.api, arguments.join(", "));
    let lines = [format!("let {noun} = {call}.send().await?;")];
    example.docs(hidden.as_slice(), &lines)
}

/// The tags of all unions of the API.
fn tags(model: &Model) -> BTreeSet<&str> {
    let shapes = model.types.values().map(|of| &of.shape);
    shapes
        .filter_map(|shape| match shape {
            Shape::Union { tag, .. } => Some(tag.as_str()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        code::without_spaces,
        document::reference,
        passes::testing::{self, with_paths},
    };

    fn document(put: &str) -> Document {
        let body = |name: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
        let name = json!([{"name": "a_name", "in": "path", "required": true, "schema": {"type": "string"}}]);
        let mut document = with_paths(json!({"/a/{a_name}": {
            "get": {"operationId": "get_a", "parameters": name, "responses": {"2XX": body("A")}},
            "put": {"operationId": put, "parameters": name, "requestBody": body("APut"), "responses": {}},
            "patch": {"operationId": "update_a", "parameters": name, "requestBody": body("APatch"), "responses": {}},
        }}));
        let pins =
            json!({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Pin"}});
        document.root["components"]["schemas"] = json!({
            "A": {"properties": {"id": {"type": "string"}, "spec": {"$ref": "#/components/schemas/Spec"}}},
            "APut": {"properties": {"spec": {"$ref": "#/components/schemas/SpecPut"}}},
            "APatch": {"properties": {"spec": {"$ref": "#/components/schemas/Spec"}, "labels": {}}},
            "Spec": {"properties": {"url": {"type": "string"}, "pins": pins}},
            "SpecPut": {"properties": {
                "url": {"type": "string"}, "key": {"type": "string", "x-mkio-secret": true}, "pins": pins,
                "keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
            }},
            "Key": {"properties": {"id": {}, "tracks": {"readOnly": true}}},
            // A secret that reads show is not masked.
            "Pin": {"properties": {"pin": {"type": "string", "x-mkio-secret": true}}},
        });
        document
    }

    fn code(put: &str) -> String {
        code_of(&document(put))
    }

    fn code_of(document: &Document) -> String {
        let items = run("things", &Model::new(document), &Signatures::default());
        without_spaces(&prettyplease::unparse(&crate::code::file(items)))
    }

    #[test]
    fn the_example_sets_a_text_that_can_be_set() {
        let mut document = document("create_or_update_a");
        let schemas = &mut document.root["components"]["schemas"];
        schemas["SpecPut"]["properties"]["description"] = json!({"type": "string"});
        assert!(code_of(&document).contains("with_description(\"new\")"));
        let schemas = &mut document.root["components"]["schemas"];
        schemas["SpecPut"]["properties"]["description"]["readOnly"] = json!(true);
        assert!(!code_of(&document).contains("with_description(\"new\")"));
    }

    #[test]
    fn only_structures_are_edited() {
        let mut document = document("create_or_update_a");
        for name in ["A", "APut", "APatch"] {
            let union = json!({"x-mkio-union": {"tag": "t", "variants": []}});
            document.root["components"]["schemas"][name] = union;
        }
        let items = run("things", &Model::new(&document), &Signatures::default());
        assert!(items.is_empty(), "{} items", items.len());
    }

    #[test]
    fn a_put_that_replaces_is_edited_within_its_envelope() {
        let code = code("create_or_update_a");
        for part in [
            "pub fn edit_a<F>",
            "a_name: impl AsRef<str>",
            "Edit<types::A, types::SpecPut, F>",
            "&operations::CREATE_OR_UPDATE_A",
            "within: \"spec\", merges: false",
            "masked: &[\"/spec/key\"]",
            "read_only: &[\"/keys/*/tracks\"]",
            "glue::body_of(resource, \"APut\", &[\"/spec/keys/*/tracks\"])",
            "impl TryFrom<&types::A> for types::APut",
            "impl TryFrom<&types::A> for types::APatch",
        ] {
            assert!(code.contains(&without_spaces(part)), "{part} in {code}");
        }
    }

    #[test]
    fn a_write_whose_body_is_another_media_type_edits_nothing() {
        let mut document = document("create_or_update_a");
        let item = &mut document.root["paths"]["/a/{a_name}"];
        for method in ["put", "patch"] {
            let content = &mut item[method]["requestBody"]["content"];
            let body = content["application/json"].take();
            *content = json!({"application/json-patch+json": body});
        }
        let items = run("things", &Model::new(&document), &Signatures::default());
        assert!(items.is_empty(), "{} items", items.len());
    }

    #[test]
    fn a_body_with_too_many_ways_through_it_gets_no_edit_and_a_warning() {
        let mut document = document("create_or_update_a");
        let id = json!({"type": "string", "readOnly": true});
        let schemas = document.schemas_mut();
        schemas.extend(testing::tangled(&id));
        schemas["SpecPut"]["properties"]["tangle"] = reference("T0");
        let model = Model::new(&document);
        let mut changes = Changes::default();
        check(&document, &model, &mut changes);
        let [warning] = changes.warnings() else {
            panic!("{:?}", changes.warnings());
        };
        let warning = warning.to_string();
        assert!(
            warning.contains("/paths/~1a~1{a_name}/put") && warning.contains("`get_a`"),
            "{warning}"
        );
        let items = run("things", &model, &Signatures::default());
        let code = without_spaces(&prettyplease::unparse(&crate::code::file(items)));
        // The body of the PATCH is another one.
        assert!(
            !code.contains("edit_a") && !code.contains("fortypes::APut"),
            "{code}"
        );
        assert!(code.contains("fortypes::APatch"), "{code}");
    }

    #[test]
    fn what_is_only_made_by_put_is_edited_by_patch() {
        let code = code("create_a");
        for part in [
            "Edit<types::A, types::APatch, F>",
            "&operations::UPDATE_A",
            "within: \"\", merges: true",
        ] {
            assert!(code.contains(&without_spaces(part)), "{part} in {code}");
        }
    }
}
