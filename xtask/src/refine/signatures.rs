//! Types of arguments and answers, read from the finished request builders.

use std::collections::HashMap;

use syn::{ImplItem, Item, Type, parse_quote};

use super::simplify::argument_of;
use crate::names::type_name;

/// Types of each request builder.
#[derive(Default)]
pub struct Signatures(HashMap<String, Signature>);

#[derive(Default)]
struct Signature {
    arguments: HashMap<String, Type>,
    answer: Option<Type>,
}

impl Signatures {
    /// Reads the items of the module `builder`.
    pub fn of(builders: &[Item]) -> Self {
        let mut all = Self::default();
        for item in builders {
            match item {
                Item::Struct(item) => {
                    let signature = all.0.entry(item.ident.to_string()).or_default();
                    for field in &item.fields {
                        let value = argument_of(&field.ty, "Argument");
                        if let (Some(ident), Some(value)) = (&field.ident, value) {
                            let value = argument_of(value, "Option").unwrap_or(value);
                            signature.arguments.insert(ident.to_string(), value.clone());
                        }
                    }
                }
                Item::Impl(item) => {
                    let Type::Path(path) = &*item.self_ty else {
                        continue;
                    };
                    let Some(last) = path.path.segments.last() else {
                        continue;
                    };
                    let signature = all.0.entry(last.ident.to_string()).or_default();
                    for method in &item.items {
                        if let ImplItem::Fn(method) = method
                            && method.sig.ident == "send"
                            && let syn::ReturnType::Type(_, output) = &method.sig.output
                        {
                            signature.answer = argument_of(output, "Result")
                                .and_then(|response| argument_of(response, "Response"))
                                .cloned();
                        }
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// Type of an argument of an operation.
    pub fn argument(&self, operation: &str, ident: &str) -> Type {
        let signature = self.0.get(&type_name(operation));
        let ty = signature.and_then(|signature| signature.arguments.get(ident));
        ty.cloned().unwrap_or_else(|| parse_quote!(String))
    }

    /// Type of an operation's answer.
    pub fn answer(&self, operation: &str) -> Type {
        let signature = self.0.get(&type_name(operation));
        let ty = signature.and_then(|signature| signature.answer.clone());
        ty.unwrap_or_else(|| parse_quote!(()))
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn types_are_read_from_builders() {
        let file: syn::File = parse_quote! {
            pub struct ListAssets<'a> { client: &'a super::Client, top: glue::Argument<Option<u32>> }
            impl<'a> ListAssets<'a> {
                pub async fn send(self) -> Result<Response<types::AssetList>> {}
            }
        };
        let signatures = Signatures::of(&file.items);
        let text = |ty: Type| ty.to_token_stream().to_string();
        assert_eq!(text(signatures.argument("list_assets", "top")), "u32");
        assert_eq!(text(signatures.answer("list_assets")), "types :: AssetList");
    }
}
