//! Setters of a structure that is written: `with_x` sets `x`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use super::{
    accessors::value_type,
    field::FieldCode,
    simplify::{argument_of, arguments_of, is_map, is_named},
};

/// `with_x(value)` for each field that can be set; `patch` when the structure changes another one.
pub fn emit(fields: &[FieldCode], patch: bool) -> TokenStream {
    let settable = fields.iter().filter(|field| field.settable);
    let setters = settable.map(|field| setter(field, patch));
    quote!(#(#setters)*)
}

/// `with_x`; `with_type` is not a keyword.
pub fn name(ident: &Ident) -> Ident {
    format_ident!("with_{}", ident.to_string().trim_end_matches('_'))
}

fn setter(field: &FieldCode, patch: bool) -> TokenStream {
    let ident = &field.ident;
    let name = name(ident);
    let doc = format!(" Sets [`{ident}`](Self#structfield.{ident}).");
    let effect = if patch {
        effect(&field.ty).map(|effect| quote!(#[doc = ""] #[doc = #effect]))
    } else {
        None
    };
    let (accepts, convert) = if argument_of(&field.ty, "Nullable").is_some() {
        // The setter has to accept null.
        accepts(&field.ty)
    } else {
        accepts(value_type(&field.ty))
    };
    let mut value = convert(quote!(value));
    if argument_of(&field.ty, "Option").is_some() {
        value = quote!(Some(#value));
    }
    quote! {
        #[doc = #doc]
        #effect
        #[must_use]
        pub fn #name(mut self, value: #accepts) -> Self {
            self.#ident = #value;
            self
        }
    }
}

/// The effect of a PATCH on a list, a map, or a field that can be null.
fn effect(field: &Type) -> Option<&'static str> {
    let ty = value_type(field);
    let nullable = argument_of(field, "Nullable").is_some();
    if argument_of(ty, "Vec").is_some() {
        Some(if nullable {
            " PATCH replaces the whole list; null removes it."
        } else {
            " PATCH replaces the whole list; an empty one removes all items."
        })
    } else if is_map(ty) {
        Some(" PATCH adds entries and replaces those of the same key; it cannot remove one.")
    } else {
        nullable.then_some(" `null` clears the value. If not called, the value is unchanged.")
    }
}

pub type Convert = fn(TokenStream) -> TokenStream;

/// The type that an argument accepts, and its conversion.
pub fn accepts(ty: &Type) -> (TokenStream, Convert) {
    if let Some(item) = argument_of(ty, "Vec") {
        return (
            quote!(impl IntoIterator<Item = impl Into<#item>>),
            |value| quote!(#value.into_iter().map(Into::into).collect()),
        );
    }
    if let Some([key, value]) = arguments_of(ty, "BTreeMap").as_deref() {
        return (
            quote!(impl IntoIterator<Item = (impl Into<#key>, impl Into<#value>)>),
            |value| quote!(#value.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
        );
    }
    if arguments_of(ty, "Map").is_some() {
        return (
            quote!(impl IntoIterator<Item = (impl Into<String>, impl Into<Value>)>),
            |value| quote!(#value.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
        );
    }
    if is_named(ty, "bool") {
        return (quote!(bool), |value| value);
    }
    if let Some(inner) = argument_of(ty, "Box") {
        return (
            quote!(impl Into<#inner>),
            |value| quote!(Box::new(#value.into())),
        );
    }
    (quote!(impl Into<#ty>), |value| quote!(#value.into()))
}
