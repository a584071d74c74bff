//! Problem: typify's structures drop empty lists, know two states where JSON has three, show
//! secrets, and break users when a field is added. This rule keeps their fields and writes the
//! rest anew: `Option` or `Nullable` for everything that need not be there, `Secret` for what
//! must not be shown, `#[non_exhaustive]` with constructor and setters for what is written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Item, ItemStruct, LitStr, Type, parse_quote};

use super::{docs, setters, simplify};
use crate::{
    document::{Document, Problem},
    model::{Field, Model, Shape},
    report::Changes,
};

/// A field as it will be written.
pub struct FieldCode {
    pub ident: syn::Ident,
    pub json: String,
    pub ty: Type,
    pub settable: bool,
    pub required: bool,
    /// Always sent, as a value or as null.
    pub always_sent: bool,
    pub description: String,
}

pub fn run(
    items: Vec<Item>,
    document: &Document,
    model: &Model,
    changes: &mut Changes,
) -> Result<Vec<(String, Vec<Item>)>, Problem> {
    let mut code = Vec::new();
    for item in items {
        let item = match item {
            Item::Struct(item) => item,
            Item::Enum(unknown) => {
                return Err(document.problem(
                    format!("/components/schemas/{}", unknown.ident),
                    "an enum that the model does not know",
                    "string enums and unions with a name of their own",
                ));
            }
            // Implementations of what is replaced, builders of structures, error types.
            _ => continue,
        };
        let name = item.ident.to_string();
        let known = model.types.get(&name).map(|of| (&of.shape, of));
        let Some((Shape::Struct(fields), of)) = known else {
            return Err(document.problem(
                format!("/components/schemas/{name}"),
                "a structure that the model does not know",
                "objects with a name of their own",
            ));
        };
        let fields = fields_of(&item, fields, of.written);
        // An object without properties is a map to typify; with a name of its own it is an empty
        // structure, the content of a union's variant.
        changes.note(format!("{name}: {} fields", fields.len()));
        let items = emit(&name, &of.description, &fields, of.written);
        let file: syn::File = syn::parse2(items).map_err(|error| {
            document.problem(
                format!("/components/schemas/{name}"),
                format!("a structure whose code does not parse: {error}"),
                "names that can be Rust identifiers",
            )
        })?;
        code.push((name, file.items));
    }
    Ok(code)
}

fn fields_of(
    item: &ItemStruct,
    known: &indexmap::IndexMap<String, Field>,
    written: bool,
) -> Vec<FieldCode> {
    item.fields
        .iter()
        .filter_map(|field| {
            let ident = field.ident.clone()?;
            let json = rename(&field.attrs).unwrap_or_else(|| ident.to_string());
            let mut ty = field.ty.clone();
            simplify::type_paths(&mut ty);
            let Some(info) = known.get(&json) else {
                // What the document does not name, collected by `additionalProperties`.
                return Some(FieldCode {
                    ident,
                    json: String::new(),
                    ty,
                    settable: written,
                    required: false,
                    always_sent: false,
                    description: "Everything else that the object holds.".to_owned(),
                });
            };
            let inner = simplify::argument_of(&ty, "Option").unwrap_or(&ty).clone();
            let inner: Type = if info.secret {
                parse_quote!(Secret<#inner>)
            } else {
                inner
            };
            let optional = !info.demanded;
            let ty: Type = match (optional, info.nullable) {
                (true, true) if written => parse_quote!(Nullable<#inner>),
                (true, _) | (false, true) => parse_quote!(Option<#inner>),
                (false, false) => inner,
            };
            Some(FieldCode {
                ident,
                json,
                ty,
                settable: written && !info.read_only,
                required: info.required,
                always_sent: info.demanded,
                description: info.description.clone(),
            })
        })
        .collect()
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

fn emit(name: &str, description: &str, fields: &[FieldCode], written: bool) -> TokenStream {
    let ident = format_ident!("{name}");
    let doc = docs::or(description, &format!("`{name}` of the document."));
    let needs_value = |field: &&FieldCode| demands(field);
    let default = fields
        .iter()
        .find(needs_value)
        .is_none()
        .then(|| quote!(Default,));
    let field_code = fields.iter().map(|field| {
        let FieldCode {
            ident, json, ty, ..
        } = field;
        let doc = docs::or(&field.description, &format!("`{json}` of the document."));
        let serde = serde_attribute(field);
        quote!(#doc #serde pub #ident: #ty,)
    });
    let implementation = written.then(|| setters::emit(&ident, fields));
    quote! {
        #doc
        #[derive(Clone, Debug, #default PartialEq, Deserialize, Serialize)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct #ident { #(#field_code)* }
        #implementation
    }
}

/// The field has no value of its own and must be given.
pub fn demands(field: &FieldCode) -> bool {
    !field.json.is_empty()
        && simplify::argument_of(&field.ty, "Option").is_none()
        && simplify::argument_of(&field.ty, "Nullable").is_none()
}

fn serde_attribute(field: &FieldCode) -> Option<TokenStream> {
    if field.json.is_empty() {
        return Some(quote!(#[serde(flatten)]));
    }
    let mut parts = Vec::new();
    let json = &field.json;
    if field.ident != json {
        parts.push(quote!(rename = #json));
    }
    if simplify::argument_of(&field.ty, "Nullable").is_some() {
        parts.push(quote!(default, skip_serializing_if = "Nullable::is_absent"));
    } else if simplify::argument_of(&field.ty, "Option").is_some() && !field.always_sent {
        parts.push(quote!(skip_serializing_if = "Option::is_none"));
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_schemas;

    fn code(structure: &str, schema: serde_json::Value) -> String {
        let document = with_schemas(json!({"S": schema}));
        let model = Model::new(&document);
        let file = syn::parse_file(structure).unwrap();
        let code = run(file.items, &document, &model, &mut Changes::default()).unwrap();
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        prettyplease::unparse(&crate::code::file(items))
    }

    #[test]
    fn fields_get_their_states() {
        let text = code(
            r#"pub struct S {
                #[serde(rename = "aList", default)]
                pub a_list: ::std::option::Option<::std::vec::Vec<::std::string::String>>,
                pub note: ::std::option::Option<::std::string::String>,
                pub password: ::std::option::Option<::std::string::String>,
                pub any: ::serde_json::Value,
            }"#,
            json!({"x-mkio-written": true, "properties": {
                "aList": {"type": "array"},
                "note": {"x-mkio-nullable": true},
                "password": {"x-mkio-secret": true},
                "any": {},
            }}),
        );
        for line in [
            "pub a_list: Option<Vec<String>>,",
            "pub note: Nullable<String>,",
            "pub password: Option<Secret<String>>,",
            "pub any: Option<Value>,",
            "#[non_exhaustive]",
            "rename = \"aList\"",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }
}
