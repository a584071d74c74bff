//! Problem: typify's unions are untagged, the first that fits wins. Ours are tagged enums with an
//! `Unknown` arm that keeps what it cannot read, writes it back, and does not print it.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use super::{conversions, docs, occurrences::Occurrences};
use crate::{
    model::{Model, Shape, Variant},
    names::snake_name,
    report::Changes,
};

pub fn run(
    model: &Model,
    occurrences: &Occurrences,
    changes: &mut Changes,
) -> Vec<(String, Vec<Item>)> {
    let mut code = Vec::new();
    for (name, of) in &model.types {
        let ident = format_ident!("{name}");
        let doc = occurrences.docs(of, name);
        match &of.shape {
            Shape::Union { tag, variants } => {
                changes.note(format!("{name}: {} variants", variants.len()));
                let mut items = vec![definition(&ident, &doc, tag, variants)];
                items.extend([
                    reading(&ident, tag, variants),
                    debug(&ident, tag, variants),
                    methods(&ident, variants),
                ]);
                items.extend(conversions_of(&ident, name, model, variants));
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

/// Name of a variant and of its member.
fn names(variant: &Variant) -> (Ident, Ident) {
    (
        format_ident!("{}", variant.name),
        format_ident!("{}", variant.member),
    )
}

fn definition(ident: &Ident, doc: &TokenStream, tag: &str, variants: &[Variant]) -> Item {
    let arms = variants.iter().map(|variant| {
        let (arm, member) = names(variant);
        let value = &variant.value;
        let doc = format!(" {} is {}.", docs::code(tag), docs::code(value));
        let twins = twins(variant, variants);
        let twins = twins.map(|doc| quote!(#[doc = ""] #[doc = #doc]));
        quote!(#[doc = #doc] #twins #[serde(rename = #value)] #arm(#member),)
    });
    let names = format!(" {} names the variant.", docs::code(tag));
    parse_quote! {
        #doc
        #[doc = ""]
        #[doc = #names]
        #[derive(Clone, PartialEq, Serialize)]
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
    }
}

/// The note on a variant whose member has other tags, too.
fn twins(variant: &Variant, variants: &[Variant]) -> Option<String> {
    let others = variants
        .iter()
        .filter(|other| other.member == variant.member && other.name != variant.name);
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        return None;
    }
    let link = |variant: &&Variant| format!("[`{0}`](Self::{0})", variant.name);
    let names = others.iter().map(link).collect::<Vec<_>>().join(", ");
    let converts = others.iter().find(|other| other.converts);
    let made = match converts {
        _ if variant.converts => " `From` makes this one.".to_owned(),
        Some(other) => format!(" `From` makes {}.", link(other)),
        None => String::new(),
    };
    Some(format!(
        " Holds the same content as {names}, under another tag.{made}"
    ))
}

fn reading(ident: &Ident, tag: &str, variants: &[Variant]) -> Item {
    let arms = variants.iter().map(|variant| {
        let (arm, _) = names(variant);
        let value = &variant.value;
        quote!(#value => content.read().map(Self::#arm),)
    });
    parse_quote! {
        impl<'de> Deserialize<'de> for #ident {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let member = |tag: &str, content: ::mkio_core::glue::Content<'_>| {
                    Some(match tag {
                        #(#arms)*
                        _ => return None,
                    })
                };
                ::mkio_core::glue::union(deserializer, #tag, member, Self::Unknown)
            }
        }
    }
}

fn debug(ident: &Ident, tag: &str, variants: &[Variant]) -> Item {
    let shown = variants.iter().map(|variant| {
        let (arm, name) = (format_ident!("{}", variant.name), &variant.name);
        quote!(Self::#arm(value) => f.debug_tuple(#name).field(value).finish(),)
    });
    parse_quote! {
        /// Unknown content may hold secrets: only its tag is shown.
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
    }
}

/// `as_…()` for each variant, and a constructor for each tag of a member with several tags.
fn methods(ident: &Ident, variants: &[Variant]) -> Item {
    let shared = |variant: &Variant| {
        let behind = |other: &&Variant| other.member == variant.member;
        variants.iter().filter(behind).count() > 1
    };
    let constructors = variants.iter().filter(|v| shared(v)).map(|variant| {
        let (arm, member) = names(variant);
        let name = format_ident!("{}", snake_name(&variant.name));
        let doc = format!(
            " Creates the variant with the tag {}.",
            docs::code(&variant.value)
        );
        quote! {
            #[doc = #doc]
            pub fn #name(value: impl Into<#member>) -> Self {
                Self::#arm(value.into())
            }
        }
    });
    let readers = variants.iter().map(|variant| {
        let (arm, member) = names(variant);
        let name = format_ident!("as_{}", snake_name(&variant.name).trim_end_matches('_'));
        let doc = format!(" Returns the content if this is [`{arm}`](Self::{arm}).");
        quote! {
            #[doc = #doc]
            pub fn #name(&self) -> Option<&#member> {
                if let Self::#arm(value) = self { Some(value) } else { None }
            }
        }
    });
    parse_quote! {
        impl #ident {
            #(#constructors)*
            #(#readers)*

            /// Returns the JSON if this is [`Unknown`](Self::Unknown).
            pub fn as_unknown(&self) -> Option<&Value> {
                if let Self::Unknown(value) = self { Some(value) } else { None }
            }
        }
    }
}

fn conversions_of<'a>(
    ident: &'a Ident,
    name: &str,
    model: &Model,
    variants: &'a [Variant],
) -> Vec<Item> {
    let direct = variants.iter().filter(|variant| variant.converts);
    let mut items: Vec<Item> = direct
        .map(|variant| {
            let (arm, member) = names(variant);
            parse_quote! {
                impl From<#member> for #ident {
                    fn from(value: #member) -> Self {
                        Self::#arm(value)
                    }
                }
            }
        })
        .collect();
    // A type converts into the union if it converts into one member only.
    items.extend(conversions::through_members(model, name).into_iter().map(
        |(source, variant)| -> Item {
            let (source, arm) = (format_ident!("{source}"), format_ident!("{variant}"));
            parse_quote! {
                impl From<#source> for #ident {
                    fn from(value: #source) -> Self {
                        Self::#arm(value.into())
                    }
                }
            }
        },
    ));
    items
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_schemas;

    #[test]
    fn unions_are_tagged_and_keep_what_they_do_not_know() {
        let variant = |value: &str, name: &str, member: &str, converts: bool| json!({"value": value, "name": name, "type": member, "converts": converts});
        let model = Model::new(&with_schemas(json!({
            "Input": {"x-mkio-union": {"tag": "@odata.type", "variants": [
                variant("#A", "A", "InputA", true), variant("#B", "B", "Shared", false), variant("#C", "C", "Shared", true),
                variant("#D", "D", "Twin", false), variant("#E", "E", "Twin", false),
            ]}},
            "Keys": {"x-mkio-secret": true},
        })));
        let code = run(&model, &Occurrences::of(&model), &mut Changes::default());
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        let text = prettyplease::unparse(&crate::code::file(items));
        for line in [
            "#[serde(tag = \"@odata.type\")]",
            "#[serde(rename = \"#A\")]",
            "A(InputA),",
            "#[serde(untagged)]",
            "Unknown(Value),",
            "\"#B\" => content.read().map(Self::B),",
            "impl From<InputA> for Input",
            "impl From<Shared> for Input {\n    fn from(value: Shared) -> Self {\n        Self::C(value)",
            "Self::B(value) => f.debug_tuple(\"B\").field(value).finish(),",
            "let tag = value.get(\"@odata.type\").and_then(Value::as_str);",
            "pub fn as_a(&self) -> Option<&InputA>",
            "pub fn b(value: impl Into<Shared>) -> Self",
            "pub fn c(value: impl Into<Shared>) -> Self",
            "pub fn as_unknown(&self) -> Option<&Value>",
            "pub type Keys = Secret<Value>;",
            "/// Holds the same content as [`B`](Self::B), under another tag. `From` makes this one.",
            "/// Holds the same content as [`C`](Self::C), under another tag. `From` makes [`C`](Self::C).",
            "/// Holds the same content as [`E`](Self::E), under another tag.\n",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
        // A type behind two tags does not say which one is meant, unless the overlay does.
        assert!(!text.contains("From<Twin>"), "{text}");
        assert!(!text.contains("pub fn a("), "{text}");
    }
}
