//! Structures: `Option` or `Nullable` for everything that need not be there, `Secret` for what
//! must not be shown, `#[non_exhaustive]` with constructor and setters for what is written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, Type, parse_quote};

use super::{docs, setters, simplify};
use crate::{
    document::{Document, Problem},
    model::{Field, Model, Shape},
    passes::EXTRA,
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
    document: &Document,
    model: &Model,
    changes: &mut Changes,
) -> Result<Vec<(String, Vec<Item>)>, Problem> {
    let mut code = Vec::new();
    for (name, of) in &model.types {
        let Shape::Struct(fields) = &of.shape else {
            continue;
        };
        let fields = fields_of(of, fields);
        changes.note(format!("{name}: {} fields", fields.len()));
        let items = emit(name, &of.description, &fields, of.written);
        let file: syn::File = syn::parse2(items).map_err(|error| {
            document.problem(
                of.pointer.clone(),
                format!("a structure whose code does not parse: {error}"),
                "names that can be Rust identifiers",
            )
        })?;
        code.push((name.clone(), file.items));
    }
    Ok(code)
}

fn fields_of(of: &crate::model::Type, known: &indexmap::IndexMap<String, Field>) -> Vec<FieldCode> {
    let written = of.written;
    let named = known.iter().map(|(json, info)| {
        let inner = info.ty.clone();
        let inner: Type = if info.secret {
            parse_quote!(Secret<#inner>)
        } else {
            inner
        };
        let ty: Type = match (!info.demanded, info.nullable) {
            (true, true) if written => parse_quote!(Nullable<#inner>),
            (true, _) | (false, true) => parse_quote!(Option<#inner>),
            (false, false) => inner,
        };
        FieldCode {
            ident: format_ident!("{}", info.ident),
            json: json.clone(),
            ty,
            settable: written && !info.read_only,
            required: info.required,
            always_sent: info.demanded,
            description: info.description.clone(),
        }
    });
    // What the document does not name, collected by `additionalProperties`.
    let rest = of.rest.iter().map(|ty| FieldCode {
        ident: format_ident!("{EXTRA}"),
        json: String::new(),
        ty: ty.clone(),
        settable: written,
        required: false,
        always_sent: false,
        description: "Everything else that the object holds.".to_owned(),
    });
    let mut fields: Vec<_> = named.chain(rest).collect();
    fields.sort_by(|a, b| a.ident.cmp(&b.ident));
    fields
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

    fn code(schema: serde_json::Value) -> String {
        let document = with_schemas(json!({"S": schema}));
        let model = Model::new(&document);
        let code = run(&document, &model, &mut Changes::default()).unwrap();
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        prettyplease::unparse(&crate::code::file(items))
    }

    #[test]
    fn fields_get_their_states() {
        let text = code(json!({"x-mkio-written": true, "properties": {
            "aList": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string", "x-mkio-nullable": true},
            "password": {"type": "string", "x-mkio-secret": true},
            "any": {},
        }, "additionalProperties": {"type": "integer"}}));
        for line in [
            "pub a_list: Option<Vec<String>>,",
            "pub note: Nullable<String>,",
            "pub password: Option<Secret<String>>,",
            "pub any: Option<Value>,",
            "pub extra: BTreeMap<String, i64>,",
            "#[non_exhaustive]",
            "rename = \"aList\"",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }
}
