//! Problem: where a resource tells its state differs from type to type, and no document says it.
//! A type whose state `spec/states.yaml` points to gets a method that reads it: `job.state()`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::{
    document::ref_name,
    model::{Field, Model, Shape},
    names::snake_name,
    states::States,
};

/// `impl X { state() }`, for each state that the type has.
pub fn emit(ident: &Ident, name: &str, model: &Model, states: &States) -> Option<TokenStream> {
    let mut found: Vec<(String, &str)> = Vec::new();
    for (resource, of) in states.iter().filter(|(_, of)| of.model == name) {
        let Some(pointer) = &of.pointer else { continue };
        let method = method(name, resource);
        if !found.iter().any(|(known, _)| *known == method) {
            found.push((method, pointer));
        }
    }
    let methods: Vec<_> = found
        .into_iter()
        .filter_map(|(method, pointer)| accessor(&method, pointer, name, model))
        .collect();
    (!methods.is_empty()).then(|| quote!(impl #ident { #(#methods)* }))
}

/// `state` of the resource that the type is named after, `software_state` of `device_software`.
fn method(name: &str, resource: &str) -> String {
    let aspect = resource.strip_prefix(&format!("{}_", snake_name(name)));
    aspect.map_or_else(|| "state".to_owned(), |aspect| format!("{aspect}_state"))
}

/// None where the pointer picks among many, or where the type has a field of that name.
fn accessor(method: &str, pointer: &str, name: &str, model: &Model) -> Option<TokenStream> {
    let mut holder = model.types.get(name)?;
    if holder
        .fields()?
        .keys()
        .any(|field| snake_name(field) == method)
    {
        return None;
    }
    let mut steps: Vec<(Ident, bool)> = Vec::new();
    let mut state = None;
    for part in pointer.split('/').skip(1) {
        let field = holder.fields()?.get(part)?;
        let nullable = field.nullable && holder.written;
        steps.push((format_ident!("{}", snake_name(part)), nullable));
        state = held(field);
        holder = state
            .and_then(|name| model.types.get(name))
            .unwrap_or(holder);
    }
    let state = state.filter(|name| matches!(model.types[*name].shape, Shape::Enum(_)))?;
    let state = format_ident!("{state}");
    let read = |(field, nullable): &(Ident, bool)| {
        let value = nullable.then(|| quote!(.value()));
        quote!(#field.as_ref()#value)
    };
    let (first, rest) = steps.split_first()?;
    let first = read(first);
    let rest = rest.iter().map(|step| {
        let step = read(step);
        quote!(.and_then(|part| part.#step))
    });
    let doc = format!(" State (`{pointer}` in JSON), if present. Compares with strings.");
    let method = format_ident!("{method}");
    Some(quote! {
        #[doc = #doc]
        pub fn #method(&self) -> ::mkio_core::StateRef<'_, #state> {
            ::mkio_core::StateRef::new(self.#first #(#rest)*)
        }
    })
}

fn held(field: &Field) -> Option<&str> {
    ref_name(&field.schema).or_else(|| ref_name(&field.schema["allOf"][0]))
}
