//! Problem: typify's string enums refuse a value that they do not know. This rule makes
//! an `open_enum!` of the runtime for each, which keeps such values.

use quote::{format_ident, quote};
use syn::Item;

use super::{docs, occurrences::Occurrences};
use crate::{
    model::{Model, Shape},
    report::Changes,
};

pub fn run(
    model: &Model,
    occurrences: &Occurrences,
    changes: &mut Changes,
) -> Vec<(String, Vec<Item>)> {
    let mut code = Vec::new();
    for (name, of) in &model.types {
        let Shape::Enum(values) = &of.shape else {
            continue;
        };
        changes.note(format!("{name}: {} values", values.len()));
        let ident = format_ident!("{name}");
        let doc = occurrences.docs(of, name);
        let variants = values.iter().map(|(value, variant)| {
            let variant = format_ident!("{variant}");
            let doc = format!(" {}.", docs::code(value));
            quote!(#[doc = #doc] #variant = #value,)
        });
        let item = quote! {
            ::mkio_core::open_enum! {
                #doc
                pub enum #ident { #(#variants)* }
            }
        };
        code.push((name.clone(), vec![Item::Verbatim(item)]));
    }
    code
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_schemas;

    #[test]
    fn values_become_variants_of_an_open_enum() {
        let model = Model::new(&with_schemas(json!({
            "Mode": {"type": "string", "enum": ["5.1", "Unknown"], "description": "How <it> sounds."},
            "Other": {"properties": {}},
        })));
        let code = run(&model, &Occurrences::of(&model), &mut Changes::default());
        assert_eq!(code.len(), 1);
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        let text = crate::glue::macros::unparse(&crate::code::file(items));
        for line in [
            "::mkio_core::open_enum! {",
            "/// How \\<it\\> sounds.",
            "V5_1 = \"5.1\",",
            "DeclaredUnknown = \"Unknown\",",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }
}
