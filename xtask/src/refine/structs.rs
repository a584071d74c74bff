//! Problem: typify's structures drop empty lists, know two states where JSON has three, show
//! secrets, and break users when a field is added. This rule writes structures from the model: `Option` or `Nullable` for optional
//! fields, `Secret` for secrets, `#[non_exhaustive]` with constructor and setters for requests.

use indexmap::IndexMap;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, Type, parse_quote};

use super::{
    accessors,
    constructors::Constructor,
    conversions, docs,
    field::{FieldCode, Reader},
    occurrences::Occurrences,
    setters, simplify, state,
};
use crate::{
    document::{Document, Problem, ref_name},
    glue::pages::{self, Collection},
    model::{Field, Model, Need, Type as Named},
    passes::EXTRA,
    report::Changes,
    states::States,
};

pub fn run(
    document: &Document,
    model: &Model,
    occurrences: &Occurrences,
    states: &States,
    changes: &mut Changes,
) -> Result<Vec<(String, Vec<Item>)>, Problem> {
    let mut code = Vec::new();
    let lists = pages::lists(model);
    for (name, of) in &model.types {
        let Some(fields) = of.fields() else {
            continue;
        };
        let mut fields = fields_of(fields, of);
        let list = lists.iter().find(|(_, response, _)| response == name);
        let list = list.map(|(_, _, collection)| collection);
        if of.read {
            for field in &mut fields {
                field.reader = reader(field, list);
            }
        }
        let structure = Structure {
            name,
            of,
            fields,
            model,
        };
        changes.note(format!("{name}: {} fields", structure.fields.len()));
        let items = structure.emit(occurrences, states);
        let items = items.map_err(|found| {
            document.problem(
                &of.pointer,
                found,
                "required fields that text, numbers, lists or maps fill",
            )
        })?;
        let file: syn::File = syn::parse2(items).map_err(|error| {
            document.problem(
                &of.pointer,
                format!("a structure whose code does not parse: {error}"),
                "names that can be Rust identifiers",
            )
        })?;
        code.push((name.clone(), file.items));
    }
    Ok(code)
}

/// A generated structure.
struct Structure<'a> {
    name: &'a str,
    of: &'a Named,
    fields: Vec<FieldCode>,
    model: &'a Model,
}

