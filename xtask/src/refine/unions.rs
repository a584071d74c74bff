//! Problem: typify's unions are untagged, the first that fits wins. Ours are tagged enums with an
//! `Unknown` arm that keeps what it cannot read, writes it back, and does not print it.

use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use super::docs;
use crate::{
    model::{Model, Shape},
    report::Changes,
};

pub fn run(model: &Model, changes: &mut Changes) -> Vec<(String, Vec<Item>)> {
    let mut code = Vec::new();
    for (name, of) in &model.types {
        let ident = format_ident!("{name}");
        let doc = docs::or(&of.description, &format!("`{name}` of the document."));
        match &of.shape {
            Shape::Union { tag, variants } => {
                changes.note(format!("{name}: {} variants", variants.len()));
                let arms = variants.iter().map(|variant| {
                    let (arm, member) = (
                        format_ident!("{}", variant.name),
                        format_ident!("{}", variant.member),
                    );
                    let value = &variant.value;
                    let doc = format!(" {} is {}.", docs::code(tag), docs::code(value));
                    quote!(#[doc = #doc] #[serde(rename = #value)] #arm(#member),)
                });
                let unique = variants.iter().filter(|variant| {
                    variants
                        .iter()
                        .filter(|other| other.member == variant.member)
                        .count()
                        == 1
                });
                let conversions = unique.map(|variant| -> Item {
                    let (arm, member) = (
                        format_ident!("{}", variant.name),
                        format_ident!("{}", variant.member),
                    );
                    parse_quote! {
                        impl From<#member> for #ident {
                            fn from(value: #member) -> Self {
                                Self::#arm(value)
                            }
                        }
                    }
                });
                let shown = variants.iter().map(|variant| {
                    let (arm, name) = (format_ident!("{}", variant.name), &variant.name);
                    quote!(Self::#arm(value) => f.debug_tuple(#name).field(value).finish(),)
                });
                let debug: Item = parse_quote! {
                    /// Content that is not understood may hold secrets: only its tag is shown.
                    impl ::std::fmt::Debug for #ident {
                        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                            match self {
                                #(#shown)*
                                Self::Unknown(value) => {
                                    let tag = value.get(#tag).and_then(Value::as_str);
                                    f.debug_tuple("Unknown").field(&tag).finish_non_exhaustive()
                                }
                            }
                        }
                    }
                };
                let tells = format!(" Told apart by {}.", docs::code(tag));
                let mut items: Vec<Item> = vec![parse_quote! {
                    #doc
                    #[doc = ""]
                    #[doc = #tells]
                    #[derive(Clone, PartialEq, Deserialize, Serialize)]
                    #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
                    #[serde(tag = #tag)]
                    #[non_exhaustive]
                    pub enum #ident {
                        #(#arms)*
                        /// A tag that this version does not know, or content that does not fit its tag;
                        /// kept as it is and written back unchanged.
                        #[serde(untagged)]
                        Unknown(Value),
                    }
                }];
                items.push(debug);
                items.extend(conversions);
                code.push((name.clone(), items));
            }
            Shape::Secret => {
                let item = parse_quote!(#doc pub type #ident = Secret<Value>;);
                code.push((name.clone(), vec![item]));
            }
            _ => {}
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_schemas;

    #[test]
    fn unions_are_tagged_and_keep_what_they_do_not_know() {
        let variant = |value: &str, name: &str, member: &str| json!({"value": value, "name": name, "type": member});
        let model = Model::new(&with_schemas(json!({
            "Input": {"x-mkio-union": {"tag": "@odata.type", "variants": [
                variant("#A", "A", "InputA"), variant("#B", "B", "Shared"), variant("#C", "C", "Shared"),
            ]}},
            "Keys": {"x-mkio-secret": true},
        })));
        let code = run(&model, &mut Changes::default());
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        let text = prettyplease::unparse(&crate::code::file(items));
        for line in [
            "#[serde(tag = \"@odata.type\")]",
            "#[serde(rename = \"#A\")]",
            "A(InputA),",
            "#[serde(untagged)]",
            "Unknown(Value),",
            "impl From<InputA> for Input",
            "Self::B(value) => f.debug_tuple(\"B\").field(value).finish(),",
            "let tag = value.get(\"@odata.type\").and_then(Value::as_str);",
            "pub type Keys = Secret<Value>;",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
        // A type behind two tags does not say which one is meant.
        assert!(!text.contains("From<Shared>"), "{text}");
    }
}
