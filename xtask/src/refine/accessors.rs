//! Problem: fields of responses are `Option`, so that reading three levels deep is a chain of
//! `and_then`. Each field gets a method that reads it: text as `&str`, lists and maps empty rather
//! than absent, structures with all fields unset rather than absent.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use super::{
    field::FieldCode,
    simplify::{argument_of, arguments_of, is_map, is_named},
};
use crate::model::{Model, Shape};

/// Methods of every type that a field's name must not replace.
const TAKEN: [&str; 3] = ["new", "from_json", "from_json_value"];
/// Types that are copied out.
pub const COPIED: [&str; 8] = ["bool", "i32", "i64", "u32", "u64", "usize", "f32", "f64"];

/// `impl X { field() … }`.
pub fn emit(ident: &Ident, fields: &[FieldCode], model: &Model) -> Option<TokenStream> {
    let methods = fields.iter().map(|field| accessor(field, model));
    (!fields.is_empty()).then(|| quote!(impl #ident { #(#methods)* }))
}

/// The expression for a field as an `Option` of a reference. Types that are read require nothing, so
/// that each field may be absent.
fn optional(ident: &Ident, ty: &Type) -> TokenStream {
    if is_map(ty) {
        // Members that the document does not name.
        quote!(Some(&self.#ident))
    } else if argument_of(ty, "Nullable").is_some() {
        quote!(self.#ident.as_ref().value())
    } else {
        quote!(self.#ident.as_ref())
    }
}

fn accessor(field: &FieldCode, model: &Model) -> TokenStream {
    let ident = &field.ident;
    let name = if TAKEN.iter().any(|taken| ident == taken) {
        format_ident!("{ident}_")
    } else {
        ident.clone()
    };
    let ty = value_type(&field.ty);
    let (returned, body, without) = reading(ty, optional(ident, &field.ty), model);
    let doc = format!(" Returns [`{ident}`](Self#structfield.{ident}){without}.");
    quote! {
        #[doc = #doc]
        pub fn #name(&self) -> #returned {
            #body
        }
    }
}

/// The method's return type, the code that reads it from the value, and the end of the docs for a
/// field that is not set.
fn reading(
    ty: &Type,
    value: TokenStream,
    model: &Model,
) -> (TokenStream, TokenStream, &'static str) {
    if is_named(ty, "String") {
        (
            quote!(Option<&str>),
            quote!(#value.map(String::as_str)),
            ", if it is set",
        )
    } else if let Some(item) = argument_of(ty, "Vec") {
        (
            quote!(&[#item]),
            quote!(#value.map_or(&[], Vec::as_slice)),
            ", empty if it is not set",
        )
    } else if is_map(ty) {
        let empty = if arguments_of(ty, "BTreeMap").is_some() {
            quote!(const { &BTreeMap::new() })
        } else {
            quote!(::mkio_core::glue::empty_object())
        };
        (
            quote!(&#ty),
            quote!(#value.unwrap_or(#empty)),
            ", empty if it is not set",
        )
    } else if COPIED.iter().any(|copied| is_named(ty, copied)) {
        (
            quote!(Option<#ty>),
            quote!(#value.copied()),
            ", if it is set",
        )
    } else if let Some(structure) = structure(ty, model) {
        let value = value_of_box(ty, value);
        let body = quote! {
            static UNSET: ::std::sync::LazyLock<#structure> = ::std::sync::LazyLock::new(Default::default);
            #value.unwrap_or(&UNSET)
        };
        (quote!(&#structure), body, ", an empty one if unset")
    } else {
        let inner = argument_of(ty, "Box").unwrap_or(ty);
        (
            quote!(Option<&#inner>),
            value_of_box(ty, value),
            ", if it is set",
        )
    }
}

fn value_of_box(ty: &Type, value: TokenStream) -> TokenStream {
    if argument_of(ty, "Box").is_some() {
        quote!(#value.map(AsRef::as_ref))
    } else {
        value
    }
}

/// A structure that may lack all of its fields, so that an empty one can stand for none.
fn structure<'a>(ty: &'a Type, model: &Model) -> Option<&'a Type> {
    let ty = argument_of(ty, "Box").unwrap_or(ty);
    let Type::Path(path) = ty else { return None };
    let of = model.types.get(&path.path.get_ident()?.to_string())?;
    (matches!(of.shape, Shape::Struct(_)) && of.may_be_empty()).then_some(ty)
}

/// The type inside `Option` or `Nullable`.
pub fn value_type(ty: &Type) -> &Type {
    argument_of(ty, "Option")
        .or_else(|| argument_of(ty, "Nullable"))
        .unwrap_or(ty)
}
