//! Problem: the place of a resource's state differs from type to type, and no document has it. A
//! type whose state `spec/states.yaml` points to gets a method that reads it: `job.state()`.

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

/// One part of a pointer, as code reads it.
enum Step {
    /// A field; it may be nullable.
    Field(Ident, bool),
    /// The item of a list whose field has the value of the argument.
    Item { field: Ident, argument: Ident },
}

impl Step {
    /// The code that reads it from `part`.
    fn read(&self) -> TokenStream {
        match self {
            Self::Field(field, nullable) => {
                let value = nullable.then(|| quote!(.value()));
                quote!(#field.as_ref()#value)
            }
            Self::Item { field, argument } => {
                quote!(iter().find(|item| item.#field.as_deref() == Some(#argument)))
            }
        }
    }
}

/// None where the type has a field of that name.
fn accessor(method: &str, pointer: &str, name: &str, model: &Model) -> Option<TokenStream> {
    let mut holder = model.types.get(name)?;
    if holder
        .fields()?
        .keys()
        .any(|field| snake_name(field) == method)
    {
        return None;
    }
    let (mut steps, mut arguments) = (Vec::new(), Vec::new());
    let mut state = None;
    for part in pointer.split('/').skip(1) {
        if let Some((field, argument)) = picked(part) {
            holder.fields()?.get(field)?;
            let (field, argument) = (snake_name(field), format_ident!("{argument}"));
            arguments.push(argument.clone());
            let field = format_ident!("{field}");
            steps.push(Step::Item { field, argument });
            continue;
        }
        let field = holder.fields()?.get(part)?;
        let nullable = field.nullable && holder.written;
        steps.push(Step::Field(format_ident!("{}", snake_name(part)), nullable));
        state = held(field);
        holder = state
            .and_then(|name| model.types.get(name))
            .unwrap_or(holder);
    }
    let state = state.filter(|name| matches!(model.types[*name].shape, Shape::Enum(_)))?;
    let state = format_ident!("{state}");
    let (first, rest) = steps.split_first()?;
    let (first, rest) = (first.read(), rest.iter().map(Step::read));
    let doc = format!(" State (`{pointer}` in JSON), if present. Compares with strings.");
    let method = format_ident!("{method}");
    Some(quote! {
        #[doc = #doc]
        pub fn #method(&self, #(#arguments: &str),*) -> ::mkio_core::StateRef<'_, #state> {
            ::mkio_core::StateRef::new(self.#first #(.and_then(|part| part.#rest))*)
        }
    })
}

/// Field and argument of `field={argument}`, which picks an item of a list.
fn picked(part: &str) -> Option<(&str, &str)> {
    let (field, argument) = part.split_once("={")?;
    Some((field, argument.strip_suffix('}')?))
}

/// The type that a field holds, or a list in it.
fn held(field: &Field) -> Option<&str> {
    let of = |schema| ref_name(schema).or_else(|| ref_name(&schema["allOf"][0]));
    of(&field.schema).or_else(|| of(&field.schema["items"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{code::without_spaces, passes::testing::with_schemas};

    #[test]
    fn a_pointer_that_picks_an_item_takes_what_it_is_picked_by() {
        let document = with_schemas(json!({
            "Device": {"properties": {"loaded": {"type": "array", "items": {"$ref": "#/components/schemas/Software"}}}},
            "Software": {"properties": {
                "version": {"type": "string"}, "state": {"$ref": "#/components/schemas/LoadState"},
            }},
            "LoadState": {"type": "string", "enum": ["Loading", "Loaded"]},
        }));
        let model = Model::new(&document);
        let code = |pointer| {
            let code = accessor("load_state", pointer, "Device", &model);
            code.map(|code| without_spaces(&code.to_string()))
        };
        let read =
            "pub fn load_state(&self, version: &str) -> ::mkio_core::StateRef<'_, LoadState> {
            ::mkio_core::StateRef::new(self.loaded.as_ref()
                .and_then(|part| part.iter().find(|item| item.version.as_deref() == Some(version)))
                .and_then(|part| part.state.as_ref()))
        }";
        let found = code("/loaded/version={version}/state").expect("an accessor");
        assert!(found.ends_with(&without_spaces(read)), "{found}");
        assert!(code("/loaded/other={version}/state").is_none());
    }
}
