//! Printing code, macro calls included: prettyplease leaves the inside of `open_enum!` on one line.

use syn::{File, FnArg, ImplItemFn, Item, Type, parse_quote, visit_mut::VisitMut};

/// Prints items; calls of `open_enum!` are laid out like the enum that they make.
pub fn unparse(file: &File) -> String {
    let mut out = String::new();
    let mut plain = Vec::new();
    for item in &file.items {
        let call = match item {
            Item::Verbatim(tokens) => tokens.to_string(),
            _ => {
                plain.push(item.clone());
                continue;
            }
        };
        flush(&mut plain, &mut out);
        let inner = call
            .split_once('{')
            .and_then(|(_, rest)| rest.rsplit_once('}'))
            .map_or("", |(inner, _)| inner);
        out.push_str("::mkio_core::open_enum! {\n");
        out.push_str(&layout(inner));
        out.push_str("}\n");
    }
    flush(&mut plain, &mut out);
    out
}

fn flush(plain: &mut Vec<Item>, out: &mut String) {
    if !plain.is_empty() {
        let mut items = std::mem::take(plain);
        items
            .iter_mut()
            .for_each(|item| Inline.visit_item_mut(item));
        out.push_str(&prettyplease::unparse(&crate::code::file(items)));
    }
}

/// Functions are compiled by the crates that use them: most programs use few functions of an API.
struct Inline;

impl VisitMut for Inline {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let signature = &function.sig;
        let has_types = signature.generics.type_params().next().is_some()
            || signature.inputs.iter().any(|argument| {
                matches!(argument, FnArg::Typed(argument) if matches!(*argument.ty, Type::ImplTrait(_)))
            });
        // Functions with type parameters are compiled there anyway.
        if !has_types
            && !function
                .attrs
                .iter()
                .any(|attr| attr.path().is_ident("inline"))
        {
            function.attrs.push(parse_quote!(#[inline]));
        }
    }
}

/// `Variant = "value"` is not a Rust enum; it prints as one when the value is a discriminant.
fn layout(inner: &str) -> String {
    let Ok(item) = syn::parse_str::<syn::ItemEnum>(inner) else {
        return inner.to_owned();
    };
    let text = prettyplease::unparse(&crate::code::file(vec![Item::Enum(item)]));
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("    {line}\n")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn enums_are_laid_out() {
        let item = Item::Verbatim(quote! {
            ::mkio_core::open_enum! { #[doc = " State."] pub enum State { #[doc = " On."] On = "on", } }
        });
        let file = crate::code::file(vec![item]);
        assert_eq!(
            unparse(&file),
            "::mkio_core::open_enum! {\n    /// State.\n    pub enum State {\n        /// On.\n        On = \"on\",\n    }\n}\n"
        );
    }
}