impl Structure<'_> {
    fn emit(&self, occurrences: &Occurrences, states: &States) -> Result<TokenStream, String> {
        let ident = format_ident!("{}", self.name);
        let definition = self.definition(&ident, occurrences);
        let written = self.of.written.then(|| self.written(&ident)).transpose()?;
        let read = if self.of.read {
            let accessors = accessors::emit(&ident, &self.fields, self.model);
            let states = state::emit(&ident, self.name, self.model, states);
            Some(quote!(#accessors #states))
        } else {
            None
        };
        Ok(quote!(#definition #written #read))
    }

    fn definition(&self, ident: &syn::Ident, occurrences: &Occurrences) -> TokenStream {
        let doc = occurrences.docs(self.of, self.name);
        let default = self.of.may_be_empty().then(|| quote!(Default,));
        let members = self.members(ident);
        let mut undescribed = false;
        let fields: Vec<TokenStream> = self
            .fields
            .iter()
            .map(|field| {
                let FieldCode {
                    ident, json, ty, ..
                } = field;
                let doc = docs::of_field(&field.description, &ident.to_string(), json);
                undescribed |= doc.is_none();
                let serde = serde_attribute(field, members.is_none());
                quote!(#doc #serde pub #ident: #ty,)
            })
            .collect();
        let undescribed = undescribed.then(|| {
            quote!(#[allow(missing_docs, reason = "the document does not describe every field")])
        });
        let deserialize = members.is_none().then(|| quote!(Deserialize,));
        quote! {
            #doc
            #[derive(Clone, Debug, #default PartialEq, #deserialize Serialize)]
            #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
            #undescribed
            #[non_exhaustive]
            pub struct #ident { #(#fields)* }
            #members
        }
    }

    /// The implementation of reading for a structure without required members: a third of the code
    /// that serde derives.
    fn members(&self, ident: &syn::Ident) -> Option<TokenStream> {
        let has_rest = self.fields.iter().any(|field| field.json.is_empty());
        if self.fields.is_empty() || has_rest || !self.of.may_be_empty() {
            return None;
        }
        let (name, names) = (self.name, self.fields.iter().map(|field| &field.json));
        let arms = self.fields.iter().enumerate().map(|(index, field)| {
            let ident = &field.ident;
            let value = match field.reader {
                Some(Reader::Lenient) => quote!(::mkio_core::glue::next_lenient(map)?),
                Some(Reader::OrNone) => quote!(::mkio_core::glue::next_or_none(map)?),
                None => quote!(map.next_value()?),
            };
            let index = proc_macro2::Literal::usize_unsuffixed(index);
            quote!(#index => self.#ident = #value,)
        });
        Some(quote! {
            impl ::mkio_core::glue::Members for #ident {
                const TYPE: &'static str = #name;
                const NAMES: &'static [&'static str] = &[#(#names),*];

                fn read<'de, A: ::serde::de::MapAccess<'de>>(
                    &mut self,
                    index: usize,
                    map: &mut A,
                ) -> Result<(), A::Error> {
                    match index {
                        #(#arms)*
                        _ => {}
                    }
                    Ok(())
                }
            }
            impl<'de> Deserialize<'de> for #ident {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    ::mkio_core::glue::members(deserializer)
                }
            }
        })
    }

    /// Constructor, setters and conversions.
    fn written(&self, ident: &syn::Ident) -> Result<TokenStream, String> {
        let constructor = Constructor::new(ident, &self.fields, &self.of.required, self.model);
        if let Some(field) = constructor.unnameable().next() {
            return Err(format!(
                "{field:?}, which could be mistaken for another required field and has no value of its own"
            ));
        }
        let (function, steps) = (constructor.function(), constructor.steps());
        let setters = setters::emit(&self.fields, self.of.patch);
        let conversions = self.conversions(ident);
        let is_body = self.model.operations.iter().any(|operation| {
            let body = operation.body_schema.as_ref();
            body.and_then(ref_name) == Some(self.name)
        });
        let body = is_body.then(|| quote!(::mkio_core::json_body! { #ident }));
        Ok(quote! {
            impl #ident {
                #function
                #setters
            }
            #steps
            #conversions
            #body
        })
    }

    /// Conversions from the content of an envelope.
    fn conversions(&self, ident: &syn::Ident) -> TokenStream {
        let made = match conversions::optional_content(self.of) {
            Some(json) => {
                let field = self.fields.iter().find(|field| field.json == json);
                let setter = field.map(|field| setters::name(&field.ident));
                quote!(Self::new().#setter(value))
            }
            None => quote!(Self::new(value)),
        };
        let sources = conversions::into_envelope(self.model, self.name);
        let conversions = sources.into_iter().map(|source| {
            let source = format_ident!("{source}");
            quote! {
                impl From<#source> for #ident {
                    fn from(value: #source) -> Self {
                        #made
                    }
                }
            }
        });
        quote!(#(#conversions)*)
    }
}

fn fields_of(fields: &IndexMap<String, Field>, of: &Named) -> Vec<FieldCode> {
    let named = fields.iter().map(|(json, field)| {
        let inner = if is_url(json) {
            with_urls(&field.ty)
        } else {
            field.ty.clone()
        };
        let inner: Type = if field.secret {
            parse_quote!(Secret<#inner>)
        } else {
            inner
        };
        let ty: Type = match (field.need == Need::Demanded, field.nullable) {
            (false, true) if of.written => parse_quote!(Nullable<#inner>),
            (false, _) | (true, true) => parse_quote!(Option<#inner>),
            (true, false) => inner,
        };
        FieldCode {
            ident: format_ident!("{}", field.ident),
            json: json.clone(),
            ty,
            settable: of.written && !field.read_only,
            need: field.need,
            reader: None,
            description: field.description.clone(),
        }
    });
    let extra = of.rest.as_ref().map(|ty| FieldCode {
        ident: format_ident!("{EXTRA}"),
        json: String::new(),
        ty: ty.clone(),
        settable: of.written,
        need: Need::Optional,
        reader: None,
        description: "Everything else that the object holds.".to_owned(),
    });
    named.chain(extra).collect()
}

/// The type of a field that holds a URL, or a list of URLs.
fn with_urls(ty: &Type) -> Type {
    if simplify::is_named(ty, "String") {
        return parse_quote!(UrlText);
    }
    match simplify::argument_of(ty, "Vec") {
        Some(item) => {
            let item = with_urls(item);
            parse_quote!(Vec<#item>)
        }
        None => ty.clone(),
    }
}

/// The field holds a URL, or a list of them: of a transport, an endpoint, a storage, a web hook. Such URLs hold
/// secrets. The URI of a scheme is a name.
pub fn is_url(json: &str) -> bool {
    let name = json.to_ascii_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    let name = name.strip_suffix("template").unwrap_or(name);
    (name.ends_with("url") || name.ends_with("uri")) && json != "schemeIdUri"
}

/// The function that reads a field of a response. Items of a list that do not decode are reported one
/// by one; of the other fields of a list only the link is needed.
fn reader(field: &FieldCode, list: Option<&Collection>) -> Option<Reader> {
    let mut ty = &field.ty;
    let wrapped = ["Option", "Nullable", "Secret"];
    let inside = |ty| {
        wrapped
            .iter()
            .find_map(|name| simplify::argument_of(ty, name))
    };
    while let Some(inner) = inside(ty) {
        ty = inner;
    }
    let scalars = ["i64", "f64", "bool"];
    let scalar = scalars.iter().any(|name| simplify::is_named(ty, name));
    let elements = simplify::argument_of(ty, "Vec").is_some()
        || simplify::arguments_of(ty, "BTreeMap").is_some();
    let is = |name: &String| field.ident == name;
    match list {
        Some(list) if is(&list.field) || list.link.as_ref().is_some_and(is) => None,
        Some(_) if !scalar && simplify::argument_of(&field.ty, "Option").is_some() => {
            Some(Reader::OrNone)
        }
        _ => (scalar || elements).then_some(Reader::Lenient),
    }
}

/// `reads`: serde derives the reading, too.
fn serde_attribute(field: &FieldCode, reads: bool) -> Option<TokenStream> {
    if field.json.is_empty() {
        return Some(quote!(#[serde(flatten)]));
    }
    let mut parts = Vec::new();
    let json = &field.json;
    if field.ident != json {
        parts.push(quote!(rename = #json));
    }
    let nullable = simplify::argument_of(&field.ty, "Nullable").is_some();
    let function = match field.reader {
        Some(Reader::Lenient) => Some("::mkio_core::glue::lenient"),
        Some(Reader::OrNone) => Some("::mkio_core::glue::or_none"),
        None => None,
    };
    if let Some(function) = function.filter(|_| reads) {
        // Serde takes an `Option` as absent only while it reads it itself.
        if !nullable {
            parts.push(quote!(default));
        }
        parts.push(quote!(deserialize_with = #function));
    }
    if nullable {
        parts.push(quote!(default, skip_serializing_if = "Nullable::is_absent"));
    } else if simplify::argument_of(&field.ty, "Option").is_some() && field.need != Need::Demanded {
        parts.push(quote!(skip_serializing_if = "Option::is_none"));
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

#[cfg(test)]
mod tests;
