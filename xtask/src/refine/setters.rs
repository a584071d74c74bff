//! Constructor and setters of a structure that is written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Type};

use super::{
    simplify::{argument_of, arguments_of, is_named},
    structs::{FieldCode, demands},
};

/// Method names that every type has or that mean something else.
const TAKEN: [&str; 6] = ["new", "clone", "eq", "ne", "fmt", "default"];

/// `impl X { new(required…), field(value)… }`.
pub fn emit(ident: &Ident, fields: &[FieldCode]) -> TokenStream {
    let arguments: Vec<&FieldCode> = fields
        .iter()
        .filter(|field| demands(field) || (field.required && field.settable))
        .collect();
    let constructor = constructor(ident, fields, &arguments);
    let setters = fields.iter().filter(|field| field.settable).map(setter);
    quote! {
        impl #ident {
            #constructor
            #(#setters)*
        }
    }
}

fn constructor(ident: &Ident, fields: &[FieldCode], arguments: &[&FieldCode]) -> TokenStream {
    let doc = if arguments.is_empty() {
        format!(" An empty `{ident}`, to be filled with its setters.")
    } else {
        format!(" A `{ident}` with what it cannot do without; the rest is absent.")
    };
    if arguments.is_empty() {
        return quote! {
            #[doc = #doc]
            pub fn new() -> Self {
                Self::default()
            }
        };
    }
    let taken = arguments.iter().map(|field| {
        let (name, accepts) = (&field.ident, accepts(value_type(&field.ty)).0);
        quote!(#name: #accepts)
    });
    let filled = arguments.iter().map(|field| {
        let name = &field.ident;
        let value = wrap(&field.ty, accepts(value_type(&field.ty)).1(quote!(#name)));
        quote!(#name: #value)
    });
    let rest = fields
        .iter()
        .filter(|f| !arguments.iter().any(|a| a.ident == f.ident));
    let rest = rest.map(|field| {
        let name = &field.ident;
        quote!(#name: Default::default())
    });
    let many = (arguments.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote! {
        #[doc = #doc]
        #many
        pub fn new(#(#taken),*) -> Self {
            Self { #(#filled,)* #(#rest,)* }
        }
    }
}

fn setter(field: &FieldCode) -> TokenStream {
    let ident = &field.ident;
    let name = if TAKEN.iter().any(|taken| ident == taken) {
        format_ident!("{ident}_")
    } else {
        ident.clone()
    };
    let doc = format!(" Sets [`{ident}`](Self#structfield.{ident}).");
    let (accepts, convert) = if argument_of(&field.ty, "Nullable").is_some() {
        // Null has to be sayable.
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
        pub fn #name(mut self, value: #accepts) -> Self {
            self.#ident = #value;
            self
        }
    }
}

/// The type inside `Option` or `Nullable`.
fn value_type(ty: &Type) -> &Type {
    argument_of(ty, "Option")
        .or_else(|| argument_of(ty, "Nullable"))
        .unwrap_or(ty)
}

fn wrap(ty: &Type, value: TokenStream) -> TokenStream {
    if argument_of(ty, "Option").is_some() {
        quote!(Some(#value))
    } else if argument_of(ty, "Nullable").is_some() {
        quote!(Nullable::Value(#value))
    } else {
        value
    }
}

type Convert = fn(TokenStream) -> TokenStream;

/// What an argument of a type accepts, and how it becomes that type.
fn accepts(ty: &Type) -> (TokenStream, Convert) {
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
